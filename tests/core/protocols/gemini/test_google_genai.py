"""The vendor's own SDK as oracle: what google-genai makes of our bytes, and what it sends us."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.fold import unfold
from llmswitch_core.canonical.model import Answer, FinishReason, Refusal, Text, Thinking, ToolCall, ToolResult, Usage
from llmswitch_core.protocols.contract import RequestHead

from .support import GEMINI, scope, streamed

ANSWER = Answer(
    "resp_1",
    "gemini-x",
    [
        Thinking("Let me think. "),
        Text("Hällo 🌍"),
        ToolCall("call_1", "get_weather", '{"city": "Paris", "n": 1e2}', signature="QUJD"),
        ToolCall("call_2", "get_time", ""),
    ],
    FinishReason.TOOL_CALLS,
    usage=Usage(input=10, output=7, cache_read=5, cache_write=2, reasoning=3),
)


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> genai.Client:
    return genai.Client(
        api_key="k",
        http_options=types.HttpOptions(
            base_url="http://gateway", httpx_client=httpx2.Client(transport=httpx2.MockTransport(answer))
        ),
    )


def serving(body: bytes, status: int = 200, kind: str = "text/event-stream") -> genai.Client:
    return client(lambda _: httpx2.Response(status, headers={"content-type": kind}, content=body))


def stream(body: bytes) -> list[types.GenerateContentResponse]:
    return list(serving(body).models.generate_content_stream(model="m", contents="hi"))


def parts(chunks: list[types.GenerateContentResponse]) -> list[types.Part]:
    return [
        part
        for chunk in chunks
        for candidate in chunk.candidates or ()
        for part in (candidate.content.parts if candidate.content else None) or ()
        if part != types.Part(text="")
    ]


def check(found: list[types.Part], last: types.GenerateContentResponse) -> None:
    thought, text, weather, clock = found
    assert (thought.thought, thought.text, text.text) == (True, "Let me think. ", "Hällo 🌍")
    assert weather.function_call is not None
    assert clock.function_call is not None
    assert (weather.function_call.id, weather.function_call.name) == ("call_1", "get_weather")
    assert weather.function_call.args == {"city": "Paris", "n": 100.0}
    assert weather.thought_signature == b"ABC"
    assert (clock.function_call.id, clock.function_call.args) == ("call_2", {})
    assert last.candidates is not None
    assert last.candidates[0].finish_reason is types.FinishReason.STOP
    usage = last.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (17, 5)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (4, 3, 24)
    assert (last.response_id, last.model_version) == ("resp_1", "gemini-x")


@pytest.mark.mp("MP-01")
def test_a_streamed_answer_is_what_was_said() -> None:
    chunks = stream(streamed(unfold(ANSWER)))
    check(parts(chunks), chunks[-1])


def test_a_whole_answer_is_what_was_said() -> None:
    body = GEMINI.write_answer(ANSWER, scope())
    got = serving(body, kind="application/json").models.generate_content(model="m", contents="hi")
    check(parts([got]), got)


@pytest.mark.parametrize("reason", [FinishReason.REFUSAL, FinishReason.CONTENT_FILTER])
def test_a_refusal_is_text_and_a_safety_finish(reason: FinishReason) -> None:
    chunks = stream(streamed(unfold(Answer("r", "m", [Refusal("I can't.")], reason))))
    assert "".join(chunk.text or "" for chunk in chunks) == "I can't."
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.SAFETY


@pytest.mark.mp("MP-26")
def test_keepalives_are_no_content_and_do_not_spoil_a_chats_memory() -> None:
    writer = GEMINI.stream_writer(scope())
    data = writer.keepalive()
    for event in unfold(Answer("r", "m", [Text("hello")], FinishReason.STOP)):
        data += writer.write(event) + writer.keepalive()
    chat = serving(data).chats.create(model="m")
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream("hi")) == "hello"
    curated = chat.get_history(curated=True)
    assert {content.role for content in curated} == {"user", "model"}


@pytest.mark.mp("MP-14")
def test_a_failure_in_the_stream_raises() -> None:
    writer = GEMINI.stream_writer(scope())
    events = unfold(Answer("r", "m", [Text("hello")], FinishReason.STOP))
    data = b"".join(writer.write(event) for event in events[:-1])
    data += writer.fail(GatewayError(ErrorKind.UPSTREAM, "truncated_stream", "Cut."))
    seen: list[str] = []
    chunks = serving(data).models.generate_content_stream(model="m", contents="hi")
    with pytest.raises(errors.ServerError) as caught:
        seen.extend(chunk.text or "" for chunk in chunks)
    assert seen == ["hello"]
    assert (caught.value.code, caught.value.message) == (502, "Cut.")


@pytest.mark.mp("MP-15")
@pytest.mark.parametrize(
    ("kind", "error", "code", "word"),
    [
        (ErrorKind.RATE_LIMIT, errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind.INVALID_REQUEST, errors.ClientError, 400, "INVALID_ARGUMENT"),
        (ErrorKind.OVERLOADED, errors.ServerError, 503, "UNAVAILABLE"),
    ],
)
def test_errors_are_the_sdks_errors(kind: ErrorKind, error: type[errors.APIError], code: int, word: str) -> None:
    reply = GEMINI.write_error(GatewayError(kind, "c", "Why."), "req")
    with pytest.raises(error) as caught:
        serving(reply.body, reply.status, "application/json").models.generate_content(model="m", contents="hi")
    assert (caught.value.code, caught.value.status, caught.value.message) == (code, word, "Why.")


@pytest.mark.mp("MP-29")
@pytest.mark.parametrize("estimated", [True, False])
def test_counts_are_the_sdks_counts(estimated: bool) -> None:
    got = serving(GEMINI.write_count(42, estimated), kind="application/json").models.count_tokens(
        model="m", contents="hi"
    )
    assert got.total_tokens == 42


def test_a_tool_loop_of_the_sdk_is_read_back_whole() -> None:
    """The SDK's automatic function calling answers our call; the request it then sends has both."""
    bodies: list[dict[str, Any]] = []
    replies = [
        Answer(
            "r", "m", [ToolCall("call_1", "weather", '{"city":"Paris"}', signature="QUJD")], FinishReason.TOOL_CALLS
        ),
        Answer("r", "m", [Text("5C")], FinishReason.STOP),
    ]

    def reply(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        body = GEMINI.write_answer(replies[len(bodies) - 1], scope())
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    def weather(city: str) -> str:
        """Weather of a city."""
        return f"5C in {city}"

    config = types.GenerateContentConfig(tools=[weather])
    got = client(reply).models.generate_content(model="gemini-2.5-flash", contents="weather?", config=config)
    assert got.text == "5C"
    path = "/v1/models/gemini-2.5-flash:generateContent"
    talk = GEMINI.read_request(RequestHead("POST", path, {}, {}), bodies[1])
    call, result = talk.turns[1].parts[0], talk.turns[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.id, call.signature, json.loads(call.arguments)) == ("call_1", "QUJD", {"city": "Paris"})
    assert (result.call_id, result.content) == ("call_1", [Text("5C in Paris")])
