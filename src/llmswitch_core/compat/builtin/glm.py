"""Zhipu's GLM models (open.bigmodel.cn, api.z.ai)."""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.compat.builtin.openai import EFFORTS

GLM: Final[dict[str, Any]] = {
    "name": "glm",
    "description": "open.bigmodel.cn and api.z.ai",
    "extends": "openai-compatible",
    "features": {
        # docs.z.ai/guides/capabilities/thinking-mode: `thinking: {type: enabled | disabled}`; with tools the reasoning
        # must be "explicitly preserved and returned together with the tool results".
        "reasoning_field": "thinking",
        "reasoning_efforts": EFFORTS,
        "reasoning_content": "after_tool_call",
        # docs.z.ai/api-reference/llm/chat-completion: response_format is text or json_object, stop takes one word, and
        # the last chunk always has the usage, so it need not be asked for.
        "json_schema": False,
        "max_stop": 1,
        "stream_usage": False,
        "parallel_tool_calls": False,
    },
    "request": [
        {"action": "thinking", "style": "type", "budget": False},
        {
            # "tool_choice: currently only auto" (docs.z.ai/api-reference/llm/chat-completion;
            # java.agentscope.io/v2/en/integration/model/glm does the same).
            "action": "tool_choice",
            "required": "auto",
            "named": "auto",
            "none": "drop_tools",
        },
        {
            # Ranges in the same reference: temperature [0, 1], top_p [0.01, 1]. Other dialects go up to 2.
            "action": "clamp",
            "path": "temperature",
            "min": 0.0,
            "max": 1.0,
            "note": "sampling.temperature",
        },
        {"action": "clamp", "path": "top_p", "min": 0.01, "max": 1.0, "note": "sampling.top_p"},
        {"action": "limit", "path": "stop", "count": 1, "note": "sampling.stop"},
        {"action": "remove", "path": ["stream_options", "tools[*].function.strict"]},
        {"action": "rename", "path": "max_completion_tokens", "to": "max_tokens"},
    ],
    "failure": [
        {
            # Gateway faults come in Zhipu's own envelope: {"code": 500, "msg": "404 NOT_FOUND", "success": false} (seen
            # through a proxy in github.com/Gitlawb/openclaude/issues/214). Codes: docs.z.ai/api-reference/api-code.
            "path": "success",
            "equals": False,
            "message": "msg",
            "code": "code",
            "kinds": {
                "1000": "authentication",
                "1001": "authentication",
                "1002": "authentication",
                "1003": "authentication",
                "1113": "billing",
                "1211": "not_found",
                "1214": "invalid_request",
                "1302": "rate_limit",
                "1303": "rate_limit",
                "1305": "rate_limit",
            },
        },
    ],
}
