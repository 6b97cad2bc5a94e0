"""The vendor's own SDK reads what this codec writes: streams through its accumulator, answers, errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx2
import openai
import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.events import Failed, PartStart, Start, StreamEvent, TextDelta
from llmswitch_core.canonical.fold import unfold
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    Media,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)

from .support import CODEC, read, scope, written

MESSAGES: Any = [{"role": "user", "content": "hi"}]


def client(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> openai.OpenAI:
    """The SDK against a transport that answers with our bytes."""
    kind = "application/json" if body[:1] == b"{" else "text/event-stream"

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind, **(headers or {})})

    return openai.OpenAI(
        api_key="k",
        base_url="http://gateway.invalid/v1",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    )


def streamed(events: Sequence[StreamEvent]) -> bytes:
    writer = CODEC.stream_writer(scope(include_usage=True))
    return b"".join(writer.write(event) for event in events)


def accumulated(answer: Answer) -> Any:
    """The SDK's final message of our stream of this answer."""
    sdk = client(streamed(unfold(answer)))
    with sdk.chat.completions.stream(model="m", messages=MESSAGES, stream_options={"include_usage": True}) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion()


def parsed(answer: Answer) -> Any:
    """The SDK's reading of our whole body of this answer."""
    return client(CODEC.write_answer(answer, scope())).chat.completions.create(model="m", messages=MESSAGES)


def answer(*parts: Any, finish: FinishReason = FinishReason.STOP) -> Answer:
    usage = Usage(input=5, output=7, cache_read=3, reasoning=4)
    return Answer(id="chatcmpl-1", model="m-1", parts=list(parts), finish=finish, usage=usage, created=3)


@pytest.fixture(params=["streamed", "whole"])
def sdk(request: pytest.FixtureRequest) -> Any:
    return accumulated if request.param == "streamed" else parsed


def test_text_thinking_finish_and_usage(sdk: Any) -> None:
    got = sdk(answer(Thinking("hm"), Text("Hello")))
    choice = got.choices[0]
    assert (got.id, got.model, got.created) == ("chatcmpl-1", "m-1", 3)
    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == ("Hello", None, "stop")
    assert choice.message.reasoning_content == "hm"
    usage = got.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (8, 7, 15)
    assert usage.prompt_tokens_details.cached_tokens == 3
    assert usage.completion_tokens_details.reasoning_tokens == 4


def test_mp01_mp03_parallel_calls(sdk: Any) -> None:
    calls = [ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "g", "{}"), ToolCall("c", "f", '{"x": "é🙂"}')]
    message = sdk(answer(*calls, finish=FinishReason.TOOL_CALLS)).choices[0]
    assert message.finish_reason == "tool_calls"
    assert message.message.content is None
    assert [(call.id, call.function.name, call.function.arguments) for call in message.message.tool_calls] == [
        (call.id, call.name, call.arguments) for call in calls
    ]


def test_refusals(sdk: Any) -> None:
    got = sdk(answer(Refusal("I can't"), finish=FinishReason.REFUSAL)).choices[0]
    assert (got.message.refusal, got.message.content, got.finish_reason) == ("I can't", None, "stop")


def test_several_images_and_citations(sdk: Any) -> None:
    notes = [{"type": "url_citation", "url_citation": {"url": f"https://x/{n}"}} for n in range(2)]
    images = [Media("image", url=f"https://x/{n}.png") for n in range(2)]
    message = sdk(answer(Text("a", citations=notes), *images)).choices[0].message
    assert [item["image_url"]["url"] for item in message.images] == ["https://x/0.png", "https://x/1.png"]
    urls = [getattr(item, "url_citation", None) or item["url_citation"] for item in message.annotations]
    assert [url["url"] if isinstance(url, dict) else url.url for url in urls] == ["https://x/0", "https://x/1"]


def test_mp07_signed_thinking_survives_the_clients_own_bookkeeping(sdk: Any) -> None:
    """What the SDK accumulated and a client sends back is, once read, the thinking that was signed."""
    parts = [
        Thinking("one", signature="S1", origin=Protocol.ANTHROPIC_MESSAGES),
        Thinking(redacted="RED", origin=Protocol.ANTHROPIC_MESSAGES),
        Thinking("two", signature="S2", origin=Protocol.ANTHROPIC_MESSAGES),
        Thinking("sum", signature="ENC", summary=True, id="rs_1", origin=Protocol.OPENAI_RESPONSES),
        ToolCall("c", "f", "{}", signature="G"),
    ]
    message = sdk(answer(*parts, finish=FinishReason.TOOL_CALLS)).choices[0].message
    back = read(messages=[*MESSAGES, message.model_dump(exclude_none=True)])
    assert back.turns[1].parts == parts


def test_mp14_a_failed_stream_raises_in_the_sdk() -> None:
    error = GatewayError(ErrorKind.UPSTREAM, "truncated_stream", "It was cut.")
    raw = streamed([Start("x", "m"), PartStart(0, "text"), TextDelta(0, "Hel"), Failed(error)])
    chunks = iter(client(raw).chat.completions.create(model="m", messages=MESSAGES, stream=True))
    seen = [next(chunks).choices[0].delta.content or "" for _ in range(2)]
    with pytest.raises(openai.APIError) as caught:
        next(chunks)
    assert "".join(seen) == "Hel"
    assert (caught.value.message, caught.value.code, caught.value.type) == (
        "It was cut.",
        "truncated_stream",
        "server_error",
    )


def test_mp26_keepalives_pass_through_the_accumulator() -> None:
    writer = CODEC.stream_writer(scope(include_usage=True))
    events = unfold(answer(Text("Hello"), ToolCall("a", "f", "{}"), finish=FinishReason.TOOL_CALLS))
    raw = writer.keepalive() + b"".join(writer.write(event) + writer.keepalive() for event in events)
    with client(raw).chat.completions.stream(model="m", messages=MESSAGES) as stream:
        got = stream.get_final_completion().choices[0]
    assert got.message.content == "Hello"
    assert got.message.tool_calls is not None
    assert len(got.message.tool_calls) == 1


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (ErrorKind.INVALID_REQUEST, openai.BadRequestError),
        (ErrorKind.AUTHENTICATION, openai.AuthenticationError),
        (ErrorKind.PERMISSION, openai.PermissionDeniedError),
        (ErrorKind.NOT_FOUND, openai.NotFoundError),
        (ErrorKind.CONFLICT, openai.ConflictError),
        (ErrorKind.RATE_LIMIT, openai.RateLimitError),
        (ErrorKind.OVERLOADED, openai.InternalServerError),
        (ErrorKind.UPSTREAM, openai.InternalServerError),
    ],
)
def test_mp15_errors_raise_the_sdks_own_class(kind: ErrorKind, raised: type[openai.APIStatusError]) -> None:
    reply = CODEC.write_error(GatewayError(kind, "the_code", "Cause.", param="p", retry_after=3), "req_1")
    sdk = client(reply.body, status=reply.status, headers=reply.headers)
    with pytest.raises(raised) as caught:
        sdk.chat.completions.create(model="m", messages=MESSAGES)
    assert (caught.value.code, caught.value.param, caught.value.request_id) == ("the_code", "p", "req_1")
    assert caught.value.response.headers["retry-after"] == "3"


def test_custom_calls_are_typed_by_the_sdk() -> None:
    got = parsed(answer(ToolCall("c", "p", "free", kind="custom"), finish=FinishReason.TOOL_CALLS))
    call = got.choices[0].message.tool_calls[0]
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "p", "free")


def test_an_sdk_message_goes_back_upstream_unchanged() -> None:
    message = parsed(answer(Text("a"), ToolCall("c", "f", "{}"), finish=FinishReason.TOOL_CALLS)).choices[0].message
    history = [
        *MESSAGES,
        json.loads(message.model_dump_json()),
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    body, notes = written(read(messages=history))
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert body["messages"][1:] == [{"role": "assistant", "content": "a", "tool_calls": [call]}, history[2]]
    assert notes == {}
