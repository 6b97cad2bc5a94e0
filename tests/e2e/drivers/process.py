"""One client process: its own home and workspace, closed stdin, its whole group ended at the deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import pins
from tests.e2e.upstreams import CLIENT_KEY

DEADLINE = 120.0


@dataclass(frozen=True)
class Place:
    """Where a client works: folders of its own, and the only address it is told."""

    home: Path
    workspace: Path
    url: str
    """Without a path."""
    key: str = CLIENT_KEY
    launcher: tuple[str, ...] = ()
    """What starts the client, by its name, with everything it needs to find the gateway; else it is told by us."""
    launcher_environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, name: str) -> list[str]:
        """How to start a CLI; its own arguments follow."""
        return [*self.launcher, name, "--"] if self.launcher else [pins.program(name)]


@dataclass(frozen=True)
class Said:
    """What the client's user sees: a final text or an error, never both as a success."""

    text: str = ""
    error: str = ""


@dataclass
class Ran:
    """How a client ended. `said` has one entry per conversation: one for a CLI, streamed and whole for an SDK."""

    exit_code: int | None
    """None: it had to be ended at the deadline."""
    stdout: str
    stderr: str
    seconds: float
    said: dict[str, Said] = field(default_factory=dict)


async def execute(command: list[str], place: Place, environment: dict[str, str], folder: Path | None = None) -> Ran:
    """Run to the end or the deadline. The environment is PATH, HOME, a language and what is given; no proxies."""
    full = {
        "PATH": os.environ["PATH"],
        "HOME": str(place.home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_PROXY": "*",
        "TMPDIR": str(place.home / "tmp"),
        **place.launcher_environment,
        **environment,
    }
    (place.home / "tmp").mkdir(exist_ok=True)
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=full,
        cwd=folder or place.workspace,
        start_new_session=True,
    )
    work = asyncio.ensure_future(process.communicate())
    done, _ = await asyncio.wait({work}, timeout=DEADLINE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # also what the client left behind
    out, err = await work
    return Ran(
        process.returncode if done else None,
        out.decode("utf-8", "replace"),
        err.decode("utf-8", "replace"),
        time.monotonic() - begun,
    )
