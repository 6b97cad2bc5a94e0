"""Model servers on one's own machine: LM Studio and llama.cpp's llama-server."""

from __future__ import annotations

from typing import Any, Final

LMSTUDIO: Final[dict[str, Any]] = {
    "name": "lmstudio",
    "description": "LM Studio's server",
    "extends": "openai-compatible",
    # The Responses streams of the engine leave out output_index and sequence_number: the gateway writes them itself.
    "features": {"incomplete_answers": ["openai-responses"]},
    "request": [
        {
            # "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
            # (github.com/lmstudio-ai/lmstudio-bug-tracker/issues/670).
            "action": "tool_choice",
            "named": "required",
        },
        {
            # Its llama.cpp engine turns every tool's schema into a grammar and fails the whole request for a pattern
            # without ^ and $ (github.com/ggml-org/llama.cpp/issues/26930,
            # github.com/containers/kubernetes-mcp-server/issues/758).
            "action": "schema",
            "unanchored_patterns": "drop",
        },
    ],
}

LLAMACPP: Final[dict[str, Any]] = {
    "name": "llamacpp",
    "description": "llama.cpp's llama-server",
    # The same engine; a named tool_choice silently becomes auto there (github.com/ggml-org/llama.cpp/issues/26535).
    "extends": "lmstudio",
    # llama-server keeps nothing: it refuses a previous_response_id (tools/server, conversion of Responses requests).
    "features": {"incomplete_answers": ["openai-responses"], "stored_responses": False},
}
