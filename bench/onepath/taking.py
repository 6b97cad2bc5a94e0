"""One process from start to end: its CPU seconds, wall seconds and peak of memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import BenchError


@dataclass(frozen=True)
class Taken:
    """What a process took."""

    cpu: float
    """User and system seconds, of the process and of all it waited for."""
    wall: float
    peak: float
    """MiB resident, of the largest single process."""
    output: str
    timed_out: bool = False


def take(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    lawful: Sequence[int] = (0,),
    patience: float = 900.0,
) -> Taken:
    """Run a command to its end. Raises BenchError for an exit code that is not lawful; a time-out is an answer."""
    with tempfile.TemporaryFile() as told:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(patience, end)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        output = told.read().decode(errors="replace")
    if not late.is_set() and process.returncode not in lawful:
        raise BenchError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    return Taken(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output, late.is_set())
