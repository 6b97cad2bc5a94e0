"""What an upstream was asked, read back into the neutral words of `dialects.py`: the REQ oracle.

Written from the vendors' references; legality is the fake upstream's business, this one only reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .dialects import Call, Json, Media, Part, Result, Say, Think, Turn


@dataclass
class Seen:
    """One upstream request."""

    turns: list[Turn] = field(default_factory=list)
    """One per message, content or item, in wire order."""
    tools: dict[str, Json] = field(default_factory=dict)
    """name -> schema, in order."""
    choice: Any = None
    """auto, none, required, a name, or None."""
    parallel: bool | None = None
    stop: list[str] = field(default_factory=list)
    max_tokens: int | None = None

    def parts(self, kind: type[Part] | tuple[type, ...], role: str | None = None) -> list[Any]:
        """Every part of a kind, in order."""
        return [p for t in self.turns if role in (None, t.role) for p in t.parts if isinstance(p, kind)]

    @property
    def texts(self) -> list[str]:
        """Every text, in order, whoever said it."""
        return [p.text for p in self.parts(Say)]

    @property
    def calls(self) -> list[Call]:
        """Every call of the history."""
        return self.parts(Call)

    @property
    def results(self) -> list[Result]:
        """Every result of the history."""
        return self.parts(Result)


def read(protocol: str, body: Json) -> Seen:
    """The request in neutral words."""
    return _READ[protocol](body)


def _string_or(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    return [v for v in value or [] if isinstance(v, dict)]


def _media(kind: str, url: str, mime: str = "") -> Media:
    kind = "image" if kind == "image" else "document"
    if url.startswith("data:"):
        mime, _, data = url[5:].partition(";base64,")
        return Media(kind, mime, data=data)  # type: ignore[arg-type]
    return Media(kind, mime, url=url)  # type: ignore[arg-type]


def _result_text(parts: list[Part]) -> tuple[Say | Media, ...]:
    return tuple(p for p in parts if isinstance(p, Say | Media))


# --- C


def _chat(body: Json) -> Seen:
    seen = Seen()
    for message in body.get("messages") or []:
        role = message["role"]
        parts = [p for p in map(_chat_part, _string_or(message.get("content"))) if p]
        if role == "tool":
            seen.turns.append(Turn("user", (Result(message["tool_call_id"], _result_text(parts)),)))
            continue
        if role == "assistant":
            thought = message.get("reasoning_content") or message.get("reasoning")
            if thought:
                parts.insert(0, Think(thought))
            for call in message.get("tool_calls") or []:
                box = call.get("function") or call.get("custom") or {}
                parts.append(Call(call["id"], box["name"], box.get("arguments", box.get("input", ""))))
        seen.turns.append(Turn("system" if role in ("system", "developer") else role, tuple(parts)))
    for tool in body.get("tools") or []:
        spec = tool.get(tool["type"]) or {}
        seen.tools[spec.get("name", tool["type"])] = spec.get("parameters") or {}
    choice = body.get("tool_choice")
    seen.choice = (choice.get("function") or choice.get("custom") or {}).get("name") if _is(choice) else choice
    seen.parallel = body.get("parallel_tool_calls")
    stop = body.get("stop")
    seen.stop = [stop] if isinstance(stop, str) else list(stop or [])
    seen.max_tokens = body.get("max_completion_tokens", body.get("max_tokens"))
    return seen


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _chat_part(part: Json) -> Part | None:
    if part["type"] == "image_url":
        return _media("image", part["image_url"]["url"])
    if part["type"] == "file":
        return _media("document", part["file"].get("file_data") or "", "application/pdf")
    return Say(part["text"], "cache_control" in part) if "text" in part else None


# --- R


def _responses(body: Json) -> Seen:
    seen = Seen()
    if body.get("instructions"):
        seen.turns.append(Turn("system", (Say(body["instructions"]),)))
    given = body.get("input")
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given or []
    for item in items:
        seen.turns.extend(_responses_item(item))
    for tool in body.get("tools") or []:
        seen.tools[tool.get("name", tool["type"])] = tool.get("parameters") or {}
    choice = body.get("tool_choice")
    seen.choice = choice.get("name") if _is(choice) else choice
    seen.parallel = body.get("parallel_tool_calls")
    seen.max_tokens = body.get("max_output_tokens")
    return seen


def _responses_item(item: Json) -> Iterator[Turn]:
    kind = item.get("type") or "message"
    if kind == "message":
        role = "system" if item["role"] in ("system", "developer") else item["role"]
        yield Turn(role, tuple(p for p in map(_responses_part, _string_or(item.get("content"))) if p))
    elif kind in ("function_call", "custom_tool_call"):
        arguments = item.get("arguments", item.get("input", ""))
        yield Turn("assistant", (Call(item["call_id"], item["name"], arguments),))
    elif kind in ("function_call_output", "custom_tool_call_output"):
        parts = [p for p in map(_responses_part, _string_or(item.get("output"))) if p]
        yield Turn("user", (Result(item["call_id"], _result_text(parts)),))
    elif kind == "reasoning":
        yield Turn("assistant", (Think("".join(s["text"] for s in item.get("summary") or []), item),))


def _responses_part(part: Json) -> Part | None:
    if part["type"] == "input_image":
        return _media("image", part.get("image_url") or "")
    if part["type"] == "input_file":
        return _media("document", part.get("file_data") or part.get("file_url") or "", "application/pdf")
    return Say(part["text"]) if "text" in part else None


# --- M


def _messages(body: Json) -> Seen:
    seen = Seen()
    for block in _string_or(body.get("system")):
        seen.turns.append(Turn("system", (Say(block["text"], "cache_control" in block),)))
    for message in body.get("messages") or []:
        parts = [p for p in map(_messages_block, _string_or(message.get("content"))) if p]
        seen.turns.append(Turn(message["role"], tuple(parts)))
    for tool in body.get("tools") or []:
        seen.tools[tool["name"]] = tool.get("input_schema") or {}
    choice = body.get("tool_choice")
    if choice:
        kinds = {"auto": "auto", "none": "none", "any": "required"}
        seen.choice = kinds.get(choice["type"], choice.get("name"))
        if "disable_parallel_tool_use" in choice:
            seen.parallel = not choice["disable_parallel_tool_use"]
    seen.stop = list(body.get("stop_sequences") or [])
    seen.max_tokens = body.get("max_tokens")
    return seen


def _messages_block(block: Json) -> Part | None:
    kind = block["type"]
    if kind == "text":
        return Say(block["text"], "cache_control" in block)
    if kind == "tool_use":
        return Call(block["id"], block["name"], json.dumps(block["input"], ensure_ascii=False))
    if kind == "tool_result":
        parts = [p for p in map(_messages_block, _string_or(block.get("content"))) if p]
        return Result(block["tool_use_id"], _result_text(parts), error=bool(block.get("is_error")))
    if kind in ("thinking", "redacted_thinking"):
        return Think(block.get("thinking", ""), block)
    if kind in ("image", "document"):
        source = block["source"]
        if source["type"] == "base64":
            return Media(kind, source["media_type"], data=source["data"])
        return Media(kind, "" if kind == "image" else "application/pdf", url=source.get("url", ""))
    return None


# --- G


def _gemini(body: Json) -> Seen:
    seen = Seen()
    for part in (body.get("systemInstruction") or {}).get("parts") or []:
        seen.turns.append(Turn("system", (Say(part["text"]),)))
    for content in body.get("contents") or []:
        role = "assistant" if content.get("role") == "model" else "user"
        seen.turns.append(Turn(role, tuple(p for p in map(_gemini_part, content["parts"]) if p)))
    for tool in body.get("tools") or []:
        for spec in tool.get("functionDeclarations") or []:
            seen.tools[spec["name"]] = spec.get("parametersJsonSchema") or spec.get("parameters") or {}
    choice = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if choice:
        allowed = choice.get("allowedFunctionNames") or []
        kinds = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}
        seen.choice = allowed[0] if len(allowed) == 1 else kinds[choice["mode"]]
    config = body.get("generationConfig") or {}
    seen.stop = list(config.get("stopSequences") or [])
    seen.max_tokens = config.get("maxOutputTokens")
    return seen


def _gemini_part(part: Json) -> Part | None:
    if "functionCall" in part:
        call = part["functionCall"]
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
        return Call(call.get("id", ""), call["name"], arguments, part.get("thoughtSignature"))
    if "functionResponse" in part:
        answer = part["functionResponse"]
        response = answer["response"]
        only = next(iter(response.values())) if len(response) == 1 else response
        text = only if isinstance(only, str) else json.dumps(only, ensure_ascii=False)
        inner = [p for p in map(_gemini_part, answer.get("parts") or []) if p]
        return Result(
            answer.get("id", ""),
            (Say(text), *_result_text(inner)),
            name=answer["name"],
            error="error" in response,
        )
    if "inlineData" in part:
        mime = part["inlineData"]["mimeType"]
        return Media("image" if mime.startswith("image/") else "document", mime, data=part["inlineData"]["data"])
    if "fileData" in part:
        mime = part["fileData"].get("mimeType", "")
        kind = "document" if mime == "application/pdf" else "image"
        return Media(kind, mime, url=part["fileData"]["fileUri"])  # type: ignore[arg-type]
    if part.get("thought"):
        return Think(part.get("text", ""), part)
    return Say(part["text"]) if "text" in part else None


_READ = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
