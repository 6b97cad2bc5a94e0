"""The programs that are read: pinned third-party trees, and this repository's own source; each as a copy of its own.

It knows folders and files, and who fetches them; nothing of what is measured.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bench.processes import BenchError

ROOT: Final = Path(__file__).parent.parent.parent
CACHE: Final = ROOT / ".cache" / "bench" / "onepath"
_FETCHER: Final = ROOT / "tools" / "onepath" / "tests" / "thirdparty" / "trees.py"
_DRAFT: Final = ROOT / "tools" / "onepath" / "examples" / "routecodex.toml"
_TABLE: Final = re.compile(r"\[+([\w.]+)\]+\s*(?:#.*)?$")
OURS: Final = "this repository"
_CHANGED: Final = {
    "django": "django/db/models/query.py",
    "flask": "flask/app.py",
    "homeassistant": "homeassistant/core.py",
    "litellm": "litellm/utils.py",
    "sqlalchemy": "sqlalchemy/engine/base.py",
    OURS: "src/routecodex/app/request_flow.py",
}
"""By tree: a file that much of it imports."""
_ADDED: Final = "\n\ndef onepath_bench_added(value):\n    return repr(value)\n"


@dataclass(frozen=True)
class Tree:
    """One program with its contract."""

    name: str
    folder: Path
    config: Path
    packages: tuple[str, ...]
    """What is read, relative to the folder."""

    @cached_property
    def files(self) -> tuple[Path, ...]:
        return tuple(sorted(path for part in self.packages for path in (self.folder / part).rglob("*.py")))

    @cached_property
    def lines(self) -> int:
        return sum(path.read_bytes().count(b"\n") for path in self.files)

    def forget(self) -> None:
        """Take onepath's cache away."""
        shutil.rmtree(self.folder / ".cache", ignore_errors=True)

    @contextmanager
    def changed(self) -> Iterator[None]:
        """One central file has one more function while the block runs."""
        file = self.folder / _CHANGED[self.name]
        before = file.read_bytes()
        file.write_bytes(before + _ADDED.encode())
        try:
            yield
        finally:
            file.write_bytes(before)


def third_party(names: Sequence[str]) -> list[Tree]:
    """Pinned trees, fetched when they are not there. Raises BenchError if one cannot be."""
    if not names:
        return []
    fetched = subprocess.run(
        [sys.executable, str(_FETCHER), str(CACHE / "trees"), *names], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        raise BenchError(fetched.stderr.strip())
    folders = json.loads(fetched.stdout.splitlines()[-1])
    return [Tree(name, Path(folders[name]), Path(folders[name]) / "onepath.toml", (name,)) for name in names]


def ours() -> Tree:
    """A copy of this repository's `src` with its own contracts."""
    folder = CACHE / "ours"
    shutil.rmtree(folder / "src", ignore_errors=True)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    config = folder / "onepath.toml"
    config.write_text(_contracts())
    return Tree(OURS, folder, config, ("src/llmswitch_core", "src/routecodex"))


def _contracts() -> str:
    """Those of `[tool.onepath]`, but for the pages that are not copied; the draft until they are there."""
    text = (ROOT / "pyproject.toml").read_text()
    if "\n[tool.onepath]" not in text:
        return _DRAFT.read_text()
    lines = []
    inside = False
    for line in text.splitlines():
        table = _TABLE.match(line)
        if table is not None:
            name = table[1]
            inside = name.startswith("tool.onepath") and name != "tool.onepath.regions"
            line = line.replace("tool.onepath.", "").replace("[tool.onepath]", "")
        if inside:
            lines.append(line)
    return "\n".join(lines) + "\n"
