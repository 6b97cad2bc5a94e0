"""Token counts and finish reasons between this wire and the canonical counters.

This wire's totals include what they are made of: `input_tokens` counts cached tokens too, `output_tokens` the
reasoning. The canonical counters are disjoint on the input side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical.model import FinishReason, JsonValue, Usage
from llmswitch_core.protocols.openai_responses.fields import count

UNKNOWN_INCOMPLETE: Final = "incomplete:"
"""Prefix of `Finish.wire` for an incomplete answer whose reason has no canonical name."""

_INCOMPLETE: Final[Mapping[str, FinishReason]] = {
    "max_output_tokens": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "max_prompt_tokens": FinishReason.CONTEXT_WINDOW,
}

_DETAILS: Final[Mapping[FinishReason, str]] = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTEXT_WINDOW: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.MALFORMED_CALL: "malformed_call",
}


def read_usage(wire: JsonValue) -> Usage | None:
    """The `usage` object; Chat Completions' spellings count too. None if there is none."""
    if not isinstance(wire, dict):
        return None
    details = wire.get("input_tokens_details") or wire.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    spent = wire.get("output_tokens_details") or wire.get("completion_tokens_details")
    spent = spent if isinstance(spent, dict) else {}
    read, written = count(details.get("cached_tokens")), count(details.get("cache_write_tokens"))
    total = count(wire.get("input_tokens", wire.get("prompt_tokens")))
    return Usage(
        input=max(total - read - written, 0),
        output=count(wire.get("output_tokens", wire.get("completion_tokens"))),
        cache_read=read,
        cache_write=written,
        reasoning=count(spent.get("reasoning_tokens")),
        wire=wire,
    )


def write_usage(usage: Usage | None) -> dict[str, Any] | None:
    """The `usage` object; further members of an upstream's own usage of this form are kept."""
    if usage is None:
        return None
    own = (
        usage.wire
        if isinstance(usage.wire, dict) and "total_tokens" in usage.wire and "input_tokens" in usage.wire
        else {}
    )
    total = usage.input + usage.cache_read + usage.cache_write
    return {
        **own,
        "input_tokens": total,
        "input_tokens_details": {
            **_object(own.get("input_tokens_details")),
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {**_object(own.get("output_tokens_details")), "reasoning_tokens": usage.reasoning},
        "total_tokens": total + usage.output,
    }


def _object(value: JsonValue) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def read_incomplete(response: Mapping[str, JsonValue]) -> tuple[FinishReason, str]:
    """Why an incomplete response ended, and the wire's word for it."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    word = reason if isinstance(reason, str) and reason else "unknown"
    known = _INCOMPLETE.get(word)
    return (known, word) if known is not None else (FinishReason.OTHER, f"{UNKNOWN_INCOMPLETE}{word}")


def incomplete_reason(reason: FinishReason, wire: str | None, refused: bool) -> str | None:
    """`incomplete_details.reason` for a finish; None for an answer that is `completed`.

    A refusal the upstream put into no words (Anthropic's stop_reason) must not look like a complete answer: it
    becomes a content filter. A paused turn is complete as far as this wire can say.
    """
    if reason is FinishReason.REFUSAL:
        return None if refused else "content_filter"
    if reason is FinishReason.OTHER:
        return wire.removeprefix(UNKNOWN_INCOMPLETE) if wire and wire.startswith(UNKNOWN_INCOMPLETE) else None
    return _DETAILS.get(reason)
