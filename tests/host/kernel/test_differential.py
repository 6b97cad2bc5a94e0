"""Kernels, bootstraps and transports answer alike: the adapters' table of requests, over the sides of every switch.

What is compared is what the adapters' own differential test compares: every byte, record and log line, and what the
upstream was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.host.adapters.sides import Pair, compared, differing, stop
from tests.host.adapters.table import BY_NAME, GROUPS
from tests.sides import named, pairwise

ALL: Final[Mapping[str, str]] = pairwise()[1]
"""Every second side at once."""
OTHERS: Final = [run for run in pairwise()[2:] if run != ALL]
_FEW: Final = ("bodies", "framing")
"""What the runs between the first and the last sides are compared over."""
_A_RACE: Final = "hung up"
"""A client that leaves at once: how much of the answer had been made by then is the faster transport's affair."""
_NOT_OF_A_REQUEST: Final = ("generation.published", "generation.closed")
"""Lines a kernel writes about itself."""


def differences(group: str, over: Mapping[str, str], folder: Path) -> str:
    """Between the first sides and these."""
    whole = BY_NAME[group]
    chosen = replace(whole, cases=tuple(case for case in whole.cases if not case[0].endswith(_A_RACE)))
    prepare = stop if chosen.stopping else (lambda side: None)
    with Pair(folder, chosen.configure, prepare=prepare, over=({}, over)) as pair:
        found = compared(chosen, pair)
    lines = [[line for line in side.logged() if line["event"] not in _NOT_OF_A_REQUEST] for side in pair.sides]
    return "\n".join([found, *differing(*lines)]).strip()


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_all_second_sides_answer_like_the_first(group: str, tmp_path: Path) -> None:
    assert not (found := differences(group, ALL, tmp_path)), found


@pytest.mark.parametrize("group", _FEW)
@pytest.mark.parametrize("over", OTHERS, ids=named)
def test_every_pair_of_sides_answers_like_the_first(over: Mapping[str, str], group: str, tmp_path: Path) -> None:
    assert not (found := differences(group, over, tmp_path)), found


def test_the_runs_hold_every_pair_of_sides() -> None:
    assert len(OTHERS) >= 2
    assert {key for run in OTHERS for key in run} == set(ALL)
