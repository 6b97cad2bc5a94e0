"""The endpoints that are more than a path and an operation, as ASGI applications.

`/v1/responses` knows upgrades, what is below it knows response ids, what is below `…/models/` serves two vendors. Both
sides of `hostBlocks.httpAdapter` serve these; they differ in how a path finds its endpoint.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter.contract import Receive, Scope, Send
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.endpoints import FIXED, gemini, protocol_of_path, response_state
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.model_list import READING, ModelList
from routecodex.blocks.http_adapter.policy import error_protocol, model_list_shape

RESPONSES: Final = ("/v1/responses", "/responses")
MODEL_LISTS: Final = ("/v1/models", "/v1beta/models", "/models")


class ResponsesEndpoint:
    """`/v1/responses`: a POST is a request; an upgrade that was not taken up is told why (426)."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._endpoint = FIXED["/v1/responses"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and any(name == b"upgrade" for name, _ in scope["headers"]):
            error = _no_handshake() if self._plane.policy.rules.websockets else _switched_off()
            await self._plane.refuse(send, Protocol.OPENAI_RESPONSES, error, self._plane.new_id("req_"))
            return
        await self._plane.handle(scope, receive, send, self._endpoint)


def _switched_off() -> GatewayError:
    return GatewayError(
        ErrorKind.INVALID_REQUEST,
        "websocket_disabled",
        "The Responses WebSocket is switched off.",
        status=426,
        next_step="Send POST /v1/responses.",
        layer=Layer.CLIENT,
    )


def _no_handshake() -> GatewayError:
    """The server takes up every WebSocket handshake that is one."""
    return GatewayError(
        ErrorKind.INVALID_REQUEST,
        "bad_upgrade",
        "The request is no WebSocket handshake.",
        status=426,
        next_step="Send `connection: Upgrade` with `upgrade: websocket`, or POST /v1/responses.",
        layer=Layer.CLIENT,
    )


class ResponseStateEndpoint:
    """`/v1/responses/{id}` and what is below it."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = response_state(scope["path"])
        if found is None:
            await self._plane.not_found(scope, send, Protocol.OPENAI_RESPONSES)
            return
        endpoint, response_id = found
        await self._plane.handle(scope, receive, send, endpoint, response_id)


class ModelEndpoint:
    """Below `…/models/`: Gemini's calls, and single entries of the model list."""

    def __init__(self, plane: DataPlane, listed: ModelList) -> None:
        self._plane = plane
        self._listed = listed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        endpoint = gemini(path)
        if endpoint is not None:
            await self._plane.handle(scope, receive, send, endpoint)
        elif scope["method"] in READING:
            await self._listed(scope, receive, send)
        else:
            await self._plane.not_found(scope, send, _asking(scope))


class Missing:
    """Every path that is no endpoint."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "There is no such endpoint."})
            return
        await self._plane.not_found(scope, send, _asking(scope))


def _asking(scope: Scope) -> Protocol:
    """Whose client asks for a path that is no endpoint: the path tells, else the headers its SDK sends."""
    path = scope["path"]
    told = protocol_of_path(path)
    if told is not Protocol.OPENAI_CHAT:
        return told
    return error_protocol(model_list_shape(path, decoded(scope["headers"])))
