"""What events say of themselves: the typed form of the hot ones, and tolerant reading of their members."""

from __future__ import annotations

from typing import Any

import msgspec

from llmswitch_core.canonical.model import JsonValue


class Delta(msgspec.Struct):
    """The hot frames: every `*.delta` event, without the members nobody needs."""

    type: str
    delta: str
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[Any] | None = None


def tolerant_delta(event: dict[str, Any], kind: str) -> Delta:
    """A delta event whose members are not of the types they should be."""
    delta = event.get("delta")
    if isinstance(delta, dict):
        delta = delta.get("text") or delta.get("arguments")
    logprobs = event.get("logprobs")
    return Delta(
        kind,
        delta if isinstance(delta, str) else "",
        text_of(event.get("item_id")),
        index_of(event.get("output_index")),
        index_of(event.get("content_index")),
        index_of(event.get("summary_index")),
        logprobs if isinstance(logprobs, list) else None,
    )


def text_of(value: JsonValue) -> str | None:
    """A non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def index_of(value: JsonValue) -> int | None:
    """An index; some servers send it as a string."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def texts_of(value: JsonValue) -> list[str]:
    """The non-empty texts of a `summary` or `content` list; a plain string is one."""
    parts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return [text for text in texts if isinstance(text, str) and text]
