"""Upstream Messages stream -> canonical events.

Theory of operation. A stream is `message_start`, then blocks one after the other (start, deltas, stop), then one or
more `message_delta` with the stop reason and the cumulative usage, then `message_stop`. Each block is one part. Blocks
only Anthropic understands (server tools, their results, compaction) are collected and become one `whole` part at their
stop. Nothing is final before `message_stop`; a stream that ends after its stop reason but without it counts as
complete, one that ends before its stop reason has been cut (MP-14). A JSON answer is told as the same wire events, so
that there is one state machine (MP-01, MP-12).

    message_start        -> Start (usage so far)
    content_block_start  -> PartStart; for collected blocks nothing yet
    content_block_delta  -> by delta type:
        text_delta, thinking_delta      -> TextDelta
        input_json_delta                -> ArgumentsDelta
        signature_delta                 -> SignatureDelta
        citations_delta                 -> CitationDelta
        compaction_delta                -> collected
    content_block_stop   -> PartStop, before it the arguments of a call that had no deltas
    message_delta        -> UsageSeen
    message_stop         -> Finish
    ping                 -> Ping
    error, or any payload with an error in it -> Failed
    anything else        -> nothing
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import InputUnwrapper
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
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.anthropic_messages.errors import bad_frame, failure_in, truncated
from llmswitch_core.protocols.anthropic_messages.finish import merge_usage, read_reason, read_usage
from llmswitch_core.protocols.anthropic_messages.stream_blocks import (
    DELTAS,
    OWN,
    Block,
    arguments,
    collect,
    str_or_empty,
    whole,
)
from llmswitch_core.protocols.contract import Scope, SseFrame

Wire = dict[str, JsonValue]


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""


class _DeltaFrame(msgspec.Struct):
    """The hot frames: what the deltas of text, thinking and arguments have."""

    type: str = ""
    index: int = 0
    delta: _Delta | None = None


_DELTA_FRAME: Final = msgspec.json.Decoder(_DeltaFrame)


class MessagesStreamReader:
    """One upstream answer, event by event."""

    __slots__ = (
        "_blocks",
        "_called",
        "_done",
        "_names",
        "_parts",
        "_refusal",
        "_scope",
        "_started",
        "_stop_reason",
        "_stop_sequence",
        "_stopped",
        "_usage",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._names = WireNames(scope.conversation.tools)
        self._blocks: dict[int, Block] = {}
        self._parts = 0
        self._called = False
        self._started = False
        self._stopped = False
        self._done = False
        self._usage: Wire = {}
        self._stop_reason: str | None = None
        self._stop_sequence: str | None = None
        self._refusal: str | None = None

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        """Events this frame completes; () after the terminal one."""
        if self._done:
            return ()
        data = frame.data
        try:
            hot = _DELTA_FRAME.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._generic(frame)
        delta = hot.delta
        if hot.type == "content_block_delta" and delta is not None:
            block = self._blocks.get(hot.index)
            if block is None:
                return self._generic(frame)
            if delta.type == "text_delta" and block.kind == "text":
                return (TextDelta(block.part, delta.text),) if delta.text else ()
            if delta.type == "thinking_delta" and block.kind == "thinking":
                return (TextDelta(block.part, delta.thinking),) if delta.thinking else ()
            if delta.type == "input_json_delta" and block.kind == "call" and block.unwrapper is None:
                if not delta.partial_json:
                    return ()
                block.argued = True
                return (ArgumentsDelta(block.part, delta.partial_json),)
        return self._generic(frame)

    def end(self) -> Sequence[StreamEvent]:
        """What a stream that is over amounts to: Finish after a stop reason, else Failed."""
        if self._done:
            return ()
        return self._finish() if self._stopped else self._fail(truncated())

    def _generic(self, frame: SseFrame) -> Sequence[StreamEvent]:
        data = frame.data.strip()
        if not data or data == b"[DONE]":
            return ()
        try:
            tree = jsonio.decode(data)
        except ValueError:
            return self._fail(bad_frame("an event is not JSON"))
        if not isinstance(tree, dict):
            return self._fail(bad_frame("an event is not a JSON object"))
        return self.take(tree, frame.event)

    def take(self, tree: Wire, event: str = "") -> Sequence[StreamEvent]:
        """Events of one decoded wire event."""
        failure = failure_in(tree)
        if failure is not None:
            return self._fail(failure)
        wire_type = tree.get("type") or event
        handler = _EVENTS.get(wire_type) if isinstance(wire_type, str) else None
        return handler(self, tree) if handler is not None else ()

    # --- events -----------------------------------------------------------------------------------

    def _message_start(self, tree: Wire) -> Sequence[StreamEvent]:
        message = tree.get("message")
        message = message if isinstance(message, dict) else {}
        self._usage = merge_usage(self._usage, message.get("usage"))
        if self._started:
            return ()
        self._started = True
        tier = self._usage.get("service_tier")
        return (
            Start(
                id=str_or_empty(message.get("id")),
                model=str_or_empty(message.get("model")),
                usage=read_usage(self._usage) if self._usage else None,
                service_tier=tier if isinstance(tier, str) else None,
            ),
        )

    def _block_start(self, tree: Wire) -> Sequence[StreamEvent]:
        wire = tree.get("content_block")
        if not isinstance(wire, dict) or not str_or_empty(wire.get("type")):
            return self._fail(bad_frame("a content_block_start has no block with a type"))
        index = _index(tree)
        before = self._ensure_started()
        if index in self._blocks:
            before += self._close(index)
        opened = _OPENERS.get(str_or_empty(wire.get("type")), MessagesStreamReader._open_collected)(self, index, wire)
        return (*before, *opened)

    def _open_text(self, index: int, wire: Wire) -> Sequence[StreamEvent]:
        block = self._new(index, "text")
        out: list[StreamEvent] = [PartStart(block.part, "text")]
        if isinstance(wire.get("text"), str) and wire["text"]:
            out.append(TextDelta(block.part, wire["text"]))
        citations = wire.get("citations")
        if isinstance(citations, list):
            out.extend(CitationDelta(block.part, citation, OWN) for citation in citations)
        return out

    def _open_thinking(self, index: int, wire: Wire) -> Sequence[StreamEvent]:
        block = self._new(index, "thinking")
        out: list[StreamEvent] = [PartStart(block.part, "thinking", origin=OWN)]
        if isinstance(wire.get("thinking"), str) and wire["thinking"]:
            out.append(TextDelta(block.part, wire["thinking"]))
        if isinstance(wire.get("signature"), str) and wire["signature"]:
            out.append(SignatureDelta(block.part, wire["signature"]))
        return out

    def _open_call(self, index: int, wire: Wire) -> Sequence[StreamEvent]:
        name = wire.get("name")
        if not isinstance(name, str) or not name:
            return self._fail(bad_frame("a tool_use block has no name"))
        tool = self._names.original(name)
        block = self._new(index, "call")
        block.start_input = wire.get("input")
        if tool.kind == "custom":
            block.unwrapper = InputUnwrapper()
        self._called = True
        call_id = str_or_empty(wire.get("id")) or self._scope.new_id("toolu_")
        return (
            PartStart(
                block.part, "tool_call", id=call_id, name=tool.name, call_kind=tool.kind, namespace=tool.namespace
            ),
        )

    def _open_collected(self, index: int, wire: Wire) -> Sequence[StreamEvent]:
        # The part is numbered when it is told, so that numbers rise in the order of the starts.
        block = Block(-1, "collected")
        block.wire = dict(wire)
        self._blocks[index] = block
        return ()

    def _block_delta(self, tree: Wire) -> Sequence[StreamEvent]:
        delta = tree.get("delta")
        if not isinstance(delta, dict):
            return ()
        wire_type = str_or_empty(delta.get("type"))
        index = _index(tree)
        before: list[StreamEvent] = []
        if index not in self._blocks:
            opener = _IMPLICIT.get(wire_type)
            if opener is None:
                return self._fail(bad_frame(f"a {wire_type or 'delta'} belongs to no open block"))
            before = [*self._ensure_started(), *opener(self, index, {})]
        block = self._blocks[index]
        if block.kind == "collected":
            collect(block, delta)
            return before
        handler = DELTAS.get((block.kind, wire_type))
        return (*before, *handler(block, delta)) if handler is not None else before

    def _block_stop(self, tree: Wire) -> Sequence[StreamEvent]:
        return self._close(_index(tree))

    def _message_delta(self, tree: Wire) -> Sequence[StreamEvent]:
        delta = tree.get("delta")
        if isinstance(delta, dict):
            if isinstance(delta.get("stop_reason"), str):
                self._stop_reason = delta["stop_reason"]
                self._stopped = True
            if isinstance(delta.get("stop_sequence"), str):
                self._stop_sequence = delta["stop_sequence"]
            details = delta.get("stop_details")
            if isinstance(details, dict) and isinstance(details.get("explanation"), str):
                self._refusal = details["explanation"]
        if not isinstance(tree.get("usage"), dict):
            return self._ensure_started()
        self._usage = merge_usage(self._usage, tree["usage"])
        return (*self._ensure_started(), UsageSeen(read_usage(self._usage)))

    def _message_stop(self, tree: Wire) -> Sequence[StreamEvent]:
        return self._finish()

    def _ping(self, tree: Wire) -> Sequence[StreamEvent]:
        return (Ping(),)

    # --- ends -------------------------------------------------------------------------------------

    def _close(self, index: int) -> list[StreamEvent]:
        block = self._blocks.pop(index, None)
        if block is None:
            return []
        if block.kind == "collected":
            part = self._take_number()
            return [PartStart(part, "whole", part=whole(block)), PartStop(part)]
        out: list[StreamEvent] = []
        if block.kind == "call":
            if not block.argued:
                value = block.start_input
                text = jsonio.encode(value).decode() if isinstance(value, dict) and value else "{}"
                out.extend(arguments(block, {"partial_json": text}))
            if block.unwrapper is not None:
                rest = block.unwrapper.finish()
                if rest:
                    out.append(ArgumentsDelta(block.part, rest))
        out.append(PartStop(block.part))
        return out

    def _finish(self) -> Sequence[StreamEvent]:
        out = self._ensure_started()
        for index in list(self._blocks):
            out.extend(self._close(index))
        if self._refusal and self._stop_reason == "refusal":
            part = self._take_number()
            out += [PartStart(part, "refusal"), TextDelta(part, self._refusal), PartStop(part)]
        self._done = True
        reason = read_reason(self._stop_reason, self._called)
        out.append(Finish(reason, wire=self._stop_reason, stop_sequence=self._stop_sequence))
        return out

    def _fail(self, error: GatewayError) -> Sequence[StreamEvent]:
        self._done = True
        return (Failed(error),)

    def _ensure_started(self) -> list[StreamEvent]:
        """A Start of our own where the upstream left message_start out."""
        if self._started:
            return []
        self._started = True
        return [Start(id=self._scope.new_id("msg_"), model=self._scope.model or self._scope.conversation.model)]

    def _new(self, index: int, kind: str) -> Block:
        block = Block(self._take_number(), kind)
        self._blocks[index] = block
        return block

    def _take_number(self) -> int:
        self._parts += 1
        return self._parts - 1


def _index(tree: Mapping[str, Any]) -> int:
    value = tree.get("index")
    return value if isinstance(value, int) else 0


_Handler = Callable[[MessagesStreamReader, Wire], Sequence[StreamEvent]]
_Opener = Callable[[MessagesStreamReader, int, Wire], Sequence[StreamEvent]]
# The tables may name private methods: they are part of the machine above.
_EVENTS: Final[dict[str, _Handler]] = {
    "message_start": MessagesStreamReader._message_start,
    "content_block_start": MessagesStreamReader._block_start,
    "content_block_delta": MessagesStreamReader._block_delta,
    "content_block_stop": MessagesStreamReader._block_stop,
    "message_delta": MessagesStreamReader._message_delta,
    "message_stop": MessagesStreamReader._message_stop,
    "ping": MessagesStreamReader._ping,
}
_OPENERS: Final[dict[str, _Opener]] = {
    "text": MessagesStreamReader._open_text,
    "thinking": MessagesStreamReader._open_thinking,
    "tool_use": MessagesStreamReader._open_call,
}
_IMPLICIT: Final[dict[str, _Opener]] = {
    "text_delta": MessagesStreamReader._open_text,
    "thinking_delta": MessagesStreamReader._open_thinking,
}
"""Blocks that may begin without their start event: some servers leave it out."""


def read_answer(body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
    """A JSON answer as the events its stream would have given."""
    reader = MessagesStreamReader(scope)
    failure = failure_in(body)
    if failure is not None:
        return (Failed(failure),)
    content = body.get("content")
    if not isinstance(content, list):
        return (Failed(bad_frame("it has no content")),)
    out: list[StreamEvent] = [*reader.take({"type": "message_start", "message": dict(body)})]
    for index, block in enumerate(content):
        out.extend(reader.take({"type": "content_block_start", "index": index, "content_block": block}))
        out.extend(reader.take({"type": "content_block_stop", "index": index}))
        if out and isinstance(out[-1], Failed):
            return out
    delta = {name: body.get(name) for name in ("stop_reason", "stop_sequence", "stop_details")}
    out.extend(reader.take({"type": "message_delta", "delta": delta, "usage": body.get("usage")}))
    out.extend(reader.take({"type": "message_stop"}))
    return out
