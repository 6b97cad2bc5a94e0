"""From figures to tables: for the terminal and, the same, for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.figures import Results
from bench.scenarios import SCENARIOS

OURS = "routecodex"
SECOND = "routecodex v2"

FLOORS = (("small", "litellm", 15.0), ("small", "portkey", 2.0), ("stream", "litellm", 25.0))
"""v1 is not done below these: how many times less CPU per request than a peer."""
TARGETS = (("small", "litellm", 30.0), ("small", "portkey", 5.0), ("stream", "litellm", 100.0))
"""What v2 is to reach."""


_DIRECT = {"translated": "small", "stream_translated": "stream"}
"""Which direct request a translated one is compared with: the upstream speaks Chat Completions only."""


@dataclass(frozen=True)
class Sheet:
    """One table as data."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> Table:
        table = Table(title=self.title, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="left" if index == 0 else "right")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        head = f"| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}"
        body = "\n".join(f"| {' | '.join(row)} |" for row in self.rows)
        return f"**{self.title}**\n\n{head}\n{body}\n"


def tables(results: Results, memory: Mapping[str, float], subjects: Sequence[str]) -> list[Sheet]:
    """CPU, rate, added latency, first byte, memory."""
    columns = ("scenario", *subjects)

    def sheet(title: str, cell: str, connections: int | None = None, added: bool = False, digits: int = 0) -> Sheet:
        rows = []
        for scenario in SCENARIOS:
            if cell == "first" and not scenario.stream:
                continue
            row = [scenario.title]
            for subject in subjects:
                figures = results.get((scenario.key, subject))
                values = None if figures is None else getattr(figures, cell)
                if values is None or not (values if connections is None else values[connections]):
                    row.append("–")
                    continue
                value = figures.median(cell, connections)  # type: ignore[union-attr]
                base = results.get((_DIRECT.get(scenario.key, scenario.key), "direct"))
                if added and base is not None:
                    value -= base.median(cell, connections)
                row.append(f"{value:.{digits}f}")
            rows.append(row)
        return Sheet(title, columns, rows)

    out = [
        sheet("CPU µs per request, process tree, 16 connections (median)", "cpu"),
        sheet("Requests per second, 16 connections", "rate"),
        sheet("Added p50 ms, 1 connection", "p50", 1, True, 2),
        sheet("Added p99 ms, 1 connection", "p99", 1, True, 2),
        sheet("Added p50 ms, 16 connections", "p50", 16, True, 2),
        sheet("Added p99 ms, 16 connections", "p99", 16, True, 2),
        sheet("Time to the first byte of a stream, ms", "first", digits=2),
    ]
    out.append(
        Sheet(
            "Memory of the process tree after the load, MiB (PSS)",
            tuple(memory),
            [[f"{value:.0f}" for value in memory.values()]],
        )
    )
    return out


def judgement(results: Results, memory: Mapping[str, float]) -> list[str]:
    """The floors v1 has to keep and the targets v2 has, as measured in this run."""
    lines = [
        *_cheaper("floor", OURS, FLOORS, results),
        *_cheaper("target", SECOND, TARGETS, results),
        *_sides(results),
    ]
    alone = results.get(("history", "direct"))
    for name, subject, most in (("floor", OURS, 15.0), ("target", SECOND, 10.0)):
        mine = results.get(("history", subject))
        if mine is not None and alone is not None:
            added = mine.median("p50", 1) - alone.median("p50", 1)
            lines.append(f"{name}: {subject}: 400 KB ≤ {most:g} ms added: {added:.2f} ms ({_verdict(added <= most)})")
    for subject in (OURS, SECOND):
        if subject in memory and "litellm" in memory:
            share = memory[subject] / memory["litellm"]
            lines.append(f"floor: {subject}: memory ≤ 0.4 × litellm: {share:.2f} × ({_verdict(share <= 0.4)})")
    mine, floor = results.get(("small", SECOND)), results.get(("small", "nginx"))
    if mine is not None and floor is not None:
        share = mine.median("rate") / floor.median("rate")
        lines.append(f"target: {SECOND}: requests/s ≥ 0.10 of nginx: {share:.3f} ({_verdict(share >= 0.1)})")
    return lines + _added(results)


def _verdict(holds: bool) -> str:
    return "reached" if holds else "NOT reached"


def _cheaper(name: str, subject: str, goals: Sequence[tuple[str, str, float]], results: Results) -> list[str]:
    """How many times less CPU per request than each peer."""
    lines = []
    for scenario, peer, goal in goals:
        mine, theirs = results.get((scenario, subject)), results.get((scenario, peer))
        if mine is not None and theirs is not None:
            ratio = theirs.median("cpu") / mine.median("cpu")
            told = _verdict(ratio >= goal)
            lines.append(f"{name}: {subject}: {scenario} {goal:g} × cheaper than {peer}: {ratio:.1f} × ({told})")
    return lines


def _sides(results: Results) -> list[str]:
    """What the second sides cost beside the first ones."""
    lines = []
    for scenario, most in (("small", 0.7), ("stream", 1.0)):
        first, second = results.get((scenario, OURS)), results.get((scenario, SECOND))
        if first is not None and second is not None:
            ratio = second.median("cpu") / first.median("cpu")
            told = _verdict(ratio <= most)
            lines.append(f"target: {SECOND}: {scenario} CPU ≤ {most:g} × v1's: {ratio:.2f} × ({told})")
    return lines


def _added(results: Results) -> list[str]:
    mine, theirs, alone = (results.get(("small", name)) for name in (SECOND, "portkey", "direct"))
    if mine is None or theirs is None or alone is None:
        return []
    base = alone.median("p50", 1)
    ratio = (mine.median("p50", 1) - base) / (theirs.median("p50", 1) - base)
    told = _verdict(ratio <= 0.19)
    return [f"target: {SECOND}: added p50 at one connection ≤ 0.19 × portkey's: {ratio:.2f} × ({told})"]


def markdown(sheets: Sequence[Sheet], lines: Sequence[str], header: str) -> str:
    """The whole report for the documentation."""
    parts = ["# Benchmarks", "", f"Printed by {header}.", ""]
    parts.extend(sheet.markdown() for sheet in sheets)
    parts.append("**Floors and targets**\n")
    parts.extend(f"- {line}" for line in lines)
    return "\n".join(parts) + "\n"
