"""Parts that follow one another in a stream without any boundary on the wire: text, thinking, refusals, whole parts.

One of them is open at a time; a delta of another kind ends it. Thinking is the hard one: its text comes in a plain
member, in `reasoning_details`, or in both at once, and its signature later. Rules for one entry of the details:

    signs a tool call (Gemini)                     -> that call's signature
    encrypted, same item as the open part (R)      -> the open part's signature
    encrypted                                      -> a whole part
    no text and no signature                       -> an announcement: origin of the thinking that follows
    same index and type as the open part           -> more of it, but for text that the plain member brought already
    anything else                                  -> a new part
"""

from __future__ import annotations

from typing import Any

from llmswitch_core.canonical.events import (
    PartKind,
    PartStart,
    PartStop,
    SignatureDelta,
    StreamEvent,
    TextDelta,
)
from llmswitch_core.canonical.model import Part, Protocol
from llmswitch_core.protocols.openai_chat import reasoning_details as details


class LinearParts:
    """Which linear part is open. `number` is its number or None, `kind` its kind; numbers are shared with the calls."""

    __slots__ = ("_announced", "_item_id", "_key", "_next", "_plain", "_signed", "kind", "number")

    def __init__(self) -> None:
        self.number: int | None = None
        self.kind: PartKind = "text"
        self._next = 0
        self._announced: dict[str, Any] | None = None
        self._key: tuple[Any, str] | None = None
        self._item_id = ""
        self._plain = False
        self._signed = False

    def take_number(self) -> int:
        """The next part number of the answer."""
        number = self._next
        self._next += 1
        return number

    def open(self, kind: PartKind, out: list[StreamEvent]) -> int:
        """The number of the open part, which is of `kind` (text or refusal) from here on."""
        if self.number is not None and self.kind == kind:
            return self.number
        return self._start(kind, out)

    def close(self, out: list[StreamEvent]) -> None:
        if self.number is not None:
            out.append(PartStop(self.number))
            self.number = None

    def whole(self, part: Part, out: list[StreamEvent]) -> None:
        """A part that comes at once."""
        self.close(out)
        index = self.take_number()
        out += (PartStart(index, "whole", part=part), PartStop(index))

    # thinking ----------------------------------------------------------------------------------------

    def thinking(self, text: str, out: list[StreamEvent]) -> None:
        """Text of the plain member."""
        if not text:
            return
        announced = self._announced
        if not self._is_thinking or self._signed or (announced is not None and _key(announced) != self._key):
            self._start_thinking(announced, out)
        self._plain = True
        if self.number is not None:
            out.append(TextDelta(self.number, text))

    def detail(self, entry: dict[str, Any], out: list[StreamEvent]) -> None:
        """One entry of `reasoning_details` that does not sign a tool call."""
        if details.string(entry, "type") == "reasoning.encrypted":
            self._encrypted(entry, out)
            return
        text, signature = details.text_of_entry(entry), details.string(entry, "signature")
        if not text and not signature:
            if details.origin_of(entry) is not None:
                self._announced = entry
            return
        same = self._is_thinking and not self._signed and (self._key is None or self._key == _key(entry))
        if not same or (self._key is None and text and not self._plain):
            self._start_thinking(entry, out)
        self._key = _key(entry)
        if self.number is None:
            return
        if text and not self._plain:
            out.append(TextDelta(self.number, text))
        if signature:
            self._signed = True
            out.append(SignatureDelta(self.number, signature))

    @property
    def _is_thinking(self) -> bool:
        return self.number is not None and self.kind == "thinking"

    def _encrypted(self, entry: dict[str, Any], out: list[StreamEvent]) -> None:
        part = details.whole_encrypted(entry)
        same_item = part.origin is Protocol.OPENAI_RESPONSES and self._is_thinking and self._item_id == (part.id or "")
        if same_item and self.number is not None and part.signature is not None:
            self._signed = True
            out.append(SignatureDelta(self.number, part.signature))
        else:
            self.whole(part, out)

    def _start_thinking(self, entry: dict[str, Any] | None, out: list[StreamEvent]) -> None:
        """Open thinking of the origin that the entry, or the announcement it belongs to, tells."""
        announced = self._announced
        if announced is not None and entry is not None and _key(announced) == _key(entry):
            entry = {**entry, **{name: value for name, value in announced.items() if value}}
        self._announced = None
        if entry is None:
            self._start("thinking", out)
            return
        summary = details.string(entry, "type") == "reasoning.summary"
        item_id = details.string(entry, "id") if summary else ""
        self._start("thinking", out, summary=summary, origin=details.origin_of(entry), item_id=item_id)
        self._key = _key(entry)
        self._item_id = item_id

    def _start(
        self,
        kind: PartKind,
        out: list[StreamEvent],
        *,
        summary: bool = False,
        origin: Protocol | None = None,
        item_id: str = "",
    ) -> int:
        self.close(out)
        self.number = self.take_number()
        self.kind = kind
        self._key = None
        self._item_id = ""
        self._plain = False
        self._signed = False
        out.append(PartStart(self.number, kind, item_id=item_id or None, summary=summary, origin=origin))
        return self.number


def _key(entry: dict[str, Any]) -> tuple[Any, str]:
    return entry.get("index"), details.string(entry, "type")
