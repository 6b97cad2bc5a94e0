"""CONNECT: asks a proxy for a way to an origin and waits for its word.

It knows the one request and the head of its answer. What follows on the socket is TLS and not its concern.
"""

from __future__ import annotations

import asyncio

import httptools

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.parsing import response_parser
from routecodex.blocks.provider_runtime.http1.target import Origin, sealed

_HEAD_LIMIT = 64 * 1024


class Tunnel(asyncio.Protocol):
    """The proxy's side of a connection, until TLS takes it over. `answered` becomes the status."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answered: asyncio.Future[int] = loop.create_future()
        self._parser = response_parser(self)
        self._size = 0

    def data_received(self, data: bytes) -> None:
        if self.answered.done():
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(error)
        else:
            if self._size > _HEAD_LIMIT:
                self._fail(None)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if not self.answered.done() and not 100 <= status < 200:
            self.answered.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answered.done():
            failure = wording.connection_lost()
            failure.__cause__ = exc
            self.answered.set_exception(failure)

    def _fail(self, error: Exception | None) -> None:
        if not self.answered.done():
            failure = wording.malformed()
            failure.__cause__ = error
            self.answered.set_exception(failure)


async def ask_for(tunnel: Tunnel, transport: asyncio.WriteTransport, origin: Origin, authorization: str | None) -> int:
    """Ask for a way to the origin; the proxy's status. Raises TransportError."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"host: {host}:{origin.port}"]
    if authorization is not None:
        lines.append(f"proxy-authorization: {authorization}")
    transport.write(sealed(lines) + b"\r\n")
    return await tunnel.answered
