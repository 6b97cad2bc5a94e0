"""What the request flow needs of a provider runtime.

The sides of `hostBlocks.providerRuntime` fulfil this; they differ in their transport only.
"""

from __future__ import annotations

from typing import Protocol as Interface

from llmswitch_core.hub.upstream import UpstreamRequest
from routecodex.providers.provider import UpstreamStream


class ProviderRuntime(Interface):
    """All upstreams of one generation."""

    async def send(self, request: UpstreamRequest) -> UpstreamStream:
        """Send by the Provider V2 instance of the target's runtimeKey; waits for the answer's head.

        Cancelling closes the upstream's connection. Raises GatewayError (layer provider).
        """
        ...

    async def close(self) -> None:
        """Close all connections. Called when no request holds the generation any more."""
        ...
