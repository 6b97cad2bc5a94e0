"""How long an upstream asks to wait, from its headers: one reading for all protocols (RFC 9110 §10.2.3).

Pure: a date is measured against the answer's own `date` header, never against a clock of ours.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 7 * 86400.0
"""Seconds past which a wait is taken for a mistake of the peer's and ignored."""

_DATE: Final = re.compile(r"\w{3}, (\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC|\+0000)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms`, or from `retry-after` as seconds or as a date. None: not said, or absurd.

    `headers` have lower-case names.
    """
    exact = _seconds(headers.get("retry-after-ms"), 0.001)
    if exact is not None:
        return exact
    value = headers.get("retry-after")
    plain = _seconds(value, 1.0)
    if plain is not None or value is None:
        return plain
    until, now = http_date(value), http_date(headers.get("date", ""))
    return None if until is None or now is None else _bounded(float(max(until - now, 0)))


def http_date(text: str) -> int | None:
    """Unix seconds of an IMF-fixdate (`Sun, 22 Nov 2026 11:27:16 GMT`); None for anything else."""
    match = _DATE.fullmatch(text.strip())
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[index]) for index in (1, 3, 4, 5, 6))
    return calendar.timegm((year, _MONTHS.index(match[2]) + 1, day, hour, minute, second))


def _seconds(value: str | None, unit: float) -> float | None:
    if value is None:
        return None
    try:
        return _bounded(float(value) * unit)
    except ValueError:
        return None


def _bounded(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= LONGEST else None
