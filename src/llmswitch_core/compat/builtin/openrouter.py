"""OpenRouter: many vendors behind one dialect."""

from __future__ import annotations

from typing import Any, Final

OPENROUTER: Final[dict[str, Any]] = {
    "name": "openrouter",
    "description": "openrouter.ai/api/v1",
    "protocols": ["openai-chat"],
    "features": {
        "max_tokens_field": "max_tokens",
        "stream_usage": True,
        # openrouter.ai/docs/use-cases/reasoning-tokens: `reasoning: {effort | max_tokens | enabled, exclude}`, and
        # `reasoning_details` go back unchanged to keep signatures.
        "reasoning_field": "reasoning",
        "reasoning_efforts": ["none", "minimal", "low", "medium", "high", "xhigh"],
        "reasoning_details": True,
        # openrouter.ai/docs/features/prompt-caching: Anthropic's cache_control on text parts.
        "cache_control": True,
        "text_parts": True,
        "file_parts": True,
        "top_k": True,
        "user": True,
        # "Requests that set store: true or a non-null previous_response_id are rejected with a 400"
        # (openrouter.ai/docs/api_reference/responses/error-handling).
        "stored_responses": False,
    },
    "request": [
        {"action": "map", "path": "messages[*].role", "values": {"developer": "system"}},
        {"action": "thinking", "style": "object"},
    ],
    "failure": [
        {
            # Once a model has started, failures come with status 200: `error` in the body or in a stream payload, with
            # an HTTP status as code (openrouter.ai/docs/api/reference/errors-and-debugging).
            "path": "error",
            "code": "error.code",
            "message": "error.message",
        },
        {
            # … or inside a choice, with finish_reason "error".
            "path": "choices[*].error",
            "code": "choices[*].error.code",
            "message": "choices[*].error.message",
        },
    ],
}
