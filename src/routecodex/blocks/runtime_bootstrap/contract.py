"""What a generation is made of, and how the parts of other blocks come in: as factories the app passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol as Interface

import msgspec

from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.hub.upstream import UpstreamRequest
from llmswitch_core.router.policy import VirtualRouter
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.provider import UpstreamStream


class Runtime(Interface):
    """The provider runtime as a generation holds it."""

    async def send(self, request: UpstreamRequest) -> UpstreamStream: ...

    async def close(self) -> None: ...


class RuntimeFactory(Interface):
    """Makes the provider runtime over these providers; `now` in Unix seconds."""

    def __call__(self, providers: Mapping[str, ProviderSpec], now: Callable[[], float]) -> Runtime: ...


class Artifacts(msgspec.Struct, frozen=True):
    """Everything wired from one configuration."""

    pipeline: HubPipeline
    router: VirtualRouter
    """The same policy the pipeline routes by: for outcomes, standings and the names clients may use."""
    runtime: Runtime
