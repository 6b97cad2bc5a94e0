"""The model list in three vendors' shapes. Data in, JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from routecodex.blocks.http_adapter.contract import ModelEntry, Shape

_EPOCH: Final = "1970-01-01T00:00:00Z"
_METHODS: Final = ["generateContent", "streamGenerateContent", "countTokens", "embedContent"]


def listing(entries: Sequence[ModelEntry], shape: Shape) -> bytes:
    """The body of `GET /v1/models`: one page, everything on it."""
    items = [_ENTRY[shape](entry) for entry in entries]
    if shape == "openai":
        body: dict[str, Any] = {"object": "list", "data": items}
    elif shape == "gemini":
        body = {"models": items}
    else:
        ids = [entry.id for entry in entries]
        body = {
            "data": items,
            "has_more": False,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }
    return msgspec.json.encode(body)


def single(entry: ModelEntry, shape: Shape) -> bytes:
    """The body of `GET /v1/models/{id}`."""
    return msgspec.json.encode(_ENTRY[shape](entry))


def _openai(entry: ModelEntry) -> dict[str, Any]:
    return {"id": entry.id, "object": "model", "created": 0, "owned_by": entry.owner}


def _anthropic(entry: ModelEntry) -> dict[str, Any]:
    return {"type": "model", "id": entry.id, "display_name": entry.id, "created_at": _EPOCH}


def _gemini(entry: ModelEntry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": f"models/{entry.id}",
        "version": "1",
        "displayName": entry.id,
        "supportedGenerationMethods": _METHODS,
    }
    if entry.context_window is not None:
        item["inputTokenLimit"] = entry.context_window
    if entry.max_output_tokens is not None:
        item["outputTokenLimit"] = entry.max_output_tokens
    return item


_ENTRY: Final = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}
