"""A whole Answer -> the body of a non-streamed generateContent answer: the fold of what the stream writer sends."""

from __future__ import annotations

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.events import PartStart
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    JsonValue,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from llmswitch_core.protocols.contract import Notes, Scope
from llmswitch_core.protocols.gemini.stream_writer import (
    MALFORMED_MESSAGE,
    call_part,
    finish_members,
    sendable,
    whole_part,
)
from llmswitch_core.protocols.gemini.tables import usage_wire


def write_answer(answer: Answer, scope: Scope) -> bytes:
    """`{candidates, usageMetadata, modelVersion, responseId}` as JSON bytes."""
    parts: list[bytes] = []
    extra: dict[str, JsonValue] = {}
    malformed: str | None = None
    for part in answer.parts:
        encoded = _part(part, scope.notes)
        if encoded is not None:
            parts.append(encoded)
        elif isinstance(part, ToolCall):
            malformed = MALFORMED_MESSAGE.format(name=part.name)
        if isinstance(part, Text) and part.citations:
            _citations(part.citations, extra, scope.notes)
    reason = answer.finish or FinishReason.OTHER
    candidate = jsonio.encode({**finish_members(reason, answer.finish_wire, malformed), **extra})[1:-1]
    content = b""
    if parts or reason is not FinishReason.CONTENT_FILTER:
        content = b'"content":{"parts":[' + b",".join(parts or [b'{"text":""}']) + b'],"role":"model"},'
    usage = b""
    if answer.usage is not None:
        usage = b',"usageMetadata":' + jsonio.encode(usage_wire(answer.usage))
    tail = jsonio.encode({"modelVersion": scope.model or answer.model, "responseId": answer.id})[1:-1]
    return b'{"candidates":[{' + content + candidate + b',"index":0}]' + usage + b"," + tail + b"}"


def _part(part: Part, notes: Notes) -> bytes | None:
    if isinstance(part, ToolCall):
        return call_part(_start_of(part), part.arguments, notes)
    if isinstance(part, Thinking) and part.redacted is None:
        return _texts(part.text, part.signature, True, notes)
    if isinstance(part, Text):
        return _texts(part.text, part.signature, False, notes)
    if isinstance(part, Refusal):
        return _texts(part.text, None, False, notes)
    wire = whole_part(part, notes)
    return None if wire is None else jsonio.encode(wire)


def _start_of(call: ToolCall) -> PartStart:
    return PartStart(0, "tool_call", id=call.id, name=call.name, call_kind=call.kind, signature=call.signature)


def _texts(text: str, signature: str | None, thought: bool, notes: Notes) -> bytes | None:
    token = sendable(signature, notes) if signature else None
    if not text and token is None:
        return None
    part: dict[str, JsonValue] = {"text": text}
    if thought:
        part["thought"] = True
    if token is not None:
        part["thoughtSignature"] = token
    return jsonio.encode(part)


def _citations(citations: list[JsonValue], extra: dict[str, JsonValue], notes: Notes) -> None:
    """Metadata of the candidate where the citations are Gemini's own."""
    for citation in citations:
        if isinstance(citation, dict) and citation.keys() <= {
            "groundingMetadata",
            "citationMetadata",
            "urlContextMetadata",
        }:
            extra.update(citation)
        else:
            notes.dropped("text.citations")
