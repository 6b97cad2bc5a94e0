"""Turns -> input items.

Knows how each part looks as an item of this wire and which parts of foreign origin it has no place for. Turns come
in legal order (governance); what is left to do is shape: one item per call and result, text and media of a turn
gathered into messages, nothing empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_responses import client_tools
from llmswitch_core.protocols.openai_responses.content import is_content, write_input
from llmswitch_core.protocols.openai_responses.tools import ToolWriter

_R = Protocol.OPENAI_RESPONSES


class ItemWriter:
    """`write()` once; then `instructions`, `items` and `top_tools` (those that belong into `tools`)."""

    def __init__(
        self, conversation: Conversation, tools: ToolWriter, features: Mapping[str, Any], notes: Notes
    ) -> None:
        self.items: list[dict[str, Any]] = []
        self.instructions: str | None = None
        self.top_tools: Sequence[Tool] = conversation.tools
        self._conversation = conversation
        self._same = conversation.protocol is _R
        self._tools = tools
        self._notes = notes
        self._instructions = features.get("instructions", True) is not False
        self._developer = features.get("developer_role", True) is not False
        self._reasoning_text = features.get("reasoning_text", False) is True
        self._breakpoints = features.get("prompt_cache_breakpoint", self._same) is True
        self._audio = features.get("audio_input", self._same) is True
        self._media_results = features.get("tool_result_media", True) is not False
        self._typed_calls: dict[str, client_tools.ClientTool] = {}

    def write(self) -> None:
        turns = self._conversation.turns
        first = 0
        if self._instructions and turns and _is_instructions(turns[0]):
            self.instructions = "\n\n".join(p.text for p in turns[0].parts if isinstance(p, Text) and p.text) or None
            if any(isinstance(p, Text) and p.cache is not None for p in turns[0].parts):
                self._notes.dropped("text.cache")
            first = 1
        brought = self._brought()
        for index in range(first, len(turns)):
            self._bring(brought, index)
            turn = turns[index]
            if turn.role == "assistant":
                self._assistant(turn)
            elif turn.role == "user":
                self._user(turn)
            else:
                role = "developer" if turn.developer and self._developer else "system"
                self._message(role, turn.parts, turn)
        self._bring(brought, None)
        self._drop_unfollowed()
        if not self.items and first and not self._same:
            # A request of system text alone: this wire wants some input.
            self.instructions = None
            self._message("system", turns[0].parts)

    def _drop_unfollowed(self) -> None:
        """Reasoning that nothing of the assistant follows is refused by the vendor, and explains nothing."""
        kept: list[dict[str, Any]] = []
        followed = False
        for item in reversed(self.items):
            kind = item.get("type")
            if kind == "reasoning" and not followed:
                self._notes.dropped("thinking")
                continue
            kept.append(item)
            if kind == "message":
                followed = item.get("role") == "assistant"
            elif kind not in _NEUTRAL:
                followed = not str(kind).endswith("_output")
        kept.reverse()
        self.items = kept

    # tools that came as items ---------------------------------------------------------------------------

    def _brought(self) -> list[tuple[int, dict[str, Any]]]:
        """The tool items to restore; with an edited tool list (or a foreign target) all tools go to the top."""
        conversation = self._conversation
        count = sum(item.count for item in conversation.tool_items)
        if not self._same or count > len(conversation.tools) or not (self._tools.namespaces and self._tools.custom):
            return []
        self.top_tools = conversation.tools[: len(conversation.tools) - count]
        return [(item.at, dict(item.wire)) for item in conversation.tool_items if isinstance(item.wire, dict)]

    def _bring(self, brought: list[tuple[int, dict[str, Any]]], index: int | None) -> None:
        while brought and (index is None or brought[0][0] <= index):
            self.items.append(brought.pop(0)[1])

    # messages ------------------------------------------------------------------------------------------------

    def _message(self, role: str, parts: Sequence[Part], turn: Turn | None = None) -> None:
        content = write_input(parts, self._notes, breakpoints=self._breakpoints, audio=self._audio)
        if not content:
            return
        message: dict[str, Any] = {"type": "message", "role": role, "content": content}
        self._identify(message, turn)
        self.items.append(message)

    def _identify(self, message: dict[str, Any], turn: Turn | None) -> None:
        if turn is None:
            return
        if not self._same:
            if turn.name is not None:
                self._notes.dropped("messages.name")
            return
        if _is_id(turn.item_id, "msg"):
            message["id"] = turn.item_id
        if turn.phase:
            message["phase"] = turn.phase
        if turn.name:
            message["name"] = turn.name
        message.update(turn.options or {})

    def _user(self, turn: Turn) -> None:
        content: list[Part] = []
        rehomed: list[Part] = []
        whose: Turn | None = turn
        for part in turn.parts:
            if not isinstance(part, ToolResult) and not _is_item(part):
                content.append(part)
                continue
            self._message("user", content, whose)
            content, whose = [], None if content else whose
            if isinstance(part, ToolResult):
                rehomed.extend(self._result(part))
            elif isinstance(part, Opaque):
                self._opaque(part)
        self._message("user", rehomed)
        self._message("user", content, whose)

    # the assistant's parts ---------------------------------------------------------------------------------------

    def _assistant(self, turn: Turn) -> None:
        content: list[dict[str, Any]] = []
        media: list[Part] = []
        whose: Turn | None = turn
        for part in turn.parts:
            if isinstance(part, Text | Refusal):
                if part.text:
                    content.append(self._said(part))
                continue
            if isinstance(part, Opaque) and is_content(part.label) and part.protocol is _R:
                content.append(dict(part.wire))
                continue
            if content:
                self._say(content, whose)
                content, whose = [], None
            if isinstance(part, Thinking):
                self._thinking(part)
            elif isinstance(part, ToolCall):
                self._call(part)
            elif isinstance(part, Opaque):
                self._opaque(part)
            elif isinstance(part, Media):
                media.append(part)
                self._notes.mapped("assistant.media")
        if content:
            self._say(content, whose)
        # The assistant cannot show pictures on this wire: they follow as something the user shows.
        self._message("user", media)

    def _say(self, content: list[dict[str, Any]], turn: Turn | None) -> None:
        message: dict[str, Any] = {"type": "message", "role": "assistant", "content": content}
        self._identify(message, turn)
        if "id" in message:
            message["status"] = "completed"
        self.items.append(message)

    def _said(self, part: Text | Refusal) -> dict[str, Any]:
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        said: dict[str, Any] = {"type": "output_text", "text": part.text}
        if part.cache is not None:
            self._notes.dropped("text.cache")
        if self._same:
            said["annotations"] = part.citations or []
        elif part.citations:
            self._notes.dropped("text.citations")
        if part.signature is not None:
            self._notes.dropped("text.signature")
        return said

    def _thinking(self, part: Thinking) -> None:
        if isinstance(part.wire, dict) and part.origin in (None, _R) and part.wire.get("type") == "reasoning":
            item = {key: value for key, value in part.wire.items() if key != "encrypted_content"}
            if part.id is None or not _is_id(item.get("id"), "rs"):
                item.pop("id", None)
            if part.signature is not None:
                item["encrypted_content"] = part.signature
            self.items.append(item)
            return
        # A Gemini client has one slot for every vendor's token; governance has let only those through that are ours.
        lodged = part.origin is Protocol.GEMINI and self._conversation.protocol is Protocol.GEMINI
        if part.signature is not None and (part.origin is _R or lodged):
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            item = {"type": "reasoning", "summary": summary, "encrypted_content": part.signature}
            if _is_id(part.id, "rs"):
                item["id"] = part.id
            self.items.append(item)
            return
        if part.signature is not None or part.redacted is not None:
            self._notes.dropped("thinking.signature")
        if part.text and self._reasoning_text:
            text = {"type": "reasoning_text", "text": part.text}
            self.items.append({"type": "reasoning", "summary": [], "content": [text]})
            if part.origin is not None:
                self._notes.mapped("thinking")
        elif part.text:
            # Reasoning without its vendor's token is refused by the vendor, and useless to it.
            self._notes.dropped("thinking")

    def _call(self, call: ToolCall) -> None:
        if call.signature is not None:
            self._notes.dropped("tool_call.signature")
        item_id = call.item_id if self._same else None
        typed = self._tools.typed.get(call.name) if call.namespace is None and call.kind == "function" else None
        if typed is not None:
            self._typed_calls[call.id] = typed
            self.items.append(client_tools.write_call(typed, call.id, item_id, call.arguments, "completed"))
            return
        name, namespace = self._tools.name(call.name, call.namespace)
        item: dict[str, Any]
        if call.kind == "custom" and self._tools.custom:
            item = {"type": "custom_tool_call", "call_id": portable(call.id), "name": name, "input": call.arguments}
        else:
            arguments = wrap_input(call.arguments) if call.kind == "custom" else call.arguments or "{}"
            item = {"type": "function_call", "call_id": portable(call.id), "name": name, "arguments": arguments}
        if namespace is not None:
            item["namespace"] = namespace
        if _is_id(item_id, "ctc" if item["type"] == "custom_tool_call" else "fc"):
            item["id"] = item_id
            item["status"] = "completed"
        if self._same:
            item.update(call.options or {})
        self.items.append(item)

    # results and the rest ------------------------------------------------------------------------------------------

    def _result(self, result: ToolResult) -> list[Part]:
        """Write one result; the answer is media that must follow in a message of the user."""
        if result.cache is not None:
            self._notes.dropped("tool_result.cache")
        if result.is_error and not self._same:
            self._notes.dropped("tool_result.is_error")
        typed = self._typed_calls.get(result.call_id)
        if typed is not None:
            self.items.append(client_tools.write_output(typed, result))
            return []
        rehomed: list[Part] = []
        content = result.content
        if not self._media_results and any(isinstance(part, Media) for part in content):
            rehomed = [part for part in content if isinstance(part, Media)]
            content = [part for part in content if not isinstance(part, Media)]
            self._notes.mapped("tool_result.media")
        kind = "custom_tool_call_output" if result.kind == "custom" and self._tools.custom else "function_call_output"
        item: dict[str, Any] = {
            "type": kind,
            "call_id": portable(result.call_id),
            "output": self._output(result, content),
        }
        if self._same and _is_id(result.item_id, ""):
            item["id"] = result.item_id
        if self._same:
            item.update(result.options or {})
        self.items.append(item)
        return rehomed

    def _output(self, result: ToolResult, content: Sequence[Part]) -> Any:
        parts = write_input(content, self._notes, breakpoints=self._breakpoints, audio=self._audio)
        if not parts:
            if result.structured is not None:
                return jsonio.encode(result.structured).decode()
            return "The tool failed without a message." if result.is_error else ""
        if len(parts) == 1 and parts[0].get("type") == "input_text" and len(parts[0]) == 2:
            return parts[0]["text"]
        return parts

    def _opaque(self, part: Opaque) -> None:
        if part.protocol is _R and isinstance(part.wire, dict):
            self.items.append(dict(part.wire))
        else:
            self._notes.dropped(of("opaque", part.label))


_NEUTRAL = frozenset({"reasoning", "additional_tools"})
"""Items that do not change whether what stands before them is followed."""


def _is_id(item_id: Any, prefix: str) -> bool:
    """An item id the vendor accepts; other servers' ids may have any form, and none is as good to them."""
    return isinstance(item_id, str) and 0 < len(item_id) <= 64 and item_id.startswith(prefix)


def _is_instructions(turn: Turn) -> bool:
    """A leading system turn that `instructions` can hold without loss."""
    return (
        turn.role == "system"
        and not turn.developer
        and turn.item_id is None
        and turn.name is None
        and all(isinstance(part, Text) for part in turn.parts)
    )


def _is_item(part: Part) -> bool:
    return isinstance(part, Opaque) and part.protocol is _R and not is_content(part.label)
