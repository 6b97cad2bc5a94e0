"""OpenAI itself, servers that merely speak its dialect, and no rules at all."""

from __future__ import annotations

from typing import Any, Final

PASSTHROUGH: Final[dict[str, Any]] = {
    "name": "passthrough",
    "description": "No rules and no features: bodies go as the codecs write them.",
}

COMPATIBLE: Final[dict[str, Any]] = {
    "name": "openai-compatible",
    "description": "A server of the Chat Completions dialect of which nothing else is known.",
    "features": {
        "max_tokens_field": "max_tokens",
        "stream_usage": True,
        "developer_role": False,
        "custom_tools": False,
        "allowed_tools": False,
        "openai_extras": False,
    },
    "protocols": ["openai-chat"],
    "request": [
        {
            # Servers other than OpenAI's know no `developer`: vLLM and llama.cpp hand roles to the model's chat
            # template, which raises for unknown ones; hosted ones validate (DeepSeek: "unknown variant `developer`",
            # github.com/earendil-works/pi/issues/1048).
            "action": "map",
            "path": "messages[*].role",
            "values": {"developer": "system"},
        },
    ],
}

EFFORTS: Final = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""Every effort word: the writer passes them on, and a profile's `thinking` rules say what becomes of each."""

_FOREIGN_CLIENTS: Final = ["openai-responses", "anthropic-messages", "gemini"]
"""A Chat Completions client's own mistakes go to OpenAI as they are; what translation puts in must fit."""

_REASONING_MODELS: Final = ["o1*", "o3*", "o4*", "gpt-5*", "gpt-6*"]
_PLAIN_MODELS: Final = ["gpt-4*", "gpt-3.5*", "chatgpt-*", "gpt-*-chat-latest"]

OPENAI: Final[dict[str, Any]] = {
    "name": "openai",
    "description": "api.openai.com and Azure OpenAI, Chat Completions and Responses.",
    "vendor": "openai",
    "features": {
        # `max_tokens` is deprecated and refused by reasoning models (openai SDK, CompletionCreateParams.max_tokens).
        "max_tokens_field": "max_completion_tokens",
        "developer_role": True,
        "stream_usage": True,
        "custom_tools": True,
        "allowed_tools": True,
        "refusal": True,
        "openai_extras": True,
        # All words pass the writer; the rules below fit them to the model.
        "reasoning_efforts": EFFORTS,
        "reasoning_off": True,
        # `stop`: "up to 4 sequences" (openai SDK, CompletionCreateParams.stop).
        "max_stop": 4,
    },
    "protocols": ["openai-chat"],
    "request": [
        {
            # Models without reasoning answer 400 "Unrecognized request argument supplied: reasoning_effort"
            # (github.com/generative-computing/mellea/issues/270).
            "action": "remove",
            "path": "reasoning_effort",
            "note": "reasoning.effort",
            "when": {"model": _PLAIN_MODELS, "inbound": _FOREIGN_CLIENTS},
        },
        {
            # Effort words go by generation: the o series knows low, medium and high; gpt-5 minimal as well; gpt-5.1
            # none in its place; later models xhigh too (learn.microsoft.com, @azure/ai-projects ReasoningEffort; 400
            # "Unsupported value: 'minimal'": github.com/openai/openai-agents-python/issues/2089).
            "action": "thinking",
            "style": "effort",
            "efforts": ["low", "medium", "high"],
            "when": {"model": ["o1*", "o3*", "o4*"], "inbound": _FOREIGN_CLIENTS},
        },
        {
            "action": "thinking",
            "style": "effort",
            "efforts": ["minimal", "low", "medium", "high"],
            "when": {"model": ["gpt-5", "gpt-5-*"], "not_model": _PLAIN_MODELS, "inbound": _FOREIGN_CLIENTS},
        },
        {
            "action": "thinking",
            "style": "effort",
            "efforts": ["none", "low", "medium", "high"],
            "map": {"minimal": "low"},
            "when": {"model": "gpt-5.1*", "not_model": _PLAIN_MODELS, "inbound": _FOREIGN_CLIENTS},
        },
        {
            "action": "thinking",
            "style": "effort",
            "efforts": ["none", "low", "medium", "high", "xhigh"],
            "map": {"minimal": "low"},
            "when": {
                "model": ["gpt-5.*", "gpt-6*"],
                "not_model": ["gpt-5.1*", *_PLAIN_MODELS],
                "inbound": _FOREIGN_CLIENTS,
            },
        },
        {
            # Reasoning models answer 400 to sampling parameters other than the default, and to `stop`
            # (github.com/assafelovic/gpt-researcher/pull/1485, github.com/EleutherAI/lm-evaluation-harness/pull/3247).
            "action": "remove",
            "path": ["temperature", "top_p", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty"],
            "note": "sampling",
            "when": {"model": _REASONING_MODELS, "not_model": _PLAIN_MODELS, "inbound": _FOREIGN_CLIENTS},
        },
        {
            "action": "remove",
            "path": "stop",
            "note": "sampling.stop",
            "when": {"model": _REASONING_MODELS, "not_model": _PLAIN_MODELS, "inbound": _FOREIGN_CLIENTS},
        },
    ],
}
