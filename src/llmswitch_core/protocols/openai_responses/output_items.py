"""Output items while they are open, and the JSON of their pieces.

State of one message, reasoning item or call, and how each looks on the wire at any moment. No order, no numbers
of events: those are the stream writer's.
"""

from __future__ import annotations

from typing import Any

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.events import PartStart
from llmswitch_core.canonical.model import JsonValue, Media, Protocol
from llmswitch_core.protocols.openai_responses import client_tools, tokens


class Message:
    """An assistant message: finished content `parts`, and the one that is open."""

    __slots__ = (
        "annotations",
        "id",
        "index",
        "logprobs",
        "origin_id",
        "parts",
        "phase",
        "prefix",
        "refusal",
        "signature",
        "text",
    )

    def __init__(self, item_id: str, origin_id: str | None) -> None:
        self.id = item_id
        self.origin_id = origin_id
        self.index = -1
        self.parts: list[dict[str, Any]] = []
        self.phase: str | None = None
        self.expect(False, None)

    def expect(self, refusal: bool, signature: str | None) -> None:
        """The next content part begins; nothing is on the wire before it has text."""
        self.refusal = refusal
        self.text: list[str] = []
        self.annotations: list[JsonValue] = []
        self.logprobs: list[JsonValue] = []
        self.prefix: bytes | None = None
        self.signature = signature

    def take(self, wire: JsonValue) -> None:
        """What the upstream's own message item had beyond its content."""
        if isinstance(wire, dict) and wire.get("type") == "message" and isinstance(wire.get("phase"), str):
            self.phase = wire["phase"]

    def place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "content_index": len(self.parts)}

    def item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        item = {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content}
        return {**item, "phase": self.phase} if self.phase is not None else item


class Reasoning:
    """A reasoning item: summary text, or (`raw`) reasoning text, and the opaque token."""

    __slots__ = ("id", "index", "origin", "prefix", "raw", "text", "token")

    def __init__(self, item_id: str, origin: Protocol | None, raw: bool) -> None:
        self.id = item_id
        self.origin = origin
        self.raw = raw
        self.index = -1
        self.text: list[str] = []
        self.token: str | None = None
        self.prefix: bytes | None = None

    @property
    def event(self) -> str:
        """Middle of the names of its events."""
        return "reasoning_text" if self.raw else "reasoning_summary_text"

    def place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "content_index" if self.raw else "summary_index": 0}

    def item(self, wire: dict[str, Any] | None) -> dict[str, Any]:
        """The item as it stands; `wire` is the upstream's own finished one, which has the parts apart."""
        text = "".join(self.text)
        item: dict[str, Any] = {"id": self.id, "type": "reasoning", "summary": []}
        if wire is not None:
            item = {**wire, "id": self.id}
            item.setdefault("summary", [])
        elif text and self.raw:
            item["content"] = [{"type": "reasoning_text", "text": text}]
        elif text:
            item["summary"] = [{"type": "summary_text", "text": text}]
        if self.token is not None:
            item["encrypted_content"] = tokens.seal(self.token, self.origin)
        elif self.origin is not Protocol.OPENAI_RESPONSES and text:
            item["encrypted_content"] = tokens.PLAIN
        return item


class Call:
    """A function call, custom tool call or typed client call."""

    __slots__ = ("arguments", "call_id", "custom", "id", "index", "name", "namespace", "prefix", "signature", "typed")

    def __init__(
        self, index: int, item_id: str, call_id: str, start: PartStart, typed: client_tools.ClientTool | None
    ) -> None:
        self.index = index
        self.id = item_id
        self.call_id = call_id
        self.name = start.name
        self.namespace = start.namespace
        self.custom = start.call_kind == "custom"
        self.typed = typed
        self.arguments: list[str] = []
        self.prefix: bytes | None = None
        self.signature: str | None = None

    @property
    def event(self) -> str:
        """Middle of the names of its events."""
        return "custom_tool_call_input" if self.custom else "function_call_arguments"

    def place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index}

    def item(self, status: str) -> dict[str, Any]:
        text = "".join(self.arguments)
        if self.typed is not None:
            return client_tools.write_call(self.typed, self.call_id, self.id, text, status)
        item: dict[str, Any] = {
            "id": self.id,
            "type": "custom_tool_call" if self.custom else "function_call",
            "status": status,
            "input" if self.custom else "arguments": text,
            "call_id": self.call_id,
            "name": self.name,
        }
        if self.namespace is not None:
            item["namespace"] = self.namespace
        return item


def content_part(refusal: bool, text: str, annotations: list[JsonValue], logprobs: list[JsonValue]) -> dict[str, Any]:
    """A content part of a message."""
    if refusal:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": list(annotations), "logprobs": list(logprobs), "text": text}


def delta_prefix(name: str, members: dict[str, Any]) -> bytes:
    """Everything of a delta frame in front of the text."""
    head = jsonio.encode({"type": name, **members})[:-1]
    return b"event: " + name.encode() + b"\ndata: " + head + b',"delta":'


def token_item(item_id: str, token: str, origin: Protocol, slot: tokens.Slot) -> dict[str, Any]:
    """A reasoning item that holds nothing but an opaque token."""
    encrypted = tokens.seal(token, origin, slot)
    return {"id": item_id, "type": "reasoning", "summary": [], "encrypted_content": encrypted}


def image_item(item_id: str, media: Media) -> dict[str, Any] | None:
    """A picture the model made, as the item this wire has for it."""
    if media.kind != "image" or media.data is None:
        return None
    form = (media.media_type or "image/png").removeprefix("image/")
    return {
        "id": item_id,
        "type": "image_generation_call",
        "status": "completed",
        "result": media.data,
        "output_format": form,
    }


def annotation(citation: JsonValue, at: int) -> dict[str, Any] | None:
    """A citation of any protocol as an annotation of this wire; None for what names no place this wire can name."""
    if not isinstance(citation, dict):
        return None
    kind = citation.get("type")
    if isinstance(kind, str) and kind in _ANNOTATIONS and not isinstance(citation.get("url_citation"), dict):
        return citation
    inner = citation.get("url_citation")
    source = inner if isinstance(inner, dict) else citation
    url = source.get("url") or source.get("uri")
    if not isinstance(url, str) or not url:
        return None
    start, end = source.get("start_index", source.get("startIndex")), source.get("end_index", source.get("endIndex"))
    return {
        "type": "url_citation",
        "start_index": start if isinstance(start, int) else 0,
        "end_index": end if isinstance(end, int) else at,
        "title": source.get("title") if isinstance(source.get("title"), str) else "",
        "url": url,
    }


_ANNOTATIONS = frozenset({"url_citation", "file_citation", "container_file_citation", "file_path"})
