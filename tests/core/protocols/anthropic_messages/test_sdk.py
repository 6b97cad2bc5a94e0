"""Anthropic's own SDK as the judge of what clients receive: its accumulator, its JSON models, its exceptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import FinishReason, Usage
from tests.core.protocols.anthropic_messages.builders import CODEC, G, M, said, scope


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> anthropic.Anthropic:
    transport = httpx2.MockTransport(answer)
    return anthropic.Anthropic(
        api_key="k", base_url="http://gateway", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def streamed(data: bytes) -> Any:
    sse = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=data)
    with client(lambda _: sse).messages.stream(
        model="m", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        return stream.get_final_message()


def plain(data: bytes) -> Any:
    sent = httpx2.Response(200, headers={"content-type": "application/json"}, content=data)
    return client(lambda _: sent).messages.create(
        model="m", max_tokens=10, messages=[{"role": "user", "content": "hi"}]
    )


START = Start("msg_1", "model-x", usage=Usage(input=9))
USAGE = UsageSeen(Usage(input=9, output=8, cache_read=7, cache_write=6, reasoning=5))
CASES: dict[str, list[StreamEvent]] = {
    "text": [START, PartStart(0, "text"), TextDelta(0, "Hej "), TextDelta(0, "då ✓"), USAGE, Finish(FinishReason.STOP)],
    "thinking and a call": [
        START,
        PartStart(0, "thinking", origin=M),
        TextDelta(0, "hm"),
        SignatureDelta(0, "EqQB"),
        PartStop(0),
        PartStart(1, "tool_call", id="toolu_1", name="run"),
        ArgumentsDelta(1, '{"a": [1, '),
        ArgumentsDelta(1, "2]}"),
        PartStop(1),
        USAGE,
        Finish(FinishReason.TOOL_CALLS),
    ],
    "foreign thinking": [
        START,
        PartStart(0, "thinking", origin=G),
        TextDelta(0, "hm"),
        SignatureDelta(0, "tok"),
        PartStop(0),
        PartStart(1, "thinking"),
        TextDelta(1, "plain"),
        PartStop(1),
        PartStart(2, "text"),
        TextDelta(2, "hi"),
        PartStop(2),
        USAGE,
        Finish(FinishReason.STOP),
    ],
    "parallel calls": [
        START,
        PartStart(0, "tool_call", id="a", name="run"),
        PartStart(1, "tool_call", id="b", name="run"),
        ArgumentsDelta(1, '{"b":2}'),
        ArgumentsDelta(0, '{"a":1}'),
        PartStop(0),
        PartStop(1),
        USAGE,
        Finish(FinishReason.TOOL_CALLS),
    ],
    "refusal": [START, PartStart(0, "refusal"), TextDelta(0, "no"), PartStop(0), USAGE, Finish(FinishReason.REFUSAL)],
    "length": [START, PartStart(0, "text"), TextDelta(0, "cut"), PartStop(0), USAGE, Finish(FinishReason.LENGTH)],
}
EXPECTED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "text": ([{"type": "text", "text": "Hej då ✓"}], "end_turn"),
    "thinking and a call": (
        [
            {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
            {"type": "tool_use", "id": "toolu_1", "name": "run", "input": {"a": [1, 2]}},
        ],
        "tool_use",
    ),
    "foreign thinking": (
        [
            {"type": "thinking", "thinking": "hm", "signature": "routecodex.gemini.tok"},
            {"type": "thinking", "thinking": "plain", "signature": "routecodex.unsigned"},
            {"type": "text", "text": "hi"},
        ],
        "end_turn",
    ),
    "parallel calls": (
        [
            {"type": "tool_use", "id": "a", "name": "run", "input": {"a": 1}},
            {"type": "tool_use", "id": "b", "name": "run", "input": {"b": 2}},
        ],
        "tool_use",
    ),
    "refusal": ([{"type": "text", "text": "no"}], "refusal"),
    "length": ([{"type": "text", "text": "cut"}], "max_tokens"),
}


def assert_message(message: Any, name: str) -> None:
    content, reason = EXPECTED[name]
    got = [block.to_dict() for block in message.content]
    for block in got:
        block.pop("parsed_output", None)
    assert got == content
    assert (message.id, message.model, message.stop_reason) == ("msg_1", "model-x", reason)
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (9, 8)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (7, 6)
    assert usage.output_tokens_details.thinking_tokens == 5


@pytest.mark.parametrize("name", CASES)
def test_the_sdk_accumulates_our_stream(name: str) -> None:
    assert_message(streamed(said(CASES[name])), name)


@pytest.mark.parametrize("name", CASES)
def test_the_sdk_reads_our_json_answer(name: str) -> None:
    assert_message(plain(CODEC.write_answer(fold(CASES[name]), scope())), name)


def test_mp26_keepalives_before_the_message_do_not_disturb_the_sdk() -> None:
    ping = CODEC.stream_writer(scope()).keepalive()
    assert_message(streamed(ping + ping + said(CASES["text"])), "text")


@pytest.mark.parametrize("before", [0, 1, 3])
def test_mp14_a_failure_in_the_stream_raises_in_the_sdk(before: int) -> None:
    error = GatewayError(ErrorKind.OVERLOADED, "overloaded", "busy")
    with pytest.raises(anthropic.APIStatusError) as caught:
        streamed(said([*CASES["text"][:before], Failed(error)]))
    assert caught.value.type == "overloaded_error"
    assert caught.value.error_code == "overloaded"


def test_mp14_a_cut_stream_is_no_final_message() -> None:
    message = streamed(said(CASES["text"][:3]))
    assert message.stop_reason is None


@pytest.mark.parametrize(
    ("kind", "exception"),
    [
        (ErrorKind.INVALID_REQUEST, anthropic.BadRequestError),
        (ErrorKind.AUTHENTICATION, anthropic.AuthenticationError),
        (ErrorKind.PERMISSION, anthropic.PermissionDeniedError),
        (ErrorKind.NOT_FOUND, anthropic.NotFoundError),
        (ErrorKind.RATE_LIMIT, anthropic.RateLimitError),
        (ErrorKind.INTERNAL, anthropic.InternalServerError),
        (ErrorKind.OVERLOADED, anthropic.InternalServerError),
    ],
)
def test_mp15_the_sdk_raises_its_own_exception_for_our_errors(kind: ErrorKind, exception: type[Exception]) -> None:
    reply = CODEC.write_error(GatewayError(kind, "some_code", "It broke."), "req_1")
    sent = httpx2.Response(reply.status, headers=reply.headers, content=reply.body)
    with pytest.raises(exception) as caught:
        client(lambda _: sent).messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    error = caught.value
    assert isinstance(error, anthropic.APIStatusError)
    assert (error.error_code, error.request_id) == ("some_code", "req_1")
    assert error.type == json.loads(reply.body)["error"]["type"]


def test_mp29_the_sdk_reads_our_token_count() -> None:
    sent = httpx2.Response(200, content=CODEC.write_count(42, True), headers={"content-type": "application/json"})
    counted = client(lambda _: sent).messages.count_tokens(model="m", messages=[{"role": "user", "content": "x"}])
    assert counted.input_tokens == 42
