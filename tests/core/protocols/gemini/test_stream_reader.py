"""Reading upstream answers: one machine for streams and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind
from llmswitch_core.canonical.events import Failed, Finish, PartStart, Start, TextDelta, UsageSeen
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    CustomTool,
    FinishReason,
    FunctionTool,
    Media,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from llmswitch_core.protocols.contract import SseFrame

from .support import GEMINI, chunk, conversation, events_of, scope, sse

FOREIGN = conversation(protocol=Protocol.ANTHROPIC_MESSAGES)


def answer(*chunks: Any) -> Any:
    return fold(events_of(sse(*chunks)))


def test_text_and_thoughts_of_many_chunks_are_two_parts() -> None:
    got = answer(
        chunk({"text": "I ", "thought": True}),
        chunk({"text": "think", "thought": True}),
        chunk({"text": "Hel"}),
        chunk({"text": "lo"}),
        chunk({"text": ""}, finish="STOP"),
    )
    assert got.parts == [Thinking("I think", origin=Protocol.GEMINI), Text("Hello")]
    assert (got.id, got.model, got.finish, got.finish_wire) == ("r1", "gemini-x", FinishReason.STOP, "STOP")


def test_mp03_parallel_calls_of_one_chunk_are_as_many_calls() -> None:
    calls = [{"functionCall": {"id": f"c{n}", "name": "f", "args": {"n": n}}} for n in range(3)]
    got = answer(chunk({"text": "a"}, *calls), chunk(finish="STOP"))
    assert got.parts == [Text("a"), *(ToolCall(f"c{n}", "f", f'{{"n":{n}}}') for n in range(3))]
    assert got.finish is FinishReason.TOOL_CALLS


@pytest.mark.parametrize("args", [{}, None, "absent"])
def test_mp01_missing_arguments_are_an_empty_object(args: Any) -> None:
    call = {"name": "f", **({} if args == "absent" else {"args": args})}
    (part,) = answer(chunk({"functionCall": call}, finish="STOP")).parts
    assert isinstance(part, ToolCall)
    assert part.arguments == "{}"
    assert part.id.startswith("call_")


def test_mp22_a_custom_tool_comes_back_under_its_own_name_as_free_text() -> None:
    talk = conversation(tools=[CustomTool("apply_patch", namespace="ns"), FunctionTool("f")])
    part = {"functionCall": {"id": "x", "name": "ns__apply_patch", "args": {"input": "*** Begin"}}}
    got = fold(events_of(sse(chunk(part, finish="STOP")), scope(talk)))
    assert got.parts == [ToolCall("x", "apply_patch", "*** Begin", kind="custom", namespace="ns")]


def test_mp07_signatures_stay_where_they_were_for_a_gemini_client() -> None:
    got = answer(
        chunk({"text": "hm", "thought": True}),
        chunk({"text": "ok"}),
        chunk({"functionCall": {"id": "1", "name": "f"}, "thoughtSignature": "s1"}),
        chunk({"text": "", "thoughtSignature": "s2"}, finish="STOP"),
    )
    assert got.parts == [
        Thinking("hm", origin=Protocol.GEMINI),
        Text("ok"),
        ToolCall("1", "f", "{}", signature="s1"),
        Text("", signature="s2"),
    ]


def test_mp07_other_clients_get_the_calls_signature_on_a_thought_too() -> None:
    call = chunk({"functionCall": {"id": "1", "name": "f"}, "thoughtSignature": "s1"}, finish="STOP")
    got = fold(events_of(sse(chunk({"text": "hm", "thought": True}), call), scope(FOREIGN)))
    assert got.parts == [
        Thinking("hm", signature="s1", origin=Protocol.GEMINI),
        ToolCall("1", "f", "{}", signature="s1"),
    ]
    got = fold(events_of(sse(chunk({"text": "ok"}), call), scope(FOREIGN)))
    assert got.parts == [Text("ok"), ToolCall("1", "f", "{}", signature="s1")]


def test_mp07_a_part_of_nothing_but_a_signature_is_no_part_for_other_clients() -> None:
    bare = chunk({"text": "", "thoughtSignature": "s"}, finish="STOP")
    within = scope(FOREIGN)
    got = fold(events_of(sse(chunk({"functionCall": {"id": "1", "name": "f"}}), bare), within))
    assert got.parts == [ToolCall("1", "f", "{}")]
    assert within.notes.items() == (("text.signature", "dropped"),)
    got = fold(events_of(sse(chunk({"text": "hm", "thought": True}), bare), scope(FOREIGN)))
    assert got.parts == [Thinking("hm", signature="s", origin=Protocol.GEMINI)]


def test_images_and_code_are_whole_parts() -> None:
    code = {"executableCode": {"code": "1+1", "language": "PYTHON"}}
    got = answer(
        chunk({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, code),
        chunk({"text": "done"}, finish="STOP"),
    )
    assert got.parts == [
        Media("image", media_type="image/png", data="AAAA"),
        Opaque(Protocol.GEMINI, "executableCode", code),
        Text("done"),
    ]


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
        ("SPII", FinishReason.CONTENT_FILTER),
        ("BLOCKLIST", FinishReason.CONTENT_FILTER),
        ("IMAGE_SAFETY", FinishReason.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", FinishReason.MALFORMED_CALL),
        ("UNEXPECTED_TOOL_CALL", FinishReason.MALFORMED_CALL),
        ("LANGUAGE", FinishReason.OTHER),
        ("BRAND_NEW", FinishReason.OTHER),
    ],
)
def test_mp13_finish_reasons_are_mapped_and_kept(wire: str, reason: FinishReason) -> None:
    got = answer(chunk({"text": "x"}, finish=wire))
    assert (got.finish, got.finish_wire) == (reason, wire)


def test_mp13_a_filtered_answer_tells_what_the_vendor_said() -> None:
    got = answer(chunk({"text": "I"}), chunk(finish="SAFETY", finishMessage="Not this."))
    assert got.parts == [Text("I"), Refusal("Not this.")]


def test_mp13_a_blocked_prompt_is_a_content_filter_without_parts() -> None:
    feedback = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}
    got = answer(feedback)
    assert (got.parts, got.finish, got.finish_wire) == ([], FinishReason.CONTENT_FILTER, "PROHIBITED_CONTENT")
    assert got.usage is not None
    assert got.usage.input == 4


def test_mp12_the_last_usage_counts_also_after_the_finish_reason() -> None:
    events = events_of(
        sse(
            chunk({"text": "x"}, usage={"promptTokenCount": 10}),
            chunk({"text": "y"}, finish="STOP"),
            {
                "usageMetadata": {
                    "promptTokenCount": 10,
                    "cachedContentTokenCount": 4,
                    "candidatesTokenCount": 5,
                    "thoughtsTokenCount": 7,
                    "toolUsePromptTokenCount": 2,
                    "totalTokenCount": 24,
                }
            },
        )
    )
    seen = [event.usage for event in events if isinstance(event, UsageSeen)]
    assert [(u.input, u.output, u.cache_read, u.cache_write, u.reasoning) for u in seen] == [(8, 12, 4, 0, 7)]
    assert isinstance(events[-1], Finish)
    assert isinstance(events[0], Start)
    assert events[0].usage == Usage(input=10, wire={"promptTokenCount": 10})


def test_mp12_usage_is_told_also_when_the_answer_is_cut() -> None:
    events = events_of(sse(chunk({"text": "x"}, usage={"promptTokenCount": 10, "candidatesTokenCount": 1})))
    assert isinstance(events[-2], UsageSeen)
    assert isinstance(events[-1], Failed)


def test_parts_after_the_finish_reason_are_not_lost() -> None:
    got = answer(chunk({"text": "a"}, finish="STOP"), chunk({"text": "b"}))
    assert got.parts == [Text("ab")]


@pytest.mark.parametrize("data", [b"", sse(chunk({"text": "x"})), sse({"candidates": []})])
def test_mp14_a_stream_without_a_finish_reason_was_cut(data: bytes) -> None:
    last = events_of(data)[-1]
    assert isinstance(last, Failed)
    assert (last.error.code, last.error.kind) == ("truncated_stream", ErrorKind.UPSTREAM)


@pytest.mark.parametrize("before", [[], [chunk({"text": "x"})]])
def test_mp16_an_error_in_a_200_is_a_failure(before: list[Any]) -> None:
    error = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}
    events = events_of(sse(*before, {"error": error}, chunk({"text": "y"}, finish="STOP")))
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.error.kind, last.error.status, last.error.message) == (ErrorKind.OVERLOADED, 503, "overloaded")
    (whole,) = GEMINI.read_answer({"error": error}, scope())
    assert isinstance(whole, Failed)


@pytest.mark.parametrize("data", [b"<html>", b"[]", b"7", b'{"candidates":[', b"\xff"])
def test_a_frame_that_is_no_object_is_a_failure(data: bytes) -> None:
    reader = GEMINI.stream_reader(scope())
    (failed,) = reader.feed(SseFrame("", data, data))
    assert isinstance(failed, Failed)
    assert failed.error.code == "bad_frame"
    assert reader.feed(SseFrame("", b"{}", b"")) == ()
    assert reader.end() == ()


@pytest.mark.parametrize(
    "odd",
    [
        {"candidates": None},
        {"candidates": "x"},
        {"candidates": [None]},
        {"candidates": [{"content": None}]},
        {"candidates": [{"content": {"parts": None}}]},
        {"candidates": [{"content": {"parts": [None, 3, {}, {"text": None}, {"text": 5}]}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": {"args": {}}}]}}]},
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": 4}}]}, "finishReason": 3}]},
        {"usageMetadata": "x", "modelVersion": 3, "responseId": []},
        {"usageMetadata": {"promptTokenCount": "12", "candidatesTokenCount": -1, "totalTokenCount": None}},
        {"promptFeedback": "x"},
        {"promptFeedback": {"blockReason": None}},
    ],
)
def test_odd_members_are_no_failure(odd: Any) -> None:
    events = events_of(sse(odd, chunk({"text": "x"}, finish="STOP")))
    assert isinstance(events[-1], Finish)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["x"]


def test_mp31_a_lone_surrogate_is_replaced() -> None:
    raw = b'data: {"candidates":[{"content":{"parts":[{"text":"a\\ud83d"}]},"finishReason":"STOP"}]}\n\n'
    assert fold(events_of(raw)).parts == [Text("a\ufffd")]


def test_snake_case_answers_are_read() -> None:
    got = answer(
        {
            "candidates": [
                {
                    "content": {"parts": [{"function_call": {"name": "f", "args": {}}, "thought_signature": "s"}]},
                    "finish_reason": "STOP",
                }
            ],
            "usage_metadata": {"prompt_token_count": 3},
            "response_id": "rid",
        }
    )
    assert got.id == "rid"
    assert got.finish is FinishReason.TOOL_CALLS
    assert got.usage is not None
    assert got.usage.input == 3


def test_only_the_first_candidate_speaks() -> None:
    two = chunk({"text": "a"}, finish="STOP")
    two["candidates"].append({"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"})
    assert answer(two).parts == [Text("a")]


def test_grounding_stays_with_its_text() -> None:
    got = answer(
        chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP", groundingMetadata={"webSearchQueries": ["q"]})
    )
    assert got.parts == [Text("ab", citations=[{"groundingMetadata": {"webSearchQueries": ["q"]}}])]


def test_arguments_streamed_in_pieces_are_put_together() -> None:
    def piece(path: str, more: bool, **value: Any) -> dict[str, Any]:
        return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], "willContinue": more}}

    first = {"functionCall": {"name": "f", "id": "1", "willContinue": True}, "thoughtSignature": "s"}
    got = answer(
        chunk(first),
        chunk(piece("$.city", True, stringValue="Par")),
        chunk(piece("$.city", True, stringValue="is")),
        chunk(piece("$.days[0]['max.t']", True, numberValue=3), piece("$.days[1]", True, nullValue="NULL_VALUE")),
        chunk({"functionCall": {}}),
        chunk(finish="STOP"),
    )
    (call,) = got.parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.id, call.signature) == ("f", "1", "s")
    assert json.loads(call.arguments) == {"city": "Paris", "days": [{"max.t": 3}, None]}


def test_parts_are_numbered_in_their_order() -> None:
    events = events_of(
        sse(
            chunk({"text": "t", "thought": True}),
            chunk({"functionCall": {"name": "f"}}),
            chunk({"text": "u"}, finish="STOP"),
        )
    )
    starts = [(event.index, event.kind) for event in events if isinstance(event, PartStart)]
    assert starts == [(0, "thinking"), (1, "tool_call"), (2, "text")]
