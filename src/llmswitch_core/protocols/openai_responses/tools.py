"""Tools and tool_choice, both ways: functions, freeform tools, namespaces, hosted tools, typed client tools.

It knows the wire forms and the equals other vendors have for hosted tools; what has no equal is refused, since a
request without it would ask for something else (MP-23).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from llmswitch_core.canonical.custom import custom_as_function
from llmswitch_core.canonical.errors import GatewayError, invalid
from llmswitch_core.canonical.model import (
    CustomTool,
    FunctionTool,
    HostedTool,
    JsonValue,
    Protocol,
    Tool,
    ToolChoice,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.hosted import dispensable
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_responses import client_tools
from llmswitch_core.protocols.openai_responses.content import read_cache
from llmswitch_core.protocols.openai_responses.fields import as_list, as_object, as_text

HOSTED_LABELS: Final[Mapping[str, str]] = {
    "web_search": "web_search",
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "code_interpreter": "code_execution",
    "computer": "computer_use",
    "computer_use": "computer_use",
    "computer_use_preview": "computer_use",
}
"""Wire type -> canonical label; every other type is its own label."""

_FUNCTION_MEMBERS: Final = frozenset(
    {
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "defer_loading",
        "output_schema",
        "cache_control",
        "function",
    }
)
_CUSTOM_MEMBERS: Final = frozenset({"type", "name", "description", "format", "defer_loading"})


def read_tools(value: JsonValue, path: str) -> list[Tool]:
    """The `tools` array, namespaces flattened (each tool knows its own)."""
    tools: list[Tool] = []
    for index, wire in enumerate(as_list(value, path)):
        at = f"{path}[{index}]"
        tool = as_object(wire, at)
        if tool.get("type") == "namespace":
            name = as_text(tool.get("name"), f"{at}.name")
            description = as_text(tool.get("description"), f"{at}.description")
            for number, inner in enumerate(as_list(tool.get("tools"), f"{at}.tools")):
                inside = f"{at}.tools[{number}]"
                tools.append(_read_tool(as_object(inner, inside), inside, name or None, description))
        else:
            tools.append(_read_tool(tool, at, None, None))
    return tools


def _read_tool(wire: dict[str, Any], path: str, namespace: str | None, about: str | None) -> Tool:
    kind = as_text(wire.get("type"), f"{path}.type") or "function"
    if kind == "function":
        return _read_function(wire, path, namespace, about)
    if kind == "custom":
        inner = nested(wire, "custom")
        rest = {key: value for key, value in wire.items() if key not in _CUSTOM_MEMBERS and key != "custom"}
        return CustomTool(
            name=_name(inner, path),
            description=as_text(inner.get("description"), f"{path}.description") or None,
            format=inner.get("format"),
            namespace=namespace,
            namespace_description=about,
            deferred=wire.get("defer_loading") is True,
            options=rest or None,
        )
    typed = client_tools.read_tool(wire)
    return typed if typed is not None else HostedTool(HOSTED_LABELS.get(kind, kind), Protocol.OPENAI_RESPONSES, wire)


def _read_function(wire: dict[str, Any], path: str, namespace: str | None, about: str | None) -> FunctionTool:
    # Some clients send the Chat Completions form here: {"type": "function", "function": {…}}.
    inner = nested(wire, "function")
    strict = inner.get("strict")
    parameters = inner.get("parameters")
    if parameters is not None:
        as_object(parameters, f"{path}.parameters")
    rest = {key: value for key, value in wire.items() if key not in _FUNCTION_MEMBERS}
    return FunctionTool(
        name=_name(inner, path),
        description=as_text(inner.get("description"), f"{path}.description") or None,
        parameters=parameters,
        strict=strict if isinstance(strict, bool) else None,
        namespace=namespace,
        namespace_description=about,
        deferred=wire.get("defer_loading") is True,
        cache=read_cache(wire),
        output_schema=wire.get("output_schema"),
        options=rest or None,
    )


def nested(wire: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under `key` where a client sent the Chat Completions form, else `wire` itself."""
    inner = wire.get(key)
    return inner if isinstance(inner, dict) else wire


def _name(wire: Mapping[str, JsonValue], path: str) -> str:
    name = as_text(wire.get("name"), f"{path}.name")
    if not name:
        raise invalid(
            f"Missing required parameter: '{path}.name'.", param=f"{path}.name", code="missing_required_parameter"
        )
    return name


# --- writing ---------------------------------------------------------------------------------------------


class ToolWriter:
    """Canonical tools as this wire's, for one target. `names` also serves the calls in the history."""

    def __init__(
        self,
        tools: Sequence[Tool],
        inbound: Protocol,
        features: Mapping[str, Any],
        notes: Notes,
        choice: ToolChoice | None = None,
    ) -> None:
        self.tools = tools
        self._choice = choice
        self._same = inbound is Protocol.OPENAI_RESPONSES
        self._notes = notes
        self._names = WireNames(tools)
        self.namespaces = features.get("namespaces", True) is not False
        self.custom = features.get("custom_tools", True) is not False
        typed = features.get("client_tools", True) is not False
        self._hosted = features.get("hosted_tools", True)
        self.typed = client_tools.typed_names(tools) if self._same and typed else {}

    def name(self, name: str, namespace: str | None) -> tuple[str, str | None]:
        """Name and namespace as the target gets them."""
        if namespace is not None and self.namespaces:
            return name, namespace
        return self._names.wire(name, namespace), None

    def write(self, tools: Sequence[Tool]) -> list[dict[str, Any]]:
        """The `tools` array for `tools`, neighbours of one namespace in one group."""
        out: list[dict[str, Any]] = []
        group: str | None = None
        for tool in tools:
            if isinstance(tool, HostedTool) and not self._runs(tool) and dispensable(tool, tools, None):
                # Where `tool_choice` demands it, `choice` refuses.
                self._notes.dropped(of("tool", tool.label))
                continue
            wire = self._write_tool(tool)
            if wire is None:
                continue
            namespace = getattr(tool, "namespace", None) if self.namespaces else None
            if namespace is None:
                out.append(wire)
            elif namespace == group:
                out[-1]["tools"].append(wire)
            else:
                about = getattr(tool, "namespace_description", None) or ""
                out.append({"type": "namespace", "name": namespace, "description": about, "tools": [wire]})
            group = namespace
        return out

    def _write_tool(self, tool: Tool) -> dict[str, Any] | None:
        if isinstance(tool, HostedTool):
            return self._write_hosted(tool)
        typed = client_tools.wire_tool(tool) if tool.name in self.typed else None
        if typed is not None:
            return dict(typed)
        if isinstance(tool, CustomTool):
            return self._write_custom(tool)
        wire: dict[str, Any] = {"type": "function", "name": self.name(tool.name, tool.namespace)[0]}
        if tool.description is not None:
            wire["description"] = tool.description
        wire["parameters"] = tool.parameters if tool.parameters is not None else {"type": "object", "properties": {}}
        if tool.strict is not None or not self._same:
            # Left out, `strict` means true here, which other protocols' clients did not ask for.
            wire["strict"] = bool(tool.strict)
        if self._same:
            if tool.deferred:
                wire["defer_loading"] = True
            if tool.output_schema is not None:
                wire["output_schema"] = tool.output_schema
            wire.update(tool.options or {})
        else:
            self._note(tool)
        if tool.cache is not None:
            self._notes.dropped("tool.cache")
        return wire

    def _note(self, tool: FunctionTool) -> None:
        if tool.deferred:
            # Sent at once: the target could not load it later.
            self._notes.mapped("tool.deferred")
        if tool.output_schema is not None:
            self._notes.dropped("tool.output_schema")
        for option in tool.options or ():
            self._notes.dropped(of("tool", option))

    def _write_custom(self, tool: CustomTool) -> dict[str, Any]:
        name = self.name(tool.name, tool.namespace)[0]
        if not self.custom:
            description, parameters = custom_as_function(tool)
            self._notes.mapped("tool.custom")
            return {
                "type": "function",
                "name": name,
                "description": description,
                "parameters": parameters,
                "strict": False,
            }
        wire: dict[str, Any] = {"type": "custom", "name": name}
        if tool.description is not None:
            wire["description"] = tool.description
        if tool.format is not None:
            wire["format"] = tool.format
        if tool.deferred and self._same:
            wire["defer_loading"] = True
        if self._same:
            wire.update(tool.options or {})
        return wire

    def _runs(self, tool: HostedTool) -> bool:
        """The target has this hosted tool or an equal of it."""
        return tool.protocol is Protocol.OPENAI_RESPONSES or (
            tool.label in _HOSTED and _allowed(self._hosted, tool.label)
        )

    def _write_hosted(self, tool: HostedTool) -> dict[str, Any] | None:
        allowed = _allowed(self._hosted, tool.label)
        if allowed and tool.protocol is Protocol.OPENAI_RESPONSES:
            return dict(tool.wire)
        make = _HOSTED.get(tool.label) if allowed else None
        if make is not None:
            self._notes.mapped(of("tool", tool.label))
            return make(tool.wire if isinstance(tool.wire, dict) else {})
        if not dispensable(tool, self.tools, self._choice):
            raise unsupported_hosted(tool.label)
        self._notes.dropped(of("tool", tool.label))
        return None

    def choice(self, choice: ToolChoice) -> JsonValue:
        """`tool_choice`; a name that is not among the tools is refused as the vendor does."""
        if choice.allowed:
            mode = "required" if choice.mode in ("required", "named") else "auto"
            found = [entry for entry in map(self._entry, choice.allowed) if entry is not None]
            if found:
                return {"type": "allowed_tools", "mode": mode, "tools": found}
        elif choice.mode != "named":
            return choice.mode
        elif (entry := self._entry(choice.name or "", choice.namespace)) is not None:
            return entry
        raise invalid(
            f"Tool choice '{choice.name or ', '.join(choice.allowed)}' not found in 'tools' parameter.",
            param="tool_choice",
            next_step="Name one of the request's tools.",
        )

    def _entry(self, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        if name in self.typed:
            return {"type": name}
        for tool in self.tools:
            if isinstance(tool, HostedTool):
                wire = self._write_hosted(tool) if tool.label == name else None
                if wire is not None:
                    return _hosted_choice(wire)
            elif tool.name == name and (namespace is None or tool.namespace == namespace):
                flat, group = self.name(name, tool.namespace)
                kind = "custom" if isinstance(tool, CustomTool) and self.custom else "function"
                entry = {"type": kind, "name": flat}
                return {**entry, "namespace": group} if group and namespace is not None else entry
        return None


def _hosted_choice(wire: dict[str, Any]) -> dict[str, Any]:
    choice = {"type": wire.get("type")}
    if wire.get("server_label"):
        choice["server_label"] = wire["server_label"]
    return choice


def _allowed(feature: JsonValue, label: str) -> bool:
    """The profile's word on hosted tools: true, false, or a list of labels."""
    return label in feature if isinstance(feature, list | tuple | set | frozenset) else feature is not False


def unsupported_hosted(label: str) -> GatewayError:
    return invalid(
        f"The chosen upstream has no equal of the hosted tool '{label}'.",
        param="tools",
        code="unsupported_hosted_tool",
        next_step="Remove the tool or choose a model whose vendor runs it.",
    )


def _web_search(wire: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's web_search_* or Gemini's googleSearch as `web_search`."""
    tool: dict[str, Any] = {"type": "web_search"}
    domains = wire.get("allowed_domains")
    if isinstance(domains, list) and domains:
        tool["filters"] = {"allowed_domains": domains}
    location = wire.get("user_location")
    if isinstance(location, dict):
        tool["user_location"] = location
    return tool


def _code(_: dict[str, Any]) -> dict[str, Any]:
    return {"type": "code_interpreter", "container": {"type": "auto"}}


_HOSTED: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "web_search": _web_search,
    "code_execution": _code,
}


# --- tool_choice, reading ---------------------------------------------------------------------------------


def read_choice(value: JsonValue) -> ToolChoice | None:
    """`tool_choice` in every form of the wire; None where the client did not say."""
    if value is None:
        return None
    if isinstance(value, str):
        if value in ("auto", "none"):
            return ToolChoice(value)  # type: ignore[arg-type]
        if value in ("required", "any"):
            return ToolChoice("required")
        raise invalid(f"Invalid value for 'tool_choice': '{value}'.", param="tool_choice", code="invalid_value")
    choice = as_object(value, "tool_choice")
    kind = as_text(choice.get("type"), "tool_choice.type") or "function"
    if kind in ("auto", "none", "required"):
        return read_choice(kind)
    if kind == "allowed_tools":
        inner = nested(choice, "allowed_tools")
        names = [
            _choice_name(as_object(entry, "tool_choice.tools"))
            for entry in as_list(inner.get("tools"), "tool_choice.tools")
        ]
        mode = "required" if inner.get("mode") == "required" else "auto"
        return ToolChoice(mode, allowed=tuple(names))  # type: ignore[arg-type]
    name = _choice_name(choice)
    namespace = choice.get("namespace")
    if kind in ("function", "custom"):
        return ToolChoice("named", name, namespace if isinstance(namespace, str) else None, kind=kind)  # type: ignore[arg-type]
    return ToolChoice("named", name, kind="function" if kind in client_tools.CLIENT_TOOLS else "hosted")


def _choice_name(choice: dict[str, Any]) -> str:
    kind = as_text(choice.get("type"), "tool_choice.type") or "function"
    if kind in ("function", "custom"):
        return _name(nested(choice, kind), "tool_choice")
    return HOSTED_LABELS.get(kind, kind)
