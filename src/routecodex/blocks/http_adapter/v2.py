"""HTTP adapter v2: raw ASGI over the shared policy and data plane; Starlette serves the admin surface alone.

A path without parameters is one look into a dictionary, one with parameters a look at how it begins. A hang-up is told
by the server where the server can (connection.py), so that a request needs no second task to wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from starlette.routing import Router

from routecodex.blocks.http_adapter.admin import Admin
from routecodex.blocks.http_adapter.asgi import ASGIApp, route_path
from routecodex.blocks.http_adapter.connection import WatchedPort, connection_of
from routecodex.blocks.http_adapter.contract import (
    Application,
    ClientPort,
    ControlPlane,
    Headers,
    ModelCatalogue,
    Receive,
    RequestFlow,
    Rules,
    Scope,
    Send,
)
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.endpoints import FIXED, GEMINI_PREFIXES, Endpoint
from routecodex.blocks.http_adapter.model_list import ModelList
from routecodex.blocks.http_adapter.policy import Policy
from routecodex.blocks.http_adapter.port import HttpPort
from routecodex.blocks.http_adapter.resources import (
    MODEL_LISTS,
    RESPONSES,
    Missing,
    ModelEndpoint,
    ResponsesEndpoint,
    ResponseStateEndpoint,
)
from routecodex.blocks.http_adapter.responses_socket import ResponsesSocket

_WHOLE_LINE: Final = re.compile(r".*$")
"""What a path parameter of v1's router can hold: no line feed, but for one at the very end."""


class RawApplication:
    """The paths, and the switch that lets it finish."""

    def __init__(
        self,
        plane: DataPlane,
        endpoints: Mapping[str, Endpoint],
        fixed: Mapping[str, ASGIApp],
        below: Mapping[str, ASGIApp],
        sockets: Mapping[str, ASGIApp],
        rest: ASGIApp,
    ) -> None:
        """`endpoints` and `fixed` go by the whole path, `below` by how it begins, `sockets` are for upgrades."""
        self._plane = plane
        self._endpoints = endpoints
        self._fixed = fixed
        self._below = tuple(below.items())
        self._sockets = sockets
        self._rest = rest

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is not None:
                return self._plane.handle(scope, receive, send, endpoint)
        return self._found(scope)(scope, receive, send)

    def _found(self, scope: Scope) -> ASGIApp:
        kind = scope["type"]
        if kind == "http":
            app = self._fixed.get(scope["path"])
            if app is not None:
                return app
            path = route_path(scope)
            for prefix, app in self._below:
                if path.startswith(prefix) and _WHOLE_LINE.match(path, len(prefix)):
                    return app
        elif kind == "websocket":
            return self._sockets.get(route_path(scope).removesuffix("\n"), self._rest)
        return self._rest

    def stop_accepting(self) -> None:
        """From here on new requests are refused with 503; running ones go on."""
        self._plane.stopping = True


def client_port(scope: Scope, receive: Receive, send: Send, extra: Headers) -> ClientPort:
    """A request's client: told of a hang-up by the server, or by a task that waits for it.

    Only a POST has had its body read. For the others that task is also what asks for the body, which a client with
    `expect: 100-continue` waits for.
    """
    connection = connection_of(scope) if scope["method"] == "POST" else None
    if connection is None:
        return HttpPort(receive, send, extra)
    return WatchedPort(connection, send, extra)


def build(
    rules: Rules,
    flow: RequestFlow,
    catalogue: ModelCatalogue,
    control: ControlPlane,
    new_id: Callable[[str], str],
) -> Application:
    """The adapter over these rules. `new_id(prefix)` makes request ids."""
    plane = DataPlane(Policy(rules), flow, new_id, client_port)
    listed = ModelList(plane, catalogue)
    state, model = ResponseStateEndpoint(plane), ModelEndpoint(plane, listed)
    return RawApplication(
        plane,
        endpoints={path: endpoint for path, endpoint in FIXED.items() if path not in RESPONSES},
        fixed={**dict.fromkeys(RESPONSES, ResponsesEndpoint(plane)), **dict.fromkeys(MODEL_LISTS, listed)},
        below={**{f"{path}/": state for path in RESPONSES}, **dict.fromkeys(GEMINI_PREFIXES, model)},
        sockets=dict.fromkeys(RESPONSES, ResponsesSocket(plane)) if rules.websockets else {},
        rest=Router(Admin(plane, control).routes(), redirect_slashes=False, default=Missing(plane)),
    )
