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
from typing import TYPE_CHECKING, Any, Final
from typing import Protocol as Interface

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from routecodex.blocks.http_adapter.connection import EXTENSION
from routecodex.config.compiled import Limits, ServerSettings

if TYPE_CHECKING:
    import socket

KEEP_ALIVE: Final = 75
"""Seconds an idle client connection is kept: longer than most clients' pools keep theirs."""
_LAST_WORDS: Final = 5.0
"""Seconds for the terminal errors to be written."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_STATUS_LINE: Final = b"HTTP/1.1 "
_COPIED: Final = 64 * 1024
"""Bytes of a body's first piece below which copying it behind its head is cheaper than a second write."""

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 34\r\n"
    b"connection: close\r\n\r\nThe request's headers are too big."
)


class HeadWithBody:
    """The connection's transport as its answers use it: a head goes out together with what follows it.

    uvloop writes at once, so a head on its own is a system call and a packet more for every answer. What is held back
    goes with the next write, or at the end of the loop's turn where nothing follows.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
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

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Running(Interface):
    """What the drain looks at and ends."""

    @property
    def running(self) -> int: ...

    def stop_all(self) -> None: ...


def http_protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol with a bound on headers and on what waits to be written; tells requests of hang-ups."""

    class BoundedProtocol(HttpToolsProtocol):
        _in_head = True
        _head_bytes = 0
        _gone = False
        _lost: Callable[[], None] | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._extensions = {EXTENSION: self}
            transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
            super().connection_made(transport)
            self.transport = HeadWithBody(transport, self.loop)  # type: ignore[assignment]

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._gone = True
            if self._lost is not None:
                self._lost()

        def watch(self, lost: Callable[[], None]) -> None:
            """`blocks.http_adapter.connection.Connection`; an end can only be seen while reading is not paused."""
            self._lost = lost
            self.flow.resume_reading()
            if self._gone:
                lost()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > limits.max_header_bytes and not self.transport.is_closing():
                    self.transport.write(_TOO_LARGE)
                    self.transport.close()

        def on_message_begin(self) -> None:
            self._in_head = True
            self._head_bytes = 0
            super().on_message_begin()
            self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # any name is allowed there

        def on_headers_complete(self) -> None:
            self._in_head = False
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._head_bytes = 0
            super().on_message_complete()

    return BoundedProtocol


class DrainingServer(uvicorn.Server):
    """A uvicorn server that lets requests finish, within limits, and tells the rest."""

    def __init__(
        self, config: uvicorn.Config, requests: Running, stop_accepting: Callable[[], None], drain: float
    ) -> None:
        super().__init__(config)
        self._requests = requests
        self._stop_accepting = stop_accepting
        self._drain = drain

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn's own, the signals are not raised again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop_accepting()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpToolsProtocol):  # a WebSocket would be closed in the middle of its answer
                connection.shutdown()
        if not await self._nothing_runs(self._drain):
            self._requests.stop_all()
            await self._nothing_runs(_LAST_WORDS)
        await super().shutdown(sockets)

    async def _nothing_runs(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._requests.running and loop.time() < deadline and not self.force_exit:  # noqa: ASYNC110 (three conditions, one of them uvicorn's)
            await asyncio.sleep(0.02)
        return not self._requests.running


def server(
    application: Any, requests: Running, stop_accepting: Callable[[], None], settings: ServerSettings
) -> DrainingServer:
    """A server for this application; `await serve(sockets=[listener])` runs it."""
    config = uvicorn.Config(
        application,
        http=http_protocol(settings.limits),
        ws="websockets-sansio" if settings.limits.max_websocket_connections > 0 else "none",
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
    return DrainingServer(config, requests, stop_accepting, settings.drain)
