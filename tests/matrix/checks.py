"""The register of checks: what a case asserts in one cell, on a bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .bench import Bench
from .cases import BY_ID, Cell

Check = Callable[[Bench, Cell], None]

CHECKS: Final[dict[str, list[Check]]] = {case: [] for case in BY_ID}


def proves(*cases: str) -> Callable[[Check], Check]:
    """The function asserts these cases; a case may have several, all of them run in each of its cells."""

    def register(check: Check) -> Check:
        for case in cases:
            CHECKS[case].append(check)
        return check

    return register


def run(bench: Bench, cell: Cell) -> None:
    """Every check of the cell's case; AssertionError (or the SDK's own exception) where one does not hold."""
    found = CHECKS[cell.case]
    assert found, f"{cell.case} has no check"
    for check in found:
        bench.reset()
        check(bench, cell)
