"""Recorded pairs of code objects as edges with names and places; what a child process writes and its parent reads.

It knows records and names, nothing of the graph: a child process imports neither onepath nor a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.truth.naming import Names, is_inline
from tools.truth.recording import Record


@dataclass(frozen=True, order=True)
class Executed:
    """One pair of functions of which the first was seen to call the second."""

    caller: str
    callee: str
    file: str
    """Of the call, relative to the project's folder."""
    line: int
    """Of the first call that was seen."""
    foreign: str = ""
    """What was between them; empty for a direct call."""

    def __str__(self) -> str:
        by = f" (through {self.foreign})" if self.foreign else ""
        return f"{self.caller} -> {self.callee} at {self.file}:{self.line}{by}"


def executed(record: Record, names: Names, relative: Callable[[str], str]) -> tuple[list[Executed], list[Executed]]:
    """The recorded edges by name: direct ones, and those with foreign frames between."""
    direct: dict[tuple[str, str], Executed] = {}
    foreign: dict[tuple[str, str], Executed] = {}
    for (caller, callee), line in record.direct.items():
        _note(direct, record, names, relative, caller, callee, line, "")
    for (caller, callee), (line, between) in record.through.items():
        _note(foreign, record, names, relative, caller, callee, line, between)
    return sorted(direct.values()), sorted(foreign.values())


def _note(
    found: dict[tuple[str, str], Executed],
    record: Record,
    names: Names,
    relative: Callable[[str], str],
    caller: int,
    callee: int,
    line: int,
    between: str,
) -> None:
    calling, called = record.codes[caller], record.codes[callee]
    if is_inline(called):
        return
    edge = Executed(names.name(calling), names.name(called), relative(calling.co_filename), line, between)
    found.setdefault((edge.caller, edge.callee), edge)


def merged(edges: Iterable[Executed]) -> list[Executed]:
    """Each pair of names once, at the first place in order."""
    found: dict[tuple[str, str], Executed] = {}
    for edge in sorted(edges):
        found.setdefault((edge.caller, edge.callee), edge)
    return sorted(found.values())


def write(file: Path, direct: Iterable[Executed], foreign: Iterable[Executed]) -> None:
    """Keep edges in a file."""
    document = {"direct": [asdict(edge) for edge in direct], "foreign": [asdict(edge) for edge in foreign]}
    file.write_text(json.dumps(document) + "\n")


def read(file: Path) -> tuple[list[Executed], list[Executed]]:
    """What `write` wrote."""
    document = json.loads(file.read_text())
    return [Executed(**edge) for edge in document["direct"]], [Executed(**edge) for edge in document["foreign"]]
