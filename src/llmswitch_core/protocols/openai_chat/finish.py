"""Finish reasons, both directions: the table of this wire's words and its relatives'.

It knows words only; whether an answer is complete is the stream reader's judgement.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.model import FinishReason

_REASON_OF_WORD: Final[dict[str, FinishReason]] = {
    "stop": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP_SEQUENCE,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,  # GLM
    "refusal": FinishReason.REFUSAL,
    "pause_turn": FinishReason.PAUSE,
    "model_context_window_exceeded": FinishReason.CONTEXT_WINDOW,  # GLM
    "malformed_function_call": FinishReason.MALFORMED_CALL,
}

FAILURES: Final = frozenset({"error", "network_error", "insufficient_system_resource", "abort"})
"""Words that say the answer broke off: OpenRouter, GLM, DeepSeek, SGLang."""

_WORD_OF_REASON: Final[dict[FinishReason, str]] = {
    FinishReason.STOP: "stop",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.LENGTH: "length",
    FinishReason.STOP_SEQUENCE: "stop",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.REFUSAL: "content_filter",
    FinishReason.PAUSE: "stop",
    FinishReason.CONTEXT_WINDOW: "length",
    FinishReason.MALFORMED_CALL: "stop",
}


def word_of(value: object) -> str | None:
    """The finish reason on the wire, or None where a peer writes "no reason yet" in one of its ways."""
    return value if isinstance(value, str) and value not in {"", "null"} else None


def reason_of(word: str, *, called: bool, refused: bool) -> FinishReason:
    """What a finish word means given what was said: calls make it TOOL_CALLS, none make TOOL_CALLS a STOP (MP-13)."""
    reason = _REASON_OF_WORD.get(word.lower(), FinishReason.OTHER)
    if reason is FinishReason.TOOL_CALLS and not called:
        return FinishReason.STOP
    if reason is FinishReason.STOP:
        if called:
            return FinishReason.TOOL_CALLS
        if refused:
            return FinishReason.REFUSAL
    return reason


def finish_word(reason: FinishReason, wire: str | None, *, called: bool, refused: bool, legacy: bool = False) -> str:
    """The `finish_reason` to write. A reason without a word here keeps the upstream's own; a refusal that was said
    in words is a normal stop on this wire; `legacy` clients know `function_call` only."""
    if reason is FinishReason.OTHER:
        return "tool_calls" if called and not wire else (wire or "stop").lower()
    if reason in {FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.PAUSE}:
        if not called:
            return "stop"
        return "function_call" if legacy else "tool_calls"
    if reason is FinishReason.REFUSAL and refused:
        return "stop"
    return _WORD_OF_REASON[reason]
