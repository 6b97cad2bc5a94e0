"""Runtime bootstrap v1: all artifacts of a generation built from scratch."""

from __future__ import annotations

from llmswitch_core.compat import BUILT_IN, compile_profiles, rule_set
from llmswitch_core.hub.pipeline import HubPipeline
from llmswitch_core.router.policy import VirtualRouter
from routecodex.blocks.runtime_bootstrap.contract import Artifacts, RuleSet, RuntimeBootstrap, Surround
from routecodex.blocks.runtime_bootstrap.settings import pipeline_settings
from routecodex.config.compiled import CompiledConfig


class FromScratch:
    """Shares nothing between generations."""

    def __init__(self, surround: Surround) -> None:
        self._surround = surround

    def build(self, config: CompiledConfig, rules: RuleSet) -> Artifacts:
        surround = self._surround
        settings = pipeline_settings(config, surround.key_secret)
        profiles = rule_set(compile_profiles(BUILT_IN, config.profiles), rules)
        return Artifacts(
            pipeline=HubPipeline(config.routing, profiles, settings),
            router=VirtualRouter(config.routing),
            runtimes={side: make(config.providers, surround.now) for side, make in surround.runtimes.items()},
        )

    async def release(self, artifacts: Artifacts) -> None:
        for runtime in artifacts.runtimes.values():
            await runtime.close()


def build(surround: Surround) -> RuntimeBootstrap:
    """The door of this side."""
    return FromScratch(surround)
