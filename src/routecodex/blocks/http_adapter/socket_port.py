"""A client on the Responses WebSocket: the `ClientPort` whose answers are text frames, one per event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from llmswitch_core.protocols.openai_responses.websocket import ws_frames
from routecodex.blocks.http_adapter.contract import Headers

INTERNAL_ERROR = 1011
_TOLD = frozenset({b"retry-after", b"retry-after-ms", b"x-routecodex-request-id", b"x-routecodex-target"})
"""Headers of an error that are worth a place in its frame."""


class _Refusal(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw(b"null")


class SocketPort:
    """One request of a connection."""

    __slots__ = ("_send", "_stream_id", "disconnected")

    def __init__(
        self, send: Callable[[MutableMapping[str, Any]], Awaitable[None]], stream_id: str | None = None
    ) -> None:
        self._send = send
        self._stream_id = stream_id
        self.disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, status: int, headers: Headers) -> None:
        """A WebSocket answer has no head."""

    async def send(self, data: bytes) -> None:
        for frame in ws_frames(data, self._stream_id):
            await self._text(frame)

    async def finish(self) -> None:
        """The terminal event was the end."""

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """An HTTP answer becomes a frame: an error carries its status, a response is the terminal event's payload."""
        if status < 400:
            await self._text(b'{"type":"response.completed","response":%b}' % body)
            return
        try:
            error = msgspec.json.decode(body, type=_Refusal).error
        except msgspec.DecodeError:
            error = msgspec.Raw(
                msgspec.json.encode({"type": "server_error", "message": body.decode("utf-8", "replace")})
            )
        frame: dict[str, Any] = {
            "type": "error",
            "status": status,
            "error": error,
            "headers": {
                name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name.lower() in _TOLD
            },
        }
        if self._stream_id is not None:
            frame["stream_id"] = self._stream_id
        await self._text(msgspec.json.encode(frame))

    async def break_off(self) -> None:
        await self._send({"type": "websocket.close", "code": INTERNAL_ERROR, "reason": "the answer broke off"})

    async def _text(self, frame: bytes) -> None:
        if not self.disconnected.done():
            await self._send({"type": "websocket.send", "text": frame.decode()})
