"""`nox -s bench`: run every subject over every scenario and print the tables (`quick`: the gateway alone).

`nox -s bench -- onepath` measures onepath instead (bench/onepath), `nox -s bench -- rollback` how fast a rollback is.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench import report
from bench.figures import Figures, Results
from bench.load import checked, first_byte, wrk
from bench.processes import BenchError, cpu_seconds, memory_mib, running
from bench.scenarios import SCENARIOS, Scenario
from bench.subjects import Subject, direct, litellm, ours, portkey, proxy
from bench.upstream import nginx, upstream_config

GATEWAY_CORE = 0
LOAD_CORE = 1
BASE_PORT = 18480
TOOLS = Path(__file__).parent.parent / ".cache" / "bench"


def main() -> int:
    """Exit code 0 when everything asked for was measured, 1 when something could not be."""
    if sys.argv[1:2] == ["onepath"]:
        from bench.onepath.running import main as onepath

        return onepath(sys.argv[2:])
    if sys.argv[1:2] == ["rollback"]:
        from bench.rollback import main as rollback

        return rollback(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("mode", nargs="?", choices=["full", "quick"], default="full")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="of each wrk run")
    parser.add_argument("--only", action="append", default=[], help="subjects to run (repeatable)")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    quick = options.mode == "quick"
    rounds = options.rounds or (2 if quick else 5)
    seconds = options.seconds or (1 if quick else 3)
    console = Console(width=120)
    if (os.cpu_count() or 1) < 2:
        raise BenchError("Two cores are needed: one for the gateway, one for the load.")
    with tempfile.TemporaryDirectory(prefix="routecodex-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (folder / part).mkdir()
        upstream = BASE_PORT
        config = upstream_config(folder, upstream)
        command = [nginx(), "-c", str(config), "-p", str(folder)]
        stack.enter_context(running("upstream", command, LOAD_CORE, f"http://127.0.0.1:{upstream}/", folder))
        subjects = wanted(quick, options.only, folder, upstream)
        pids: dict[str, int] = {}
        for subject in subjects:
            if subject.command:
                pids[subject.name] = stack.enter_context(
                    running(subject.name, subject.command, GATEWAY_CORE, subject.ready, folder, subject.environment)
                )
        results = measure(subjects, pids, rounds, seconds, folder, console)
        memory = {subject.name: memory_mib(pids[subject.name]) for subject in subjects if subject.name in pids}
    tables = report.tables(results, memory, [subject.name for subject in subjects])
    for table in tables:
        console.print(table.rich())
    for line in report.judgement(results, memory):
        console.print(line)
    if options.markdown:
        header = f"`nox -s bench{' -- quick' if quick else ''}` on {machine()}, {rounds} rounds of {seconds:g} s"
        options.markdown.write_text(report.markdown(tables, report.judgement(results, memory), header))
    return 0


def wanted(quick: bool, only: list[str], folder: Path, upstream: int) -> list[Subject]:
    """The subjects of this run, installed where they are not yet."""
    subjects = [
        direct(upstream),
        proxy(folder, upstream + 1, upstream),
        ours(folder, upstream + 2, upstream),
        ours(folder, upstream + 5, upstream, second=True),
    ]
    if not quick:
        subjects.append(litellm(folder, upstream + 3, upstream, TOOLS))
        subjects.append(portkey(folder, upstream + 4, upstream, TOOLS))
    return [subject for subject in subjects if not only or subject.name in only]


def measure(
    subjects: list[Subject], pids: dict[str, int], rounds: int, seconds: float, folder: Path, console: Console
) -> Results:
    """Every subject takes its turn in every round; the first, uncounted turn warms up and checks the answer."""
    results: Results = {}
    pairs = [
        (scenario, subject) for scenario in SCENARIOS for subject in subjects if subject.path(scenario) is not None
    ]
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("measuring", total=len(pairs) * (rounds + 1))
        for scenario, subject in pairs:
            checked(subject, scenario)
            wrk(subject, scenario, 16, 1, LOAD_CORE, folder)
            progress.advance(task)
        for _ in range(rounds):
            for scenario, subject in pairs:
                figures = results.setdefault((scenario.key, subject.name), Figures())
                one_turn(figures, scenario, subject, pids.get(subject.name), seconds, folder)
                progress.advance(task)
    return results


def one_turn(
    figures: Figures, scenario: Scenario, subject: Subject, pid: int | None, seconds: float, folder: Path
) -> None:
    """One subject, one scenario, one round: 16 connections for CPU and rate, then one for added latency."""
    before = cpu_seconds(pid) if pid else 0.0
    load = wrk(subject, scenario, 16, seconds, LOAD_CORE, folder)
    if pid:
        figures.cpu.append((cpu_seconds(pid) - before) / load.requests * 1e6)
    figures.rate.append(load.requests / load.seconds)
    figures.p50[16].append(load.p50)
    figures.p99[16].append(load.p99)
    single = wrk(subject, scenario, 1, max(1, seconds / 3), LOAD_CORE, folder)
    figures.p50[1].append(single.p50)
    figures.p99[1].append(single.p99)
    if scenario.stream:
        figures.first.append(first_byte(subject, scenario, 10))


def machine() -> str:
    """Where the numbers were taken."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
