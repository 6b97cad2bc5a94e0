"""Tool calls of a stream, put together from whatever deltas upstreams send (MP-01, MP-02, MP-03).

Which call a delta belongs to, first rule that fits:

    index, and another id with a name, or another name  -> a new call under that index (every call sent as index 0)
     after arguments have come
    index                                               -> the call of that index
    id                                                  -> the call of that id, else a new one
    name only                                           -> the newest call if that has no name yet, else a new one
    neither                                             -> the newest call

A call starts once its name is known and its id is, too, or will not come any more (its arguments have begun in a later
delta, or the answer is over): then it gets an id of the gateway's own. Arguments wait until then. A name or id that is
repeated changes nothing. Custom tools that went out as functions come back as free text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmswitch_core.canonical.custom import InputUnwrapper
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    PartStart,
    PartStop,
    SignatureDelta,
    StreamEvent,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.openai_chat.members import json_text
from llmswitch_core.protocols.openai_chat.messages_reader import google_signature


class _Call:
    """One call while it is put together."""

    __slots__ = ("arguments_seen", "custom_wire", "held", "id", "name", "part", "signature", "unwrapper")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.part: int | None = None
        self.held = ""
        self.arguments_seen = False
        self.custom_wire = False
        self.signature: str | None = None
        self.unwrapper: InputUnwrapper | None = None


class CallAssembly:
    """All calls of one answer. `next_part` hands out part numbers."""

    __slots__ = ("_by_id", "_by_index", "_calls", "_names", "_new_id", "_next_part", "_signatures", "_used_ids")

    def __init__(self, names: WireNames, new_id: Callable[[str], str], next_part: Callable[[], int]) -> None:
        self._names = names
        self._new_id = new_id
        self._next_part = next_part
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._used_ids: set[str] = set()
        self._signatures: dict[str, str] = {}

    @property
    def any(self) -> bool:
        """Whether the answer has called a tool so far."""
        return any(call.part is not None for call in self._calls)

    def feed(self, delta: dict[str, Any], out: list[StreamEvent]) -> None:
        """One entry of `tool_calls`."""
        box, custom_wire = _box(delta)
        name, call_id = box.get("name"), delta.get("id")
        name = name if isinstance(name, str) else ""
        call_id = call_id if isinstance(call_id, str) else ""
        call = self._call_of(_index(delta.get("index")), call_id, name)
        waiting = bool(call.name)
        if name and not call.name:
            call.name = name
        if call_id and not call.id:
            call.id = call_id
            self._by_id.setdefault(call_id, call)
        if custom_wire:
            call.custom_wire = True
        signature = google_signature(delta)
        if signature is not None:
            self._sign(call, signature, out)
        text = json_text(box.get("input") if custom_wire else box.get("arguments"))
        if call.part is None:
            call.held += text
            if call.name and (call.id or (waiting and call.held)):
                self._start(call, out)
        elif text:
            self._arguments(call, text, out)

    def feed_legacy(self, delta: dict[str, Any], out: list[StreamEvent]) -> None:
        """A delta of the legacy `function_call`: one call, without an id."""
        self.feed({"index": -1, "function": delta}, out)

    def sign(self, call_id: str, signature: str, out: list[StreamEvent]) -> None:
        """A signature that came apart from its call."""
        call = self._by_id.get(call_id)
        if call is None:
            self._signatures[call_id] = signature
        else:
            self._sign(call, signature, out)

    def close(self, out: list[StreamEvent]) -> None:
        """The answer is complete: start what still waits, stop everything, in order. Nameless calls are no calls."""
        for call in self._calls:
            if call.part is None and call.name:
                self._start(call, out)
            if call.part is None:
                continue
            if call.unwrapper is not None:
                rest = call.unwrapper.finish()
                if rest:
                    out.append(ArgumentsDelta(call.part, rest))
            elif not call.arguments_seen and not call.custom_wire:
                out.append(ArgumentsDelta(call.part, "{}"))
            out.append(PartStop(call.part))

    def _call_of(self, index: int | None, call_id: str, name: str) -> _Call:
        if index is not None:
            known = self._by_index.get(index)
            if known is not None and not _is_another(known, call_id, name):
                return known
            call = self._new()
            self._by_index[index] = call
            return call
        if call_id:
            return self._by_id.get(call_id) or self._new()
        newest = self._calls[-1] if self._calls else None
        if newest is None or (name and newest.name):
            return self._new()
        return newest

    def _new(self) -> _Call:
        call = _Call()
        self._calls.append(call)
        return call

    def _start(self, call: _Call, out: list[StreamEvent]) -> None:
        wire_id = call_id = call.id
        if not call_id or call_id in self._used_ids:
            call_id = self._new_id("call_")
        self._used_ids.add(call_id)
        tool = self._names.original(call.name)
        kind = "custom" if call.custom_wire else tool.kind
        if kind == "custom" and not call.custom_wire:
            call.unwrapper = InputUnwrapper()
        call.part = self._next_part()
        call.signature = call.signature or self._signatures.get(wire_id)
        out.append(
            PartStart(
                call.part,
                "tool_call",
                id=call_id,
                name=tool.name,
                call_kind=kind,
                namespace=tool.namespace,
                signature=call.signature,
            )
        )
        held, call.held = call.held, ""
        if held:
            self._arguments(call, held, out)

    def _arguments(self, call: _Call, text: str, out: list[StreamEvent]) -> None:
        part = call.part
        if part is None:
            return
        call.arguments_seen = True
        if call.unwrapper is not None:
            text = call.unwrapper.feed(text)
        if text:
            out.append(ArgumentsDelta(part, text))

    def _sign(self, call: _Call, signature: str, out: list[StreamEvent]) -> None:
        if call.part is not None and call.signature != signature:
            out.append(SignatureDelta(call.part, signature))
        call.signature = signature


def _is_another(known: _Call, call_id: str, name: str) -> bool:
    """Whether a delta under the index of `known` opens another call."""
    if not name or not known.name:
        return False
    if call_id and known.id:
        return call_id != known.id
    return name != known.name and (known.arguments_seen or bool(known.held))


def _box(delta: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The object with name and arguments, and whether it is a custom tool's on the wire."""
    custom = delta.get("custom")
    if isinstance(custom, dict):
        return custom, True
    function = delta.get("function")
    return (function if isinstance(function, dict) else {}), False


def _index(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) < 10 and value.isdecimal():
        return int(value)
    return None
