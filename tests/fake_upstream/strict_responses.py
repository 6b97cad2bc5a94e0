"""What OpenAI's responses endpoint refuses, in its words. Knows that request format only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .records import RecordedRequest, Violation
from .strict import Judge, words
from .view import input_items

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
FIELDS = words(
    """model input instructions include background client_metadata context_management conversation
    max_output_tokens max_tool_calls metadata moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier
    store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user
    access_programs image generate"""
)
ID_PREFIX = {
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
}
PARTS = {
    "assistant": ("output_text", "refusal"),
    "user": ("input_text", "input_image", "input_file", "input_audio"),
    "system": ("input_text", "input_image", "input_file"),
    "developer": ("input_text", "input_image", "input_file"),
}
# a call's item type -> its output's item type, and how the vendor names it
CALLS = {
    "function_call": ("function_call_output", "function call"),
    "custom_tool_call": ("custom_tool_call_output", "custom tool call"),
    "local_shell_call": ("local_shell_call_output", "local shell call"),
    "shell_call": ("shell_call_output", "shell call"),
    "apply_patch_call": ("apply_patch_call_output", "apply patch call"),
}


def _v(rule: str, message: str, param: str | None = None, code: str | None = None) -> Violation:
    return Violation("openai-responses", rule, message, param, code=code)


def validate(request: RecordedRequest, judge: Judge) -> Iterator[Violation]:
    """All violations, in the order of the vendor's checks."""
    body = request.body
    for key in body:
        if key not in FIELDS:
            yield _v("unknown_parameter", f"Unknown parameter: '{key}'.", key, "unknown_parameter")
    if not isinstance(body.get("model"), str) and not body.get("prompt"):
        yield _v("model", "Missing required parameter: 'model'.", "model", "missing_required_parameter")
    given = body.get("input")
    if given is None and not (body.get("previous_response_id") or body.get("prompt")):
        yield _v("input", "Missing required parameter: 'input'.", "input", "missing_required_parameter")
    if given is not None and not isinstance(given, str | list):
        yield _v("input", "Invalid type for 'input': expected a string or an array.", "input", "invalid_type")
        return
    items = input_items(body)
    for index, item in enumerate(items):
        yield from _item(index, item, judge)
    yield from _pairing(judge.history, items)
    yield from _tools(body, items)
    limit = body.get("max_output_tokens")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        yield _v("max_output_tokens", "Invalid type for 'max_output_tokens'.", "max_output_tokens")
    elif limit is not None and limit < 16:
        yield _v(
            "max_output_tokens",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got"
            f" {limit} instead.",
            "max_output_tokens",
            "integer_below_min_value",
        )


def _item(index: int, item: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    at = f"input[{index}]"
    kind = item.get("type") or ("message" if "role" in item else None)
    if kind is None:
        yield _v("item_type", f"Missing required parameter: '{at}.type'.", f"{at}.type")
        return
    item_id, prefix = item.get("id"), ID_PREFIX.get(kind)
    if item_id is not None and prefix and not str(item_id).startswith(prefix):
        yield _v(
            "item_id",
            f"Invalid '{at}.id': '{item_id}'. Expected an ID that begins with '{prefix}'.",
            f"{at}.id",
            "invalid_value",
        )
    if item_id is not None and len(str(item_id)) > 64:
        yield _v(
            "item_id",
            f"Invalid '{at}.id': string too long. Expected a string with maximum length 64, but got a string"
            f" with length {len(str(item_id))} instead.",
            f"{at}.id",
            "string_above_max_length",
        )
    if kind == "message":
        yield from _message(at, item)
    elif kind in CALLS or kind in {out for out, _ in CALLS.values()}:
        yield from _call(at, kind, item, judge)
    elif kind == "reasoning":
        sealed = item.get("encrypted_content")
        if not isinstance(item.get("summary"), list):
            yield _v("reasoning_summary", f"Missing required parameter: '{at}.summary'.", f"{at}.summary")
        if sealed is not None and not judge.owns("openai", sealed):
            shown = f"{str(sealed)[:4]}...{str(sealed)[-4:]}"
            yield _v(
                "encrypted_content",
                f"The encrypted content {shown} could not be verified. Reason: Encrypted content could not be"
                " decrypted or parsed.",
                None,
                "invalid_encrypted_content",
            )


def _message(at: str, item: dict[str, Any]) -> Iterator[Violation]:
    role, content = item.get("role"), item.get("content")
    if role not in PARTS:
        yield _v(
            "role",
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
            f"{at}.role",
            "invalid_value",
        )
        return
    if not isinstance(content, str | list):
        yield _v("content_type", f"Invalid type for '{at}.content'.", f"{at}.content", "invalid_type")
        return
    for number, part in enumerate(content if isinstance(content, list) else []):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in PARTS[role]:
            allowed = ", ".join(f"'{p}'" for p in PARTS[role])
            yield _v(
                "part_type",
                f"Invalid value: '{kind}'. Supported values are: {allowed}.",
                f"{at}.content[{number}].type",
                "invalid_value",
            )


def _call(at: str, kind: str, item: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    call_id = item.get("call_id")
    if not isinstance(call_id, str) or not call_id:
        yield _v(
            "call_id",
            f"Missing required parameter: '{at}.call_id'.",
            f"{at}.call_id",
            "missing_required_parameter",
        )
    elif len(call_id) > judge.call_id_length:
        yield _v(
            "call_id_length",
            f"Invalid '{at}.call_id': string too long. Expected a string with maximum length"
            f" {judge.call_id_length}, but got a string with length {len(call_id)} instead.",
            f"{at}.call_id",
            "string_above_max_length",
        )
    if kind in ("function_call", "custom_tool_call"):
        key = "arguments" if kind == "function_call" else "input"
        if not isinstance(item.get(key), str):
            yield _v("call_arguments", f"Missing required parameter: '{at}.{key}'.", f"{at}.{key}")
        if not NAME.match(str(item.get("name", ""))):
            yield _v(
                "call_name",
                f"Invalid '{at}.name': string does not match pattern. Expected a string that matches the pattern"
                " '^[a-zA-Z0-9_-]+$'.",
                f"{at}.name",
                "invalid_value",
            )
    if kind.endswith("_output") and not isinstance(item.get("output"), str | list | dict):
        yield _v("call_output", f"Missing required parameter: '{at}.output'.", f"{at}.output")


def _pairing(history: list[dict[str, Any]], items: list[dict[str, Any]]) -> Iterator[Violation]:
    """Outputs follow their call (here or in the previous response); every call has an output, once."""
    known: dict[str, str] = {}
    answered: set[str] = set()
    outputs = {out: (call, name) for call, (out, name) in CALLS.items()}
    for item in history + items:
        kind = item.get("type") or "message"
        call_id = str(item.get("call_id"))
        if kind in CALLS:
            if call_id in known:
                yield _v("duplicate_call", f"Duplicate item found with call_id {call_id}.", "input")
            known[call_id] = kind
        elif kind in outputs:
            call, name = outputs[kind]
            if known.get(call_id) != call:
                yield _v("orphan_result", f"No tool call found for {name} output with call_id {call_id}.", "input")
            elif call_id in answered:
                yield _v("duplicate_result", f"Duplicate tool output found for {name} {call_id}.", "input")
            answered.add(call_id)
    for call_id, kind in known.items():
        if call_id not in answered:
            yield _v("unanswered_call", f"No tool output found for {CALLS[kind][1]} {call_id}.", "input")
    following = {"message", "reasoning", *CALLS, "tool_search_call", "web_search_call", "image_generation_call"}
    for index, item in enumerate(items):
        if item.get("type") != "reasoning":
            continue
        after = items[index + 1] if index + 1 < len(items) else {}
        kind = after.get("type") or "message"
        if kind not in following or (kind == "message" and after.get("role") != "assistant"):
            yield _v(
                "reasoning_following",
                f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item.",
                "input",
            )


def _offered(tools: Any) -> Iterator[tuple[str, str]]:
    for tool in tools if isinstance(tools, list) else []:
        if tool.get("type") == "namespace":
            yield from _offered(tool.get("tools"))
        else:
            yield str(tool.get("type")), str(tool.get("name", ""))


def _tools(body: dict[str, Any], items: list[dict[str, Any]]) -> Iterator[Violation]:
    offered = list(_offered(body.get("tools")))
    for item in items:
        if item.get("type") == "additional_tools":
            offered.extend(_offered(item.get("tools")))
    for kind, name in offered:
        if kind in ("function", "custom") and not NAME.match(name):
            yield _v(
                "tool_name",
                f"Invalid 'tools.name': '{name}' does not match pattern '^[a-zA-Z0-9_-]+$'.",
                "tools",
                "invalid_value",
            )
    for index, tool in enumerate(body.get("tools") or []):
        if tool.get("type") == "function" and "name" not in tool:
            yield _v(
                "tool_name",
                f"Missing required parameter: 'tools[{index}].name'.",
                f"tools[{index}].name",
                "missing_required_parameter",
            )
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom"):
        if (choice["type"], choice.get("name")) not in offered:
            yield _v(
                "tool_choice",
                f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.",
                "tool_choice",
            )
    elif isinstance(choice, str) and choice not in ("none", "auto", "required"):
        yield _v("tool_choice", f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
    if choice == "required" and not offered:
        yield _v("tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
