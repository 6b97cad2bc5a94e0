"""Compares call graphs with expected lists: of the micro cases, or of a suite of the public layout.

    python -m tests.micro.measuring [SUITE]

in tools/onepath. SUITE is a folder of `<category>/<case>/{main.py, callgraph.json}`, as the public PyCG micro-benchmark
has it under `micro-benchmark/snippets`; without it, the cases of this folder are measured. Sound: no expected edge is
missing. Exact: sound, and no other edge is there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import onepath
from onepath.config import Configuration, Project
from onepath.render import pycg_json

from .loading import Edges, cases

_OF_TYPES = "<**Py"
"""Methods of built-in types, `<**PyDict**>.get`: of the cases here, compared only where a list names any."""


@dataclass(frozen=True)
class Measured:
    """One case."""

    id: str
    missing: Edges
    """Expected, not found."""
    extra: Edges
    """Found, not expected."""

    @property
    def sound(self) -> bool:
        return not self.missing

    @property
    def exact(self) -> bool:
        return not self.missing and not self.extra


def adjacency(folder: Path) -> Edges:
    """The call graph of a source folder, as pycg-json has it."""
    project = Project(folder, "", Configuration(roots=(".",), cache=""))
    program = onepath.load(project, jobs=1).program
    if program.faults:
        raise ValueError(f"{folder}: {program.faults[0].place}: {program.faults[0].message}")
    return _pairs(pycg_json.render(program))


def compared(name: str, expected: Edges, found: Edges, *, strictly: bool = False) -> Measured:
    """What is missing and what is too much; `strictly`: also by methods of built-in types that no list speaks of."""
    if not strictly and not any(callee.startswith(_OF_TYPES) for _, callee in expected):
        found = frozenset(edge for edge in found if not edge[1].startswith(_OF_TYPES))
    return Measured(name, expected - found, found - expected)


def measure_cases() -> Iterator[Measured]:
    """The micro cases."""
    for case in cases():
        with tempfile.TemporaryDirectory() as name:
            yield compared(case.id, case.edges, adjacency(case.unfold(Path(name).resolve())))


def measure_suite(suite: Path) -> Iterator[Measured]:
    """A suite of folders. Nothing of it is run."""
    for expected in sorted(suite.glob("*/*/callgraph.json")):
        folder = expected.parent
        name = folder.relative_to(suite).as_posix()
        yield compared(name, _pairs(expected.read_text(encoding="utf-8")), adjacency(folder.resolve()), strictly=True)


def _pairs(text: str) -> Edges:
    return frozenset((caller, callee) for caller, callees in json.loads(text).items() for callee in callees)


def main(arguments: Sequence[str]) -> int:
    """Prints each case that is not exact, then the counts."""
    measured = list(measure_suite(Path(arguments[0])) if arguments else measure_cases())
    for one in measured:
        if not one.exact:
            print(f"{one.id}: {'not exact' if one.sound else 'NOT SOUND'}")
            for mark, edges in (("missing", one.missing), ("extra", one.extra)):
                for caller, callee in sorted(edges):
                    print(f"    {mark}: {caller} -> {callee}")
    sound, exact = sum(one.sound for one in measured), sum(one.exact for one in measured)
    print(f"{sound} sound, {exact} exact, of {len(measured)}")
    return 0 if measured else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
