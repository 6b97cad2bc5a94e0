"""The goals of onepath's speed and memory, as data with one interpreter. It knows medians, nothing of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.onepath.subjects import CHANGED, COLD, COLD_TWO, LIBCST, WARM
from bench.onepath.trees import OURS


@dataclass(frozen=True)
class Medians:
    """Of one subject on one tree, over all rounds."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Measured:
    """One tree: its size, and medians by subject."""

    lines: int
    by: Mapping[str, Medians]


@dataclass(frozen=True)
class Goal:
    """At most so much."""

    text: str
    tree: str
    """The tree it is set for; empty: every tree."""
    needs: tuple[str, ...]
    """The subjects it is about; one that gave no answer is told apart from goals."""
    value: Callable[[Measured], float]
    most: Callable[[Measured], float]
    unit: str


_PEAK: Final = "peak of memory, cold, 1 process"


def _fixed(number: float) -> Callable[[Measured], float]:
    return lambda _: number


GOALS: Final = (
    Goal(
        "cold lint, 1 process: CPU / bare libcst parsing",
        "django",
        (COLD.name, LIBCST.name),
        lambda one: one.by[COLD.name].cpu / one.by[LIBCST.name].cpu,
        _fixed(1.8),
        "×",
    ),
    Goal(
        "2 processes: wall / wall of 1 process",
        "django",
        (COLD.name, COLD_TWO.name),
        lambda one: one.by[COLD_TWO.name].wall / one.by[COLD.name].wall,
        _fixed(0.65),
        "×",
    ),
    Goal(
        "unchanged tree: 0.25 s + 0.3 s per million lines",
        "",
        (WARM.name,),
        lambda one: one.by[WARM.name].wall,
        lambda one: 0.25 + 0.3 * one.lines / 1e6,
        "s",
    ),
    Goal("one changed file", "django", (CHANGED.name,), lambda one: one.by[CHANGED.name].wall, _fixed(3), "s"),
    Goal("one changed file", OURS, (CHANGED.name,), lambda one: one.by[CHANGED.name].wall, _fixed(1), "s"),
    Goal(_PEAK, "django", (COLD.name,), lambda one: one.by[COLD.name].peak, _fixed(600), "MiB"),
    Goal(_PEAK, "homeassistant", (COLD.name,), lambda one: one.by[COLD.name].peak, _fixed(2048), "MiB"),
)


def judgement(measured: Mapping[str, Measured]) -> list[str]:
    """A line per goal and tree that was measured, `reached` or `NOT reached`."""
    lines = []
    for goal in GOALS:
        for name, one in measured.items():
            if goal.tree not in ("", name) or not one.by.keys() >= set(goal.needs):
                continue
            value, most = goal.value(one), goal.most(one)
            verdict = "reached" if value <= most else "NOT reached"
            lines.append(f"{name}: {goal.text} ≤ {most:.2f} {goal.unit}: {value:.2f} {goal.unit} ({verdict})")
    return lines
