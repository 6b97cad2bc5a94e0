"""One exchange on every side of the transport: what goes out, what comes in, what it costs to let go."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from routecodex.config.compiled import Timeouts
from routecodex.providers.transport import TransportError, TransportFault
from tests.host.transports.sides import Make
from tests.host.transports.upstream import OK, Upstream, whole


async def test_a_request_goes_out_as_given(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(
            whole(transport, up.ask("/v1/a%20b?x=%2F&y", body=b'{"a":1}', accept="*/*", x_own="\u20ac"))
        )
        line = await up.line()
        head, body = await line.request()
        line.send(OK)
        assert await asking == (200, b"ok")
        await transport.close()
    first, *rows = head.rstrip("\r\n").split("\r\n")
    assert first == "POST /v1/a%20b?x=%2F&y HTTP/1.1"
    fields = {name.lower(): value for name, _, value in (row.partition(": ") for row in rows)}
    assert fields == {"host": f"127.0.0.1:{up.port}", "accept": "*/*", "x-own": "\u20ac", "content-length": "7"}
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("method", "length"), [("POST", "0"), ("DELETE", "0"), ("PUT", "0"), ("GET", None), ("OPTIONS", None)]
)
async def test_a_request_without_body_announces_none_where_none_is_expected(
    make: Make, method: str, length: str | None
) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask(method=method, body=b"")))
        line = await up.line()
        head, _ = await line.request()
        line.send(OK)
        await asking
        await transport.close()
    told = [row.partition(": ")[2] for row in head.lower().split("\r\n") if row.startswith("content-length:")]
    assert told == ([] if length is None else [length])
    assert "transfer-encoding" not in head.lower()


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb"])
async def test_a_header_that_would_become_two_is_never_sent(make: Make, value: str) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        with pytest.raises(TransportError) as failed:
            await transport.open(up.ask(x_own=value))
        await transport.close()
        received = [await line.reader.read() for line in up.lines]
    assert failed.value.fault is TransportFault.PROTOCOL_ERROR
    assert not any(received)


async def test_bytes_are_handed_out_as_they_come(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        stream = await opening
        for word in (b"one", b"two", b"three"):
            line.send(b"%x\r\n%b\r\n" % (len(word), word))
            assert await stream.read() == word
        line.send(b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")
        assert await stream.read() == b"abcd"
        assert await stream.read() == b""
        assert await stream.read() == b""
        await transport.close()


async def test_repeated_headers_are_joined_and_names_are_lower_case(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\nVary: a\r\nX-Up: 1 \r\nvary:b\r\nContent-Length: 0\r\nX-Fold: a\r\n b\r\n\r\n")
        stream = await opening
        assert dict(stream.headers) == {"vary": "a, b", "x-up": "1", "content-length": "0", "x-fold": "a b"}
        await transport.close()


@pytest.mark.parametrize("phase", ["head", "body"])
async def test_silence_ends_by_the_phase_it_is_in(make: Make, phase: str) -> None:
    times = Timeouts(3, 0.15, 60, 60) if phase == "head" else Timeouts(3, 60, 0.15, 60)
    async with Upstream() as up:
        transport = make(up.spec(timeouts=times))
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        if phase == "head":
            with pytest.raises(TransportError) as failed:
                await opening
            assert failed.value.fault is TransportFault.FIRST_BYTE_TIMEOUT
        else:
            line.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            stream = await opening
            assert await stream.read() == b"abc"
            with pytest.raises(TransportError) as failed:
                await stream.read()
            assert failed.value.fault is TransportFault.IDLE_TIMEOUT
        assert failed.value.detail == "nothing came for 0.15 s"
        await line.closed()
        await transport.close()


async def test_a_slow_reader_is_no_silence(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(timeouts=Timeouts(3, 60, 0.15, 60)))
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc")
        stream = await opening
        assert await stream.read() == b"abc"
        await asyncio.sleep(0.5)
        line.send(b"def")
        assert await stream.read() == b"def"
        await transport.close()


async def test_connect_time_covers_a_handshake_nobody_answers(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(timeouts=Timeouts(0.2, 5, 5, 30)))
        request = up.ask()
        with pytest.raises(TransportError) as failed:
            await transport.open(type(request)("POST", request.url.replace("http:", "https:"), {}, b"{}"))
        await transport.close()
    assert failed.value.fault is TransportFault.CONNECT_TIMEOUT


@pytest.mark.parametrize("phase", ["head", "body", "unread"])
async def test_letting_go_closes_the_connection_at_once(make: Make, phase: str) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        if phase == "head":
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        else:
            line.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
            stream = await opening
            if phase == "body":
                assert await stream.read() == b"abc"
            stream.close()
            stream.close()
            assert await stream.read() == b""
        await line.closed(within=1.0)
        await transport.close()


async def test_a_cancelled_read_loses_nothing(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec(timeouts=Timeouts(3, 5, 0.3, 30)))
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")
        stream = await opening
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stream.read(), 0.05)
        await asyncio.sleep(0.5)  # nobody waits: the idle time does not run
        line.send(b"abcdef")
        assert await stream.read() == b"abcdef"
        assert await stream.read() == b""
        await transport.close()


async def test_a_large_body_waits_for_the_upstream_to_take_it(make: Make) -> None:
    body = bytes(range(256)) * 4 * 8192
    async with Upstream() as up:
        transport = make(up.spec(timeouts=Timeouts(3, 0.5, 5, 30)))
        asking = asyncio.ensure_future(whole(transport, up.ask(body=body)))
        line = await up.line()
        await asyncio.sleep(1.0)  # longer than the first byte may take: that time begins with the request's last byte
        head, received = await line.request()
        line.send(OK)
        assert await asking == (200, b"ok")
        await transport.close()
    assert received == body
    assert f"content-length: {len(body)}" in head.lower()


async def test_an_answer_before_the_body_was_sent_is_an_answer(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask(body=b"x" * 20_000_000)))
        line = await up.line()
        await line.reader.readuntil(b"\r\n\r\n")
        line.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        stream = await opening
        assert (stream.status, await stream.read(), await stream.read()) == (413, b"big", b"")
        await line.closed()  # half a request is nothing to put another one behind
        await transport.close()


async def test_who_does_not_read_makes_the_upstream_wait(make: Make) -> None:
    total = 64 * 1024 * 1024
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        stream = await opening
        sent = 0

        async def pour() -> None:
            nonlocal sent
            while sent < total:
                line.send(b"x" * 65536)
                await line.writer.drain()
                sent += 65536

        pouring = asyncio.ensure_future(pour())
        await asyncio.sleep(0.5)
        assert sent < 24 * 1024 * 1024  # what the system's socket buffers take, and little more
        size = 0
        while data := await stream.read():
            size += len(data)
        await pouring
        assert size == total
        await transport.close()


async def test_a_squeezed_body_comes_out_in_bounded_pieces(make: Make) -> None:
    size = 100_000_000
    squeezed = gzip.compress(b"\0" * size, 6)
    async with Upstream() as up:
        transport = make(up.spec())
        opening = asyncio.ensure_future(transport.open(up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(squeezed) + squeezed)
        stream = await opening
        largest = seen = 0
        while data := await stream.read():
            largest, seen = max(largest, len(data)), seen + len(data)
        await transport.close()
    assert seen == size
    assert largest <= 1024 * 1024


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("POST", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        ("POST", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_body_end_with_their_head(make: Make, method: str, head: bytes) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        for number in range(2):
            asking = asyncio.ensure_future(whole(transport, up.ask(method=method, body=b"")))
            line = await up.line() if number == 0 else up.lines[0]
            await line.request()
            line.send(head)
            assert (await asking)[1] == b""
        assert len(up.lines) == 1
        await transport.close()


async def test_interim_answers_are_passed_over(make: Make) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        await line.request()
        line.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        await asyncio.sleep(0.05)
        assert not asking.done()
        line.send(OK)
        assert await asking == (200, b"ok")
        await transport.close()


@pytest.mark.parametrize("ending", ["fin", "rst"])
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", TransportFault.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\ncontent-le", TransportFault.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", TransportFault.TRUNCATED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", TransportFault.TRUNCATED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", TransportFault.TRUNCATED),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", None),
    ],
)
async def test_an_answer_that_breaks_off_is_told_from_one_that_ends(
    make: Make, data: bytes, fault: TransportFault | None, ending: str
) -> None:
    async with Upstream() as up:
        transport = make(up.spec())
        got = b""

        async def read() -> None:
            nonlocal got
            stream = await transport.open(up.ask())
            while piece := await stream.read():
                got += piece

        asking = asyncio.ensure_future(read())
        line = await up.line()
        await line.request()
        line.send(data)
        await asyncio.sleep(0.05)
        line.close() if ending == "fin" else line.reset()
        if fault is None and ending == "fin":
            await asking
        else:
            with pytest.raises(TransportError) as failed:
                await asking
            assert failed.value.fault is (fault or TransportFault.TRUNCATED)
        assert got == (b"abc" if b"\r\n\r\n" in data else b"")
        await transport.close()
