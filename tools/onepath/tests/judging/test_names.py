"""Patterns of contracts: what they mean, asked once or often."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from onepath.rules.names import any_matches, matches, meaning

_NAMES = st.lists(st.sampled_from(["a", "b", "ab", "a_b"]), min_size=1, max_size=4).map(".".join)
_PATTERNS = st.lists(st.sampled_from(["a", "b", "ab", "*", "a*"]), min_size=1, max_size=4).map(".".join)


def test_a_bare_name_means_it_and_what_is_below() -> None:
    assert [name for name in ("a.b", "a.b.c", "a.bc", "a") if matches("a.b", name)] == ["a.b", "a.b.c"]


def test_a_star_at_the_end_means_what_is_below_alone() -> None:
    assert [name for name in ("a.b", "a.b.c.d", "a") if matches("a.b.*", name)] == ["a.b.c.d"]


def test_a_star_between_dots_stands_for_one_part() -> None:
    assert [name for name in ("a.x.c", "a.x.y.c", "a.x.c.d") if matches("a.*.c", name)] == ["a.x.c", "a.x.c.d"]


@given(patterns=st.lists(_PATTERNS, max_size=4), names=st.lists(_NAMES, max_size=6))
@settings(deadline=None, max_examples=200)
def test_who_asks_often_is_told_the_same(patterns: list[str], names: list[str]) -> None:
    is_meant = meaning(patterns)
    assert [is_meant(name) for name in (*names, *names)] == [any_matches(patterns, name) for name in (*names, *names)]
