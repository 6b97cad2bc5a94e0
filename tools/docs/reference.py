"""`python -m tools.docs.reference`: write `docs/reference/` from the code; `--check` compares and writes nothing.

Exit codes: 0 fresh or written, 1 stale (the difference is printed), 2 the code says something the generator cannot
explain. The same tree gives the same bytes.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tools.docs import (
    command_line,
    configuration,
    errors,
    features,
    http,
    must_pass,
    notes,
    profiles,
    switches,
    telemetry,
)
from tools.docs.source import ROOT
from tools.docs.text import DocumentationError, source_link

FOLDER: Final = ROOT / "docs" / "reference"
COMMAND: Final = "python -m tools.docs.reference"


class Page(NamedTuple):
    """One generated page."""

    file: str
    title: str
    sources: tuple[str, ...]
    body: Callable[[], str]

    def text(self) -> str:
        """The file's whole content."""
        made = f"<!-- Written by `{COMMAND}`; edit the sources below instead. -->"
        sources = "From " + ", ".join(source_link(path) for path in self.sources) + "."
        return f"# {self.title}\n\n{made}\n\n{self.body()}\n\n---\n\n{sources}\n"


PAGES: Final = tuple(
    Page(file, module.TITLE, module.SOURCES, module.page)
    for file, module in (
        ("configuration.md", configuration),
        ("command-line.md", command_line),
        ("http.md", http),
        ("switches.md", switches),
        ("compat-profiles.md", profiles),
        ("features.md", features),
        ("notes.md", notes),
        ("errors.md", errors),
        ("telemetry.md", telemetry),
        ("must-pass.md", must_pass),
    )
)


def stale(folder: Path = FOLDER) -> dict[str, str]:
    """File -> unified diff from what is there to what should be; empty where everything is fresh."""
    found: dict[str, str] = {}
    for page in PAGES:
        path = folder / page.file
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        wanted = page.text()
        if there != wanted:
            lines = difflib.unified_diff(
                there.splitlines(keepends=True), wanted.splitlines(keepends=True), f"{page.file} (there)", page.file
            )
            found[page.file] = "".join(lines)
    return found


def write(folder: Path = FOLDER) -> list[str]:
    """Write every page that is not fresh; their names."""
    texts = {page.file: page.text() for page in PAGES}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file, text in texts.items():
        path = folder / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(file)
    return written


def main(arguments: list[str] | None = None) -> int:
    """The command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and show what differs")
    options = parser.parse_args(arguments)
    try:
        if not options.check:
            written = write()
            print(f"{len(written)} of {len(PAGES)} pages written." if written else "All pages are fresh.")
            return 0
        different = stale()
    except DocumentationError as error:
        print(error, file=sys.stderr)
        return 2
    for diff in different.values():
        print(diff)
    if different:
        print(f"Stale: {', '.join(different)}. Run `{COMMAND}`.", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
