"""What Anthropic's messages endpoint refuses, in its words. Knows that request format only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .records import RecordedRequest, Violation
from .strict import Judge, words

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
ID = re.compile(r"^[a-zA-Z0-9_-]+$")
FIELDS = words(
    """model messages max_tokens cache_control container context_management diagnostics inference_geo
    mcp_servers metadata output_config output_format service_tier speed stop_sequences stream system
    temperature thinking tool_choice tools top_k top_p user_profile_id workspace_id betas fallbacks
    anthropic_version"""
)
BLOCK_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller", "toolset_name"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "cache_control", "citations", "context", "title"},
}
ROLE_BLOCKS = {
    "user": {"text", "image", "document", "tool_result", "search_result", "container_upload"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
    "system": {"text"},
}
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def _v(rule: str, message: str, param: str | None = None) -> Violation:
    return Violation("anthropic-messages", rule, message, param)


def validate(request: RecordedRequest, judge: Judge) -> Iterator[Violation]:
    """All violations, in the order of the vendor's checks."""
    body = request.body
    counting = request.operation == "count_tokens"
    if request.operation != "raw_predict" and request.header("anthropic-version") is None:
        yield _v("version_header", "anthropic-version: header is required")
    for key in body:
        if key not in FIELDS:
            yield _v("unknown_parameter", f"{key}: Extra inputs are not permitted", key)
    if not isinstance(body.get("model"), str) and request.operation != "raw_predict":
        yield _v("model", "model: Field required")
    limit = body.get("max_tokens")
    if not counting and limit is None:
        yield _v("max_tokens", "max_tokens: Field required")
    elif limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        yield _v("max_tokens", "max_tokens: Input should be a valid integer")
    elif limit is not None and limit < 1:
        yield _v("max_tokens", "max_tokens: must be greater than or equal to 1")
    messages = body.get("messages")
    if not isinstance(messages, list):
        yield _v("messages", "messages: Field required")
        return
    if not messages:
        yield _v("messages", "messages: at least one message is required")
    yield from _system(body.get("system"))
    for index, message in enumerate(messages):
        yield from _message(index, message, judge, last=index == len(messages) - 1)
    yield from _order(messages)
    yield from _pairing(messages)
    yield from _tools(body)
    yield from _thinking(body, messages)
    found = _count_cache_control(body)
    if found > 4:
        yield _v("cache_control", f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _system(system: Any) -> Iterator[Violation]:
    for index, block in enumerate(system if isinstance(system, list) else []):
        if block.get("type") != "text":
            yield _v("system", f"system.{index}.type: Input should be 'text'")
        elif not block.get("text"):
            yield _v("empty_text", "system: text content blocks must be non-empty")


def _message(index: int, message: dict[str, Any], judge: Judge, *, last: bool) -> Iterator[Violation]:
    role, content = message.get("role"), message.get("content")
    if role not in ROLE_BLOCKS:
        yield _v("role", f'messages.{index}.role: Input should be "user", "assistant" or "system"')
        return
    if not isinstance(content, str | list):
        yield _v("content_type", f"messages.{index}.content: Input should be a valid list")
        return
    if not content and role != "system" and not (last and role == "assistant"):
        yield _v(
            "empty_content",
            f"messages.{index}: all messages must have non-empty content except for the optional final"
            " assistant message",
        )
    for number, block in enumerate(_blocks(message) if content else []):
        yield from _block(f"messages.{index}.content.{number}", role, block, judge)
    texts = [b["text"] for b in _blocks(message) if b.get("type") == "text" and isinstance(b.get("text"), str)]
    if last and role == "assistant" and texts and texts[-1] != texts[-1].rstrip():
        yield _v("trailing_space", "messages: final assistant content cannot end with trailing whitespace")


def _block(at: str, role: str, block: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    kind = str(block.get("type"))
    server_made = kind.startswith("server_") or kind.endswith("_tool_result") or kind == "mcp_tool_use"
    if kind not in ROLE_BLOCKS[role] and not (role == "assistant" and server_made):
        yield _v("block_type", f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
        return
    for key in block:
        if kind in BLOCK_FIELDS and key not in BLOCK_FIELDS[kind]:
            yield _v("unknown_parameter", f"{at}.{kind}.{key}: Extra inputs are not permitted")
    if kind == "text":
        text = block.get("text")
        if not isinstance(text, str):
            yield _v("text_type", f"{at}.text.text: Input should be a valid string")
        elif not text:
            yield _v("empty_text", "messages: text content blocks must be non-empty")
        elif not text.strip():
            yield _v("empty_text", "messages: text content blocks must contain non-whitespace text")
    elif kind in ("thinking", "redacted_thinking"):
        yield from _thought(at, kind, block, judge)
    elif kind == "tool_use":
        yield from _tool_use(at, block)
    elif kind == "tool_result":
        yield from _tool_result(at, block, judge)
    elif kind == "image":
        yield from _image(at, block)


def _thought(at: str, kind: str, block: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    key = "signature" if kind == "thinking" else "data"
    sealed = block.get(key)
    if not isinstance(sealed, str):
        yield _v("signature", f"{at}.{kind}.{key}: Field required")
    elif not judge.owns("anthropic", sealed):
        yield _v("signature", f"{at}: Invalid `{key}` in `{kind}` block")
    elif kind == "thinking" and judge.ids.issued.get(sealed, block.get("thinking")) != block.get("thinking"):
        yield _v(
            "thinking_modified",
            f"{at}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."
            " These blocks must remain as they were in the original response.",
        )


def _tool_use(at: str, block: dict[str, Any]) -> Iterator[Violation]:
    if not ID.match(str(block.get("id") or "")):
        yield _v("call_id", f"{at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not isinstance(block.get("input"), dict):
        yield _v("call_arguments", f"{at}.tool_use.input: Input should be a valid dictionary")
    name = str(block.get("name") or "")
    if not name:
        yield _v("call_name", f"{at}.tool_use.name: String should have at least 1 character")
    elif len(name) > 200:
        yield _v("call_name", f"{at}.tool_use.name: String should have at most 200 characters")


def _tool_result(at: str, block: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    content = block.get("content")
    if not ID.match(str(block.get("tool_use_id") or "")):
        yield _v("call_id", f"{at}.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    for number, part in enumerate(content if isinstance(content, list) else []):
        kind = part.get("type")
        if kind not in ("text", "image", "document", "search_result", "tool_reference", "browser_state"):
            yield _v("block_type", f"{at}.tool_result.content.{number}: Input tag '{kind}' is not expected")
        elif kind == "text" and not part.get("text"):
            yield _v("empty_text", "messages: text content blocks must be non-empty")
        elif kind == "image":
            yield from _image(f"{at}.tool_result.content.{number}", part)
    if content is not None and not isinstance(content, str | list):
        yield _v("content_type", f"{at}.tool_result.content: Input should be a valid string or list")


def _image(at: str, block: dict[str, Any]) -> Iterator[Violation]:
    source = block.get("source") or {}
    if source.get("type") not in ("base64", "url", "file"):
        yield _v("image_source", f"{at}.image.source: Input tag '{source.get('type')}' is not expected")
    elif source["type"] == "base64" and source.get("media_type") not in IMAGE_TYPES:
        yield _v(
            "image_source",
            f"{at}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or"
            " 'image/webp'",
        )


def _order(messages: list[dict[str, Any]]) -> Iterator[Violation]:
    spoken = [m.get("role") for m in messages if m.get("role") != "system"]
    if spoken and spoken[0] != "user":
        yield _v("first_role", 'messages: first message must use the "user" role')


def _merged(messages: list[dict[str, Any]]) -> list[tuple[int, str, list[dict[str, Any]]]]:
    """Runs of one role as the vendor merges them: (index of the first, role, blocks)."""
    runs: list[tuple[int, str, list[dict[str, Any]]]] = []
    for index, message in enumerate(messages):
        role = str(message.get("role"))
        if runs and runs[-1][1] == role:
            runs[-1][2].extend(_blocks(message))
        else:
            runs.append((index, role, list(_blocks(message))))
    return runs


def _pairing(messages: list[dict[str, Any]]) -> Iterator[Violation]:
    """Results stand first in the user turn right after their calls; all of them, once."""
    runs = _merged(messages)
    seen: set[str] = set()
    for number, (index, role, blocks) in enumerate(runs):
        used = [str(b.get("id")) for b in blocks if b.get("type") == "tool_use"]
        if role == "assistant":
            if len(set(used)) != len(used) or seen & set(used):
                yield _v("duplicate_call", f"messages.{index}: `tool_use` ids must be unique")
            seen.update(used)
        after = runs[number + 1] if number + 1 < len(runs) else (index, "", [])
        leading: list[str] = []
        for block in after[2] if after[1] == "user" else []:
            if block.get("type") != "tool_result":
                break
            leading.append(str(block.get("tool_use_id")))
        missing = [u for u in used if u not in leading]
        if missing:
            yield _v(
                "unanswered_call",
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in"
                " the next message.",
            )
        if role == "user":
            before = runs[number - 1] if number else (0, "", [])
            yield from _results(index, blocks, before)


def _results(
    index: int, blocks: list[dict[str, Any]], before: tuple[int, str, list[dict[str, Any]]]
) -> Iterator[Violation]:
    asked = {str(b.get("id")) for b in before[2] if b.get("type") == "tool_use"}
    given: set[str] = set()
    for number, block in enumerate(blocks):
        if block.get("type") != "tool_result":
            continue
        call_id = str(block.get("tool_use_id"))
        if call_id not in asked:
            yield _v(
                "orphan_result",
                f"messages.{index}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks:"
                f" {call_id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous"
                " message.",
            )
        elif call_id in given:
            yield _v(
                "duplicate_result",
                f"messages.{index}.content.{number}: each tool_use must have a single result. Found multiple"
                f" `tool_result` blocks with id: {call_id}",
            )
        given.add(call_id)


def _tools(body: dict[str, Any]) -> Iterator[Violation]:
    tools = body.get("tools") or []
    names: list[str] = []
    for index, tool in enumerate(tools):
        name = str(tool.get("name") or "")
        names.append(name)
        if tool.get("type") not in (None, "custom"):
            continue
        if not NAME.match(name):
            yield _v("tool_name", f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        schema = tool.get("input_schema")
        if not isinstance(schema, dict):
            yield _v("tool_schema", f"tools.{index}.custom.input_schema: Field required")
        elif schema.get("type") != "object":
            yield _v("tool_schema", f"tools.{index}.custom.input_schema.type: Input should be 'object'")
    if len(set(names)) != len(names):
        yield _v("tool_name", "tools: Tool names must be unique.")
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not tools:
        yield _v("tool_choice", "tool_choice may only be specified while providing tools")
    if choice.get("type") not in ("auto", "any", "tool", "none"):
        yield _v("tool_choice", f"tool_choice: Input tag '{choice.get('type')}' is not expected")
    elif choice["type"] == "tool" and choice.get("name") not in names:
        yield _v("tool_choice", f"Tool '{choice.get('name')}' not found in provided tools")


def _thinking(body: dict[str, Any], messages: list[dict[str, Any]]) -> Iterator[Violation]:
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    if kind not in ("enabled", "adaptive"):
        return
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int):
            yield _v("thinking_budget", "thinking.enabled.budget_tokens: Field required")
        elif budget < 1024:
            yield _v(
                "thinking_budget",
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            )
        elif isinstance(body.get("max_tokens"), int) and body["max_tokens"] <= budget:
            yield _v("thinking_budget", "`max_tokens` must be greater than `thinking.budget_tokens`.")
        yield from _starts_with_thought(messages)
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        yield _v("thinking_tool_choice", "Thinking may not be enabled when tool_choice forces tool use.")
    if body.get("temperature") not in (None, 1, 1.0):
        yield _v("thinking_temperature", "`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        yield _v("thinking_top_k", "`top_k` must be unset when thinking is enabled.")
    top_p = body.get("top_p")
    if top_p is not None and top_p < 0.95:
        yield _v("thinking_top_p", "`top_p` must be greater than or equal to 0.95 when thinking is enabled.")


def _starts_with_thought(messages: list[dict[str, Any]]) -> Iterator[Violation]:
    """In the tool loop still open, the first assistant message must start with a thinking block."""
    runs = [r for r in _merged(messages) if r[1] != "system"]
    start = None
    for index, role, blocks in reversed(runs):
        if role == "user" and not any(b.get("type") == "tool_result" for b in blocks):
            break
        if role == "assistant":
            start = (index, blocks)
    if start and start[1] and start[1][0].get("type") not in ("thinking", "redacted_thinking"):
        yield _v(
            "thinking_first",
            f"messages.{start[0]}.content.0.type: Expected `thinking` or `redacted_thinking`, but found"
            f" `{start[1][0].get('type')}`. When `thinking` is enabled, a final `assistant` message must start"
            " with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
        )


def _count_cache_control(value: Any) -> int:
    """Breakpoints in the whole request; schemas and tool inputs are data, not blocks."""
    if isinstance(value, list):
        return sum(_count_cache_control(v) for v in value)
    if not isinstance(value, dict):
        return 0
    found = 1 if value.get("cache_control") is not None else 0
    skip = ("cache_control", "input_schema", "input", "metadata")
    return found + sum(_count_cache_control(v) for k, v in value.items() if k not in skip)
