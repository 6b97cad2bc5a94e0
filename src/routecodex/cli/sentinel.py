"""The kill sentinel `run/force_stable`: a file that forces switches to their first side, whoever else is dead.

It knows the file and what stands in it: switch keys, one a line, or `*`. Workers look at it four times a second, and a
start reads it; nobody is asked and nobody has to answer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from routecodex.app.switches import BY_KEY, forced_keys
from routecodex.cli.failures import EXIT_TEMPORARY, CommandError

NAME: Final = "force_stable"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def path(run: Path) -> Path:
    """Where it is, in a home's `run` folder."""
    return run / NAME


def content(run: Path) -> str | None:
    """What stands in it; None where there is none. One that cannot be read forces everything, like an empty one."""
    try:
        if not stat.S_ISREG(path(run).stat().st_mode):  # reading a pipe might never end
            return ""
        return path(run).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def forced(run: Path, environ: Mapping[str, str]) -> frozenset[str]:
    """The rows that sentinel and environment force."""
    return forced_keys(environ, content(run))


def put(run: Path, keys: Collection[str]) -> frozenset[str]:
    """Add these rows (empty: all) to what it forces; all it forces now. It is whole on disk when this returns.

    Raises CommandError where it cannot be written; what was there is then untouched.
    """
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
    everything = len(ordered) == len(BY_KEY)
    text = "*\n" if everything else "".join(f"{key}\n" for key in ordered)
    unfinished = run / f".{NAME}.{os.getpid()}"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _fill(descriptor, text.encode(), may_stay_empty=everything)
        finally:
            os.close(descriptor)
        unfinished.rename(path(run))
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise _unwritten(error, run) from None
    _sync(run)


def _fill(descriptor: int, content: bytes, *, may_stay_empty: bool) -> None:
    """Write it all. An empty sentinel forces everything, so a full disk takes one that is to do that."""
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    except OSError as error:
        if not may_stay_empty or error.errno not in _FULL:
            raise
        os.ftruncate(descriptor, 0)


def _unwritten(error: OSError, run: Path) -> CommandError:
    return CommandError(
        EXIT_TEMPORARY,
        f"The sentinel {path(run)} cannot be written: {error.strerror or type(error).__name__}.",
        "Make room; or roll back everything with `routecodex rollback --all --offline`, which needs none."
        if error.errno in _FULL
        else "Mend that; or start the gateway anew with ROUTECODEX_FORCE_STABLE=1, which needs no file.",
        code="sentinel_unwritable",
    )


def _sync(folder: Path) -> None:
    if not folder.is_dir():
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
