"""Effort words and thinking budgets: one table, both ways.

OpenAI and Anthropic speak of effort, Gemini 2.5 and older Claude models of a token budget. The budgets are those that
vendors' own compatibility layers use where they publish one (Gemini's OpenAI layer: low 1024, medium 8192, high 24576).
"""

from __future__ import annotations

from typing import Final

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_BUDGETS: Final[dict[str, int]] = {
    "none": 0,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 65536,
}


def budget_of(effort: str) -> int:
    """Thinking tokens for an effort word; an unknown word counts as medium."""
    return _BUDGETS.get(effort.lower(), _BUDGETS["medium"])


def effort_of(budget: int) -> str:
    """The smallest effort whose budget covers `budget` tokens; -1 (dynamic) is medium."""
    if budget < 0:
        return "medium"
    for effort in EFFORTS:
        if budget <= _BUDGETS[effort]:
            return effort
    return "max"


def nearest_effort(effort: str, allowed: tuple[str, ...]) -> str:
    """The allowed effort nearest to `effort` (the lower one of two equally near); unknown words count as medium."""
    word = effort.lower()
    if word in allowed or not allowed:
        return word
    rank = EFFORTS.index(word) if word in EFFORTS else EFFORTS.index("medium")
    return min(allowed, key=lambda item: (abs(EFFORTS.index(item) - rank), EFFORTS.index(item)))
