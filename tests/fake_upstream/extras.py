"""The small endpoints: models, embeddings, token counts, OAuth. Answers as plain values, no sockets."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections import deque
from typing import Any
from urllib.parse import parse_qsl

from .ids import Ids
from .script import Cut, ErrorStatus, Gate

JsonObject = dict[str, Any]


def count(raw: bytes) -> int:
    """Four bytes a token, at least one."""
    return max(1, len(raw) // 4)


def vector(text: str, size: int) -> list[float]:
    """A deterministic unit-like vector of the text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return [round(digest[i % 32] / 255 - 0.5, 6) for i in range(size)]


def embeddings(body: JsonObject, raw: bytes) -> JsonObject:
    """OpenAI's embeddings; base64 (little-endian float32) when asked for, as its SDK does."""
    given = body.get("input")
    texts = given if isinstance(given, list) and not all(isinstance(i, int) for i in given) else [given]
    data: list[JsonObject] = []
    for index, text in enumerate(texts):
        values: Any = vector(str(text), int(body.get("dimensions") or 16))
        if body.get("encoding_format") == "base64":
            values = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
        data.append({"object": "embedding", "index": index, "embedding": values})
    used = count(raw)
    return {
        "object": "list",
        "data": data,
        "model": body.get("model"),
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _content_text(content: JsonObject) -> str:
    return "".join(str(p.get("text", "")) for p in content.get("parts") or [])


def embed_one(body: JsonObject) -> JsonObject:
    """Gemini's embedContent."""
    size = int(body.get("outputDimensionality") or 16)
    return {"embedding": {"values": vector(_content_text(body.get("content") or {}), size)}}


def embed_batch(body: JsonObject) -> JsonObject:
    """Gemini's batchEmbedContents."""
    return {"embeddings": [embed_one(r)["embedding"] for r in body.get("requests") or []]}


def model_entry(vendor: str, name: str) -> JsonObject:
    """One model in the vendor's shape."""
    if vendor == "anthropic-messages":
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "2026-02-04T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": 200000,
            "max_tokens": 64000,
        }
    if vendor == "gemini":
        return {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name,
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }
    return {"id": name, "object": "model", "created": 1760000000, "owned_by": "fake"}


def model_list(vendor: str, names: list[str]) -> JsonObject:
    """The list in the vendor's shape."""
    entries = [model_entry(vendor, n) for n in names]
    if vendor == "gemini":
        return {"models": entries}
    if vendor == "anthropic-messages":
        ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        return {"data": entries, "has_more": False, **ends}
    return {"object": "list", "data": entries}


class TokenOffice:
    """OAuth tokens: issued, renewed, revoked."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.expires_in = 3600
        self.issued: list[str] = []
        self.valid: set[str] = set()
        self.failures: list[tuple[int, str]] = []
        """Queue of (status, OAuth error code) that the next requests get."""

    def answer(self, raw: bytes) -> tuple[int, JsonObject, JsonObject]:
        """(status, body, the form that was sent)."""
        form = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        if self.failures:
            status, code = self.failures.pop(0)
            return status, {"error": code, "error_description": "scripted"}, form
        grant = form.get("grant_type", "")
        needs = {
            "client_credentials": (),
            "refresh_token": ("refresh_token",),
            "urn:ietf:params:oauth:grant-type:jwt-bearer": ("assertion",),
        }
        if grant not in needs:
            return 400, {"error": "unsupported_grant_type", "error_description": grant}, form
        missing = [key for key in needs[grant] if not form.get(key)]
        if missing:
            return 400, {"error": "invalid_request", "error_description": f"missing {missing[0]}"}, form
        token = self.ids.new("token")
        self.issued.append(token)
        self.valid.add(token)
        body: JsonObject = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        if grant == "refresh_token":
            body["refresh_token"] = form["refresh_token"] + "'"
        return 200, body, form

    def revoke(self, token: str) -> None:
        """From now on that token is answered by 401 (where tokens are required)."""
        self.valid.discard(token)


class ResponseStore:
    """Stored responses of the R protocol: the object, its whole input, and its events for replay."""

    def __init__(self) -> None:
        self.responses: dict[str, JsonObject] = {}
        self.inputs: dict[str, list[JsonObject]] = {}
        self.troubles: deque[ErrorStatus | Gate | Cut] = deque()
        """What the next requests on stored responses meet: an error instead of an answer; a wait before it; or the end
        of the connection after what was asked for was done, with the answer lost."""

    def put(self, response: JsonObject, items: list[JsonObject]) -> None:
        """Remember a response with the items it was given, history included."""
        self.responses[response["id"]] = response
        self.inputs[response["id"]] = items

    def history(self, response_id: str) -> list[JsonObject] | None:
        """Input and output of a response and of those before it; None if unknown."""
        if response_id not in self.responses:
            return None
        return self.inputs[response_id] + list(self.responses[response_id]["output"])

    def delete(self, response_id: str) -> bool:
        """Forget it; false if it was not known."""
        self.inputs.pop(response_id, None)
        return self.responses.pop(response_id, None) is not None

    def input_items(self, response_id: str, query: dict[str, str]) -> JsonObject:
        """A page of its input items, newest first unless order=asc."""
        items = [{"id": f"item_{n:04d}", **self._listed(item)} for n, item in enumerate(self.inputs[response_id])]
        if query.get("order", "desc") == "desc":
            items.reverse()
        ids = [str(i["id"]) for i in items]
        if query.get("after") in ids:
            items = items[ids.index(query["after"]) + 1 :]
        limit = int(query.get("limit", 20))
        page = items[:limit]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(items) > limit,
        }

    @staticmethod
    def _listed(item: JsonObject) -> JsonObject:
        shown = {"type": "message", **item}
        content = shown.get("content")
        if isinstance(content, str):
            kind = "output_text" if shown.get("role") == "assistant" else "input_text"
            shown["content"] = [{"type": kind, "text": content}]
        return shown
