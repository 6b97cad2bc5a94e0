"""The vendors' SDKs read the fake upstream's failures: errors by status, in a 200, mid-stream, and cuts."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors as google_errors
from tests.fake_upstream import (
    Cut,
    ErrorIn200,
    ErrorStatus,
    FakeUpstream,
    MidStreamError,
    RecordedRequest,
    Script,
    Text,
)
from tests.upstream_selftest.sdk import PROTOCOLS, ask, asker

SDK_ERRORS = (openai.APIError, anthropic.APIStatusError, google_errors.APIError)
each = pytest.mark.parametrize("protocol", PROTOCOLS)
both = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])

# status -> what each SDK says of it
TYPES = {
    "openai-chat": {400: "BadRequestError", 401: "AuthenticationError", 429: "RateLimitError"},
    "openai-responses": {404: "NotFoundError", 500: "InternalServerError", 503: "InternalServerError"},
    "anthropic-messages": {
        400: "BadRequestError",
        401: "AuthenticationError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        413: "ContentTooLargeError",
        429: "RateLimitError",
        500: "InternalServerError",
        529: "OverloadedError",
    },
    "gemini": {400: "ClientError", 403: "ClientError", 429: "ClientError", 503: "ServerError"},
}


@both
@pytest.mark.parametrize(("protocol", "status", "name"), [(p, s, n) for p, m in TYPES.items() for s, n in m.items()])
async def test_an_error_status_has_the_vendors_shape(protocol: str, status: int, name: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        up.script(ErrorStatus(status, "because so"))
        with pytest.raises(Exception, match="because so") as caught:
            await ask(protocol, up.url, stream=stream)
        assert type(caught.value).__name__ == name
        assert up.last.status == status


async def test_retry_after_travels_in_header_and_in_googles_details() -> None:
    async with FakeUpstream() as up:
        up.always(ErrorStatus(429, "slow down", headers=(("retry-after", "7"),)))
        with pytest.raises(openai.RateLimitError) as caught:
            await ask("openai-chat", up.url, stream=False)
        assert caught.value.response.headers["retry-after"] == "7"
        assert caught.value.code == "rate_limit_exceeded"
        with pytest.raises(google_errors.ClientError) as google:
            await ask("gemini", up.url, stream=False)
        assert google.value.status == "RESOURCE_EXHAUSTED"
        assert google.value.details["error"]["details"][0]["retryDelay"] == "7s"


@each
async def test_an_error_as_first_event_of_a_200_is_raised(protocol: str) -> None:
    async with FakeUpstream() as up:
        up.script(ErrorIn200(529, "overloaded now"))
        if protocol == "openai-responses":
            async with asker(protocol, up.url) as client:
                events = [e async for e in await client.responses.create(model="m", input="x", stream=True)]
            assert [e.type for e in events] == ["error"]
            assert events[0].message == "overloaded now"
        else:
            with pytest.raises(SDK_ERRORS, match="overloaded now"):
                await ask(protocol, up.url, stream=True)
        assert up.last.status == 200


async def test_a_failed_response_in_a_200() -> None:
    async with FakeUpstream() as up:
        up.script(ErrorIn200(429, "too many", style="failed"))
        seen = await ask("openai-responses", up.url, stream=True)
        assert seen.raw.status == "failed"
        assert seen.raw.error.code == "rate_limit_exceeded"


@each
async def test_an_error_mid_stream_comes_after_the_text(protocol: str) -> None:
    async with FakeUpstream() as up:
        up.script(Text("so far"), MidStreamError(500, "engine stopped"))
        if protocol == "openai-responses":
            seen = await ask(protocol, up.url, stream=True)
            assert (seen.text, seen.finish, seen.raw.error.message) == ("so far", "failed", "engine stopped")
        else:
            with pytest.raises(SDK_ERRORS, match="engine stopped"):
                await ask(protocol, up.url, stream=True)


@each
@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_cut_stream_is_a_connection_error(protocol: str, how: Any) -> None:
    async with FakeUpstream() as up:
        up.script(Text("so far"), Cut(how=how))
        with pytest.raises(Exception) as caught:
            await ask(protocol, up.url, stream=True)
        assert not isinstance(caught.value, AssertionError)
        assert up.last.outcome == "cut"


@each
async def test_a_cut_body_is_a_connection_error_without_a_stream(protocol: str) -> None:
    async with FakeUpstream() as up:
        up.script(Text("so far"), Cut())
        with pytest.raises(Exception) as caught:
            await ask(protocol, up.url, stream=False)
        assert not isinstance(caught.value, AssertionError)
        assert up.last.outcome == "cut"


async def test_scripts_by_queue_model_and_matcher() -> None:
    def matcher(request: RecordedRequest) -> Script | None:
        return Script.of(Text("matched")) if "find me" in request.text else None

    async with FakeUpstream() as up:
        up.script(Text("queued"))
        up.script(Text("for the other model"), model="other")
        up.always(Text("for ever"), model="gpt-4.1")
        assert (await ask("openai-chat", up.url, stream=False)).text == "for ever"
        assert (await ask("anthropic-messages", up.url, stream=False)).text == "queued"
        up.match(matcher)
        assert (await ask("openai-chat", up.url, "find me", stream=False)).text == "matched"
        assert (await ask("anthropic-messages", up.url, stream=False)).text.startswith("Hello")


async def test_a_wrong_key_is_refused() -> None:
    async with FakeUpstream(api_keys=["right"]) as up:
        with pytest.raises(openai.AuthenticationError) as caught:
            await ask("openai-chat", up.url, stream=False)
        assert caught.value.code == "invalid_api_key"


async def test_protocols_not_served_are_not_found() -> None:
    async with FakeUpstream(protocols=["gemini"]) as up:
        with pytest.raises(anthropic.NotFoundError):
            await ask("anthropic-messages", up.url, stream=False)
        assert (await ask("gemini", up.url, stream=False)).text
