"""Invariants of conversations and of answer streams, counted on every request (design: rollout.md §2).

A violation is a short stable string. *Introduced* ones are those of the output minus those of the input, after ids
have been renamed by first appearance, so that a client's own broken history never counts against the gateway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
)
from llmswitch_core.canonical.model import Conversation, FinishReason, ToolCall, ToolResult

_DELTAS: Final = (TextDelta, ArgumentsDelta, SignatureDelta, CitationDelta)
_SAYS_OF_CALLS: Final = (FinishReason.TOOL_CALLS, FinishReason.STOP)


def of_conversation(conversation: Conversation) -> tuple[str, ...]:
    """Pairing violations, ids renamed `t1`, `t2` … by first appearance, in the order in which they are met."""
    found: list[str] = []
    alias: dict[str, str] = {}
    open_calls: dict[str, ToolCall] = {}
    seen: set[str] = set()
    for turn in conversation.turns:
        calls_here: list[str] = []
        for part in turn.parts:
            if isinstance(part, ToolCall):
                name = alias.get(part.id) or alias.setdefault(part.id, f"t{len(alias) + 1}")
                if not part.id:
                    found.append("call_without_id")
                elif part.id in seen:
                    found.append(f"duplicate_call:{name}")
                if not part.name:
                    found.append(f"call_without_name:{name}")
                if part.kind == "function" and not _parses(part.arguments):
                    found.append(f"bad_arguments:{name}")
                seen.add(part.id)
                calls_here.append(part.id)
                open_calls[part.id] = part
            elif isinstance(part, ToolResult):
                name = alias.get(part.call_id) or alias.setdefault(part.call_id, f"t{len(alias) + 1}")
                if part.call_id not in open_calls:
                    what = "duplicate_result" if part.call_id in seen else "orphan_result"
                    found.append(f"{what}:{name}")
                open_calls.pop(part.call_id, None)
        if turn.role == "assistant" and not calls_here and open_calls:
            found.extend(f"unanswered_call:{alias[call_id]}" for call_id in open_calls)
            open_calls.clear()
    found.extend(f"unanswered_call:{alias[call_id]}" for call_id in open_calls)
    return tuple(found)


def introduced(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """What `after` has more of than `before`.

    A repair (an orphan that became text, a repeated id that got a number) moves the names of all that follow, so a
    violation under a new name that is gone under an old one is the same.
    """
    had, has = Counter(before), Counter(after)
    gone = Counter(_kind(violation) for violation in (had - has).elements())
    new: list[str] = []
    for violation in (has - had).elements():
        kind = _kind(violation)
        if gone[kind] > 0:
            gone[kind] -= 1
        else:
            new.append(violation)
    return tuple(new)


def _kind(violation: str) -> str:
    return violation.partition(":")[0]


def _parses(arguments: str) -> bool:
    if arguments == "":
        return True
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False


class AnswerJudge:
    """Watches one answer's canonical events for breaches of the stream grammar; a few dict operations an event."""

    __slots__ = ("_ended", "_open", "calls", "violations")

    def __init__(self) -> None:
        self._open: dict[int, str] = {}
        self._ended = False
        self.calls = 0
        self.violations: list[str] = []

    def see(self, event: StreamEvent) -> None:
        """Take one event in, in order."""
        if self._ended:
            self.violations.append("event_after_end")
            return
        if isinstance(event, _DELTAS):
            if event.index not in self._open:
                self.violations.append("delta_outside_part")
        elif isinstance(event, PartStart):
            if event.index in self._open:
                self.violations.append("part_started_twice")
            self._open[event.index] = event.kind
            if event.kind == "tool_call":
                self.calls += 1
                if not event.name:
                    self.violations.append("call_without_name")
        elif isinstance(event, PartStop):
            if self._open.pop(event.index, None) is None:
                self.violations.append("stop_without_start")
        elif isinstance(event, Finish):
            self._ended = True
            if self._open:
                self.violations.append("finish_with_open_part")
            if (event.reason is FinishReason.TOOL_CALLS) is not (self.calls > 0) and event.reason in _SAYS_OF_CALLS:
                self.violations.append("finish_reason_contradicts_calls")
        elif isinstance(event, Failed):
            self._ended = True
        elif isinstance(event, Start):
            return
