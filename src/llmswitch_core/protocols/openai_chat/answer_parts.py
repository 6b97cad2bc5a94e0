"""Pieces of an answer in this wire's words, shared by the stream writer and the writer of whole answers."""

from __future__ import annotations

from typing import Any

from llmswitch_core.canonical.model import JsonValue, Media, Opaque, Part, Protocol, Thinking
from llmswitch_core.protocols.contract import Notes, Scope
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_chat.media import data_url
from llmswitch_core.protocols.openai_chat.reasoning_details import entries


def is_legacy(scope: Scope) -> bool:
    """Whether the client speaks of `functions` and so expects `function_call` in the answer."""
    wire = scope.request_wire
    return isinstance(wire, dict) and bool(wire.get("functions")) and not wire.get("tools")


def flat_name(name: str, namespace: str | None) -> str:
    """A client of this wire has no namespaces; a call that has one shows it in the name."""
    return f"{namespace}__{name}" if namespace else name


def google_extra(signature: str) -> dict[str, Any]:
    """A Gemini thoughtSignature as Gemini's own Chat Completions layer carries it."""
    return {"google": {"thought_signature": signature}}


def logprobs_of(tokens: JsonValue, member: str) -> JsonValue:
    """Token entries in this wire's box; an object is in its form already."""
    return {member: tokens} if isinstance(tokens, list) else tokens


def annotation(citation: JsonValue) -> dict[str, Any] | None:
    """A citation as `url_citation`; None for kinds this wire has no word for."""
    if not isinstance(citation, dict) or citation.get("type") != "url_citation":
        return None
    if isinstance(citation.get("url_citation"), dict):
        return citation
    flat = {name: value for name, value in citation.items() if name != "type"}
    return {"type": "url_citation", "url_citation": flat} if "url" in flat else None


def whole_part(part: Part, notes: Notes) -> dict[str, Any]:
    """Members of a delta or message for a part that comes at once; empty, with a note, if this wire has none."""
    if isinstance(part, Media):
        url = data_url(part)
        if part.kind == "image" and url is not None:
            # Assistant content may hold no images on this wire: OpenRouter's `images` array is what clients know.
            notes.mapped("assistant.media")
            return {"images": [{"type": "image_url", "image_url": {"url": url}}]}
        notes.dropped("assistant.media")
    elif isinstance(part, Thinking):
        details = entries(part)
        if details:
            return {"reasoning_details": details}
        notes.dropped("thinking")
    elif isinstance(part, Opaque):
        if part.protocol is Protocol.OPENAI_CHAT and part.label == "audio":
            return {"audio": part.wire}
        notes.dropped(of("opaque", part.label))
    return {}
