"""Canonical events -> chunks for the client."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    Ping,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.model import FinishReason, FunctionTool, Media, Opaque, Protocol, Thinking, Usage
from llmswitch_core.protocols.contract import Scope

from .support import CODEC, deltas, payloads, scope

START = Start("chatcmpl-9", "m-1", created=7)
STOP = Finish(FinishReason.STOP)
CALL = PartStart(0, "tool_call", id="c1", name="f")


def bytes_of(*events: StreamEvent, in_scope: Scope | None = None) -> bytes:
    writer = CODEC.stream_writer(in_scope or scope())
    return b"".join(writer.write(event) for event in events)


def test_a_plain_answer_is_role_text_finish_done() -> None:
    got = payloads(bytes_of(START, PartStart(0, "text"), TextDelta(0, "Hel"), TextDelta(0, "lo"), PartStop(0), STOP))
    assert got[-1] == "[DONE]"
    assert [item["choices"][0]["delta"] for item in got[:-1]] == [
        {"role": "assistant", "content": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [item["choices"][0]["finish_reason"] for item in got[:-1]] == [None, None, None, "stop"]
    assert {(item["id"], item["model"], item["created"], item["object"]) for item in got[:-1]} == {
        ("chatcmpl-9", "m-1", 7, "chat.completion.chunk")
    }


def test_every_event_is_written_at_once() -> None:
    writer = CODEC.stream_writer(scope())
    writer.write(START)
    writer.write(PartStart(0, "text"))
    assert b'"content":"x"' in writer.write(TextDelta(0, "x"))


def test_thinking_is_reasoning_content() -> None:
    got = deltas(bytes_of(START, PartStart(0, "thinking"), TextDelta(0, "hm"), PartStop(0), STOP))
    assert got[1:-1] == [{"reasoning_content": "hm"}]


def test_mp07_signed_thinking_is_given_whole_in_reasoning_details() -> None:
    origin = Protocol.ANTHROPIC_MESSAGES
    got = deltas(
        bytes_of(
            START,
            PartStart(0, "thinking", origin=origin),
            TextDelta(0, "h"),
            TextDelta(0, "m"),
            SignatureDelta(0, "S"),
            PartStop(0),
            PartStart(1, "whole", part=Thinking(redacted="R", origin=origin)),
            PartStop(1),
            STOP,
        )
    )
    details = [delta["reasoning_details"] for delta in got if "reasoning_details" in delta]
    assert details == [
        [{"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}],
        [{"type": "reasoning.text", "text": "hm", "signature": "S", "index": 0}],
        [{"type": "reasoning.encrypted", "data": "R", "format": "anthropic-claude-v1", "index": 1}],
    ]


def test_mp01_a_call_starts_once_with_id_name_and_empty_arguments() -> None:
    got = deltas(bytes_of(START, CALL, ArgumentsDelta(0, '{"a'), ArgumentsDelta(0, '":1}'), PartStop(0), STOP))
    assert got[1:-1] == [
        {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}}]},
    ]


def test_mp03_calls_have_their_own_indices_whatever_part_they_are() -> None:
    got = deltas(
        bytes_of(
            START,
            PartStart(0, "text"),
            TextDelta(0, "x"),
            PartStop(0),
            PartStart(1, "tool_call", id="a", name="f"),
            PartStart(2, "tool_call", id="b", name="g"),
            ArgumentsDelta(2, "[2]"),
            ArgumentsDelta(1, "[1]"),
            STOP,
        )
    )
    indices = [delta["tool_calls"][0]["index"] for delta in got if "tool_calls" in delta]
    assert indices == [0, 1, 1, 0]


def test_mp06_ids_are_made_portable_for_the_client() -> None:
    start = PartStart(0, "tool_call", id="functions.exec:0", name="f")
    assert deltas(bytes_of(START, start))[1]["tool_calls"][0]["id"] == "rcx_functions_2eexec_3a0"


def test_custom_calls_carry_free_text() -> None:
    start = PartStart(0, "tool_call", id="c", name="p", call_kind="custom")
    assert deltas(bytes_of(START, start, ArgumentsDelta(0, "free")))[1:] == [
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "p", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "free"}}]},
    ]


def test_mp07_gemini_signatures_ride_on_the_call() -> None:
    extra = {"google": {"thought_signature": "S"}}
    start = PartStart(0, "tool_call", id="c", name="p", signature="S")
    assert deltas(bytes_of(START, start))[1]["tool_calls"][0]["extra_content"] == extra
    late = deltas(bytes_of(START, CALL, SignatureDelta(0, "S")))[-1]
    assert late == {"tool_calls": [{"index": 0, "extra_content": extra}]}


LEGACY = {"functions": [{"name": "f"}]}


def test_a_client_that_sent_functions_gets_a_function_call() -> None:
    in_scope = scope(tools=[FunctionTool("f")], request_wire=LEGACY)
    got = payloads(
        bytes_of(
            START,
            CALL,
            ArgumentsDelta(0, "{}"),
            PartStart(1, "tool_call", id="b", name="g"),
            ArgumentsDelta(1, "[]"),
            Finish(FinishReason.TOOL_CALLS),
            in_scope=in_scope,
        )
    )
    assert [item["choices"][0]["delta"] for item in got[1:-1]] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {},
    ]
    assert got[-2]["choices"][0]["finish_reason"] == "function_call"
    assert in_scope.notes.items() == (("parallel_tool_calls", "dropped"),)


def test_images_of_the_model_go_into_the_images_array_with_a_note() -> None:
    in_scope = scope()
    part = Media("image", media_type="image/png", data="QUJD")
    got = deltas(bytes_of(START, PartStart(0, "whole", part=part), PartStop(0), STOP, in_scope=in_scope))
    assert got[1] == {
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}, "index": 0}],
    }
    assert in_scope.notes.items() == (("assistant.media", "mapped"),)


def test_foreign_opaque_parts_and_citations_are_noted() -> None:
    in_scope = scope()
    part = Opaque(Protocol.ANTHROPIC_MESSAGES, "web_search_tool_result", {})
    own = {"type": "url_citation", "url_citation": {"url": "u"}}
    got = deltas(
        bytes_of(
            START,
            PartStart(0, "whole", part=part),
            PartStop(0),
            PartStart(1, "text"),
            TextDelta(1, "x"),
            CitationDelta(1, {"type": "char_location"}, Protocol.ANTHROPIC_MESSAGES),
            CitationDelta(1, {"type": "url_citation", "url": "u"}, Protocol.OPENAI_RESPONSES),
            CitationDelta(1, own, Protocol.OPENAI_CHAT),
            STOP,
            in_scope=in_scope,
        )
    )
    assert got[1:-1] == [
        {"content": "x"},
        {"annotations": [{**own, "index": 0}]},
        {"annotations": [{**own, "index": 1}]},
    ]
    assert in_scope.notes.items() == (("opaque.web_search_tool_result", "dropped"), ("text.citations", "dropped"))


def test_logprobs_stand_beside_the_delta() -> None:
    tokens = [{"token": "x", "logprob": -1}]
    got = payloads(bytes_of(START, PartStart(0, "text"), TextDelta(0, "x", logprobs=tokens)))
    assert got[1]["choices"][0]["logprobs"] == {"content": tokens}


# --- the end -------------------------------------------------------------------------------------------

USAGE = Usage(input=5, output=7, cache_read=3, cache_write=2, reasoning=4)


def test_mp12_the_usage_chunk_comes_only_if_asked_for_and_once() -> None:
    events = [START, UsageSeen(Usage(input=1)), UsageSeen(USAGE), STOP]
    asked = payloads(bytes_of(*events, in_scope=scope(include_usage=True)))
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert [item["usage"] for item in asked[:-2]] == [None, None]
    assert b"usage" not in bytes_of(*events)


@pytest.mark.parametrize(
    ("reason", "wire", "word"),
    [
        (FinishReason.STOP, "end_turn", "stop"),
        (FinishReason.TOOL_CALLS, None, "stop"),
        (FinishReason.LENGTH, "max_tokens", "length"),
        (FinishReason.STOP_SEQUENCE, None, "stop"),
        (FinishReason.CONTENT_FILTER, "SAFETY", "content_filter"),
        (FinishReason.REFUSAL, "refusal", "content_filter"),
        (FinishReason.PAUSE, "pause_turn", "stop"),
        (FinishReason.CONTEXT_WINDOW, None, "length"),
        (FinishReason.MALFORMED_CALL, None, "stop"),
        (FinishReason.OTHER, "NEW_WORD", "new_word"),
        (FinishReason.OTHER, None, "stop"),
    ],
)
def test_mp13_finish_words(reason: FinishReason, wire: str | None, word: str) -> None:
    got = payloads(bytes_of(START, Finish(reason, wire)))
    assert got[-2]["choices"][0]["finish_reason"] == word


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.PAUSE])
def test_mp13_a_call_makes_the_finish_tool_calls(reason: FinishReason) -> None:
    assert payloads(bytes_of(START, CALL, Finish(reason)))[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_mp13_a_refusal_in_words_is_a_normal_stop() -> None:
    got = payloads(
        bytes_of(START, PartStart(0, "refusal"), TextDelta(0, "no"), PartStop(0), Finish(FinishReason.REFUSAL))
    )
    assert got[1]["choices"][0]["delta"] == {"refusal": "no"}
    assert got[-2]["choices"][0]["finish_reason"] == "stop"


def test_mp14_a_failure_is_an_error_object_without_done() -> None:
    error = GatewayError(ErrorKind.UPSTREAM, "truncated_stream", "It was cut.", next_step="Retry.")
    raw = bytes_of(
        START,
        PartStart(0, "text"),
        TextDelta(0, "x"),
        UsageSeen(USAGE),
        Failed(error),
        STOP,
        in_scope=scope(include_usage=True),
    )
    got = payloads(raw)
    assert got[-1] == {
        "error": {"message": "It was cut. Retry.", "type": "server_error", "param": None, "code": "truncated_stream"}
    }
    assert got[-2]["usage"]["total_tokens"] == 17
    assert b"[DONE]" not in raw


def test_after_the_end_nothing_is_written() -> None:
    writer = CODEC.stream_writer(scope())
    error = GatewayError(ErrorKind.UPSTREAM, "x", "x")
    assert writer.write(STOP)
    assert writer.write(TextDelta(0, "x")) + writer.keepalive() + writer.fail(error) == b""
    other = CODEC.stream_writer(scope())
    assert other.fail(error)
    assert other.write(STOP) + other.keepalive() + other.fail(error) == b""


def test_mp26_the_first_keepalive_opens_the_stream_and_its_ids_stay() -> None:
    writer = CODEC.stream_writer(scope())
    raw = writer.keepalive() + writer.keepalive() + writer.write(START) + writer.keepalive() + writer.write(STOP)
    got: list[Any] = payloads(raw)[:-1]
    assert [item["choices"][0]["delta"] for item in got] == [{"role": "assistant", "content": None}, {}, {}, {}]
    assert {item["id"] for item in got} == {"chatcmpl-" + "0" * 24}
    assert {item["model"] for item in got} == {"some-model"}


def test_a_second_attempt_opens_nothing_again() -> None:
    got = payloads(bytes_of(START, Start("other", "m-2"), Ping(), STOP))
    assert {item["id"] for item in got[:-1]} == {"chatcmpl-9"}
    assert len(got) == 3


def test_the_requested_model_name_is_shown_where_the_scope_says_so() -> None:
    assert payloads(bytes_of(START, in_scope=scope(model="alias")))[0]["model"] == "alias"


def test_mp31_lone_surrogates_are_written_as_replacement_characters() -> None:
    got = deltas(
        bytes_of(
            START,
            PartStart(0, "text"),
            TextDelta(0, "a\ud83d"),
            PartStart(1, "tool_call", id="c", name="f"),
            ArgumentsDelta(1, '"\ud83d"'),
        )
    )
    assert got[1] == {"content": "a\ufffd"}
    assert got[3]["tool_calls"][0]["function"]["arguments"] == '"\ufffd"'
