from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.model import Protocol

from .documents import applied, own

BODY: dict[str, Any] = {"n": 1, "flag": True, "thinking": {"type": "enabled"}, "tool_choice": "required", "none": None}


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True),
        ({"model": "some-*"}, True),
        ({"model": ["other", "*-model"]}, True),
        ({"model": "other-*"}, False),
        ({"not_model": "other-*"}, True),
        ({"notModel": ["some-*"]}, False),
        ({"inbound": "anthropic-messages"}, True),
        ({"inbound": ["gemini", "openai-chat"]}, False),
        ({"outbound": "openai-chat"}, True),
        ({"stream": True}, True),
        ({"stream": False}, False),
        ({"present": "thinking.type"}, True),
        ({"present": ["n", "none"]}, False),
        ({"absent": ["none", "nowhere"]}, True),
        ({"absent": "n"}, False),
        ({"equals": {"thinking.type": "enabled"}}, True),
        ({"equals": {"thinking.type": ["disabled", "enabled"], "n": 1}}, True),
        ({"equals": {"flag": 1}}, False),
        ({"equals": {"nowhere": None}}, False),
        ({"not_equals": {"thinking.type": "disabled"}}, True),
        ({"not_equals": {"nowhere": "x"}}, True),
        ({"not_equals": {"n": [1, 2]}}, False),
        ({"tool_choice": "required"}, True),
        ({"tool_choice": ["auto", "named"]}, False),
        ({"option": {"region": "eu"}}, True),
        ({"option": {"region": "us"}}, False),
        ({"model": "some-*", "stream": False}, False),
    ],
)
def test_each_condition_alone_and_all_together(when: dict[str, Any], holds: bool) -> None:
    profile = own({"action": "set", "path": "applied", "value": True, "when": when})
    outcome = applied(profile, BODY, options={"region": "eu"})
    assert ("applied" in outcome.body) is holds


@pytest.mark.parametrize(
    ("choice", "form"),
    [
        ("auto", "auto"),
        ({"type": "auto"}, "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "any"}, "required"),
        ({"type": "function", "function": {"name": "f"}}, "named"),
        ({"type": "tool", "name": "f"}, "named"),
    ],
)
def test_tool_choice_is_told_in_every_spelling(choice: Any, form: str) -> None:
    for asked in ("auto", "none", "required", "named"):
        profile = own({"action": "set", "path": "applied", "value": True, "when": {"tool_choice": asked}})
        assert ("applied" in applied(profile, {"tool_choice": choice}).body) is (asked == form)


def test_rules_of_a_profile_for_other_protocols_rest() -> None:
    profile = own({"action": "remove", "path": "n"}, protocols=["openai-chat"])
    assert "n" not in applied(profile, BODY).body
    assert applied(profile, BODY, outbound=Protocol.ANTHROPIC_MESSAGES).changed == set()
