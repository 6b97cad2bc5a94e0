from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.router.rotation import next_in_rotation


def turns(candidates: list[tuple[str, float]], count: int) -> list[str]:
    counters: dict[str, float] = {}
    return [next_in_rotation(counters, candidates) for _ in range(count)]


def test_the_published_example_of_the_algorithm() -> None:
    """{5, 1, 1} gives a a b a c a a: smooth, not five in a row (nginx's commit message)."""
    assert turns([("a", 5), ("b", 1), ("c", 1)], 7) == list("aabacaa")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 3))
def test_every_cycle_has_exact_shares(weights: list[int], cycles: int) -> None:
    candidates = [(f"t{index}", float(weight)) for index, weight in enumerate(weights)]
    counted = Counter(turns(candidates, sum(weights) * cycles))
    assert counted == {name: weight * cycles for name, weight in candidates}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from([1.0, 0.5, 0.25])), min_size=2, max_size=5))
def test_health_factors_keep_shares_exact(weighted: list[tuple[int, float]]) -> None:
    candidates = [(f"t{index}", weight * factor) for index, (weight, factor) in enumerate(weighted)]
    cycle = int(sum(weight for _, weight in candidates) * 4)
    counted = Counter(turns(candidates, cycle))
    assert counted == {name: int(weight * 4) for name, weight in candidates}


def test_a_drained_candidate_is_taken_only_where_all_are() -> None:
    assert set(turns([("a", 0), ("b", 1), ("c", 2)], 30)) == {"b", "c"}
    assert turns([("a", 0), ("b", 0)], 3) == ["a", "a", "a"]


def test_a_candidate_that_sat_out_comes_back_without_a_burst() -> None:
    counters: dict[str, float] = {}
    both = [("a", 1.0), ("b", 1.0)]
    for _ in range(10):
        next_in_rotation(counters, both)
    for _ in range(100):
        assert next_in_rotation(counters, [("a", 1.0)]) == "a"
    after = [next_in_rotation(counters, both) for _ in range(10)]
    assert Counter(after) == {"a": 5, "b": 5}
