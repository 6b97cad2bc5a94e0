"""What a provider still grants, read from its rate-limit response headers.

It knows the header families of Anthropic, OpenAI (and those who copy it), OpenRouter and the IETF draft; it must not
know targets. A header that makes no sense is no reading.

Sources: docs.anthropic.com/en/api/rate-limits (`anthropic-ratelimit-<unit>-limit|remaining|reset`, reset in RFC 3339);
platform.openai.com/docs/guides/rate-limits (`x-ratelimit-limit|remaining|reset-<unit>`, reset as a duration such as
`6m0s`); openrouter.ai/docs (`x-ratelimit-limit|remaining|reset`, reset in Unix milliseconds);
draft-ietf-httpapi-ratelimit-headers up to 07 (`ratelimit-limit|remaining|reset`, reset in seconds).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from llmswitch_core.router.state import Quota

_HEADER: Final = re.compile(
    r"anthropic-ratelimit-(?P<unit_a>[a-z-]+)-(?P<what_a>limit|remaining|reset)"
    r"|(?P<x>x-)?ratelimit-(?P<what>limit|remaining|reset)(?:-(?P<unit>[a-z-]+))?"
)
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_DURATION_SECONDS: Final = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)

_LONGEST_RELATIVE: Final = 100_000_000.0
"""Seconds (three years): a larger reset is a point in time, not a distance."""

_MILLISECONDS_FROM: Final = 100_000_000_000.0


def quota_of_headers(headers: Mapping[str, str], now: float) -> dict[str, Quota]:
    """unit -> Quota, for `health.note_quota`. `headers` with lower-case names; `now` in Unix seconds.

    The unit is `requests` where the header names none.
    """
    read: dict[str, dict[str, float]] = {}
    for name, value in headers.items():
        if "ratelimit" not in name:
            continue
        found = _HEADER.fullmatch(name)
        if found is None:
            continue
        what = found["what"] or found["what_a"]
        number = _reset_at(value.strip(), now) if what == "reset" else _number(value.strip())
        if number is not None:
            read.setdefault(found["unit"] or found["unit_a"] or "requests", {})[what] = number
    return {
        unit: Quota(remaining=told["remaining"], limit=told.get("limit"), reset_at=told.get("reset"))
        for unit, told in read.items()
        if "remaining" in told
    }


def _number(text: str) -> float | None:
    """A count; negative remainders (a window overdrawn) are none left."""
    try:
        number = float(text)
    except ValueError:
        return None
    return max(number, 0.0) if number == number and number != float("inf") else None


def _reset_at(text: str, now: float) -> float | None:
    """Unix seconds of a reset given as seconds, duration, Unix time or RFC 3339."""
    number = _number(text)
    if number is not None:
        if number >= _MILLISECONDS_FROM:
            return number / 1_000
        return number if number >= _LONGEST_RELATIVE else now + number
    duration = _DURATION.fullmatch(text) if text else None
    if duration is not None:
        parts = zip(duration.groups(), _DURATION_SECONDS, strict=True)
        return now + sum(float(part) * seconds for part, seconds in parts if part)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
