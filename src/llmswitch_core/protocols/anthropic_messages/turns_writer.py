"""Turns -> `system` and `messages`: where system text goes, and which turns become one message.

The leading system turns are the `system` blocks. Later ones are `role:"system"` messages where the target takes them,
else user text inside `<system-reminder>` tags, the form Claude models are used to from Claude Code (MP-18). Adjacent
turns of one role are one message, results first, as the API wants them directly behind their calls (MP-05).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import JsonValue, Opaque, Part, Protocol, Turn
from llmswitch_core.protocols.anthropic_messages.content_writer import Block, ContentWriter
from llmswitch_core.protocols.anthropic_messages.request_reader import MESSAGE_OPTIONS
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of

REMINDER: Final = "<system-reminder>\n{}\n</system-reminder>"
OPENING: Final = "(The conversation begins with the assistant.)"


class Placed(msgspec.Struct):
    """A request's `system` blocks and `messages`."""

    system: list[Block]
    messages: list[Block]


class TurnsWriter:
    """Places the turns of one request."""

    __slots__ = ("_as_role", "_content", "_native", "_notes")

    def __init__(self, content: ContentWriter, mid_system_role: bool, native: bool, notes: Notes) -> None:
        self._content = content
        self._as_role = mid_system_role
        self._native = native
        self._notes = notes

    def place(self, turns: Sequence[Turn]) -> Placed:
        """Raises GatewayError(INVALID_REQUEST) for a conversation in which nobody says anything."""
        lead = 0
        while lead < len(turns) and turns[lead].role == "system":
            lead += 1
        system: list[Block] = []
        for turn in turns[:lead]:
            parts, options = split_options(turn.parts)
            if options:
                self._notes.dropped(of("opaque", MESSAGE_OPTIONS))
            system.extend(self._content.texts(parts))
        messages: list[Block] = []
        for turn in turns[lead:]:
            self._add(turn, messages)
        if not self._native:
            messages = self._legal(messages)
            if not messages and system:
                # A request of system text alone: the API wants a message, so the last block asks.
                messages = [{"role": "user", "content": [system.pop()]}]
                self._notes.mapped("system")
        if not messages:
            raise invalid("The conversation has no message with content.", param="messages")
        return Placed(system, messages)

    def _add(self, turn: Turn, messages: list[Block]) -> None:
        if turn.name is not None:
            self._notes.dropped("messages.name")
        if turn.phase is not None:
            self._notes.dropped("phase")
        parts, options = split_options(turn.parts)
        if turn.role == "system":
            self._add_system(parts, options, messages)
            return
        blocks = self._content.assistant(parts) if turn.role == "assistant" else self._content.user(parts)
        self._append(turn.role, blocks, options, messages)

    def _add_system(self, parts: list[Part], options: dict[str, JsonValue], messages: list[Block]) -> None:
        blocks = self._content.texts(parts)
        if self._as_role:
            if blocks or options:
                messages.append({"role": "system", "content": blocks, **options})
            return
        if options:
            self._notes.dropped(of("opaque", MESSAGE_OPTIONS))
        wrapped: list[Block] = []
        for block in blocks:
            if block.get("type") == "text":
                wrapped.append({**block, "text": REMINDER.format(block["text"])})
            else:
                self._notes.dropped(of("opaque", str(block.get("type"))))
        if wrapped:
            self._notes.mapped("system")
        self._append("user", wrapped, {}, messages)

    def _append(self, role: str, blocks: list[Block], options: dict[str, JsonValue], messages: list[Block]) -> None:
        if not blocks:
            return
        last = messages[-1] if messages else None
        if last is not None and last["role"] == role and not options and last.keys() == {"role", "content"}:
            last["content"].extend(blocks)
        else:
            messages.append({"role": role, "content": blocks, **options})

    def _legal(self, messages: list[Block]) -> list[Block]:
        for message in messages:
            if message["role"] == "user":
                message["content"].sort(key=_results_first)
        if messages and messages[0]["role"] == "assistant":
            messages.insert(0, {"role": "user", "content": [{"type": "text", "text": OPENING}]})
            self._notes.repaired("messages")
        if messages and messages[-1]["role"] == "assistant":
            _trim_end(messages[-1]["content"])
            if not messages[-1]["content"]:
                messages.pop()
        return messages


def split_options(parts: Sequence[Part]) -> tuple[list[Part], dict[str, JsonValue]]:
    """A turn's content, and the members its message had beside it."""
    content: list[Part] = []
    options: dict[str, JsonValue] = {}
    for part in parts:
        if isinstance(part, Opaque) and part.label == MESSAGE_OPTIONS and part.protocol is Protocol.ANTHROPIC_MESSAGES:
            options.update(part.wire)
        else:
            content.append(part)
    return content, options


def _results_first(block: Block) -> bool:
    return block.get("type") != "tool_result"


def _trim_end(blocks: list[Block]) -> None:
    """The API refuses a final assistant message whose text ends in white space."""
    if blocks and blocks[-1].get("type") == "text":
        text = blocks[-1]["text"].rstrip()
        if text:
            blocks[-1] = {**blocks[-1], "text": text}
        else:
            blocks.pop()
