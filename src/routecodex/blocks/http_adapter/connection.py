"""What our own server offers beyond ASGI, as an ASGI extension: it tells of hang-ups, and takes whole answers at once.

Plain ASGI tells of a hang-up only to a task of its own that waits in `receive` for the whole request, and takes a whole
answer as two messages. Under a server without the extension the adapter does with that (port.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from typing import Protocol as Interface

from routecodex.blocks.http_adapter.asgi import answer
from routecodex.blocks.http_adapter.contract import Headers, Scope, Send
from routecodex.blocks.http_adapter.port import Answer

EXTENSION: Final = "routecodex.connection"
"""Its name under `extensions` in a scope; the value is a `Connection`."""


class Connection(Interface):
    """A client's connection, which serves one request at a time."""

    def watch(self, lost: Callable[[], None]) -> None:
        """Call `lost` when the connection is gone, at once if it is already; the next request on it takes over."""
        ...

    def answer(self, status: int, headers: Headers, body: bytes) -> bool:
        """Write this whole answer to the running request, now; `headers` hold its content-length.

        False, and nothing happens: this answer must go by ASGI (the client is behind, other requests wait, a header
        nobody should send).
        """
        ...


def connection_of(scope: Scope) -> Connection | None:
    """The connection a request came on, where the server tells."""
    extensions: Mapping[str, Any] = scope.get("extensions") or {}
    found: Connection | None = extensions.get(EXTENSION)
    return found


class WatchedPort(Answer):
    """One HTTP request's client on a connection that tells of its end. Not for HEAD: an answer's body is sent."""

    __slots__ = ("_connection", "disconnected")

    def __init__(self, connection: Connection, send: Send, extra: Headers = ()) -> None:
        self._send = send
        self._extra = extra
        self._connection = connection
        self.disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.watch(self._lost)

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        head = [*headers, *self._extra, (b"content-length", b"%d" % len(body))]
        if not self._connection.answer(status, head, body):
            await answer(self._send, status, head, body)

    def _lost(self) -> None:
        if not self.disconnected.done():
            self.disconnected.set_result(None)
