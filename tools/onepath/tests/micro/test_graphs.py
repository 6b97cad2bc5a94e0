"""onepath's call graph of every case is the list, and nothing but what the case admits to be too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from .loading import Case, cases
from .measuring import adjacency, compared, measure_suite


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_the_graph_is_the_list(case: Case, tmp_path: Path) -> None:
    measured = compared(case.id, case.edges, adjacency(case.unfold(tmp_path)))
    assert sorted(measured.missing) == []
    assert measured.extra == case.imprecise


def test_a_suite_of_the_public_layout_is_measured(tmp_path: Path) -> None:
    folder = tmp_path / "functions" / "call"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("def f(): ...\n\ndef g(): ...\n\nf()\n")
    (folder / "callgraph.json").write_text('{"main": ["main.f", "main.h"], "main.f": []}')
    (measured,) = measure_suite(tmp_path)
    assert (measured.id, measured.sound, measured.exact) == ("functions/call", False, False)
    assert (measured.missing, measured.extra) == (frozenset({("main", "main.h")}), frozenset())
