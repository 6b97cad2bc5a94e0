"""Starting, pinning and weighing process trees: CPU seconds and resident memory from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class BenchError(RuntimeError):
    """Something the benchmark needs is missing or wrong; the message names the next step."""


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str],
    core: int,
    ready: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    patience: float = 120.0,
) -> Iterator[int]:
    """A server pinned to `core`; yields its pid once `ready` (a URL) answers anything."""
    if shutil.which("taskset") is None:
        raise BenchError("taskset is missing: apt-get install util-linux. The benchmark pins processes, on Linux only.")
    log = (folder / f"{name}.log").open("wb")
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + patience
        while not answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = (folder / f"{name}.log").read_bytes()[-3000:].decode(errors="replace")
                raise BenchError(f"{name} did not come up at {ready}. Its log ends:\n{tail}")
            time.sleep(0.1)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        log.close()


def answers(url: str) -> bool:
    """True once an HTTP server is there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def tree(root: int) -> list[int]:
    """`root` and all its descendants that live now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the whole tree, with children that have ended and were waited for."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(value) for value in fields[11:15])
    return total / TICK


def memory_mib(root: int) -> float:
    """Proportional resident memory of the tree (shared pages counted once), in MiB."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024
