"""Bodies and streams rich in members, and what makes one thing in them odd. Written from the vendors' references."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from llmswitch_core.canonical.model import Protocol

C, R, M, G = Protocol.OPENAI_CHAT, Protocol.OPENAI_RESPONSES, Protocol.ANTHROPIC_MESSAGES, Protocol.GEMINI
Json = Any

ODD: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 5, 1.5, 1e400, 2**70, 1e308, "", "x", "²", "5", "nan", "auto", "\ud800"),
    *([], {}, [[]], [None], [1], ["a"], [{}], {"type": "x"}, {"type": None}, {"type": 5}, {"type": []}),
    *({"type": "function"}, {"type": "text"}, {"text": 5}, {"a": {"b": []}}, {"anyOf": 5}, {"$ref": "#"}),
    *("data:", "data:image/png;base64,!!!", "http://x/", "a" * 70, "$.a[0].b", "$"),
)
PNG = "iVBORw0KGgo="
_SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/q"}, "b": {"anyOf": [{"const": "x"}, {"type": "null"}], "format": "date"}},
    "$defs": {"q": {"type": ["string", "null"], "enum": ["a", 1]}},
    "allOf": [{"properties": {"z": {"type": "integer", "exclusiveMinimum": 1}}}],
}

REQUESTS: dict[Protocol, Json] = {
    C: {
        "model": "",
        "max_tokens": 5,
        "temperature": 0.5,
        "stop": ["a"],
        "seed": 1,
        "logit_bias": {"5": 1},
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": _SCHEMA}},
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": _SCHEMA, "strict": True}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": {"syntax": "lark"}}}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "metadata": {"a": "b"},
        "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "x"}}},
        "modalities": ["text"],
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
            {
                "role": "user",
                "name": "n",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aaaa"}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "k"}, {"type": "refusal", "refusal": "no"}],
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1"}
                ],
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "c2", "type": "custom", "custom": {"name": "c", "input": "x"}},
                ],
                "annotations": [{"type": "url_citation", "url_citation": {"url": "x", "title": "t"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "x"},
            {
                "role": "tool",
                "tool_call_id": "c2",
                "content": [{"type": "image_url", "image_url": {"url": "http://x"}}],
            },
            {"role": "user", "content": "q"},
        ],
    },
    R: {
        "model": "",
        "instructions": "i",
        "max_output_tokens": 5,
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": _SCHEMA}, "verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "tools": [
            {"type": "function", "name": "f", "parameters": _SCHEMA},
            {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "web_search", "filters": {"allowed_domains": ["a"]}},
            {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g", "parameters": {}}]},
            {"type": "tool_search", "execution": "client"},
            {"type": "local_shell"},
        ],
        "input": [
            {"type": "additional_tools", "tools": [{"type": "function", "name": "h", "parameters": {}}]},
            {"role": "developer", "content": [{"type": "input_text", "text": "x"}]},
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aaaa"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": "e",
            },
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "phase": "commentary",
                "content": [{"type": "output_text", "text": "a", "annotations": []}],
            },
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "g", "arguments": "{}", "namespace": "ns"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "c", "input": "x"},
            {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"]}},
            {"type": "tool_search_call", "call_id": "c4", "execution": "client", "arguments": {"q": 1}},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "x"}]},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "x"},
            {"type": "local_shell_call_output", "call_id": "c3", "output": "x"},
            {"type": "tool_search_output", "call_id": "c4", "tools": [{"type": "function", "name": "k"}]},
            {"type": "web_search_call", "id": "ws", "action": {"type": "search", "query": "q"}},
            {"role": "user", "content": "q"},
        ],
    },
    M: {
        "model": "",
        "max_tokens": 5000,
        "temperature": 1,
        "stop_sequences": ["a"],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": _SCHEMA}},
        "metadata": {"user_id": '{"session_id":"a"}'},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "tools": [
            {"name": "f", "input_schema": _SCHEMA, "defer_loading": True},
            {"type": "bash_20250124", "name": "bash"},
            {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a"]},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
                    {"type": "search_result", "source": "x", "title": "t", "content": [{"type": "text", "text": "z"}]},
                ],
            },
            {"role": "system", "content": [{"type": "text", "text": "m"}], "output_config": {"effort": "low"}},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "sig"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "text", "text": "a", "citations": [{"type": "char_location", "cited_text": "x"}]},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": "1"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [
                            {"type": "image", "source": {"type": "url", "url": "http://x/y.png"}},
                            {"type": "tool_reference", "tool_name": "f"},
                        ],
                        "is_error": True,
                    }
                ],
            },
        ],
    },
    G: {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"inlineData": {"mimeType": "image/png", "data": PNG}},
                    {"fileData": {"fileUri": "https://x/a.pdf", "mimeType": "application/pdf"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "th", "thought": True, "thoughtSignature": "c2ln"},
                    {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                    {"executableCode": {"language": "PYTHON", "code": "x"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "a",
                            "name": "f",
                            "response": {"output": "x"},
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}],
                        }
                    }
                ],
            },
        ],
        "tools": [
            {"functionDeclarations": [{"name": "f", "parametersJsonSchema": _SCHEMA}, {"name": "g", "parameters": {}}]},
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "temperature": 1,
            "maxOutputTokens": 5,
            "stopSequences": ["a"],
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}},
            "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": True},
        },
    },
}


def _chunk(delta: Json, finish: str | None = None) -> Json:
    return {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


_MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
_CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
_REASONING = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}]}
_AT = {"item_id": "msg_1", "output_index": 1, "content_index": 0}

STREAMS: dict[Protocol, list[Json]] = {
    C: [
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"reasoning_content": "t"}),
        _chunk({"reasoning_details": [{"type": "reasoning.text", "text": "x", "signature": "s", "index": 0}]}),
        _chunk({"content": "a", "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
        _chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]}),
        _chunk({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "c", "arguments": '{"input":'}}]}),
        _chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}, {"index": 1, "function": {}}]}),
        _chunk({}, "tool_calls"),
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}},
    ],
    R: [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "created_at": 1}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs_1"}},
        {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "summary_index": 0, "delta": "t"},
        {"type": "response.output_item.done", "output_index": 0, "item": {**_REASONING, "encrypted_content": "e"}},
        {"type": "response.output_item.added", "output_index": 1, "item": {**_MESSAGE, "content": []}},
        {"type": "response.content_part.added", **_AT, "part": {"type": "output_text", "text": ""}},
        {"type": "response.output_text.delta", **_AT, "delta": "a"},
        {"type": "response.output_text.annotation.added", **_AT, "annotation": {"type": "url_citation", "url": "u"}},
        {"type": "response.content_part.done", **_AT, "part": {"type": "output_text", "text": "a"}},
        {"type": "response.output_item.done", "output_index": 1, "item": _MESSAGE},
        {"type": "response.output_item.added", "output_index": 2, "item": {**_CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": "{}"},
        {"type": "response.output_item.done", "output_index": 2, "item": _CALL},
        {
            "type": "response.completed",
            "response": {
                "id": "resp_1",
                "model": "m",
                "status": "completed",
                "output": [_REASONING, _MESSAGE, _CALL],
                "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
            },
        },
    ],
    M: [
        {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"type": "x"}}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "f"}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_stop", "index": 2},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ],
    G: [
        {"candidates": [{"content": {"parts": [{"text": "th", "thought": True}]}, "index": 0}], "responseId": "r"},
        {"candidates": [{"content": {"parts": [{"text": "a"}]}, "groundingMetadata": {"x": 1}}]},
        {
            "candidates": [
                {
                    "content": {
                        "parts": [
                            {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
                            {"inlineData": {"mimeType": "image/png", "data": "aaaa"}},
                            {
                                "functionCall": {
                                    "name": "c",
                                    "partialArgs": [{"jsonPath": "$.a[0].b", "stringValue": "x"}],
                                    "willContinue": True,
                                }
                            },
                        ]
                    }
                }
            ]
        },
        {"candidates": [{"content": {"parts": [{"functionCall": {"partialArgs": [{"jsonPath": "$.a"}]}}]}}]},
        {
            "candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "finishMessage": "x"}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2},
        },
    ],
}

WHOLE: dict[Protocol, Json] = {
    C: {
        "id": "c",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "a",
                    "reasoning_content": "r",
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    },
    R: STREAMS[R][-1]["response"],
    M: {
        "id": "msg_1",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "text", "text": "a", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    G: {"candidates": [{**STREAMS[G][2]["candidates"][0], "finishReason": "STOP"}], "usageMetadata": {}},
}


def places(tree: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything inside."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, tree: Json, most: int = 3) -> Json:
    """The tree with one to `most` of its places odd, gone or doubled."""
    out = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, most))):
        found = list(places(out))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        holder = out
        for key in way:
            holder = holder[key]
        how = draw(st.sampled_from(("odd", "odd", "odd", "gone", "doubled")))
        if how == "gone":
            del holder[last]
        elif how == "doubled" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        else:
            holder[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return out


def encoded(tree: Json) -> bytes:
    """JSON as a careless peer writes it: lone surrogates as escapes, numbers past every range."""
    return json.dumps(tree).replace("Infinity", "1e400").encode()
