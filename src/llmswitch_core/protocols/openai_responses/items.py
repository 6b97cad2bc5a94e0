"""Input items -> turns: the flat list of this wire, folded into who spoke.

Table of item types first, then the builder. What follows each other on the assistant's side (reasoning, message,
calls) is one turn; a second message opens a new one unless calls are already open in it, so that the results
behind them stay next to their calls. Each user or system message is a turn; consecutive results are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.ids import original
from llmswitch_core.canonical.model import (
    HostedTool,
    JsonValue,
    Opaque,
    Part,
    Protocol,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolItem,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.openai_responses import client_tools, tokens
from llmswitch_core.protocols.openai_responses.content import read_content
from llmswitch_core.protocols.openai_responses.fields import as_list, as_object, as_text
from llmswitch_core.protocols.openai_responses.tools import read_tools

ROLES: Final[Mapping[str, Literal["system", "user", "assistant"]]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_USER_SIDE: Final = frozenset({"item_reference", "compaction_trigger", "configuration_update", "mcp_approval_response"})
"""Opaque items that are not the assistant's, besides everything that ends in `_output`."""

_R: Final = Protocol.OPENAI_RESPONSES


class ItemReader:
    """Reads items one after another; `turns` and `tools` hold what came of them."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.tools: list[Tool] = []
        self.tool_items: list[ToolItem] = []
        self._known: set[tuple[str | None, str]] = set()
        self._has_message = False
        self._signature: str | None = None
        """A signature that waits for the part it belongs to (tokens.py, `next`)."""

    def know(self, tools: list[Tool]) -> None:
        """Tools of the request's own list: items may repeat them."""
        self._known.update(_key(tool) for tool in tools)

    def read(self, value: JsonValue, path: str) -> None:
        """`input` (or list-valued `instructions`): a string or a list of items."""
        if isinstance(value, str):
            if value:
                self._message({"role": "user", "content": value}, path)
            return
        for index, item in enumerate(as_list(value, path)):
            at = f"{path}[{index}]"
            if isinstance(item, str):
                self._message({"role": "user", "content": item}, at)
            else:
                self._item(as_object(item, at), at)

    def _item(self, item: dict[str, Any], path: str) -> None:
        kind = as_text(item.get("type"), f"{path}.type")
        if not kind:
            kind = "message" if "role" in item else "item_reference" if "id" in item else ""
            if not kind:
                raise invalid(
                    f"Missing required parameter: '{path}.type'.",
                    param=f"{path}.type",
                    code="missing_required_parameter",
                )
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, item, path)
        elif kind in client_tools.BY_CALL:
            self._assistant(client_tools.read_call(client_tools.BY_CALL[kind], item))
        elif kind in client_tools.BY_OUTPUT:
            self._typed_output(client_tools.BY_OUTPUT[kind], item, path)
        elif kind in _USER_SIDE or kind.endswith("_output"):
            self._user(Opaque(_R, kind, item))
        else:
            self._assistant(Opaque(_R, kind, item))

    # messages -----------------------------------------------------------------------------------------

    def _message(self, item: dict[str, Any], path: str) -> None:
        word = as_text(item.get("role"), f"{path}.role")
        role = ROLES.get(word)
        if role is None:
            raise invalid(
                f"Invalid value: '{word}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
                param=f"{path}.role",
                code="invalid_value",
            )
        parts = read_content(item.get("content"), f"{path}.content")
        item_id, phase, name = item.get("id"), item.get("phase"), item.get("name")
        turn = Turn(
            role,
            parts,
            developer=word == "developer",
            name=name if isinstance(name, str) else None,
            phase=phase if isinstance(phase, str) else None,
            item_id=item_id if isinstance(item_id, str) else None,
            options=_rest(item, _MESSAGE_MEMBERS),
        )
        if role == "assistant":
            self._assistant_message(turn)
        else:
            self._signature = None
            self.turns.append(turn)

    def _assistant_message(self, turn: Turn) -> None:
        if self._signature is not None and turn.parts and isinstance(turn.parts[0], Text):
            turn.parts[0].signature, self._signature = self._signature, None
        last = self._open()
        if last is None or (self._has_message and not any(isinstance(part, ToolCall) for part in last.parts)):
            self.turns.append(turn)
        else:
            last.parts.extend(turn.parts)
            if not self._has_message:
                last.name, last.phase, last.item_id = turn.name, turn.phase, turn.item_id
                last.options = turn.options
        self._has_message = True

    # the assistant's items -------------------------------------------------------------------------------

    def _open(self) -> Turn | None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == "assistant":
            return last
        self._has_message = False
        return None

    def _assistant(self, part: Part) -> None:
        last = self._open()
        if last is None:
            self.turns.append(Turn("assistant", [part]))
        else:
            last.parts.append(part)

    def _reasoning(self, item: dict[str, Any], path: str) -> None:
        encrypted = item.get("encrypted_content")
        token = tokens.unseal(encrypted) if isinstance(encrypted, str) and encrypted else None
        if token is not None and token.slot == "next":
            self._signature = token.value
            return
        if token is not None and token.slot == "previous":
            self._sign_previous(token.value)
            return
        summary = _texts(item.get("summary"), f"{path}.summary")
        raw = _texts(item.get("content"), f"{path}.content")
        item_id = item.get("id")
        own = token is None or token.origin is _R
        if token is None and not summary and not raw:
            self._assistant(Opaque(_R, "reasoning", item))
            return
        self._assistant(
            Thinking(
                text="" if token is not None and token.slot == "redacted" else "\n\n".join(raw or summary),
                signature=(token.value or None) if token is not None and token.slot == "thinking" else None,
                redacted=token.value if token is not None and token.slot == "redacted" else None,
                summary=own and bool(summary) and not raw,
                id=item_id if own and isinstance(item_id, str) else None,
                origin=token.origin if token is not None else None,
                wire=item if own else None,
            )
        )

    def _sign_previous(self, signature: str) -> None:
        last = self._open()
        part = last.parts[-1] if last is not None and last.parts else None
        if isinstance(part, Text | ToolCall):
            part.signature = signature

    def _call(self, item: dict[str, Any], path: str) -> None:
        custom = item.get("type") == "custom_tool_call"
        key = "input" if custom else "arguments"
        given = item.get(key)
        arguments = given if isinstance(given, str) else "" if given is None else jsonio.encode(given).decode()
        namespace, item_id = item.get("namespace"), item.get("id")
        name = as_text(item.get("name"), f"{path}.name")
        if not name:
            raise invalid(
                f"Missing required parameter: '{path}.name'.", param=f"{path}.name", code="missing_required_parameter"
            )
        self._assistant(
            ToolCall(
                id=_call_id(item, path),
                name=name,
                arguments=arguments,
                kind="custom" if custom else "function",
                namespace=namespace if isinstance(namespace, str) and namespace else None,
                signature=self._signature,
                item_id=item_id if isinstance(item_id, str) else None,
                options=_rest(item, _CALL_MEMBERS),
            )
        )
        self._signature = None

    # the user's items ----------------------------------------------------------------------------------------

    def _user(self, part: Part) -> None:
        last = self.turns[-1] if self.turns else None
        # Answers are only ever put to answers: the first and the last tell of all between.
        ends = (last.parts[0], last.parts[-1]) if last is not None and last.role == "user" and last.parts else ()
        if last is not None and ends and all(_is_answer(end) for end in ends):
            last.parts.append(part)
        else:
            self.turns.append(Turn("user", [part]))
        self._signature = None

    def _output(self, item: dict[str, Any], path: str) -> None:
        item_id, name = item.get("id"), item.get("name")
        value = item.get("output")
        content: list[Part]
        if value is None or isinstance(value, str | list):
            content = read_content(value, f"{path}.output")
        else:
            content = [Text(jsonio.encode(value).decode())]
        self._user(
            ToolResult(
                call_id=_call_id(item, path),
                content=content,
                name=name if isinstance(name, str) else None,
                kind="custom" if item.get("type") == "custom_tool_call_output" else "function",
                item_id=item_id if isinstance(item_id, str) else None,
                options=_rest(item, _OUTPUT_MEMBERS),
            )
        )

    def _typed_output(self, kind: client_tools.ClientTool, item: dict[str, Any], path: str) -> None:
        if kind.type == "tool_search" and item.get("execution") == "server":
            self._user(Opaque(_R, "tool_search_output", item))
        else:
            self._user(client_tools.read_output(kind, item))
        if kind.type == "tool_search":
            self._bring(read_tools(item.get("tools"), f"{path}.tools"), None)

    def _tool_search_call(self, item: dict[str, Any], path: str) -> None:
        if item.get("execution") == "server":
            self._assistant(Opaque(_R, "tool_search_call", item))
        else:
            self._assistant(client_tools.read_call(client_tools.BY_CALL["tool_search_call"], item))

    def _additional_tools(self, item: dict[str, Any], path: str) -> None:
        self._bring(read_tools(item.get("tools"), f"{path}.tools"), item)

    def _bring(self, tools: list[Tool], wire: JsonValue) -> None:
        fresh = []
        for tool in tools:
            key = _key(tool)
            if key not in self._known:
                self._known.add(key)
                fresh.append(tool)
        self.tools.extend(fresh)
        self.tool_items.append(ToolItem(len(self.turns), len(fresh), wire))


_MESSAGE_MEMBERS: Final = frozenset({"type", "role", "content", "id", "phase", "name", "status"})
_CALL_MEMBERS: Final = frozenset({"type", "id", "call_id", "name", "namespace", "arguments", "input", "status"})
_OUTPUT_MEMBERS: Final = frozenset({"type", "id", "call_id", "name", "output", "status"})


def _rest(item: Mapping[str, JsonValue], known: frozenset[str]) -> dict[str, JsonValue] | None:
    """Further members of an item (`caller`, Codex's `internal_chat_message_metadata_passthrough` …)."""
    rest = {key: value for key, value in item.items() if key not in known and value is not None}
    return rest or None


_READERS: Final[dict[str, Callable[[ItemReader, dict[str, Any], str], None]]] = {
    "message": ItemReader._message,
    "reasoning": ItemReader._reasoning,
    "function_call": ItemReader._call,
    "custom_tool_call": ItemReader._call,
    "function_call_output": ItemReader._output,
    "custom_tool_call_output": ItemReader._output,
    "tool_search_call": ItemReader._tool_search_call,
    "additional_tools": ItemReader._additional_tools,
}


def _call_id(item: dict[str, Any], path: str) -> str:
    call_id = as_text(item.get("call_id"), f"{path}.call_id") or as_text(item.get("id"), f"{path}.id")
    if not call_id:
        raise invalid(
            f"Missing required parameter: '{path}.call_id'.", param=f"{path}.call_id", code="missing_required_parameter"
        )
    return original(call_id)


def _is_answer(part: Part) -> bool:
    return isinstance(part, ToolResult) or (isinstance(part, Opaque) and part.label.endswith("_output"))


def _key(tool: Tool) -> tuple[str | None, str]:
    if isinstance(tool, HostedTool):
        return None, tool.label
    return tool.namespace, tool.name


def _texts(value: JsonValue, path: str) -> list[str]:
    """The texts of `summary` or `content` of a reasoning item; Codex sends null, some servers a string."""
    if isinstance(value, str):
        return [value] if value else []
    out: list[str] = []
    for index, part in enumerate(as_list(value, path)):
        text = part if isinstance(part, str) else as_object(part, f"{path}[{index}]").get("text")
        if isinstance(text, str) and text:
            out.append(text)
    return out
