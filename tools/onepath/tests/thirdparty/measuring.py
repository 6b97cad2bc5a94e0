"""One tree after the other: lint and graphs run to the end, timed and weighed, imports beside grimp's.

It knows processes and files. Each step is a process of its own, so that a crash of the interpreter is seen as one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .importing import Grimp

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent.parent / "src"
GRIMP: Final = "grimp==3.19"
PATIENCE: Final = 900.0
"""Seconds after which a step hangs."""
ANSWERS: Final = (0, 1)
"""Exit codes of a run to the end: clean, findings."""


@dataclass(frozen=True)
class Step:
    """One process."""

    name: str
    code: int
    """Negative: ended by a signal."""
    seconds: float
    peak: float
    """MiB resident, of the largest process."""
    output: str
    hung: bool

    @property
    def ended_well(self) -> bool:
        return not self.hung and self.code in ANSWERS


def steps(folder: Path) -> Iterator[Step]:
    """Lint twice (cold in one process, then of an unchanged tree), and both graphs, of the project in `folder`."""
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    config = ["--quiet", "--config", str(folder / "onepath.toml")]
    report = folder / ".cache" / "lint.json"
    yield step("lint, cold", ["lint", "--jobs", "1", "--format", "json", "--output", str(report), *config], folder)
    yield step("lint, warm", ["lint", *config], folder)
    yield step("graph calls", ["graph", "calls", "--format", "json", "--output", os.devnull, *config], folder)
    yield step("graph imports", ["graph", "imports", "--format", "json", "--output", os.devnull, *config], folder)


def step(name: str, arguments: Sequence[str], folder: Path) -> Step:
    """Run `onepath` to its end."""
    (folder / ".cache").mkdir(exist_ok=True)
    log = folder / ".cache" / "step.log"
    started = time.monotonic()
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "onepath", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(PATIENCE, end)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    output = log.read_text(errors="replace")
    return Step(name, process.returncode, seconds, usage.ru_maxrss / 1024, output, late.is_set())


def grimp(folder: Path, package: str, cache: Path) -> Grimp:
    """What grimp sees, in an environment of its own below `cache`."""
    home = cache / "grimp"
    stamp = home / "installed"
    if not stamp.is_file() or stamp.read_text() != GRIMP:
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-qq", GRIMP], check=True)
        stamp.write_text(GRIMP)
    command = [str(home / "bin" / "python"), str(HERE / "grimp_graph.py"), str(folder), package]
    seen = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return Grimp(
        frozenset(seen["modules"]), {(importer, imported): line for importer, imported, line in seen["imports"]}
    )
