"""Interleaved parts, put in sequence for wires that allow one open block at a time (MP-09).

Parts open in index order. Events of a part that is not the open one wait in its queue; when the open part stops,
the next ones follow. Everything else passes; a terminal event first releases what waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    SignatureDelta,
    StreamEvent,
    TextDelta,
)

_PART_EVENTS = (TextDelta, ArgumentsDelta, SignatureDelta, CitationDelta, PartStop)


class Sequencer:
    """Feed it canonical events; it answers those that may be written now, with at most one part open."""

    __slots__ = ("_open", "_waiting")

    def __init__(self) -> None:
        self._open: int | None = None
        self._waiting: dict[int, list[StreamEvent]] = {}

    def feed(self, event: StreamEvent) -> Sequence[StreamEvent]:
        if isinstance(event, _PART_EVENTS):
            if event.index == self._open:
                if isinstance(event, PartStop):
                    self._open = None
                    return (event, *self._release()) if self._waiting else (event,)
                return (event,)
            queue = self._waiting.get(event.index)
            if queue is not None:
                queue.append(event)
            return ()
        if isinstance(event, PartStart):
            if self._open is None and not self._waiting:
                self._open = event.index
                return (event,)
            self._waiting[event.index] = [event]
            return ()
        if isinstance(event, (Finish, Failed)):
            return (*self._close_all(isinstance(event, Finish)), event)
        return (event,)

    def _release(self) -> list[StreamEvent]:
        out: list[StreamEvent] = []
        while self._open is None and self._waiting:
            index = next(iter(self._waiting))
            queue = self._waiting.pop(index)
            out.extend(queue)
            if not isinstance(queue[-1], PartStop):
                self._open = index
        return out

    def _close_all(self, complete: bool) -> list[StreamEvent]:
        """At the end every part is stopped; a failed answer shows what it has but claims no part complete."""
        out: list[StreamEvent] = []
        if not complete:
            return out
        while self._open is not None or self._waiting:
            if self._open is not None:
                out.append(PartStop(self._open))
                self._open = None
            out.extend(self._release())
        return out
