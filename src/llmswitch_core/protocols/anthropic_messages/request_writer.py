"""Conversation -> Messages request body, from scratch.

Puts together what the other writers decide and sees to the members that need no decision. Betas are derived from what
is in the body; the client's own beta header is the pipeline's to keep. Messages demands max_tokens, alternation is its
own business, an empty block it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from llmswitch_core.canonical.model import Conversation, JsonValue, Protocol
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.protocols.anthropic_messages.content_writer import Block, ContentWriter
from llmswitch_core.protocols.anthropic_messages.models import Abilities, abilities
from llmswitch_core.protocols.anthropic_messages.settings_writer import SettingsWriter
from llmswitch_core.protocols.anthropic_messages.tools_writer import ToolsWriter
from llmswitch_core.protocols.anthropic_messages.turns_writer import TurnsWriter
from llmswitch_core.protocols.anthropic_messages.values import cache_wire
from llmswitch_core.protocols.contract import Notes, WireRequest, WireTarget
from llmswitch_core.protocols.losses import of

VERSION: Final = "2023-06-01"
PATH: Final = "/v1/messages"

Body = dict[str, JsonValue]


def write_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
    """The whole request. Raises GatewayError(INVALID_REQUEST) for what the protocol cannot carry and may not drop."""
    body = request_body(conversation, target, notes)
    if target.stream:
        body["stream"] = True
    return WireRequest(path=PATH, body=body, headers=headers_for(body))


def request_body(conversation: Conversation, target: WireTarget, notes: Notes) -> Body:
    """The body without `stream`."""
    native = conversation.protocol is Protocol.ANTHROPIC_MESSAGES
    features = target.features
    able = abilities(target.model, features)
    names = WireNames(conversation.tools)
    content = ContentWriter(names, able, conversation.protocol, notes)
    placed = TurnsWriter(content, _mid_system_role(native, able, target), native, notes).place(conversation.turns)
    tools_writer = ToolsWriter(conversation, names, features, native, notes)
    tools = tools_writer.tools()
    choice = tools_writer.choice(tools)
    forced = choice is not None and choice["type"] in ("any", "tool")
    if forced and not native and not features.get("thinking_disable", True) and _thinks_by_request(conversation):
        # A model that cannot stop thinking cannot be made to call a tool either.
        choice, forced = {**(choice or {}), "type": "auto"}, False
        choice.pop("name", None)
        notes.mapped("tool_choice")
    settings = SettingsWriter(conversation, target.model, able, features, native, notes).settings(
        forced, _unthought_loop(placed.messages)
    )
    body: Body = {"model": target.model, "max_tokens": settings.body.pop("max_tokens")}
    system = placed.system
    if settings.order is not None:
        system = [*system, {"type": "text", "text": settings.order}]
    if system:
        body["system"] = system
    if tools:
        body["tools"] = tools
    if choice is not None:
        body["tool_choice"] = choice
    body["messages"] = placed.messages
    body.update(settings.body)
    _rest(conversation, target, native, body, notes)
    return body


def _mid_system_role(native: bool, able: Abilities, target: WireTarget) -> bool:
    """Whether later system turns go as `role:"system"`. Other vendors get a Messages client's as written."""
    if "mid_system" in target.features:
        return able.mid_system == "role"
    return able.mid_system == "role" or (native and able.unsigned_thinking)


def _thinks_by_request(conversation: Conversation) -> bool:
    reasoning = conversation.reasoning
    return reasoning is not None and reasoning.mode != "off" and reasoning.effort != "none"


def _unthought_loop(messages: list[Block]) -> bool:
    """True in a tool loop whose last assistant message does not begin with thinking."""
    for message in reversed(messages):
        if message["role"] == "assistant":
            first = message["content"][0].get("type") if message["content"] else None
            return first not in ("thinking", "redacted_thinking")
        if not any(block.get("type") == "tool_result" for block in message["content"]):
            return False
    return False


_TIERS: Final = {"auto": "auto", "default": "standard_only", "standard": "standard_only"}
"""Service tiers of other protocols -> `service_tier`; flex, scale and priority cannot be asked for per request."""


def _rest(conversation: Conversation, target: WireTarget, native: bool, body: Body, notes: Notes) -> None:
    metadata = dict(conversation.metadata or {}) if native else {}
    if conversation.user:
        metadata["user_id"] = conversation.user
    if metadata:
        body["metadata"] = metadata
    if conversation.service_tier is not None:
        tier = conversation.service_tier if native else _TIERS.get(conversation.service_tier)
        if tier is not None:
            body["service_tier"] = tier
        else:
            notes.dropped("service_tier")
    if conversation.cache is not None:
        body["cache_control"] = cache_wire(conversation.cache)
    elif not native and target.features.get("auto_cache"):
        body["cache_control"] = {"type": "ephemeral"}
    if native:
        _extensions(conversation, body)
        return
    for name in conversation.extensions:
        notes.dropped(of("extensions", name))
    if conversation.metadata:
        notes.dropped("metadata")
    if conversation.cache_key is not None:
        notes.dropped("cache_key")
    if conversation.store:
        notes.dropped("store")  # false needs no telling: nothing is kept here


def _extensions(conversation: Conversation, body: Body) -> None:
    for name, value in conversation.extensions.items():
        if name == "output_config" and isinstance(value, dict):
            body[name] = {**value, **body.get(name, {})}
        else:
            body[name] = value


# --- headers ---------------------------------------------------------------------------------------------


def headers_for(body: Body) -> dict[str, str]:
    """`anthropic-version`, and `anthropic-beta` where a member of the body needs one."""
    betas = sorted({beta for beta, needed in _BETAS if needed(body)})
    return {"anthropic-version": VERSION, **({"anthropic-beta": ",".join(betas)} if betas else {})}


def _blocks(body: Body) -> Iterator[Block]:
    for message in body["messages"]:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            yield block
            inner = block.get("content")
            if isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, dict))


def _has_file(body: Body) -> bool:
    return any(
        isinstance(block.get("source"), dict) and block["source"].get("type") == "file" for block in _blocks(body)
    )


def _has_block(*types: str) -> Callable[[Body], bool]:
    return lambda body: any(block.get("type") in types for block in _blocks(body))


def _has_member(name: str) -> Callable[[Body], bool]:
    return lambda body: name in body


def _has_message_member(name: str) -> Callable[[Body], bool]:
    return lambda body: any(name in message for message in body["messages"])


def _has_tool(prefix: str) -> Callable[[Body], bool]:
    return lambda body: any(str(tool.get("type") or "").startswith(prefix) for tool in body.get("tools", ()))


def _edits(body: Body) -> list[Mapping[str, Any]]:
    management = body.get("context_management")
    edits = management.get("edits") if isinstance(management, dict) else None
    return [edit for edit in edits if isinstance(edit, dict)] if isinstance(edits, list) else []


_BETAS: Final[tuple[tuple[str, Callable[[Body], bool]], ...]] = (
    ("compact-2026-01-12", lambda body: any(edit.get("type") == "compact_20260112" for edit in _edits(body))),
    ("compact-2026-09-04", _has_member("compaction")),
    ("computer-use-2024-10-22", _has_tool("computer_20241022")),
    ("computer-use-2025-01-24", _has_tool("computer_20250124")),
    ("computer-use-2025-11-24", _has_tool("computer_20251124")),
    ("context-management-2025-06-27", _has_member("context_management")),
    ("fast-mode-2026-02-01", _has_member("speed")),
    ("files-api-2025-04-14", _has_file),
    ("mcp-client-2025-11-20", _has_member("mcp_servers")),
    ("message-threads-2026-08-12", _has_member("thread")),
    ("mid-conversation-output-config-2026-07-01", _has_message_member("output_config")),
    ("mid-conversation-system-clear-at-2026-08-21", _has_message_member("clear_at")),
    ("mid-conversation-tool-changes-2026-07-01", _has_block("tool_addition", "tool_removal")),
    ("task-budgets-2026-03-13", lambda body: "task_budget" in (body.get("output_config") or {})),
)
"""Beta header value and the body that needs it, from the list in the vendor's SDK (anthropic 2.12)."""
