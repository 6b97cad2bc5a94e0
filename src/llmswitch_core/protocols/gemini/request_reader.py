"""An inbound generateContent / streamGenerateContent / countTokens request -> Conversation.

Knows the request's turns; tools and settings are read by `settings_reader`. Tolerant as Google's own front end is:
camelCase and snake_case, a bare string or part or content for `contents`, a missing role, missing call ids.

Calls without an id get one made of their position (`rcg_{content}_{part}`), which is the same on every turn of a
growing history; a response without an id belongs to the first unanswered call of its name, else to the first
unanswered call at all that has an invented id and no other answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, Literal

from llmswitch_core.canonical import ids, jsonio
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    JsonValue,
    Media,
    Opaque,
    Part,
    Protocol,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.gemini import wire
from llmswitch_core.protocols.gemini.media import media_of
from llmswitch_core.protocols.gemini.settings_reader import read_settings

_ROLES: Final[dict[str, Literal["system", "user", "assistant"]]] = {
    "user": "user",
    "model": "assistant",
    "assistant": "assistant",
    "function": "user",
    "tool": "user",
    "system": "system",
}
_PART_KEYS: Final = frozenset(
    {"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"}
)
_RESPONSE_KEYS: Final = frozenset({"id", "name", "response", "parts"})


def read_request(head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
    """Body and path -> Conversation. Raises invalid_request naming the member that makes no sense."""
    where = wire.address(head.path)
    top = wire.camel_keys(body)
    inner = top.get("generateContentRequest")
    if where.operation == wire.COUNT and isinstance(inner, dict):
        top = wire.camel_keys(inner)
    if where.operation != wire.COUNT and top.get("contents") in (None, []):
        raise invalid("`contents` must hold at least one content.", param="contents")
    conversation = Conversation(
        protocol=Protocol.GEMINI,
        model=where.model,
        turns=_system(top.get("systemInstruction")) + _Contents().read(top.get("contents")),
        stream=where.operation == wire.STREAM,
        framing="json-array" if where.operation == wire.STREAM and head.query.get("alt") != "sse" else "sse",
    )
    read_settings(top, conversation)
    return conversation


def _system(value: JsonValue) -> list[Turn]:
    """`systemInstruction` as a string, a part, a content, or a list of those: one leading system turn."""
    if value is None:
        return []
    parts: list[Part] = []
    for entry in value if isinstance(value, list) else [value]:
        for raw in _parts_of(entry, "systemInstruction"):
            part = _plain_part(wire.camel_keys(raw), raw)
            if not isinstance(part, Text) or part.text:
                parts.append(part)
    return [Turn("system", parts)] if parts else []


def _parts_of(entry: JsonValue, path: str) -> list[dict[str, JsonValue]]:
    """The raw parts of a content in any of its shapes."""
    if isinstance(entry, str):
        return [{"text": entry}]
    if not isinstance(entry, dict):
        raise invalid(f"`{path}` must hold contents.", param=path)
    parts = entry.get("parts")
    if parts is None:
        return [entry] if _PART_KEYS.intersection(wire.camel_keys(entry)) else []
    out: list[dict[str, JsonValue]] = []
    for position, part in enumerate(parts if isinstance(parts, list) else [parts]):
        if isinstance(part, str):
            out.append({"text": part})
        elif isinstance(part, dict):
            out.append(part)
        elif part is not None:
            raise invalid(f"`{path}.parts[{position}]` must be an object.", param=f"{path}.parts[{position}]")
    return out


def _plain_part(part: dict[str, JsonValue], raw: dict[str, JsonValue]) -> Part:
    """Text, Thinking, Media or Opaque: everything but calls and responses."""
    text = part.get("text")
    signature = part.get("thoughtSignature")
    token = signature if isinstance(signature, str) and signature else None
    if isinstance(text, str):
        if part.get("thought") is True:
            return Thinking(text, signature=token, origin=Protocol.GEMINI)
        return Text(text, signature=token)
    media = media_of(part)
    if media is not None:
        return media
    if part.get("thought") is True and token is not None:
        return Thinking(signature=token, origin=Protocol.GEMINI)
    if token is not None and not _PART_KEYS.intersection(part):
        return Text("", signature=token)
    return Opaque(Protocol.GEMINI, next((key for key in part if key != "thoughtSignature"), "part"), raw)


def _append(parts: list[Part], part: Part) -> None:
    """Streamed thoughts come back as they went out: pieces of text, then the signature on a piece of its own.

    Together they are one thought, and only whole do other protocols' vendors accept its signature.
    """
    if isinstance(part, Thinking) and not part.text and part.signature is not None:
        pieces: list[str] = []
        while parts and isinstance(last := parts[-1], Thinking) and last.signature is None:
            pieces.append(last.text)
            parts.pop()
        if pieces:
            part = Thinking("".join(reversed(pieces)), signature=part.signature, origin=part.origin)
    parts.append(part)


class _Contents:
    """The turns of one request, with the calls that still wait for their response."""

    def __init__(self) -> None:
        self._waiting = _Waiting()

    def read(self, contents: JsonValue) -> list[Turn]:
        if contents is None:
            return []
        entries = contents if isinstance(contents, list) else [contents]
        return [self._turn(entry, position) for position, entry in enumerate(entries) if entry is not None]

    def _turn(self, entry: JsonValue, position: int) -> Turn:
        path = f"contents[{position}]"
        role = entry.get("role") if isinstance(entry, dict) else None
        speaker = _ROLES.get(role) if isinstance(role, str) else None
        if role is None or role == "":
            speaker = "user"
        if speaker is None:
            raise invalid(f"`{path}.role` must be user or model, not {role!r}.", param=f"{path}.role")
        parts: list[Part] = []
        called = False
        for index, raw in enumerate(_parts_of(entry, path)):
            part = wire.camel_keys(raw)
            here = f"{path}.parts[{index}]"
            if part.get("functionCall") is not None:
                called = True
                parts.append(self._call(part, here, f"{wire.INVENTED}{position}_{index}"))
            elif part.get("functionResponse") is not None:
                parts.append(self._result(part, here, f"{wire.INVENTED}{position}_{index}r"))
            elif any(value is not None for value in part.values()):
                _append(parts, _plain_part(part, raw))
        # Without a role it is the user's, but only a model calls functions.
        return Turn("assistant" if called and not role else speaker, parts)

    def _call(self, part: dict[str, JsonValue], path: str, invented: str) -> ToolCall:
        call = wire.members(part["functionCall"], f"{path}.functionCall")
        name = call.get("name")
        if not isinstance(name, str) or not name:
            raise invalid(f"`{path}.functionCall.name` is missing.", param=f"{path}.functionCall.name")
        args = call.get("args")
        if args is not None and not isinstance(args, dict):
            raise invalid(f"`{path}.functionCall.args` must be an object.", param=f"{path}.functionCall.args")
        given = wire.text_of(call.get("id"), f"{path}.functionCall.id")
        signature = part.get("thoughtSignature")
        read = ToolCall(
            id=ids.original(given) if given else invented,
            name=name,
            arguments=jsonio.encode(args or {}).decode(),
            signature=signature if isinstance(signature, str) and signature else None,
        )
        self._waiting.add(read)
        return read

    def _result(self, part: dict[str, JsonValue], path: str, invented: str) -> ToolResult:
        body = wire.members(part["functionResponse"], f"{path}.functionResponse")
        name = wire.text_of(body.get("name"), f"{path}.functionResponse.name")
        given = wire.text_of(body.get("id"), f"{path}.functionResponse.id")
        call_id = self._call_id(ids.original(given) if given else None, name, invented)
        response = body.get("response")
        text, failed = result_text(response)
        content: list[Part] = [Text(text)] if text else []
        content += _media_parts(body.get("parts"), f"{path}.functionResponse.parts")
        options = {key: value for key, value in body.items() if key not in _RESPONSE_KEYS and value is not None}
        return ToolResult(
            call_id,
            content,
            name=name or None,
            is_error=failed,
            structured=response,
            options=options or None,
        )

    def _call_id(self, given: str | None, name: str | None, invented: str) -> str:
        """The call a response answers: by id, else by name and order; an id of its own if there is none."""
        found = self._waiting.take("id", given) if given is not None else None
        if found is None:
            # An id that no call has can only belong to a call that came without one.
            found = self._waiting.take("name" if given is None else "invented", name)
        return found.id if found is not None else given or invented


class _Waiting:
    """The calls without a response so far, each found once: by its id, or as the first of its name."""

    __slots__ = ("_count", "_open", "_queues")

    def __init__(self) -> None:
        self._count = 0
        self._open: dict[int, ToolCall] = {}
        self._queues: dict[tuple[str, str | None], deque[int]] = {}

    def add(self, call: ToolCall) -> None:
        """Under its id, its name and (None) any name; among the `invented` too if it came without an id."""
        self._count += 1
        self._open[self._count] = call
        kinds = ("name", "invented") if call.id.startswith(wire.INVENTED) else ("name",)
        keys = [("id", call.id), *((kind, name) for kind in kinds for name in (call.name, None))]
        for key in keys:
            self._queues.setdefault(key, deque()).append(self._count)

    def take(self, kind: str, key: str | None) -> ToolCall | None:
        """The first call of this kind and key that still waits; it waits no more."""
        queue = self._queues.get((kind, key or None))
        while queue:
            call = self._open.pop(queue.popleft(), None)
            if call is not None:
                return call
        return None


def _media_parts(value: JsonValue, path: str) -> list[Part]:
    """`functionResponse.parts`: media that belong to the result."""
    if value is None:
        return []
    out: list[Part] = []
    for position, raw in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(raw, dict):
            raise invalid(f"`{path}[{position}]` must be an object.", param=f"{path}[{position}]")
        part = _plain_part(wire.camel_keys(raw), raw)
        if isinstance(part, Media | Opaque | Text):
            out.append(part)
    return out


def result_text(response: JsonValue) -> tuple[str, bool]:
    """What a `response` object says as text, and whether it reports a failure.

    Google's convention: `output` holds the output, `error` the error; the SDK wraps plain values in `result`;
    any other object is the output itself and becomes its JSON.
    """
    if response is None:
        return "", False
    if not isinstance(response, dict):
        return _as_text(response), False
    failed = "error" in response and "output" not in response and "result" not in response
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if key in ("output", "error", "result"):
            return _as_text(value), failed
    return (_as_text(response) if response else ""), failed


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else jsonio.encode(value).decode()
