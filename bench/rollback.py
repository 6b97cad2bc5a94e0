"""`nox -s bench -- rollback`: how fast a rollback is, and whether anybody is refused meanwhile.

A whole gateway with 1, 2 and 4 workers, every round a rollback of a hot or drain row (force map, verified on all) and
one of the restart row (forced restart), while another thread opens connection after connection. The figures
are the receipts' own; the connections are counted from outside.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bench.processes import BenchError
from bench.report import Sheet
from routecodex.app.switches import SWITCHES

ROWS = [row.key for row in SWITCHES if row.has_both_sides and row.effect != "restart"]
"""Hot and drain rows, in turn."""
KERNEL = next((row.key for row in SWITCHES if row.has_both_sides and row.effect == "restart"), "")
FORCE_MS, VERIFIED_MS, RESTART_MS = 50.0, 2_000.0, 10_000.0
_PATIENCE = 60.0

CONFIG = {
    "server": {"port": 0},
    "virtualrouter": {
        "providers": {
            "acme": {
                "protocol": "openai-chat",
                "baseUrl": "http://127.0.0.1:9/v1",
                "keys": {"main": "${ACME_API_KEY}"},
                "models": ["large"],
            }
        },
        "routing": {"default": ["acme.large"]},
    },
    "architecture": {"appKernel": "v2", "hostBlocks": {row.rpartition(".")[2]: "v2" for row in ROWS}},
}


@dataclass
class Gateway:
    """A running gateway with its control surface."""

    port: int
    token: str
    process: subprocess.Popen[str]

    def command(self, method: str, path: str, body: object = None) -> Any:
        """The receipt. Raises BenchError unless it was carried out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise BenchError(f"{method} {path}: {answer.status} {json.dumps(told)[:500]}")
        return told

    def settle(self, kernel: str, workers: int) -> None:
        """Wait until so many workers serve under this kernel and none is leaving."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            status = self.command("GET", "/daemon/status")["result"]
            told = [(worker["state"], (worker.get("status") or {}).get("kernel")) for worker in status["workers"]]
            if told == [("ready", kernel)] * workers:
                return
            if time.monotonic() > deadline:
                raise BenchError(f"The workers did not settle: {told}")
            time.sleep(0.05)


@dataclass
class Knocking:
    """Opens one connection after another, asks one thing on each, and counts what comes of it."""

    port: int
    answered: int = 0
    refused: int = 0
    broken: int = 0
    slowest: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._done.is_set():
            begin = time.perf_counter()
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                    connection.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    head = connection.recv(65_536)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            except OSError:
                self.broken += 1
                continue
            if head.startswith(b"HTTP/1.1 200"):
                self.answered += 1
            else:
                self.broken += 1
            self.slowest = max(self.slowest, time.perf_counter() - begin)

    @contextlib.contextmanager
    def meanwhile(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join(40)


@dataclass
class Figures:
    """Of one number of workers; milliseconds."""

    force: list[float] = field(default_factory=list)
    verified: list[float] = field(default_factory=list)
    restart: list[float] = field(default_factory=list)
    knocking: Knocking | None = None


@contextlib.contextmanager
def gateway(folder: Path, workers: int) -> Iterator[Gateway]:
    """Start it as a user would; ended with its block."""
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG))
    home = folder / f"home-{workers}"
    environ = {**os.environ, "ROUTECODEX_HOME": str(home), "HOME": str(folder), "ACME_API_KEY": "bench"}
    command = [sys.executable, "-m", "routecodex.cli", "start", "--config", str(config), "--json"]
    command += ["--workers", str(workers)]
    with (folder / f"log-{workers}").open("w") as log:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise BenchError(f"The gateway did not start: {(folder / f'log-{workers}').read_text()[-2000:]}")
            told += line
        port = int(json.loads(told)["url"].rpartition(":")[2])
        token = home / "run" / "admin-token"
        deadline = time.monotonic() + _PATIENCE
        while not token.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        one = Gateway(port, token.read_text().strip(), process)
        one.settle("v2", workers)
        yield one
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def one_round(one: Gateway, workers: int, row: str, figures: Figures) -> None:
    """Roll the row back, then the kernel; each is put back before the next."""
    receipt = one.command("POST", "/daemon/rollback", {"key": row, "reason": "bench"})["result"]
    steps = {step["step"]: step for step in receipt["steps"]}
    if not receipt["verified"] or not steps["R1"]["ok"] or "R4" in steps:
        raise BenchError(f"The force map did not do: {json.dumps(receipt['steps'])}")
    figures.force.append(steps["R1"]["at"])
    figures.verified.append(steps["R3"]["at"])
    one.command("DELETE", f"/daemon/switches/{row}")
    if not KERNEL:
        return
    receipt = one.command("POST", "/daemon/rollback", {"key": KERNEL, "reason": "bench"})["result"]
    steps = {step["step"]: step for step in receipt["steps"]}
    if not receipt["verified"] or not steps["R4"]["ok"]:
        raise BenchError(f"The forced restart did not do: {json.dumps(receipt['steps'])}")
    figures.restart.append(steps["R5"]["at"])
    one.settle("v1", workers)
    for key in reversed(receipt["keys"]):
        one.command("DELETE", f"/daemon/switches/{key}", {"restart": True})
    one.settle("v2", workers)


def measure(counts: Sequence[int], rounds: int, console: Console) -> dict[int, Figures]:
    results: dict[int, Figures] = {}
    with (
        tempfile.TemporaryDirectory(prefix="routecodex-bench-") as name,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("rolling back", total=rounds * len(counts))
        for workers in counts:
            figures = results[workers] = Figures()
            with gateway(Path(name), workers) as one:
                figures.knocking = Knocking(one.port)
                with figures.knocking.meanwhile():
                    for number in range(rounds):
                        one_round(one, workers, ROWS[number % len(ROWS)], figures)
                        progress.advance(task)
    return results


def sheet(results: dict[int, Figures]) -> Sheet:
    """The figures, from the beginning of the rollback: median and worst."""
    columns = (
        "workers",
        "rounds",
        "force map ms",
        "verified ms",
        "forced restart s",
        "connections",
        "refused",
        "broken",
    )
    rows = []
    for workers, figures in results.items():
        knocking = figures.knocking or Knocking(0)
        rows.append(
            [
                str(workers),
                str(len(figures.force)),
                _two(figures.force, 1),
                _two(figures.verified, 1),
                _two([value / 1000 for value in figures.restart], 2),
                str(knocking.answered),
                str(knocking.refused),
                str(knocking.broken),
            ]
        )
    return Sheet("Rollback under load: median (worst)", columns, rows)


def _two(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({max(values):.{digits}f})"


def judgement(results: dict[int, Figures]) -> list[tuple[bool, str]]:
    """Each promise, with the worst that was measured."""
    every = list(results.values())
    worst = {
        f"force map <= {FORCE_MS:g} ms": (max(max(one.force) for one in every), FORCE_MS, "ms"),
        f"verified on all workers <= {VERIFIED_MS:g} ms": (max(max(one.verified) for one in every), VERIFIED_MS, "ms"),
        f"forced restart <= {RESTART_MS:g} ms": (max(max(one.restart) for one in every), RESTART_MS, "ms"),
        "connections refused: 0": (sum(one.knocking.refused for one in every if one.knocking), 0.0, ""),
        "connections broken: 0": (sum(one.knocking.broken for one in every if one.knocking), 0.0, ""),
    }
    return [
        (
            value <= limit,
            f"{what}: {value:.0f} {unit}".rstrip() + (" (reached)" if value <= limit else " (NOT reached)"),
        )
        for what, (value, limit, unit) in worst.items()
    ]


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="bench rollback", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--workers", type=int, action="append", help="numbers of workers (repeatable)")
    options = parser.parse_args(arguments)
    console = Console(width=120)
    results = measure(options.workers or [1, 2, 4], options.rounds, console)
    console.print(sheet(results).rich())
    lines = judgement(results)
    for _, line in lines:
        console.print(line)
    return 0 if all(kept for kept, _ in lines) else 1
