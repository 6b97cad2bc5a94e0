"""The part of a provider runtime that is the same on both sides: a table of Provider V2 instances over transports.

It knows provider specs and makes one transport per provider through the factory it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.hub.upstream import UpstreamRequest
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.provider import ProviderV2, UpstreamStream
from routecodex.providers.transport import Transport


class Runtime:
    """A `ProviderRuntime`: one transport per provider, one Provider V2 per keyAlias on it."""

    def __init__(
        self,
        providers: Mapping[str, ProviderSpec],
        transport: Callable[[ProviderSpec], Transport],
        now: Callable[[], float],
    ) -> None:
        self._transports: list[Transport] = []
        self._providers: dict[str, ProviderV2] = {}
        for spec in providers.values():
            connections = transport(spec)
            self._transports.append(connections)
            for alias in spec.auth:
                provider = ProviderV2(spec, alias, connections, now)
                self._providers[provider.runtime_key] = provider

    async def send(self, request: UpstreamRequest) -> UpstreamStream:
        provider = self._providers.get(request.target.runtime_key)
        if provider is None:
            raise GatewayError(
                ErrorKind.INTERNAL,
                "no_provider",
                f"The target's runtimeKey {request.target.runtime_key} has no provider in this generation.",
                next_step="Report this: routing table and providers disagree.",
                layer=Layer.HOST,
            )
        return await provider.send(request)

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()
