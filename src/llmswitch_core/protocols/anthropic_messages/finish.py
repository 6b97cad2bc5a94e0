"""Stop reasons and token counts: the two tables that end every answer, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical.model import FinishReason, JsonValue, Usage
from llmswitch_core.protocols.anthropic_messages.values import count

READ: Final[dict[str, FinishReason]] = {
    "end_turn": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "refusal": FinishReason.REFUSAL,
    "pause_turn": FinishReason.PAUSE,
    "model_context_window_exceeded": FinishReason.CONTEXT_WINDOW,
}

WRITE: Final[dict[FinishReason, str]] = {
    FinishReason.STOP: "end_turn",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.STOP_SEQUENCE: "stop_sequence",
    FinishReason.REFUSAL: "refusal",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.PAUSE: "pause_turn",
    FinishReason.CONTEXT_WINDOW: "model_context_window_exceeded",
}


def read_reason(wire: str | None, called: bool) -> FinishReason:
    """The reason behind `stop_reason`. A call makes it TOOL_CALLS whatever the word for a normal end was (MP-13)."""
    if wire is None:
        return FinishReason.TOOL_CALLS if called else FinishReason.STOP
    reason = READ.get(wire, FinishReason.OTHER)
    return FinishReason.TOOL_CALLS if called and reason is FinishReason.STOP else reason


def write_reason(reason: FinishReason, wire: str | None, called: bool, refused: bool) -> str:
    """`stop_reason` for a client. Unknown reasons keep the upstream's word; `tool_use` is said only with a call."""
    if reason is FinishReason.TOOL_CALLS and not called:
        reason = FinishReason.STOP
    if reason is FinishReason.STOP:
        return "tool_use" if called else "refusal" if refused else "end_turn"
    known = WRITE.get(reason)
    if known is not None:
        return known
    if reason is FinishReason.OTHER and wire is None:
        return "tool_use" if called else "end_turn"
    return wire or reason.value


_ONLY_MESSAGES: Final = ("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation", "server_tool_use")
"""Members that tell a Messages usage object from those of other protocols."""
_DETAILS: Final = (
    "cache_creation",
    "server_tool_use",
    "service_tier",
    "inference_geo",
    "speed",
    "iterations",
    "output_tokens_details",
)


def read_usage(wire: Mapping[str, JsonValue]) -> Usage:
    """A usage object as disjoint counters; `input_tokens` already excludes the cache."""
    details = wire.get("output_tokens_details")
    return Usage(
        input=count(wire.get("input_tokens")),
        output=count(wire.get("output_tokens")),
        cache_read=count(wire.get("cache_read_input_tokens")),
        cache_write=count(wire.get("cache_creation_input_tokens")),
        reasoning=count(details.get("thinking_tokens")) if isinstance(details, dict) else 0,
        wire=dict(wire),
    )


def merge_usage(earlier: dict[str, JsonValue], later: JsonValue) -> dict[str, JsonValue]:
    """Usage counters are cumulative: what a later event states replaces, what it leaves out (or nulls) survives."""
    if not isinstance(later, dict):
        return earlier
    return {**earlier, **{name: value for name, value in later.items() if value is not None}}


def write_usage(usage: Usage | None) -> dict[str, JsonValue]:
    """All counters, plus a Messages upstream's own details."""
    usage = usage or Usage()
    out: dict[str, JsonValue] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    wire = usage.wire
    if isinstance(wire, dict) and any(name in wire for name in _ONLY_MESSAGES):
        out.update({name: wire[name] for name in _DETAILS if wire.get(name) is not None})
    elif usage.reasoning:
        out["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return out
