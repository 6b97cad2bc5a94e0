"""Alibaba Model Studio's (DashScope) compatible mode: Qwen and what else runs there."""

from __future__ import annotations

from typing import Any, Final

_FORCED: Final = ["required", "named"]
_THINKING_ONLY: Final = ["*-thinking*", "qwq*", "qvq*"]
_NEVER_THINKS: Final = ["*-instruct*", "qwen2*", "qwen-max*", "qwen-long*", "qwen3-coder*", "*-coder-*"]

QWEN: Final[dict[str, Any]] = {
    "name": "qwen",
    "description": "dashscope.aliyuncs.com/compatible-mode",
    "extends": "openai-compatible",
    "features": {
        # help.aliyun.com/en/model-studio/deep-thinking: `enable_thinking` and `thinking_budget` at the top level.
        "reasoning_field": "enable_thinking",
    },
    "request": [
        {"action": "thinking", "style": "switch"},
        {
            # "parameter.enable_thinking must be set to false for non-streaming calls": the open models think by default
            # and do so only in streams (github.com/QuantumNous/new-api/pull/1109,
            # github.com/coze-dev/coze-studio/issues/324).
            "action": "set",
            "path": "enable_thinking",
            "value": False,
            "when": {"model": "qwen3-*b*", "not_model": [*_THINKING_ONLY, *_NEVER_THINKS], "stream": False},
        },
        {
            # "The tool_choice parameter does not support being set to required or object in thinking mode"
            # (github.com/QwenLM/qwen-code/issues/7659, github.com/cloudwego/eino/issues/994). A forced call wins.
            "action": "set",
            "path": "enable_thinking",
            "value": False,
            "note": "reasoning.mode",
            "when": {"tool_choice": _FORCED, "not_model": [*_THINKING_ONLY, *_NEVER_THINKS]},
        },
        {"action": "remove", "path": "thinking_budget", "when": {"equals": {"enable_thinking": False}}},
        {
            # Models that only think cannot be told to stop.
            "action": "tool_choice",
            "required": "auto",
            "named": "auto",
            "when": {"model": _THINKING_ONLY},
        },
    ],
}
