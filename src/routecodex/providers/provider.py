"""Provider V2: sends a sealed `UpstreamRequest` with one credential to one provider.

It knows the base URL, the credential, static headers and the transport. It knows no semantics: it never looks
into a body, never retries what an upstream answered (but a 401 to a token that can be renewed), and repairs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from llmswitch_core.hub.upstream import UpstreamRequest
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.auth import credential
from routecodex.providers.endpoint import Endpoint
from routecodex.providers.errors import gateway_error
from routecodex.providers.transport import Transport, TransportError, TransportRequest, TransportStream

NEVER_SENT: Final = frozenset(
    {
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "proxy-authorization",
        "host",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "content-encoding",
        "accept-encoding",
        "expect",
    }
)
"""Client credentials, cookies, hop-by-hop and framing headers: whatever a request carries, these stay behind."""

USER_AGENT: Final = "routecodex/0.1"


class UpstreamStream:
    """An upstream's answer on its way in. Like a `TransportStream`, but it fails with GatewayError."""

    __slots__ = ("_provider", "_stream", "headers", "status")

    def __init__(self, stream: TransportStream, provider: str) -> None:
        self._stream = stream
        self._provider = provider
        self.status: int = stream.status
        self.headers: Mapping[str, str] = stream.headers

    async def read(self) -> bytes:
        """The next bytes, content-decoded; b"" at the clean end. Raises GatewayError (layer provider)."""
        try:
            return await self._stream.read()
        except TransportError as error:
            raise gateway_error(error, self._provider) from error

    async def read_bounded(self, limit: int) -> bytes:
        """The rest of the body, at most `limit` bytes of it, and closed."""
        body = bytearray()
        try:
            while len(body) < limit and (chunk := await self.read()):
                body += chunk
        finally:
            self.close()
        return bytes(body[:limit])

    def close(self) -> None:
        """Give it up, at once; nothing happens if it has ended."""
        self._stream.close()


class ProviderV2:
    """Auth + transport for one runtimeKey."""

    def __init__(self, spec: ProviderSpec, key_alias: str, transport: Transport, now: Callable[[], float]) -> None:
        self.runtime_key = f"{spec.id}.{key_alias}"
        self._auth = spec.auth[key_alias]
        self._transport = transport
        self._credential = credential(self._auth, transport, spec.id, now)
        self._endpoint = Endpoint(spec.base_url, spec.protocol, spec.endpoint)
        self._static = {name: secret.reveal() for name, secret in spec.headers.items()}

    async def send(self, request: UpstreamRequest) -> UpstreamStream:
        """Send and wait for the answer's head, whatever its status. Raises GatewayError (layer provider)."""
        held = self._credential
        if held is None:
            return await self._open(request, None)
        value = held.ready()
        fresh = value is None
        if value is None:
            value = await held.obtain()
        stream = await self._open(request, value)
        if stream.status == 401 and not fresh and held.refused(value):
            # The token ended before its time: one more try with a new one is authentication, not a retry.
            stream.close()
            stream = await self._open(request, await held.obtain())
        return stream

    async def _open(self, request: UpstreamRequest, value: str | None) -> UpstreamStream:
        auth = self._auth
        url = self._endpoint.url(request)
        headers = {
            "user-agent": USER_AGENT,
            "accept": "text/event-stream" if request.stream else "application/json",
            # Compressing small frames costs both sides more than it saves, and front ends buffer what they compress.
            "accept-encoding": "identity",
        }
        if request.body:
            headers["content-type"] = "application/json"
        headers.update({name: text for name, text in request.headers.items() if name not in NEVER_SENT})
        if self._static:
            headers.update(self._static)
        if value is not None:
            if auth.query is not None:
                url += ("&" if "?" in url else "?") + auth.query + "=" + quote(value, safe="")
            else:
                headers[auth.header] = auth.prefix + value
        try:
            stream = await self._transport.open(TransportRequest(request.method, url, headers, request.body))
        except TransportError as error:
            raise gateway_error(error, self.runtime_key) from error
        return UpstreamStream(stream, self.runtime_key)
