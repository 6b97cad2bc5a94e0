"""The kill sentinel `run/force_stable`: a file that forces switches to their first side, whoever else is dead.

It knows the file and what stands in it: switch keys, one a line, or `*`. Workers look at it four times a second, and a
start reads it; nobody is asked and nobody has to answer.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from routecodex.app.switches import BY_KEY, forced_keys

NAME: Final = "force_stable"


def path(run: Path) -> Path:
    """Where it is, in a home's `run` folder."""
    return run / NAME


def content(run: Path) -> str | None:
    """What stands in it; None where there is none. One that cannot be read forces everything, like an empty one."""
    try:
        return path(run).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def forced(run: Path, environ: Mapping[str, str]) -> frozenset[str]:
    """The rows that sentinel and environment force."""
    return forced_keys(environ, content(run))


def put(run: Path, keys: Collection[str]) -> frozenset[str]:
    """Add these rows (empty: all) to what it forces; all it forces now. It is whole on disk when this returns."""
    there = content(run)
    before = forced_keys({}, there) if there is not None else frozenset()
    after = before | set(keys) if keys else frozenset(BY_KEY)
    _write(run, after)
    return after


def take(run: Path, keys: Collection[str]) -> frozenset[str]:
    """Take these rows (empty: all) out of it; what it still forces. Without any left it is removed."""
    there = content(run)
    before = forced_keys({}, there) if there is not None else frozenset()
    after = before - set(keys) if keys else frozenset()
    if after:
        _write(run, after)
    else:
        path(run).unlink(missing_ok=True)
        _sync(run)
    return after


def _write(run: Path, keys: Collection[str]) -> None:
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    ordered = [key for key in BY_KEY if key in keys]
    text = "*\n" if len(ordered) == len(BY_KEY) else "".join(f"{key}\n" for key in ordered)
    unfinished = run / f".{NAME}.{os.getpid()}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.rename(path(run))
    _sync(run)


def _sync(folder: Path) -> None:
    if not folder.is_dir():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
