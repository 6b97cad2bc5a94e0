"""Finish reasons and token counters: Gemini's words and the canonical ones, both ways.

Knows `FinishReason`, `BlockedReason` and `UsageMetadata` as google.genai.types has them. No state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical.model import FinishReason, JsonValue, Usage
from llmswitch_core.protocols.gemini.wire import camel_keys, count

FINISH: Final[dict[str, FinishReason]] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "ESCALATION": FinishReason.CONTENT_FILTER,
    "JAILBREAK": FinishReason.CONTENT_FILTER,
    "PUP_LIMITED_DISABLED": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "MALFORMED_FUNCTION_CALL": FinishReason.MALFORMED_CALL,
    "UNEXPECTED_TOOL_CALL": FinishReason.MALFORMED_CALL,
    "LANGUAGE": FinishReason.OTHER,
    "OTHER": FinishReason.OTHER,
    "NO_IMAGE": FinishReason.OTHER,
    "IMAGE_OTHER": FinishReason.OTHER,
    "TOO_MANY_TOOL_CALLS": FinishReason.OTHER,
    "MISSING_THOUGHT_SIGNATURE": FinishReason.OTHER,
    "MALFORMED_RESPONSE": FinishReason.OTHER,
}
"""Finish and block reasons of the wire; an unknown one is OTHER and keeps its spelling."""

_WIRE: Final[dict[FinishReason, str]] = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.STOP_SEQUENCE: "STOP",
    FinishReason.PAUSE: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTEXT_WINDOW: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.REFUSAL: "SAFETY",
    FinishReason.MALFORMED_CALL: "MALFORMED_FUNCTION_CALL",
    FinishReason.OTHER: "OTHER",
}


def finish_of(wire: str, called: bool) -> FinishReason:
    """The canonical reason; Gemini says STOP after function calls too, so `called` decides."""
    reason = FINISH.get(wire, FinishReason.OTHER)
    return FinishReason.TOOL_CALLS if called and reason is FinishReason.STOP else reason


def finish_word(reason: FinishReason, wire: str | None) -> str:
    """Gemini's word. The upstream's own word stays where it is Gemini's and means the same."""
    if wire is not None and wire in FINISH and FINISH[wire] is reason:
        return wire
    return _WIRE[reason]


def usage_of(value: JsonValue) -> Usage | None:
    """UsageMetadata -> disjoint counters: the prompt count includes what came from a cache, the candidates' count
    excludes thoughts, and prompts of hosted tools are counted apart."""
    if not isinstance(value, dict) or not value:
        return None
    wire = camel_keys(value)
    cached = count(wire.get("cachedContentTokenCount"))
    prompt = count(wire.get("promptTokenCount"))
    thoughts = count(wire.get("thoughtsTokenCount"))
    return Usage(
        input=max(prompt - cached, 0) + count(wire.get("toolUsePromptTokenCount")),
        output=count(wire.get("candidatesTokenCount")) + thoughts,
        cache_read=cached,
        reasoning=thoughts,
        wire=value,
    )


def usage_wire(usage: Usage) -> dict[str, JsonValue]:
    """Disjoint counters -> UsageMetadata; the upstream's own object where it is Gemini's and says the same."""
    own = usage.wire
    if isinstance(own, Mapping) and "promptTokenCount" in own:
        read = usage_of(own)
        if read is not None and _counters(read) == _counters(usage):
            return dict(own)
    prompt = usage.input + usage.cache_read + usage.cache_write
    reasoning = min(usage.reasoning, usage.output)
    out: dict[str, JsonValue] = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": usage.output - reasoning,
        "totalTokenCount": prompt + usage.output,
    }
    if usage.cache_read:
        out["cachedContentTokenCount"] = usage.cache_read
    if reasoning:
        out["thoughtsTokenCount"] = reasoning
    return out


def _counters(usage: Usage) -> tuple[int, int, int, int, int]:
    return usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning
