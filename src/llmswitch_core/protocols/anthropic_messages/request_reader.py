"""Inbound Messages request -> Conversation.

Reads `/v1/messages` and `/v1/messages/count_tokens` bodies alike (the latter has no max_tokens). System blocks become
one system turn in front; `role:"system"` messages stay where they are. Members of a message beside role and content
(`output_config`, `clear_at`) ride behind its parts as Opaque `message_options`: only a Messages upstream knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    HostedTool,
    JsonValue,
    Opaque,
    OutputFormat,
    Part,
    Protocol,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    Turn,
)
from llmswitch_core.protocols.anthropic_messages.content_reader import read_content
from llmswitch_core.protocols.anthropic_messages.session import session_of
from llmswitch_core.protocols.anthropic_messages.tools_reader import read_tools
from llmswitch_core.protocols.anthropic_messages.values import (
    array,
    boolean,
    cache_control,
    integer,
    number,
    obj,
    required_string,
    string,
)
from llmswitch_core.protocols.contract import RequestHead

Body = Mapping[str, JsonValue]

MESSAGE_OPTIONS: Final = "message_options"

_FIELDS: Final = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "stream",
        "thinking",
        "output_config",
        "metadata",
        "service_tier",
        "cache_control",
    }
)
"""Top-level members with a canonical field; the others are extensions."""

_ROLES: Final[dict[str, Literal["system", "user", "assistant"]]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}


def read_request(head: RequestHead, body: Body) -> Conversation:
    """The whole request. Raises GatewayError(INVALID_REQUEST) naming the member that makes no sense."""
    conversation = Conversation(
        protocol=Protocol.ANTHROPIC_MESSAGES,
        model=required_string(body, "model", ""),
        turns=_turns(body),
        stream=boolean(body.get("stream"), "stream") or False,
        tools=read_tools(body.get("tools")),
        sampling=_sampling(body),
        cache=cache_control(body.get("cache_control"), "cache_control"),
        service_tier=string(body.get("service_tier"), "service_tier"),
        extensions={name: value for name, value in body.items() if name not in _FIELDS and value is not None},
    )
    _choice(body, conversation)
    _thinking(body, conversation)
    _metadata(body, head, conversation)
    return conversation


def _turns(body: Body) -> list[Turn]:
    turns: list[Turn] = []
    system = read_content(body.get("system"), "system")
    if system:
        turns.append(Turn("system", system))
    if body.get("messages") is None:
        raise invalid("messages is required.", param="messages")
    messages = array(body["messages"], "messages")
    if not messages:
        raise invalid("messages must hold at least one message.", param="messages")
    turns.extend(_turn(obj(item, f"messages.{i}"), f"messages.{i}") for i, item in enumerate(messages))
    return turns


def _turn(message: dict[str, JsonValue], path: str) -> Turn:
    role = _ROLES.get(required_string(message, "role", f"{path}."))
    if role is None:
        raise invalid(f"{path}.role must be user, assistant or system.", param=f"{path}.role")
    parts: list[Part] = read_content(message.get("content"), f"{path}.content")
    rest = {name: value for name, value in message.items() if name not in ("role", "content") and value is not None}
    if rest:
        parts.append(Opaque(Protocol.ANTHROPIC_MESSAGES, MESSAGE_OPTIONS, rest))
    return Turn(role, parts, developer=message["role"] == "developer")


def _sampling(body: Body) -> Sampling:
    stop = body.get("stop_sequences")
    sequences = [stop] if isinstance(stop, str) else array(stop, "stop_sequences")
    return Sampling(
        max_output_tokens=integer(body.get("max_tokens"), "max_tokens"),
        temperature=number(body.get("temperature"), "temperature"),
        top_p=number(body.get("top_p"), "top_p"),
        top_k=integer(body.get("top_k"), "top_k"),
        stop=[string(item, f"stop_sequences.{i}") or "" for i, item in enumerate(sequences)] or None,
    )


_MODES: Final[dict[str, Literal["auto", "none", "required", "named"]]] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
    "tool": "named",
}


def _choice(body: Body, conversation: Conversation) -> None:
    value = body.get("tool_choice")
    if value is None:
        return
    if isinstance(value, str):
        value = {"type": value}
    choice = obj(value, "tool_choice")
    mode = _MODES.get(string(choice.get("type"), "tool_choice.type") or "")
    if mode is None:
        raise invalid("tool_choice.type must be auto, any, tool or none.", param="tool_choice.type")
    serial = boolean(choice.get("disable_parallel_tool_use"), "tool_choice.disable_parallel_tool_use")
    if serial is not None:
        conversation.parallel_tool_calls = not serial
    if mode != "named":
        conversation.tool_choice = ToolChoice(mode)
        return
    name = required_string(choice, "name", "tool_choice.")
    conversation.tool_choice = ToolChoice(mode, name=name, kind=_kind_of(name, conversation.tools))


def _kind_of(name: str, tools: list[Tool]) -> Literal["function", "hosted"]:
    hosted = any(isinstance(tool, HostedTool) and tool.wire.get("name") == name for tool in tools)
    return "hosted" if hosted else "function"


_THINKING: Final[dict[str, Literal["off", "on", "adaptive"]]] = {
    "enabled": "on",
    "disabled": "off",
    "adaptive": "adaptive",
}


def _thinking(body: Body, conversation: Conversation) -> None:
    config = obj(body.get("output_config"), "output_config")
    effort = string(config.get("effort"), "output_config.effort")
    rest = {name: value for name, value in config.items() if name not in ("effort", "format") and value is not None}
    if rest:
        conversation.extensions["output_config"] = rest
    conversation.output = _format(config.get("format"))
    thinking = obj(body.get("thinking"), "thinking")
    wire_type = string(thinking.get("type"), "thinking.type")
    if thinking and wire_type not in _THINKING:
        # `between_tools` and whatever comes later: only a Messages upstream can judge it.
        conversation.extensions["thinking"] = thinking
    elif thinking:
        display = string(thinking.get("display"), "thinking.display")
        conversation.reasoning = Reasoning(
            mode=_THINKING[wire_type or ""],
            budget_tokens=integer(thinking.get("budget_tokens"), "thinking.budget_tokens"),
            visible=None if display is None else display != "omitted",
        )
    if effort is not None:
        conversation.reasoning = conversation.reasoning or Reasoning()
        conversation.reasoning.effort = effort


def _format(value: JsonValue) -> OutputFormat | None:
    if value is None:
        return None
    form = obj(value, "output_config.format")
    if form.get("type") != "json_schema":
        raise invalid("output_config.format.type must be json_schema.", param="output_config.format.type")
    return OutputFormat("json_schema", schema=obj(form.get("schema"), "output_config.format.schema"))


def _metadata(body: Body, head: RequestHead, conversation: Conversation) -> None:
    metadata = obj(body.get("metadata"), "metadata")
    user = string(metadata.get("user_id"), "metadata.user_id")
    conversation.user = user
    conversation.session = session_of(user, head.headers)
    rest = {name: value for name, value in metadata.items() if name != "user_id" and value is not None}
    conversation.metadata = rest or None
