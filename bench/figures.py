"""What one run measured: a value per round for each subject in each scenario."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Figures:
    """One subject in one scenario: a value per round."""

    cpu: list[float] = field(default_factory=list)
    """CPU microseconds of the process tree per request, 16 connections."""
    rate: list[float] = field(default_factory=list)
    p50: dict[int, list[float]] = field(default_factory=lambda: {1: [], 16: []})
    p99: dict[int, list[float]] = field(default_factory=lambda: {1: [], 16: []})
    first: list[float] = field(default_factory=list)

    def median(self, name: str, connections: int | None = None) -> float:
        values = getattr(self, name)
        return statistics.median(values if connections is None else values[connections])


Results = dict[tuple[str, str], Figures]
