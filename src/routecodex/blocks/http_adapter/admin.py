"""Health for everyone, details and metrics for the admin token: Starlette routes over the control plane."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter.contract import ControlPlane
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.headers import decoded


class Admin:
    """The admin surface of one data plane."""

    def __init__(self, plane: DataPlane, control: ControlPlane) -> None:
        self._plane = plane
        self._policy = plane.policy
        self._control = control

    def routes(self) -> list[BaseRoute]:
        """What a Starlette router serves of it."""
        return [Route("/health", self._health), Route("/ready", self._ready), Route("/metrics", self._metrics)]

    async def _health(self, request: Request) -> Response:
        return self._answered(request, self._control.health)

    async def _ready(self, request: Request) -> Response:
        return self._answered(request, self._control.ready)

    async def _metrics(self, request: Request) -> Response:
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
