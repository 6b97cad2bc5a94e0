from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.compat.thinking import MEMBERS

from .documents import applied, own

ASKS: dict[str, dict[str, Any]] = {
    "effort word": {"reasoning_effort": "high"},
    "effort none": {"reasoning_effort": "none"},
    "object effort": {"reasoning": {"effort": "high"}},
    "object budget": {"reasoning": {"max_tokens": 4096}},
    "object off": {"reasoning": {"enabled": False}},
    "type on": {"thinking": {"type": "enabled"}},
    "type budget": {"thinking": {"type": "enabled", "budget_tokens": 4096}},
    "type off": {"thinking": {"type": "disabled"}},
    "switch on": {"enable_thinking": True},
    "switch budget": {"enable_thinking": True, "thinking_budget": 4096},
    "switch off": {"enable_thinking": False, "thinking_budget": 4096},
}

EXPECTED: dict[str, dict[str, dict[str, Any]]] = {
    "effort": {
        "effort word": {"reasoning_effort": "high"},
        "effort none": {"reasoning_effort": "none"},
        "object effort": {"reasoning_effort": "high"},
        "object budget": {"reasoning_effort": "medium"},
        "object off": {"reasoning_effort": "none"},
        "type on": {},
        "type budget": {"reasoning_effort": "medium"},
        "type off": {"reasoning_effort": "none"},
        "switch on": {},
        "switch budget": {"reasoning_effort": "medium"},
        "switch off": {"reasoning_effort": "none"},
    },
    "object": {
        "effort word": {"reasoning": {"effort": "high"}},
        "effort none": {"reasoning": {"enabled": False}},
        "object effort": {"reasoning": {"effort": "high"}},
        "object budget": {"reasoning": {"max_tokens": 4096}},
        "object off": {"reasoning": {"enabled": False}},
        "type on": {"reasoning": {"enabled": True}},
        "type budget": {"reasoning": {"max_tokens": 4096}},
        "type off": {"reasoning": {"enabled": False}},
        "switch on": {"reasoning": {"enabled": True}},
        "switch budget": {"reasoning": {"max_tokens": 4096}},
        "switch off": {"reasoning": {"enabled": False}},
    },
    "type": {
        "effort word": {"thinking": {"type": "enabled"}},
        "effort none": {"thinking": {"type": "disabled"}},
        "object effort": {"thinking": {"type": "enabled"}},
        "object budget": {"thinking": {"type": "enabled"}},
        "object off": {"thinking": {"type": "disabled"}},
        "type on": {"thinking": {"type": "enabled"}},
        "type budget": {"thinking": {"type": "enabled"}},
        "type off": {"thinking": {"type": "disabled"}},
        "switch on": {"thinking": {"type": "enabled"}},
        "switch budget": {"thinking": {"type": "enabled"}},
        "switch off": {"thinking": {"type": "disabled"}},
    },
    "switch": {
        "effort word": {"enable_thinking": True, "thinking_budget": 24576},
        "effort none": {"enable_thinking": False},
        "object effort": {"enable_thinking": True, "thinking_budget": 24576},
        "object budget": {"enable_thinking": True, "thinking_budget": 4096},
        "object off": {"enable_thinking": False},
        "type on": {"enable_thinking": True},
        "type budget": {"enable_thinking": True, "thinking_budget": 4096},
        "type off": {"enable_thinking": False},
        "switch on": {"enable_thinking": True},
        "switch budget": {"enable_thinking": True, "thinking_budget": 4096},
        "switch off": {"enable_thinking": False},
    },
    "none": {name: {} for name in ASKS},
}


@pytest.mark.parametrize("style", EXPECTED)
@pytest.mark.parametrize("asked", ASKS)
def test_every_dialect_is_said_in_every_other(style: str, asked: str) -> None:
    profile = own({"action": "thinking", "style": style})
    outcome = applied(profile, {"model": "m", **ASKS[asked]})
    assert {name: value for name, value in outcome.body.items() if name in MEMBERS} == EXPECTED[style][asked]
    assert outcome.body["model"] == "m"


@pytest.mark.parametrize("style", EXPECTED)
def test_what_was_said_the_upstreams_way_stays_as_it_is(style: str) -> None:
    profile = own({"action": "thinking", "style": style})
    for expected in EXPECTED[style].values():
        assert applied(profile, {"model": "m", **expected}).changed == set()


def test_a_body_that_says_nothing_stays_as_it_is() -> None:
    assert applied(own({"action": "thinking", "style": "switch"}), {"model": "m"}).changed == set()


def test_efforts_are_mapped_and_then_taken_to_the_nearest_known() -> None:
    profile = own({"action": "thinking", "style": "effort", "efforts": ["low", "high"], "map": {"medium": "high"}})
    words = {
        word: applied(profile, {"reasoning_effort": word}).body["reasoning_effort"]
        for word in ("minimal", "medium", "max")
    }
    assert words == {"minimal": "low", "medium": "high", "max": "high"}


def test_what_cannot_be_switched_off_is_noted() -> None:
    profile = own({"action": "thinking", "style": "type", "always_on": True})
    outcome = applied(profile, {"thinking": {"type": "disabled"}})
    assert outcome.body == {}
    assert outcome.notes == {"reasoning.mode": "dropped"}
    no_none = own({"action": "thinking", "style": "effort", "efforts": ["low"]})
    assert applied(no_none, {"reasoning_effort": "none"}).notes == {"reasoning.mode": "dropped"}


def test_the_vendors_own_settings_beside_the_switch_stay() -> None:
    profile = own({"action": "thinking", "style": "type"})
    body = {"thinking": {"type": "enabled", "clear_thinking": False}, "reasoning_effort": "high"}
    assert applied(profile, body).body == {"thinking": {"type": "enabled", "clear_thinking": False}}
    box = {"reasoning": {"exclude": True}, "reasoning_effort": "low"}
    assert applied(own({"action": "thinking", "style": "object"}), box).body == {
        "reasoning": {"exclude": True, "effort": "low"}
    }


def test_an_effort_word_goes_beside_the_switch_where_the_upstream_knows_some() -> None:
    profile = own({"action": "thinking", "style": "type", "efforts": ["low", "high", "max"], "map": {"medium": "high"}})
    assert applied(profile, {"reasoning_effort": "medium"}).body == {
        "thinking": {"type": "enabled"},
        "reasoning_effort": "high",
    }


def test_losses_are_noted() -> None:
    assert applied(own({"action": "thinking", "style": "none"}), ASKS["effort word"]).notes == {"reasoning": "dropped"}
    assert applied(own({"action": "thinking", "style": "type"}), ASKS["type budget"]).notes == {
        "reasoning.budget_tokens": "dropped"
    }
    no_budget = own({"action": "thinking", "style": "switch", "budget": False})
    assert applied(no_budget, ASKS["effort word"]).notes == {"reasoning.effort": "dropped"}


@pytest.mark.parametrize(
    "odd",
    [
        {"reasoning_effort": 5},
        {"reasoning": "high"},
        {"reasoning": {"effort": 1, "max_tokens": "x", "enabled": "no"}},
        {"thinking": ["enabled"]},
        {"thinking": {"type": 7, "budget_tokens": True}},
        {"enable_thinking": "yes", "thinking_budget": -1},
        dict.fromkeys(MEMBERS),
    ],
)
@pytest.mark.parametrize("style", EXPECTED)
def test_odd_types_do_not_break_it(style: str, odd: dict[str, Any]) -> None:
    applied(own({"action": "thinking", "style": style}), odd)
