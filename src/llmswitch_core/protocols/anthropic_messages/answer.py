"""An answer for a Messages client, whole: its parts as content blocks, and the message object around them.

The stream writer writes the same blocks; both take them from here.
"""

from __future__ import annotations

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    JsonValue,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
    tag_of,
)
from llmswitch_core.protocols.anthropic_messages.content_writer import arguments_object, is_citation
from llmswitch_core.protocols.anthropic_messages.finish import write_reason, write_usage
from llmswitch_core.protocols.anthropic_messages.signatures import to_wire
from llmswitch_core.protocols.contract import Notes, Scope
from llmswitch_core.protocols.losses import of

Block = dict[str, JsonValue]


def write_answer(answer: Answer, scope: Scope) -> bytes:
    """The body of a non-streamed answer."""
    content: list[Block] = []
    for part in answer.parts:
        block = answer_block(part, scope.notes)
        if block is not None:
            content.append(block)
    called = any(block["type"] == "tool_use" for block in content)
    refused = any(isinstance(part, Refusal) for part in answer.parts)
    message = message_object(answer.id or scope.new_id("msg_"), scope.model or answer.model, answer.usage)
    message["content"] = content
    message["stop_reason"] = write_reason(answer.finish or FinishReason.STOP, answer.finish_wire, called, refused)
    message["stop_sequence"] = answer.stop_sequence
    return jsonio.encode(message)


def message_object(message_id: str, model: str, usage: Usage | None) -> Block:
    """A message without content and without an end: what `message_start` carries."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": write_usage(usage),
    }


def answer_block(part: Part, notes: Notes) -> Block | None:
    """One part as a content block of an answer; None for what is empty or has no block (told in the notes)."""
    if isinstance(part, Text):
        return _text(part, notes)
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text} if part.text else None
    if isinstance(part, Thinking):
        return _thinking(part, notes)
    if isinstance(part, ToolCall):
        arguments = wrap_input(part.arguments) if part.kind == "custom" else part.arguments
        value, valid = arguments_object(arguments)
        if not valid:
            notes.repaired("tool_call.arguments")
        return {"type": "tool_use", "id": portable(part.id), "name": part.name, "input": value}
    if isinstance(part, Opaque) and part.protocol is Protocol.ANTHROPIC_MESSAGES:
        return dict(part.wire)
    notes.dropped(of("opaque", part.label) if isinstance(part, Opaque) else of("assistant", tag_of(part)))
    return None


def _text(part: Text, notes: Notes) -> Block | None:
    citations = [item for item in part.citations or () if is_citation(item)]
    if len(citations) < len(part.citations or ()):
        notes.dropped("text.citations")
    if not part.text and not citations:
        return None
    return {"type": "text", "text": part.text, **({"citations": citations} if citations else {})}


def _thinking(part: Thinking, notes: Notes) -> Block | None:
    if part.redacted is not None:
        if part.origin is Protocol.ANTHROPIC_MESSAGES:
            return {"type": "redacted_thinking", "data": part.redacted}
        notes.dropped("thinking.redacted")
        return None
    if not part.text and not part.signature:
        return None
    signature = to_wire(part.signature, part.origin, part.summary)
    return {"type": "thinking", "thinking": part.text, "signature": signature}
