"""The Responses WebSocket on `GET /v1/responses`: one connection, one request at a time, one small memory.

A frame becomes the same `Inbound` a POST would be and takes the same way. What `store: false` responses the client
refers to lives as long as the connection. It knows frames and ASGI messages; events are the shared module's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Inbound
from llmswitch_core.hub.responses_state import ResponseStore
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.openai_responses.websocket import ClientFrame, error_frame, read_frame
from routecodex.blocks.http_adapter.contract import Message, Receive, Scope, Send
from routecodex.blocks.http_adapter.data_plane import CONVERSATION, ROUTE_HINT, DataPlane, without_secrets
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.policy import query_values
from routecodex.blocks.http_adapter.socket_port import SocketPort

R: Final = Protocol.OPENAI_RESPONSES
_QUEUED: Final = 16
"""Frames a client may send ahead."""
_POLICY_VIOLATION: Final = 1008
_FRAME_ONLY: Final = ("type", "generate", "stream_id")


class ResponsesSocket:
    """The endpoint; an ASGI application for `websocket` scopes."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._most = plane.policy.rules.limits.max_websocket_connections
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = decoded(scope["headers"])
        request_id = self._plane.new_id("req_")
        await receive()
        try:
            self._plane.policy.check_source(headers)
            account = self._plane.policy.account(headers, scope["query_string"])
            self._plane.check_capacity()
            if self._open >= self._most:
                raise _too_many(self._most)
        except GatewayError as error:
            await self._deny(scope, send, error, request_id)
            return
        await send({"type": "websocket.accept", "headers": [(b"x-routecodex-request-id", request_id.encode())]})
        self._open += 1
        try:
            await _Connection(self._plane, scope, headers, account, receive, send).serve()
        finally:
            self._open -= 1

    async def _deny(self, scope: Scope, send: Send, error: GatewayError, request_id: str) -> None:
        reply = self._plane.flow.refuse(R, error, request_id)
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": error.code})
            return
        head = [(b"content-type", b"application/json"), (b"x-routecodex-request-id", request_id.encode())]
        head.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items())
        await send({"type": "websocket.http.response.start", "status": reply.status, "headers": head})
        await send({"type": "websocket.http.response.body", "body": reply.body, "more_body": False})


class _Connection:
    """One accepted connection."""

    def __init__(
        self, plane: DataPlane, scope: Scope, headers: dict[str, str], account: str, receive: Receive, send: Send
    ) -> None:
        self._plane = plane
        self._account = account
        self._receive = receive
        self._send = send
        self._hint = headers.get(ROUTE_HINT) if plane.policy.rules.route_hints else None
        self._conversation = headers.get(CONVERSATION)
        self._head = RequestHead("POST", scope["path"], query_values(scope["query_string"]), without_secrets(headers))
        self._memory: ResponseStore = plane.flow.connection()
        self._waiting: deque[Message] = deque()
        self._gone = False
        self._receiving: asyncio.Task[Message] | None = None

    async def serve(self) -> None:
        """Until the client leaves."""
        try:
            while not self._gone:
                message = await self._next()
                if message is not None:
                    await self._request(message)
        finally:
            if self._receiving is not None:
                self._receiving.cancel()

    async def _next(self) -> Message | None:
        if self._waiting:
            return self._waiting.popleft()
        if self._receiving is None:
            message = await self._receive()
        else:
            message = await self._receiving
            self._receiving = None
        if message["type"] == "websocket.disconnect":
            self._gone = True
            return None
        return message

    async def _request(self, message: Message) -> None:
        request_id = self._plane.new_id("req_")
        data: str | bytes = message.get("text") or message.get("bytes") or b""
        try:
            self._plane.check_capacity()
            frame = read_frame(data)
        except GatewayError as error:
            self._plane.flow.refuse(R, error, request_id, self._account)
            await self._send({"type": "websocket.send", "text": error_frame(error).decode()})
            return
        inbound = Inbound(
            request_id,
            R,
            "generate",
            self._head,
            _body(data, frame),
            self._account,
            self._hint,
            self._conversation,
        )
        port = SocketPort(self._send, frame.stream_id)
        running = asyncio.get_running_loop().create_task(
            self._plane.flow.run(inbound, port, self._memory, generate=frame.generate)
        )
        try:
            await self._watched(running, port)
        finally:
            if not running.done():
                running.cancel()

    async def _watched(self, running: asyncio.Task[None], port: SocketPort) -> None:
        """Wait for the request; meanwhile see the client leave, and keep what it sends ahead."""
        while not running.done():
            if self._receiving is None:
                if self._gone or len(self._waiting) >= _QUEUED:
                    await running
                    break
                self._receiving = asyncio.get_running_loop().create_task(_received(self._receive))
            await asyncio.wait((running, self._receiving), return_when=asyncio.FIRST_COMPLETED)
            if self._receiving.done():
                message = self._receiving.result()
                self._receiving = None
                if message["type"] == "websocket.disconnect":
                    self._gone = True
                    port.disconnected.set_result(None)
                else:
                    self._waiting.append(message)
        running.result()


async def _received(receive: Receive) -> Message:
    return await receive()


def _body(data: str | bytes, frame: ClientFrame) -> bytes:
    """The body a POST would have had; the members keep their bytes."""
    try:
        members: dict[str, Any] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return jsonio.encode(frame.body)
    for name in _FRAME_ONLY:
        members.pop(name, None)
    members["stream"] = True
    return msgspec.json.encode(members)


def _too_many(most: int) -> GatewayError:
    return GatewayError(
        ErrorKind.OVERLOADED,
        "too_many_connections",
        f"{most} WebSocket connections are open already.",
        next_step="Close one, or raise server.limits.maxWebsocketConnections.",
        retry_after=1.0,
        layer=Layer.HOST,
    )
