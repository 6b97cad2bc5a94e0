"""Token counts, both directions: this wire counts totals, the canonical model disjoint counters (MP-12)."""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.canonical.model import JsonValue, Usage

_COUNTERS: Final = frozenset(
    {
        *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"),
        *("prompt_tokens_details", "completion_tokens_details"),
    }
)


def read_usage(wire: dict[str, Any]) -> Usage:
    """`prompt_tokens` includes cached tokens and `completion_tokens` reasoning ones; DeepSeek's
    `prompt_cache_hit_tokens` and Moonshot's top-level `cached_tokens` count as cached. Odd values count as 0."""
    prompt = wire.get("prompt_tokens_details")
    completion = wire.get("completion_tokens_details")
    details: dict[str, Any] = prompt if isinstance(prompt, dict) else {}
    cached = _count(details.get("cached_tokens"))
    if not cached:
        cached = _count(wire.get("prompt_cache_hit_tokens")) or _count(wire.get("cached_tokens"))
    written = _count(details.get("cache_write_tokens"))
    if not written:
        written = _count(details.get("cache_creation_tokens")) or _count(wire.get("cache_creation_input_tokens"))
    total = _count(wire.get("prompt_tokens"))
    cached = min(cached, total)
    written = min(written, total - cached)
    reasoning = _count(completion.get("reasoning_tokens")) if isinstance(completion, dict) else 0
    return Usage(
        input=total - cached - written,
        output=_count(wire.get("completion_tokens")),
        cache_read=cached,
        cache_write=written,
        reasoning=reasoning,
        wire=wire,
    )


def _count(value: JsonValue) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 2**63:
        return int(value)
    return 0


def write_usage(usage: Usage) -> dict[str, Any]:
    """A usage object; what an upstream of this same wire said beyond the counters is kept."""
    prompt = usage.input + usage.cache_read + usage.cache_write
    wire = usage.wire if isinstance(usage.wire, dict) and "prompt_tokens" in usage.wire else {}
    details: dict[str, Any] = {"cached_tokens": usage.cache_read}
    if usage.cache_write:
        details["cache_write_tokens"] = usage.cache_write
    rest = {name: value for name, value in wire.items() if name not in _COUNTERS}
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {**_details(wire, "prompt_tokens_details"), **details},
        "completion_tokens_details": {
            **_details(wire, "completion_tokens_details"),
            "reasoning_tokens": usage.reasoning,
        },
        **rest,
    }


def _details(wire: dict[str, Any], name: str) -> dict[str, Any]:
    value = wire.get(name)
    return value if isinstance(value, dict) else {}
