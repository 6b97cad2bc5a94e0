"""Content blocks of a request -> Parts.

Knows every block type a Messages client sends; what has no canonical form becomes Opaque, never an error. The wire
members a Part has no field for ride in `options`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.ids import original
from llmswitch_core.canonical.model import (
    JsonValue,
    Media,
    Opaque,
    Part,
    Protocol,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from llmswitch_core.protocols.anthropic_messages.signatures import read_thinking
from llmswitch_core.protocols.anthropic_messages.values import (
    array,
    boolean,
    cache_control,
    obj,
    required_string,
    string,
)

Block = dict[str, JsonValue]


def read_content(value: JsonValue, path: str) -> list[Part]:
    """A `content` member: string, blocks, null or [] (MP-17)."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [Text(value)]
    return [_block(obj(item, f"{path}.{i}"), f"{path}.{i}") for i, item in enumerate(array(value, path))]


def _block(block: Block, path: str) -> Part:
    wire_type = string(block.get("type"), f"{path}.type")
    if not wire_type:
        raise invalid(f"{path}.type is required.", param=f"{path}.type")
    read = _READERS.get(wire_type)
    if read is None:
        return Opaque(Protocol.ANTHROPIC_MESSAGES, wire_type, block)
    return read(block, path)


def _text(block: Block, path: str) -> Part:
    citations = block.get("citations")
    return Text(
        string(block.get("text"), f"{path}.text") or "",
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        citations=citations if isinstance(citations, list) and citations else None,
    )


def _image(block: Block, path: str) -> Part:
    source = obj(block.get("source"), f"{path}.source")
    media = Media(
        "image",
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        options=_options(block, "source"),
    )
    return _with_source(media, source, f"{path}.source")


def _document(block: Block, path: str) -> Part:
    source = obj(block.get("source"), f"{path}.source")
    media = Media(
        "document",
        name=string(block.get("title"), f"{path}.title"),
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        options=_options(block, "source", "title"),
    )
    if source.get("type") == "text":
        media.media_type = string(source.get("media_type"), f"{path}.source.media_type") or "text/plain"
        media.text = string(source.get("data"), f"{path}.source.data") or ""
        return media
    if source.get("type") == "content":
        media.media_type = "text/plain"
        media.text = _plain(source.get("content"), f"{path}.source.content")
        media.options = {**(media.options or {}), "source": source}
        return media
    return _with_source(media, source, f"{path}.source")


def _with_source(media: Media, source: Block, path: str) -> Media:
    kind = string(source.get("type"), f"{path}.type") or ("url" if "url" in source else "base64")
    if kind == "base64":
        media.data = required_string(source, "data", f"{path}.")
        media.media_type = string(source.get("media_type"), f"{path}.media_type") or _DEFAULT_TYPE[media.kind]
    elif kind == "url":
        media.url = required_string(source, "url", f"{path}.")
        # The wire has no type member here; a document behind a URL is a PDF by definition.
        media.media_type = "application/pdf" if media.kind == "document" else None
    elif kind == "file":
        media.file_id = required_string(source, "file_id", f"{path}.")
    else:
        raise invalid(f"{path}.type {kind!r} is not a known source.", param=f"{path}.type")
    return media


_DEFAULT_TYPE: Final = {"image": "image/png", "document": "application/pdf"}


def _search_result(block: Block, path: str) -> Part:
    """A search result is a text document to everybody else; its own wire form rides along."""
    rest = {name: value for name, value in block.items() if name != "cache_control"}
    return Media(
        "document",
        media_type="text/plain",
        name=string(block.get("title"), f"{path}.title"),
        text=_plain(block.get("content"), f"{path}.content"),
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        options={"search_result": rest},
    )


def _plain(value: JsonValue, path: str) -> str:
    parts = read_content(value, path)
    return "\n".join(part.text for part in parts if isinstance(part, Text))


def _thinking(block: Block, path: str) -> Part:
    return read_thinking(
        string(block.get("thinking"), f"{path}.thinking") or "",
        string(block.get("signature"), f"{path}.signature"),
    )


def _redacted(block: Block, path: str) -> Part:
    return Thinking(redacted=required_string(block, "data", f"{path}."), origin=Protocol.ANTHROPIC_MESSAGES)


def _tool_use(block: Block, path: str) -> Part:
    return ToolCall(
        id=original(required_string(block, "id", f"{path}.")),
        name=required_string(block, "name", f"{path}."),
        arguments=jsonio.encode(obj(block.get("input"), f"{path}.input")).decode(),
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        options=_options(block, "id", "name", "input"),
    )


def _tool_result(block: Block, path: str) -> Part:
    return ToolResult(
        call_id=original(required_string(block, "tool_use_id", f"{path}.")),
        content=read_content(block.get("content"), f"{path}.content"),
        is_error=boolean(block.get("is_error"), f"{path}.is_error") or False,
        cache=cache_control(block.get("cache_control"), f"{path}.cache_control"),
        options=_options(block, "tool_use_id", "content", "is_error"),
    )


def _options(block: Block, *known: str) -> dict[str, JsonValue] | None:
    rest = {
        name: value
        for name, value in block.items()
        if name not in known and name not in ("type", "cache_control") and value is not None
    }
    return rest or None


_READERS: Final[dict[str, Callable[[Block, str], Part]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
"""Block type -> reader. Every other type (server tools and their results, tool_reference, container_upload,
compaction, tool_addition …) is Opaque."""
