"""Inbound `messages` -> Turns: every role, every content part, calls and their results.

One message is one turn, except that tool messages in a row are the results of one user turn. Legacy function calls
have no ids: they get one made of the message's position, which stays the same when the history is sent again.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.ids import original
from llmswitch_core.canonical.model import (
    CacheControl,
    JsonValue,
    Opaque,
    Part,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.openai_chat.media import MEDIA_PART_TYPES, read_image, read_media
from llmswitch_core.protocols.openai_chat.members import (
    a_list,
    an_object,
    json_text,
    optional_text,
    text_of,
    word_of,
)
from llmswitch_core.protocols.openai_chat.reasoning_details import read_details

_CACHE_TTL: Final = {"30m": "1h", "12h": "1h"}
"""OpenAI's breakpoint lifetimes in the words the canonical model has."""

_SPOKEN: Final = frozenset({"role", "content", "tool_calls"})
"""Members of the assistant's messages that most clients send."""

_TEXT_TYPES: Final = frozenset({"text", "input_text", "output_text"})


def read_messages(value: JsonValue) -> list[Turn]:
    """Turns in order. Raises 400 for what is no list of messages."""
    messages = a_list(value, "messages")
    if not messages:
        raise invalid("messages must have at least one message.", param="messages")
    reader = _Reader()
    for position, message in enumerate(messages):
        if not (type(message) is dict and reader.take_plain(message)):
            path = f"messages[{position}]"
            reader.take(an_object(message, path), path, position)
    return reader.turns


class _Reader:
    """The turns so far, and the calls that still wait for a result."""

    __slots__ = ("_results", "_waiting", "turns")

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._waiting: dict[str, ToolCall] = {}
        self._results: Turn | None = None

    def take_plain(self, message: dict[str, Any]) -> bool:
        """Take a message that is nothing but a role and a text, or the text of a result: nine of ten are.

        False, with nothing taken, for any other; `take` reads them all.
        """
        content = message.get("content")
        if type(content) is not str or not content:
            return False
        role = message.get("role")
        if role == "tool":
            call_id = message.get("tool_call_id")
            if len(message) != 3 or type(call_id) is not str or not call_id:
                return False
            call_id = original(call_id)
            call = self._waiting.pop(call_id, None)
            self._answer(ToolResult(call_id, [Text(content)], kind="function" if call is None else call.kind))
            return True
        if len(message) != 2:
            return False
        if role == "user":
            turn = Turn("user", [Text(content)])
        elif role == "assistant":
            turn = Turn("assistant", [Text(content)])
            self._waiting = {}
        elif role == "system":
            turn = Turn("system", [Text(content)])
        else:
            return False
        self._results = None
        self.turns.append(turn)
        return True

    def take(self, message: dict[str, Any], path: str, position: int) -> None:
        role = word_of(message.get("role"))
        if role in {"tool", "function"}:
            self._result(message, path)
            return
        self._results = None
        if role == "assistant":
            self.turns.append(self._assistant(message, path, position))
        elif role == "user":
            parts = read_content(message.get("content"), f"{path}.content")
            self.turns.append(Turn("user", _message_cache(parts, message), name=_name(message)))
        elif role in {"system", "developer"}:
            parts = read_content(message.get("content"), f"{path}.content")
            turn = Turn("system", _message_cache(parts, message), developer=role == "developer", name=_name(message))
            self.turns.append(turn)
        else:
            raise invalid(
                f"{path}.role must be system, developer, user, assistant, tool or function.", param=f"{path}.role"
            )

    def _assistant(self, message: dict[str, Any], path: str, position: int) -> Turn:
        parts, signatures = self._said(message, path)
        calls = [
            _plain_call(call) or _read_call(call, f"{path}.tool_calls[{index}]")
            for index, call in enumerate(a_list(message.get("tool_calls"), f"{path}.tool_calls"))
        ]
        legacy = message.get("function_call")
        if legacy is not None and not calls:
            function = an_object(legacy, f"{path}.function_call")
            name = text_of(function.get("name"), f"{path}.function_call.name")
            calls = [ToolCall(f"call_function_{position}", name, json_text(function.get("arguments")))]
        for call in calls:
            call.signature = call.signature or signatures.get(call.id)
        self._waiting = {call.id: call for call in calls}
        return Turn("assistant", _message_cache([*parts, *calls], message), name=_name(message))

    def _said(self, message: dict[str, Any], path: str) -> tuple[list[Part], dict[str, str]]:
        """What an assistant's message holds beside its calls, and signatures by call id."""
        if message.keys() <= _SPOKEN:
            return read_content(message.get("content"), f"{path}.content"), {}
        thinking, signatures = _read_thinking(message)
        parts: list[Part] = [*thinking]
        content = read_content(message.get("content"), f"{path}.content")
        _add_annotations(content, message.get("annotations"))
        parts += content
        refusal = optional_text(message, "refusal", f"{path}.")
        if refusal is not None:
            parts.append(Refusal(refusal))
        for index, image in enumerate(a_list(message.get("images"), f"{path}.images")):
            entry = an_object(image, f"{path}.images[{index}]")
            parts.append(read_image(entry.get("image_url"), f"{path}.images[{index}].image_url"))
        if isinstance(message.get("audio"), dict):
            parts.append(Opaque(Protocol.OPENAI_CHAT, "audio", message["audio"]))
        return parts, signatures

    def _result(self, message: dict[str, Any], path: str) -> None:
        name = _name(message)
        call = self._call_of(message, name, path)
        content = read_content(message.get("content"), f"{path}.content")
        kind: Literal["function", "custom"] = call.kind if call is not None else "function"
        wire_id = message.get("tool_call_id")
        call_id = call.id if call is not None else original(wire_id) if isinstance(wire_id, str) else ""
        self._answer(ToolResult(call_id, content, name=name, kind=kind, cache=_read_cache(message)))

    def _answer(self, result: ToolResult) -> None:
        """Results in a row are one user turn."""
        if self._results is None:
            self._results = Turn("user", [])
            self.turns.append(self._results)
        self._results.parts.append(result)

    def _call_of(self, message: dict[str, Any], name: str | None, path: str) -> ToolCall | None:
        """The call this result answers: by id; without one (legacy) the first waiting one of that name, or of any."""
        call_id = optional_text(message, "tool_call_id", f"{path}.")
        if call_id is not None:
            return self._waiting.pop(original(call_id), None)
        for waiting in self._waiting.values():
            if name is None or waiting.name == name:
                return self._waiting.pop(waiting.id)
        return None


def read_content(value: JsonValue, path: str) -> list[Part]:
    """`content` as parts: null, "" and [] are none, a string is one text."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [Text(value)]
    if isinstance(value, dict):
        value = [value]
    parts: list[Part] = []
    for index, item in enumerate(a_list(value, path)):
        where = f"{path}[{index}]"
        if isinstance(item, str):
            parts += [Text(item)] if item else []
            continue
        part = _read_part(an_object(item, where), where)
        if part is not None:
            parts.append(part)
    return parts


def _read_part(part: dict[str, Any], path: str) -> Part | None:
    kind = word_of(part.get("type"))
    cache = _read_cache(part)
    if kind in _TEXT_TYPES or (not kind and "text" in part):
        text = part.get("text")
        if text is not None and not isinstance(text, str):
            raise invalid(f"{path}.text must be a string.", param=f"{path}.text")
        return Text(text, cache=cache) if text else None
    if kind in MEDIA_PART_TYPES:
        return read_media(part, path, cache)
    if kind == "refusal":
        text = optional_text(part, "refusal", f"{path}.")
        return Refusal(text) if text else None
    if kind == "thinking":
        text = thinking_text(part.get("thinking"))
        return Thinking(text) if text else None
    return Opaque(Protocol.OPENAI_CHAT, kind or "unknown", part)


def thinking_text(value: JsonValue) -> str:
    """Reasoning as a string or as a list of text parts (Mistral); anything else is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = [item.get("text") for item in value if isinstance(item, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return ""


def _read_thinking(message: dict[str, Any]) -> tuple[list[Thinking], dict[str, str]]:
    details, signatures = read_details(message.get("reasoning_details"))
    plain = thinking_text(message.get("reasoning_content")) or thinking_text(message.get("reasoning"))
    if plain and not any(part.text for part in details):
        details.insert(0, Thinking(plain))
    return details, signatures


def _plain_call(call: JsonValue) -> ToolCall | None:
    """A function call with nothing but the members every one has; None for any other."""
    if type(call) is not dict or len(call) != 3 or call.get("type") != "function":
        return None
    wire_id, function = call.get("id"), call.get("function")
    if type(wire_id) is not str or not wire_id or type(function) is not dict:
        return None
    name, arguments = function.get("name"), function.get("arguments")
    if type(name) is not str or not name or type(arguments) is not str:
        return None
    return ToolCall(original(wire_id), name, arguments)


def _read_call(value: JsonValue, path: str) -> ToolCall:
    call = an_object(value, path)
    wire_id = call.get("id")
    custom = call.get("custom")
    if call.get("type") == "custom" or (custom is not None and call.get("function") is None):
        box = an_object(custom, f"{path}.custom")
        name = text_of(box.get("name"), f"{path}.custom.name")
        tool_call = ToolCall("", name, json_text(box.get("input")), kind="custom")
    else:
        box = an_object(call.get("function"), f"{path}.function")
        name = text_of(box.get("name"), f"{path}.function.name")
        tool_call = ToolCall("", name, json_text(box.get("arguments")))
    tool_call.id = original(text_of(wire_id, f"{path}.id"))
    tool_call.signature = google_signature(call)
    tool_call.cache = _read_cache(call)
    return tool_call


def google_signature(call: dict[str, Any]) -> str | None:
    """The thoughtSignature Gemini's own Chat Completions layer puts on a call (`extra_content.google`)."""
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) and signature else None


def _read_cache(holder: dict[str, Any]) -> CacheControl | None:
    control = holder.get("cache_control")
    if isinstance(control, dict):
        kind, ttl = control.get("type"), control.get("ttl")
        return CacheControl(kind if isinstance(kind, str) else "ephemeral", ttl if isinstance(ttl, str) else None)
    point = holder.get("prompt_cache_breakpoint")
    if isinstance(point, dict):
        ttl = point.get("ttl")
        return CacheControl(ttl=_CACHE_TTL.get(ttl) if isinstance(ttl, str) else None)
    return None


def _message_cache(parts: list[Part], message: dict[str, Any]) -> list[Part]:
    """A breakpoint on the message itself stands behind its last part."""
    cache = _read_cache(message)
    if cache is not None and parts:
        last = parts[-1]
        if isinstance(last, Text | ToolCall) and last.cache is None:
            last.cache = cache
    return parts


def _add_annotations(parts: list[Part], annotations: JsonValue) -> None:
    if isinstance(annotations, list) and annotations:
        for part in reversed(parts):
            if isinstance(part, Text):
                part.citations = list(annotations)
                return


def _name(message: dict[str, Any]) -> str | None:
    name = message.get("name")
    return name if isinstance(name, str) and name else None
