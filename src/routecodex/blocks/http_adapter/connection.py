"""What our own server offers beyond ASGI, as an ASGI extension: it tells at once that a client's connection is gone.

Plain ASGI answers that question only to a task of its own that waits in `receive` for the whole request. Under a server
without the extension the adapter has such a task (port.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from typing import Protocol as Interface

from routecodex.blocks.http_adapter.contract import Headers, Scope, Send
from routecodex.blocks.http_adapter.port import Answer

EXTENSION: Final = "routecodex.connection"
"""Its name under `extensions` in a scope; the value is a `Connection`."""


class Connection(Interface):
    """A client's connection, which serves one request at a time."""

    def watch(self, lost: Callable[[], None]) -> None:
        """Call `lost` when the connection is gone, at once if it is already; the next request on it takes over."""
        ...


def connection_of(scope: Scope) -> Connection | None:
    """The connection a request came on, where the server tells."""
    extensions: Mapping[str, Any] = scope.get("extensions") or {}
    found: Connection | None = extensions.get(EXTENSION)
    return found


class WatchedPort(Answer):
    """One HTTP request's client on a connection that tells of its end."""

    __slots__ = ("disconnected",)

    def __init__(self, connection: Connection, send: Send, extra: Headers = ()) -> None:
        super().__init__(send, extra)
        self.disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.watch(self._lost)

    def _lost(self) -> None:
        if not self.disconnected.done():
            self.disconnected.set_result(None)
