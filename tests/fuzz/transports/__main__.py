"""`python -m tests.fuzz.transports --count 100000`: fuzzed upstream byte streams over every side of the transport.

Exit code 0: no hang, no leak, no difference that is not written down. `--seed N --count 1 --show` shows one case.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import uvloop

from tests.fuzz.transports.allowed import ALLOWED, judged
from tests.fuzz.transports.making import Case
from tests.fuzz.transports.making import case as made
from tests.fuzz.transports.running import Run, run
from tests.fuzz.transports.serving import Upstream
from tests.host.transports.sides import SIDES

SLOTS = 24
"""Cases under way at once in one process."""
SHARD = 2000
REPLAYS = 3
"""How often a differing case is played again."""


class Report(msgspec.Struct):
    """What a shard came to."""

    cases: int = 0
    requests: int = 0
    kinds: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    allowed: dict[str, int] = {}
    faults: list[str] = []
    """Differences, hangs and leaks, in words."""
    once: list[str] = []
    """Differences that did not come back when the case was played again."""


def shard(first: int, count: int, loop: str) -> Report:
    """Run these seeds on a loop of this kind."""
    report = Report(kinds={}, outcomes={}, allowed={}, faults=[], once=[])
    runner = uvloop.run if loop == "uvloop" else asyncio.run
    runner(_shard(range(first, first + count), report))
    return report


async def _shard(seeds: range, report: Report) -> None:
    left = iter(seeds)
    async with Upstream() as upstream:
        # What is opened once and kept (random source, resolver) is no leak.
        for side in SIDES.values():
            await run(side.transport, upstream, made(0))
    await asyncio.sleep(0.05)
    fds = _fds()
    tasks = len(asyncio.all_tasks())

    async def slot() -> None:
        async with Upstream() as upstream:
            for seed in left:
                await _one(seed, upstream, report)

    await asyncio.gather(*(slot() for _ in range(min(SLOTS, len(seeds)))))
    gc.collect()
    for _ in range(50):
        await asyncio.sleep(0.01)
        if len(asyncio.all_tasks()) <= tasks and _fds() <= fds:
            break
    else:
        report.faults.append(
            f"leak after seeds {seeds.start}-{seeds.stop - 1}: {_fds() - fds} descriptors,"
            f" {len(asyncio.all_tasks()) - tasks} tasks"
        )


async def _one(seed: int, upstream: Upstream, report: Report) -> None:
    case = made(seed)
    runs = await _played(case, upstream, report)
    if not runs:
        return
    report.cases += 1
    report.kinds[case.kind] = report.kinds.get(case.kind, 0) + 1
    last = runs[list(runs)[-1]]
    report.requests += last.requests
    for outcome in last.outcomes:
        word = outcome.fault or "clean"
        report.outcomes[word] = report.outcomes.get(word, 0) + 1
    fault, row = compared(case, runs)
    if fault:
        # Of what the system's scheduling did, and not a side, nothing is left when it is played again.
        again = [compared(case, await _played(case, upstream, report))[0] for _ in range(REPLAYS)]
        (report.faults if any(again) else report.once).append(fault)
    elif row:
        report.allowed[row] = report.allowed.get(row, 0) + 1


async def _played(case: Case, upstream: Upstream, report: Report) -> dict[str, Run]:
    """The case on every side; empty where a side left a connection open."""
    runs: dict[str, Run] = {}
    for name, side in SIDES.items():
        try:
            runs[name] = await run(side.transport, upstream, case)
        except TimeoutError:
            report.faults.append(f"seed {case.seed} ({case.kind}): {name} left a connection open")
            upstream.open = 0
            return {}
    return runs


def compared(case: Case, runs: dict[str, Run]) -> tuple[str, str]:
    """(what is wrong, the known difference that covers it); both empty where all is the same."""
    names = list(runs)
    for name in names:
        if any(o.fault == "hang" or o.fault.startswith("crash") for o in runs[name].outcomes):
            return f"seed {case.seed} ({case.kind}): {name}: {[o.fault for o in runs[name].outcomes]}", ""
    covered = ""
    for name in names[1:]:
        one, two = runs[names[0]], runs[name]
        fine, row = judged(case, one, two)
        if not fine:
            return f"seed {case.seed} ({case.kind}):\n  {names[0]} {_told(one)}\n  {name} {_told(two)}", ""
        covered = row or covered
    return "", covered


def _told(run: Run) -> str:
    told = ", ".join(
        f"[{o.status}, {len(o.headers)} headers, {len(o.body)} bytes, {o.fault or 'clean'} {o.detail}]"
        for o in run.outcomes
    )
    return f"{told}, {run.requests} requests"


def _fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz.transports", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--loop", choices=["uvloop", "asyncio", "both"], default="both")
    parser.add_argument("--show", action="store_true", help="print the cases")
    parser.add_argument("--most", type=int, default=40, help="faults told in full")
    options = parser.parse_args()
    began = time.monotonic()
    total = Report(kinds={}, outcomes={}, allowed={}, faults=[], once=[])
    shards = []
    for number, first in enumerate(range(options.seed, options.seed + options.count, SHARD)):
        loop = options.loop if options.loop != "both" else ("uvloop", "asyncio")[number % 2]
        shards.append((first, min(SHARD, options.seed + options.count - first), loop))
    if options.show:
        for seed in range(options.seed, options.seed + options.count):
            shown = made(seed)
            print(f"seed {seed} ({shown.kind}) {shown.methods}")
            for exchange in shown.exchanges:
                print(f"  {exchange.ending}{' early' if exchange.early else ''}: {[c[:400] for c in exchange.cuts]}")
    with ProcessPoolExecutor(options.processes) as pool:
        for report in pool.map(shard, *zip(*shards, strict=True)):
            total.cases += report.cases
            total.requests += report.requests
            for field in ("kinds", "outcomes", "allowed"):
                merged = Counter(getattr(total, field))
                merged.update(getattr(report, field))
                setattr(total, field, dict(merged))
            total.faults += report.faults
            total.once += report.once
    seconds = time.monotonic() - began
    print(f"{total.cases} cases, {total.requests} requests on each of {', '.join(SIDES)}, {seconds:.0f} s")
    for title, figures in (
        ("kinds", total.kinds),
        ("outcomes", total.outcomes),
        ("allowed differences", total.allowed),
    ):
        print(
            f"{title}: " + ", ".join(f"{name} {figures[name]}" for name in sorted(figures, key=lambda n: -figures[n]))
        )
    dead = [row.name for row in ALLOWED if row.name not in total.allowed]
    if dead:
        print("rows that never applied: " + ", ".join(dead))
    for fault in total.once:
        print(f"once, and not again: {fault}")
    for fault in total.faults[: options.most]:
        print(fault)
    print(f"{len(total.faults)} differences, hangs and leaks that are not written down")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
