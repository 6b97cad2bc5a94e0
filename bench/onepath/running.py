"""`nox -s bench -- onepath [quick|accuracy]`: onepath beside parsers and neighbours; prints which goals are reached.

`quick` takes Flask and this repository, one round. The goals are set for Django (time, memory), Home Assistant
(memory) and this repository (one changed file); SQLAlchemy and LiteLLM are read to the end once. `accuracy` compares
call graphs with lists instead (bench/onepath/accuracy.py).
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.onepath import accuracy
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
_ONCE = (COLD, WARM, LIBCST, AST, GRIMP)


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 where onepath itself failed; goals that are not reached, and neighbours that fail, are said."""
    parser = argparse.ArgumentParser(prog="bench onepath", description=__doc__)
    parser.add_argument("mode", nargs="?", choices=["full", "quick", "accuracy"], default="full")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], help="trees to read (repeatable)")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    parser.add_argument("--suite", type=Path, help="accuracy: where the PyCG micro-benchmark's snippets are")
    options = parser.parse_args(arguments)
    if options.mode == "accuracy":
        return compare(options.suite, options.markdown)
    quick = options.mode == "quick"
    rounds = options.rounds or (1 if quick else 5)
    CACHE.mkdir(parents=True, exist_ok=True)
    console = Console(width=120)
    measured: dict[str, Measured] = {}
    sheets: list[Sheet] = []
    failures: list[str] = []
    for tree, subjects, times in plan(quick, rounds, options.only):
        taken = measure(tree, subjects, times, console)
        answers = {name: medians(some) for name, some in taken.items() if not failure(some)}
        measured[tree.name] = Measured(tree.lines, answers)
        own = {one.name: failure(taken[one.name]) for one in subjects if one in _OWN}
        failed = [f"{tree.name}: {name}: {why}" for name, why in own.items() if why]
        failures += failed
        sheets.append(sheet(tree, taken, None if failed else counts(tree)))
        console.print(sheets[-1].rich())
    lines = [*judgement(measured), *failures]
    for line in lines:
        console.print(line, markup=False)
    if options.markdown:
        parts = [*(one.markdown() for one in sheets), "**Goals**\n", *(f"- {line}" for line in lines)]
        options.markdown.write_text("\n".join(parts) + "\n")
    return 1 if failures else 0


def compare(suite: Path | None, markdown: Path | None) -> int:
    """Call graphs beside lists; exit code 0 when there were any."""
    console = Console(width=120)
    measured = []
    for one in accuracy.measure(suite):
        measured.append(one)
        console.print(one.differences, markup=False, end="")
    table, lines = accuracy.sheet(measured), list(accuracy.judgement(measured))
    console.print(table.rich())
    for line in lines:
        console.print(line, markup=False)
    if markdown:
        markdown.write_text("\n".join([table.markdown(), *(f"- {line}" for line in lines)]) + "\n")
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


def failure(some: Sequence[Taken]) -> str:
    """Why a subject gave no answer; empty if it gave one in every round."""
    return next((one.failed for one in some if one.failed), "")


def sheet(tree: Tree, taken: dict[str, list[Taken]], sizes: dict[str, int] | None) -> Sheet:
    """One tree's table; its title has the size of the graph, if there is one."""
    bare = medians(taken[LIBCST.name]).cpu
    rows = []
    for name, some in taken.items():
        middle = medians(some)
        why = f" ({failure(some)})" if failure(some) else ""
        rows.append(
            (name + why, f"{middle.cpu:.2f}", f"{middle.cpu / bare:.2f}", f"{middle.wall:.2f}", f"{middle.peak:.0f}")
        )
    title = f"{tree.name}: {len(tree.files)} files, {tree.lines} lines; {graph(sizes) if sizes else 'no graph'}"
    return Sheet(title, ("subject", "CPU s", "× libcst", "wall s", "peak MiB"), rows)


def graph(sizes: dict[str, int]) -> str:
    """The size of a graph in words."""
    share = sizes["unknown"] / sizes["calls"] if sizes["calls"] else 0.0
    return (
        f"{sizes['call']} call and {sizes['may-call']} may-call edges, {sizes['imports']} imports; "
        f"unknown receivers: {share:.1%} of {sizes['calls']} calls; {sizes['opaque']} opaque, "
        f"{sizes['faults']} unreadable"
    )
