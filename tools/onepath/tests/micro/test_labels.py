"""The lists are true: every case runs, and what it runs is what its list says."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from .executing import executed
from .loading import Case, Edges, cases

CASES = cases()


def own(case: Case, edges: Edges) -> Edges:
    """The edges between functions of the case; what foreign code is called is not seen by running it."""
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in case.files}
    return frozenset(
        (caller, callee) for caller, callee in edges if any(callee.startswith(f"{module}.") for module in modules)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_runs_is_what_the_list_says(case: Case, tmp_path: Path) -> None:
    assert executed(case, tmp_path) == own(case, case.runs)


@pytest.mark.parametrize("case", [case for case in CASES if case.runs != case.edges], ids=lambda case: case.id)
def test_a_list_that_says_more_holds_what_runs(case: Case) -> None:
    assert own(case, case.runs) <= case.edges


def test_no_two_cases_are_the_same() -> None:
    names = collections.Counter(case.id for case in CASES)
    texts = collections.Counter(tuple(sorted(case.files.items())) for case in CASES)
    assert max(names.values()) == max(texts.values()) == 1


def test_every_category_of_the_public_suite_is_there() -> None:
    wanted = """args assignments builtins classes decorators dicts direct_calls dynamic exceptions external functions
    generators imports kwargs lambdas lists mro returns"""
    assert {case.category for case in CASES} == set(wanted.split())
    assert len(CASES) >= 120
