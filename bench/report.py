"""From figures to tables: for the terminal and, the same, for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.figures import Results
from bench.scenarios import SCENARIOS

OURS = "routecodex"

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
    """The issue's floors and targets, as measured in this run."""
    lines: list[str] = []
    for name, goals in (("floor", FLOORS), ("target", TARGETS)):
        for scenario, peer, goal in goals:
            mine, theirs = results.get((scenario, OURS)), results.get((scenario, peer))
            if mine is None or theirs is None:
                continue
            ratio = theirs.median("cpu") / mine.median("cpu")
            verdict = "reached" if ratio >= goal else "NOT reached"
            lines.append(f"{name}: {scenario} {goal:g} × cheaper than {peer}: {ratio:.1f} × ({verdict})")
    mine, alone = results.get(("history", OURS)), results.get(("history", "direct"))
    if mine is not None and alone is not None:
        added = mine.median("p50", 1) - alone.median("p50", 1)
        lines.append(f"floor: 400 KB ≤ 15 ms added: {added:.2f} ms ({'reached' if added <= 15 else 'NOT reached'})")
        lines.append(f"target: 400 KB ≤ 10 ms added: {added:.2f} ms ({'reached' if added <= 10 else 'NOT reached'})")
    if OURS in memory and "litellm" in memory:
        share = memory[OURS] / memory["litellm"]
        verdict = "reached" if share <= 0.4 else "NOT reached"
        lines.append(f"floor: memory ≤ 0.4 × litellm: {share:.2f} × ({verdict})")
    mine, floor = results.get(("small", OURS)), results.get(("small", "nginx"))
    if mine is not None and floor is not None:
        share = mine.median("rate") / floor.median("rate")
        verdict = "reached" if share >= 0.1 else "NOT reached"
        lines.append(f"target: requests/s ≥ 0.10 of nginx: {share:.3f} ({verdict})")
    return lines


def markdown(sheets: Sequence[Sheet], lines: Sequence[str], header: str) -> str:
    """The whole report for the documentation."""
    parts = ["# Benchmarks", "", f"Printed by {header}.", ""]
    parts.extend(sheet.markdown() for sheet in sheets)
    parts.append("**Floors and targets**\n")
    parts.extend(f"- {line}" for line in lines)
    return "\n".join(parts) + "\n"
