"""Canonical events -> Messages stream for a client.

Theory of operation. The wire allows one open block at a time, each started and stopped once, deltas only of its type
(MP-09). The Sequencer sees to the first; a part opens its block with its first content, so that nothing empty is ever
started (MP-17); only a call opens at once, since its name is news. A signature is held until the block's stop, where
the API sends it. `message_delta` and `message_stop` come once, after everything; after them, and after an `error`
event, there is nothing.

    Start           -> message_start
    PartStart       -> content_block_start for calls and whole parts, else with the first content
    TextDelta       -> content_block_delta: text_delta | thinking_delta
    ArgumentsDelta  -> content_block_delta: input_json_delta
    CitationDelta   -> content_block_delta: citations_delta
    SignatureDelta  -> content_block_delta: signature_delta, at the stop
    PartStop        -> content_block_stop
    UsageSeen       -> remembered for message_delta
    Finish          -> message_delta, message_stop
    Failed          -> error
    Ping            -> ping

Thinking that nobody signed still ends with a signature_delta (signatures.py says why): without one, clients built on
the vendor's SDKs drop the block or resend it in a form the next request is refused for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    Ping,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import JsonValue, Usage
from llmswitch_core.canonical.order import Sequencer
from llmswitch_core.protocols.anthropic_messages.answer import answer_block, message_object
from llmswitch_core.protocols.anthropic_messages.content_writer import is_citation
from llmswitch_core.protocols.anthropic_messages.errors import envelope
from llmswitch_core.protocols.anthropic_messages.finish import write_reason, write_usage
from llmswitch_core.protocols.anthropic_messages.signatures import to_wire
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.sse import event_frame

PING: Final = event_frame(b"ping", b'{"type":"ping"}')
_STOP: Final = event_frame(b"message_stop", b'{"type":"message_stop"}')
_TAIL: Final = b"}}\n\n"
_EMPTY: Final[dict[str, dict[str, JsonValue]]] = {
    "text": {"type": "text", "text": ""},
    "refusal": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
"""Part kind -> the block its content_block_start announces."""
_DELTA: Final = {
    "text": b'"delta":{"type":"text_delta","text":',
    "refusal": b'"delta":{"type":"text_delta","text":',
    "thinking": b'"delta":{"type":"thinking_delta","thinking":',
    "tool_call": b'"delta":{"type":"input_json_delta","partial_json":',
}
_ENCODER: Final = msgspec.json.Encoder()


class MessagesStreamWriter:
    """One answer for one client."""

    __slots__ = (
        "_called",
        "_done",
        "_freeform",
        "_head",
        "_hot",
        "_index",
        "_open",
        "_order",
        "_part",
        "_refused",
        "_scope",
        "_signature",
        "_started",
        "_usage",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._order = Sequencer()
        self._started = False
        self._done = False
        self._index = 0
        """Number of the open block, or of the next one."""
        self._open = False
        self._part: PartStart | None = None
        self._hot = -1
        """Part whose text deltas need nothing but their frame."""
        self._head = b""
        self._signature: str | None = None
        self._freeform: list[str] = []
        self._usage: Usage | None = None
        self._called = False
        self._refused = False

    def write(self, event: StreamEvent) -> bytes:
        """Frames for this event, possibly b""."""
        if self._done:
            return b""
        if type(event) is TextDelta and event.index == self._hot:
            return self._delta(event.text)
        return b"".join([_WRITERS[type(item)](self, item) for item in self._order.feed(event)])

    def keepalive(self) -> bytes:
        """A `ping` event: clients count it as activity and skip it, also before message_start."""
        return b"" if self._done else PING

    def fail(self, error: GatewayError) -> bytes:
        """The `error` event, last."""
        if self._done:
            return b""
        self._done = True
        return event_frame(b"error", jsonio.encode(envelope(error)))

    # --- events -----------------------------------------------------------------------------------

    def _start(self, event: Start) -> bytes:
        if event.usage is not None:
            self._usage = event.usage
        if self._started:
            return b""
        self._started = True
        scope = self._scope
        message = message_object(event.id or scope.new_id("msg_"), scope.model or event.model, event.usage)
        return event_frame(b"message_start", jsonio.encode({"type": "message_start", "message": message}))

    def _opening(self) -> bytes:
        """message_start, should content come before the reader said Start."""
        if self._started:
            return b""
        return self._start(Start(id="", model=self._scope.conversation.model))

    def _part_start(self, event: PartStart) -> bytes:
        self._part = event
        self._signature = event.signature if event.kind == "thinking" else None
        if event.kind == "tool_call":
            self._called = True
            block = {"type": "tool_use", "id": portable(event.id), "name": event.name, "input": {}}
            return self._opening() + self._open_block(block, "tool_call")
        if event.kind == "whole":
            return self._whole(event)
        self._refused = self._refused or event.kind == "refusal"
        return b""

    def _whole(self, event: PartStart) -> bytes:
        self._part = None
        block = answer_block(event.part, self._scope.notes) if event.part is not None else None
        if block is None:
            return b""
        if block["type"] == "tool_use":
            self._called = True
        out = [self._opening()]
        if block["type"] in _STREAMED_INPUT:
            out.append(self._open_block({**block, "input": {}}, "tool_call"))
            out.append(self._delta(jsonio.encode(block.get("input") or {}).decode()))
        elif block["type"] == "thinking":
            out.append(self._open_block(_EMPTY["thinking"], "thinking"))
            out.append(self._delta(block["thinking"]) if block["thinking"] else b"")
            out.append(self._signed(block["signature"]))
        else:
            out.append(self._open_block(block, "text"))
        out.append(self._close_block())
        return b"".join(out)

    def _text_delta(self, event: TextDelta) -> bytes:
        part = self._part
        if part is None or not event.text:
            return b""
        before = b"" if self._open else self._opening() + self._open_block(_EMPTY[part.kind], part.kind)
        self._hot = event.index
        return before + self._delta(event.text)

    def _arguments_delta(self, event: ArgumentsDelta) -> bytes:
        part = self._part
        if part is None or not event.text:
            return b""
        if part.call_kind == "custom":
            # The wire has JSON only: free text is wrapped whole at the end of the call.
            self._freeform.append(event.text)
            return b""
        return self._delta(event.text)

    def _signature_delta(self, event: SignatureDelta) -> bytes:
        part = self._part
        if part is not None and part.kind == "thinking":
            self._signature = event.signature
        elif part is not None and part.kind == "text":
            self._scope.notes.dropped("text.signature")
        return b""

    def _citation_delta(self, event: CitationDelta) -> bytes:
        part = self._part
        if part is None or part.kind != "text" or not is_citation(event.citation):
            self._scope.notes.dropped("text.citations")
            return b""
        before = b"" if self._open else self._opening() + self._open_block(_EMPTY["text"], "text")
        return before + self._frame({"type": "citations_delta", "citation": event.citation})

    def _part_stop(self, event: PartStop) -> bytes:
        part, self._part = self._part, None
        self._hot = -1
        if part is None:
            return b""
        out: list[bytes] = []
        if part.kind == "thinking" and (self._open or self._signature):
            if not self._open:
                out.append(self._opening() + self._open_block(_EMPTY["thinking"], "thinking"))
            out.append(self._signed(to_wire(self._signature, part.origin, part.summary)))
        elif part.kind == "tool_call" and part.call_kind == "custom":
            out.append(self._delta(wrap_input("".join(self._freeform))))
            self._freeform = []
        out.append(self._close_block())
        return b"".join(out)

    def _usage_seen(self, event: UsageSeen) -> bytes:
        self._usage = event.usage
        return b""

    def _finish(self, event: Finish) -> bytes:
        before = self._opening()
        self._done = True
        delta = {
            "stop_reason": write_reason(event.reason, event.wire, self._called, self._refused),
            "stop_sequence": event.stop_sequence,
        }
        payload = {"type": "message_delta", "delta": delta, "usage": write_usage(self._usage)}
        return before + event_frame(b"message_delta", jsonio.encode(payload)) + _STOP

    def _failed(self, event: Failed) -> bytes:
        return self.fail(event.error)

    def _ping(self, event: Ping) -> bytes:
        return PING

    # --- frames -----------------------------------------------------------------------------------

    def _open_block(self, block: dict[str, JsonValue], kind: str) -> bytes:
        self._open = True
        number = str(self._index).encode()
        self._head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":' + number + b"," + _DELTA[kind]
        )
        payload = {"type": "content_block_start", "index": self._index, "content_block": block}
        return event_frame(b"content_block_start", jsonio.encode(payload))

    def _delta(self, text: str) -> bytes:
        try:
            return self._head + _ENCODER.encode(text) + _TAIL
        except UnicodeEncodeError:
            return self._head + jsonio.encode(text) + _TAIL

    def _frame(self, delta: dict[str, JsonValue]) -> bytes:
        payload = {"type": "content_block_delta", "index": self._index, "delta": delta}
        return event_frame(b"content_block_delta", jsonio.encode(payload))

    def _signed(self, signature: str) -> bytes:
        return self._frame({"type": "signature_delta", "signature": signature}) if signature else b""

    def _close_block(self) -> bytes:
        if not self._open:
            return b""
        payload = b'{"type":"content_block_stop","index":' + str(self._index).encode() + b"}"
        self._open = False
        self._index += 1
        return event_frame(b"content_block_stop", payload)


_STREAMED_INPUT: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""Blocks whose input the wire sends as input_json_delta."""

_Writer = Callable[[MessagesStreamWriter, Any], bytes]
_WRITERS: Final[dict[type, _Writer]] = {
    Start: MessagesStreamWriter._start,
    PartStart: MessagesStreamWriter._part_start,
    TextDelta: MessagesStreamWriter._text_delta,
    ArgumentsDelta: MessagesStreamWriter._arguments_delta,
    SignatureDelta: MessagesStreamWriter._signature_delta,
    CitationDelta: MessagesStreamWriter._citation_delta,
    PartStop: MessagesStreamWriter._part_stop,
    UsageSeen: MessagesStreamWriter._usage_seen,
    Finish: MessagesStreamWriter._finish,
    Failed: MessagesStreamWriter._failed,
    Ping: MessagesStreamWriter._ping,
}
