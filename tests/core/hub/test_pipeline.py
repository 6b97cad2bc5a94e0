"""The Hub Pipeline itself: bytes survive, openers wait, failures are seen, state is kept."""

from __future__ import annotations

import json

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.pipeline import PipelineSettings

from .support import Bench, chunk, frames

C, R, M, G = (
    Protocol.OPENAI_CHAT,
    Protocol.OPENAI_RESPONSES,
    Protocol.ANTHROPIC_MESSAGES,
    Protocol.GEMINI,
)
HELLO = [{"role": "user", "content": "hi"}]
USAGE = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []} | {
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
}


# --- bytes survive -------------------------------------------------------------------------------------


def test_mp27_same_protocol_replaces_the_model_and_keeps_every_other_byte() -> None:
    body = (
        b'{"zeta": 1e5, "model": "chat.m", "messages": [{"role":"user","content":"\\u00e9 \\/ \\ud83d\\ude00"}],'
        b' "temperature": 1.10, "x_unknown": {"b":1,"a":[ 1 , 2 ]}}'
    )
    sent = Bench().sent(C, body)
    assert json.loads(sent) == json.loads(body) | {"model": "m"}
    for kept in (b"1e5", b"1.10", b"\\u00e9 \\/ \\ud83d\\ude00", b'{"b":1,"a":[ 1 , 2 ]}'):
        assert kept in sent
    assert list(json.loads(sent)) == list(json.loads(body))


def test_mp31_a_lone_surrogate_keeps_its_bytes_in_the_same_protocol() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"cut \\ud83d"}],"max_tokens":5}'
    sent = Bench().sent(M, body.replace(b'"m"', b'"messages.m"'))
    assert b"cut \\ud83d" in sent or "cut \ufffd".encode() in sent


def test_mp31_a_lone_surrogate_becomes_the_replacement_character_in_translation() -> None:
    sent = Bench().sent(M, b'{"model":"chat.m","messages":[{"role":"user","content":"cut \\ud83d"}],"max_tokens":5}')
    assert "cut \ufffd".encode() in sent


def test_mp12_usage_is_always_requested_of_a_chat_upstream() -> None:
    sent = json.loads(Bench().sent(C, {"model": "chat.m", "messages": HELLO, "stream": True}))
    assert sent["stream_options"] == {"include_usage": True}


# --- faults of the client ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"7", "invalid_json"),
        (b'{"model":' + b"[" * 300 + b"]" * 300 + b"}", "json_too_deep"),
    ],
)
@pytest.mark.parametrize("protocol", [C, R, M, G])
def test_mp31_what_is_no_request_is_a_400_that_says_why(protocol: Protocol, body: bytes, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        Bench().admit(protocol, body)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caught.value.message.endswith(".")  # the next step follows as a sentence of its own


# --- the way back --------------------------------------------------------------------------------------


def test_openers_wait_for_content_and_then_come_first() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO, "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    role, text, stop = frames(chunk({"role": "assistant", "content": ""}), chunk({"content": "a"}), chunk({}, "stop"))
    assert way.feed(role) == b""
    assert way.judged
    assert not way.content
    assert way.feed(text) == role + text
    assert way.content
    assert way.feed(stop) == stop
    assert way.feed(b"data: [DONE]\n\n") == b"data: [DONE]\n\n"
    assert way.finished


def test_mp12_the_usage_chunk_the_client_did_not_ask_for_is_kept_from_it() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO, "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    out = b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop"), USAGE, "[DONE]"))
    assert b"usage" not in out
    assert out.endswith(b"data: [DONE]\n\n")
    usage = way.outcome().usage
    assert usage is not None
    assert (usage.input, usage.output) == (3, 2)


def test_mp12_the_usage_chunk_goes_out_where_the_client_asked_for_it() -> None:
    bench = Bench()
    body = {"model": "chat.m", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True}}
    exchange = bench.admit(C, body)
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    out = b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop"), USAGE, "[DONE]"))
    assert out.count(b'"usage"') == 1


def test_mp10_a_forwarded_chat_stream_ends_in_done_even_if_the_upstream_forgot_it() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO, "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    out = b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop")))
    assert (out + way.end()).endswith(b"data: [DONE]\n\n")
    assert way.finished


@pytest.mark.parametrize("protocol", [C, M, R, G])
def test_mp14_a_stream_that_is_cut_is_a_failure_for_every_client(protocol: Protocol) -> None:
    bench = Bench()
    body: dict[str, object] = {
        C: {"model": "chat.m", "messages": HELLO, "stream": True},
        M: {"model": "chat.m", "messages": HELLO, "stream": True, "max_tokens": 9},
        R: {"model": "chat.m", "input": "hi", "stream": True},
        G: {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    }[protocol]
    path = "/v1beta/models/chat.m:streamGenerateContent" if protocol is G else None
    exchange = bench.admit(protocol, body, path=path, query={"alt": "sse"})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    out = way.feed(frames(chunk({"content": "half"}))[0])
    assert way.end() == b""
    assert way.failure is not None
    assert way.failure.code == "truncated_stream"
    assert not way.finished
    ending = bench.pipeline.fail(exchange, way.failure)
    assert b"error" in ending or b"response.failed" in ending
    assert b"[DONE]" not in out + ending
    assert b"end_turn" not in out + ending


def test_mp16_an_error_in_a_200_is_a_failure_before_anything_was_said() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO, "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    assert way.feed(frames({"error": {"message": "busy", "type": "rate_limit_error", "code": 429}})[0]) == b""
    assert way.failure is not None
    assert way.failure.kind is ErrorKind.RATE_LIMIT
    assert not way.content


def test_a_json_answer_to_a_streaming_client_is_unfolded() -> None:
    bench = Bench()
    exchange = bench.admit(M, {"model": "chat.m", "messages": HELLO, "stream": True, "max_tokens": 9})
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    message = {"role": "assistant", "content": "whole"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE["usage"]}
    way.feed(json.dumps({**answer, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode())
    out = way.end().decode()
    assert way.failure is None
    assert out.index("message_start") < out.index("whole") < out.index("message_stop")


def test_a_stream_to_a_client_that_wants_json_is_folded() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    for frame in frames(chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop"), USAGE, "[DONE]"):
        assert way.feed(frame) == b""
    answer = json.loads(way.end())
    assert answer["choices"][0]["message"]["content"] == "ab"
    assert answer["usage"]["total_tokens"] == 5


def test_mp26_after_a_keepalive_of_the_gateways_own_the_stream_keeps_its_ids() -> None:
    bench = Bench()
    exchange = bench.admit(C, {"model": "chat.m", "messages": HELLO, "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    out = bench.pipeline.keepalive(exchange)
    out += b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]"))
    ids = {json.loads(line[6:])["id"] for line in out.split(b"\n\n") if line.startswith(b"data: {")}
    assert len(ids) == 1


# --- Responses state -----------------------------------------------------------------------------------


def answered(bench: Bench, body: dict[str, object]) -> str:
    """Runs one Responses request over the chat upstream and keeps its record; the response's id."""
    exchange = bench.admit(R, body)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    message = {"role": "assistant", "content": "pong"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    way.feed(json.dumps({"id": "c", "model": "m", "created": 1, "choices": [choice]}).encode())
    response_id = json.loads(way.end())["id"]
    record = way.outcome().delta.response
    if record is not None:
        bench.responses.put(record)
    return str(response_id)


def test_mp21_a_previous_response_is_expanded_for_any_upstream() -> None:
    bench = Bench()
    first = answered(bench, {"model": "chat.m", "input": "ping"})
    sent = json.loads(bench.sent(R, {"model": "chat.m", "input": "again", "previous_response_id": first}))
    said = [(message["role"], message["content"]) for message in sent["messages"]]
    assert said == [("user", "ping"), ("assistant", "pong"), ("user", "again")]


def test_mp21_an_unknown_previous_response_is_a_404() -> None:
    with pytest.raises(GatewayError) as caught:
        Bench().admit(R, {"model": "chat.m", "input": "x", "previous_response_id": "resp_nothing"})
    assert (caught.value.status, caught.value.code) == (404, "previous_response_not_found")


def test_mp21_store_false_leaves_no_record() -> None:
    bench = Bench()
    answered(bench, {"model": "chat.m", "input": "ping", "store": False})
    assert bench.responses.entries == {}


def test_r_streams_end_in_done_only_where_the_setting_says_so() -> None:
    for marker in (True, False):
        bench = Bench(settings=PipelineSettings(done_marker=marker))
        exchange = bench.admit(R, {"model": "chat.m", "input": "ping", "stream": True})
        way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
        out = b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]"))
        assert out.endswith(b"data: [DONE]\n\n") is marker


def test_mp10_a_failure_in_the_same_read_as_content_goes_on_with_the_numbers_that_went_out() -> None:
    bench = Bench()
    exchange = bench.admit(R, {"model": "responses.m", "input": "hi", "stream": True})
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **where, "part": part},
        {"type": "response.output_text.delta", **where, "delta": "half", "logprobs": []},
    ]
    good = frames(*({**event, "sequence_number": number} for number, event in enumerate(events)))
    out = way.feed(b"".join(good) + b"data: <html>bad gateway\n\n")
    assert way.failure is not None
    out += bench.pipeline.fail(exchange, way.failure)
    numbers = [json.loads(line[6:])["sequence_number"] for line in out.split(b"\n") if line.startswith(b"data: {")]
    assert numbers == [0, 1, 2, 3, 4]
