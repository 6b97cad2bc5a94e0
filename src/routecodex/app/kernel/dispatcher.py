"""The one application the server calls: asks the pinned generation for its adapter.

An HTTP request holds its generation from the first byte of its body to the last of its answer. A WebSocket connection
holds none: each request on it pins the one that is current when it comes.
"""

from __future__ import annotations

from routecodex.app.kernel.generations import Current
from routecodex.blocks.http_adapter.contract import Receive, Scope, Send


class Dispatcher:
    """An ASGI 3 application over whatever is current."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._accepting = True

    @property
    def accepting(self) -> bool:
        return self._accepting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._current().application(scope, receive, send)
            return
        generation = self._current.pin()
        try:
            await generation.application(scope, receive, send)
        finally:
            generation.release()

    def stop_accepting(self) -> None:
        """New requests are refused from here on, by the current generation's adapter."""
        self._accepting = False
        self._current().application.stop_accepting()
