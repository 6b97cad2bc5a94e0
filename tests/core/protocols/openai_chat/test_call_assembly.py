"""Tool calls put together from every kind of delta upstreams send (MP-01, MP-02, MP-03)."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.events import ArgumentsDelta, PartStart, PartStop
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import CustomTool, FinishReason, FunctionTool, Text, ToolCall

from .support import chunk, events, scope, stream


def calls(*deltas: dict[str, Any], finish: str = "tool_calls", tools: Any = ()) -> list[ToolCall]:
    """The folded calls of a stream in which each delta is a chunk of its own."""
    raw = stream(*(chunk(delta) for delta in deltas), chunk({}, finish))
    answer = fold(events(raw, scope(tools=tools)))
    assert answer.finish is FinishReason.TOOL_CALLS
    return [part for part in answer.parts if isinstance(part, ToolCall)]


def entry(index: int | None = None, call_id: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    out: dict[str, Any] = {"function": function}
    if index is not None:
        out["index"] = index
    if call_id is not None:
        out["id"] = call_id
    return out


def one(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": list(entries)}


PATTERNS: dict[str, list[dict[str, Any]]] = {
    "openai": [one(entry(0, "c1", "f", "")), one(entry(0, arguments='{"a"')), one(entry(0, arguments=":1}"))],
    "whole call in one chunk": [one(entry(0, "c1", "f", '{"a":1}'))],
    "no index at all": [one(entry(None, "c1", "f", "")), one(entry(arguments='{"a":1}'))],
    "no index, id repeated": [one(entry(None, "c1", "f", '{"a"')), one(entry(None, "c1", None, ":1}"))],
    "name late": [one(entry(0, "c1", None, "")), one(entry(0, None, "f", '{"a"')), one(entry(0, arguments=":1}"))],
    "name after arguments": [one(entry(0, "c1", None, '{"a":1}')), one(entry(0, None, "f"))],
    "id late": [one(entry(0, None, "f")), one(entry(0, "c1", None, '{"a":1}'))],
    "name and id repeated in every delta": [one(entry(0, "c1", "f", '{"a"')), one(entry(0, "c1", "f", ":1}"))],
    "empty name and id in later deltas": [one(entry(0, "c1", "f", "")), one(entry(0, "", "", '{"a":1}'))],
    "index as a string": [one({**entry(None, "c1", "f", ""), "index": "0"}), one(entry(0, arguments='{"a":1}'))],
    "arguments as an object": [one(entry(0, "c1", "f", {"a": 1}))],
    "arguments null first": [
        one({"index": 0, "id": "c1", "function": {"name": "f", "arguments": None}}),
        one(entry(0, arguments='{"a":1}')),
    ],
}


@pytest.mark.parametrize("deltas", PATTERNS.values(), ids=PATTERNS.keys())
def test_mp01_mp02_one_call_in_every_shape_is_the_same_call(deltas: list[dict[str, Any]]) -> None:
    assert calls(*deltas) == [ToolCall("c1", "f", '{"a":1}')]


def test_mp02_the_start_is_sent_once_and_never_without_a_name() -> None:
    raw = stream(
        chunk(one(entry(0, "c1"))),
        chunk(one(entry(0, arguments="{"))),
        chunk(one(entry(0, name="f"))),
        chunk(one(entry(0, "c1", "f", "}"))),
        chunk({}, "tool_calls"),
    )
    got = [event for event in events(raw) if isinstance(event, PartStart | ArgumentsDelta | PartStop)]
    assert got == [
        PartStart(0, "tool_call", id="c1", name="f"),
        ArgumentsDelta(0, "{"),
        ArgumentsDelta(0, "}"),
        PartStop(0),
    ]


def test_mp02_a_call_without_any_id_gets_one_of_the_gateway() -> None:
    got = calls(one(entry(0, None, "f", "")), one(entry(0, arguments='{"a":1}')))
    assert [(call.name, call.arguments) for call in got] == [("f", '{"a":1}')]
    assert got[0].id.startswith("call_")


def test_a_call_that_never_gets_a_name_is_no_call() -> None:
    raw = stream(chunk({"content": "x"}), chunk(one(entry(0, "c1", None, "{}"))), chunk({}, "tool_calls"))
    answer = fold(events(raw))
    assert answer.parts == [Text("x")]
    assert answer.finish is FinishReason.STOP


def test_mp01_no_arguments_at_all_are_an_empty_object() -> None:
    assert calls(one(entry(0, "c1", "f", ""))) == [ToolCall("c1", "f", "{}")]


PARALLEL: dict[str, list[dict[str, Any]]] = {
    "one after the other": [
        one(entry(0, "a", "f", "")),
        one(entry(0, arguments="[1]")),
        one(entry(1, "b", "g", "")),
        one(entry(1, arguments="[2]")),
    ],
    "interleaved": [
        one(entry(0, "a", "f", "")),
        one(entry(1, "b", "g", "")),
        one(entry(0, arguments="[")),
        one(entry(1, arguments="[")),
        one(entry(1, arguments="2]"), entry(0, arguments="1]")),
    ],
    "all in one chunk": [one(entry(0, "a", "f", "[1]"), entry(1, "b", "g", "[2]"))],
    "all with index 0": [one(entry(0, "a", "f", "[1]")), one(entry(0, "b", "g", "[2]"))],
    "all with index 0, split": [
        one(entry(0, "a", "f", "[")),
        one(entry(0, arguments="1]")),
        one(entry(0, "b", "g", "[")),
        one(entry(0, arguments="2]")),
    ],
    "no index": [one(entry(None, "a", "f", "[1]"), entry(None, "b", "g", "[2]"))],
    "no index, interleaved by id": [
        one(entry(None, "a", "f", "[")),
        one(entry(None, "b", "g", "[")),
        one(entry(None, "a", None, "1]")),
        one(entry(None, "b", None, "2]")),
    ],
    "indices not from 0": [one(entry(3, "a", "f", "[1]")), one(entry(7, "b", "g", "[2]"))],
}


@pytest.mark.parametrize("deltas", PARALLEL.values(), ids=PARALLEL.keys())
def test_mp03_parallel_calls_keep_their_arguments_apart(deltas: list[dict[str, Any]]) -> None:
    assert calls(*deltas) == [ToolCall("a", "f", "[1]"), ToolCall("b", "g", "[2]")]


def test_mp03_two_calls_of_one_tool_without_ids_are_two() -> None:
    got = calls(one(entry(None, None, "f", "[1]")), one(entry(None, None, "f", "[2]")))
    assert [(call.name, call.arguments) for call in got] == [("f", "[1]"), ("f", "[2]")]
    assert len({call.id for call in got}) == 2


@pytest.mark.parametrize("index", ["²", "9" * 5000, -1, 1.5, True, 10**30])
def test_an_odd_index_does_no_harm(index: Any) -> None:
    assert calls(one({**entry(None, "c1", "f", '{"a":1}'), "index": index})) == [ToolCall("c1", "f", '{"a":1}')]


def test_mp03_a_repeated_id_is_made_unique() -> None:
    got = calls(one(entry(0, "same", "f", "[1]")), one(entry(1, "same", "g", "[2]")))
    assert [call.name for call in got] == ["f", "g"]
    assert len({call.id for call in got}) == 2
    assert got[0].id == "same"


def test_text_before_and_after_calls_keeps_its_place() -> None:
    raw = stream(
        chunk({"content": "a"}), chunk(one(entry(0, "c", "f", "{}"))), chunk({"content": "b"}), chunk({}, "stop")
    )
    answer = fold(events(raw))
    assert answer.parts == [Text("a"), ToolCall("c", "f", "{}"), Text("b")]
    assert answer.finish is FinishReason.TOOL_CALLS


def test_the_legacy_function_call_is_a_call() -> None:
    got = calls(
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":'}},
        {"function_call": {"arguments": "1}"}},
        finish="function_call",
    )
    assert [(call.name, call.arguments) for call in got] == [("f", '{"a":1}')]


def test_mp22_custom_tools_offered_as_functions_come_back_as_free_text() -> None:
    tools = [CustomTool("apply_patch")]
    got = calls(
        one(entry(0, "c", "apply_patch", "")),
        one(entry(0, arguments='{"inp')),
        one(entry(0, arguments='ut":"*** Be')),
        one(entry(0, arguments='gin\\n\\"x\\""}')),
        tools=tools,
    )
    assert got == [ToolCall("c", "apply_patch", '*** Begin\n"x"', kind="custom")]


def test_mp22_custom_calls_on_the_wire_are_read_as_they_are() -> None:
    got = calls(
        one({"index": 0, "id": "c", "type": "custom", "custom": {"name": "p", "input": ""}}),
        one({"index": 0, "custom": {"input": '{"input": "kept"}'}}),
    )
    assert got == [ToolCall("c", "p", '{"input": "kept"}', kind="custom")]


def test_mp22_namespaced_tools_come_back_with_their_namespace() -> None:
    tools = [FunctionTool("spawn", namespace="agents")]
    assert calls(one(entry(0, "c", "agents__spawn", "{}")), tools=tools) == [
        ToolCall("c", "spawn", "{}", namespace="agents")
    ]


def test_mp07_gemini_signatures_are_found_on_the_call_and_in_reasoning_details() -> None:
    signed = {**entry(0, "a", "f", "{}"), "extra_content": {"google": {"thought_signature": "S1"}}}
    detail = {"type": "reasoning.encrypted", "format": "google-gemini-v1", "data": "S2", "id": "b"}
    got = calls(one(signed), {"reasoning_details": [detail]}, one(entry(1, "b", "g", "{}")))
    assert [call.signature for call in got] == ["S1", "S2"]
    late = calls(one(entry(0, "b", "g", "{}")), {"reasoning_details": [detail]})
    assert [call.signature for call in late] == ["S2"]
