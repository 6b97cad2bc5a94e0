"""The gates a tree without a row must pass, each with its seconds. It knows commands, and nothing of rows.

They are the sessions `lint` and `tests`, and the places of `mutations`. Two suites are left out, as they read nothing
that goes: onepath's own, which is another distribution's, and the core's, of which only its purity is looked at.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PYTHON: Final = (sys.executable, "-m")
_QUICK: Final = tuple(f"tests/host/{room}" for room in ("kernel", "config", "dataplane", "adapters", "transports"))
_BESIDE: Final = ("tests/upstream_selftest", "tools/truth")
_TIDYING: Final[Mapping[str, tuple[str, ...]]] = {
    "imports": ("ruff", "check", "-q", "--fix-only", "--select", "F401,I", "."),
    "format": ("ruff", "format", "-q", "."),
    "reference": ("tools.docs.reference",),
    "regions": ("onepath", "docs", "--force"),
}
"""What people do after a removal: put in order, renew what is generated."""
_CHECKS: Final[Mapping[str, tuple[str, ...]]] = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
    "onepath lint": ("onepath", "lint"),
    "mutations": ("tools.onepath.mutations.check", "--edit-only"),
}


@dataclass(frozen=True)
class Gate:
    """One gate and how it went."""

    name: str
    seconds: float
    output: str
    """Empty where it is green."""


def tidy(root: Path) -> Iterator[Gate]:
    """Put the tree in order and renew what is generated."""
    for name, command in _TIDYING.items():
        yield _run(root, name, command)


def gates(root: Path, *, quick: bool, workers: int) -> Iterator[Gate]:
    """Every gate in turn, the cheap ones first."""
    for name, command in _CHECKS.items():
        yield _run(root, name, command)
    pytest = ("pytest", "-q", "-n", str(workers), "--dist", "worksteal")
    host = _QUICK if quick else ("tests/host", *_BESIDE)
    yield _run(root, "tests", (*pytest, "tests/core/test_purity.py", *host))
    if not quick:
        matrix = (*pytest, "tests/matrix", "--matrix")
        yield _run(root, "matrix", matrix)
        second = _done(root, ("tests.sides", "last"))
        if second.returncode:
            yield Gate("sides", 0.0, _said(second))
        yield _run(root, "matrix of the second sides", matrix, sides=second.stdout.strip())


def _run(root: Path, name: str, command: tuple[str, ...], sides: str = "") -> Gate:
    begin = time.monotonic()
    done = _done(root, command, sides)
    output = "" if done.returncode == 0 else _said(done) or f"exit code {done.returncode}"
    return Gate(name, time.monotonic() - begin, output)


def _done(root: Path, command: tuple[str, ...], sides: str = "") -> subprocess.CompletedProcess[str]:
    """A module run in the tree, over the first sides of what is left unless `sides` has others."""
    path = os.pathsep.join(str(root / part) for part in ("src", "tools/onepath/src"))
    mine = {"PYTHONPATH": path, "MYPY_CACHE_DIR": str(root.parent / "mypy"), "TEST_SIDES": sides}
    environ = {**os.environ, **mine}
    return subprocess.run(
        [*_PYTHON, *command], cwd=root, env=environ, capture_output=True, encoding="utf-8", check=False
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr).strip()
