"""Tools and tool choice of a request.

Functions keep their form, freeform tools become functions, another vendor's hosted tools become the server tool that
does the same or are refused: a tool that silently vanishes changes what the client asked for (MP-23).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llmswitch_core.canonical.custom import custom_as_function
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    CustomTool,
    FunctionTool,
    HostedTool,
    JsonValue,
    Protocol,
    Tool,
    ToolChoice,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.anthropic_messages.schemas import object_schema
from llmswitch_core.protocols.anthropic_messages.tools_reader import TYPED
from llmswitch_core.protocols.anthropic_messages.values import cache_wire
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.hosted import dispensable
from llmswitch_core.protocols.losses import of

ToolWire = dict[str, JsonValue]


class ToolsWriter:
    """The `tools` and `tool_choice` members of one request."""

    __slots__ = ("_conversation", "_features", "_names", "_native", "_notes")

    def __init__(
        self, conversation: Conversation, names: WireNames, features: Mapping[str, Any], native: bool, notes: Notes
    ) -> None:
        self._conversation = conversation
        self._names = names
        self._features = features
        self._native = native
        self._notes = notes

    def tools(self) -> list[ToolWire]:
        """Raises GatewayError(INVALID_REQUEST, unsupported_hosted_tool) for a hosted tool without an equal."""
        choice = self._conversation.tool_choice
        # One allowed name is a named choice; several can only be had by offering nothing else.
        allowed = frozenset(choice.allowed) if choice is not None and len(choice.allowed) > 1 else None
        out: list[ToolWire] = []
        for index, tool in enumerate(self._conversation.tools):
            if allowed is not None and not isinstance(tool, HostedTool) and tool.name not in allowed:
                self._notes.mapped("tool_choice.allowed")
                continue
            wire = self._tool(tool, index)
            if wire is not None:
                out.append(wire)
        return out

    def choice(self, tools: list[ToolWire]) -> ToolWire | None:
        """`tool_choice`, None where there is nothing to say. Raises GatewayError for a name not among the tools."""
        choice = self._conversation.tool_choice
        parallel = self._conversation.parallel_tool_calls
        if not tools and not self._native:
            if choice is not None and choice.mode in ("required", "named"):
                raise invalid("tool_choice demands a tool, but the request has none.", param="tool_choice")
            return None
        wire = self._mode(choice, tools) if choice is not None else None
        if parallel is None:
            return wire
        if wire is None:
            return {"type": "auto", "disable_parallel_tool_use": True} if not parallel else None
        if wire["type"] != "none":
            wire["disable_parallel_tool_use"] = not parallel
        return wire

    def _mode(self, choice: ToolChoice, tools: list[ToolWire]) -> ToolWire:
        if choice.mode == "named" and choice.name is not None:
            return self._named(choice, choice.name, tools)
        if choice.mode == "required" and len(choice.allowed) == 1:
            return self._named(choice, choice.allowed[0], tools)
        if choice.mode == "auto" and len(choice.allowed) == 1:
            # A single allowed tool the model may leave alone has no form here but the choice itself.
            self._notes.dropped("tool_choice.allowed")
        return {"type": {"required": "any", "none": "none"}.get(choice.mode, "auto")}

    def _named(self, choice: ToolChoice, name: str, tools: list[ToolWire]) -> ToolWire:
        offered = [tool.get("name") for tool in tools]
        for wire_name in (self._hosted_name(name), self._names.wire(name, choice.namespace)):
            if wire_name in offered:
                return {"type": "tool", "name": wire_name}
        if self._native:
            # It may name a member of a toolset or of an MCP server, which the list of tools does not show.
            return {"type": "tool", "name": name}
        raise invalid(
            f"tool_choice names {name!r}, which is not among the tools.",
            param="tool_choice.name",
            next_step="Name one of the request's tools.",
        )

    def _hosted_name(self, name: str) -> str | None:
        for tool in self._conversation.tools:
            if not isinstance(tool, HostedTool):
                continue
            if tool.protocol is Protocol.ANTHROPIC_MESSAGES:
                if tool.wire.get("name") == name:
                    return name
            elif name in (tool.label, tool.wire.get("type") if isinstance(tool.wire, dict) else None):
                return _EQUALS[tool.label][1] if tool.label in _EQUALS else None
        return None

    def _tool(self, tool: Tool, index: int) -> ToolWire | None:
        if isinstance(tool, HostedTool):
            return self._hosted(tool, index)
        if isinstance(tool, CustomTool):
            self._notes.mapped("tool.custom")
            description, parameters = custom_as_function(tool)
            return {
                "name": self._names.wire(tool.name, tool.namespace),
                "description": description,
                "input_schema": parameters,
            }
        return self._function(tool)

    def _function(self, tool: FunctionTool) -> ToolWire:
        options = tool.options or {}
        if self._native and isinstance(options.get(TYPED), dict):
            return dict(options[TYPED])
        wire: ToolWire = {"name": self._names.wire(tool.name, tool.namespace)}
        if tool.description is not None:
            wire["description"] = tool.description
        if self._native:
            wire["input_schema"] = tool.parameters if tool.parameters is not None else {"type": "object"}
            if tool.strict is not None:
                wire["strict"] = tool.strict
            if tool.deferred:
                wire["defer_loading"] = True
            wire.update(options)
        else:
            wire["input_schema"], loosened = object_schema(tool.parameters)
            if loosened:
                self._notes.mapped("tool.parameters")
            self._tell(tool, options)
            if tool.strict and self._features.get("strict_tools"):
                wire["strict"] = True
        if tool.cache is not None:
            wire["cache_control"] = cache_wire(tool.cache)
        return wire

    def _tell(self, tool: FunctionTool, options: Mapping[str, JsonValue]) -> None:
        if tool.strict and not self._features.get("strict_tools"):
            # Strict tools share the structured-output subset and its size limits; a schema made for another
            # vendor's strict mode would be refused whole, so the guarantee is given up instead.
            self._notes.dropped("tool.strict")
        if tool.deferred:
            self._notes.dropped("tool.deferred")
        if tool.namespace_description is not None:
            self._notes.dropped("tool.namespace_description")
        if tool.output_schema is not None:
            self._notes.dropped("tool.output_schema")
        for name in options:
            self._notes.dropped(of("tool", name))

    def _hosted(self, tool: HostedTool, index: int) -> ToolWire | None:
        if tool.protocol is Protocol.ANTHROPIC_MESSAGES:
            return dict(tool.wire)
        permitted = self._features.get("hosted_tools", True)
        if permitted == "drop":
            self._notes.dropped(of("tool", tool.label))
            return None
        equal = _EQUALS.get(tool.label)
        listed = tool.label in permitted if isinstance(permitted, list | tuple | set | frozenset) else bool(permitted)
        if equal is None or not listed:
            if dispensable(tool, self._conversation.tools, self._conversation.tool_choice):
                self._notes.dropped(of("tool", tool.label))
                return None
            raise invalid(
                f"The target has no hosted tool {tool.label}.",
                code="unsupported_hosted_tool",
                param=f"tools.{index}",
                next_step="Remove the tool, or route the request to a vendor that runs it.",
            )
        wire_type, name, settings = equal
        self._notes.mapped(of("tool", tool.label))
        wire = tool.wire if isinstance(tool.wire, dict) else {}
        return {"type": wire_type, "name": name, **settings(wire)}


def _no_settings(wire: Mapping[str, JsonValue]) -> ToolWire:
    return {}


def _search_settings(wire: Mapping[str, JsonValue]) -> ToolWire:
    """Domains and location, which Responses and Chat Completions spell almost alike."""
    out: ToolWire = {}
    filters = wire.get("filters")
    if isinstance(filters, dict):
        for name in ("allowed_domains", "blocked_domains"):
            if filters.get(name):
                out[name] = filters[name]
                break  # The server tool takes one of the two.
    location = wire.get("user_location")
    if isinstance(location, dict):
        nested = location.get("approximate")
        inner = nested if isinstance(nested, dict) else location
        fields = {name: inner[name] for name in ("city", "region", "country", "timezone") if inner.get(name)}
        if fields:
            out["user_location"] = {"type": "approximate", **fields}
    return out


_EQUALS: Final[dict[str, tuple[str, str, Callable[[Mapping[str, JsonValue]], ToolWire]]]] = {
    "web_search": ("web_search_20250305", "web_search", _search_settings),
    "web_fetch": ("web_fetch_20250910", "web_fetch", _no_settings),
    "url_context": ("web_fetch_20250910", "web_fetch", _no_settings),
    "code_execution": ("code_execution_20250825", "code_execution", _no_settings),
}
"""Canonical label -> type, name and settings of the server tool that does the same. The oldest version that every
model with server tools takes."""
