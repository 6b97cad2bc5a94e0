"""Runtime bootstrap v1: all artifacts of a generation built from scratch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmswitch_core.compat.contract import CompatProfile
from llmswitch_core.hub.pipeline import HubPipeline, PipelineSettings
from llmswitch_core.router.policy import VirtualRouter
from routecodex.blocks.runtime_bootstrap.contract import Artifacts, RuntimeFactory
from routecodex.config.compiled import CompiledConfig


def build(
    config: CompiledConfig,
    profiles: Mapping[str, CompatProfile],
    runtime: RuntimeFactory,
    key_secret: bytes,
    now: Callable[[], float],
) -> Artifacts:
    """Wire one configuration. Opens no connection. Raises RoutingTableError for a table that makes no sense.

    `profiles` are all compat profiles by name; `key_secret` keys the hash of conversation keys; `now` Unix seconds.
    """
    settings = PipelineSettings(
        done_marker=config.server.responses_done_marker,
        max_depth=config.server.limits.max_json_depth,
        key_secret=key_secret,
    )
    return Artifacts(
        pipeline=HubPipeline(config.routing, profiles, settings),
        router=VirtualRouter(config.routing),
        runtime=runtime(config.providers, now),
    )
