"""What OpenAI's chat completions refuse, in their words. Knows that request format only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .records import RecordedRequest, Violation
from .strict import Judge, words

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
PARTS = {
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
}
FIELDS = words(
    """model messages audio frequency_penalty function_call functions logit_bias logprobs
    max_completion_tokens max_tokens metadata modalities moderation n parallel_tool_calls prediction
    presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort
    response_format safety_identifier seed service_tier stop store stream stream_options temperature
    tool_choice tools top_logprobs top_p user verbosity web_search_options"""
)
_REASONING_MODELS = ("gpt-5", "gpt-6", "o1", "o3", "o4")


def _v(rule: str, message: str, param: str | None = None, code: str | None = None) -> Violation:
    return Violation("openai-chat", rule, message, param, code=code)


def validate(request: RecordedRequest, judge: Judge) -> Iterator[Violation]:
    """All violations, in the order of the vendor's checks."""
    body = request.body
    for key in body:
        if key not in FIELDS:
            yield _v("unknown_parameter", f"Unrecognized request argument supplied: {key}", key, "unknown_parameter")
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield _v("model", "you must provide a model parameter")
    messages = body.get("messages")
    if not isinstance(messages, list):
        yield _v("messages", "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
        return
    if not messages:
        yield _v(
            "messages",
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "messages",
            "empty_array",
        )
    for index, message in enumerate(messages):
        yield from _message(index, message, judge)
    yield from _pairing(messages)
    yield from _tools(body)
    yield from _limits(body)


def _message(index: int, message: Any, judge: Judge) -> Iterator[Violation]:
    at = f"messages[{index}]"
    if not isinstance(message, dict):
        yield _v("message_type", f"Invalid type for '{at}': expected an object.", at, "invalid_type")
        return
    role = message.get("role")
    if role not in ROLES:
        yield _v(
            "role",
            f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool',"
            " and 'developer'.",
            f"{at}.role",
            "invalid_value",
        )
        return
    content = message.get("content")
    calls = message.get("tool_calls")
    if content is None:
        excused = role == "assistant" and (calls or message.get("refusal") or message.get("function_call"))
        if not excused and role != "function":
            yield _v(
                "content_null",
                "Invalid value for 'content': expected a string, got null.",
                f"{at}.content",
                "invalid_type",
            )
    elif isinstance(content, list):
        yield from _parts(at, role, content)
    elif not isinstance(content, str):
        yield _v(
            "content_type",
            f"Invalid type for '{at}.content': expected one of a string or array of objects.",
            f"{at}.content",
            "invalid_type",
        )
    if calls is not None:
        yield from _calls(at, calls, judge)
    if role == "tool" and not (isinstance(message.get("tool_call_id"), str) and message["tool_call_id"]):
        yield _v(
            "tool_call_id",
            f"Missing required parameter: '{at}.tool_call_id'.",
            f"{at}.tool_call_id",
            "missing_required_parameter",
        )


def _parts(at: str, role: str, content: list[Any]) -> Iterator[Violation]:
    if not content:
        yield _v(
            "empty_array",
            f"Invalid '{at}.content': empty array. Expected an array with minimum length 1, but got an empty"
            " array instead.",
            f"{at}.content",
            "empty_array",
        )
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in PARTS.get(role, ("text",)):
            if kind == "image_url":
                text = (
                    f"Invalid '{at}'. Image URLs are only allowed for messages with role 'user', but this"
                    f" message with role '{role}' contains an image URL."
                )
            else:
                text = f"Invalid value: '{kind}'. Supported values are: {PARTS.get(role)}."
            yield _v("part_type", text, f"{at}.content[{number}].type", "invalid_value")
        elif kind == "text" and not isinstance(part.get("text"), str):
            yield _v(
                "part_text",
                f"Missing required parameter: '{at}.content[{number}].text'.",
                f"{at}.content[{number}].text",
                "missing_required_parameter",
            )


def _calls(at: str, calls: Any, judge: Judge) -> Iterator[Violation]:
    if not isinstance(calls, list) or not calls:
        yield _v(
            "tool_calls",
            f"Invalid '{at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty"
            " array instead.",
            f"{at}.tool_calls",
            "empty_array",
        )
        return
    for number, call in enumerate(calls):
        where = f"{at}.tool_calls[{number}]"
        call_id = call.get("id")
        if not isinstance(call_id, str) or not call_id:
            yield _v(
                "call_id",
                f"Missing required parameter: '{where}.id'.",
                f"{where}.id",
                "missing_required_parameter",
            )
        elif len(call_id) > judge.call_id_length:
            yield _v(
                "call_id_length",
                f"Invalid '{where}.id': string too long. Expected a string with maximum length"
                f" {judge.call_id_length}, but got a string with length {len(call_id)} instead.",
                f"{where}.id",
                "string_above_max_length",
            )
        box = call.get("custom") if call.get("type") == "custom" else call.get("function")
        box = box if isinstance(box, dict) else {}
        payload = box.get("input") if call.get("type") == "custom" else box.get("arguments")
        if call.get("type") not in ("function", "custom"):
            yield _v("call_type", f"Missing required parameter: '{where}.type'.", f"{where}.type")
        if not NAME.match(str(box.get("name", ""))):
            yield _v("call_name", _pattern(f"{where}.function.name"), f"{where}.function.name", "invalid_value")
        if not isinstance(payload, str):
            yield _v(
                "call_arguments",
                f"Invalid type for '{where}.function.arguments': expected a string.",
                f"{where}.function.arguments",
                "invalid_type",
            )


def _pattern(param: str) -> str:
    return (
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern"
        " '^[a-zA-Z0-9_-]+$'."
    )


def _pairing(messages: list[Any]) -> Iterator[Violation]:
    """Tool messages answer the assistant message right before their run; all calls are answered, once."""
    open_ids: dict[str, int] = {}
    answered: set[str] = set()
    for index, message in enumerate(m if isinstance(m, dict) else {} for m in messages):
        if message.get("role") == "tool":
            call_id = message.get("tool_call_id")
            if not open_ids and not answered:
                yield _v(
                    "orphan_result",
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
                    " with 'tool_calls'.",
                    f"messages.[{index}].role",
                )
            elif call_id in open_ids:
                del open_ids[str(call_id)]
                answered.add(str(call_id))
            elif call_id in answered:
                yield _v(
                    "duplicate_result",
                    f"Duplicate value for 'tool_call_id' of '{call_id}' in message[{index}].",
                    f"messages.[{index}].tool_call_id",
                )
            else:
                yield _v(
                    "orphan_result",
                    f"Invalid parameter: 'tool_call_id' of '{call_id}' not found in 'tool_calls' of previous message.",
                    f"messages.[{index}].tool_call_id",
                )
            continue
        yield from _unanswered(open_ids, index)
        answered = set()
        calls = message.get("tool_calls")
        open_ids = {}
        for call in calls if isinstance(calls, list) else []:
            if call.get("id") in open_ids:
                yield _v(
                    "duplicate_call",
                    f"Duplicate value for 'tool_call_id' of '{call.get('id')}' in message[{index}].",
                    f"messages.[{index}].tool_calls",
                )
            open_ids[str(call.get("id"))] = index
    yield from _unanswered(open_ids, len(messages))


def _unanswered(open_ids: dict[str, int], index: int) -> Iterator[Violation]:
    if open_ids:
        yield _v(
            "unanswered_call",
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            f" 'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_ids)}",
            f"messages.[{index}].role",
        )


def _tools(body: dict[str, Any]) -> Iterator[Violation]:
    tools = body.get("tools")
    names: set[str] = set()
    if tools is not None and (not isinstance(tools, list) or not tools):
        yield _v(
            "tools",
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "tools",
            "empty_array",
        )
    for index, tool in enumerate(tools if isinstance(tools, list) else []):
        kind = tool.get("type")
        if kind not in ("function", "custom"):
            yield _v(
                "tool_type",
                f"Invalid value: '{kind}'. Supported values are: 'function' and 'custom'.",
                f"tools[{index}].type",
                "invalid_value",
            )
            continue
        spec = tool.get(kind) or {}
        name = spec.get("name")
        if not NAME.match(str(name or "")):
            yield _v("tool_name", _pattern(f"tools[{index}].{kind}.name"), f"tools[{index}].{kind}.name")
        names.add(str(name))
        schema = spec.get("parameters")
        if schema is not None and (not isinstance(schema, dict) or schema.get("type") not in ("object", None)):
            got = schema.get("type") if isinstance(schema, dict) else type(schema).__name__
            yield _v(
                "tool_schema",
                f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got"
                f" 'type: \"{got}\"'.",
                f"tools[{index}].function.parameters",
                "invalid_function_parameters",
            )
    choice = body.get("tool_choice")
    if choice is not None and not tools:
        yield _v("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if body.get("parallel_tool_calls") is not None and not tools:
        yield _v(
            "parallel_tool_calls",
            "'parallel_tool_calls' is only allowed when 'tools' are specified.",
            "parallel_tool_calls",
        )
    if isinstance(choice, dict):
        box = choice.get("function") or choice.get("custom") or {}
        if choice.get("type") in ("function", "custom") and box.get("name") not in names:
            yield _v(
                "tool_choice",
                f"Invalid value for 'tool_choice': cannot find function '{box.get('name')}' in 'tools'.",
                "tool_choice",
            )
    elif choice not in (None, "none", "auto", "required"):
        yield _v("tool_choice", f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")


def _limits(body: dict[str, Any]) -> Iterator[Violation]:
    for key in ("max_tokens", "max_completion_tokens"):
        value = body.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            yield _v("max_tokens", f"Invalid type for '{key}': expected an integer.", key, "invalid_type")
        elif value is not None and value < 1:
            yield _v(
                "max_tokens",
                f"Invalid '{key}': integer below minimum value. Expected a value >= 1, but got {value} instead.",
                key,
                "integer_below_min_value",
            )
    if body.get("max_tokens") is not None:
        if body.get("max_completion_tokens") is not None:
            yield _v(
                "max_tokens",
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                "max_tokens",
            )
        if str(body.get("model", "")).startswith(_REASONING_MODELS):
            yield _v(
                "max_tokens_reasoning",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
                " 'max_completion_tokens' instead.",
                "max_tokens",
                "unsupported_parameter",
            )
    if body.get("stream_options") is not None and not body.get("stream"):
        yield _v(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > 4:
        yield _v(
            "stop",
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with"
            f" length {len(stop)} instead.",
            "stop",
            "array_above_max_length",
        )
