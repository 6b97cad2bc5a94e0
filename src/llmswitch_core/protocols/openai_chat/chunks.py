"""Chunks and whole answers as typed structs, for decoding a frame in one go.

Member types are left open, so that no odd value makes a frame unreadable; the reader judges them. It knows shapes only.
What is decoded JSON can hold no cycle, so the garbage collector need not know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llmswitch_core.canonical.model import JsonValue


class Delta(msgspec.Struct, gc=False):
    """`choices[].delta` of a chunk, `choices[].message` of a whole answer. Types are judged by the handlers."""

    content: JsonValue = None
    reasoning_content: JsonValue = None
    reasoning: JsonValue = None
    reasoning_details: JsonValue = None
    refusal: JsonValue = None
    tool_calls: JsonValue = None
    function_call: JsonValue = None
    annotations: JsonValue = None
    images: JsonValue = None
    audio: JsonValue = None


class Choice(msgspec.Struct, gc=False):
    """One choice. `stop_reason` is vLLM's matched stop sequence, `usage` Moonshot's place for it."""

    index: JsonValue = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: JsonValue = None
    stop_reason: JsonValue = None
    logprobs: JsonValue = None
    usage: JsonValue = None
    error: JsonValue = None


class Chunk(msgspec.Struct, gc=False):
    """A chunk or a whole answer."""

    id: JsonValue = None
    model: JsonValue = None
    created: JsonValue = None
    service_tier: JsonValue = None
    choices: list[Choice] | None = None
    usage: JsonValue = None
    error: JsonValue = None
    object: JsonValue = None


decode_chunk = msgspec.json.Decoder(Chunk).decode
"""Frame data -> Chunk. Raises msgspec.DecodeError for what has another shape."""


def is_first(index: JsonValue) -> bool:
    return index in (0, None, "0")


def tokens_of(logprobs: JsonValue) -> JsonValue:
    """The token entries of a choice's logprobs: the form Responses has as well."""
    if not isinstance(logprobs, dict):
        return None
    entries = logprobs.get("content") or logprobs.get("refusal")
    return entries if isinstance(entries, list) and entries else None


def number_calls(message: Delta | None) -> None:
    """Calls of a whole message are as many as there are entries, whatever ids and indices they claim."""
    if message is not None and isinstance(message.tool_calls, list):
        entries = [call for call in message.tool_calls if isinstance(call, dict)]
        message.tool_calls = [{**call, "index": number} for number, call in enumerate(entries)]


def chunk_of(tree: Mapping[str, JsonValue]) -> Chunk:
    """A decoded tree as a Chunk; what has an odd type counts as absent."""
    try:
        return msgspec.convert(tree, Chunk)
    except msgspec.ValidationError:
        pass
    choices = tree.get("choices")
    return Chunk(
        id=tree.get("id"),
        model=tree.get("model"),
        created=tree.get("created"),
        service_tier=tree.get("service_tier"),
        choices=[_choice_of(item) for item in choices if isinstance(item, dict)] if isinstance(choices, list) else None,
        usage=tree.get("usage"),
    )


def _choice_of(tree: dict[str, Any]) -> Choice:
    return Choice(
        index=tree.get("index"),
        delta=_delta_of(tree.get("delta")),
        message=_delta_of(tree.get("message")),
        finish_reason=tree.get("finish_reason"),
        stop_reason=tree.get("stop_reason"),
        logprobs=tree.get("logprobs"),
        usage=tree.get("usage"),
        error=tree.get("error"),
    )


def _delta_of(tree: JsonValue) -> Delta | None:
    if not isinstance(tree, dict):
        return None
    return Delta(**{name: tree[name] for name in Delta.__struct_fields__ if name in tree})
