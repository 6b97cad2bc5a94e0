"""A client over plain ASGI `send` and `receive`: the HTTP `ClientPort`.

One task per request waits in `receive`, because a server lets `send` succeed after a hang-up. It ends by itself
when the answer is complete: the server then says `http.disconnect`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from routecodex.blocks.http_adapter.contract import Headers


class HttpPort:
    """One HTTP request's client."""

    __slots__ = ("_extra", "_send", "disconnected")

    def __init__(
        self,
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        extra: Headers = (),
    ) -> None:
        self._send = send
        self._extra = extra
        self.disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_task(_gone(receive))

    async def start(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._extra]})

    async def send(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, *self._extra, (b"content-length", b"%d" % len(body))],
            }
        )
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def break_off(self) -> None:
        """Return without completing the answer: the server then closes the connection mid-chunk."""


async def _gone(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
