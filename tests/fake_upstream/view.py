"""A request as the prompt language reads it: neutral turns, tools and what is wanted.

Knows the four request formats just well enough to read them (their legality is the validators' business).
Image data is reduced to its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Tool:
    """A tool the client offers: by what name to call it, in which way."""

    name: str
    kind: Literal["function", "custom", "tool_search", "hosted"]
    namespace: str | None = None
    schema: dict[str, Any] = field(default_factory=dict)


@dataclass
class Turn:
    """One neutral turn: user text, an assistant turn, tool results, or a system text."""

    kind: Literal["user", "assistant", "results", "system"]
    texts: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


@dataclass
class View:
    """The conversation and what the request offers."""

    turns: list[Turn] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    schema: dict[str, Any] | None = None
    """The JSON schema the answer must follow, if structured output is asked for ({} = any object)."""

    def add(self, kind: Literal["user", "assistant", "results", "system"]) -> Turn:
        """The current turn of that kind, or a new one."""
        if not self.turns or self.turns[-1].kind != kind:
            self.turns.append(Turn(kind))
        return self.turns[-1]


def image_mark(mime: str, data: str) -> str:
    """`mime:first 8 hex digits of the sha256 of the bytes`, or of the URL."""
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        raw = data.encode()
    return f"{mime}:{hashlib.sha256(raw).hexdigest()[:8]}"


def _url_mark(url: str) -> str:
    if url.startswith("data:"):
        mime, _, data = url[5:].partition(";base64,")
        return image_mark(mime, data)
    return image_mark("url", url)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in _list(value) if isinstance(v, dict)]


# --- openai-chat


def chat(body: dict[str, Any]) -> View:
    """The view of a chat completion request."""
    view = View()
    for message in _dicts(body.get("messages")):
        role = message.get("role")
        if role in ("system", "developer"):
            turn = view.add("system")
        elif role == "tool":
            turn = view.add("results")
        elif role == "assistant":
            view.turns.append(Turn("assistant"))
            turn = view.turns[-1]
        else:
            turn = view.add("user")
        _chat_content(turn, message.get("content"))
    for tool in _dicts(body.get("tools")):
        if tool.get("type") == "custom":
            view.tools.append(Tool(str((tool.get("custom") or {}).get("name")), "custom"))
        else:
            spec = tool.get("function") or {}
            view.tools.append(Tool(str(spec.get("name")), "function", None, spec.get("parameters") or {}))
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        view.schema = (wanted.get("json_schema") or {}).get("schema") or {}
    elif wanted.get("type") == "json_object":
        view.schema = {}
    return view


def _chat_content(turn: Turn, content: Any) -> None:
    if isinstance(content, str):
        turn.texts.append(content)
    for part in _dicts(content):
        if part.get("type") == "image_url":
            turn.images.append(_url_mark(str((part.get("image_url") or {}).get("url", ""))))
        elif part.get("type") == "file":
            turn.images.append(_url_mark(str((part.get("file") or {}).get("file_data", ""))))
        elif isinstance(part.get("text"), str):
            turn.texts.append(part["text"])


# --- openai-responses


def responses(body: dict[str, Any], history: list[dict[str, Any]]) -> View:
    """The view of a responses request; `history` is what the previous response brings along."""
    view = View()
    items = history + input_items(body)
    for item in items:
        _response_item(view, item)
    for tool in _dicts(body.get("tools")):
        _response_tool(view, tool, None)
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        view.schema = wanted.get("schema") or {}
    elif wanted.get("type") == "json_object":
        view.schema = {}
    return view


def input_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """`input` as a list of items, a plain string being one user message."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return _dicts(given)


def _response_item(view: View, item: dict[str, Any]) -> None:
    kind = item.get("type") or "message"
    if kind == "message":
        role = item.get("role")
        if role == "assistant":
            view.turns.append(Turn("assistant"))
            turn = view.turns[-1]
        else:
            turn = view.add("user" if role == "user" else "system")
        _response_content(turn, item.get("content"))
    elif kind.endswith("_output"):
        turn = view.add("results")
        _response_content(turn, item.get("output"))
        if kind == "tool_search_output":
            turn.texts.append(json.dumps(item.get("tools"), ensure_ascii=False))
            for tool in _dicts(item.get("tools")):
                _response_tool(view, tool, None)
    elif kind == "additional_tools":
        for tool in _dicts(item.get("tools")):
            _response_tool(view, tool, None)
    elif kind.endswith("_call") or kind == "reasoning":
        view.add("assistant")


def _response_content(turn: Turn, content: Any) -> None:
    if isinstance(content, str):
        turn.texts.append(content)
    for part in _dicts(content):
        if part.get("type") == "input_image":
            turn.images.append(_url_mark(str(part.get("image_url", ""))))
        elif part.get("type") == "input_file":
            turn.images.append(_url_mark(str(part.get("file_data") or part.get("file_url") or "")))
        elif isinstance(part.get("text"), str):
            turn.texts.append(part["text"])


def _response_tool(view: View, tool: dict[str, Any], namespace: str | None) -> None:
    kind = tool.get("type")
    if kind == "namespace":
        for inner in _dicts(tool.get("tools")):
            _response_tool(view, inner, str(tool.get("name")))
    elif kind == "function":
        view.tools.append(Tool(str(tool.get("name")), "function", namespace, tool.get("parameters") or {}))
    elif kind == "custom":
        view.tools.append(Tool(str(tool.get("name")), "custom", namespace))
    elif kind == "tool_search":
        view.tools.append(Tool("tool_search", "tool_search"))
    else:
        view.tools.append(Tool(str(kind), "hosted"))


# --- anthropic-messages


def messages(body: dict[str, Any]) -> View:
    """The view of a messages request. A user message with results and text makes two turns, in that order."""
    view = View()
    for message in _dicts(body.get("messages")):
        role, content = message.get("role"), message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else _dicts(content)
        if role == "assistant":
            view.turns.append(Turn("assistant"))
            continue
        results = [b for b in blocks if b.get("type") == "tool_result"]
        rest = [b for b in blocks if b.get("type") != "tool_result"]
        for block in results:
            turn = view.add("results")
            inner = block.get("content")
            if isinstance(inner, str):
                turn.texts.append(inner)
            for part in _dicts(inner):
                _anthropic_block(turn, part)
        if rest:
            turn = view.add("system" if role == "system" else "user")
            for block in rest:
                _anthropic_block(turn, block)
    for tool in _dicts(body.get("tools")):
        hosted = tool.get("type") not in (None, "custom")
        schema = tool.get("input_schema") or {}
        view.tools.append(Tool(str(tool.get("name")), "hosted" if hosted else "function", None, schema))
    wanted = (body.get("output_config") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        view.schema = wanted.get("schema") or {}
    return view


def _anthropic_block(turn: Turn, block: dict[str, Any]) -> None:
    if block.get("type") in ("image", "document"):
        source = block.get("source") or {}
        if source.get("type") == "base64":
            turn.images.append(image_mark(str(source.get("media_type")), str(source.get("data"))))
        else:
            turn.images.append(image_mark("url", str(source.get("url", source.get("data")))))
    elif block.get("type") == "tool_reference":
        turn.texts.append(str(block.get("tool_name")))
    elif isinstance(block.get("text"), str):
        turn.texts.append(block["text"])


# --- gemini


def either(value: dict[str, Any], camel: str) -> Any:
    """The field by its camelCase or its snake_case name: the vendor reads both."""
    if camel in value:
        return value[camel]
    snake = "".join("_" + c.lower() if c.isupper() else c for c in camel)
    return value.get(snake)


def gemini(body: dict[str, Any]) -> View:
    """The view of a generateContent request."""
    view = View()
    for content in _dicts(body.get("contents")):
        parts = _dicts(content.get("parts"))
        if content.get("role") == "model":
            view.turns.append(Turn("assistant"))
            continue
        for part in parts:
            answer = either(part, "functionResponse")
            if isinstance(answer, dict):
                turn = view.add("results")
                turn.texts.append(_plain(answer.get("response")))
                for inner in _dicts(answer.get("parts")):
                    _gemini_part(turn, inner)
            else:
                _gemini_part(view.add("user"), part)
    for tool in _dicts(body.get("tools")):
        declared = _dicts(either(tool, "functionDeclarations"))
        for spec in declared:
            schema = either(spec, "parametersJsonSchema") or spec.get("parameters") or {}
            view.tools.append(Tool(str(spec.get("name")), "function", None, schema))
        if not declared:
            view.tools.extend(Tool(key, "hosted") for key in tool)
    config = either(body, "generationConfig") or {}
    if either(config, "responseMimeType") == "application/json":
        view.schema = either(config, "responseJsonSchema") or either(config, "responseSchema") or {}
    return view


def _gemini_part(turn: Turn, part: dict[str, Any]) -> None:
    data = either(part, "inlineData")
    file = either(part, "fileData")
    if isinstance(data, dict):
        encoded = str(data.get("data", "")).replace("-", "+").replace("_", "/")
        turn.images.append(image_mark(str(either(data, "mimeType")), encoded))
    elif isinstance(file, dict):
        turn.images.append(image_mark("url", str(either(file, "fileUri"))))
    elif isinstance(part.get("text"), str):
        turn.texts.append(part["text"])


def _plain(response: Any) -> str:
    """The output of a function response: its only text field, or the whole as JSON."""
    if isinstance(response, dict) and len(response) == 1:
        only = next(iter(response.values()))
        if isinstance(only, str):
            return only
    return json.dumps(response, ensure_ascii=False, separators=(",", ":"))


def of(protocol: str, body: dict[str, Any], history: list[dict[str, Any]] | None = None) -> View:
    """The view of a request in any of the protocols."""
    if protocol == "openai-responses":
        return responses(body, history or [])
    reader = {"openai-chat": chat, "anthropic-messages": messages, "gemini": gemini}[protocol]
    return reader(body)
