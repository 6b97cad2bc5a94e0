"""`nox -s bench -- onepath accuracy [--suite FOLDER]`: call graphs beside lists written by hand.

The lists are those of the public PyCG micro-benchmark and of onepath's own cases. Sound: no listed edge is missing.
Exact: sound, and no other edge is there. What differs is printed, edge by edge.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.onepath.subjects import environment
from bench.onepath.suite import suite
from bench.onepath.taking import take
from bench.onepath.trees import ROOT
from bench.processes import BenchError
from bench.report import Sheet

_TESTS: Final = ROOT / "tools" / "onepath"
_COUNTS: Final = re.compile(r"(\d+) sound, (\d+) exact, of (\d+)\n?$")
_PUBLIC: Final = "PyCG micro-benchmark"
_GOAL: Final = (117, 112)
"""Sound and exact, of the 119 public cases."""


@dataclass(frozen=True)
class Counted:
    """One collection of cases."""

    name: str
    sound: int
    exact: int
    of: int
    differences: str


def measure(folder: Path | None) -> Iterator[Counted]:
    """The public cases, from `folder` if one is given, and our own. Raises BenchError where they cannot be had."""
    yield _counted(_PUBLIC, [str(folder.absolute() if folder else suite())])
    yield _counted("cases of onepath's tests", [])


def sheet(measured: Sequence[Counted]) -> Sheet:
    """The counts."""
    rows = [(one.name, str(one.sound), str(one.exact), str(one.of)) for one in measured]
    return Sheet("Call graphs beside lists", ("cases", "sound", "exact", "of"), rows)


def judgement(measured: Sequence[Counted]) -> Iterator[str]:
    """A line on the goal."""
    for one in measured:
        if one.name == _PUBLIC:
            reached = one.sound >= _GOAL[0] and one.exact >= _GOAL[1]
            verdict = "reached" if reached else "NOT reached"
            yield f"{one.name}: ≥ {_GOAL[0]} sound, ≥ {_GOAL[1]} exact: {one.sound}, {one.exact} ({verdict})"


def _counted(name: str, arguments: Sequence[str]) -> Counted:
    command = [sys.executable, "-m", "tests.micro.measuring", *arguments]
    ran = take(command, _TESTS, environment=environment())
    counts = _COUNTS.search(ran.output)
    if ran.failed or counts is None:
        raise BenchError(f"{name}: {ran.failed or ran.output[-500:]}")
    sound, exact, of = map(int, counts.groups())
    return Counted(name, sound, exact, of, ran.output[: counts.start()])
