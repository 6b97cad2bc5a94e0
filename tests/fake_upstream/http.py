"""HTTP/1.1 on one socket: requests in (httptools), bytes out exactly as planned.

Knows sockets and HTTP framing; knows no protocol of any vendor. Requests of one connection are answered in
order. Every write is one `transport.write` on a socket without Nagle's delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httptools

from .records import RecordedRequest
from .script import Cut, Delivery, Gate, Hang, Slow
from .sse import Piece

Handler = Callable[["Exchange"], Awaitable[None]]
_REASONS = {529: "Overloaded", 499: "Client Closed Request"}


class Registry:
    """What all connections share: the live ones, the counters, and who wants to know of a change."""

    def __init__(self, handler: Handler, clock: Callable[[], float]) -> None:
        self.handler = handler
        self.clock = clock
        self.live: set[Connection] = set()
        self.requests: list[RecordedRequest] = []
        self.errors: list[Exception] = []
        self.total = 0
        self.drop_reused = 0
        self.gates: dict[str, asyncio.Event] = {}
        self.changed: Callable[[], None] = lambda: None

    def gate(self, name: str) -> asyncio.Event:
        """The gate of that name, closed until opened."""
        return self.gates.setdefault(name, asyncio.Event())


class Connection(asyncio.Protocol):
    """One accepted socket."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.number = registry.total
        registry.total += 1
        self.transport: asyncio.Transport | None = None
        self.served = 0
        self.queue: list[RecordedRequest] = []
        self.task: asyncio.Task[None] | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self._parser: Any = None
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpRequestParser(self)
        self.registry.live.add(self)
        self.registry.changed()

    def connection_lost(self, exc: Exception | None) -> None:
        self.registry.live.discard(self)
        self.writable.set()
        if self.task is not None:
            self.task.cancel()
        for request in self.queue:
            if request.outcome == "open":
                request.outcome = "client_gone"
                request.ended_at = self.registry.clock()
        self._parser = None
        self.registry.changed()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._close()
        except httptools.HttpParserError as error:
            if self.transport is not None:
                text = f"bad HTTP: {error}".encode()
                self.transport.write(
                    b"HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(text), text)
                )
            self._close()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    # --- httptools

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = []
        self._body = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        wants = any(k.lower() == "expect" and v.lower() == "100-continue" for k, v in self._headers)
        if wants and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        target = self._target.decode("latin-1")
        parts = urlsplit(target)
        request = RecordedRequest(
            order=len(self.registry.requests),
            connection=self.number,
            on_connection=self.served,
            method=self._parser.get_method().decode("latin-1"),
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=self._headers,
            raw_target=target,
            raw=b"".join(self._body),
            started_at=self.registry.clock(),
        )
        self.served += 1
        self.registry.requests.append(request)
        if request.on_connection and self.registry.drop_reused > 0:
            self.registry.drop_reused -= 1
            request.outcome = "dropped"
            request.ended_at = self.registry.clock()
            self._close()
            self.registry.changed()
            return
        self.queue.append(request)
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._answer())
        self.registry.changed()

    # --- answering

    async def _answer(self) -> None:
        while self.queue and self.transport is not None and not self.transport.is_closing():
            request = self.queue[0]
            exchange = Exchange(self, request)
            try:
                await self.registry.handler(exchange)
            except asyncio.CancelledError:
                if request.outcome == "open":
                    request.outcome = "client_gone"
                raise
            except Exception as error:
                # A fault of the fake itself: told when it stops, so that no test passes by accident.
                request.outcome = "error"
                self.registry.errors.append(error)
                self._close()
            finally:
                request.ended_at = self.registry.clock()
                with contextlib.suppress(ValueError):
                    self.queue.remove(request)
                self.registry.changed()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def end(self, how: str) -> None:
        """Close with FIN, or reset."""
        if self.transport is None:
            return
        if how == "rst":
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()

    @property
    def idle(self) -> bool:
        """No request is being answered."""
        return not self.queue


class Exchange:
    """One request and the way to answer it."""

    def __init__(self, connection: Connection, request: RecordedRequest) -> None:
        self.connection = connection
        self.request = request

    async def _write(self, data: bytes, pause: float | None) -> None:
        transport = self.connection.transport
        if transport is None or transport.is_closing():
            # The peer is gone; connection_lost cancels this task on the loop's next turn.
            await asyncio.get_running_loop().create_future()
        assert transport is not None
        transport.write(data)
        self.connection.registry.changed()
        await self.connection.writable.wait()
        if pause is not None:
            await asyncio.sleep(pause)

    async def control(self, step: Cut | Slow | Gate | Hang) -> bool:
        """Play a control step; true when it ended the connection."""
        registry = self.connection.registry
        self.request.held = step.name if isinstance(step, Gate) else type(step).__name__.lower()
        registry.changed()
        if isinstance(step, Slow):
            await asyncio.sleep(step.seconds)
        elif isinstance(step, Gate):
            await registry.gate(step.name).wait()
        elif isinstance(step, Hang):
            await asyncio.get_running_loop().create_future()
        else:
            self.request.outcome = "cut"
            self.connection.end(step.how)
            return True
        self.request.held = ""
        return False

    async def respond(
        self,
        status: int,
        headers: list[tuple[str, str]],
        pieces: list[Piece],
        delivery: Delivery,
        *,
        transfer: str,
        before_body: list[Slow | Gate | Hang] | None = None,
        between: float | None = None,
    ) -> None:
        """Write the head and then the plan, piece by piece; each piece is a write of its own."""
        request = self.request
        request.status = status
        head = self._head(status, headers, pieces, delivery, transfer)
        pause = delivery.pause if between is None else between
        request.stage = "head"
        if delivery.chunking == "one" and not before_body:
            first = next((i for i, p in enumerate(pieces) if isinstance(p, bytes)), None)
            if first == 0:
                head += self._framed(pieces[0], transfer)
                self._count(pieces[0])
                pieces = pieces[1:]
        await self._write(head, pause)
        for step in before_body or []:
            await self.control(step)
        for piece in pieces:
            if not isinstance(piece, bytes):
                if await self.control(piece):
                    return
                continue
            self._count(piece)
            await self._write(self._framed(piece, transfer), pause)
        if transfer == "chunked" and request.method != "HEAD":
            await self._write(b"0\r\n\r\n", None)
        request.stage = "done"
        request.outcome = "complete"
        if transfer == "close" or delivery.connection != "keep-alive" or self._asked_to_close():
            self.connection.end("fin")

    def _count(self, piece: Piece) -> None:
        if isinstance(piece, bytes):
            self.request.stage = "body"
            self.request.written += len(piece)
            self.request.events_written += 1

    @staticmethod
    def _framed(piece: Piece, transfer: str) -> bytes:
        assert isinstance(piece, bytes)
        return b"%x\r\n%s\r\n" % (len(piece), piece) if transfer == "chunked" else piece

    def _asked_to_close(self) -> bool:
        return (self.request.header("connection") or "").lower() == "close"

    def _head(
        self,
        status: int,
        headers: list[tuple[str, str]],
        pieces: list[Piece],
        delivery: Delivery,
        transfer: str,
    ) -> bytes:
        try:
            reason = HTTPStatus(status).phrase
        except ValueError:
            reason = _REASONS.get(status, "Unknown")
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines.extend(f"{name}: {value}" for name, value in headers)
        if transfer == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif transfer == "length":
            size = sum(len(p) for p in pieces if isinstance(p, bytes))
            cut = any(isinstance(p, Cut) for p in pieces)
            lines.append(f"Content-Length: {size + (1000 if cut else 0)}")
        closes = transfer == "close" or delivery.connection == "close" or self._asked_to_close()
        lines.append("Connection: close" if closes else "Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
