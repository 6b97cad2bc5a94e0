"""What a client sends, in its own dialect: neutral conversations become bodies as the vendors document them.

An oracle's half: written from the vendors' references, it imports nothing of the code under test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """Text."""

    text: str
    cache: bool = False


@dataclass(frozen=True)
class Media:
    """An image or a PDF, as base64 data or as a URL."""

    kind: Literal["image", "document"]
    media_type: str
    data: str = ""
    url: str = ""


@dataclass(frozen=True)
class Think:
    """A thought the assistant had; `wire` is the block or item exactly as the client received it."""

    text: str = ""
    wire: Any = None


@dataclass(frozen=True)
class Call:
    """A tool call; `arguments` is JSON text. `signature` is G's, on the part."""

    id: str
    name: str
    arguments: str = "{}"
    signature: str | None = None


@dataclass(frozen=True)
class Result:
    """A tool's answer."""

    id: str
    content: tuple[Say | Media, ...]
    name: str = ""
    error: bool = False


Part = Say | Media | Think | Call | Result


@dataclass(frozen=True)
class Turn:
    """Who speaks, and what."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]


def user(*parts: Part | str) -> Turn:
    """A user turn; bare text is a Say."""
    return Turn("user", tuple(Say(p) if isinstance(p, str) else p for p in parts))


def assistant(*parts: Part | str) -> Turn:
    """An assistant turn."""
    return Turn("assistant", tuple(Say(p) if isinstance(p, str) else p for p in parts))


def system(text: str) -> Turn:
    """A system turn, wherever it stands."""
    return Turn("system", (Say(text),))


@dataclass(frozen=True)
class Tool:
    """A function tool."""

    name: str
    schema: Json = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        }
    )
    description: str = "Does something."


@dataclass(frozen=True)
class Ask:
    """One request."""

    turns: tuple[Turn, ...] = (user("hi"),)
    tools: tuple[Tool, ...] = ()
    choice: str | None = None
    """auto, none, required, or a tool's name."""
    parallel: bool | None = None
    max_tokens: int = 1000
    stop: tuple[str, ...] = ()
    thinking: bool = False
    extra: Json = field(default_factory=dict)
    """Further members of the body, in the dialect's own words."""


@dataclass(frozen=True)
class Request:
    """A request on the wire: path, query and body."""

    path: str
    body: Json
    query: Json = field(default_factory=dict)


def request(protocol: str, ask: Ask, model: str, *, stream: bool) -> Request:
    """The question in the client's dialect."""
    return _REQUEST[protocol](ask, model, stream)


def _chat(ask: Ask, model: str, stream: bool) -> Request:
    messages: list[Json] = []
    for turn in ask.turns:
        _chat_turn(turn, messages)
    body: Json = {"model": model, "messages": messages, "max_tokens": ask.max_tokens}
    if ask.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.schema}}
            for t in ask.tools
        ]
    if ask.choice is not None:
        named = ask.choice not in ("auto", "none", "required")
        body["tool_choice"] = {"type": "function", "function": {"name": ask.choice}} if named else ask.choice
    if ask.parallel is not None:
        body["parallel_tool_calls"] = ask.parallel
    if ask.stop:
        body["stop"] = list(ask.stop)
    if ask.thinking:
        body["reasoning_effort"] = "low"
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return Request("/v1/chat/completions", {**body, **ask.extra})


def _chat_turn(turn: Turn, messages: list[Json]) -> None:
    if turn.role == "system":
        messages.append({"role": "system", "content": "".join(p.text for p in turn.parts if isinstance(p, Say))})
        return
    if turn.role == "assistant":
        message: Json = {"role": "assistant"}
        texts = [p.text for p in turn.parts if isinstance(p, Say)]
        message["content"] = "".join(texts) if texts else None
        thoughts = [p.text for p in turn.parts if isinstance(p, Think)]
        if thoughts:
            message["reasoning_content"] = "".join(thoughts)
        calls = [p for p in turn.parts if isinstance(p, Call)]
        if calls:
            message["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls
            ]
        messages.append(message)
        return
    for part in turn.parts:
        if isinstance(part, Result):
            texts = [p.text for p in part.content if isinstance(p, Say)]
            media = [_chat_part(p) for p in part.content if isinstance(p, Media)]
            text: Any = "\n".join(texts)
            messages.append({"role": "tool", "tool_call_id": part.id, "content": text})
            if media:
                messages.append({"role": "user", "content": media})
    rest = [p for p in turn.parts if isinstance(p, Say | Media)]
    if len(rest) == 1 and isinstance(rest[0], Say):
        messages.append({"role": "user", "content": rest[0].text})
    elif rest:
        messages.append({"role": "user", "content": [_chat_part(p) for p in rest]})


def _chat_part(part: Say | Media) -> Json:
    if isinstance(part, Say):
        return {"type": "text", "text": part.text}
    url = part.url or f"data:{part.media_type};base64,{part.data}"
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": "paper.pdf", "file_data": url}}


def _responses(ask: Ask, model: str, stream: bool) -> Request:
    items: list[Json] = []
    for turn in ask.turns:
        _responses_turn(turn, items)
    body: Json = {"model": model, "input": items, "max_output_tokens": ask.max_tokens}
    if ask.tools:
        body["tools"] = [
            {"type": "function", "name": t.name, "description": t.description, "parameters": t.schema, "strict": False}
            for t in ask.tools
        ]
    if ask.choice is not None:
        named = ask.choice not in ("auto", "none", "required")
        body["tool_choice"] = {"type": "function", "name": ask.choice} if named else ask.choice
    if ask.parallel is not None:
        body["parallel_tool_calls"] = ask.parallel
    if ask.thinking:
        body["reasoning"] = {"effort": "low", "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if stream:
        body["stream"] = True
    return Request("/v1/responses", {**body, **ask.extra})


def _responses_turn(turn: Turn, items: list[Json]) -> None:
    if turn.role == "system":
        text = "".join(p.text for p in turn.parts if isinstance(p, Say))
        items.append({"role": "developer", "content": [{"type": "input_text", "text": text}]})
        return
    content: list[Json] = []

    def settle() -> None:
        if content:
            items.append({"type": "message", "role": turn.role, "content": list(content)})
            content.clear()

    for part in turn.parts:
        if isinstance(part, Say | Media):
            content.append(_responses_part(part, turn.role))
            continue
        settle()
        if isinstance(part, Call):
            items.append({"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments})
        elif isinstance(part, Result):
            output: Any = [_responses_part(p, "user") for p in part.content]
            if len(part.content) == 1 and isinstance(part.content[0], Say):
                output = part.content[0].text
            items.append({"type": "function_call_output", "call_id": part.id, "output": output or ""})
        else:
            items.append(part.wire or {"type": "reasoning", "summary": [{"type": "summary_text", "text": part.text}]})
    settle()


def _responses_part(part: Say | Media, role: str) -> Json:
    if isinstance(part, Say):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
    data = f"data:{part.media_type};base64,{part.data}"
    if part.kind == "image":
        return {"type": "input_image", "image_url": part.url or data, "detail": "auto"}
    if part.url:
        return {"type": "input_file", "file_url": part.url}
    return {"type": "input_file", "filename": "paper.pdf", "file_data": data}


def _messages(ask: Ask, model: str, stream: bool) -> Request:
    turns = list(ask.turns)
    head: list[str] = []
    while turns and turns[0].role == "system":
        head.extend(p.text for p in turns.pop(0).parts if isinstance(p, Say))
    body: Json = {
        "model": model,
        "max_tokens": ask.max_tokens,
        "messages": [{"role": t.role, "content": [_messages_block(p) for p in t.parts]} for t in turns],
    }
    if head:
        body["system"] = [{"type": "text", "text": text} for text in head]
    if ask.tools:
        body["tools"] = [{"name": t.name, "description": t.description, "input_schema": t.schema} for t in ask.tools]
    kind = {"auto": "auto", "none": "none", "required": "any"}
    if ask.choice is not None:
        named = ask.choice not in kind
        body["tool_choice"] = {"type": "tool", "name": ask.choice} if named else {"type": kind[ask.choice]}
    if ask.parallel is not None:
        body["tool_choice"] = {
            **body.get("tool_choice", {"type": "auto"}),
            "disable_parallel_tool_use": not ask.parallel,
        }
    if ask.stop:
        body["stop_sequences"] = list(ask.stop)
    if ask.thinking:
        body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        body["max_tokens"] = max(ask.max_tokens, 4096)
    if stream:
        body["stream"] = True
    return Request("/v1/messages", {**body, **ask.extra})


def _messages_block(part: Part) -> Json:
    if isinstance(part, Say):
        block: Json = {"type": "text", "text": part.text}
        return {**block, "cache_control": {"type": "ephemeral"}} if part.cache else block
    if isinstance(part, Call):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.arguments or "{}")}
    if isinstance(part, Result):
        content: Any = [_messages_block(p) for p in part.content]
        result: Json = {"type": "tool_result", "tool_use_id": part.id, "content": content}
        return {**result, "is_error": True} if part.error else result
    if isinstance(part, Think):
        return dict(part.wire) if part.wire else {"type": "thinking", "thinking": part.text, "signature": "c2ln"}
    if part.url:
        return {"type": part.kind, "source": {"type": "url", "url": part.url}}
    return {"type": part.kind, "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}


def _gemini(ask: Ask, model: str, stream: bool) -> Request:
    names = {p.id: p.name for t in ask.turns for p in t.parts if isinstance(p, Call)}
    turns = list(ask.turns)
    body: Json = {}
    head: list[str] = []
    while turns and turns[0].role == "system":
        head.extend(p.text for p in turns.pop(0).parts if isinstance(p, Say))
    if head:
        body["systemInstruction"] = {"parts": [{"text": text} for text in head]}
    contents: list[Json] = []
    for turn in turns:
        # G has no system text inside the conversation: its clients say such things as the user.
        role = "model" if turn.role == "assistant" else "user"
        results = [p for p in turn.parts if isinstance(p, Result)]
        rest = [p for p in turn.parts if not isinstance(p, Result)]
        groups = [group for group in (results, rest) if group]
        contents.extend({"role": role, "parts": [_gemini_part(p, names) for p in group]} for group in groups)
    body["contents"] = contents
    if ask.tools:
        body["tools"] = [
            {
                "functionDeclarations": [
                    {"name": t.name, "description": t.description, "parametersJsonSchema": t.schema} for t in ask.tools
                ]
            }
        ]
    if ask.choice is not None:
        mode = {"auto": "AUTO", "none": "NONE"}.get(ask.choice, "ANY")
        choice: Json = {"mode": mode}
        if ask.choice not in ("auto", "none", "required"):
            choice["allowedFunctionNames"] = [ask.choice]
        body["toolConfig"] = {"functionCallingConfig": choice}
    config: Json = {"maxOutputTokens": ask.max_tokens}
    if ask.stop:
        config["stopSequences"] = list(ask.stop)
    if ask.thinking:
        config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": 1024}
    body["generationConfig"] = config
    action = "streamGenerateContent" if stream else "generateContent"
    return Request(f"/v1beta/models/{model}:{action}", {**body, **ask.extra}, {"alt": "sse"} if stream else {})


def _gemini_part(part: Part, names: dict[str, str]) -> Json:
    if isinstance(part, Say):
        return {"text": part.text}
    if isinstance(part, Call):
        call: Json = {"name": part.name, "args": json.loads(part.arguments or "{}")}
        if part.id:
            call["id"] = part.id
        wire: Json = {"functionCall": call}
        return {**wire, "thoughtSignature": part.signature} if part.signature else wire
    if isinstance(part, Result):
        texts = [p.text for p in part.content if isinstance(p, Say)]
        key = "error" if part.error else "output"
        answer: Json = {"name": part.name or names.get(part.id, "unknown"), "response": {key: "\n".join(texts)}}
        if part.id:
            answer["id"] = part.id
        media = [_gemini_part(p, names) for p in part.content if isinstance(p, Media)]
        if media:
            answer["parts"] = media
        return {"functionResponse": answer}
    if isinstance(part, Think):
        return dict(part.wire) if part.wire else {"text": part.text, "thought": True}
    if part.url:
        return {"fileData": {"mimeType": part.media_type, "fileUri": part.url}}
    return {"inlineData": {"mimeType": part.media_type, "data": part.data}}


_REQUEST = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
