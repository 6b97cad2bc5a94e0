"""Tool definitions and tool choice, both directions.

Knows `tools`, `tool_choice`, the legacy `functions` and `function_call`, and `web_search_options`, which this wire has
instead of a search tool. Names go out through WireNames, since this wire has no namespaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from llmswitch_core.canonical.custom import custom_as_function
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    CacheControl,
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
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.hosted import dispensable
from llmswitch_core.protocols.losses import of
from llmswitch_core.protocols.openai_chat.features import Features
from llmswitch_core.protocols.openai_chat.members import (
    a_list,
    an_object,
    optional_bool,
    optional_text,
    text_of,
)

_MODES: Final[dict[str, Literal["auto", "none", "required"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}
_FUNCTION_MEMBERS: Final = frozenset({"name", "description", "parameters", "strict"})
_HOSTED_LABELS: Final = {"code_interpreter": "code_execution"}
WEB_SEARCH_OPTIONS: Final = "web_search_options"


# --- reading -------------------------------------------------------------------------------------------


def read_tools(body: Mapping[str, JsonValue]) -> list[Tool]:
    """`tools`, else the legacy `functions`, then the search tool that `web_search_options` stands for."""
    tools: list[Tool] = [
        _read_tool(an_object(tool, f"tools[{index}]"), f"tools[{index}]")
        for index, tool in enumerate(a_list(body.get("tools"), "tools"))
    ]
    if not tools:
        for index, function in enumerate(a_list(body.get("functions"), "functions")):
            path = f"functions[{index}]"
            tools.append(_read_function(an_object(function, path), path, None))
    options = body.get(WEB_SEARCH_OPTIONS)
    if isinstance(options, dict):
        wire = {"type": WEB_SEARCH_OPTIONS, **options}
        tools.append(HostedTool("web_search", Protocol.OPENAI_CHAT, wire))
    return tools


def _read_tool(tool: dict[str, Any], path: str) -> Tool:
    kind = tool.get("type", "function")
    if kind == "function":
        box = tool.get("function", tool)
        return _read_function(an_object(box, f"{path}.function"), f"{path}.function", tool.get("cache_control"))
    if kind == "custom":
        box = an_object(tool.get("custom"), f"{path}.custom")
        return CustomTool(
            text_of(box.get("name"), f"{path}.custom.name"),
            optional_text(box, "description", f"{path}.custom."),
            _read_format(box.get("format")),
        )
    if not isinstance(kind, str):
        raise invalid(f"{path}.type must be a string.", param=f"{path}.type")
    label = "web_search" if kind.startswith("web_search") else _HOSTED_LABELS.get(kind, kind)
    return HostedTool(label, Protocol.OPENAI_CHAT, tool)


def _read_function(box: dict[str, Any], path: str, cache: JsonValue) -> FunctionTool:
    tool = FunctionTool(
        text_of(box.get("name"), f"{path}.name"),
        optional_text(box, "description", f"{path}."),
        box.get("parameters"),
        optional_bool(box, "strict", f"{path}."),
    )
    options = {name: value for name, value in box.items() if name not in _FUNCTION_MEMBERS and name != "type"}
    tool.options = options or None
    if isinstance(cache, dict):
        ttl = cache.get("ttl")
        tool.cache = CacheControl(str(cache.get("type") or "ephemeral"), ttl if isinstance(ttl, str) else None)
    return tool


def _read_format(value: JsonValue) -> JsonValue:
    """This wire nests the grammar one level deeper than the canonical (Responses) form."""
    if isinstance(value, dict) and isinstance(value.get("grammar"), dict):
        return {"type": "grammar", **value["grammar"]}
    return value


def read_tool_choice(body: Mapping[str, JsonValue]) -> ToolChoice | None:
    """`tool_choice`, else the legacy `function_call`; None if the client did not say."""
    value = body.get("tool_choice")
    if value is None:
        value = body.get("function_call")
        if isinstance(value, dict):
            return ToolChoice("named", text_of(value.get("name"), "function_call.name"))
    if value is None:
        return None
    if isinstance(value, str):
        return _mode(value)
    choice = an_object(value, "tool_choice")
    kind = choice.get("type")
    if kind == "allowed_tools":
        return _read_allowed(an_object(choice.get("allowed_tools", choice), "tool_choice.allowed_tools"))
    if kind == "custom":
        box = an_object(choice.get("custom", choice), "tool_choice.custom")
        return ToolChoice("named", text_of(box.get("name"), "tool_choice.custom.name"), kind="custom")
    if kind == "function" or "function" in choice:
        box = an_object(choice.get("function", choice), "tool_choice.function")
        return ToolChoice("named", text_of(box.get("name"), "tool_choice.function.name"))
    if kind == "tool":
        return ToolChoice("named", text_of(choice.get("name"), "tool_choice.name"))
    if isinstance(kind, str):
        return _mode(kind) if kind in _MODES else ToolChoice("named", kind, kind="hosted")
    raise invalid("tool_choice.type must be a string.", param="tool_choice.type")


def _mode(word: str) -> ToolChoice:
    mode = _MODES.get(word)
    if mode is None:
        raise invalid("tool_choice must be auto, none, required or a named tool.", param="tool_choice")
    return ToolChoice(mode)


def _read_allowed(box: dict[str, Any]) -> ToolChoice:
    names: list[str] = []
    for index, tool in enumerate(a_list(box.get("tools"), "tool_choice.allowed_tools.tools")):
        path = f"tool_choice.allowed_tools.tools[{index}]"
        entry = an_object(tool, path)
        inner = entry.get("function") or entry.get("custom") or entry
        names.append(text_of(an_object(inner, path).get("name") or inner.get("type"), f"{path}.name"))
    mode: Literal["auto", "required"] = "required" if box.get("mode") == "required" else "auto"
    return ToolChoice(mode, allowed=tuple(names))


# --- writing -------------------------------------------------------------------------------------------


def write_tools(
    conversation: Conversation, names: WireNames, features: Features, body: dict[str, JsonValue], notes: Notes
) -> None:
    """Put `tools`, `tool_choice`, `parallel_tool_calls` into `body`. Raises 400 for a hosted tool without an equal."""
    choice = conversation.tool_choice
    offered: list[Tool] = conversation.tools
    if choice is not None and choice.allowed and not features.own("allowed_tools"):
        offered = [tool for tool in offered if _name_of(tool) in choice.allowed]
        notes.mapped("tool_choice.allowed")
        choice = ToolChoice(choice.mode)
    tools: list[dict[str, Any]] = []
    for tool in offered:
        if isinstance(tool, HostedTool):
            wire = _write_hosted(tool, conversation, features, body, notes)
            if wire is not None:
                tools.append(wire)
        else:
            tools.append(_write_tool(tool, names, features, notes))
    if not tools:
        if choice is not None and choice.mode in {"required", "named"}:
            notes.dropped("tool_choice")
        return
    body["tools"] = tools
    if choice is not None:
        body["tool_choice"] = _write_choice(choice, offered, names, features, notes)
    if conversation.parallel_tool_calls is not None:
        if features.flag("parallel_tool_calls", True):
            body["parallel_tool_calls"] = conversation.parallel_tool_calls
        elif not conversation.parallel_tool_calls:
            notes.dropped("parallel_tool_calls")


def _name_of(tool: Tool) -> str:
    return tool.label if isinstance(tool, HostedTool) else tool.name


def _write_tool(tool: FunctionTool | CustomTool, names: WireNames, features: Features, notes: Notes) -> dict[str, Any]:
    wire_name = names.wire(tool.name, tool.namespace)
    if tool.deferred:
        notes.mapped("tool.deferred")
    if tool.namespace_description is not None:
        notes.dropped("tool.namespace_description")
    if isinstance(tool, CustomTool):
        return _write_custom(tool, wire_name, features, notes)
    function: dict[str, Any] = {"name": wire_name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    elif not features.own_protocol:
        function["parameters"] = {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    if tool.output_schema is not None:
        notes.dropped("tool.output_schema")
    if tool.options:
        if features.own_protocol:
            function.update(tool.options)
        else:
            for name in tool.options:
                notes.dropped(of("tool", name))
    wire: dict[str, Any] = {"type": "function", "function": function}
    if tool.cache is not None:
        features.add_cache(wire, tool.cache, "tool.cache", notes)
    return wire


def _write_custom(tool: CustomTool, wire_name: str, features: Features, notes: Notes) -> dict[str, Any]:
    if not features.own("custom_tools"):
        notes.mapped("tool.custom")
        description, parameters = custom_as_function(tool)
        function = {"name": wire_name, "description": description, "parameters": parameters}
        return {"type": "function", "function": function}
    custom: dict[str, Any] = {"name": wire_name}
    if tool.description is not None:
        custom["description"] = tool.description
    form = tool.format
    if isinstance(form, dict) and form.get("type") == "grammar" and "grammar" not in form:
        grammar = {name: value for name, value in form.items() if name != "type"}
        form = {"type": "grammar", "grammar": grammar}
    if form is not None:
        custom["format"] = form
    return {"type": "custom", "custom": custom}


def _write_hosted(
    tool: HostedTool, conversation: Conversation, features: Features, body: dict[str, JsonValue], notes: Notes
) -> dict[str, Any] | None:
    if tool.protocol is Protocol.OPENAI_CHAT:
        wire: dict[str, Any] = dict(tool.wire)
        if wire.get("type") != WEB_SEARCH_OPTIONS:
            return wire
        wire.pop("type")
        body[WEB_SEARCH_OPTIONS] = wire
        return None
    forms = features.get("hosted_tools", {})
    form = forms.get(tool.label, forms.get("*")) if isinstance(forms, Mapping) else forms
    if form == WEB_SEARCH_OPTIONS:
        body[WEB_SEARCH_OPTIONS] = _search_options(tool.wire)
        notes.mapped(of("tool", tool.label))
        return None
    if isinstance(form, dict):
        notes.mapped(of("tool", tool.label))
        return dict(form)
    if form == "drop" or tool.label == "tool_search":
        # Tools that a search would have found are all offered from the start, so nothing is lost with the search.
        notes.dropped(of("tool", tool.label))
        return None
    if dispensable(tool, conversation.tools, conversation.tool_choice):
        notes.dropped(of("tool", tool.label))
        return None
    raise invalid(
        f"The hosted tool {tool.label!r} has no equal on an openai-chat upstream.",
        code="unsupported_hosted_tool",
        param="tools",
        next_step="Remove it, or route the request to a vendor that runs this tool.",
    )


def _search_options(wire: JsonValue) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if isinstance(wire, dict):
        if isinstance(wire.get("search_context_size"), str):
            options["search_context_size"] = wire["search_context_size"]
        place = wire.get("user_location")
        if isinstance(place, dict):
            where = {name: value for name, value in place.items() if name != "type" and value is not None}
            options["user_location"] = {"type": "approximate", "approximate": where}
    return options


def _write_choice(
    choice: ToolChoice, offered: list[Tool], names: WireNames, features: Features, notes: Notes
) -> JsonValue:
    known = {_name_of(tool): tool for tool in offered}
    if choice.allowed:
        tools = [_reference(known[name], names, features) for name in choice.allowed if name in known]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}
    if choice.mode != "named":
        return choice.mode
    tool = known.get(choice.name or "")
    if tool is None or isinstance(tool, HostedTool):
        notes.dropped("tool_choice")
        return "auto"
    if choice.namespace != tool.namespace:
        for other in offered:
            if isinstance(other, FunctionTool | CustomTool) and (other.namespace, other.name) == (
                choice.namespace,
                choice.name,
            ):
                tool = other
    return _reference(tool, names, features)


def _reference(tool: Tool, names: WireNames, features: Features) -> dict[str, Any]:
    if isinstance(tool, HostedTool):
        return {"type": tool.label}
    kind = "custom" if isinstance(tool, CustomTool) and features.own("custom_tools") else "function"
    return {"type": kind, kind: {"name": names.wire(tool.name, tool.namespace)}}
