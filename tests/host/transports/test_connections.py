"""Connections between exchanges, on every side: kept, replaced, refused, waited for, closed."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from routecodex.config.compiled import Timeouts, TlsSpec
from routecodex.config.secret import Secret
from routecodex.providers.transport import TransportError, TransportFault
from tests.host.providers.test_provider import certificate
from tests.host.transports.sides import Make
from tests.host.transports.upstream import OK, Line, Upstream, settle, whole


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def answered(line: Line, data: bytes = OK) -> None:
    await line.request()
    line.send(data)


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", True),
    ],
)
async def test_a_connection_is_kept_where_the_answer_allows_it(make: Make, head: bytes, kept: bool) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        for number in range(2):
            asking = asyncio.ensure_future(whole(transport, up.ask()))
            line = up.lines[0] if kept and number else await up.line()
            await answered(line, head + b"content-length: 2\r\n\r\nok")
            assert await asking == (200, b"ok")
            if not kept:
                await line.closed()
        assert len(up.lines) == (1 if kept else 2)
        await transport.close()


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_kept_connection_that_died_is_replaced_once(make: Make, how: str) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        first = await up.line()
        await answered(first)
        await asking
        asking = asyncio.ensure_future(whole(transport, up.ask("/second")))
        await first.request()
        first.close() if how == "fin" else first.reset()
        second = await up.line()
        head, body = await second.request()
        assert head.startswith("POST /second ")
        assert body == b"{}"
        second.close()
        with pytest.raises(TransportError) as failed:
            await asking
        assert failed.value.fault is TransportFault.CONNECTION_LOST
        assert len(up.lines) == 2
        await transport.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_a_fresh_connection_lost_is_not_sent_again(make: Make, method: str) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask(method=method, body=b"")))
        line = await up.line()
        await line.request()
        line.close()
        with pytest.raises(TransportError) as failed:
            await asking
        assert failed.value.fault is TransportFault.CONNECTION_LOST
        await settle()
        assert len(up.lines) == 1
        await transport.close()


async def test_what_was_answered_in_part_is_not_sent_again(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        await answered(line)
        await asking
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        await answered(line, b"HTTP/1.1 20")
        await asyncio.sleep(0.05)
        line.close()
        with pytest.raises(TransportError) as failed:
            await asking
        assert failed.value.fault is TransportFault.CONNECTION_LOST
        await settle()
        assert len(up.lines) == 1
        await transport.close()


async def test_what_came_unasked_is_never_the_next_answer(make: Make) -> None:
    stale = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstale"
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        await answered(line)
        await asking
        line.send(stale)
        await asyncio.sleep(0.05)
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        await answered(await up.line())
        assert await asking == (200, b"ok")
        await transport.close()


async def test_who_waits_for_a_connection_gets_it_in_his_turn(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(max_connections=1))
        first = asyncio.ensure_future(whole(transport, up.ask("/0")))
        line = await up.line()
        await line.request()
        waiting = []
        for number in range(1, 5):
            waiting.append(asyncio.ensure_future(whole(transport, up.ask(f"/{number}"))))
            await settle(3)
        waiting[1].cancel()
        await settle()
        line.send(OK)
        await first
        order = []
        for _ in range(3):
            head, _ = await line.request()
            order.append(head.split(" ")[1])
            line.send(OK)
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == ["/1", "/3", "/4"]
        assert len(up.lines) == 1
        await transport.close()


async def test_waiting_for_a_connection_counts_to_the_connect_time(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(max_connections=1, timeouts=Timeouts(0.2, 5, 5, 30)))
        first = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        with pytest.raises(TransportError) as failed:
            await transport.open(up.ask())
        assert failed.value.fault is TransportFault.CONNECT_TIMEOUT
        await answered(line)
        assert await first == (200, b"ok")
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        await answered(line)
        assert await asking == (200, b"ok")
        await transport.close()


async def test_closing_ends_busy_connections_and_those_who_wait(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(max_connections=2))
        reading = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        await answered(line, b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        unanswered = asyncio.ensure_future(whole(transport, up.ask()))
        await (await up.line()).request()
        queued = asyncio.ensure_future(whole(transport, up.ask()))
        await asyncio.sleep(0.05)
        await transport.close()
        ended = await asyncio.gather(reading, unanswered, queued, return_exceptions=True)
        assert [getattr(error, "fault", error) for error in ended] == [TransportFault.CLOSED] * 3
        with pytest.raises(TransportError) as failed:
            await transport.open(up.ask())
        assert failed.value.fault is TransportFault.CLOSED
        for line in up.lines:
            await line.closed()


async def test_nothing_is_left_behind(make: Make) -> None:
    async with Upstream() as up:
        before = descriptors(), len(asyncio.all_tasks())
        transport = make(up.spec())
        for _ in range(20):
            opening = asyncio.ensure_future(transport.open(up.ask()))
            line = await up.line()
            await line.request()
            opening.cancel()
            await line.closed()
            line.close()
        with pytest.raises(TransportError):
            await transport.open(type(up.ask())("POST", "http://127.0.0.1:9/", {}, b""))
        await transport.close()
        await asyncio.sleep(0.1)
        assert (descriptors(), len(asyncio.all_tasks())) == before


@pytest.mark.parametrize("inner", ["http", "https"])
async def test_a_proxy_may_speak_tls(make: Make, inner: str, tmp_path: Path) -> None:
    pem, private = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, private)
    async with Upstream(context if inner == "https" else None) as up, Upstream(context) as proxy:
        transport = make(
            up.spec(tls=TlsSpec(ca_file=str(pem)), proxy=Secret(f"https://me:pw@127.0.0.1:{proxy.port}", "${P}"))
        )
        asking = asyncio.ensure_future(whole(transport, up.ask("/x")))
        line = await proxy.line()
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode()
        assert "proxy-authorization: basic bwu6chc=" in head.lower()
        if inner == "http":
            assert head.startswith(f"POST {up.url}/x HTTP/1.1")
            await line.reader.readexactly(2)
            line.send(OK)
        else:
            assert head.startswith(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1")
            reader, writer = await asyncio.open_connection("127.0.0.1", up.port)
            line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

            async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    sink.write(data)

            pumping = asyncio.gather(pump(line.reader, writer), pump(reader, line.writer), return_exceptions=True)
            head, _ = await (far := await up.line()).request()
            assert head.startswith("POST /x HTTP/1.1")
            assert "proxy-authorization" not in head.lower()
            far.send(OK)
        assert await asking == (200, b"ok")
        await transport.close()
        if inner == "https":
            pumping.cancel()
            writer.close()


async def test_a_proxy_that_refuses_or_falls_silent_is_told(make: Make) -> None:
    async with Upstream() as proxy:
        transport = make(
            proxy.spec(timeouts=Timeouts(0.3, 5, 5, 30), proxy=Secret(f"http://127.0.0.1:{proxy.port}", "${P}"))
        )
        target = type(proxy.ask())("POST", "https://upstream.invalid/", {}, b"{}")
        asking = asyncio.ensure_future(transport.open(target))
        line = await proxy.line()
        await answered(line, b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        with pytest.raises(TransportError) as refused:
            await asking
        with pytest.raises(TransportError) as silent:
            await transport.open(target)
        await transport.close()
    assert (refused.value.fault, refused.value.detail) == (TransportFault.PROXY_FAILED, "it answered 407")
    assert silent.value.fault is TransportFault.CONNECT_TIMEOUT


async def test_connections_to_several_origins_share_the_places(make: Make) -> None:
    """Token endpoints and the API are different origins of one provider."""
    async with Upstream() as up, Upstream() as other:
        transport = make(up.spec(max_connections=1))
        for server in (up, other, up, other):
            asking = asyncio.ensure_future(whole(transport, server.ask()))
            await settle()
            idle = [line for line in server.lines if not line.writer.is_closing() and not line.reader.at_eof()]
            await answered(idle[0] if idle else await server.line())
            assert await asking == (200, b"ok")
        await transport.close()
