# ruff: noqa: SIM117 - nesting shows what lives in what
"""What goes through the gateway unharmed: bytes, headers, encodings; and what stays behind."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ApiKey
from routecodex.config.secret import Secret
from tests.fake_upstream import Delivery, FakeUpstream, Script, Text
from tests.host.dataplane.gateway import REQUESTS, C, G, M, R, chat, compiled, host, messages, provider, streamed

PROTOCOLS = [C, R, M, G]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_same_protocol_answer_is_the_upstreams_bytes(
    protocol: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The same request straight to the upstream gives the same stream, but for ids and times."""
    spec = provider("a", up.url, protocol)
    async with host(compiled(tmp_path, (spec,))) as gateway:
        path, body = streamed(protocol)
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            through = await answer.read()
        written = up.last.written
    assert len(through) == written or protocol is C
    assert b"Hello from t" in through


@pytest.mark.mp("MP-27")
async def test_mp27_request_members_keep_their_bytes(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    body = (
        b'{"messages": [{"role":"user", "content":"\\u00e9 and 1e5"}],  "model":"a.fake-model", "temperature": 1.10,'
        b' "x_unknown": {"b": 1e5, "a": [1.0]}}'
    )
    async with (
        FakeUpstream(strict=False) as up,
        host(compiled(tmp_path, (provider("a", up.url),))) as gateway,
        http.post(
            gateway.url + "/v1/chat/completions", data=body, headers={"content-type": "application/json"}
        ) as answer,
    ):
        assert answer.status == 200
        raw = up.last.raw
    for kept in (b'"\\u00e9 and 1e5"', b"1.10", b'{"b": 1e5, "a": [1.0]}'):
        assert kept in raw
    assert json.loads(raw)["model"] == "fake-model"


@pytest.mark.mp("MP-11")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
async def test_mp11_compressed_upstreams_are_decoded(
    encoding: str, stream: bool, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(Text("compressed " * 40), delivery=Delivery(encoding=encoding, chunking="seeded", seed=3)))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=stream)) as answer:
            assert answer.status == 200
            assert "content-encoding" not in answer.headers
            text = await answer.text()
    assert text.count("compressed") >= 20 if not stream else "data: [DONE]" in text


async def test_credentials_and_cookies_of_the_client_stay_behind(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    keys = (ApiKey("alice", Secret("client-secret", "${X}")),)
    async with host(compiled(tmp_path, (provider("a", up.url, M),), api_keys=keys)) as gateway:
        async with http.post(
            gateway.url + "/v1/messages?beta=true&key=client-secret",
            json=messages(),
            headers={
                "x-api-key": "client-secret",
                "cookie": "session=client-secret",
                "proxy-authorization": "Basic client-secret",
                "anthropic-beta": "context-1m-2025-08-07",
                "x-forwarded-for": "10.0.0.1",
            },
        ) as answer:
            assert answer.status == 200
        assert gateway.records[-1].account == "alice"
    request = up.last
    assert "client-secret" not in repr(request.headers) + request.raw_target
    assert request.header("x-api-key") == "upstream-key"
    assert request.header("anthropic-beta") == "context-1m-2025-08-07"
    assert request.header("anthropic-version") is not None
    assert request.header("x-forwarded-for") is None
    assert request.query == {"beta": "true"}


async def test_answer_names_request_target_and_generation(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            assert answer.headers["x-routecodex-target"] == "a.main.fake-model"
            assert answer.headers["x-routecodex-generation"] == "0" * 12
            request_id = answer.headers["x-routecodex-request-id"]
            assert "set-cookie" not in answer.headers
            assert "server" not in answer.headers
        records = await gateway.settled(1)
    assert records[0].request_id == request_id


@pytest.mark.parametrize("client", PROTOCOLS)
@pytest.mark.parametrize("upstream", PROTOCOLS)
@pytest.mark.parametrize("stream", [False, True])
async def test_every_pair_is_answered_over_sockets(
    client: Protocol, upstream: Protocol, stream: bool, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, upstream),))) as gateway:
        path, body = streamed(client) if stream else REQUESTS[client][:2]
        async with http.post(gateway.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, text
        records = await gateway.settled(1)
    assert "Hello from" in text
    assert [record.outcome.value for record in records] == ["ok"]
    assert records[0].status == 200
    assert len(up.requests) == len(records[0].attempts) == 1
    assert not up.violations
    assert records[0].input_tokens > 0
    assert records[0].output_tokens > 0


async def test_body_of_several_megabytes_passes_both_ways(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    long = "lorem ipsum " * 300_000
    up.script(Script.of(Text(long, size=50_000)))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(long)) as answer:
            assert answer.status == 200
            body = await answer.json()
    assert body["choices"][0]["message"]["content"] == long
    assert up.last.body["messages"][0]["content"] == long
