"""Tool-call ids survive every wire (MP-06)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.ids import is_hashed, original, portable

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@given(st.text())
def test_mp06_every_id_becomes_legal_and_comes_back(call_id: str) -> None:
    sent = portable(call_id)
    assert LEGAL.fullmatch(sent)
    if not is_hashed(sent):
        assert original(sent) == call_id


@given(st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True).filter(lambda text: not text.startswith("rcx")))
def test_mp06_a_legal_id_is_left_alone(call_id: str) -> None:
    assert portable(call_id) == call_id
    assert original(call_id) == call_id


@given(st.text(), st.text())
def test_mp06_two_ids_never_become_one(left: str, right: str) -> None:
    assert (portable(left) == portable(right)) is (left == right)


def test_mp06_an_id_that_is_too_long_is_hashed_the_same_each_time() -> None:
    long = "call:" + "x" * 200
    assert portable(long) == portable(long)
    assert is_hashed(portable(long))


@pytest.mark.parametrize("odd", ["rcx_", "rcx_zz_", "rcx__9", "rcx_a b", "rcx__ff"])
def test_a_client_id_that_only_looks_escaped_is_left_alone(odd: str) -> None:
    assert original(odd) == odd or portable(original(odd)) == odd
