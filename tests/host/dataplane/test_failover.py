# ruff: noqa: SIM117 - nesting shows what lives in what
"""Attempts: which failures another target gets to mend, how often, and what the client sees of it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from tests.fake_upstream import (
    Cut,
    Delivery,
    ErrorIn200,
    ErrorStatus,
    FakeUpstream,
    Gate,
    MidStreamError,
    Script,
    Text,
)
from tests.host.dataplane.gateway import C, G, M, R, chat, compiled, host, provider, streamed
from tests.host.dataplane.raw import RawClient

LIMITED = ErrorStatus(429, "slow down", headers=(("retry-after", "30"),))


@pytest.mark.parametrize(
    "failure",
    [
        ErrorStatus(429),
        ErrorStatus(500),
        ErrorStatus(502),
        ErrorStatus(503),
        ErrorStatus(529),
        ErrorStatus(401),
        ErrorStatus(403),
        ErrorStatus(404),
        ErrorIn200(500),
        ErrorIn200(529),
        Cut(before_head=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
async def test_next_target_answers_and_the_client_sees_nothing(
    failure: object, stream: bool, up: FakeUpstream, second: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(failure)  # type: ignore[arg-type]
    specs = (provider("a", up.url), provider("b", second.url))
    async with host(compiled(tmp_path, specs)) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=stream)) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            assert answer.headers["x-routecodex-target"] == "b.main.fake-model"
        (record,) = await gateway.settled(1)
    assert "error" not in text
    assert [attempt.provider_key for attempt in record.attempts] == ["a.main.fake-model", "b.main.fake-model"]
    assert (len(up.requests), len(second.requests)) == (1, 1)
    assert record.outcome == "ok"


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_wrong_request_is_not_tried_elsewhere(
    status: int, up: FakeUpstream, second: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(ErrorStatus(status, "that is wrong"))
    specs = (provider("a", up.url), provider("b", second.url))
    async with (
        host(compiled(tmp_path, specs)) as gateway,
        http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer,
    ):
        assert answer.status == status
        assert "that is wrong" in await answer.text()
    assert (len(up.requests), len(second.requests)) == (1, 0)


async def test_three_attempts_are_the_limit(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    upstreams = [FakeUpstream(realm=f"r{index}") for index in range(4)]
    for upstream in upstreams:
        await upstream.start()
        upstream.always(ErrorStatus(500, "broken"))
    specs = tuple(provider(f"p{index}", upstream.url) for index, upstream in enumerate(upstreams))
    try:
        async with host(compiled(tmp_path, specs)) as gateway:
            async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
                assert answer.status == 500
            (record,) = await gateway.settled(1)
    finally:
        for upstream in upstreams:
            await upstream.stop()
    assert [len(upstream.requests) for upstream in upstreams] == [1, 1, 1, 0]
    assert len(record.attempts) == 3
    assert record.outcome == "upstream_fault"


@pytest.mark.mp("MP-15")
@pytest.mark.parametrize("client", [C, R, M, G])
async def test_mp15_a_lone_limited_target_keeps_status_and_retry_after(
    client: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(LIMITED)
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        path, body = streamed(client)
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 429
            assert answer.headers["retry-after"] == "30"
            assert "error" in await answer.json()
        (record,) = await gateway.settled(1)
    assert len(up.requests) == 1
    assert record.outcome == "throttled"


async def test_a_lone_target_is_asked_again_when_it_says_soon(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(ErrorStatus(429, headers=(("retry-after-ms", "50"),)))
    async with (
        host(compiled(tmp_path, (provider("a", up.url),))) as gateway,
        http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer,
    ):
        assert answer.status == 200
    assert len(up.requests) == 2


async def test_a_lone_target_is_asked_again_only_once(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(ErrorStatus(429, headers=(("retry-after-ms", "20"),)), times=5)
    async with (
        host(compiled(tmp_path, (provider("a", up.url),))) as gateway,
        http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer,
    ):
        assert answer.status == 429
    assert len(up.requests) == 2


@pytest.mark.mp("MP-14")
@pytest.mark.parametrize("client", [C, R, M, G])
@pytest.mark.parametrize("failure", [Cut(), Cut(how="rst"), MidStreamError(500, "lost it")], ids=str)
async def test_mp14_after_content_a_failure_ends_the_stream_and_no_attempt_follows(
    client: Protocol,
    failure: object,
    up: FakeUpstream,
    second: FakeUpstream,
    http: aiohttp.ClientSession,
    tmp_path: Path,
) -> None:
    up.script(Script.of(Text("some words first"), failure))  # type: ignore[arg-type]
    specs = (provider("a", up.url), provider("b", second.url))
    async with host(compiled(tmp_path, specs)) as gateway:
        path, body = streamed(client)
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 200
            text = await answer.text()
        (record,) = await gateway.settled(1)
    assert "some words" in text
    assert "error" in text
    for clean_end in ("[DONE]", "message_stop", '"response.completed"', '"finishReason":"STOP"'):
        assert clean_end not in text
    assert (len(up.requests), len(second.requests)) == (1, 0)
    assert record.outcome in ("truncated_stream", "upstream_fault")
    assert record.status == 200


@pytest.mark.mp("MP-16")
@pytest.mark.parametrize("upstream", [C, R, M, G])
async def test_mp16_an_error_inside_a_200_has_a_true_status(
    upstream: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(ErrorIn200(500, "not really fine"))
    async with host(compiled(tmp_path, (provider("a", up.url, upstream),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=True)) as answer:
            assert answer.status >= 500
            assert "not really fine" in await answer.text()


async def test_a_failed_target_is_avoided_by_later_requests(
    up: FakeUpstream, second: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(LIMITED)
    specs = (provider("a", up.url), provider("b", second.url))
    async with host(compiled(tmp_path, specs)) as gateway:
        for text in ("one", "two", "three"):
            async with http.post(gateway.url + "/v1/chat/completions", json=chat(text)) as answer:
                assert answer.status == 200
    assert (len(up.requests), len(second.requests)) == (1, 3)


async def test_nobody_to_connect_to_is_a_clear_error(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with host(compiled(tmp_path, (provider("a", "http://127.0.0.1:9"),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            body = await answer.json()
            assert answer.status == 502
        (record,) = await gateway.settled(1)
    assert body["error"]["code"] == "connect_failed"
    assert "baseUrl" in body["error"]["message"]
    assert record.layer == "provider"


async def test_a_quota_told_in_headers_spares_the_target(
    up: FakeUpstream, second: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    told = (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s"))
    up.always(Script.of(Text("the last one"), delivery=Delivery(headers=told)))
    specs = (provider("a", up.url), provider("b", second.url))
    async with host(compiled(tmp_path, specs)) as gateway:
        for text in ("one", "two"):
            async with http.post(gateway.url + "/v1/chat/completions", json=chat(text)) as answer:
                assert answer.status == 200
        standing = gateway.gateway.overview.standings()[0]
    assert (len(up.requests), len(second.requests)) == (1, 1)
    assert standing.state == "quota"


@pytest.mark.parametrize("fails_over", [True, False])
@pytest.mark.parametrize("protocol", [C, R, M])
async def test_the_head_waits_for_the_attempt_that_is_told_in_it(
    protocol: Protocol, fails_over: bool, up: FakeUpstream, second: FakeUpstream, tmp_path: Path
) -> None:
    """Openers do not send it: the attempt may fail after them, and then another's name or a true status is told."""
    limits = Delivery(headers=(("x-ratelimit-remaining-requests", "7"),))
    up.script(Script.of(Text(""), Gate(), MidStreamError(500, "lost it"), delivery=limits))
    specs = (provider("a", up.url, protocol), provider("b", second.url, protocol))[: 2 if fails_over else 1]
    async with host(compiled(tmp_path, specs)) as gateway, RawClient(gateway.port) as client:
        path, body = streamed(protocol)
        await client.post(path, body, "connection: close")
        await up.wait_held()
        with pytest.raises(TimeoutError):
            await client.until(b"HTTP", within=0.15)
        up.open_gate()
        text = (await client.rest()).decode()
        (record,) = await gateway.settled(1)
    name = "b" if fails_over else "a"
    assert f"\r\nx-routecodex-target: {name}.main.fake-model\r\n" in text
    assert record.provider_key == f"{name}.main.fake-model"
    assert ("200 OK" in text) is fails_over
    assert ("lost it" in text) is not fails_over
    assert "x-ratelimit-remaining-requests: 7" not in text
