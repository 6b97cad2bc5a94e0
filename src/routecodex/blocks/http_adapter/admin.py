"""Health for everyone; details, metrics and commands for the admin token: Starlette routes over the control plane."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter import daemon
from routecodex.blocks.http_adapter.contract import ControlPlane, Receive, Scope, Send
from routecodex.blocks.http_adapter.data_plane import DataPlane, allow, method_not_allowed
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.model_list import READING


class Reading:
    """An address that is read and nothing else; an ASGI application."""

    def __init__(self, plane: DataPlane, answer: Callable[[Request], Response]) -> None:
        self._plane = plane
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in READING:
            error = method_not_allowed(method, READING)
            request_id = self._plane.new_id("req_")
            await self._plane.refuse(send, Protocol.OPENAI_CHAT, error, request_id, extra=[allow(READING)])
            return
        await self._answer(Request(scope, receive))(scope, receive, send)


class Admin:
    """The admin surface of one data plane."""

    def __init__(self, plane: DataPlane, control: ControlPlane) -> None:
        self._plane = plane
        self._policy = plane.policy
        self._control = control

    def routes(self) -> list[BaseRoute]:
        """What a Starlette router serves of it."""
        return [
            Route("/health", Reading(self._plane, self._health)),
            Route("/ready", Reading(self._plane, self._ready)),
            Route("/metrics", Reading(self._plane, self._metrics)),
            Route(f"{daemon.PREFIX}{{rest:path}}", daemon.Daemon(self._plane, self._control)),
        ]

    def _health(self, request: Request) -> Response:
        return self._answered(request, self._control.health)

    def _ready(self, request: Request) -> Response:
        return self._answered(request, self._control.ready)

    def _metrics(self, request: Request) -> Response:
        headers = decoded(request.scope["headers"])
        try:
            self._policy.check_source(headers)
            self._policy.check_admin(headers)
            self._policy.check_metrics()
        except GatewayError as error:
            return self._refused(error)
        text, kind = self._control.metrics()
        return Response(text, headers={"content-type": kind})

    def _answered(self, request: Request, make: Callable[[bool], tuple[int, bytes]]) -> Response:
        headers = decoded(request.scope["headers"])
        try:
            self._policy.check_source(headers)
            verbose = "verbose" in request.query_params
            if verbose:
                self._policy.check_admin(headers)
        except GatewayError as error:
            return self._refused(error)
        status, content = make(verbose)
        return Response(content, status, media_type="application/json")

    def _refused(self, error: GatewayError) -> Response:
        reply = self._plane.flow.refuse(Protocol.OPENAI_CHAT, error, self._plane.new_id("req_"))
        return Response(reply.body, reply.status, reply.headers, "application/json")
