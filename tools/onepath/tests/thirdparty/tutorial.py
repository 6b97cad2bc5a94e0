"""Replays the tutorial: every command of its `console` blocks is run, and what it prints must be what the page shows.

    python -m tests.thirdparty.tutorial [--cache DIR] [--write]

`toml append=FILE` and `python append=FILE` blocks are added to a file, `markdown file=FILE` blocks become one. `sh`
blocks are the set-up, which is done here with a pinned wheel. `--write` puts what was printed into the page. Exit
codes: 0 the page is true, 1 it is not, 2 the wheel cannot be fetched.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from .trees import TreeError, wheel_of

PAGE: Final = Path(__file__).parents[4] / "docs" / "onepath" / "tutorial.md"
PIN: Final = "twine==7.0.0 --hash=sha256:b854164df26db268af05f49aa5c0344b10e27a494343ff05b1e0bad3b135f5a7"
_FENCE: Final = re.compile(r"^(?P<fence>`{3,})(?P<info>\w.*)\n(?P<body>(?:.*\n)*?)(?P=fence)$", re.MULTILINE)
_GIT: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "You",
    "GIT_AUTHOR_EMAIL": "you@example.org",
    "GIT_COMMITTER_NAME": "You",
    "GIT_COMMITTER_EMAIL": "you@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


class Block(msgspec.Struct, frozen=True):
    """A fenced block: its info string, its text, and where its text stands in the page."""

    info: str
    body: str
    start: int
    end: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in _FENCE.finditer(page):
        yield Block(found["info"], found["body"], found.start("body"), found.end("body"))


def lay_out(folder: Path, cache: Path) -> None:
    """The tutorial's set-up: the package as downloaded, in a repository with one commit."""
    with zipfile.ZipFile(wheel_of(PIN, cache)) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("twine/")])
    for command in (["init", "-q"], ["add", "twine"], ["commit", "-qm", "twine 7.0.0"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env={**os.environ, **_GIT})


def replayed(page: str, folder: Path, programs: Path) -> str:
    """The page with what its commands print today."""
    shim = programs / "onepath"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m onepath "$@"\n')
    shim.chmod(0o755)
    environment = {**os.environ, **_GIT, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = os.pathsep.join(one for one in sys.path if one)
    parts, at = [], 0
    for block in blocks(page):
        kind, _, option = block.info.partition(" ")
        verb, _, file = option.partition("=")
        if verb == "append":
            with (folder / file).open("a", encoding="utf-8") as target:
                target.write("\n" + block.body)
        elif verb == "file":
            (folder / file).write_text(block.body, encoding="utf-8")
        elif kind == "console":
            parts += [page[at : block.start], _console(block.body, folder, environment)]
            at = block.end
    return "".join([*parts, page[at:]])


def _console(body: str, folder: Path, environment: dict[str, str]) -> str:
    said, code = "", 0
    for line in body.splitlines():
        if not line.startswith("$ "):
            continue
        command = line.removeprefix("$ ")
        done = subprocess.run(
            ["bash", "-c", f"(exit {code}); {command}"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        code = done.returncode
        said += f"{line}\n{done.stdout}"
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.thirdparty.tutorial", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache/thirdparty"), help="where wheels are kept")
    parser.add_argument("--write", action="store_true", help="put what was printed into the page")
    options = parser.parse_args(arguments)
    shown = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="tutorial-") as place:
        folder, programs = Path(place, "work"), Path(place, "bin")
        folder.mkdir()
        programs.mkdir()
        try:
            lay_out(folder, options.cache.absolute())
        except TreeError as error:
            print(error, file=sys.stderr)
            return 2
        true = replayed(shown, folder, programs)
    if options.write:
        PAGE.write_text(true, encoding="utf-8", newline="\n")
        return 0
    lines = difflib.unified_diff(shown.splitlines(), true.splitlines(), "as shown", "as printed", lineterm="")
    difference = "\n".join(lines)
    print(difference or f"{PAGE.name}: every command prints what the page shows")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
