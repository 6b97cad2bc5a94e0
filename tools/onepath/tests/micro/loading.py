"""Reads the micro cases.

    # category: one sentence.

    === name of the case
    code of main.py
    --- other.py
    code of that file
    --- stub/ext.py
    code of a foreign module: there when the case is run, absent when it is analysed
    --- edges
    caller -> callee, callee
    --- runs
    caller -> callee
    --- imprecise
    caller -> callee

`edges` is the call graph, in PyCG's names: `main.Class.method`, `main.f.<lambda1>`, `<builtin>.len`,
`<**PyDict**>.get`. `runs` is there where fewer calls happen than any analysis that takes no branch for granted must
name. `imprecise` is what onepath names beside `edges`, and is known to be too much. It knows text and files only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CASES: Final = Path(__file__).parent / "cases"

Edges = frozenset[tuple[str, str]]


class CaseError(ValueError):
    """A case file breaks the format; the message has its place."""


@dataclass(frozen=True)
class Case:
    """One program and its call graph."""

    category: str
    name: str
    files: dict[str, str]
    stubs: dict[str, str]
    """Foreign modules, by path."""
    edges: Edges
    runs: Edges
    """The edges that are executed, `edges` unless told."""
    imprecise: Edges
    """What onepath names although it cannot happen."""
    source: str
    """Where it is written, `file:line`."""

    @property
    def id(self) -> str:
        return f"{self.category}/{self.name}"

    def unfold(self, folder: Path, *, stubs: bool = False) -> Path:
        """Write its files below `folder`, with the foreign modules if asked; returns the folder."""
        for name, text in (self.files | (self.stubs if stubs else {})).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder


@dataclass
class _Draft:
    name: str
    line: int
    sections: dict[str, list[str]] = field(default_factory=lambda: {"main.py": []})


def cases() -> list[Case]:
    """All of them, in the order of files and lines."""
    return [case for path in sorted(CASES.glob("*.txt")) for case in read(path)]


def read(path: Path) -> Iterator[Case]:
    """The cases of one file."""
    drafts: list[_Draft] = []
    section: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("=== "):
            drafts.append(_Draft(line[4:].strip(), number))
            section = drafts[-1].sections["main.py"]
        elif line.startswith("--- "):
            section = drafts[-1].sections.setdefault(line[4:].strip(), [])
        else:
            section.append(line)
    for draft in drafts:
        yield _finished(path, draft)


def _finished(path: Path, draft: _Draft) -> Case:
    source = f"{path.name}:{draft.line}"
    sections = draft.sections
    if "edges" not in sections:
        raise CaseError(f"{source}: the case has no `--- edges`.")
    edges = _edges(sections.pop("edges"), source)
    runs = _edges(sections.pop("runs"), source) if "runs" in sections else edges
    imprecise = _edges(sections.pop("imprecise", []), source)
    texts = {name: "\n".join(lines).strip("\n") + "\n" for name, lines in sections.items()}
    return Case(
        category=path.stem,
        name=draft.name,
        files={name: text for name, text in texts.items() if not name.startswith("stub/")},
        stubs={name.removeprefix("stub/"): text for name, text in texts.items() if name.startswith("stub/")},
        edges=edges,
        runs=runs,
        imprecise=imprecise,
        source=source,
    )


_LINE: Final = re.compile(r"^(\S+) -> (\S+(?:, \S+)*)$")


def _edges(lines: list[str], source: str) -> Edges:
    found: set[tuple[str, str]] = set()
    for line in filter(None, map(str.strip, lines)):
        match = _LINE.match(line)
        if match is None:
            raise CaseError(f"{source}: {line!r} is not `caller -> callee, callee`.")
        found.update((match[1], callee) for callee in match[2].split(", "))
    return frozenset(found)
