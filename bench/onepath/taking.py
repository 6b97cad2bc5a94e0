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


@dataclass(frozen=True)
class Taken:
    """What a process took."""

    cpu: float
    """User and system seconds, of the process and of all it waited for."""
    wall: float
    peak: float
    """MiB resident, of the largest single process."""
    output: str
    failed: str = ""
    """Why this is no answer: it was stopped, or its last words; empty if it is one."""


def take(
    command: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    lawful: Sequence[int] = (0,),
    patience: float = 900.0,
) -> Taken:
    """Run a command to its end, or stop it after `patience` seconds."""
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
    failed = ""
    if late.is_set():
        failed = f"stopped after {patience:.0f} s"
    elif process.returncode not in lawful:
        failed = (output.strip() or f"ended with {process.returncode}").splitlines()[-1]
    return Taken(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output, failed)
