"""Moonshot's Kimi models (api.moonshot.ai, api.moonshot.cn)."""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.compat.builtin.openai import EFFORTS

_FORCED: Final = ["required", "named"]
_CAN_STOP_THINKING: Final = ["kimi-k2.5*", "kimi-k2.6*"]
_ALWAYS_THINKS: Final = ["kimi-k3*", "kimi-k2.7*", "kimi-k2-thinking*"]
_FIXED_SAMPLING: Final = ["kimi-k3*", "kimi-k2.5*", "kimi-k2.6*", "kimi-k2.7*"]

KIMI: Final[dict[str, Any]] = {
    "name": "kimi",
    "description": "api.moonshot.ai and api.moonshot.cn",
    "extends": "openai-compatible",
    "features": {
        # platform.kimi.ai/docs/api/chat documents max_completion_tokens and calls max_tokens deprecated.
        "max_tokens_field": "max_completion_tokens",
        "reasoning_field": "thinking",
        "reasoning_efforts": EFFORTS,
        # "thinking is enabled but reasoning_content is missing in assistant tool call message"
        # (platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model, FAQ).
        "reasoning_content": "echo",
        "reasoning_content_placeholder": " ",
        "parallel_tool_calls": False,
    },
    "request": [
        {
            # k3 always thinks and is steered by words (java.agentscope.io/v2/en/integration/model/kimi).
            "action": "thinking",
            "style": "effort",
            "efforts": ["low", "high", "max"],
            "map": {"minimal": "low", "medium": "high", "xhigh": "high"},
            "always_on": True,
            "when": {"model": "kimi-k3*"},
        },
        {
            "action": "thinking",
            "style": "type",
            "always_on": True,
            "when": {"model": ["kimi-k2.7*", "kimi-k2-thinking*"]},
        },
        {"action": "thinking", "style": "type", "when": {"not_model": _ALWAYS_THINKS}},
        {
            # Sampling is fixed on these models, and any other value answers 400
            # (promptfoo.dev/docs/providers/moonshot, java.agentscope.io/v2/en/integration/model/kimi).
            "action": "remove",
            "path": ["temperature", "top_p", "n", "presence_penalty", "frequency_penalty"],
            "note": "sampling",
            "when": {"model": _FIXED_SAMPLING},
        },
        {
            # A forced tool_choice answers 400 "incompatible with thinking enabled"
            # (docs.rs/crate/harn-vm: capability_sources/20-providers/35-moonshot.toml).
            "action": "set",
            "path": "thinking",
            "value": {"type": "disabled"},
            "note": "reasoning.mode",
            "when": {"tool_choice": _FORCED, "model": _CAN_STOP_THINKING},
        },
        {
            # The others of the family cannot stop thinking, or refuse a forced choice as such (the same source).
            "action": "tool_choice",
            "required": "auto",
            "named": "auto",
            "when": {"model": "kimi-*", "not_model": _CAN_STOP_THINKING},
        },
        {
            "action": "default",
            "path": "messages[tool_calls].reasoning_content",
            "value": " ",
            "note": "thinking",
            "when": {"model": [*_ALWAYS_THINKS, *_CAN_STOP_THINKING], "not_equals": {"thinking.type": "disabled"}},
        },
        {"action": "remove", "path": "tools[*].function.strict"},
    ],
}
