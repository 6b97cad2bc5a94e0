"""Writing answers for Gemini clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import (
    Answer,
    Conversation,
    FinishReason,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)

from .support import GEMINI, answer_bytes, conversation, payloads, scope, streamed

BOOM = GatewayError(ErrorKind.OVERLOADED, "overloaded", "Too busy.", status=529, retry_after=2)


def parts_of(payload: Any) -> Any:
    return payload["candidates"][0]["content"]["parts"]


def test_each_text_delta_is_one_frame_and_the_last_frame_has_finish_and_usage() -> None:
    frames = payloads(
        streamed(
            [
                Start("r1", "up"),
                PartStart(0, "text"),
                TextDelta(0, "a"),
                TextDelta(0, ""),
                TextDelta(0, "é\n"),
                PartStop(0),
                UsageSeen(Usage(input=5, output=9, cache_read=2, cache_write=1, reasoning=4)),
                Finish(FinishReason.STOP),
            ]
        )
    )
    assert [parts_of(frame) for frame in frames] == [[{"text": "a"}], [{"text": "é\n"}], [{"text": ""}]]
    assert all((frame["modelVersion"], frame["responseId"]) == ("up", "r1") for frame in frames)
    assert [frame["candidates"][0].get("finishReason") for frame in frames] == [None, None, "STOP"]
    assert [frame.get("usageMetadata") for frame in frames] == [
        None,
        None,
        {
            "promptTokenCount": 8,
            "candidatesTokenCount": 5,
            "totalTokenCount": 17,
            "cachedContentTokenCount": 2,
            "thoughtsTokenCount": 4,
        },
    ]


def test_mp10_only_data_lines_and_no_done() -> None:
    data = answer_bytes(Answer("r", "m", [Text("hi")], FinishReason.STOP))
    lines = data.decode().split("\n")
    assert all(not line or line.startswith("data: {") for line in lines)
    assert data.endswith(b"}\n\n")


def test_mp03_interleaved_calls_go_out_whole_and_in_order() -> None:
    events: list[StreamEvent] = [
        Start("r", "m"),
        PartStart(0, "tool_call", id="a", name="f"),
        PartStart(1, "tool_call", id="b", name="g", signature="QUJD"),
        ArgumentsDelta(1, '{"y":'),
        ArgumentsDelta(0, '{"x": 1e2'),
        ArgumentsDelta(1, "2}"),
        PartStop(1),
        ArgumentsDelta(0, ",\n 7: 1}".replace("7", '"z"')),
        PartStop(0),
        Finish(FinishReason.TOOL_CALLS),
    ]
    data = streamed(events)
    frames = payloads(data)
    assert b'{"x": 1e2,  "z": 1}' in data
    assert parts_of(frames[0]) == [{"functionCall": {"id": "a", "name": "f", "args": {"x": 100.0, "z": 1}}}]
    assert parts_of(frames[1]) == [
        {"functionCall": {"id": "b", "name": "g", "args": {"y": 2}}, "thoughtSignature": "QUJD"}
    ]
    assert frames[2]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize(
    ("reason", "word"),
    [(FinishReason.TOOL_CALLS, "MALFORMED_FUNCTION_CALL"), (FinishReason.LENGTH, "MAX_TOKENS")],
)
@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "nonsense"])
def test_mp14_a_call_with_broken_arguments_is_told_not_invented(
    arguments: str, reason: FinishReason, word: str
) -> None:
    answer = Answer("r", "m", [Text("x"), ToolCall("1", "f", arguments)], reason)
    last = payloads(answer_bytes(answer))[-1]["candidates"][0]
    whole = json.loads(GEMINI.write_answer(answer, scope()))["candidates"][0]
    assert last["finishReason"] == whole["finishReason"] == word
    assert whole["content"]["parts"] == [{"text": "x"}]


@pytest.mark.parametrize(
    ("reason", "wire", "word"),
    [
        (FinishReason.STOP, None, "STOP"),
        (FinishReason.TOOL_CALLS, "tool_use", "STOP"),
        (FinishReason.LENGTH, "length", "MAX_TOKENS"),
        (FinishReason.CONTENT_FILTER, "RECITATION", "RECITATION"),
        (FinishReason.CONTENT_FILTER, "content_filter", "SAFETY"),
        (FinishReason.REFUSAL, "refusal", "SAFETY"),
        (FinishReason.PAUSE, "pause_turn", "STOP"),
        (FinishReason.OTHER, "LANGUAGE", "LANGUAGE"),
        (FinishReason.OTHER, "weird", "OTHER"),
    ],
)
def test_mp13_one_finish_reason_in_geminis_words(reason: FinishReason, wire: str | None, word: str) -> None:
    answer = Answer("r", "m", [Text("x")], reason, finish_wire=wire)
    words = [frame["candidates"][0].get("finishReason") for frame in payloads(answer_bytes(answer))]
    assert words == [None, word]
    assert json.loads(GEMINI.write_answer(answer, scope()))["candidates"][0]["finishReason"] == word


def test_nothing_follows_the_finish() -> None:
    writer = GEMINI.stream_writer(scope())
    assert writer.write(Finish(FinishReason.STOP))
    assert writer.write(TextDelta(0, "x")) == writer.keepalive() == writer.fail(BOOM) == b""


def test_a_second_start_changes_nothing() -> None:
    frames = payloads(
        streamed(
            [
                Start("first", "a"),
                Start("second", "b"),
                PartStart(0, "text"),
                TextDelta(0, "x"),
                Finish(FinishReason.STOP),
            ]
        )
    )
    assert {(frame["responseId"], frame["modelVersion"]) for frame in frames} == {("first", "a")}


def test_the_model_name_may_be_the_clients() -> None:
    data = streamed([Start("r", "up"), Finish(FinishReason.STOP)], scope(model="asked-for"))
    assert payloads(data)[0]["modelVersion"] == "asked-for"


def test_mp26_the_keepalive_is_an_event_without_content() -> None:
    writer = GEMINI.stream_writer(scope())
    assert payloads(writer.keepalive()) == [
        {"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0}]}
    ]
    writer.write(Start("r", "m"))
    assert payloads(writer.keepalive())[0]["responseId"] == "r"


@pytest.mark.parametrize("how", ["fail", "event"])
def test_mp14_a_failure_is_seen_by_both_of_googles_sdks(how: str) -> None:
    writer = GEMINI.stream_writer(scope())
    data = writer.fail(BOOM) if how == "fail" else writer.write(Failed(BOOM))
    as_event, as_line = (payload["error"] for payload in payloads(data))
    assert as_event == as_line
    error = as_event
    assert (error["code"], error["status"], error["message"]) == (503, "UNAVAILABLE", "Too busy.")
    bare = [line for line in data.split(b"\n") if line.startswith(b"{")]
    assert [json.loads(line) for line in bare] == [{"error": error}]
    assert writer.fail(BOOM) == b""


def array_scope() -> Any:
    talk: Conversation = conversation(protocol=Protocol.GEMINI, framing="json-array")
    return scope(talk)


def test_a_json_array_stream_is_one_array() -> None:
    writer = GEMINI.stream_writer(array_scope())
    data = writer.keepalive()
    for event in unfold(Answer("r", "m", [Text("a"), Text("b")], FinishReason.STOP)):
        data += writer.write(event)
    elements = json.loads(data)
    assert [parts_of(element) for element in elements] == [[{"text": t}] for t in ("", "a", "b", "")]
    assert data.startswith(b"[{")
    assert b"},\r\n{" in data


@pytest.mark.parametrize("begun", [True, False])
def test_a_json_array_stream_that_fails_is_still_an_array(begun: bool) -> None:
    writer = GEMINI.stream_writer(array_scope())
    data = writer.keepalive() if begun else b""
    elements = json.loads(data + writer.fail(BOOM))
    assert elements[-1]["error"]["code"] == 503
    assert len(elements) == (2 if begun else 1)


def test_thoughts_and_signatures_are_marked() -> None:
    answer = Answer(
        "r",
        "m",
        [Thinking("hm", signature="QUJD"), Text("", signature="REVG"), Refusal("no")],
        FinishReason.STOP,
    )
    assert [parts_of(frame)[0] for frame in payloads(answer_bytes(answer))] == [
        {"text": "hm", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": "QUJD"},
        {"text": "", "thoughtSignature": "REVG"},
        {"text": "no"},
        {"text": ""},
    ]
    assert parts_of(json.loads(GEMINI.write_answer(answer, scope()))) == [
        {"text": "hm", "thought": True, "thoughtSignature": "QUJD"},
        {"text": "", "thoughtSignature": "REVG"},
        {"text": "no"},
    ]


def test_what_only_another_protocol_understands_is_dropped_with_a_note() -> None:
    within = scope()
    foreign = Opaque(Protocol.ANTHROPIC_MESSAGES, "server_tool_use", {})
    answer = Answer(
        "r", "m", [foreign, Thinking(redacted="x"), Thinking("t", signature="not base64!")], FinishReason.STOP
    )
    data = streamed(unfold(answer), within)
    assert [parts_of(frame) for frame in payloads(data)] == [[{"text": "t", "thought": True}], [{"text": ""}]]
    assert dict(within.notes.items()) == {
        "opaque.server_tool_use": "dropped",
        "thinking.redacted": "dropped",
        "thinking.signature": "dropped",
    }


def test_mp12_googles_own_usage_object_goes_back_unchanged() -> None:
    own = {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12, "promptTokensDetails": []}
    answer = Answer("r", "m", [], FinishReason.STOP, usage=Usage(input=10, output=2, wire=own))
    assert payloads(answer_bytes(answer))[-1]["usageMetadata"] == own
    changed = Answer("r", "m", [], FinishReason.STOP, usage=Usage(input=11, output=2, wire=own))
    assert payloads(answer_bytes(changed))[-1]["usageMetadata"]["promptTokenCount"] == 11


def test_mp31_lone_surrogates_never_leave() -> None:
    answer = Answer("r", "m", [Text("a\ud83d"), ToolCall("1", "f", '{"a":"\\ud83d"}')], FinishReason.STOP)
    answer_bytes(answer).decode("utf-8")
    assert fold(unfold(answer)).parts[0] == Text("a\ud83d")
    assert json.loads(GEMINI.write_answer(answer, scope()))
