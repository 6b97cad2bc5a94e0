"""`python -m bench.transports`: CPU per request of each side of `hostBlocks.providerRuntime`, over the nginx upstream.

It measures the transport alone: no gateway around it. Sides take turns, so that a noisy moment falls on all of them;
CPU is this process's, microseconds per request, least and median of the rounds. `--profile v2` prints where one side's
time goes instead.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import uvloop

from bench.processes import BenchError, running
from bench.upstream import nginx, upstream_config
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks import provider_runtime
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import Transport, TransportRequest

PORT = 18470
UPSTREAM_CORE = 1
CONNECTIONS = 16
SCENARIOS = {"json": 4000, "stream": 250}
"""Requests of one round."""
HEADERS = {
    "user-agent": "routecodex/0.1",
    "accept": "application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "authorization": "Bearer upstream-key",
}
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"hello " * 40 + b'"}]}'


def sides() -> list[str]:
    """The sides there are, by their files."""
    return sorted(path.stem for path in Path(provider_runtime.__file__ or "").parent.glob("v[0-9].py"))


def made(side: str) -> Transport:
    """One provider's connections as this side makes them."""
    spec = ProviderSpec("bench", Protocol.OPENAI_CHAT, f"http://127.0.0.1:{PORT}", "bench", "plain", {})
    module = import_module(f"{provider_runtime.__name__}.{side}")
    transport: Transport = module.transport(spec)
    return transport


async def load(transport: Transport, scenario: str, requests: int) -> int:
    """That many requests over the connections; how many reads they took."""
    left = iter(range(requests))
    reads = 0

    async def client() -> None:
        nonlocal reads
        for number in left:
            url = f"http://127.0.0.1:{PORT}/{scenario}/v1/chat/completions"
            headers: Mapping[str, str] = {**HEADERS, "x-request": str(number)}
            stream = await transport.open(TransportRequest("POST", url, headers, BODY))
            if stream.status != 200:
                raise BenchError(f"the upstream answered {stream.status}")
            while await stream.read():
                reads += 1

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return reads


def measured(rounds: int, names: list[str]) -> dict[tuple[str, str], list[float]]:
    """Microseconds of CPU per request: by scenario and side, one figure per round."""
    figures: dict[tuple[str, str], list[float]] = {}

    async def run() -> None:
        transports = {side: made(side) for side in names}
        for scenario, requests in SCENARIOS.items():
            for transport in transports.values():
                await load(transport, scenario, requests // 4)
            for _ in range(rounds):
                for side, transport in transports.items():
                    before = time.process_time()
                    await load(transport, scenario, requests)
                    figures.setdefault((scenario, side), []).append((time.process_time() - before) / requests * 1e6)
        for transport in transports.values():
            await transport.close()

    uvloop.run(run())
    return figures


def profile(side: str, scenario: str) -> None:
    """Print where the side's time goes."""

    async def run() -> None:
        transport = made(side)
        await load(transport, scenario, 200)
        profiler = cProfile.Profile()
        profiler.enable()
        reads = await load(transport, scenario, SCENARIOS[scenario])
        profiler.disable()
        await transport.close()
        print(f"{reads / SCENARIOS[scenario]:.1f} reads per request")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)

    uvloop.run(run())


def main() -> int:
    """Measure or profile; 0 when it was done."""
    parser = argparse.ArgumentParser(prog="bench.transports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", choices=sides())
    parser.add_argument("--scenario", choices=list(SCENARIOS), default="json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="routecodex-bench-") as name:
        folder = Path(name)
        for part in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (folder / part).mkdir()
        command = [nginx(), "-c", str(upstream_config(folder, PORT)), "-p", str(folder)]
        with running("upstream", command, UPSTREAM_CORE, f"http://127.0.0.1:{PORT}/", folder):
            if options.profile:
                profile(options.profile, options.scenario)
                return 0
            figures = measured(options.rounds, sides())
    print("| CPU µs per request | " + " | ".join(sides()) + " |\n|---|" + "---|" * len(sides()))
    for scenario in SCENARIOS:
        cells = [figures[scenario, side] for side in sides()]
        print(f"| {scenario} | " + " | ".join(f"{min(c):.0f} ({statistics.median(c):.0f})" for c in cells) + " |")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
