"""Tool definitions of a request -> canonical tools.

Three families share the member `tools`: the client's functions, typed tools the client runs (client_tools.py) and
tools the vendor runs (server tools, toolsets), which are hosted tools elsewhere too.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.model import FunctionTool, HostedTool, JsonValue, Protocol, Tool
from llmswitch_core.protocols.anthropic_messages.client_tools import client_tool
from llmswitch_core.protocols.anthropic_messages.values import (
    array,
    boolean,
    cache_control,
    obj,
    required_string,
    string,
)

TYPED: Final = "wire"
"""Key in FunctionTool.options under which a typed client tool keeps its wire object."""

_HOSTED: Final = (
    ("web_search_", "web_search"),
    ("web_fetch_", "web_fetch"),
    ("code_execution_", "code_execution"),
    ("tool_search_tool_", "tool_search"),
    ("mcp_toolset", "mcp"),
)
"""Type prefix -> canonical label; other types are their own label."""

_FUNCTION: Final = ("type", "name", "description", "input_schema", "strict", "defer_loading", "cache_control")


def read_tools(value: JsonValue) -> list[Tool]:
    """The `tools` member. Raises GatewayError for a tool without a name."""
    return [_tool(obj(item, f"tools.{i}"), f"tools.{i}") for i, item in enumerate(array(value, "tools"))]


def _tool(tool: dict[str, JsonValue], path: str) -> Tool:
    wire_type = string(tool.get("type"), f"{path}.type")
    if wire_type is None or wire_type == "custom":
        return _function(tool, path)
    typed = client_tool(wire_type)
    if typed is None:
        return HostedTool(hosted_label(wire_type), Protocol.ANTHROPIC_MESSAGES, tool)
    name, description, schema = typed
    return FunctionTool(
        name=string(tool.get("name"), f"{path}.name") or name,
        description=description,
        parameters=schema,
        options={TYPED: tool},
    )


def _function(tool: dict[str, JsonValue], path: str) -> FunctionTool:
    rest = {name: value for name, value in tool.items() if name not in _FUNCTION and value is not None}
    return FunctionTool(
        name=required_string(tool, "name", f"{path}."),
        description=string(tool.get("description"), f"{path}.description"),
        parameters=obj(tool.get("input_schema"), f"{path}.input_schema") or None,
        strict=boolean(tool.get("strict"), f"{path}.strict"),
        deferred=boolean(tool.get("defer_loading"), f"{path}.defer_loading") or False,
        cache=cache_control(tool.get("cache_control"), f"{path}.cache_control"),
        options=rest or None,
    )


def hosted_label(wire_type: str) -> str:
    """The canonical label of a server tool's type."""
    return next((label for prefix, label in _HOSTED if wire_type.startswith(prefix)), wire_type)
