"""Upstream events -> canonical events: the state machine of `POST /responses` answers.

Theory of operation. An answer is a list of output items; each item opens, grows and is done, and so do the content
parts inside it. A message's content parts, a reasoning item and a call each become one canonical part; every other
item (hosted tools, compaction …) becomes one `whole` part when it is done. What an event says about its place
(`output_index`, `item_id`, `content_index`) is used if it is there, else the item opened last is meant: llama.cpp
sends neither. Text is emitted once: from deltas, or, for what never got one, from the first event that has it whole
(`*.done`, the item, the final response). Items the final response lists and the stream never showed are emitted then.

| wire event | handler |
|---|---|
| response.created / queued / in_progress | `_lifecycle`: Start, once |
| response.output_item.added / .done | `_added` / `_done` |
| response.content_part.added / .done | `_content_added` / `_content_done` |
| response.output_text.delta / .done, response.refusal.delta / .done | `_text_delta` / `_text_done` |
| response.output_text.annotation.added | `_annotation` |
| response.reasoning_summary_text.delta / .done | `_summary_delta` / `_summary_done` |
| response.reasoning_text.delta / .done (llama.cpp and vLLM: response.reasoning.*) | `_raw_delta` / `_raw_done` |
| response.function_call_arguments.*, response.custom_tool_call_input.* | `_arguments_delta` / `_arguments_done` |
| response.completed / incomplete | `_completed`: what was missed, UsageSeen, Finish |
| response.failed / cancelled, error, any frame with an `error` | Failed |
| everything else (progress of hosted tools, keepalives) | Ping |

The end without response.completed is a truncated stream, `[DONE]` or not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import InputUnwrapper
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
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
from llmswitch_core.canonical.ids import original
from llmswitch_core.canonical.model import FinishReason, JsonValue, Opaque, Protocol
from llmswitch_core.canonical.names import ToolName, WireNames
from llmswitch_core.protocols.contract import Scope, SseFrame
from llmswitch_core.protocols.openai_responses import client_tools
from llmswitch_core.protocols.openai_responses.errors import error_of
from llmswitch_core.protocols.openai_responses.usage import read_incomplete, read_usage

_R: Final = Protocol.OPENAI_RESPONSES


class _Delta(msgspec.Struct):
    """The hot frames: every `*.delta` event, without the members nobody needs."""

    type: str
    delta: str
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[Any] | None = None


_DELTA: Final = msgspec.json.Decoder(_Delta)
_PING: Final = (Ping(),)


class _Part:
    """One canonical part while it is open. `said`: some of its text has been emitted."""

    __slots__ = ("index", "said", "unwrap")

    def __init__(self, index: int) -> None:
        self.index = index
        self.said = False
        self.unwrap: InputUnwrapper | None = None


class _Item:
    """One output item: its wire type and ids, and the canonical parts it has opened so far."""

    __slots__ = ("call", "content", "done", "id", "kind", "part", "position", "raw", "summary_index", "wire")

    def __init__(self, kind: str, item_id: str, wire: dict[str, Any], position: int | None) -> None:
        self.kind = kind
        self.id = item_id
        self.wire = wire
        self.position = position
        self.part: _Part | None = None
        """The part of a call or a reasoning item."""
        self.content: dict[int, _Part] = {}
        """The open or last part of each content index of a message."""
        self.call = ""
        self.raw = False
        self.summary_index = -1
        self.done = False


class ResponsesReader:
    """StreamReader of this protocol. `response` is the last lifecycle object seen, for whoever keeps state."""

    def __init__(self, scope: Scope) -> None:
        tools = scope.conversation.tools
        self._names = WireNames(tools)
        self._typed = client_tools.typed_names(tools)
        self._started = False
        self._over = False
        self._next = 0
        self._items: list[_Item] = []
        self._last: _Item | None = None
        self._called = False
        self._refused = False
        self._spoke = False
        self.response: dict[str, Any] | None = None

    # frames -------------------------------------------------------------------------------------------

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        if self._over:
            return ()
        data = frame.data
        if b".delta" in data[:80] or frame.event.endswith(".delta"):
            try:
                delta = _DELTA.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass  # an odd type somewhere: the tolerant way below
            else:
                handler = _DELTAS.get(delta.type)
                return _PING if handler is None else self._begin(handler(self, delta))
        if data.strip() == b"[DONE]":
            return self.end()
        try:
            event = jsonio.decode(data) if data.strip() else {}
        except ValueError:
            return self._fail(_bad_frame(data))
        return self.event(event, frame.event) if isinstance(event, dict) else self._fail(_bad_frame(data))

    def event(self, event: dict[str, Any], name: str = "") -> Sequence[StreamEvent]:
        """One decoded event; `name` stands in for a missing `type`."""
        if self._over:
            return ()
        kind = event.get("type")
        if not isinstance(kind, str) or not kind:
            kind = name
        handler = _EVENTS.get(kind)
        if handler is not None:
            return handler(self, event)
        delta = _DELTAS.get(kind)
        if delta is not None:
            return self._begin(delta(self, _tolerant(event, kind)))
        if event.get("error") or kind == "error":
            return self._failed(event)
        return _PING if self._started or kind else ()

    def end(self) -> Sequence[StreamEvent]:
        if self._over:
            return ()
        return self._fail(
            GatewayError(
                ErrorKind.UPSTREAM,
                "truncated_stream",
                "The upstream's answer ended before it was complete.",
                next_step="Retry the request.",
                layer=Layer.UPSTREAM,
            )
        )

    def _fail(self, error: GatewayError) -> Sequence[StreamEvent]:
        self._over = True
        return (Failed(error),)

    def _begin(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """`events`, with a Start in front if the upstream left out response.created."""
        if self._started:
            return events
        self._started = True
        return (Start("", ""), *events)

    # lifecycle --------------------------------------------------------------------------------------------

    def _lifecycle(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        if isinstance(response, dict):
            self.response = response
            if _error_in(response) is not None:
                return self._failed(event)
        if self._started:
            return _PING
        self._started = True
        return (_start(response if isinstance(response, dict) else {}),)

    def _completed(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        status = response.get("status")
        if status in ("failed", "cancelled") or _error_in(response) is not None:
            return self._failed(event)
        self.response = response
        out: list[StreamEvent] = []
        if not self._started:
            self._started = True
            out.append(_start(response))
        output = response.get("output")
        self._reconcile([item for item in output if isinstance(item, dict)] if isinstance(output, list) else [], out)
        usage = read_usage(response.get("usage"))
        if usage is not None:
            out.append(UsageSeen(usage))
        if event.get("type") == "response.incomplete" or status == "incomplete":
            reason, wire = read_incomplete(response)
            out.append(Finish(reason, wire))
        else:
            out.append(Finish(self._reason(), "completed"))
        self._over = True
        return out

    def _reason(self) -> FinishReason:
        if self._called:
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if self._refused else FinishReason.STOP

    def _failed(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        response = event.get("response")
        source: JsonValue = event
        out: list[StreamEvent] = []
        if isinstance(response, dict):
            self.response = response
            source = {"error": _error_in(response) or {"message": f"The response is {response.get('status')}."}}
            usage = read_usage(response.get("usage"))
            if usage is not None:
                out.append(UsageSeen(usage))
        error = error_of(source, None)
        if error is None:
            error = GatewayError(
                ErrorKind.UPSTREAM, "upstream_error", "The upstream reported a failure.", layer=Layer.UPSTREAM
            )
        out.extend(self._fail(error))
        return out

    def _reconcile(self, output: list[dict[str, Any]], out: list[StreamEvent]) -> None:
        """Emit what the final response has and the stream had not: whole items, and ends of items left open."""
        waiting = list(self._items)
        matched: dict[int, _Item] = {}
        for position, final in enumerate(output):
            item = next((i for i in waiting if _same_item(i, final)), None)
            if item is not None:
                matched[position] = item
                waiting.remove(item)
        for position, final in enumerate(output):
            if position not in matched:
                item = next((i for i in waiting if i.kind == final.get("type")), None)
                if item is not None:
                    matched[position] = item
                    waiting.remove(item)
        for position, final in enumerate(output):
            item = matched.get(position)
            if item is None:
                item = self._open_item(final, None)
            if not item.done:
                self._finish_item(item, final, out)
        for item in waiting:
            if not item.done:
                self._finish_item(item, item.wire, out)

    # items ---------------------------------------------------------------------------------------------------

    def _open_item(self, wire: dict[str, Any], position: int | None) -> _Item:
        item_id = wire.get("id")
        kind = wire.get("type")
        item = _Item(kind if isinstance(kind, str) else "", item_id if isinstance(item_id, str) else "", wire, position)
        self._items.append(item)
        self._last = item
        return item

    def _find(self, item_id: str | None, position: int | None, kinds: Sequence[str] = ()) -> _Item | None:
        """The item an event means: by id, by place, else the one opened last (of the fitting type, if any is)."""
        if self._last is not None and not self._last.done and item_id and self._last.id == item_id:
            return self._last
        if item_id:
            for item in reversed(self._items):
                if item.id == item_id:
                    return item
        if position is not None:
            for item in reversed(self._items):
                if item.position == position:
                    return item
        if kinds:
            for item in reversed(self._items):
                if item.kind in kinds and not item.done:
                    return item
        return self._last if not kinds else None

    def _added(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        wire = event.get("item")
        if not isinstance(wire, dict):
            return self._begin(_PING)
        item = self._open_item(wire, _index(event.get("output_index")))
        out: list[StreamEvent] = []
        if item.kind in _CALLS and isinstance(wire.get("name"), str) and wire["name"]:
            self._open_call(item, wire, out)
        return self._begin(out or _PING)

    def _done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        wire = event.get("item")
        if not isinstance(wire, dict):
            return self._begin(_PING)
        item_id, kind = wire.get("id"), wire.get("type")
        found = self._find(
            item_id if isinstance(item_id, str) else None,
            _index(event.get("output_index")),
            (kind,) if isinstance(kind, str) else (),
        )
        if found is None or found.done or found.kind != kind:
            found = self._open_item(wire, _index(event.get("output_index")))
        out: list[StreamEvent] = []
        self._finish_item(found, wire, out)
        return self._begin(out or _PING)

    def _finish_item(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        item.done = True
        if item.kind == "message":
            self._finish_message(item, wire, out)
        elif item.kind == "reasoning":
            self._finish_reasoning(item, wire, out)
        elif item.kind in _CALLS:
            self._finish_call(item, wire, out)
        elif item.kind in client_tools.BY_CALL and client_tools.BY_CALL[item.kind].type in self._typed:
            self._typed_call(client_tools.BY_CALL[item.kind], wire, out)
        else:
            index = self._take()
            out += (PartStart(index, "whole", part=Opaque(_R, item.kind, wire)), PartStop(index, wire=wire))

    def _take(self) -> int:
        index, self._next = self._next, self._next + 1
        return index

    # messages --------------------------------------------------------------------------------------------------

    def _open_content(self, item: _Item, at: int, kind: Any, out: list[StreamEvent]) -> _Part:
        part = _Part(self._take())
        item.content[at] = part
        out.append(PartStart(part.index, kind, item_id=item.id or None))
        self._refused = self._refused or kind == "refusal"
        return part

    def _message_for(self, item_id: str | None, position: int | None) -> _Item:
        item = self._find(item_id, position, ("message",))
        if item is None or item.kind != "message" or item.done:
            item = self._open_item({"type": "message", "id": item_id or ""}, position)
        return item

    def _content_added(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        part = event.get("part")
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _CONTENT:
            return self._begin(_PING)
        out: list[StreamEvent] = []
        item = self._message_for(_text(event.get("item_id")), _index(event.get("output_index")))
        at = _index(event.get("content_index"))
        at = len(item.content) if at is None else at
        if at not in item.content:
            self._close_content(item, out)
            self._open_content(item, at, _CONTENT[kind], out)
        return self._begin(out)

    def _close_content(self, item: _Item, out: list[StreamEvent], wire: JsonValue = None) -> None:
        """Stop the item's open content part; only the last one carries the finished item."""
        for part in item.content.values():
            if part.index >= 0:
                out.append(PartStop(part.index, wire=wire))
                part.index = -1

    def _content_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        part = event.get("part")
        if not isinstance(part, dict) or part.get("type") not in _CONTENT:
            return self._begin(_PING)
        key = "refusal" if part["type"] == "refusal" else "text"
        return self._text_done({**event, "text": part.get(key), "annotations": part.get("annotations")}, part["type"])

    def _text_delta(self, event: _Delta, kind: str = "text") -> Sequence[StreamEvent]:
        item = self._message_for(event.item_id, event.output_index)
        part = item.content.get(event.content_index or 0)
        if part is None:
            out: list[StreamEvent] = []
            self._close_content(item, out)
            part = self._open_content(item, event.content_index or 0, kind, out)
            part.said = True
            out.append(TextDelta(part.index, event.delta, event.logprobs or None))
            return out
        if part.index < 0 or not event.delta:
            return ()
        part.said = True
        return (TextDelta(part.index, event.delta, event.logprobs or None),)

    def _refusal_delta(self, event: _Delta) -> Sequence[StreamEvent]:
        return self._text_delta(event, "refusal")

    def _text_done(self, event: dict[str, Any], kind: str = "output_text") -> Sequence[StreamEvent]:
        text = event.get("text")
        item = self._message_for(_text(event.get("item_id")), _index(event.get("output_index")))
        at = _index(event.get("content_index")) or 0
        out: list[StreamEvent] = []
        if isinstance(text, str) and text:
            self._whole_text(item, at, _CONTENT[kind], text, out)
        return self._begin(out or _PING)

    def _refusal_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        return self._text_done({**event, "text": event.get("refusal")}, "refusal")

    def _whole_text(self, item: _Item, at: int, kind: Any, text: str, out: list[StreamEvent]) -> None:
        part = item.content.get(at)
        if part is None:
            self._close_content(item, out)
            part = self._open_content(item, at, kind, out)
        if not part.said and part.index >= 0:
            part.said = True
            out.append(TextDelta(part.index, text))

    def _annotation(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        annotation = event.get("annotation")
        item = self._message_for(_text(event.get("item_id")), _index(event.get("output_index")))
        part = item.content.get(_index(event.get("content_index")) or 0)
        if not isinstance(annotation, dict) or part is None or part.index < 0:
            return self._begin(_PING)
        item.summary_index = 0  # annotations were streamed: the item need not repeat them
        return (CitationDelta(part.index, annotation, _R),)

    def _finish_message(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        content = wire.get("content")
        for at, part in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(part, dict) or part.get("type") not in _CONTENT:
                continue
            refusal = part["type"] == "refusal"
            text = part.get("refusal" if refusal else "text")
            if isinstance(text, str) and text:
                self._whole_text(item, at, _CONTENT[part["type"]], text, out)
            annotations = part.get("annotations")
            opened = item.content.get(at)
            if isinstance(annotations, list) and item.summary_index < 0 and opened is not None and opened.index >= 0:
                out.extend(CitationDelta(opened.index, one, _R) for one in annotations if isinstance(one, dict))
        self._close_content(item, out, wire)

    # reasoning -------------------------------------------------------------------------------------------------

    def _open_reasoning(self, item: _Item, raw: bool, out: list[StreamEvent]) -> _Part:
        part = _Part(self._take())
        item.part, item.raw = part, raw
        out.append(PartStart(part.index, "thinking", item_id=item.id or None, summary=not raw, origin=_R))
        return part

    def _thought(self, item_id: str | None, position: int | None) -> _Item:
        item = self._find(item_id, position, ("reasoning",))
        if item is None or item.kind != "reasoning" or item.done:
            item = self._open_item({"type": "reasoning", "id": item_id or ""}, position)
        return item

    def _think(self, event: _Delta, raw: bool, at: int) -> Sequence[StreamEvent]:
        item = self._thought(event.item_id, event.output_index)
        out: list[StreamEvent] = []
        part = item.part or self._open_reasoning(item, raw, out)
        if item.raw is not raw or not event.delta:
            return out
        if part.said and at > item.summary_index:
            out.append(TextDelta(part.index, "\n\n"))
        item.summary_index = max(at, item.summary_index)
        part.said = True
        out.append(TextDelta(part.index, event.delta))
        return out

    def _summary_delta(self, event: _Delta) -> Sequence[StreamEvent]:
        return self._think(event, False, event.summary_index or 0)

    def _raw_delta(self, event: _Delta) -> Sequence[StreamEvent]:
        return self._think(event, True, event.content_index or 0)

    def _thought_done(self, event: dict[str, Any], raw: bool, key: str) -> Sequence[StreamEvent]:
        """A `.done` of one summary or content part: its text, unless deltas already said it."""
        text, at = event.get("text"), _index(event.get(key)) or 0
        item = self._thought(_text(event.get("item_id")), _index(event.get("output_index")))
        if not isinstance(text, str) or not text or (item.part is not None and at <= item.summary_index):
            return self._begin(_PING)
        delta = _Delta("", text, item.id or None, item.position, at, at)
        return self._begin(self._think(delta, raw, at) or _PING)

    def _summary_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        return self._thought_done(event, False, "summary_index")

    def _raw_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        return self._thought_done(event, True, "content_index")

    def _finish_reasoning(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        summary, raw = _texts(wire.get("summary")), _texts(wire.get("content"))
        encrypted = wire.get("encrypted_content")
        if item.part is None and not (summary or raw or encrypted or item.id):
            return
        part = item.part or self._open_reasoning(item, bool(raw) and not summary, out)
        texts = raw if item.raw else summary
        if not part.said and texts:
            out.append(TextDelta(part.index, "\n\n".join(texts)))
        if isinstance(encrypted, str) and encrypted:
            out.append(SignatureDelta(part.index, encrypted))
        out.append(PartStop(part.index, wire=wire))

    # calls ---------------------------------------------------------------------------------------------------------

    def _open_call(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> _Part:
        part = _Part(self._take())
        item.part = part
        name, namespace = wire.get("name"), wire.get("namespace")
        tool = self._names.original(name if isinstance(name, str) else "")
        if isinstance(namespace, str) and namespace:
            tool = ToolName(tool.name, namespace, "custom" if item.kind == "custom_tool_call" else "function")
        custom = item.kind == "custom_tool_call" or tool.kind == "custom"
        if custom and item.kind == "function_call":
            part.unwrap = InputUnwrapper()
        call_id = wire.get("call_id") or wire.get("id")
        item.call = call_id if isinstance(call_id, str) else ""
        self._called = True
        out.append(
            PartStart(
                part.index,
                "tool_call",
                id=original(item.call),
                name=tool.name,
                call_kind="custom" if custom else "function",
                namespace=tool.namespace,
                item_id=item.id or None,
            )
        )
        return part

    def _arguments_delta(self, event: _Delta) -> Sequence[StreamEvent]:
        item = self._find(event.item_id, event.output_index, _CALLS)
        if item is None or item.part is None or item.done or not event.delta:
            return _PING
        item.part.said = True
        return self._argue(item.part, event.delta)

    def _argue(self, part: _Part, text: str) -> Sequence[StreamEvent]:
        if part.unwrap is not None:
            text = part.unwrap.feed(text)
        return (ArgumentsDelta(part.index, text),) if text else ()

    def _arguments_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        item = self._find(_text(event.get("item_id")), _index(event.get("output_index")), _CALLS)
        text = event.get("arguments", event.get("input"))
        if item is None or item.part is None or item.part.said or item.done or not isinstance(text, str) or not text:
            return self._begin(_PING)
        item.part.said = True
        return self._begin(self._argue(item.part, text) or _PING)

    def _finish_call(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        part = item.part
        if part is None:
            part = self._open_call(item, {**item.wire, **wire}, out)
        text = wire.get("input" if item.kind == "custom_tool_call" else "arguments")
        if text is not None and not isinstance(text, str):
            text = jsonio.encode(text).decode()
        if not part.said and text:
            out.extend(self._argue(part, text))
        if part.unwrap is not None:
            rest = part.unwrap.finish()
            if rest:
                out.append(ArgumentsDelta(part.index, rest))
        out.append(PartStop(part.index, wire=wire))

    def _typed_call(self, kind: client_tools.ClientTool, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        call = client_tools.read_call(kind, wire)
        index = self._take()
        self._called = True
        out.append(PartStart(index, "tool_call", id=call.id, name=call.name, item_id=call.item_id))
        out += (ArgumentsDelta(index, call.arguments), PartStop(index, wire=wire))


_CALLS: Final = ("function_call", "custom_tool_call")
_CONTENT: Final = {"output_text": "text", "text": "text", "refusal": "refusal"}

_DELTAS: Final[dict[str, Callable[[ResponsesReader, _Delta], Sequence[StreamEvent]]]] = {
    "response.output_text.delta": ResponsesReader._text_delta,
    "response.refusal.delta": ResponsesReader._refusal_delta,
    "response.reasoning_summary_text.delta": ResponsesReader._summary_delta,
    "response.reasoning_text.delta": ResponsesReader._raw_delta,
    "response.reasoning.delta": ResponsesReader._raw_delta,
    "response.function_call_arguments.delta": ResponsesReader._arguments_delta,
    "response.custom_tool_call_input.delta": ResponsesReader._arguments_delta,
}
_EVENTS: Final[dict[str, Callable[[ResponsesReader, dict[str, Any]], Sequence[StreamEvent]]]] = {
    "response.created": ResponsesReader._lifecycle,
    "response.queued": ResponsesReader._lifecycle,
    "response.in_progress": ResponsesReader._lifecycle,
    "response.output_item.added": ResponsesReader._added,
    "response.output_item.done": ResponsesReader._done,
    "response.content_part.added": ResponsesReader._content_added,
    "response.content_part.done": ResponsesReader._content_done,
    "response.output_text.done": ResponsesReader._text_done,
    "response.refusal.done": ResponsesReader._refusal_done,
    "response.output_text.annotation.added": ResponsesReader._annotation,
    "response.reasoning_summary_text.done": ResponsesReader._summary_done,
    "response.reasoning_text.done": ResponsesReader._raw_done,
    "response.reasoning.done": ResponsesReader._raw_done,
    "response.function_call_arguments.done": ResponsesReader._arguments_done,
    "response.custom_tool_call_input.done": ResponsesReader._arguments_done,
    "response.completed": ResponsesReader._completed,
    "response.incomplete": ResponsesReader._completed,
    "response.failed": ResponsesReader._failed,
    "response.cancelled": ResponsesReader._failed,
    "error": ResponsesReader._failed,
}


def _start(response: dict[str, Any]) -> Start:
    created, tier = response.get("created_at"), response.get("service_tier")
    return Start(
        id=_text(response.get("id")) or "",
        model=_text(response.get("model")) or "",
        created=int(created) if isinstance(created, int | float) and not isinstance(created, bool) else None,
        service_tier=tier if isinstance(tier, str) else None,
    )


def _error_in(response: dict[str, Any]) -> JsonValue:
    error = response.get("error")
    return error if isinstance(error, dict | str) and error else None


def _same_item(item: _Item, final: dict[str, Any]) -> bool:
    if item.kind != final.get("type"):
        return False
    if item.id and item.id == final.get("id"):
        return True
    return bool(item.call) and item.call == final.get("call_id")


def _tolerant(event: dict[str, Any], kind: str) -> _Delta:
    delta = event.get("delta")
    if isinstance(delta, dict):
        delta = delta.get("text") or delta.get("arguments")
    logprobs = event.get("logprobs")
    return _Delta(
        kind,
        delta if isinstance(delta, str) else "",
        _text(event.get("item_id")),
        _index(event.get("output_index")),
        _index(event.get("content_index")),
        _index(event.get("summary_index")),
        logprobs if isinstance(logprobs, list) else None,
    )


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _index(value: JsonValue) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _texts(value: JsonValue) -> list[str]:
    parts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return [text for text in texts if isinstance(text, str) and text]


def _bad_frame(data: bytes) -> GatewayError:
    shown = data[:200].decode("utf-8", "replace")
    return GatewayError(
        ErrorKind.UPSTREAM,
        "bad_frame",
        f"The upstream sent an event that is no JSON object: {shown}",
        next_step="Retry the request.",
        layer=Layer.UPSTREAM,
    )
