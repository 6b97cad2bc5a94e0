"""What one attempt may leave behind for the next, and what a same-protocol request or answer may lose on its way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Issuer, Protocol
from llmswitch_core.hub.tokens import issued
from tests.core.hub.support import NAMES, Bench, chunk, frames

C, R, M, G = Protocol.OPENAI_CHAT, Protocol.OPENAI_RESPONSES, Protocol.ANTHROPIC_MESSAGES, Protocol.GEMINI

REQUESTS: dict[Protocol, dict[str, Any]] = {
    C: {"model": "chat.main.m", "stream": True, "messages": [{"role": "user", "content": "x"}]},
    R: {"model": "responses.main.m", "stream": True, "input": "x"},
    M: {"model": "messages.main.m", "stream": True, "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]},
    G: {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
}
ANSWERS: dict[Protocol, dict[str, Any]] = {
    C: {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    },
    R: {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m",
        "store": True,
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "hello", "annotations": []}],
            }
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    },
    M: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    G: {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        "modelVersion": "m",
    },
}


class Written(msgspec.Struct, frozen=True):
    """A profile a user wrote."""

    name: str
    data: dict[str, Any]
    source: str = "test"


def admitted(bench: Bench, protocol: Protocol, body: dict[str, Any] | None = None) -> Any:
    if protocol is not G:
        return bench.admit(protocol, body or REQUESTS[protocol])
    path = "/v1beta/models/gemini.main.m:streamGenerateContent"
    return bench.admit(G, body or REQUESTS[G], path=path, query={"alt": "sse"})


@pytest.mark.parametrize("protocol", list(NAMES))
def test_mp01_a_json_answer_to_a_streaming_client_of_the_same_protocol_arrives_as_a_stream(protocol: Protocol) -> None:
    bench = Bench()
    exchange = admitted(bench, protocol)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    out = way.feed(msgspec.json.encode(ANSWERS[protocol])) + way.end()
    assert way.failure is None
    assert way.finished
    assert b"data: " in out
    assert b"hello" in out


def test_mp14_a_json_answer_that_fails_behind_its_content_can_still_be_replaced() -> None:
    bench = Bench()
    exchange = bench.admit(C, REQUESTS[C])
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    choice = {"index": 0, "message": {"role": "assistant", "content": "hel"}, "finish_reason": "error"}
    out = way.feed(msgspec.json.encode({**ANSWERS[C], "choices": [choice]})) + way.end()
    assert way.failure is not None
    assert not way.content
    assert out == b""


def test_mp12_an_answer_without_content_hides_the_usage_chunk_nobody_asked_for() -> None:
    bench = Bench()
    exchange = bench.admit(C, REQUESTS[C])
    way = bench.way(exchange, bench.plan(exchange), "text/event-stream")
    usage = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
    last = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    stream = frames(chunk({"role": "assistant", "content": ""}), chunk({}, "stop"), last, "[DONE]")
    out = b"".join(way.feed(frame) for frame in stream)
    assert b'"finish_reason":"stop"' in out
    assert out.endswith(b"data: [DONE]\n\n")
    assert b"usage" not in out
    told = way.outcome().usage
    assert told is not None
    assert told.input == 1


def test_mp18_rewriting_the_history_keeps_a_system_message_that_begins_it() -> None:
    bench = Bench()
    key, value = issued("SIG", Issuer("openai", "openai.main", "m"))
    bench.tokens.entries[key] = value
    thinking = {"type": "thinking", "thinking": "t", "signature": "SIG"}
    sent = msgspec.json.decode(
        bench.sent(
            M,
            {
                "model": "messages.main.m",
                "max_tokens": 5,
                "system": "A",
                "messages": [
                    {"role": "system", "content": "FIRST"},
                    {"role": "user", "content": "x"},
                    {"role": "assistant", "content": [thinking, {"type": "text", "text": "k"}]},
                    {"role": "user", "content": "y"},
                ],
            },
        )
    )
    assert [block["text"] for block in sent["system"]] == ["A", "FIRST"]
    assert b"SIG" not in msgspec.json.encode(sent)


def test_mp21_by_reference_only_the_new_items_go_out_although_the_history_has_a_foreign_token() -> None:
    bench = Bench()
    first = _answered(bench, "messages.main.m", "ONE", None, _thinking_answer())
    second = _answered(bench, "responses.main.m", "TWO", first, ANSWERS[R])
    exchange = bench.admit(R, {"model": "responses.main.m", "input": "THREE", "previous_response_id": second})
    plan = bench.plan(exchange)
    assert plan.upstream is not None
    assert msgspec.json.decode(plan.upstream.body) == {
        "model": "m",
        "input": "THREE",
        "previous_response_id": "resp_1",
    }


def _thinking_answer() -> dict[str, Any]:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "SIGM"}
    return {**ANSWERS[M], "content": [thinking, {"type": "text", "text": "a1"}]}


def _answered(bench: Bench, model: str, text: str, previous: str | None, answer: dict[str, Any]) -> str:
    body = {"model": model, "input": text, **({"previous_response_id": previous} if previous else {})}
    exchange = bench.admit(R, body)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    out = way.feed(msgspec.json.encode(answer)) + way.end()
    delta = way.outcome().delta
    bench.tokens.entries.update(delta.tokens)
    assert delta.response is not None
    bench.responses.put(delta.response)
    identity = msgspec.json.decode(out)["id"]
    assert isinstance(identity, str)
    return identity


@pytest.mark.parametrize("value", [5, True, ["resp_1"], {"id": "resp_1"}])
def test_mp21_a_previous_response_id_that_is_no_string_is_refused(value: Any) -> None:
    with pytest.raises(GatewayError) as raised:
        Bench().admit(R, {"model": "responses.main.m", "input": "x", "previous_response_id": value})
    assert (raised.value.status, raised.value.param) == (400, "previous_response_id")


def test_notes_tell_what_the_attempt_that_answered_could_not_carry() -> None:
    bench = Bench()
    body = {**REQUESTS[M], "model": "gpt", "top_k": 3}
    exchange = bench.admit(M, {**body, "model": "chat.main.m"})
    bench.plan(exchange)
    assert "sampling.top_k" in exchange.notes.header()
    exchange.conversation.model = "messages.main.m"
    bench.plan(exchange)
    assert exchange.notes.header() == ""


def test_a_keepalive_opens_the_stream_with_the_name_the_profile_wants_in_answers() -> None:
    bench = Bench("requested", documents=[Written("requested", {"model_name": "requested"})])
    exchange = bench.admit(C, REQUESTS[C])
    plan = bench.plan(exchange)
    assert b'"model":"chat.main.m"' in bench.pipeline.keepalive(exchange)
    way = bench.way(exchange, plan, "text/event-stream")
    out = b"".join(way.feed(frame) for frame in frames(chunk({"content": "a"}), chunk({}, "stop"), "[DONE]"))
    assert b'"model":"chat.main.m"' in out
    assert b'"model":"m"' not in out


@pytest.mark.parametrize("name", ["chat", "responses"])
def test_embeddings_go_to_the_embeddings_endpoint_of_every_openai_provider(name: str) -> None:
    bench = Bench("mistral")
    exchange = bench.admit(C, {"model": f"{name}.main.m", "input": "x", "dimensions": 3}, operation="embed")
    plan = bench.plan(exchange)
    assert plan.upstream is not None
    assert plan.upstream.path == "/embeddings"
    assert msgspec.json.decode(plan.upstream.body) == {"model": "m", "input": "x", "dimensions": 3}


def test_embeddings_of_a_messages_client_are_refused() -> None:
    bench = Bench()
    exchange = bench.admit(M, {"model": "messages.main.m", "input": "x"}, operation="embed")
    with pytest.raises(GatewayError) as raised:
        bench.plan(exchange)
    assert raised.value.code == "unsupported_embeddings"
    assert "tried" not in raised.value.text  # nobody was


@pytest.mark.parametrize(
    ("action", "operation", "body", "sent"),
    [
        (
            "countTokens",
            "count_tokens",
            {"generateContentRequest": {"model": "models/alias", "contents": [{"parts": [{"text": "x"}]}]}},
            {"generateContentRequest": {"model": "models/m", "contents": [{"parts": [{"text": "x"}]}]}},
        ),
        (
            "batchEmbedContents",
            "embed",
            {"requests": [{"model": "models/alias", "content": {"parts": [{"text": "x"}]}}]},
            {"requests": [{"model": "models/m", "content": {"parts": [{"text": "x"}]}}]},
        ),
        (
            "embedContent",
            "embed",
            {"model": "models/alias", "content": {"parts": [{"text": "x"}]}},
            {"model": "models/m", "content": {"parts": [{"text": "x"}]}},
        ),
    ],
)
def test_mp29_a_gemini_body_names_the_model_of_its_path(
    action: str, operation: Any, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    path = f"/v1beta/models/gemini.main.m:{action}"
    assert msgspec.json.decode(Bench().sent(G, body, operation=operation, path=path)) == sent
