"""`nox -s bench -- onepath [quick]`: onepath beside parsers and neighbours; prints tables and which goals are reached.

`quick` takes Flask and this repository, one round. The goals are set for Django (time, memory), Home Assistant
(memory) and this repository (one changed file); SQLAlchemy and LiteLLM are read to the end once.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.onepath.goals import Measured, Medians, judgement
from bench.onepath.subjects import (
    AST,
    CHANGED,
    COLD,
    COLD_TWO,
    GRIMP,
    IMPORT_LINTER,
    LIBCST,
    PYAN3,
    WARM,
    Subject,
    counts,
)
from bench.onepath.taking import Taken
from bench.onepath.trees import CACHE, Tree, ours, third_party
from bench.report import Sheet

_OWN = (COLD, COLD_TWO, WARM, CHANGED)
_ALL = (*_OWN, LIBCST, AST, PYAN3, IMPORT_LINTER, GRIMP)
_ONCE = (*_OWN, LIBCST, AST, GRIMP)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all was measured; goals that are not reached are said, not failed."""
    parser = argparse.ArgumentParser(prog="bench onepath", description=__doc__)
    parser.add_argument("mode", nargs="?", choices=["full", "quick"], default="full")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], help="trees to read (repeatable)")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    options = parser.parse_args(arguments)
    quick = options.mode == "quick"
    rounds = options.rounds or (1 if quick else 5)
    CACHE.mkdir(parents=True, exist_ok=True)
    console = Console(width=120)
    measured: dict[str, Measured] = {}
    sheets: list[Sheet] = []
    for tree, subjects, times in plan(quick, rounds, options.only):
        taken = measure(tree, subjects, times, console)
        measured[tree.name] = Measured(tree.lines, {name: medians(some) for name, some in taken.items()})
        sheets.append(sheet(tree, taken, counts(tree)))
        console.print(sheets[-1].rich())
    lines = judgement(measured)
    for line in lines:
        console.print(line)
    if options.markdown:
        parts = [*(one.markdown() for one in sheets), "**Goals**\n", *(f"- {line}" for line in lines)]
        options.markdown.write_text("\n".join(parts) + "\n")
    return 0


def plan(quick: bool, rounds: int, only: Sequence[str]) -> list[tuple[Tree, Sequence[Subject], int]]:
    """Trees, what is run on them, and how often."""
    wanted = ["flask"] if quick else ["django", "sqlalchemy", "litellm", "homeassistant"]
    trees = third_party([name for name in only or wanted if name != "ours"])
    planned: list[tuple[Tree, Sequence[Subject], int]] = [
        (tree, _ALL if tree.name in ("django", "flask") else _ONCE, rounds if tree.name in ("django", "flask") else 1)
        for tree in trees
    ]
    if not only or "ours" in only:
        planned.append((ours(), _ALL, rounds))
    return planned


def measure(tree: Tree, subjects: Sequence[Subject], rounds: int, console: Console) -> dict[str, list[Taken]]:
    """Every subject takes its turn in every round; slow ones in the first only."""
    taken: dict[str, list[Taken]] = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{tree.name}, {tree.lines} lines", total=rounds * len(subjects))
        for turn in range(rounds):
            for subject in subjects:
                if not (subject.slow and turn):
                    taken.setdefault(subject.name, []).append(subject.run(tree))
                progress.advance(task)
    return taken


def medians(some: Sequence[Taken]) -> Medians:
    """Over rounds, each figure by itself."""
    return Medians(
        statistics.median(one.cpu for one in some),
        statistics.median(one.wall for one in some),
        statistics.median(one.peak for one in some),
    )


def sheet(tree: Tree, taken: dict[str, list[Taken]], sizes: dict[str, int]) -> Sheet:
    """One tree's table; its title has the size of the graph."""
    bare = medians(taken[LIBCST.name]).cpu
    rows = []
    for name, some in taken.items():
        middle = medians(some)
        over = " (stopped)" if any(one.timed_out for one in some) else ""
        rows.append(
            (name + over, f"{middle.cpu:.2f}", f"{middle.cpu / bare:.2f}", f"{middle.wall:.2f}", f"{middle.peak:.0f}")
        )
    share = sizes["unknown"] / sizes["calls"] if sizes["calls"] else 0.0
    title = (
        f"{tree.name}: {len(tree.files)} files, {tree.lines} lines; {sizes['call']} call and {sizes['may-call']} "
        f"may-call edges, {sizes['imports']} imports; unknown receivers: {share:.1%} of {sizes['calls']} calls; "
        f"{sizes['opaque']} opaque, {sizes['faults']} unreadable"
    )
    return Sheet(title, ("subject", "CPU s", "× libcst", "wall s", "peak MiB"), rows)
