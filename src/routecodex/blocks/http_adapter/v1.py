"""HTTP adapter v1: a Starlette application over the shared policy and data plane.

The application is Starlette's router alone: its middleware stack would wrap `send` twice for every chunk of every
stream. Fixed paths are found by one dictionary, the rest by Starlette's routes.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Match, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from routecodex.blocks.http_adapter.admin import Admin
from routecodex.blocks.http_adapter.contract import Application, ControlPlane, ModelCatalogue, RequestFlow, Rules
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.endpoints import FIXED, GEMINI_PREFIXES, Endpoint
from routecodex.blocks.http_adapter.model_list import ModelList
from routecodex.blocks.http_adapter.policy import Policy
from routecodex.blocks.http_adapter.port import watching_port
from routecodex.blocks.http_adapter.resources import (
    MODEL_LISTS,
    RESPONSES,
    Missing,
    ModelEndpoint,
    ResponsesEndpoint,
    ResponseStateEndpoint,
)
from routecodex.blocks.http_adapter.responses_socket import ResponsesSocket


class FixedPaths(BaseRoute):
    """Paths without parameters, found at once."""

    def __init__(self) -> None:
        self.endpoints: dict[str, ASGIApp] = {}

    def add(self, path: str, endpoint: ASGIApp) -> None:
        """Let `endpoint` answer at this path."""
        self.endpoints[path] = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"] in self.endpoints:
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.endpoints[scope["path"]](scope, receive, send)


class DataEndpoint:
    """One fixed endpoint of the data plane."""

    def __init__(self, plane: DataPlane, endpoint: Endpoint) -> None:
        self._plane = plane
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._plane.handle(scope, receive, send, self._endpoint)


class StarletteApplication:
    """The router, and the switch that lets it finish."""

    def __init__(self, plane: DataPlane, router: Router) -> None:
        self._plane = plane
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    def stop_accepting(self) -> None:
        """From here on new requests are refused with 503; running ones go on."""
        self._plane.stopping = True


def build(
    rules: Rules,
    flow: RequestFlow,
    catalogue: ModelCatalogue,
    control: ControlPlane,
    new_id: Callable[[str], str],
) -> Application:
    """The adapter over these rules. `new_id(prefix)` makes request ids."""
    plane = DataPlane(Policy(rules), flow, new_id, watching_port)
    fixed: dict[str, ASGIApp] = {path: DataEndpoint(plane, endpoint) for path, endpoint in FIXED.items()}
    for path in RESPONSES:
        fixed[path] = ResponsesEndpoint(plane)
    listed = ModelList(plane, catalogue)
    for path in MODEL_LISTS:
        fixed[path] = listed
    state, model = ResponseStateEndpoint(plane), ModelEndpoint(plane, listed)
    paths = FixedPaths()
    for path, app in fixed.items():
        paths.add(path, app)
    routes: list[BaseRoute] = [paths]
    routes.extend(Route(f"{path}/{{rest:path}}", state) for path in RESPONSES)
    routes.extend(Route(f"{prefix}{{rest:path}}", model) for prefix in GEMINI_PREFIXES)
    routes.extend(Admin(plane, control).routes())
    if rules.websockets:
        socket = ResponsesSocket(plane)
        routes.extend(WebSocketRoute(path, socket) for path in RESPONSES)
    return StarletteApplication(plane, Router(routes, redirect_slashes=False, default=Missing(plane)))
