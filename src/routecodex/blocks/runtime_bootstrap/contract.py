"""What a generation is made of, and how the parts of other blocks come in: as factories the app passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias
from typing import Protocol as Interface

import msgspec

from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.hub.upstream import UpstreamRequest
from llmswitch_core.router.policy import VirtualRouter
from routecodex.config.compiled import CompiledConfig, ProviderSpec, SwitchValue
from routecodex.providers.provider import UpstreamStream


class Runtime(Interface):
    """The provider runtime as a generation holds it."""

    async def send(self, request: UpstreamRequest) -> UpstreamStream: ...

    async def close(self) -> None: ...


class RuntimeFactory(Interface):
    """Makes the provider runtime over these providers; `now` in Unix seconds. Opens no connection."""

    def __call__(self, providers: Mapping[str, ProviderSpec], now: Callable[[], float]) -> Runtime: ...


class Surround(msgspec.Struct, frozen=True):
    """What every generation of a process is built with."""

    runtimes: Mapping[SwitchValue, RuntimeFactory]
    """By side of `hostBlocks.providerRuntime`."""
    key_secret: bytes
    """Keys the hash of conversation keys."""
    now: Callable[[], float]
    """Unix seconds."""


RuleSet: TypeAlias = Literal["stable", "canary"]


class Artifacts(msgspec.Struct, frozen=True, eq=False):
    """Everything wired from one configuration."""

    pipeline: HubPipeline
    router: VirtualRouter
    """The same policy the pipeline routes by: for outcomes, standings and the names clients may use."""
    runtimes: Mapping[SwitchValue, Runtime]
    """By side of `hostBlocks.providerRuntime`: it is chosen per request."""


class RuntimeBootstrap(Interface):
    """Builds artifacts, and lets them go again."""

    def build(self, config: CompiledConfig, rules: RuleSet) -> Artifacts:
        """Wire one configuration. Opens no connection, publishes nothing.

        `rules` is the rule set of each compat profile that holds. Raises RoutingTableError for a routing table that
        makes no sense and ProfileError for compat profiles that do not compile.
        """
        ...

    async def release(self, artifacts: Artifacts) -> None:
        """The generation they were built for has closed: close what no other one uses."""
        ...


class BootstrapFactory(Interface):
    """Makes a bootstrap; one per process and side."""

    def __call__(self, surround: Surround) -> RuntimeBootstrap: ...
