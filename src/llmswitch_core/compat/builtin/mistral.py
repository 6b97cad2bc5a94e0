"""Mistral's API (api.mistral.ai), and servers whose chat template is Mistral's."""

from __future__ import annotations

from typing import Any, Final

MISTRAL: Final[dict[str, Any]] = {
    "name": "mistral",
    "description": "api.mistral.ai",
    "extends": "openai-compatible",
    "features": {"reasoning_field": False, "stream_usage": False},
    "request": [
        {
            # "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9"
            # (github.com/anomalyco/opencode/issues/1680, github.com/langchain-ai/langchain/pull/24668).
            "action": "ids",
            "length": 9,
        },
        {
            # `seed` is refused, and called random_seed there (github.com/Vali-98/ChatterUI/issues/143,
            # github.com/posit-dev/chatlas/pull/145).
            "action": "rename",
            "path": "seed",
            "to": "random_seed",
        },
        # "extra_forbidden": max_completion_tokens (github.com/editor-code-assistant/eca/issues/231).
        {"action": "rename", "path": "max_completion_tokens", "to": "max_tokens"},
        {
            # Any member outside docs.mistral.ai/api answers 422 "Extra inputs are not permitted"
            # (github.com/mistralai/platform-docs-public/issues/7).
            "action": "allowlist",
            "members": [
                *("model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed"),
                *("response_format", "tools", "tool_choice", "parallel_tool_calls", "presence_penalty"),
                *("frequency_penalty", "n", "prediction", "prompt_mode", "safe_prompt"),
            ],
        },
    ],
}
