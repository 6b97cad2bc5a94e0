"""Chunks -> canonical events: parts, finish, usage, failures, and the habits of the relatives."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import (
    Failed,
    Finish,
    PartStart,
    PartStop,
    Start,
    TextDelta,
    UsageSeen,
    is_content,
)
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    FinishReason,
    Media,
    Opaque,
    Protocol,
    Refusal,
    Sampling,
    Text,
    Thinking,
)

from .support import chunk, conversation, events, scope, stream


def test_a_plain_answer_is_start_text_finish() -> None:
    got = events(
        stream(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            chunk({}, "stop"),
        )
    )
    assert got == [
        Start("chatcmpl-1", "m-1", created=5),
        PartStart(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartStop(0),
        Finish(FinishReason.STOP, wire="stop"),
    ]


def test_a_preamble_without_id_and_choices_does_not_start_the_answer() -> None:
    preamble = {"id": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": []}
    assert events(stream(preamble, chunk({"content": "a"}, "stop")))[0] == Start("chatcmpl-1", "m-1", created=5)


def test_the_opening_role_chunk_is_no_content() -> None:
    got = events(stream(chunk({"role": "assistant", "content": ""}), done=False))
    assert [is_content(event) for event in got[:-1]] == [False]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thinking_is_read_from_every_dialect_and_ends_where_text_begins(field: str) -> None:
    answer = fold(
        events(stream(chunk({field: "let "}), chunk({field: "me"}), chunk({"content": "4"}), chunk({}, "stop")))
    )
    assert answer.parts == [Thinking("let me"), Text("4")]


def test_thinking_sent_in_both_members_is_read_once() -> None:
    answer = fold(events(stream(chunk({"reasoning": "hm", "reasoning_content": "hm"}), chunk({}, "stop"))))
    assert answer.parts == [Thinking("hm")]


def test_thinking_and_text_in_one_chunk_keep_their_order() -> None:
    answer = fold(events(stream(chunk({"content": "a", "reasoning_content": "t"}, "stop"))))
    assert answer.parts == [Thinking("t"), Text("a")]


def test_thinking_after_text_opens_a_new_part() -> None:
    raw = stream(chunk({"content": "a"}), chunk({"reasoning_content": "t"}), chunk({"content": "b"}), chunk({}, "stop"))
    assert fold(events(raw)).parts == [Text("a"), Thinking("t"), Text("b")]


def test_mp07_signed_reasoning_details_become_thinking_of_their_origin() -> None:
    entry = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    raw = stream(
        chunk({"reasoning": "let ", "reasoning_details": [{**entry, "text": "let "}]}),
        chunk({"reasoning": "me", "reasoning_details": [{**entry, "text": "me"}]}),
        chunk({"reasoning_details": [{**entry, "signature": "SIG"}]}),
        chunk({"content": "4"}, "stop"),
    )
    assert fold(events(raw)).parts == [
        Thinking("let me", signature="SIG", origin=Protocol.ANTHROPIC_MESSAGES),
        Text("4"),
    ]


def test_mp07_interleaved_signed_thinking_stays_apart() -> None:
    def entry(number: int, **members: str) -> dict[str, Any]:
        base = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": number}
        return {"reasoning_details": [{**base, **members}]}

    raw = stream(
        chunk(entry(0, text="a", signature="S1")), chunk(entry(1, text="b", signature="S2")), chunk({}, "stop")
    )
    origin = Protocol.ANTHROPIC_MESSAGES
    assert fold(events(raw)).parts == [
        Thinking("a", signature="S1", origin=origin),
        Thinking("b", signature="S2", origin=origin),
    ]


def test_mp07_redacted_and_encrypted_reasoning_survive() -> None:
    raw = stream(
        chunk(
            {
                "reasoning_details": [
                    {"type": "reasoning.encrypted", "format": "anthropic-claude-v1", "data": "RED"},
                    {"type": "reasoning.summary", "format": "openai-responses-v1", "summary": "s", "id": "rs_1"},
                    {"type": "reasoning.encrypted", "format": "openai-responses-v1", "data": "ENC", "id": "rs_1"},
                    {"type": "reasoning.encrypted", "format": "unheard-of", "data": "?"},
                ]
            },
            "stop",
        )
    )
    assert fold(events(raw)).parts == [
        Thinking(redacted="RED", origin=Protocol.ANTHROPIC_MESSAGES),
        Thinking("s", signature="ENC", summary=True, id="rs_1", origin=Protocol.OPENAI_RESPONSES),
        Thinking(
            origin=Protocol.OPENAI_CHAT,
            wire={"type": "reasoning.encrypted", "format": "unheard-of", "data": "?"},
        ),
    ]


def test_content_as_a_part_list_is_read_part_by_part() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "t"}]},
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "reference", "ids": [1]},
    ]
    assert fold(events(stream(chunk({"content": content}, "stop")))).parts == [
        Thinking("t"),
        Text("a"),
        Media("image", media_type="image/png", data="QUJD"),
        Opaque(Protocol.OPENAI_CHAT, "reference", {"type": "reference", "ids": [1]}),
    ]


def test_images_beside_the_content_become_media() -> None:
    images = [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    assert fold(events(stream(chunk({"images": images}, "stop")))).parts == [Media("image", url="https://x/y.png")]


def test_citations_belong_to_the_text() -> None:
    note = {"type": "url_citation", "url_citation": {"url": "https://x", "title": "x"}}
    raw = stream(chunk({"content": "a"}), chunk({"annotations": [note]}), chunk({}, "stop"))
    assert fold(events(raw)).parts == [Text("a", citations=[note])]


def test_logprobs_ride_on_the_text_as_token_entries() -> None:
    item = chunk({"content": "a"}, "stop")
    item["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}], "refusal": None}
    got = [event for event in events(stream(item)) if isinstance(event, TextDelta)]
    assert got == [TextDelta(0, "a", logprobs=[{"token": "a", "logprob": -0.5}])]


def test_mp13_a_refusal_said_in_words_is_a_refusal() -> None:
    answer = fold(events(stream(chunk({"refusal": "I ca"}), chunk({"refusal": "n't"}), chunk({}, "stop"))))
    assert answer.parts == [Refusal("I can't")]
    assert answer.finish is FinishReason.REFUSAL


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("sensitive", FinishReason.CONTENT_FILTER),
        ("model_context_window_exceeded", FinishReason.CONTEXT_WINDOW),
        ("tool_calls", FinishReason.STOP),  # no call was made
        ("brand_new", FinishReason.OTHER),
    ],
)
def test_mp13_finish_words_are_mapped_and_kept(word: str, reason: FinishReason) -> None:
    answer = fold(events(stream(chunk({"content": "a"}), chunk({}, word))))
    assert (answer.finish, answer.finish_wire) == (reason, word)


def test_a_matched_stop_sequence_is_named_only_if_the_client_asked_for_it() -> None:
    request = conversation(sampling=Sampling(stop=["END"]))
    item = chunk({}, "stop")
    item["choices"][0]["stop_reason"] = "END"
    answer = fold(events(stream(chunk({"content": "a"}), item), scope(request)))
    assert (answer.finish, answer.stop_sequence) == (FinishReason.STOP_SEQUENCE, "END")
    other = fold(events(stream(chunk({"content": "a"}), item)))
    assert (other.finish, other.stop_sequence) == (FinishReason.STOP, None)


def test_finish_on_a_chunk_with_content_comes_after_the_content() -> None:
    got = events(stream(chunk({"content": "all"}, "stop")))
    assert [type(event) for event in got] == [Start, PartStart, TextDelta, PartStop, Finish]


def test_a_finish_without_done_is_complete() -> None:
    assert fold(events(stream(chunk({"content": "a"}, "stop"), done=False))).finish is FinishReason.STOP


def test_no_reason_yet_in_other_spellings_is_no_finish() -> None:
    raw = stream(chunk({"content": "a"}, ""), chunk({"content": "b"}, "null"), chunk({}, "stop"))
    assert fold(events(raw)).parts == [Text("ab")]


# --- usage ---------------------------------------------------------------------------------------------

USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


@pytest.mark.parametrize(
    "tail",
    [
        [chunk({}, "stop"), chunk(None, usage=USAGE)],
        [chunk({}, "stop", usage=USAGE)],
        [chunk({"content": "b"}, usage={**USAGE, "completion_tokens": 1}), chunk({}, "stop", usage=USAGE)],
    ],
    ids=["own chunk", "last content chunk", "every chunk"],
)
def test_mp12_usage_is_found_wherever_it_stands_and_precedes_the_finish(tail: list[Any]) -> None:
    got = events(stream(chunk({"content": "a"}, usage=None), *tail))
    assert isinstance(got[-1], Finish)
    seen = [event.usage for event in got if isinstance(event, UsageSeen)]
    assert (seen[-1].input, seen[-1].output) == (10, 4)


def test_mp12_usage_inside_the_choice_is_read() -> None:
    item = chunk({}, "stop")
    item["choices"][0]["usage"] = USAGE
    answer = fold(events(stream(chunk({"content": "a"}), item)))
    assert answer.usage is not None
    assert answer.usage.output == 4


def test_mp12_usage_survives_a_failure_that_brings_it() -> None:
    got = events(stream(chunk({"content": "a"}), {"error": {"message": "x"}, "usage": USAGE}))
    assert [type(event) for event in got[-2:]] == [UsageSeen, Failed]


# --- failures ------------------------------------------------------------------------------------------


def failure(raw: bytes) -> GatewayError:
    got = events(raw)
    assert isinstance(got[-1], Failed)
    assert not any(isinstance(event, Finish) for event in got)
    return got[-1].error


@pytest.mark.parametrize("done", [True, False])
def test_mp14_a_stream_without_finish_reason_is_truncated(done: bool) -> None:
    error = failure(stream(chunk({"content": "a"}), done=done))
    assert (error.code, error.kind, error.layer) == ("truncated_stream", ErrorKind.UPSTREAM, Layer.UPSTREAM)


def test_mp14_an_empty_stream_is_truncated() -> None:
    assert failure(b"").code == "truncated_stream"


@pytest.mark.parametrize("word", ["error", "network_error", "insufficient_system_resource", "abort"])
def test_mp14_a_finish_word_for_breaking_off_is_a_failure(word: str) -> None:
    assert failure(stream(chunk({"content": "a"}), chunk({}, word))).code == "answer_broken_off"


def test_mp16_an_error_as_first_event_is_a_failure_with_its_own_status() -> None:
    error = failure(stream({"error": {"message": "slow down", "type": "rate_limit_error", "code": 429}}))
    assert (error.kind, error.status, error.message) == (ErrorKind.RATE_LIMIT, 429, "slow down")


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"message": "boom", "type": "server_error"}},
        {"error": "boom"},
        {"object": "error", "message": "boom", "code": 500},
        {"choices": [{"index": 0, "delta": {}, "error": {"message": "boom"}}]},
    ],
)
def test_mp14_an_error_in_mid_stream_is_a_failure_and_nothing_follows(payload: dict[str, Any]) -> None:
    error = failure(stream(chunk({"content": "a"}), payload, chunk({}, "stop")))
    assert error.message == "boom"
    assert error.kind is ErrorKind.UPSTREAM


def test_an_error_event_by_name_is_a_failure() -> None:
    raw = b'event: error\ndata: {"message":"boom"}\n\n'
    assert failure(stream(chunk({"content": "a"}), done=False) + raw).message == "boom"


@pytest.mark.parametrize("data", [b"{nonsense", b"[1]", b'"text"', b"3", b"[" * 5000, b"\xff\xfe"])
def test_a_frame_that_is_no_json_object_is_a_bad_frame(data: bytes) -> None:
    assert failure(stream(chunk({"content": "a"}), data)).code == "bad_frame"


def test_mp31_lone_surrogates_become_replacement_characters() -> None:
    raw = stream(b'{"id":"1","choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}', chunk({}, "stop"))
    assert fold(events(raw)).parts == [Text("a\ufffd")]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "ping"},
        {"choices": None},
        {"choices": [None, 3]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": "x"}]},
        {"choices": [{"index": 0, "delta": {"content": 5}}]},
        {"choices": [{"index": 0, "delta": {"content": [None, 4, {"type": 3}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [None, 3, {"function": "x", "index": "y", "id": 4}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": {"a": 1}, "refusal": 3, "annotations": "x"}}]},
        {"choices": [{"index": 0, "delta": {"images": [{"image_url": None}, 3], "reasoning_details": [3, {}]}}]},
        {"choices": [{"index": 0, "delta": {}, "logprobs": 3}], "usage": 7, "created": "x", "id": 5, "model": {}},
        {"choices": [{"index": 1, "delta": {"content": "second choice"}, "finish_reason": "stop"}]},
        {"choices": [], "prompt_filter_results": []},
    ],
)
def test_odd_but_harmless_frames_do_not_disturb_the_answer(payload: dict[str, Any]) -> None:
    answer = fold(events(stream(payload, chunk({"content": "ok"}), payload, chunk({}, "stop"), payload)))
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    assert "".join(texts) == "ok"
    assert answer.finish is FinishReason.STOP


def test_mp10_frames_without_space_with_crlf_comments_and_several_data_lines_are_read() -> None:
    raw = (
        b'data:{"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}\r\n\r\n: ping\r\n\r\n'
        b'data: {"id":"1",\r\ndata: "choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\n'
    )
    assert fold(events(raw)).parts == [Text("a")]


def test_after_the_end_the_reader_is_silent() -> None:
    raw = stream(chunk({"content": "a"}, "stop")) + stream(chunk({"content": "more"}, "stop"))
    assert [type(event) for event in events(raw)].count(Finish) == 1
    assert fold(events(raw)).parts == [Text("a")]
