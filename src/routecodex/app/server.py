"""uvicorn around one application on one listener: limits uvicorn does not have, and a drain that ends in words.

It knows uvicorn's public classes. Stopping: leave the accept loop, answer what was accepted, and after `drain`
seconds end what still streams with a terminal error event.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast
from typing import Protocol as Interface

import uvicorn
from uvicorn.protocols.http.httptools_impl import HEADER_RE, STATUS_LINE, HttpToolsProtocol

from routecodex.blocks.http_adapter.connection import EXTENSION
from routecodex.blocks.http_adapter.contract import Headers
from routecodex.config.compiled import Limits, ServerSettings

if TYPE_CHECKING:
    import socket

    from uvicorn._types import ASGISendEvent

KEEP_ALIVE: Final = 75
"""Seconds an idle client connection is kept: longer than most clients' pools keep theirs."""
_FIRST_WORDS: Final = 1.0
"""Seconds for the request of a connection that was accepted just before the server began to stop."""
_LINGER: Final = 0.5
"""Seconds that a connection stays open behind an answer whose head did not say that it would be closed."""
_LAST_WORDS: Final = 5.0
"""Seconds for the terminal errors to be written."""
_STATUS_LINE: Final = b"HTTP/1.1 "
_COPIED: Final = 64 * 1024
"""Bytes of a body's first piece below which copying it behind its head is cheaper than a second write."""

_CONTROLS: Final = bytes(code for code in (*range(32), 127) if code != 9)
"""What a header's value cannot hold (RFC 9110 §5.5): all control characters but the tabulator."""
_FRAMING: Final = frozenset({b"transfer-encoding", b"connection"})
_NAMES: Final = 512
"""Header names remembered as fit."""

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 34\r\n"
    b"connection: close\r\n\r\nThe request's headers are too big."
)


class HeadWithBody:
    """The connection's transport as its answers use it: a head goes out together with what follows it.

    uvloop writes at once, so a head on its own is a system call and a packet more for every answer. What is held back
    goes with the next write, or at the end of the loop's turn where nothing follows.
    """

    __slots__ = ("_head", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        head = self._head
        if head:
            self._head = b""
            if len(data) < _COPIED:
                data = head + data
            else:
                self._transport.write(head)
        elif data.startswith(_STATUS_LINE):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def write_answer(self, head: bytes, body: bytes) -> None:
        """Both, with nothing to wait for, behind what was held back (a `100 Continue`)."""
        held, self._head = self._head, b""
        if len(body) < _COPIED:
            self._transport.write(held + head + body)
        else:
            self._transport.write(held + head)
            self._transport.write(body)

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class HeaderNames:
    """Names of headers that were found fit to be sent: few, and asked for with every answer."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def fit(self, headers: Headers) -> bool:
        """Whether all of these are lower case, in HTTP's alphabet, and none of those that frame or end an answer."""
        asked = [name for name, _ in headers]
        if self._known.issuperset(asked):
            return True
        if any(name in _FRAMING or name != name.lower() or HEADER_RE.search(name) for name in asked):
            return False
        if len(self._known) < _NAMES:
            self._known.update(asked)
        return True


def head_of(status: int, headers: Headers, keep_alive: bool) -> bytes | None:
    """The head of an answer; None where a value holds characters that no header may."""
    lines = [STATUS_LINE[status]]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
    head = b"".join(lines)
    line_ends = len(headers) + (2 if keep_alive else 3)
    return head if len(head.translate(None, _CONTROLS)) == len(head) - 2 * line_ends else None


class Running(Interface):
    """What the drain looks at and ends."""

    @property
    def running(self) -> int: ...

    def stop_all(self) -> None: ...


class Connection(Interface):
    """A connection of `http_protocol`, as it is asked to go."""

    @property
    def is_awaited(self) -> bool: ...

    @property
    def is_answering(self) -> bool: ...

    @property
    def is_lingering(self) -> bool: ...

    def leave(self) -> None: ...

    def shutdown(self) -> None: ...


def http_protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol with a bound on headers and on what waits to be written.

    It is the `routecodex.connection` of its requests (blocks/http_adapter/connection.py).
    """
    names = HeaderNames()

    class BoundedProtocol(HttpToolsProtocol):
        _in_head = True
        """No whole head has come since the connection opened, or since the last request."""
        _head_bytes = 0
        """Of the data that came since the head began and did not end it."""
        _most = 0
        """At least what the head has that is being parsed."""
        _leaving = False
        _lingering: asyncio.TimerHandle | None = None
        """Until when a client may still send what it was about to send, not knowing that we leave."""
        _gone = False
        _lost: Callable[[], None] | None = None

        @property
        def is_awaited(self) -> bool:
            """It was accepted, and what it was opened for has not arrived yet."""
            return self._in_head and not self.transport.is_closing()

        @property
        def is_answering(self) -> bool:
            """A request has come and its answer is not out: also one that no flow runs, such as a control command."""
            return self.cycle is not None and not self.cycle.response_complete and not self.transport.is_closing()

        @property
        def is_lingering(self) -> bool:
            """Its answer is out, and its client could not know that no other is given after it."""
            return self._lingering is not None and not self.transport.is_closing()

        def leave(self) -> None:
            """Answer what it was opened for, or what it is answering, and close; one that is idle closes now.

            An answer whose head is out already has promised its client that the connection stays: it does for a
            moment, and a request that comes in it is answered, with `connection: close`.
            """
            self._leaving = True
            if self.is_answering and self.cycle.response_started and self.cycle.keep_alive:
                return
            if not self._in_head:
                self.shutdown()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self._leaving and not self._in_head and not self.is_answering and not self.transport.is_closing():
                self._lingering = self.loop.call_later(_LINGER, self._cease)

        def _cease(self) -> None:
            self._lingering = None
            if not self._in_head:
                self.shutdown()

        def _stop_lingering(self) -> None:
            if self._lingering is not None:
                self._lingering.cancel()
                self._lingering = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._extensions = {EXTENSION: self}
            transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
            super().connection_made(transport)
            self._wire = HeadWithBody(transport, self.loop)
            self.transport = self._wire  # type: ignore[assignment]

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._stop_lingering()
            self._gone = True
            if self._lost is not None:
                self._lost()

        def watch(self, lost: Callable[[], None]) -> None:
            """An end can only be seen while reading is not paused."""
            self._lost = lost
            self.flow.resume_reading()
            if self._gone:
                lost()

        def answer(self, status: int, headers: Headers, body: bytes) -> bool:
            """What uvicorn's cycle does with two messages, at once; `cycle` is the running one if no other waits."""
            cycle = self.cycle
            if self.pipeline or self.flow.write_paused or cycle.response_started or not names.fit(headers):
                return False
            if cycle.disconnected:
                return True
            head = head_of(status, headers, cycle.keep_alive)
            if head is None:
                return False
            cycle.waiting_for_100_continue = False
            cycle.response_started = cycle.response_complete = True
            self._wire.write_answer(head, body)
            cycle.message_event.set()
            if not cycle.keep_alive:
                self.transport.close()
            cycle.on_response()
            return True

        def data_received(self, data: bytes) -> None:
            self._most = self._head_bytes + len(data)
            super().data_received(data)
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > limits.max_header_bytes and not self.transport.is_closing():
                    self._refuse_head()

        def send_400_response(self, msg: str) -> None:
            if not self.transport.is_closing():  # else the head was refused already, which stopped the parser
                super().send_400_response(msg)

        def _refuse_head(self) -> None:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

        def _head_size(self) -> int:
            """Of the head that was parsed, but for its method and version, which are a few bytes."""
            return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

        def on_message_begin(self) -> None:
            self._in_head = True
            self._head_bytes = 0
            self._stop_lingering()
            super().on_message_begin()
            self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # any name is allowed there

        def on_headers_complete(self) -> None:
            if self._most > limits.max_header_bytes and self._head_size() > limits.max_header_bytes:
                self._refuse_head()
                raise ValueError("The head is too large.")  # the parser goes no further
            self._in_head = False
            super().on_headers_complete()
            if self._leaving and self.cycle is not None:
                self.cycle.keep_alive = False

        def on_message_complete(self) -> None:
            self._head_bytes = 0
            super().on_message_complete()

    return BoundedProtocol


def refusing_sockets() -> type[asyncio.Protocol]:
    """uvicorn's WebSocket protocol, which takes a handshake refused with an answer for one that got none: it would log
    an error for every client without a key."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class RefusingProtocol(WebSocketsSansIOProtocol):
        async def send(self, message: ASGISendEvent) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
                self.handshake_complete = True

    return RefusingProtocol


class DrainingServer(uvicorn.Server):
    """A uvicorn server that lets requests finish, within limits, and tells the rest."""

    def __init__(
        self,
        config: uvicorn.Config,
        requests: Running,
        stop_accepting: Callable[[], None],
        part: Callable[[], None],
        drain: float,
    ) -> None:
        """`part` is called when the drain is over and something still waits that is no request of `requests`."""
        super().__init__(config)
        self._part = part
        self._requests = requests
        self._stop_accepting = stop_accepting
        self._drain = drain
        self._when_started: Callable[[], None] | None = None

    def when_started(self, tell: Callable[[], None]) -> None:
        """Call this once requests are accepted."""
        self._when_started = tell

    def use_drain(self, seconds: float) -> None:
        """How long requests may run on once the server stops."""
        self._drain = seconds

    def stop(self, drain: float) -> None:
        """Leave the accept loop and end when nothing runs; a drain of 0 or more seconds replaces the configured one."""
        if drain >= 0:
            self._drain = drain
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._when_started is not None:
            self._when_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM; unlike uvicorn's own, the signal is not raised again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.handle_exit, signal.SIGTERM, None)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await self._answer_what_was_accepted()
        self._stop_accepting()
        if not await self._nothing_runs(self._drain):
            self._requests.stop_all()
            self._part()
            await self._nothing_runs(_LAST_WORDS)
        await super().shutdown(sockets)

    async def _answer_what_was_accepted(self) -> None:
        """Who connected before the accept loop was left gets an answer, not a closed connection."""
        connections = self._connections
        for connection in connections:
            connection.leave()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FIRST_WORDS
        while any(one.is_awaited for one in connections) and loop.time() < deadline and not self.force_exit:  # noqa: ASYNC110 (as below)
            await asyncio.sleep(0.01)
        for connection in connections:
            if connection.is_awaited:
                connection.shutdown()

    @property
    def _connections(self) -> list[Connection]:
        """Those of HTTP; a WebSocket would be closed in the middle of its answer, its requests are counted anyway."""
        accepted = [one for one in self.server_state.connections if isinstance(one, HttpToolsProtocol)]
        return cast("list[Connection]", accepted)

    async def _nothing_runs(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._runs and loop.time() < deadline and not self.force_exit:  # noqa: ASYNC110 (three conditions, one of them uvicorn's)
            await asyncio.sleep(0.02)
        return not self._runs

    @property
    def _runs(self) -> bool:
        return self._requests.running > 0 or any(
            one.is_answering or one.is_lingering or one.is_awaited for one in self._connections
        )


def server(
    application: Any,
    requests: Running,
    stop_accepting: Callable[[], None],
    part: Callable[[], None],
    settings: ServerSettings,
) -> DrainingServer:
    """A server for this application; `await serve(sockets=[listener])` runs it."""
    config = uvicorn.Config(
        application,
        http=http_protocol(settings.limits),
        ws=refusing_sockets() if settings.limits.max_websocket_connections > 0 else "none",
        ws_max_size=settings.limits.max_body_bytes,
        # Compressing each event of a stream on its own costs more than the local network does.
        ws_per_message_deflate=False,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=settings.backlog,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(_LAST_WORDS),
    )
    return DrainingServer(config, requests, stop_accepting, part, settings.drain)
