"""How a worker fares, in numbers that tell a good generation from a bad one: loop lag, faults, requests."""

from __future__ import annotations

import asyncio
from typing import Final

from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.blocks.telemetry import Metrics

_BEAT: Final = 0.1
"""Seconds between two looks at the loop's clock."""


class Vitals:
    """Counts since the last publication; made in the loop it watches."""

    def __init__(self, errors: ErrorHandlingCenter, metrics: Metrics) -> None:
        self._errors = errors
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + _BEAT
        self._timer = self._loop.call_at(self._due, self._beat)
        self._lag = 0.0
        self._faults = errors.unforeseen
        self._requests = 0
        self.begin()

    def begin(self) -> None:
        """A generation was published: count from here."""
        self._faults = self._errors.unforeseen
        self._requests = sum(self._metrics.outcomes().values())

    @property
    def faults(self) -> int:
        """Faults of our own since `begin`."""
        return self._errors.unforeseen - self._faults

    @property
    def requests(self) -> int:
        """Requests ended since `begin`."""
        return sum(self._metrics.outcomes().values()) - self._requests

    def take_lag(self) -> float:
        """Longest the loop was late since the last call, seconds."""
        lag, self._lag = max(self._lag, self._loop.time() - self._due), 0.0
        return max(lag, 0.0)

    def close(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        self._lag = max(self._lag, now - self._due)
        self._due = now + _BEAT
        self._timer = self._loop.call_at(self._due, self._beat)
