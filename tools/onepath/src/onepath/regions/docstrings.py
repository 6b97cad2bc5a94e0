"""The first sentence of each module's docstring, by griffe, which reads files and imports nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_ABBREVIATIONS = ("e.g", "i.e", "etc", "vs", "cf", "no", "No")
_NOT_AFTER = "".join(rf"(?<!\b{re.escape(one)}\.)" for one in _ABBREVIATIONS)
_END = re.compile(rf"(?<=[.!?]){_NOT_AFTER}\s+(?=[\"'`(\[]?[A-Z0-9])")


def first_sentence(docstring: str) -> str:
    """The first sentence of the first paragraph, on one line."""
    paragraph = re.split(r"\n\s*\n", docstring.strip(), maxsplit=1)[0]
    return _END.split(" ".join(paragraph.split()), maxsplit=1)[0]


def summaries(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """By module of `files` (module → file, relative to `folder`): its first sentence; empty if it has none."""
    import griffe

    found: dict[str, str] = {}
    for name, file in files.items():
        path = folder / file
        try:
            code = path.read_text(encoding="utf-8-sig")
            module = griffe.visit(name, filepath=path, code=code)
        except (OSError, SyntaxError, ValueError, RecursionError):
            found[name] = ""
            continue
        found[name] = first_sentence(module.docstring.value) if module.docstring is not None else ""
    return found
