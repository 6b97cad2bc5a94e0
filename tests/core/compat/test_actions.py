from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.compat.actions import ACTIONS

from .documents import applied, compiled, context, own


def once(body: dict[str, Any], action: str, **parameters: Any) -> dict[str, Any]:
    return applied(own({"action": action, **parameters}), body).body


# --- general actions -----------------------------------------------------------------------------------


def test_remove_takes_out_several_paths_and_tells() -> None:
    outcome = applied(
        own({"action": "remove", "path": ["a", "tools[*].function.strict"], "note": "sampling"}),
        {"a": 1, "b": 2, "tools": [{"function": {"strict": True, "name": "f"}}]},
    )
    assert outcome.body == {"b": 2, "tools": [{"function": {"name": "f"}}]}
    assert outcome.changed == {"a", "tools"}
    assert outcome.notes == {"sampling": "dropped"}


def test_nothing_removed_is_nothing_told() -> None:
    outcome = applied(own({"action": "remove", "path": "a", "note": "sampling"}), {"b": 2})
    assert (outcome.changed, outcome.notes) == (set(), {})


def test_rename_keeps_the_members_place() -> None:
    assert list(once({"a": 1, "b": 2, "c": 3}, "rename", path="b", to="z").items()) == [("a", 1), ("z", 2), ("c", 3)]
    assert once({"m": [{"x": 1}, {"y": 2}]}, "rename", path="m[*].x", to="z") == {"m": [{"z": 1}, {"y": 2}]}
    assert once({"a": 1}, "rename", path="b", to="z") == {"a": 1}


def test_rename_does_not_overwrite_unless_told() -> None:
    both = {"old": 1, "new": 2}
    assert once(both, "rename", path="old", to="new") == {"new": 2}
    assert once(both, "rename", path="old", to="new", overwrite=True) == {"new": 1}


def test_set_makes_the_way_and_default_fills_only_gaps() -> None:
    assert once({}, "set", path="a.b", value={"c": 1}) == {"a": {"b": {"c": 1}}}
    assert once({"a": 5}, "set", path="a", value=None) == {"a": None}
    assert once({"a": 5}, "default", path="a", value=1) == {"a": 5}
    assert once({"a": None}, "default", path="a", value=1) == {"a": 1}
    assert once({"m": [{"r": 1}, {}]}, "default", path="m[*].r", value=0) == {"m": [{"r": 1}, {"r": 0}]}


def test_setting_what_is_there_already_is_no_change() -> None:
    assert applied(own({"action": "set", "path": "a", "value": True}), {"a": True}).changed == set()
    assert applied(own({"action": "set", "path": "a", "value": True}), {"a": 1}).changed == {"a"}


def test_allowlist_lets_only_its_members_through_and_notes_the_others() -> None:
    outcome = applied(own({"action": "allowlist", "members": ["model"]}), {"model": "m", "x": 1, "y": 2})
    assert outcome.body == {"model": "m"}
    assert outcome.notes == {"member.x": "dropped", "member.y": "dropped"}


@pytest.mark.parametrize(
    ("content", "others", "expected"),
    [
        ("text", "keep", "text"),
        (None, "keep", None),
        ([], "keep", ""),
        ([{"type": "text", "text": "a"}, "b"], "keep", "a|b"),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}], "keep", None),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}], "drop", "a"),
        ({"output": 1}, "keep", '{"output":1}'),
    ],
)
def test_stringify_joins_text_parts(content: Any, others: str, expected: Any) -> None:
    out = once({"m": [{"content": content}]}, "stringify", path="m[*].content", join="|", others=others)
    assert out["m"][0]["content"] == (content if expected is None else expected)


def test_parse_turns_json_text_into_its_value_and_leaves_other_text() -> None:
    out = once({"m": [{"a": '{"x":1}'}, {"a": "no json"}, {"a": 5}]}, "parse", path="m[*].a")
    assert out == {"m": [{"a": {"x": 1}}, {"a": "no json"}, {"a": 5}]}


def test_map_replaces_by_text_removes_and_falls_back() -> None:
    rule = {"path": "m[*].r", "values": {"developer": "system", "true": "yes", "5": "five"}, "remove": ["gone"]}
    body = {"m": [{"r": "developer"}, {"r": "user"}, {"r": True}, {"r": 5}, {"r": "gone"}, {"r": {"k": 1}}, {}]}
    assert [each.get("r") for each in once(body, "map", **rule)["m"]] == [
        "system",
        "user",
        "yes",
        "five",
        None,
        {"k": 1},
        None,
    ]
    assert once({"r": "x"}, "map", path="r", other="y") == {"r": "y"}


@pytest.mark.parametrize(
    ("value", "expected"), [(1.7, 1.0), (0.5, 0.5), (-3, 0), (True, True), ("2", "2"), (None, None)]
)
def test_clamp_keeps_numbers_in_range_and_leaves_the_rest(value: Any, expected: Any) -> None:
    assert once({"t": value}, "clamp", path="t", min=0, max=1.0) == {"t": expected}


def test_limit_cuts_lists_and_tells() -> None:
    outcome = applied(
        own({"action": "limit", "path": "stop", "count": 1, "note": "sampling.stop"}), {"stop": ["a", "b"]}
    )
    assert outcome.body == {"stop": ["a"]}
    assert outcome.notes == {"sampling.stop": "dropped"}
    assert once({"stop": "ab"}, "limit", path="stop", count=1) == {"stop": "ab"}


def test_header_sets_a_request_header() -> None:
    assert applied(own({"action": "header", "name": "X-Feature", "value": "on"}), {}).headers == {"x-feature": "on"}


def test_rules_run_in_their_order() -> None:
    profile = own(
        {"action": "rename", "path": "a", "to": "b"},
        {"action": "set", "path": "b", "value": 2, "when": {"present": "b"}},
        {"action": "remove", "path": "a"},
    )
    assert applied(profile, {"a": 1}).body == {"b": 2}


# --- answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"id": 1}}, {"id": 1}),
        ({"traceId": "t", "data": {"id": 1}}, {"traceId": "t", "id": 1}),
        ({"id": 1}, {"id": 1}),
        ({"data": [1]}, {"data": [1]}),
    ],
)
def test_unwrap_takes_the_inner_answer(body: dict[str, Any], expected: dict[str, Any]) -> None:
    profile = compiled({"answer": [{"action": "unwrap", "path": "data", "keep": ["traceId"]}]}).stable
    assert profile.edits_answers
    before = dict(body)
    assert profile.answer(body, context()) == expected
    assert body == before


def test_code_assist_answers_unwrap_in_stream_payloads_too() -> None:
    profile = compiled({"answer": [{"action": "unwrap", "path": "response"}]}).stable
    chunk = {"response": {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]}}
    assert profile.answer(chunk, context()) == chunk["response"]


def test_answers_are_edited_by_the_same_actions() -> None:
    profile = compiled(
        {"answer": [{"action": "map", "path": "choices[*].finish_reason", "values": {"eos": "stop"}}]}
    ).stable
    assert profile.answer({"choices": [{"finish_reason": "eos"}]}, context()) == {
        "choices": [{"finish_reason": "stop"}]
    }


# --- ids -----------------------------------------------------------------------------------------------


CALLS = {
    "messages": [
        {"role": "assistant", "tool_calls": [{"id": "toolu_1"}, {"id": "abcdef123"}]},
        {"role": "tool", "tool_call_id": "toolu_1"},
        {"role": "tool", "tool_call_id": "abcdef123"},
    ]
}


def test_ids_take_the_form_and_calls_still_match_their_results() -> None:
    messages = once(CALLS, "ids", length=9)["messages"]
    first, second = (call["id"] for call in messages[0]["tool_calls"])
    assert re.fullmatch("[0-9A-Za-z]{9}", first)
    assert second == "abcdef123"
    assert [message["tool_call_id"] for message in messages[1:]] == [first, second]
    assert once(CALLS, "ids", length=9) == once(CALLS, "ids", length=9)


def test_ids_may_have_a_prefix_or_a_pattern_of_their_own() -> None:
    messages = once(CALLS, "ids", length=14, prefix="call_")["messages"]
    assert re.fullmatch("call_[0-9A-Za-z]{9}", messages[1]["tool_call_id"])
    assert applied(own({"action": "ids", "pattern": "[a-z0-9_]+"}), CALLS).changed == set()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=20, unique=True))
def test_different_ids_stay_different(ids: list[str]) -> None:
    body = {"messages": [{"tool_calls": [{"id": each} for each in ids]}]}
    made = [call["id"] for call in once(body, "ids", length=12)["messages"][0]["tool_calls"]]
    assert len(set(made)) == len(ids)


# --- tool choice ---------------------------------------------------------------------------------------


TOOLS = [{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]
NAMED = {"type": "function", "function": {"name": "b"}}


def choice(given: Any, **rule: Any) -> dict[str, Any]:
    return once({"tools": TOOLS, "tool_choice": given}, "tool_choice", **rule)


def test_forms_that_are_known_stay() -> None:
    for form in ("auto", "none", "required", NAMED):
        assert choice(form) == {"tools": TOOLS, "tool_choice": form}


def test_required_becomes_auto() -> None:
    assert choice("required", required="auto")["tool_choice"] == "auto"


def test_a_named_tool_becomes_required_with_only_that_tool_left() -> None:
    assert choice(NAMED, named="required") == {"tools": [TOOLS[1]], "tool_choice": "required"}
    assert choice({"type": "function", "function": {"name": "x"}}, named="required")["tools"] == TOOLS


def test_a_named_tool_becomes_auto_and_none_drops_the_tools() -> None:
    assert choice(NAMED, named="auto")["tool_choice"] == "auto"
    assert choice("none", none="drop_tools") == {}


# --- schemas -------------------------------------------------------------------------------------------


def schema(given: Any, **rule: Any) -> Any:
    body = {"tools": [{"type": "function", "function": {"name": "f", "parameters": given}}]}
    return once(body, "schema", **rule)["tools"][0]["function"]["parameters"]


def test_keywords_are_dropped_in_subschemas_but_not_among_property_names() -> None:
    given = {
        "type": "object",
        "properties": {"pattern": {"type": "string", "pattern": "x", "default": {"pattern": "kept"}}},
        "$defs": {"d": {"pattern": "x"}},
        "anyOf": [{"pattern": "x"}, True],
        "items": [{"pattern": "x"}],
    }
    assert schema(given, drop=["pattern"]) == {
        "type": "object",
        "properties": {"pattern": {"type": "string", "default": {"pattern": "kept"}}},
        "$defs": {"d": {}},
        "anyOf": [{}, True],
        "items": [{}],
    }


def test_only_unanchored_patterns_are_dropped() -> None:
    given = {"properties": {"a": {"pattern": "^x$"}, "b": {"pattern": "\\S"}, "c": {"pattern": "^x"}}}
    assert schema(given, unanchored_patterns="drop") == {"properties": {"a": {"pattern": "^x$"}, "b": {}, "c": {}}}


def test_references_are_written_out_and_loops_end() -> None:
    given = {
        "properties": {"a": {"$ref": "#/$defs/node", "description": "own"}, "b": {"$ref": "#/nowhere"}},
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    assert schema(given, inline_refs=True) == {
        "properties": {
            "a": {"type": "object", "properties": {"next": {}}, "description": "own"},
            "b": {},
        }
    }


def test_references_that_multiply_stay_bounded() -> None:
    levels = {
        f"d{level}": {"properties": {side: {"$ref": f"#/$defs/d{level + 1}"} for side in "abcd"}} for level in range(12)
    }
    out = schema({"$ref": "#/$defs/d0", "$defs": {**levels, "d12": {"type": "string"}}}, inline_refs=True)
    assert "$ref" not in str(out)
    assert len(str(out)) < 3_000_000


def test_type_lists_become_any_of_or_their_first_type() -> None:
    given = {
        "properties": {
            "a": {"type": ["string", "null"], "minLength": 1, "description": "d"},
            "b": {"type": ["integer"]},
        }
    }
    assert schema(given, type_lists="any_of")["properties"] == {
        "a": {"description": "d", "anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
        "b": {"type": "integer"},
    }
    assert schema(given, type_lists="first")["properties"]["a"]["type"] == "string"


def test_objects_are_closed_and_the_root_is_made_an_object() -> None:
    assert schema({"type": "object", "properties": {"a": {"type": "object"}}}, closed=True) == {
        "type": "object",
        "properties": {"a": {"type": "object", "additionalProperties": False}},
        "additionalProperties": False,
    }
    for root in (None, {}, {"type": "object"}):
        assert schema(root, root_object=True) == {"type": "object", "properties": {}}


def test_a_schema_that_needs_nothing_is_no_change() -> None:
    body = {"tools": [{"function": {"parameters": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}}]}
    assert applied(own({"action": "schema", "drop": ["format"], "unanchored_patterns": "drop"}), body).changed == set()


def test_every_action_has_a_test_in_this_folder() -> None:
    from pathlib import Path

    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for name in ACTIONS:
        assert f'"{name}"' in text.replace(f'"{name}": Action', "")
