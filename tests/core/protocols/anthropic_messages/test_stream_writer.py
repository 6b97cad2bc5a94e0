"""Canonical events -> what a Messages client receives."""

from __future__ import annotations

import json
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
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    Media,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.core.protocols.anthropic_messages.builders import (
    CODEC,
    C,
    G,
    M,
    R,
    assert_grammar,
    payloads,
    said,
    scope,
)

START = Start("id_1", "model-x")
STOP = Finish(FinishReason.STOP)


def text(index: int, *pieces: str) -> list[StreamEvent]:
    return [PartStart(index, "text"), *(TextDelta(index, piece) for piece in pieces), PartStop(index)]


def deltas(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["delta"] for event in events if event["type"] == "content_block_delta"]


def starts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["content_block"] for event in events if event["type"] == "content_block_start"]


def ending(events: list[dict[str, Any]]) -> dict[str, Any]:
    return next(event for event in events if event["type"] == "message_delta")


def test_mp09_a_text_answer_frame_by_frame() -> None:
    usage = Usage(input=5, output=7, cache_read=3, cache_write=2, reasoning=4)
    data = said([START, *text(0, "Hel", "lo"), UsageSeen(usage), STOP])
    assert data.startswith(b'event: message_start\ndata: {"type":"message_start","message":{"id":"id_1"')
    events = assert_grammar(data)
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert ending(events)["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert ending(events)["usage"] == {
        "input_tokens": 5,
        "output_tokens": 7,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 2,
        "output_tokens_details": {"thinking_tokens": 4},
    }


def test_mp12_the_upstreams_own_usage_details_are_kept() -> None:
    wire = {"input_tokens": 1, "cache_read_input_tokens": 0, "server_tool_use": {"web_search_requests": 2}}
    events = assert_grammar(said([START, UsageSeen(Usage(1, 2, wire=wire)), STOP]))
    assert ending(events)["usage"]["server_tool_use"] == {"web_search_requests": 2}


def test_mp09_interleaved_parts_are_put_in_sequence() -> None:
    data = said(
        [
            START,
            PartStart(0, "tool_call", id="a", name="f"),
            PartStart(1, "tool_call", id="b", name="g"),
            ArgumentsDelta(1, '{"y"'),
            ArgumentsDelta(0, '{"x":1}'),
            ArgumentsDelta(1, ":2}"),
            Finish(FinishReason.TOOL_CALLS),
        ]
    )
    events = assert_grammar(data)
    assert [block["name"] for block in starts(events)] == ["f", "g"]
    assert [delta["partial_json"] for delta in deltas(events)] == ['{"x":1}', '{"y"', ":2}"]


def test_mp17_nothing_empty_is_ever_started() -> None:
    events = assert_grammar(
        said([START, *text(0), *text(1, ""), PartStart(2, "thinking"), PartStop(2), *text(3, "x"), STOP])
    )
    assert starts(events) == [{"type": "text", "text": ""}]


@pytest.mark.parametrize(
    ("origin", "token", "summary", "expected"),
    [
        (M, "EqQB", False, "EqQB"),
        (G, "tok", False, "routecodex.gemini.tok"),
        (R, "enc", True, "routecodex.responses.enc"),
        (None, None, False, "routecodex.unsigned"),
        (C, None, False, "routecodex.unsigned"),
        (M, None, False, None),
    ],
)
def test_mp07_thinking_ends_with_a_signature_that_names_its_issuer(
    origin: Any, token: str | None, summary: bool, expected: str | None
) -> None:
    signed = [SignatureDelta(0, token)] if token else []
    events = assert_grammar(
        said(
            [
                START,
                PartStart(0, "thinking", origin=origin, summary=summary),
                *signed,
                TextDelta(0, "hm"),
                PartStop(0),
                STOP,
            ]
        )
    )
    assert starts(events) == [{"type": "thinking", "thinking": "", "signature": ""}]
    assert deltas(events)[0] == {"type": "thinking_delta", "thinking": "hm"}
    assert [delta["signature"] for delta in deltas(events)[1:]] == ([expected] if expected else [])


def test_mp07_signature_only_and_redacted_thinking_survive() -> None:
    redacted = Thinking(redacted="zz", origin=M)
    events = assert_grammar(
        said(
            [
                START,
                PartStart(0, "thinking", origin=M),
                SignatureDelta(0, "only"),
                PartStop(0),
                PartStart(1, "whole", part=redacted),
                PartStop(1),
                STOP,
            ]
        )
    )
    assert [block["type"] for block in starts(events)] == ["thinking", "redacted_thinking"]
    assert deltas(events) == [{"type": "signature_delta", "signature": "only"}]


def test_mp06_call_ids_are_legal() -> None:
    events = assert_grammar(said([START, PartStart(0, "tool_call", id="functions.f:0", name="f"), PartStop(0), STOP]))
    assert starts(events)[0]["id"].startswith("rcx_")
    assert starts(events)[0]["input"] == {}


def test_mp22_a_freeform_call_is_wrapped_once() -> None:
    events = assert_grammar(
        said(
            [
                START,
                PartStart(0, "tool_call", id="a", name="patch", call_kind="custom"),
                ArgumentsDelta(0, 'say "'),
                ArgumentsDelta(0, 'hi"'),
                PartStop(0),
                Finish(FinishReason.TOOL_CALLS),
            ]
        )
    )
    assert json.loads("".join(delta["partial_json"] for delta in deltas(events))) == {"input": 'say "hi"'}


def test_own_citations_are_kept_and_foreign_ones_told() -> None:
    within = scope()
    own = {"type": "char_location", "cited_text": "x"}
    events = assert_grammar(
        said(
            [
                START,
                PartStart(0, "text"),
                CitationDelta(0, own, M),
                CitationDelta(0, {"type": "url_citation"}, R),
                TextDelta(0, "x"),
                PartStop(0),
                STOP,
            ],
            within,
        )
    )
    assert deltas(events)[0] == {"type": "citations_delta", "citation": own}
    assert within.notes.items() == (("text.citations", "dropped"),)


def test_whole_parts_of_this_protocol_are_written_and_others_told() -> None:
    within = scope()
    use = Opaque(M, "server_tool_use", {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}})
    result = Opaque(M, "web_search_tool_result", {"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
    foreign = Opaque(R, "web_search_call", {})
    image = Media("image", media_type="image/png", data="AA==")
    events = assert_grammar(
        said(
            [
                START,
                *(
                    event
                    for i, part in enumerate([use, result, foreign, image])
                    for event in (PartStart(i, "whole", part=part), PartStop(i))
                ),
                STOP,
            ],
            within,
        )
    )
    assert [block["type"] for block in starts(events)] == ["server_tool_use", "web_search_tool_result"]
    assert deltas(events) == [{"type": "input_json_delta", "partial_json": '{"q":1}'}]
    assert {name for name, _ in within.notes.items()} == {"opaque.web_search_call", "assistant.media"}


CALL = [PartStart(0, "tool_call", id="a", name="f"), PartStop(0)]
REFUSED = [PartStart(0, "refusal"), TextDelta(0, "no"), PartStop(0)]


@pytest.mark.parametrize(
    ("before", "finish", "expected"),
    [
        ([], Finish(FinishReason.STOP), "end_turn"),
        (CALL, Finish(FinishReason.STOP), "tool_use"),
        (CALL, Finish(FinishReason.TOOL_CALLS), "tool_use"),
        (CALL, Finish(FinishReason.OTHER), "tool_use"),
        ([], Finish(FinishReason.TOOL_CALLS), "end_turn"),
        (CALL, Finish(FinishReason.LENGTH), "max_tokens"),
        ([], Finish(FinishReason.CONTENT_FILTER, wire="content_filter"), "refusal"),
        (REFUSED, Finish(FinishReason.STOP), "refusal"),
        ([], Finish(FinishReason.PAUSE), "pause_turn"),
        ([], Finish(FinishReason.CONTEXT_WINDOW), "model_context_window_exceeded"),
        ([], Finish(FinishReason.OTHER, wire="compaction"), "compaction"),
        ([], Finish(FinishReason.MALFORMED_CALL, wire="MALFORMED_FUNCTION_CALL"), "MALFORMED_FUNCTION_CALL"),
    ],
)
def test_mp13_exactly_one_stop_reason_last(before: list[StreamEvent], finish: Finish, expected: str) -> None:
    events = assert_grammar(said([START, *before, finish]))
    assert ending(events)["delta"]["stop_reason"] == expected


def test_a_matched_stop_sequence_is_named() -> None:
    events = assert_grammar(said([START, Finish(FinishReason.STOP_SEQUENCE, stop_sequence="END")]))
    assert ending(events)["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}


# --- ends, keepalives, failover ------------------------------------------------------------------------

BUSY = GatewayError(ErrorKind.OVERLOADED, "overloaded", "The upstream is busy.", next_step="Retry later.")


def test_mp14_a_failure_is_an_error_event_and_nothing_after_it() -> None:
    writer = CODEC.stream_writer(scope())
    data = b"".join(writer.write(event) for event in [START, PartStart(0, "text"), TextDelta(0, "half"), Failed(BUSY)])
    assert [writer.write(STOP), writer.fail(BUSY), writer.keepalive()] == [b"", b"", b""]
    events = payloads(data)
    assert [event["type"] for event in events[-2:]] == ["content_block_delta", "error"]
    assert events[-1]["error"]["type"] == "overloaded_error"
    assert events[-1]["error"]["message"] == "The upstream is busy. Retry later."


def test_mp14_a_failure_before_anything_is_an_error_event() -> None:
    assert [event["type"] for event in payloads(CODEC.stream_writer(scope()).fail(BUSY))] == ["error"]


def test_nothing_follows_the_end() -> None:
    writer = CODEC.stream_writer(scope())
    assert_grammar(b"".join(writer.write(event) for event in [START, STOP]))
    assert [writer.write(event) for event in [START, *text(0, "x"), STOP, Ping()]] == [b""] * 6


def test_mp26_keepalives_are_ping_events_before_and_within_the_answer() -> None:
    writer = CODEC.stream_writer(scope())
    ping = b'event: ping\ndata: {"type":"ping"}\n\n'
    data = [writer.keepalive(), writer.write(START), writer.keepalive()]
    data += [writer.write(event) for event in [*text(0, "x"), Ping(), STOP]]
    assert data[0] == data[2] == ping
    assert b"".join(data).count(ping) == 3
    assert_grammar(b"".join(data[1:]))


def test_a_second_attempt_does_not_start_the_message_again() -> None:
    events = assert_grammar(said([START, Start("id_2", "other"), *text(0, "x"), STOP]))
    assert events[0]["message"]["id"] == "id_1"


def test_content_before_start_opens_the_message_with_our_own_id() -> None:
    events = assert_grammar(said([*text(0, "x"), STOP]))
    assert events[0]["message"]["id"].startswith("msg_")


def test_the_model_name_may_be_the_one_the_client_asked_for() -> None:
    events = assert_grammar(said([START, STOP], scope(model="alias")))
    assert events[0]["message"]["model"] == "alias"


def test_mp31_lone_surrogates_do_not_break_a_frame() -> None:
    events = assert_grammar(said([START, *text(0, "a\ud83d", "b\udc00"), STOP]))
    assert [delta["text"] for delta in deltas(events)] == ["a\ufffd", "b\ufffd"]


# --- JSON answers --------------------------------------------------------------------------------------


def test_a_json_answer() -> None:
    answer = Answer(
        id="id_1",
        model="m",
        parts=[
            Thinking("hm"),
            Text(""),
            Text("hi"),
            Refusal("no"),
            ToolCall("a.b", "f", '{"x": 1}'),
            ToolCall("c", "g", "", kind="function"),
        ],
        finish=FinishReason.STOP,
        usage=Usage(1, 2, 3, 4),
    )
    body = json.loads(CODEC.write_answer(answer, scope(model="alias")))
    assert body["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "routecodex.unsigned"},
        {"type": "text", "text": "hi"},
        {"type": "text", "text": "no"},
        {"type": "tool_use", "id": "rcx_a_2eb", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "c", "name": "g", "input": {}},
    ]
    assert (body["type"], body["role"], body["model"], body["stop_reason"]) == (
        "message",
        "assistant",
        "alias",
        "tool_use",
    )
    assert body["usage"]["cache_read_input_tokens"] == 3
