"""Output items and their content parts while an upstream's answer grows: which canonical part each event feeds.

The inner half of the stream reader (stream_reader.py has the theory and the table). It knows items, content parts
and calls, and what to do when an event does not say which of them it means; nothing of frames, lifecycle or errors.
Every handler answers with the canonical events its wire event amounts to, possibly none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import InputUnwrapper
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    PartKind,
    PartStart,
    PartStop,
    SignatureDelta,
    StreamEvent,
    TextDelta,
)
from llmswitch_core.canonical.ids import original
from llmswitch_core.canonical.model import JsonValue, Opaque, Protocol, Tool
from llmswitch_core.canonical.names import ToolName, WireNames
from llmswitch_core.protocols.openai_responses import client_tools
from llmswitch_core.protocols.openai_responses.frames import Delta, index_of, text_of, texts_of

_R: Final = Protocol.OPENAI_RESPONSES
_CALLS: Final = ("function_call", "custom_tool_call")
_CONTENT: Final[dict[str, PartKind]] = {"output_text": "text", "text": "text", "refusal": "refusal"}


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


class ItemMachine:
    """All items of one answer. `called` and `refused` tell what the finish reason depends on."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._names = WireNames(tools)
        self._typed = client_tools.typed_names(tools)
        self._next = 0
        self._items: list[_Item] = []
        self._by_id: dict[str, _Item] = {}
        self._by_position: dict[int, _Item] = {}
        self._last: _Item | None = None
        self.called = False
        self.refused = False
        self.finished: list[dict[str, Any]] = []
        """The wire items that are done, in the order in which they were."""

    def reconcile(self, output: list[dict[str, Any]], out: list[StreamEvent]) -> None:
        """Emit what the final response has and the stream had not: whole items, and ends of items left open."""
        keyed: dict[tuple[str, JsonValue], _Item] = {}
        for item in self._items:
            for own in (item.id, item.call):
                if own:
                    keyed.setdefault((item.kind, own), item)
        matched: dict[int, _Item] = {}
        taken: set[int] = set()
        for at, final in enumerate(output):
            for name in (final.get("id"), final.get("call_id")):
                found = keyed.get((str(final.get("type")), name)) if isinstance(name, str) else None
                if found is not None and id(found) not in taken:
                    taken.add(id(found))
                    matched[at] = found
                    break
        # Servers that give an item another id at the end: the rest is paired by type, in order.
        rest: dict[str, deque[_Item]] = {}
        for item in self._items:
            if id(item) not in taken:
                rest.setdefault(item.kind, deque()).append(item)
        for at, final in enumerate(output):
            waiting = rest.get(str(final.get("type"))) if at not in matched else None
            open_item = matched.get(at) or (waiting.popleft() if waiting else self._open_item(final, None))
            if not open_item.done:
                self._finish_item(open_item, final, out)
        for waiting in rest.values():
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
        if item.id:
            self._by_id[item.id] = item
        if position is not None:
            self._by_position[position] = item
        return item

    def _find(self, item_id: str | None, position: int | None, kinds: Sequence[str] = ()) -> _Item | None:
        """The item an event means: by id, by place, else the one opened last (of the fitting type, if any is)."""
        if item_id:
            found = self._by_id.get(item_id)
            if found is not None:
                return found
        if position is not None:
            found = self._by_position.get(position)
            if found is not None:
                return found
        if not kinds:
            return self._last
        last = self._last
        if last is not None and last.kind in kinds and not last.done:
            return last
        return next((item for item in reversed(self._items) if item.kind in kinds and not item.done), None)

    def _added(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        wire = event.get("item")
        if not isinstance(wire, dict):
            return ()
        item = self._open_item(wire, index_of(event.get("output_index")))
        out: list[StreamEvent] = []
        if item.kind in _CALLS and isinstance(wire.get("name"), str) and wire["name"]:
            self._open_call(item, wire, out)
        return out

    def _done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        wire = event.get("item")
        if not isinstance(wire, dict):
            return ()
        item_id, kind = wire.get("id"), wire.get("type")
        found = self._find(
            item_id if isinstance(item_id, str) else None,
            index_of(event.get("output_index")),
            (kind,) if isinstance(kind, str) else (),
        )
        if found is not None and found.done and found.kind == kind:
            return ()
        if found is None or found.kind != kind:
            found = self._open_item(wire, index_of(event.get("output_index")))
        out: list[StreamEvent] = []
        self._finish_item(found, wire, out)
        return out

    def _finish_item(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        item.done = True
        self.finished.append(wire)
        if item.kind == "message":
            self._finish_message(item, wire, out)
        elif item.kind == "reasoning":
            self._finish_reasoning(item, wire, out)
        elif item.kind in _CALLS:
            self._finish_call(item, wire, out)
        elif self._is_typed(item.kind, wire):
            self._typed_call(client_tools.BY_CALL[item.kind], wire, out)
        else:
            self._opaque(item, wire, out)

    def _is_typed(self, kind: str, wire: dict[str, Any]) -> bool:
        """A typed call the client runs, because it offered that tool."""
        tool = client_tools.BY_CALL.get(kind)
        return tool is not None and tool.type in self._typed and wire.get("execution") != "server"

    def _opaque(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
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
        self.refused = self.refused or kind == "refusal"
        return part

    def _message_for(self, item_id: str | None, position: int | None) -> _Item:
        item = self._find(item_id, position, ("message",))
        if item is None or item.kind != "message" or item.done:
            item = self._open_item({"type": "message", "id": item_id or ""}, position)
        return item

    def _content_added(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        part = event.get("part")
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in _CONTENT:
            return ()
        out: list[StreamEvent] = []
        item = self._message_for(text_of(event.get("item_id")), index_of(event.get("output_index")))
        at = index_of(event.get("content_index"))
        at = len(item.content) if at is None else at
        if at not in item.content:
            self._close_content(item, out)
            self._open_content(item, at, _CONTENT[kind], out)
        return out

    def _close_content(self, item: _Item, out: list[StreamEvent], wire: JsonValue = None) -> None:
        """Stop the item's open content part; only the last one carries the finished item."""
        for part in item.content.values():
            if part.index >= 0:
                out.append(PartStop(part.index, wire=wire))
                part.index = -1

    def _content_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        part = event.get("part")
        if not isinstance(part, dict) or not isinstance(part.get("type"), str) or part["type"] not in _CONTENT:
            return ()
        key = "refusal" if part["type"] == "refusal" else "text"
        return self._text_done({**event, "text": part.get(key), "annotations": part.get("annotations")}, part["type"])

    def _text_delta(self, event: Delta, kind: str = "text") -> Sequence[StreamEvent]:
        item = self._message_for(event.item_id, event.output_index)
        at = _content_at(item, event.content_index)
        part = item.content.get(at)
        if part is None:
            out: list[StreamEvent] = []
            self._close_content(item, out)
            part = self._open_content(item, at, kind, out)
            part.said = True
            out.append(TextDelta(part.index, event.delta, event.logprobs or None))
            return out
        if part.index < 0 or not event.delta:
            return ()
        part.said = True
        return (TextDelta(part.index, event.delta, event.logprobs or None),)

    def _refusal_delta(self, event: Delta) -> Sequence[StreamEvent]:
        return self._text_delta(event, "refusal")

    def _text_done(self, event: dict[str, Any], kind: str = "output_text") -> Sequence[StreamEvent]:
        text = event.get("text")
        item = self._message_for(text_of(event.get("item_id")), index_of(event.get("output_index")))
        at = _content_at(item, index_of(event.get("content_index")))
        out: list[StreamEvent] = []
        if isinstance(text, str) and text:
            self._whole_text(item, at, _CONTENT[kind], text, out)
        return out

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
        item = self._message_for(text_of(event.get("item_id")), index_of(event.get("output_index")))
        part = item.content.get(_content_at(item, index_of(event.get("content_index"))))
        if not isinstance(annotation, dict) or part is None or part.index < 0:
            return ()
        item.summary_index = 0  # annotations were streamed: the item need not repeat them
        return (CitationDelta(part.index, annotation, _R),)

    def _finish_message(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        content = wire.get("content")
        for at, part in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(part, dict) or not isinstance(part.get("type"), str) or part["type"] not in _CONTENT:
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

    def _think(self, event: Delta, raw: bool, at: int) -> Sequence[StreamEvent]:
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

    def _summary_delta(self, event: Delta) -> Sequence[StreamEvent]:
        return self._think(event, False, event.summary_index or 0)

    def _raw_delta(self, event: Delta) -> Sequence[StreamEvent]:
        return self._think(event, True, event.content_index or 0)

    def _thought_done(self, event: dict[str, Any], raw: bool, key: str) -> Sequence[StreamEvent]:
        """A `.done` of one summary or content part: its text, unless deltas already said it."""
        text, at = event.get("text"), index_of(event.get(key)) or 0
        item = self._thought(text_of(event.get("item_id")), index_of(event.get("output_index")))
        if not isinstance(text, str) or not text or (item.part is not None and at <= item.summary_index):
            return ()
        delta = Delta("", text, item.id or None, item.position, at, at)
        return self._think(delta, raw, at)

    def _summary_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        return self._thought_done(event, False, "summary_index")

    def _raw_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        return self._thought_done(event, True, "content_index")

    def _finish_reasoning(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        summary, raw = texts_of(wire.get("summary")), texts_of(wire.get("content"))
        encrypted = wire.get("encrypted_content")
        if item.part is None and not (summary or raw or encrypted):
            # Nothing to show and no token: only the upstream that keeps the item can make sense of it.
            self._opaque(item, wire, out)
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
        name, namespace = wire.get("name"), wire.get("namespace")
        if not isinstance(name, str) or not name:
            raise GatewayError(
                ErrorKind.UPSTREAM,
                "bad_frame",
                "The upstream called a tool without saying which.",
                next_step="Retry the request.",
                layer=Layer.UPSTREAM,
            )
        part = _Part(self._take())
        item.part = part
        tool = self._names.original(name)
        if isinstance(namespace, str) and namespace:
            tool = ToolName(tool.name, namespace, "custom" if item.kind == "custom_tool_call" else "function")
        custom = item.kind == "custom_tool_call" or tool.kind == "custom"
        if custom and item.kind == "function_call":
            part.unwrap = InputUnwrapper()
        call_id = wire.get("call_id") or wire.get("id")
        item.call = call_id if isinstance(call_id, str) else ""
        self.called = True
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

    def _arguments_delta(self, event: Delta) -> Sequence[StreamEvent]:
        item = self._find(event.item_id, event.output_index, _CALLS)
        if item is None or item.part is None or item.done or not event.delta:
            return ()
        item.part.said = True
        return self._argue(item.part, event.delta)

    def _argue(self, part: _Part, text: str) -> Sequence[StreamEvent]:
        if part.unwrap is not None:
            text = part.unwrap.feed(text)
        return (ArgumentsDelta(part.index, text),) if text else ()

    def _arguments_done(self, event: dict[str, Any]) -> Sequence[StreamEvent]:
        item = self._find(text_of(event.get("item_id")), index_of(event.get("output_index")), _CALLS)
        text = event.get("arguments", event.get("input"))
        if item is None or item.part is None or item.part.said or item.done or not isinstance(text, str) or not text:
            return ()
        item.part.said = True
        return self._argue(item.part, text)

    def _finish_call(self, item: _Item, wire: dict[str, Any], out: list[StreamEvent]) -> None:
        part = item.part
        if part is None:
            part = self._open_call(item, {**item.wire, **wire}, out)
        key = "input" if item.kind == "custom_tool_call" else "arguments"
        text = wire.get(key) or item.wire.get(key)
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
        self.called = True
        out.append(PartStart(index, "tool_call", id=call.id, name=call.name, item_id=call.item_id))
        out += (ArgumentsDelta(index, call.arguments), PartStop(index, wire=wire))


DELTAS: Final[dict[str, Callable[[ItemMachine, Delta], Sequence[StreamEvent]]]] = {
    "response.output_text.delta": ItemMachine._text_delta,
    "response.refusal.delta": ItemMachine._refusal_delta,
    "response.reasoning_summary_text.delta": ItemMachine._summary_delta,
    "response.reasoning_text.delta": ItemMachine._raw_delta,
    "response.reasoning.delta": ItemMachine._raw_delta,
    "response.function_call_arguments.delta": ItemMachine._arguments_delta,
    "response.custom_tool_call_input.delta": ItemMachine._arguments_delta,
}
"""Hot events, by type."""

EVENTS: Final[dict[str, Callable[[ItemMachine, dict[str, Any]], Sequence[StreamEvent]]]] = {
    "response.output_item.added": ItemMachine._added,
    "response.output_item.done": ItemMachine._done,
    "response.content_part.added": ItemMachine._content_added,
    "response.content_part.done": ItemMachine._content_done,
    "response.output_text.done": ItemMachine._text_done,
    "response.refusal.done": ItemMachine._refusal_done,
    "response.output_text.annotation.added": ItemMachine._annotation,
    "response.reasoning_summary_text.done": ItemMachine._summary_done,
    "response.reasoning_text.done": ItemMachine._raw_done,
    "response.reasoning.done": ItemMachine._raw_done,
    "response.function_call_arguments.done": ItemMachine._arguments_done,
    "response.custom_tool_call_input.done": ItemMachine._arguments_done,
}
"""All other events about items, by type."""


def _content_at(item: _Item, told: int | None) -> int:
    """The content part an event means: the one it names, else the latest."""
    return told if told is not None else max(len(item.content) - 1, 0)
