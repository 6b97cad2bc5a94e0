# ruff: noqa: SIM117 - nesting shows what lives in what
"""Upstreams that cut, die, stall or talk nonsense: what the client gets, and what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import Timeouts
from tests.fake_upstream import Cut, Delivery, FakeUpstream, Hang, Script, Text
from tests.host.dataplane.gateway import C, G, M, R, chat, compiled, host, provider, streamed


@asynccontextmanager
async def raw_upstream(reply: bytes, port: int = 0) -> AsyncIterator[str]:
    """A server that answers every request with these bytes and closes; its URL. `port` 0: any free one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            length = next((line[15:] for line in head if line.startswith(b"content-length:")), b"0")
            await reader.readexactly(int(length))
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_pooled_connection_that_died_is_replaced_without_an_attempt(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        url = gateway.url + "/v1/chat/completions"
        async with http.post(url, json=chat()) as answer:
            assert answer.status == 200
        up.drop_reused()
        async with http.post(url, json=chat("again")) as answer:
            assert answer.status == 200
        records = await gateway.settled(2)
        (standing,) = gateway.gateway.overview.standings()
    assert [request.outcome for request in up.requests] == ["complete", "dropped", "complete"]
    assert up.requests[1].on_connection == 1
    assert up.requests[2].on_connection == 0
    assert len(records[1].attempts) == 1
    assert standing.state == "healthy"


async def test_all_pooled_connections_dead_at_once_cost_no_request(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """A restarted upstream: every idle connection is closed."""
    up.script(Script.of(Text("x"), delivery=Delivery(connection="silent-close")), times=8)
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        url = gateway.url + "/v1/chat/completions"

        async def ask() -> int:
            async with http.post(url, json=chat()) as answer:
                return answer.status

        for _ in range(3):
            assert await asyncio.gather(*(ask() for _ in range(8))) == [200] * 8
        records = await gateway.settled(24)
    assert all(len(record.attempts) == 1 for record in records)


async def test_a_fresh_connection_that_is_closed_unanswered_is_a_failure(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(Cut(before_head=True)))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            assert answer.status == 502
            assert (await answer.json())["error"]["code"] == "connection_lost"
    assert len(up.requests) == 1


@pytest.mark.mp("MP-14")
@pytest.mark.parametrize("client_protocol", [C, R, M, G])
async def test_mp14_killing_the_upstream_mid_stream_is_told(
    client_protocol: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """`kill -9` of the upstream: every connection is reset."""
    up.script(Script.of(Text("some words"), Hang()))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        path, body = streamed(client_protocol)
        async with http.post(gateway.url + path, json=body) as answer:
            seen = b""
            while b"words" not in seen:
                seen += await answer.content.readany()
            assert up.kill() >= 1
            seen += await answer.content.read()
        (record,) = await gateway.settled(1)
    assert b"error" in seen
    assert record.outcome in ("truncated_stream", "upstream_fault")
    assert record.layer == "provider"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cut_whole_answer_is_no_answer(
    stream: bool, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(Text("a longer text than that"), Cut(after_bytes=60)))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=stream)) as answer:
            text = await answer.text()
            assert answer.status == 502
        (record,) = await gateway.settled(1)
    assert "truncated_stream" in text
    assert record.outcome == "truncated_stream"


async def test_the_end_of_a_stream_counts_even_if_the_connection_breaks_behind_it(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Sloppy servers close without the last chunk: everything had come, so the answer is whole."""
    whole = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
    end = b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

    data = whole + end
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    reply = head + b"%x\r\n%b\r\n" % (len(data), data)
    async with raw_upstream(reply) as url, host(compiled(tmp_path, (provider("a", url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=True)) as answer:
            assert (await answer.read()).endswith(b"data: [DONE]\n\n")
        (record,) = await gateway.settled(1)
    assert record.outcome == "ok"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_web_page_in_a_200_is_no_answer(stream: bool, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    page = b"<html><body>Please log in</body></html>"
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%b" % (len(page), page)
    async with raw_upstream(reply) as url, host(compiled(tmp_path, (provider("a", url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=stream)) as answer:
            assert answer.status == 502
            assert "error" in await answer.json()
        (record,) = await gateway.settled(1)
    assert record.outcome in ("protocol_violation", "truncated_stream")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", "upstream_protocol_error"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n", "upstream_protocol_error"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "connection_lost"),
    ],
)
async def test_what_is_not_http_is_named(reply: bytes, code: str, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with raw_upstream(reply) as url, host(compiled(tmp_path, (provider("a", url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            assert answer.status == 502
            assert (await answer.json())["error"]["code"] == code


async def test_redirects_are_not_followed(http: aiohttp.ClientSession, up: FakeUpstream, tmp_path: Path) -> None:
    """A redirect would take the credential to a place nobody configured."""

    place = up.url.encode() + b"/v1/chat/completions"
    reply = b"HTTP/1.1 307 Moved\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % place
    async with raw_upstream(reply) as url, host(compiled(tmp_path, (provider("a", url),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            assert answer.status >= 400
    assert up.requests == []


@pytest.mark.parametrize(
    ("timeouts", "step", "code"),
    [
        (Timeouts(2, 0.15, 5, 30), Hang("head"), "first_byte_timeout"),
        (Timeouts(2, 5, 0.15, 30), Hang("first_byte"), "idle_timeout"),
        (Timeouts(2, 5, 5, 0.15), Hang("head"), "total_timeout"),
    ],
)
async def test_each_phase_has_its_time_out(
    timeouts: Timeouts, step: Hang, code: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(step, Text("never")))
    async with host(compiled(tmp_path, (provider("a", up.url, timeouts=timeouts),))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat()) as answer:
            assert answer.status == 504
            assert (await answer.json())["error"]["code"] == code
        (record,) = await gateway.settled(1)
    assert record.outcome == "timeout"
    await up.wait_closed()
