"""`reasoning_details`: how OpenRouter and its clients carry signed and encrypted reasoning over Chat Completions.

One entry is one piece of thinking: `reasoning.text` (with a signature), `reasoning.summary`, or `reasoning.encrypted`;
`format` names whose token it is. Known formats become Thinking of that origin, so that a signature finds its way back;
an entry of an unknown format is kept as it is. It knows nothing of `reasoning_content`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llmswitch_core.canonical.model import JsonValue, Protocol, Thinking

ORIGIN_OF_FORMAT: Final[dict[str, Protocol]] = {
    "anthropic-claude-v1": Protocol.ANTHROPIC_MESSAGES,
    "google-gemini-v1": Protocol.GEMINI,
    "openai-responses-v1": Protocol.OPENAI_RESPONSES,
    "azure-openai-responses-v1": Protocol.OPENAI_RESPONSES,
}
_FORMAT_OF_ORIGIN: Final[dict[Protocol, str]] = {
    Protocol.ANTHROPIC_MESSAGES: "anthropic-claude-v1",
    Protocol.GEMINI: "google-gemini-v1",
    Protocol.OPENAI_RESPONSES: "openai-responses-v1",
}


def string(entry: dict[str, Any], name: str) -> str:
    """Member `name` where it is a string, else ""."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def origin_of(entry: dict[str, Any]) -> Protocol | None:
    """Whose token the entry holds; None for a format this table does not know."""
    return ORIGIN_OF_FORMAT.get(string(entry, "format"))


def text_of_entry(entry: dict[str, Any]) -> str:
    """The readable text of one entry or one piece of an entry."""
    return string(entry, "text") or string(entry, "summary")


def call_signature(entry: dict[str, Any]) -> tuple[str, str] | None:
    """(tool call id, signature) where the entry signs a tool call rather than thinking (Gemini)."""
    if string(entry, "type") != "reasoning.encrypted" or origin_of(entry) is not Protocol.GEMINI:
        return None
    call_id, data = string(entry, "id"), string(entry, "data")
    return (call_id, data) if call_id and data else None


def whole_encrypted(entry: dict[str, Any]) -> Thinking:
    """An encrypted entry as Thinking, complete."""
    origin, data = origin_of(entry), string(entry, "data")
    if origin is Protocol.ANTHROPIC_MESSAGES:
        return Thinking(redacted=data, origin=origin)
    if origin is None or not data:
        return Thinking(origin=Protocol.OPENAI_CHAT, wire=entry)
    return Thinking(
        signature=data,
        summary=origin is Protocol.OPENAI_RESPONSES,
        id=string(entry, "id") or None,
        origin=origin,
    )


def read_details(value: JsonValue) -> tuple[list[Thinking], dict[str, str]]:
    """Thinking parts in order, and the signatures of tool calls by call id. What is no entry is skipped."""
    parts: list[Thinking] = []
    signatures: dict[str, str] = {}
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, dict):
            continue
        signed = call_signature(entry)
        if signed is not None:
            signatures[signed[0]] = signed[1]
        elif string(entry, "type") == "reasoning.encrypted":
            _add_encrypted(parts, whole_encrypted(entry))
        else:
            _add_readable(parts, entry)
    return parts, signatures


def _add_encrypted(parts: list[Thinking], part: Thinking) -> None:
    last = parts[-1] if parts else None
    if (
        last is not None
        and part.origin is Protocol.OPENAI_RESPONSES
        and last.origin is part.origin
        and last.id == part.id
        and last.signature is None
    ):
        last.signature = part.signature
    else:
        parts.append(part)


def _add_readable(parts: list[Thinking], entry: dict[str, Any]) -> None:
    text, signature = text_of_entry(entry), string(entry, "signature") or None
    if not text and signature is None:
        return
    origin = origin_of(entry)
    summary = string(entry, "type") == "reasoning.summary"
    if signature is not None and origin is None:
        parts.append(Thinking(text, origin=Protocol.OPENAI_CHAT, wire=entry))
        return
    item_id = string(entry, "id") or None if summary else None
    parts.append(
        Thinking(text, signature, summary=summary, id=item_id, origin=origin if signature or summary else None)
    )


def write_details(thinking: Sequence[Thinking]) -> list[dict[str, Any]]:
    """All thinking of a message as entries, if any of it has a token; else none: `reasoning_content` says it all."""
    signed = [entries(part) for part in thinking]
    if not any(signed):
        return []
    out: list[dict[str, Any]] = []
    for part, own in zip(thinking, signed, strict=True):
        for entry in own or ([{"type": "reasoning.text", "text": part.text}] if part.text else []):
            out.append({**entry, "index": len(out)})
    return out


def announcement(origin: Protocol, item_id: str | None) -> dict[str, Any] | None:
    """The entry that tells a stream's reader whose thinking follows; None for an origin without a format."""
    form = _FORMAT_OF_ORIGIN.get(origin)
    if form is None:
        return None
    if origin is Protocol.OPENAI_RESPONSES:
        return {"type": "reasoning.summary", "format": form, **({"id": item_id} if item_id else {})}
    return {"type": "reasoning.text", "format": form}


def entries(part: Thinking) -> list[dict[str, Any]]:
    """The entries of one piece of thinking that has a token, without an index; none for one that has not."""
    if part.origin is Protocol.OPENAI_CHAT:
        return [dict(part.wire)] if isinstance(part.wire, dict) else []
    form = _FORMAT_OF_ORIGIN.get(part.origin) if part.origin is not None else None
    if form is None:
        return []
    if part.redacted is not None:
        return [{"type": "reasoning.encrypted", "data": part.redacted, "format": form}]
    if part.signature is None:
        return []
    if part.origin is Protocol.ANTHROPIC_MESSAGES:
        return [{"type": "reasoning.text", "text": part.text, "signature": part.signature, "format": form}]
    item = {"id": part.id} if part.id is not None else {}
    encrypted = {"type": "reasoning.encrypted", "data": part.signature, "format": form, **item}
    if not part.text:
        return [encrypted]
    if part.origin is Protocol.GEMINI:
        # An id would make it a tool call's signature.
        return [{"type": "reasoning.text", "text": part.text, "signature": part.signature, "format": form}]
    return [{"type": "reasoning.summary", "summary": part.text, "format": form, **item}, encrypted]
