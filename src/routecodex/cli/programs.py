"""Other programs of this machine that are asked a question: systemd-analyze, git, onepath.

The one place where such a program is started; none of them is given anything to change.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec


class Said(msgspec.Struct, frozen=True):
    """What a program said, and its exit code."""

    code: int
    out: str
    err: str


def ask(
    command: Sequence[str],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Said | None:
    """Run a program to its end without input; None if it is not there, or takes longer."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return Said(done.returncode, done.stdout, done.stderr)
