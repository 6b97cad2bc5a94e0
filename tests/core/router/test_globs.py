from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.globs import is_pattern, literal_length, matches


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("gpt-*", "gpt-5.5", True),
        ("gpt-*", "gpt-", True),
        ("gpt-*", "a-gpt-5", False),
        ("*haiku*", "claude-3-5-haiku-20241022", True),
        ("*-mini", "gpt-5-mini", True),
        ("*-mini", "gpt-5-mini-high", False),
        ("a*a", "a", False),
        ("model[1]?", "model[1]?", True),
        ("model[1]", "model1", False),
        ("gpt.5", "gpt-5", False),
        ("*", "", True),
        ("", "", True),
        ("a*b*b", "ab", False),
    ],
)
def test_only_the_star_is_a_wildcard(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


@settings(deadline=None, max_examples=300)
@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_matching_agrees_with_regular_expressions(pattern: str, name: str) -> None:
    expected = re.fullmatch(".*".join(re.escape(piece) for piece in pattern.split("*")), name) is not None
    assert matches(pattern, name) is expected


def test_specificity_counts_literals_only() -> None:
    assert literal_length("gpt-*-mini*") == len("gpt--mini")
    assert is_pattern("a*")
    assert not is_pattern("a.b?[c]")
