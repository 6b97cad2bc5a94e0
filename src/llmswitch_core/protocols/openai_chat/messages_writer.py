"""Turns -> `messages`: what each role may hold on this wire, and where the rest goes.

Rules: results first, one `tool` message each, in order; media this wire cannot hold where they stand (in tool results,
on assistant messages) go into the next user message; a message that would be empty is not written. Turn legality
(pairing, orphans) is governance's work and is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.custom import wrap_input
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    Conversation,
    Media,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    tag_of,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_chat.features import Features
from llmswitch_core.protocols.openai_chat.media import data_url, write_media
from llmswitch_core.protocols.openai_chat.reasoning_details import write_details

_SEE_NEXT: Final = "The media of this result are in the next user message."


def write_messages(
    conversation: Conversation, names: WireNames, features: Features, notes: Notes
) -> list[dict[str, Any]]:
    """The whole history. Raises GatewayError for media that cannot be sent in any form."""
    writer = _Writer(names, features, notes)
    turns = conversation.turns
    if not features.own_protocol:
        turns = _joined(turns, merge_system=features.flag("merge_system", not features.flag("developer_role", False)))
    segments = _segments_with_calls(turns)
    for turn, in_tool_segment in zip(turns, segments, strict=True):
        if turn.role == "assistant":
            writer.assistant(turn, in_tool_segment)
        elif turn.role == "system":
            writer.system(turn)
        else:
            writer.user(turn)
    writer.flush()
    return writer.messages


def _joined(turns: Sequence[Turn], *, merge_system: bool) -> list[Turn]:
    """Assistant turns in a row as one (calls must stand next to their results), the leading system turns if wanted."""
    out: list[Turn] = []
    for turn in turns:
        last = out[-1] if out else None
        leading = merge_system and len(out) == 1
        mergeable = turn.role == "assistant" or (turn.role == "system" and leading)
        if last is not None and last.role == turn.role and mergeable:
            out[-1] = Turn(turn.role, [*last.parts, *turn.parts], last.developer and turn.developer, last.name)
        else:
            out.append(turn)
    return out


def _segments_with_calls(turns: Sequence[Turn]) -> list[bool]:
    """For each turn: does the assistant call a tool between the user's word before it and the one after it?"""
    flags = [False] * len(turns)
    begin = 0
    for position in range(len(turns) + 1):
        ends = position == len(turns) or (
            turns[position].role == "user" and any(not isinstance(p, ToolResult) for p in turns[position].parts)
        )
        if ends:
            called = any(isinstance(p, ToolCall) for turn in turns[begin:position] for p in turn.parts)
            flags[begin:position] = [called] * (position - begin)
            begin = position
    return flags


class _Writer:
    """Messages so far, and the media that wait for a user message."""

    __slots__ = ("_features", "_homeless", "_mid_system", "_names", "_notes", "_parts_allowed", "_spoken", "messages")

    def __init__(self, names: WireNames, features: Features, notes: Notes) -> None:
        self.messages: list[dict[str, Any]] = []
        self._names = names
        self._features = features
        self._notes = notes
        self._homeless: list[dict[str, Any]] = []
        self._spoken = False
        self._parts_allowed = features.flag("text_parts", features.own_protocol)
        self._mid_system = features.flag("mid_system", True)

    # system ------------------------------------------------------------------------------------------

    def system(self, turn: Turn) -> None:
        parts = self._content(turn.parts)
        if not parts:
            return
        if self._spoken and not self._mid_system:
            self._notes.mapped("system")
            role = "user"
        else:
            role = "developer" if turn.developer and self._features.flag("developer_role", False) else "system"
        self._append(role, self._collapsed(parts, "\n\n"), turn.name)

    # user --------------------------------------------------------------------------------------------

    def user(self, turn: Turn) -> None:
        self._spoken = True
        spoken: list[Part] = []
        for part in turn.parts:
            if isinstance(part, ToolResult):
                self._result(part)
            else:
                spoken.append(part)
        content = self._content(spoken)
        if self._homeless:
            content = [*self._homeless, *content]
            self._homeless = []
        if content:
            self._append("user", self._collapsed(content, "\n\n"), turn.name)

    def flush(self) -> None:
        """Media that found no later user message get one of their own."""
        if self._homeless:
            self._append("user", self._homeless, None)
            self._homeless = []

    def _result(self, result: ToolResult) -> None:
        texts: list[dict[str, Any]] = []
        media = [part for part in result.content if isinstance(part, Media) and part.text is None]
        opaque: list[Opaque] = []
        for part in result.content:
            if isinstance(part, Opaque) and part.protocol is not Protocol.OPENAI_CHAT:
                opaque.append(part)
            elif not (isinstance(part, Media) and part.text is None):
                texts += self._content([part])
        if not result.content and result.structured is not None:
            texts = [{"type": "text", "text": jsonio.encode(result.structured).decode()}]
        for part in opaque:
            if texts or media:
                self._notes.dropped(of("opaque", part.label))
            else:
                # A result of nothing but foreign references would read as "nothing found".
                texts.append({"type": "text", "text": jsonio.encode(part.wire).decode()})
                self._notes.mapped(of("opaque", part.label))
                media = []
        if media:
            self._notes.mapped("tool_result.media")
            label = f"Media of the result of tool call {portable(result.call_id)}:"
            self._homeless.append({"type": "text", "text": label})
            self._homeless += [write_media(item, self._features, self._notes) for item in media]
            if not texts:
                texts = [{"type": "text", "text": _SEE_NEXT}]
        if result.is_error:
            self._notes.dropped("tool_result.is_error")
        message = {"role": "tool", "tool_call_id": portable(result.call_id)}
        collapsed = self._collapsed(texts, "\n") if texts else ""
        if result.cache is not None:
            holder = collapsed[-1] if isinstance(collapsed, list) else message
            self._features.add_cache(holder, result.cache, "tool_result.cache", self._notes)
        self.messages.append({**message, "content": collapsed})

    # assistant ---------------------------------------------------------------------------------------

    def assistant(self, turn: Turn, in_tool_segment: bool) -> None:
        self._spoken = True
        message: dict[str, Any] = {"role": "assistant"}
        if turn.name:
            message["name"] = turn.name
        if turn.phase is not None:
            self._notes.dropped("phase")
        calls = [self._call(part) for part in turn.parts if isinstance(part, ToolCall)]
        images = [part for part in turn.parts if isinstance(part, Media)]
        refusals = [part.text for part in turn.parts if isinstance(part, Refusal)]
        texts: list[Part] = []
        for part in turn.parts:
            if isinstance(part, Text | Opaque):
                texts.append(part)
            elif isinstance(part, Refusal) and not self._features.own("refusal"):
                self._notes.mapped("refusal")
                texts.append(Text(part.text))
        audio = [
            p for p in texts if isinstance(p, Opaque) and p.label == "audio" and p.protocol is Protocol.OPENAI_CHAT
        ]
        content = self._content([part for part in texts if part not in audio])
        message["content"] = self._collapsed(content, "") if content else None
        if refusals and self._features.own("refusal"):
            message["refusal"] = "".join(refusals)
        for part in audio:
            message["audio"] = part.wire
        self._thinking([p for p in turn.parts if isinstance(p, Thinking)], message, bool(calls), in_tool_segment)
        self._annotations(turn, message)
        if images:
            self._assistant_images(images, message)
        if calls:
            message["tool_calls"] = calls
        if content or calls or "refusal" in message or "images" in message or "audio" in message:
            self.messages.append(message)

    def _thinking(
        self, thinking: list[Thinking], message: dict[str, Any], has_calls: bool, in_tool_segment: bool
    ) -> None:
        features = self._features
        mode = features.get("reasoning_content", "echo" if features.own_protocol else False)
        field = features.get("reasoning_content_field", "reasoning_content")
        wanted = mode == "echo" or (mode == "after_tool_call" and in_tool_segment)
        text = "\n\n".join(part.text for part in thinking if part.text)
        if wanted:
            if text:
                message[field] = text
            elif has_calls:
                placeholder = features.get("reasoning_content_placeholder", None)
                if placeholder is not None:
                    message[field] = placeholder
                    self._notes.repaired("thinking")
        elif text and mode is False:
            self._notes.dropped("thinking")
        if features.flag("reasoning_details", features.own_protocol):
            details = write_details(thinking)
            if details:
                message["reasoning_details"] = details
                return
        for part in thinking:
            if part.signature is not None:
                self._notes.dropped("thinking.signature")
            if part.redacted is not None:
                self._notes.dropped("thinking.redacted")

    def _call(self, call: ToolCall) -> dict[str, Any]:
        name = self._names.wire(call.name, call.namespace)
        wire: dict[str, Any] = {"id": portable(call.id), "type": "function"}
        if call.kind == "custom" and self._features.own("custom_tools"):
            wire["type"] = "custom"
            wire["custom"] = {"name": name, "input": call.arguments}
        else:
            arguments = wrap_input(call.arguments) if call.kind == "custom" else call.arguments or "{}"
            wire["function"] = {"name": name, "arguments": arguments}
        if call.signature is not None:
            if self._features.flag("thought_signatures", self._features.own_protocol):
                wire["extra_content"] = {"google": {"thought_signature": call.signature}}
            else:
                self._notes.dropped("tool_call.signature")
        if call.cache is not None:
            self._features.add_cache(wire, call.cache, "tool_call.cache", self._notes)
        return wire

    def _annotations(self, turn: Turn, message: dict[str, Any]) -> None:
        citations = [item for part in turn.parts if isinstance(part, Text) for item in part.citations or ()]
        if citations and self._features.own_protocol:
            message["annotations"] = citations
        elif citations:
            self._notes.dropped("text.citations")

    def _assistant_images(self, images: list[Media], message: dict[str, Any]) -> None:
        if self._features.own("assistant_images") and all(data_url(image) for image in images):
            message["images"] = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
            return
        self._notes.mapped("assistant.media")
        self._homeless.append({"type": "text", "text": "Media the assistant made:"})
        self._homeless += [write_media(image, self._features, self._notes) for image in images]

    # shared ------------------------------------------------------------------------------------------

    def _content(self, parts: Sequence[Part]) -> list[dict[str, Any]]:
        """Texts, media and own opaque parts as a part list; what this wire does not know is noted."""
        out: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Text):
                if not part.text:
                    continue
                wire: dict[str, Any] = {"type": "text", "text": part.text}
                if part.cache is not None:
                    self._features.add_cache(wire, part.cache, "text.cache", self._notes)
                if part.signature is not None:
                    self._notes.dropped("text.signature")
                out.append(wire)
            elif isinstance(part, Media):
                out.append(write_media(part, self._features, self._notes))
            elif isinstance(part, Refusal):
                out.append({"type": "text", "text": part.text})
            elif isinstance(part, Opaque):
                if part.protocol is Protocol.OPENAI_CHAT:
                    out.append(part.wire)
                else:
                    self._notes.dropped(of("opaque", part.label))
            else:
                self._notes.dropped(of("user", tag_of(part)))
        return out

    def _collapsed(self, parts: list[dict[str, Any]], joint: str) -> str | list[dict[str, Any]]:
        """A plain string where the parts are plain text: every relative takes it, not every one takes a list."""
        plain = all(part.keys() == {"type", "text"} and part["type"] == "text" for part in parts)
        if plain and (len(parts) == 1 or not self._parts_allowed):
            return joint.join(part["text"] for part in parts)
        return parts

    def _append(self, role: str, content: str | list[dict[str, Any]], name: str | None) -> None:
        message: dict[str, Any] = {"role": role, "content": content}
        if name:
            message["name"] = name
        self.messages.append(message)
