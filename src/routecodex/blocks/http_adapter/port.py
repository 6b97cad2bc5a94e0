"""A client over plain ASGI `send` and `receive`: the HTTP `ClientPort`.

One task per request waits in `receive`, because a server lets `send` succeed after a hang-up. It ends by itself
when the answer is complete: the server then says `http.disconnect`.
"""

from __future__ import annotations

import asyncio

from routecodex.blocks.http_adapter.asgi import answer
from routecodex.blocks.http_adapter.contract import Headers, Receive, Scope, Send


class Answer:
    """An answer as ASGI messages; `extra` joins the flow's headers."""

    __slots__ = ("_extra", "_send")

    def __init__(self, send: Send, extra: Headers = ()) -> None:
        self._send = send
        self._extra = extra

    async def start(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._extra]})

    async def send(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        await answer(self._send, status, [*headers, *self._extra, (b"content-length", b"%d" % len(body))], body)

    async def break_off(self) -> None:
        """Return without completing the answer: the server then closes the connection mid-chunk."""


class HttpPort(Answer):
    """One HTTP request's client."""

    __slots__ = ("disconnected",)

    def __init__(self, receive: Receive, send: Send, extra: Headers = ()) -> None:
        super().__init__(send, extra)
        self.disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_task(_gone(receive))


def watching_port(_: Scope, receive: Receive, send: Send, extra: Headers) -> HttpPort:
    """The client of a request under any server."""
    return HttpPort(receive, send, extra)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
