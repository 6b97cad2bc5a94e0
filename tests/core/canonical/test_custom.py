"""Freeform tools over JSON functions (MP-22)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical.custom import InputUnwrapper, custom_as_function, unwrap_input, wrap_input
from llmswitch_core.canonical.model import CustomTool

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_mp22_wrapping_is_undone(text: str) -> None:
    assert unwrap_input(wrap_input(text)) == text


@given(texts, st.integers(1, 9), st.booleans(), st.sampled_from(["", " ", "\n  "]))
def test_mp22_a_stream_is_unwrapped_whatever_its_pieces(text: str, size: int, ascii_only: bool, space: str) -> None:
    body = "{" + space + '"input":' + space + json.dumps(text, ensure_ascii=ascii_only) + space + "}"
    unwrapper = InputUnwrapper()
    pieces = [unwrapper.feed(body[i : i + size]) for i in range(0, len(body), size)]
    assert "".join(pieces) + unwrapper.finish() == text


@given(texts, st.integers(1, 9))
def test_mp22_arguments_of_another_form_are_not_lost(text: str, size: int) -> None:
    body = json.dumps({"patch": text, "mode": "x"})
    unwrapper = InputUnwrapper()
    pieces = [unwrapper.feed(body[i : i + size]) for i in range(0, len(body), size)]
    assert "".join(pieces) + unwrapper.finish() == body


def test_mp22_the_only_string_under_another_name_is_the_text() -> None:
    assert unwrap_input('{"patch":"*** Begin"}') == "*** Begin"


def test_mp22_text_goes_out_before_the_call_is_complete() -> None:
    unwrapper = InputUnwrapper()
    assert unwrapper.feed('{"input":"*** Begin') == "*** Begin"
    assert unwrapper.feed(" Patch\\n") == " Patch\n"


@pytest.mark.parametrize(
    ("body", "text"), [('"plain"', "plain"), ("{}", ""), ("not json", "not json"), ('{"input":7}', '{"input":7}')]
)
def test_mp22_odd_arguments_are_read_for_what_they_mean(body: str, text: str) -> None:
    assert unwrap_input(body) == text


def test_mp22_the_grammar_reaches_the_model() -> None:
    tool = CustomTool("apply_patch", "Edits files.", {"type": "grammar", "syntax": "lark", "definition": "start: x"})
    description, parameters = custom_as_function(tool)
    assert "Edits files." in description
    assert "start: x" in description
    assert parameters["required"] == ["input"]
