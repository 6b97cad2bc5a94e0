"""The part of the configuration that is the pipeline's own, the same for both sides."""

from __future__ import annotations

from llmswitch_core.hub.pipeline import PipelineSettings
from routecodex.config.compiled import CompiledConfig


def pipeline_settings(config: CompiledConfig, key_secret: bytes) -> PipelineSettings:
    """`key_secret` keys the hash of conversation keys."""
    return PipelineSettings(
        done_marker=config.server.responses_done_marker,
        max_depth=config.server.limits.max_json_depth,
        key_secret=key_secret,
    )
