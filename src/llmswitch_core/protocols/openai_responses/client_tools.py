"""Typed tools the client itself runs: `tool_search`, `local_shell`, `shell`, `apply_patch`.

On this wire they have no name and no schema of their own, but a type, and calls and results in items of their own
types. In the canonical model they are function tools with a schema, so that any upstream can call them; `typed`
keeps the wire tool, from which the same-protocol writer and the answer writer know that the call must come back as
that typed item. Pure tables and their interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.ids import original, portable
from llmswitch_core.canonical.model import FunctionTool, JsonValue, Text, Tool, ToolCall, ToolResult


class ClientTool(msgspec.Struct, frozen=True):
    """How one typed tool looks on the wire: `payload` is the call's member that holds the arguments."""

    type: str
    call_type: str
    payload: str
    output_type: str
    id_prefix: str
    description: str
    parameters: dict[str, Any]
    needs_client_execution: bool = False
    """The vendor runs it unless the tool says `execution: client`."""


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


_STRINGS: Final = {"type": "array", "items": {"type": "string"}}

CLIENT_TOOLS: Final[Mapping[str, ClientTool]] = {
    tool.type: tool
    for tool in (
        ClientTool(
            "tool_search",
            "tool_search_call",
            "arguments",
            "tool_search_output",
            "tsc_",
            "Finds further tools by keywords. Tools it returns can be called afterwards.",
            _object(
                {
                    "query": {"type": "string", "description": "Keywords of the tools wanted."},
                    "limit": {"type": "number", "description": "How many tools to return at most."},
                },
                ["query"],
            ),
            needs_client_execution=True,
        ),
        ClientTool(
            "local_shell",
            "local_shell_call",
            "action",
            "local_shell_call_output",
            "lsh_",
            "Runs one command on the user's machine and returns its output.",
            _object(
                {
                    "type": {"type": "string", "enum": ["exec"]},
                    "command": {**_STRINGS, "description": "Program and its arguments."},
                    "env": {"type": "object", "additionalProperties": {"type": "string"}},
                    "working_directory": {"type": "string"},
                    "timeout_ms": {"type": "integer"},
                    "user": {"type": "string"},
                },
                ["type", "command", "env"],
            ),
        ),
        ClientTool(
            "shell",
            "shell_call",
            "action",
            "shell_call_output",
            "sh_",
            "Runs shell commands and returns stdout, stderr and exit code of each.",
            _object(
                {
                    "commands": {**_STRINGS, "description": "Shell commands to run."},
                    "timeout_ms": {"type": "integer"},
                    "max_output_length": {"type": "integer"},
                },
                ["commands"],
            ),
        ),
        ClientTool(
            "apply_patch",
            "apply_patch_call",
            "operation",
            "apply_patch_call_output",
            "apc_",
            "Creates, updates or deletes one file with a unified diff.",
            _object(
                {
                    "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                    "path": {"type": "string"},
                    "diff": {"type": "string", "description": "V4A diff; omit it to delete a file."},
                },
                ["type", "path"],
            ),
        ),
    )
}
BY_CALL: Final[Mapping[str, ClientTool]] = {tool.call_type: tool for tool in CLIENT_TOOLS.values()}
BY_OUTPUT: Final[Mapping[str, ClientTool]] = {tool.output_type: tool for tool in CLIENT_TOOLS.values()}


def read_tool(wire: dict[str, Any]) -> FunctionTool | None:
    """A typed client tool as a function tool; None if `wire` is none or the vendor runs it."""
    kind = CLIENT_TOOLS.get(wire.get("type") or "")
    if kind is None or (kind.needs_client_execution and wire.get("execution") != "client"):
        return None
    environment = wire.get("environment")
    if isinstance(environment, dict) and environment.get("type") not in (None, "local"):
        return None
    description, parameters = wire.get("description"), wire.get("parameters")
    return FunctionTool(
        name=kind.type,
        description=description if isinstance(description, str) and description else kind.description,
        parameters=parameters if isinstance(parameters, dict) else kind.parameters,
        typed=wire,
    )


def wire_tool(tool: Tool) -> dict[str, Any] | None:
    """The typed wire tool a canonical tool was read from."""
    return tool.typed if isinstance(tool, FunctionTool) and isinstance(tool.typed, dict) else None


def typed_names(tools: Sequence[Tool]) -> Mapping[str, ClientTool]:
    """The typed client tools among `tools`, by canonical name."""
    return {
        tool.name: CLIENT_TOOLS[tool.name]
        for tool in tools
        if isinstance(tool, FunctionTool) and tool.typed is not None and tool.name in CLIENT_TOOLS
    }


# --- calls and results -----------------------------------------------------------------------------------


def read_call(kind: ClientTool, item: Mapping[str, JsonValue]) -> ToolCall:
    """A typed call item as a call of the function of its type's name."""
    payload = item.get(kind.payload)
    call_id = item.get("call_id") or item.get("id") or ""
    item_id = item.get("id")
    return ToolCall(
        id=original(call_id) if isinstance(call_id, str) else "",
        name=kind.type,
        arguments=payload if isinstance(payload, str) else jsonio.encode(payload or {}).decode(),
        item_id=item_id if isinstance(item_id, str) else None,
    )


def write_call(kind: ClientTool, call_id: str, item_id: str | None, arguments: str, status: str) -> dict[str, Any]:
    """The typed call item; arguments that are no JSON are passed as the text they are."""
    payload: JsonValue = {}
    if arguments.strip():
        try:
            payload = jsonio.decode(arguments)
        except ValueError:
            payload = arguments
    item: dict[str, Any] = {
        "type": kind.call_type,
        "call_id": portable(call_id),
        "status": status,
        kind.payload: payload,
    }
    if item_id:
        item["id"] = item_id
    if kind.needs_client_execution:
        item["execution"] = "client"
    return item


def read_output(kind: ClientTool, item: Mapping[str, JsonValue]) -> ToolResult:
    """A typed result item as a tool result: plain text where it is text, JSON text where it is structured."""
    content: JsonValue = item.get("tools") if kind.type == "tool_search" else item.get("output")
    failed = item.get("status") == "failed"
    if content is None or content == "":
        text = f"The patch was {'rejected' if failed else 'applied'}." if kind.type == "apply_patch" else ""
    else:
        text = content if isinstance(content, str) else jsonio.encode(content).decode()
    call_id = item.get("call_id") or item.get("id") or ""
    item_id = item.get("id")
    return ToolResult(
        call_id=original(call_id) if isinstance(call_id, str) else "",
        content=[Text(text)] if text else [],
        is_error=failed,
        item_id=item_id if isinstance(item_id, str) else None,
    )


def write_output(kind: ClientTool, result: ToolResult) -> dict[str, Any]:
    """The typed result item of `result`, the inverse of `read_output`."""
    text = "\n".join(part.text for part in result.content if isinstance(part, Text))
    item: dict[str, Any] = {"type": kind.output_type, "call_id": portable(result.call_id)}
    if result.item_id:
        item["id"] = result.item_id
    if kind.type == "tool_search":
        tools = _list(text)
        return {**item, "execution": "client", "status": "completed", "tools": tools}
    if kind.type == "shell":
        outcome = {"type": "exit", "exit_code": 1 if result.is_error else 0}
        return {**item, "output": _list(text) or [{"stdout": text, "stderr": "", "outcome": outcome}]}
    if kind.type == "apply_patch":
        return {**item, "status": "failed" if result.is_error else "completed", "output": text}
    return {**item, "output": text}


def _list(text: str) -> list[JsonValue]:
    try:
        tree = jsonio.decode(text)
    except ValueError:
        return []
    return tree if isinstance(tree, list) else []
