"""`python -m tests.e2e`: install, start, run every cell in parallel, judge, print. Exit 0 only if every cell is right.

-k WORDS      cells whose name (client/upstream/case) holds every word; `not WORD` excludes
--clients A,B clients whose name starts so
--list        print the cells and end
--direct      no gateway: clients against the fake upstream, to check this harness itself
--jobs N      cells at a time; default: the cores
--keep        leave the folders of failed cells and name them
--json FILE   where the machine-readable matrix goes; default .cache/e2e/matrix.json
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from . import pins, report
from .catalogue import Cell, full_plan, selected
from .drivers import DRIVERS
from .drivers.process import Place, Ran
from .gateway import Gateway, configuration
from .report import Outcome
from .scenarios import scenario
from .tap import Tap
from .upstreams import Target, start_targets
from .verdict import judge


async def run_cell(
    cell: Cell, targets: list[Target], gateway: Gateway | None, folder: Path, console: Console
) -> Outcome:
    """Run one client in folders of its own, and judge it."""
    wanted = scenario(cell)
    home, workspace = folder / cell.tag / "home", folder / cell.tag / "workspace"
    home.mkdir(parents=True)
    workspace.mkdir()
    shutil.copy(pins.HERE / "red.png", workspace / "red.png")
    wanted = replace(wanted, prompt=wanted.prompt.replace("WORKSPACE", str(workspace)))
    port = gateway.port if gateway is not None else targets[0].fake.port
    async with Tap(port) as tap:
        place = Place(home, workspace, f"http://127.0.0.1:{tap.port}")
        if cell.client.launched and gateway is not None:
            bin_folder = str(Path(pins.program("codex")).parent)
            path = os.pathsep.join([bin_folder, os.environ["PATH"]])
            launcher = (sys.executable, "-m", "routecodex", "run")
            place = replace(place, launcher=launcher, launcher_environment={**gateway.environment, "PATH": path})
        ran = await DRIVERS[cell.client.driver](cell, wanted, place)
        faults = judge(cell, wanted, ran, tap.exchanges, targets, workspace)
        seen = [str(exchange) for exchange in tap.exchanges]
    if gateway is not None and gateway.exit_code is not None:
        faults.append(f"the gateway has ended with {gateway.exit_code}")
    outcome = Outcome(cell, ran.seconds, faults)
    if faults:
        outcome.evidence = _evidence(cell, wanted.prompt, ran, seen, targets, gateway)
        report.show_fault(console, outcome)
    else:
        console.print(f"ok   {cell.name} ({ran.seconds:.1f} s)", highlight=False, markup=False)
    return outcome


def _evidence(
    cell: Cell, prompt: str, ran: Ran, seen: list[str], targets: list[Target], gateway: Gateway | None
) -> dict[str, list[str]]:
    return {
        "prompt": [prompt],
        "client stdout": report.tail(ran.stdout),
        "client stderr": report.tail(ran.stderr),
        "what the client asked and saw": seen,
        "what the upstreams were asked": [line for target in targets for line in target.summary()],
        "gateway log": [] if gateway is None else report.tail("\n".join(gateway.log_lines(cell.tag, report.TAIL))),
    }


async def run_all(cells: list[Cell], options: argparse.Namespace, folder: Path, console: Console) -> dict[int, Outcome]:
    """Every cell, `jobs` at a time."""
    outcomes: dict[int, Outcome] = {}
    async with AsyncExitStack() as stack:
        targets = await start_targets(cells, stack, options.direct)
        gateway = None
        if not options.direct:
            (folder / "gateway").mkdir()
            document = configuration(cells, targets)
            gateway = await stack.enter_async_context(Gateway(folder / "gateway", document))
        room = asyncio.Semaphore(options.jobs)

        async def run_one(cell: Cell) -> None:
            async with room:
                try:
                    outcomes[cell.number] = await run_cell(cell, targets[cell.number], gateway, folder, console)
                except Exception as error:  # the other cells go on; this one has not passed
                    outcomes[cell.number] = Outcome(cell, 0.0, [f"the harness itself failed: {error!r}"])
                    report.show_fault(console, outcomes[cell.number])

        async with asyncio.TaskGroup() as group:
            for cell in cells:
                group.create_task(run_one(cell))
    return outcomes


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-k", dest="pattern", default="")
    parser.add_argument("--clients", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", type=Path, default=pins.ROOT / ".cache" / "e2e" / "matrix.json")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: every selected cell ran and is right; 1: one is not; 2: a client cannot be installed."""
    options = parse(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200)
    everything = full_plan()
    plan = selected(everything, options.pattern, options.clients, options.direct)
    if options.list:
        for cell in plan:
            print(cell.name)
        return 0
    if not plan:
        print("No cell has such a name; --list shows them.", file=sys.stderr)
        return 1
    begun = time.monotonic()
    try:
        versions = pins.install()
    except pins.ClientsAbsentError as error:
        print(f"end-to-end: {error}", file=sys.stderr)
        return 2
    report.show_pins(console, versions)
    console.print(f"{len(plan)} of {len(everything)} cells, {options.jobs} at a time", highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="routecodex-e2e-"))
    try:
        outcomes = asyncio.run(run_all(plan, options, folder, console))
    finally:
        if options.keep:
            console.print(f"Folders are kept in {folder}", highlight=False)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.show_matrix(console, plan, outcomes)
    report.write_json(options.json, plan, outcomes, versions)
    wrong = [cell for cell in plan if cell.number not in outcomes or not outcomes[cell.number].ok]
    for cell in wrong:
        faults = outcomes[cell.number].faults if cell.number in outcomes else ["not run"]
        console.print(f"FAIL {cell.name}: {faults[0][:300]}", markup=False, highlight=False)
    console.print(
        f"{len(plan) - len(wrong)} of {len(plan)} cells right, {time.monotonic() - begun:.0f} s. {options.json}",
        highlight=False, markup=False,
    )  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
