"""What the HTTP adapter needs from above, and what it offers: a client to answer to.

Protocols and frozen data only. Header names are lower-case bytes, as ASGI has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Literal, TypeAlias
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Inbound
from llmswitch_core.hub.responses_state import ResponseStore
from llmswitch_core.protocols.contract import ErrorReply
from routecodex.config.compiled import Limits, ServerSettings

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Application(Interface):
    """An adapter as the server calls it: ASGI 3, and the switch that lets it finish."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def stop_accepting(self) -> None:
        """From here on new requests are refused with 503; running ones go on."""
        ...


class ClientPort(Interface):
    """One client waiting for one answer. Calls come from one task at a time."""

    disconnected: asyncio.Future[None]
    """Done when the client has gone away, or when its answer is complete."""

    async def start(self, status: int, headers: Headers) -> None:
        """The head of an answer that is sent in pieces."""
        ...

    async def send(self, data: bytes) -> None:
        """A piece; waits while the client is too far behind. Silently does nothing once the client is gone."""
        ...

    async def finish(self) -> None:
        """The clean end of the answer."""
        ...

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer at once."""
        ...

    async def break_off(self) -> None:
        """End the connection so that no client can take what it got for a whole answer."""
        ...


class RequestFlow(Interface):
    """The one way through the gateway."""

    @property
    def running(self) -> int:
        """Requests under way."""
        ...

    async def run(
        self,
        inbound: Inbound,
        client: ClientPort,
        connection: ResponseStore | None = None,
        *,
        generate: bool = True,
    ) -> None:
        """Answer this request on this port. Never raises for a failure of the request: the client is told.

        `connection` is what the client's WebSocket connection remembers; with `generate` False the request is only
        kept there.
        """
        ...

    def connection(self) -> ResponseStore:
        """A new WebSocket connection's memory."""
        ...

    def refuse(self, protocol: Protocol, error: GatewayError, request_id: str, account: str = "") -> ErrorReply:
        """The answer to a request the adapter turned away; recorded like any other failure."""
        ...


class ModelEntry(msgspec.Struct, frozen=True):
    """A name a client may ask for."""

    id: str
    owner: str
    context_window: int | None = None
    max_output_tokens: int | None = None


class ModelCatalogue(Interface):
    """What `GET /v1/models` lists."""

    def models(self) -> Sequence[ModelEntry]: ...


class ControlPlane(Interface):
    """The admin surface the adapter serves; who may see it is the adapter's policy."""

    def health(self, verbose: bool) -> tuple[int, bytes]:
        """(status, JSON): is the process alive."""
        ...

    def ready(self, verbose: bool) -> tuple[int, bytes]:
        """(status, JSON): may requests be sent here; 503 while starting or stopping."""
        ...

    def metrics(self) -> tuple[bytes, str]:
        """(text, content type) in Prometheus' format."""
        ...


class Rules(msgspec.Struct, frozen=True):
    """Everything of the configuration the adapter obeys."""

    server: ServerSettings
    limits: Limits
    admin_token_digest: bytes | None
    """sha256 of the admin token; None: the admin surface is off."""
    websockets: bool = True
    route_hints: bool = True
    """The header `x-routecodex-route` is obeyed."""
    metrics: bool = True
    """`/metrics` exists."""


Shape: TypeAlias = Literal["openai", "anthropic", "gemini"]
"""Whose model list a client expects."""


class AdapterFactory(Interface):
    """Makes an adapter over these rules. `new_id(prefix)` makes request ids."""

    def __call__(
        self,
        rules: Rules,
        flow: RequestFlow,
        catalogue: ModelCatalogue,
        control: ControlPlane,
        new_id: Callable[[str], str],
    ) -> Application: ...
