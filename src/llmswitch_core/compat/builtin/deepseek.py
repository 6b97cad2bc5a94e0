"""DeepSeek's Chat Completions API."""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.compat.builtin.openai import EFFORTS

_FORCED: Final = ["required", "named"]
_NEVER_THINKS: Final = ["deepseek-chat", "deepseek-coder"]
_ALWAYS_THINKS: Final = ["deepseek-reasoner"]

DEEPSEEK: Final[dict[str, Any]] = {
    "name": "deepseek",
    "description": "api.deepseek.com",
    "extends": "openai-compatible",
    "features": {
        # api-docs.deepseek.com/guides/thinking_mode: `thinking: {type}` switches, `reasoning_effort: low | high | max`
        # steers (minimal -> low, medium and xhigh -> high).
        "reasoning_field": "thinking",
        "reasoning_efforts": EFFORTS,
        # The same page: after tool calls `reasoning_content` must come back in all later requests, else 400. Ignored
        # elsewhere, so it always goes.
        "reasoning_content": "echo",
        # A turn with calls but no reasoning (from another vendor) needs the member all the same: "Missing
        # reasoning_content field in the assistant message" (github.com/anomalyco/opencode/issues/9397).
        "reasoning_content_placeholder": " ",
        # response_format knows text and json_object (api-docs.deepseek.com/guides/json_mode).
        "json_schema": False,
        "parallel_tool_calls": False,
        # Content must be a string: "invalid type: sequence, expected a string"
        # (github.com/BerriAI/litellm/issues/6642).
        "text_parts": False,
    },
    "request": [
        {"action": "stringify", "path": "messages[*].content"},
        {
            "action": "thinking",
            "style": "type",
            "efforts": ["low", "high", "max"],
            "map": {"minimal": "low", "medium": "high", "xhigh": "high", "ultra": "max"},
            "budget": False,
        },
        {
            # "Thinking mode does not support this tool_choice": required and named calls answer 400 while thinking is
            # on, and it is on by default; with thinking disabled both work
            # (github.com/deepseek-ai/DeepSeek-V3/issues/1376).
            "action": "set",
            "path": "thinking",
            "value": {"type": "disabled"},
            "note": "reasoning.mode",
            "when": {"tool_choice": _FORCED, "not_model": [*_NEVER_THINKS, *_ALWAYS_THINKS]},
        },
        {
            "action": "remove",
            "path": "reasoning_effort",
            "when": {"equals": {"thinking.type": "disabled"}},
        },
        {
            # The alias that always thinks cannot be told to stop, so the choice is left to it.
            "action": "tool_choice",
            "required": "auto",
            "named": "auto",
            "when": {"model": _ALWAYS_THINKS},
        },
        {
            # Clients of the same dialect that drop reasoning_content get the placeholder too.
            "action": "default",
            "path": "messages[tool_calls].reasoning_content",
            "value": " ",
            "note": "thinking",
            "when": {"not_equals": {"thinking.type": "disabled"}, "not_model": _NEVER_THINKS},
        },
    ],
}
