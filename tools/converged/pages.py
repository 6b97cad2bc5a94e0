"""Pages without what is gone: links to its files, and the lines of configurations that set its row.

Generated pages are renewed; this is for those that people wrote. It knows Markdown's links and fences, and TOML's
sections, and leaves prose alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

_LINK: Final = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^```")
_TOML: Final = re.compile(r"^```toml\b")
_SECTION: Final = re.compile(r"^\[([^\[\]]+)\]\s*(?:#.*)?$")
_ROOM: Final = "architecture"


def rewrite(root: Path, key: str, files: Collection[str]) -> None:
    """Every page below `root`: without links to `files`, without settings of the switch `key`."""
    for page in sorted(root.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        left = without_settings(_without_links(text, page.parent, root, files), key)
        if left != text:
            page.write_text(left, encoding="utf-8")


def _without_links(text: str, folder: Path, root: Path, files: Collection[str]) -> str:
    """Links to what is gone become the words they had."""

    def words(found: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / found[2].partition("#")[0]))
        is_gone = target.is_relative_to(root) and target.relative_to(root).as_posix() in files
        return found[1] if is_gone else found[0]

    return _LINK.sub(words, text)


def without_settings(text: str, key: str) -> str:
    """A page whose TOML blocks do not set the switch any more."""
    kept: list[str] = []
    inside, section = False, ""
    for line in text.splitlines(keepends=True):
        if _FENCE.match(line):
            inside, section = not inside and bool(_TOML.match(line)), ""
        elif inside and (found := _SECTION.match(line)):
            section = found[1].strip()
        elif inside and "=" in line:
            name = line.partition("=")[0].strip().strip('"')
            if f"{section}.{name}".removeprefix(f"{_ROOM}.") == key:
                continue
        kept.append(line)
    return "".join(kept)
