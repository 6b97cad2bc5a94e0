"""What a person and a machine read of a run: the matrix, the faults in full, a JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .catalogue import CASES, PROTOCOLS, Cell

TAIL = 14


@dataclass
class Outcome:
    """One executed cell; no faults means it is right. The evidence is what a person needs to find the cause."""

    cell: Cell
    seconds: float
    faults: list[str]
    evidence: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def tail(text: str, lines: int = TAIL) -> list[str]:
    """The last lines, long ones cut."""
    return [line if len(line) <= 1200 else line[:1200] + " …" for line in text.splitlines()[-lines:]]


def show_pins(console: Console, versions: dict[str, str]) -> None:
    """Which clients run."""
    console.print("Clients: " + ", ".join(f"{name} {version}" for name, version in versions.items()), highlight=False)


def show_fault(console: Console, outcome: Outcome) -> None:
    """One failure with its evidence."""
    console.rule(f"[red]FAIL {escape(outcome.cell.name)}", align="left")
    for fault in outcome.faults:
        console.print(f"  {fault}", markup=False, highlight=False, style="red")
    for title, lines in outcome.evidence.items():
        if lines:
            console.print(f"  -- {title}", style="bold", markup=False)
        for line in lines:
            console.print(f"     {line}", markup=False, highlight=False, soft_wrap=True)


def show_matrix(console: Console, plan: list[Cell], outcomes: dict[int, Outcome]) -> None:
    """client x upstream x case: ok with its seconds, FAIL, or `not run`, which fails the session too."""
    cases = [case for case in CASES if any(cell.case == case for cell in plan)]
    table = Table(title="Client x upstream x case", header_style="bold")
    table.add_column("client")
    table.add_column("upstream")
    for case in cases:
        table.add_column(case, justify="right")
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in plan:
        outcome = outcomes.get(cell.number)
        if outcome is None:
            shown = "[red]not run"
        else:
            shown = f"[green]ok {outcome.seconds:.1f}" if outcome.ok else "[bold red]FAIL"
        rows.setdefault((cell.client.name, cell.upstream), {})[cell.case] = shown
    before = ""
    for (client, upstream), found in rows.items():
        if before and client != before:
            table.add_section()
        table.add_row("" if client == before else client, PROTOCOLS[upstream], *(found.get(case, "") for case in cases))
        before = client
    console.print(table)


def write_json(file: Path, plan: list[Cell], outcomes: dict[int, Outcome], versions: dict[str, str]) -> None:
    """The same for machines."""
    cells: list[dict[str, Any]] = []
    for cell in plan:
        outcome = outcomes.get(cell.number)
        entry: dict[str, Any] = {
            "client": cell.client.name,
            "upstream": PROTOCOLS[cell.upstream],
            "case": cell.case,
            "result": "not run" if outcome is None else "ok" if outcome.ok else "fail",
        }
        if outcome is not None:
            entry["seconds"] = round(outcome.seconds, 2)
            if outcome.faults:
                entry["faults"] = outcome.faults
                entry["evidence"] = outcome.evidence
        cells.append(entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"clients": versions, "cells": cells}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
