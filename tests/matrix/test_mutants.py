"""Every case catches the bugs planted for it: a check that cannot fail proves nothing."""

from __future__ import annotations

import pytest

from . import test_cells  # noqa: F401 - registers the checks
from .bench import Bench
from .cases import BY_ID, CASES, Cell
from .checks import run
from .mutants import MUTANTS, Mutant

PLANTED = [(mutant, cell) for mutant in MUTANTS for cell in mutant.cells]


@pytest.mark.parametrize(("mutant", "cell"), PLANTED, ids=[f"{m.bug}-{c}".replace(" ", "_") for m, c in PLANTED])
def test_the_planted_bug_is_caught(mutant: Mutant, cell: Cell, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case's checks fail in this cell while the bug is in, and because of the bug, not of a crash."""
    gateway = bench.gateway()
    told = len(gateway.log.getvalue())
    try:
        with monkeypatch.context() as patch:
            mutant.plant(patch)
            with pytest.raises(Exception):  # noqa: B017 - an AssertionError, or what the SDK raises for a bad answer
                run(bench, cell)
    finally:
        log = gateway.log.getvalue()[told:]
        if mutant.stops_the_gateway:
            bench.abandon()
        bench.reset()
    assert "Traceback" not in log, f"the planted bug crashes instead of misbehaving: {log[-2000:]}"


def test_every_case_has_a_planted_bug() -> None:
    """No case is believed without one, and none is planted where its case has no cell."""
    assert {mutant.case for mutant in MUTANTS} == {case.id for case in CASES}
    for mutant in MUTANTS:
        case = BY_ID[mutant.case]
        assert mutant.cells
        for cell in mutant.cells:
            assert cell.pair in case.pairs, f"{mutant}: {cell}"
            assert cell.mode in case.modes, f"{mutant}: {cell}"
