"""Every cell of the matrix, executed through a listening gateway."""

from __future__ import annotations

import pytest

from . import (  # noqa: F401 - they register the checks
    checks_answers,
    checks_bytes,
    checks_requests,
    checks_responses,
    checks_server,
    checks_streams,
    checks_tools,
)
from .bench import Bench
from .cases import CASES, Cell, cells
from .checks import CHECKS, run
from .conftest import Prove


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_cell(cell: Cell, bench: Bench, prove: Prove, request: pytest.FixtureRequest) -> None:
    """What the case asserts holds over this pair, in this mode."""
    request.node.user_properties.append(("cell-tried", str(cell)))
    run(bench, cell)
    prove(cell)


def test_every_case_has_a_check() -> None:
    """A case without a check would be a row of hopes."""
    assert [case.id for case in CASES if not CHECKS[case.id]] == []


def test_the_table_has_no_row_twice() -> None:
    """31 cases, each once, no pair twice."""
    assert [case.id for case in CASES] == [f"MP-{n:02d}" for n in range(1, 32)]
    assert all(len(set(case.pairs)) == len(case.pairs) for case in CASES)
