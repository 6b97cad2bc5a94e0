"""HTTP adapter v1: a Starlette application over the shared policy and data plane.

The application is Starlette's router alone: its middleware stack would wrap `send` twice for every chunk of every
stream. Fixed paths are found by one dictionary, the rest by Starlette's routes.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter import daemon, models
from routecodex.blocks.http_adapter.contract import ControlPlane, ModelCatalogue, RequestFlow, Rules
from routecodex.blocks.http_adapter.data_plane import DataPlane, method_not_allowed
from routecodex.blocks.http_adapter.endpoints import (
    FIXED,
    GEMINI_PREFIXES,
    Endpoint,
    gemini,
    protocol_of_path,
    response_state,
)
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.policy import Policy, error_protocol, model_list_shape
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


class ResponsesEndpoint:
    """`/v1/responses`: a POST is a request; an upgrade that was not taken up is told so (426)."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._endpoint = FIXED["/v1/responses"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and any(name == b"upgrade" for name, _ in scope["headers"]):
            error = GatewayError(
                ErrorKind.INVALID_REQUEST,
                "websocket_disabled",
                "The Responses WebSocket is switched off.",
                status=426,
                next_step="Send POST /v1/responses.",
                layer=Layer.CLIENT,
            )
            await self._plane.refuse(send, Protocol.OPENAI_RESPONSES, error, self._plane.new_id("req_"))
            return
        await self._plane.handle(scope, receive, send, self._endpoint)


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

    def __init__(self, plane: DataPlane, catalogue: ModelCatalogue) -> None:
        self._plane = plane
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        endpoint = gemini(path)
        if endpoint is not None:
            await self._plane.handle(scope, receive, send, endpoint)
        elif scope["method"] in ("GET", "HEAD"):
            await _model_list(self._plane, self._catalogue, scope, receive, send)
        else:
            await self._plane.not_found(scope, send, protocol_of_path(path))


class ModelList:
    """`GET /v1/models` in the asking vendor's shape."""

    def __init__(self, plane: DataPlane, catalogue: ModelCatalogue) -> None:
        self._plane = plane
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _model_list(self._plane, self._catalogue, scope, receive, send)


async def _model_list(plane: DataPlane, catalogue: ModelCatalogue, scope: Scope, receive: Receive, send: Send) -> None:
    headers = decoded(scope["headers"])
    path: str = scope["path"]
    shape = model_list_shape(path, headers)
    protocol = error_protocol(shape)
    request_id = plane.new_id("req_")
    try:
        plane.policy.check_source(headers)
        if scope["method"] not in ("GET", "HEAD"):
            raise method_not_allowed(scope["method"], _LISTED)
        plane.policy.account(headers, scope["query_string"])
        entries = catalogue.models()
        wanted = path.partition("/models")[2].removeprefix("/")
        if not wanted:
            content = models.listing(entries, shape)
        else:
            entry = next((entry for entry in entries if entry.id == wanted), None)
            if entry is None:
                raise GatewayError(
                    ErrorKind.NOT_FOUND,
                    "model_not_found",
                    f"The model {wanted[:200]!r} is not configured.",
                    next_step="See GET /v1/models.",
                    layer=Layer.CLIENT,
                )
            content = models.single(entry, shape)
    except GatewayError as error:
        await plane.refuse(send, protocol, error, request_id)
        return
    extra = {name.decode(): value.decode("latin-1") for name, value in plane.policy.cors(headers)}
    await Response(content, 200, extra, "application/json")(scope, receive, send)


_LISTED = Endpoint(Protocol.OPENAI_CHAT, "generate", frozenset({"GET"}))


def _admin_routes(policy: Policy, control: ControlPlane, plane: DataPlane) -> list[BaseRoute]:
    """Health for everyone, details and metrics for the admin token."""

    async def answered(request: Request, make: Callable[[bool], tuple[int, bytes]]) -> Response:
        headers = decoded(request.scope["headers"])
        try:
            policy.check_source(headers)
            verbose = "verbose" in request.query_params
            if verbose:
                policy.check_admin(headers)
        except GatewayError as error:
            return _refused(error)
        status, content = make(verbose)
        return Response(content, status, media_type="application/json")

    async def health(request: Request) -> Response:
        return await answered(request, control.health)

    async def ready(request: Request) -> Response:
        return await answered(request, control.ready)

    async def metrics(request: Request) -> Response:
        headers = decoded(request.scope["headers"])
        try:
            policy.check_source(headers)
            policy.check_admin(headers)
            policy.check_metrics()
        except GatewayError as error:
            return _refused(error)
        text, kind = control.metrics()
        return Response(text, headers={"content-type": kind})

    def _refused(error: GatewayError) -> Response:
        reply = plane.flow.refuse(Protocol.OPENAI_CHAT, error, plane.new_id("req_"))
        return Response(reply.body, reply.status, reply.headers, "application/json")

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)]


class Application:
    """The ASGI application, and the switch that lets it finish."""

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
    policy = Policy(rules)
    plane = DataPlane(policy, flow, new_id)
    fixed: dict[str, ASGIApp] = {path: DataEndpoint(plane, endpoint) for path, endpoint in FIXED.items()}
    fixed["/v1/responses"] = fixed["/responses"] = ResponsesEndpoint(plane)
    listed = ModelList(plane, catalogue)
    fixed["/v1/models"] = fixed["/v1beta/models"] = fixed["/models"] = listed
    state, model = ResponseStateEndpoint(plane), ModelEndpoint(plane, catalogue)
    paths = FixedPaths()
    for path, app in fixed.items():
        paths.add(path, app)
    routes: list[BaseRoute] = [paths]
    routes.extend(Route(f"{prefix}/responses/{{rest:path}}", state) for prefix in ("/v1", ""))
    routes.extend(Route(f"{prefix}{{rest:path}}", model) for prefix in GEMINI_PREFIXES)
    routes.extend(_admin_routes(policy, control, plane))
    routes.append(Route(f"{daemon.PREFIX}{{rest:path}}", daemon.Daemon(plane, control)))
    if rules.websockets:
        socket = ResponsesSocket(plane)
        routes.extend(WebSocketRoute(path, socket) for path in ("/v1/responses", "/responses"))

    async def missing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "There is no such endpoint."})
            return
        await plane.not_found(scope, send, protocol_of_path(scope["path"]))

    return Application(plane, Router(routes, redirect_slashes=False, default=missing))
