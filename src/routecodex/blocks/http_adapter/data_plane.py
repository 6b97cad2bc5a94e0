"""One data-plane request over plain ASGI: who asks, what is asked, the body; then the request flow.

Both sides of `hostBlocks.httpAdapter` end here; they differ in how a path finds its endpoint. Whatever is refused
is refused in the shape of the protocol whose endpoint was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Inbound
from llmswitch_core.protocols.contract import RequestHead
from routecodex.blocks.http_adapter import body
from routecodex.blocks.http_adapter.asgi import answer
from routecodex.blocks.http_adapter.contract import ClientPort, Headers, Receive, RequestFlow, Scope, Send
from routecodex.blocks.http_adapter.endpoints import Endpoint
from routecodex.blocks.http_adapter.headers import SECRET, decoded
from routecodex.blocks.http_adapter.patience import Patience
from routecodex.blocks.http_adapter.policy import Policy, query_values

ROUTE_HINT: Final = "x-routecodex-route"
CONVERSATION: Final = "x-routecodex-conversation"
_PREFLIGHT_HEADERS: Final = (
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"600"),
)


class DataPlane:
    """Brings requests of clients to the flow."""

    def __init__(
        self,
        policy: Policy,
        flow: RequestFlow,
        new_id: Callable[[str], str],
        port: Callable[[Scope, Receive, Send, Headers], ClientPort],
    ) -> None:
        """`port` makes a request's client of what it came with and the headers its answer gets besides the flow's."""
        self.policy = policy
        self.flow = flow
        self.new_id = new_id
        self._port = port
        self.stopping = False
        """New requests are refused: the process is on its way out."""
        limits = policy.rules.limits
        self._patience = Patience(body.SILENCE)
        self._max_body = limits.max_body_bytes
        self._max_running = limits.max_concurrent_requests

    async def handle(
        self, scope: Scope, receive: Receive, send: Send, endpoint: Endpoint, response_id: str | None = None
    ) -> None:
        """Answer one HTTP request for this endpoint."""
        request_id = self.new_id("req_")
        account = ""
        extra: list[tuple[bytes, bytes]] = []
        try:
            headers = decoded(scope["headers"])
            method = scope["method"]
            self.policy.check_source(headers)
            if "origin" in headers:
                extra = self.policy.cors(headers)
                if method == "OPTIONS" and extra:
                    await answer(send, 204, [*extra, *_PREFLIGHT_HEADERS], b"")
                    return
            if method not in endpoint.methods:
                extra = [*extra, allow(endpoint.methods)]
                raise method_not_allowed(method, endpoint.methods)
            query = scope["query_string"]
            account = self.policy.account(headers, query)
            self.check_capacity()
            if method == "POST":
                content = await body.read(receive, headers, self._max_body, self._patience)
                if content:
                    self.policy.check_content_type(headers)
            else:
                content = b""
            inbound = Inbound(
                request_id,
                endpoint.protocol,
                endpoint.operation,
                RequestHead(method, scope["path"], query_values(query), without_secrets(headers)),
                content,
                account,
                headers.get(ROUTE_HINT) if self.policy.rules.route_hints else None,
                headers.get(CONVERSATION),
                response_id,
            )
        except body.ClientGone:
            return
        except GatewayError as error:
            await self.refuse(send, endpoint.protocol, error, request_id, account, extra)
            return
        except Exception as error:
            await self.refuse(send, endpoint.protocol, _own_fault(error), request_id, account, extra)
            return
        await self.flow.run(inbound, self._port(scope, receive, send, extra))

    def check_capacity(self) -> None:
        """Refuse what cannot be served now (503)."""
        if self.stopping:
            raise GatewayError(
                ErrorKind.OVERLOADED,
                "gateway_stopping",
                "The gateway is stopping.",
                next_step="Send the request again.",
                retry_after=1.0,
                layer=Layer.HOST,
            )
        if self.flow.running >= self._max_running:
            raise GatewayError(
                ErrorKind.OVERLOADED,
                "too_many_requests_running",
                f"{self._max_running} requests are running already.",
                next_step="Try again, or raise server.limits.maxConcurrentRequests.",
                retry_after=1.0,
                layer=Layer.HOST,
            )

    async def refuse(
        self,
        send: Send,
        protocol: Protocol,
        error: GatewayError,
        request_id: str,
        account: str = "",
        extra: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        """Send an error in this protocol's shape."""
        reply = self.flow.refuse(protocol, error, request_id, account)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(reply.body)),
            (b"x-routecodex-request-id", request_id.encode("ascii")),
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()),
            *(extra or ()),
        ]
        if self.stopping:
            headers.append((b"connection", b"close"))
        await answer(send, reply.status, headers, reply.body)

    async def not_found(self, scope: Scope, send: Send, protocol: Protocol) -> None:
        """No endpoint has this path."""
        error = GatewayError(
            ErrorKind.NOT_FOUND,
            "unknown_path",
            f"There is no endpoint {scope['method']} {scope['path'][:200]}.",
            next_step="Check the base URL: it ends in /v1 for the OpenAI protocols, in the port for the others.",
            layer=Layer.CLIENT,
        )
        await self.refuse(send, protocol, error, self.new_id("req_"))


def _own_fault(error: Exception) -> GatewayError:
    fault = GatewayError(
        ErrorKind.INTERNAL,
        "internal_error",
        f"The gateway failed while reading the request ({type(error).__name__}).",
        next_step="Report it with the x-routecodex-request-id of this answer; the log has the details.",
        layer=Layer.HOST,
    )
    fault.__cause__ = error
    return fault


def without_secrets(headers: dict[str, str]) -> dict[str, str]:
    """The headers with every credential taken out."""
    for name in SECRET:
        headers.pop(name, None)
    return headers


def allow(methods: Iterable[str]) -> tuple[bytes, bytes]:
    """The header that goes with a 405."""
    return b"allow", ", ".join(sorted(methods)).encode("ascii")


def method_not_allowed(method: str, methods: Iterable[str]) -> GatewayError:
    """405: what is there instead."""
    allowed = ", ".join(sorted(methods))
    return GatewayError(
        ErrorKind.INVALID_REQUEST,
        "method_not_allowed",
        f"The method {method} is not allowed here.",
        status=405,
        next_step=f"Use {allowed}.",
        layer=Layer.CLIENT,
    )
