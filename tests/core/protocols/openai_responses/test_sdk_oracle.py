"""Our bytes through the vendor's own SDK: what its accumulator makes of them (openai-python over a mock transport)."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
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
from llmswitch_core.canonical.model import CustomTool, FinishReason, FunctionTool, Protocol, Usage
from llmswitch_core.protocols.openai_responses import websocket
from tests.core.protocols.openai_responses.support import CODEC, HEAD, scope, stream

M = Protocol.ANTHROPIC_MESSAGES
TOOLS = [FunctionTool("f"), CustomTool("patch")]

ANSWER: list[StreamEvent] = [
    Start("resp_up", "m-1"),
    PartStart(0, "thinking", origin=M),
    TextDelta(0, "let me "),
    TextDelta(0, "think"),
    SignatureDelta(0, "SIG"),
    PartStop(0),
    PartStart(1, "text"),
    TextDelta(1, "Hello "),
    TextDelta(1, "wörld \U0001f600"),
    PartStop(1),
    PartStart(2, "tool_call", id="c1", name="f"),
    PartStart(3, "tool_call", id="c2", name="f"),
    ArgumentsDelta(3, '{"b"'),
    ArgumentsDelta(2, '{"a"'),
    ArgumentsDelta(3, ":2}"),
    ArgumentsDelta(2, ":1}"),
    PartStop(2),
    PartStop(3),
    PartStart(4, "tool_call", id="c3", name="patch", call_kind="custom"),
    ArgumentsDelta(4, "*** Begin"),
    PartStop(4),
    UsageSeen(Usage(10, 20, 30, 0, 5)),
    Finish(FinishReason.TOOL_CALLS),
]


def client(body: bytes, *, status: int = 200, kind: str = "text/event-stream", headers: Any = None) -> openai.OpenAI:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": kind, **(headers or {})})

    transport = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://gateway/v1", http_client=transport, max_retries=0)


def streamed(events: list[StreamEvent]) -> Any:
    """The SDK's final response of these events."""
    body = stream(CODEC.stream_writer(scope(tools=TOOLS)), events)
    with client(body).responses.stream(model="m", input="hi") as running:
        for _ in running:
            pass
        return running.get_final_response()


def check(response: Any) -> None:
    reasoning, message, first, second, custom = response.output
    assert reasoning.summary[0].text == "let me think"
    assert reasoning.encrypted_content
    assert response.output_text == message.content[0].text == "Hello wörld \U0001f600"
    assert [(call.call_id, call.name, call.arguments) for call in (first, second)] == [
        ("c1", "f", '{"a":1}'),
        ("c2", "f", '{"b":2}'),
    ]
    assert (custom.type, custom.name, custom.input) == ("custom_tool_call", "patch", "*** Begin")
    assert response.status == "completed"
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (40, 20, 60)
    assert (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens) == (30, 5)


def test_mp01_mp03_mp12_the_sdk_accumulates_the_stream() -> None:
    check(streamed(ANSWER))


def test_the_sdk_reads_the_whole_answer() -> None:
    body = CODEC.write_answer(fold(ANSWER), scope(tools=TOOLS))
    check(client(body, kind="application/json").responses.create(model="m", input="hi"))


def test_mp13_a_refusal_reaches_the_sdk() -> None:
    events = [
        Start("r", "m"),
        PartStart(0, "refusal"),
        TextDelta(0, "I "),
        TextDelta(0, "won't"),
        PartStop(0),
        Finish(FinishReason.REFUSAL),
    ]
    part = streamed(events).output[0].content[0]
    assert (part.type, part.refusal) == ("refusal", "I won't")


def test_mp26_keepalives_are_no_obstacle_to_the_sdk() -> None:
    writer = CODEC.stream_writer(scope(tools=TOOLS))
    body = writer.keepalive() + writer.keepalive()
    body += b"".join(writer.write(event) + writer.keepalive() for event in ANSWER)
    with client(body).responses.stream(model="m", input="hi") as running:
        for _ in running:
            pass
        check(running.get_final_response())


def test_mp14_a_failure_in_the_stream_is_no_final_response() -> None:
    error = GatewayError(ErrorKind.OVERLOADED, "x", "Too busy.")
    body = stream(CODEC.stream_writer(scope()), [*ANSWER[:8], Failed(error)])
    with client(body).responses.stream(model="m", input="hi") as running:
        events = list(running)
        assert events[-1].type == "response.failed"
        assert events[-1].response.error.code == "server_is_overloaded"
        with pytest.raises(RuntimeError):
            running.get_final_response()


def test_mp14_an_incomplete_answer_says_so() -> None:
    body = stream(CODEC.stream_writer(scope()), [*ANSWER[:10], Finish(FinishReason.LENGTH)])
    *_, last = client(body).responses.create(model="m", input="hi", stream=True)
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (ErrorKind.INVALID_REQUEST, openai.BadRequestError),
        (ErrorKind.AUTHENTICATION, openai.AuthenticationError),
        (ErrorKind.PERMISSION, openai.PermissionDeniedError),
        (ErrorKind.NOT_FOUND, openai.NotFoundError),
        (ErrorKind.RATE_LIMIT, openai.RateLimitError),
        (ErrorKind.OVERLOADED, openai.InternalServerError),
        (ErrorKind.UPSTREAM, openai.InternalServerError),
    ],
)
def test_mp15_the_sdk_raises_its_own_error_for_ours(kind: ErrorKind, raised: type[openai.APIStatusError]) -> None:
    error = GatewayError(kind, "why", "The message.", param="p", retry_after=3)
    reply = CODEC.write_error(error, "req_9")
    with pytest.raises(raised) as caught:
        client(reply.body, status=reply.status, kind="application/json", headers=reply.headers).responses.create(
            model="m", input="hi"
        )
    assert "The message." in caught.value.message
    assert (caught.value.code, caught.value.param) == ("why", "p")
    assert caught.value.request_id == "req_9"
    assert caught.value.response.headers["retry-after"] == "3"


def test_what_the_sdk_read_can_be_sent_back_as_input() -> None:
    response = streamed(ANSWER)
    items = [item.model_dump(exclude_none=True) for item in response.output]
    body = CODEC.read_request(HEAD, {"model": "m", "input": items})
    (turn,) = body.turns
    assert [type(part).__name__ for part in turn.parts] == ["Thinking", "Text", "ToolCall", "ToolCall", "ToolCall"]
    assert turn.parts[0].signature == "SIG"  # type: ignore[union-attr]


def test_a_prepared_response_is_one_the_sdk_accepts() -> None:
    body, response = websocket.prepared(scope())
    with client(body).responses.stream(model="m", input="hi") as running:
        for _ in running:
            pass
        final = running.get_final_response()
    assert (final.id, final.output) == (response["id"], [])


def test_the_counting_answer_is_the_sdks() -> None:
    counted = client(CODEC.write_count(12, False), kind="application/json").responses.input_tokens.count(
        model="m", input="x"
    )
    assert counted.input_tokens == 12
