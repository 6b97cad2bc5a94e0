"""Upstream streams and JSON answers -> canonical events."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind
from llmswitch_core.canonical.events import Failed, Finish, PartStart, Ping, Start, StreamEvent, UsageSeen
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    CustomTool,
    FinishReason,
    FunctionTool,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from llmswitch_core.protocols.contract import SseFrame
from tests.core.protocols.anthropic_messages.builders import CODEC, M, heard, scope, wire


def start(**usage: Any) -> dict[str, Any]:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "usage": usage,
    }
    return {"type": "message_start", "message": message}


def opened(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, wire_type: str, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": wire_type, **members}}


def stopped(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def ended(reason: Any = "end_turn", usage: Any = None, **members: Any) -> list[dict[str, Any]]:
    first = {"type": "message_delta", "delta": {"stop_reason": reason, **members}, "usage": usage or {}}
    return [first, {"type": "message_stop"}]


def failure(events: list[StreamEvent]) -> Failed:
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Finish) for event in events)
    return events[-1]


def test_a_text_answer() -> None:
    events = heard(
        wire(
            start(input_tokens=5, cache_read_input_tokens=7, output_tokens=1),
            opened(0, type="text", text=""),
            {"type": "ping"},
            delta(0, "text_delta", text="Hel"),
            delta(0, "text_delta", text="lo"),
            stopped(0),
            *ended("end_turn", {"output_tokens": 9}),
        )
    )
    assert isinstance(events[0], Start)
    assert Ping() in events
    answer = fold(events)
    assert (answer.id, answer.model, answer.parts) == ("msg_1", "claude-x", [Text("Hello")])
    assert answer.finish is FinishReason.STOP
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.cache_read, answer.usage.output) == (5, 7, 9)


@pytest.mark.parametrize(
    ("start_input", "pieces", "expected"),
    [
        ({}, [], "{}"),
        ({}, [""], "{}"),
        ({}, ["", '{"a"', ": 1", "}"], '{"a": 1}'),
        ({"a": 1}, [], '{"a":1}'),
        ({"a": 1}, ['{"a":2}'], '{"a":2}'),
        (None, ['{"a":1e5}'], '{"a":1e5}'),
    ],
)
def test_mp01_arguments_are_the_upstreams_json_once(start_input: Any, pieces: list[str], expected: str) -> None:
    answer = fold(
        heard(
            wire(
                start(),
                opened(0, type="tool_use", id="toolu_1", name="run", input=start_input),
                *(delta(0, "input_json_delta", partial_json=piece) for piece in pieces),
                stopped(0),
                *ended("tool_use"),
            )
        )
    )
    assert answer.parts == [ToolCall("toolu_1", "run", expected)]


def test_mp13_a_call_makes_the_reason_tool_calls_whatever_the_upstream_says() -> None:
    call = [opened(0, type="tool_use", id="t", name="run", input={}), stopped(0)]
    assert fold(heard(wire(start(), *call, *ended("end_turn")))).finish is FinishReason.TOOL_CALLS
    assert fold(heard(wire(start(), *call, *ended("max_tokens")))).finish is FinishReason.LENGTH


@pytest.mark.parametrize(
    ("wire_reason", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("refusal", FinishReason.REFUSAL),
        ("pause_turn", FinishReason.PAUSE),
        ("model_context_window_exceeded", FinishReason.CONTEXT_WINDOW),
        ("stop_sequence", FinishReason.STOP_SEQUENCE),
        ("compaction", FinishReason.OTHER),
    ],
)
def test_mp13_stop_reasons(wire_reason: str, reason: FinishReason) -> None:
    answer = fold(heard(wire(start(), *ended(wire_reason, stop_sequence="END"))))
    assert (answer.finish, answer.finish_wire, answer.stop_sequence) == (reason, wire_reason, "END")


def test_mp07_thinking_signatures_and_redacted_thinking() -> None:
    answer = fold(
        heard(
            wire(
                start(),
                opened(0, type="thinking", thinking="", signature=""),
                delta(0, "thinking_delta", thinking="hm", estimated_tokens=5),
                delta(0, "signature_delta", signature="EqQB"),
                stopped(0),
                opened(1, type="thinking", thinking="", signature=""),
                delta(1, "signature_delta", signature="only"),
                stopped(1),
                opened(2, type="redacted_thinking", data="zz"),
                stopped(2),
                *ended(),
            )
        )
    )
    assert answer.parts == [
        Thinking("hm", signature="EqQB", origin=M),
        Thinking("", signature="only", origin=M),
        Thinking(redacted="zz", origin=M),
    ]


def test_server_tools_are_whole_opaque_parts_with_their_input() -> None:
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]}
    citation = {"type": "web_search_result_location", "url": "https://x.example", "cited_text": "c"}
    answer = fold(
        heard(
            wire(
                start(),
                opened(0, type="server_tool_use", id="s", name="web_search", input={}),
                delta(0, "input_json_delta", partial_json='{"query":'),
                delta(0, "input_json_delta", partial_json='"x"}'),
                stopped(0),
                opened(1, **result),
                stopped(1),
                opened(2, type="text", text="", citations=[]),
                delta(2, "citations_delta", citation=citation),
                delta(2, "text_delta", text="found"),
                stopped(2),
                opened(3, type="compaction", content=None),
                delta(3, "compaction_delta", content="summary"),
                stopped(3),
                opened(4, type="container_upload", file_id="f"),
                stopped(4),
                *ended(),
            )
        )
    )
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    assert answer.parts == [
        Opaque(M, "server_tool_use", use),
        Opaque(M, "web_search_tool_result", result),
        Text("found", citations=[citation]),
        Opaque(M, "compaction", {"type": "compaction", "content": "summary"}),
        Opaque(M, "container_upload", {"type": "container_upload", "file_id": "f"}),
    ]


def test_mp22_freeform_calls_come_back_as_custom_with_their_namespace() -> None:
    tools = [CustomTool("patch"), FunctionTool("run", namespace="shell")]
    answer = fold(
        heard(
            wire(
                start(),
                opened(0, type="tool_use", id="a", name="patch", input={}),
                delta(0, "input_json_delta", partial_json='{"input":"*** Be'),
                delta(0, "input_json_delta", partial_json='gin\\n"}'),
                stopped(0),
                opened(1, type="tool_use", id="b", name="patch", input={"input": "whole"}),
                stopped(1),
                opened(2, type="tool_use", id="c", name="shell__run", input={}),
                stopped(2),
                *ended("tool_use"),
            ),
            scope(tools),
        )
    )
    assert answer.parts == [
        ToolCall("a", "patch", "*** Begin\n", kind="custom"),
        ToolCall("b", "patch", "whole", kind="custom"),
        ToolCall("c", "run", "{}", namespace="shell"),
    ]


def test_mp12_usage_is_cumulative_and_late_counters_win() -> None:
    events = heard(
        wire(
            start(input_tokens=0, output_tokens=1, cache_creation_input_tokens=3),
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
            {
                "type": "message_delta",
                "delta": {},
                "usage": {
                    "input_tokens": 11,
                    "output_tokens": 6,
                    "cache_read_input_tokens": None,
                    "output_tokens_details": {"thinking_tokens": 2},
                },
            },
            {"type": "message_stop"},
        )
    )
    usage = fold(events).usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_write, usage.cache_read, usage.reasoning) == (11, 6, 3, 0, 2)
    assert sum(isinstance(event, UsageSeen) for event in events) == 2


def test_a_refusal_explanation_is_a_refusal_part() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Not that."}
    answer = fold(heard(wire(start(), *ended("refusal", stop_details=details))))
    assert answer.parts == [Refusal("Not that.")]
    assert answer.finish is FinishReason.REFUSAL


# --- ends ----------------------------------------------------------------------------------------------


def test_mp14_a_cut_stream_is_a_failure() -> None:
    events = heard(wire(start(), opened(0, type="text", text=""), delta(0, "text_delta", text="Hal")))
    error = failure(events).error
    assert (error.kind, error.code) == (ErrorKind.UPSTREAM, "truncated_stream")
    assert failure(heard([])).error.code == "truncated_stream"


def test_a_stream_that_ends_after_its_stop_reason_is_complete() -> None:
    events = heard(wire(start(), opened(0, type="text", text="hi"), ended("end_turn")[0]))
    assert fold(events).parts == [Text("hi")]


def test_nothing_follows_the_terminal_event() -> None:
    frames = wire(start(), *ended(), delta(0, "text_delta", text="late"), start(), *ended("refusal"))
    events = heard(frames)
    assert isinstance(events[-1], Finish)
    assert sum(isinstance(event, Finish) for event in events) == 1


@pytest.mark.parametrize(
    ("payload", "kind", "status"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, ErrorKind.OVERLOADED, 529),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "busy"}}, ErrorKind.RATE_LIMIT, 429),
        ({"type": "error", "error": {"type": "api_error", "message": "busy"}}, ErrorKind.UPSTREAM, 502),
        ({"type": "error", "error": {"type": "new_error", "message": "busy"}}, ErrorKind.UPSTREAM, 502),
        ({"error": {"message": "busy", "code": "insufficient_quota"}}, ErrorKind.BILLING, 402),
        ({"error": "busy"}, ErrorKind.UPSTREAM, 502),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_mp16_an_error_at_any_point_of_the_stream_is_a_failure(
    payload: dict[str, Any], kind: ErrorKind, status: int, late: bool
) -> None:
    before = [start(), opened(0, type="text", text="half")] if late else []
    error = failure(heard(wire(*before, payload, *ended()))).error
    assert (error.kind, error.status, error.message) == (kind, status, "busy")


@pytest.mark.parametrize("data", [b"{", b"[1]", b"nonsense", b'"x"', b"\xff\xfe"])
def test_an_unreadable_frame_is_a_failure(data: bytes) -> None:
    assert failure(heard([SseFrame("", data, b"")])).error.code == "bad_frame"


@pytest.mark.parametrize("data", [b"", b"[DONE]", b" [DONE] ", b'{"type":"new_event"}', b"{}"])
def test_mp10_unknown_and_empty_events_are_skipped(data: bytes) -> None:
    frames = [*wire(start()), SseFrame("", data, b""), *wire(*ended())]
    assert fold(heard(frames)).finish is FinishReason.STOP


def test_mp10_the_event_name_stands_in_for_a_missing_type() -> None:
    assert heard([SseFrame("ping", b"{}", b"")], end=False) == [Ping()]


def test_mp31_a_lone_surrogate_becomes_the_replacement_character() -> None:
    data = rb'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\ud83d"}}'
    frames = [*wire(start(), opened(0, type="text", text="")), SseFrame("", data, b""), *wire(stopped(0), *ended())]
    assert fold(heard(frames)).parts == [Text("a\ufffd")]


def test_servers_that_leave_events_out_are_understood() -> None:
    events = heard(wire(delta(0, "thinking_delta", thinking="hm"), delta(1, "text_delta", text="hi"), *ended()))
    answer = fold(events)
    assert [type(part) for part in answer.parts] == [Thinking, Text]
    assert (answer.id, answer.model) == ("msg_000000000000000000000001", "asked")


@pytest.mark.parametrize(
    "frame",
    [
        opened(0, type="tool_use", id="t", input={}),
        delta(0, "input_json_delta", partial_json="{}"),
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_start", "index": 0, "content_block": {"text": "x"}},
    ],
)
def test_mp02_a_call_without_a_name_is_a_failure_not_an_empty_name(frame: dict[str, Any]) -> None:
    events = heard(wire(start(), frame, *ended("tool_use")))
    assert failure(events).error.code == "bad_frame"
    assert not any(isinstance(event, PartStart) for event in events)


# --- JSON answers --------------------------------------------------------------------------------------


def test_a_json_answer_is_told_as_its_stream() -> None:
    body = {
        "id": "msg_2",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "E"},
            {"type": "redacted_thinking", "data": "zz"},
            {"type": "text", "text": "hi", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "t", "name": "run", "input": {"a": [1, None]}},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4, "service_tier": "standard"},
    }
    answer = fold(CODEC.read_answer(body, scope()))
    assert answer.parts == [
        Thinking("hm", signature="E", origin=M),
        Thinking(redacted="zz", origin=M),
        Text("hi", citations=[{"type": "char_location"}]),
        ToolCall("t", "run", '{"a":[1,null]}'),
        Opaque(M, "server_tool_use", body["content"][4]),  # type: ignore[index]
    ]
    assert (answer.finish, answer.service_tier) == (FinishReason.TOOL_CALLS, "standard")
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.output) == (3, 4)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "overloaded_error"),
        ({"error": {"message": "x", "code": "server_error"}}, "server_error"),
        ({}, "bad_frame"),
        ({"content": "text"}, "bad_frame"),
        ({"content": [7]}, "bad_frame"),
    ],
)
def test_mp16_an_error_in_a_200_body_is_a_failure(body: dict[str, Any], code: str) -> None:
    assert failure(list(CODEC.read_answer(body, scope()))).error.code == code
