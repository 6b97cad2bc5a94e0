"""Pages on disk: all are read and generated before any is written, and each write is whole or not at all.

It knows files, their modes and owners; what a region means is not its business.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from onepath.regions.generating import Change, Generated, generate
from onepath.regions.markers import RegionFault, parse_page


class Plan(msgspec.Struct, frozen=True):
    """What `docs` would do."""

    pages: tuple[Generated, ...]
    before: Mapping[str, bytes]
    """By file, as read."""
    faults: tuple[RegionFault, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Regions that are not as they should be."""
        return tuple(change for page in self.pages for change in page.changes if change.state != "current")

    @property
    def edited(self) -> tuple[Change, ...]:
        """Regions edited by hand; writing over them needs force."""
        return tuple(change for change in self.changes if change.state == "edited")


class WriteError(Exception):
    """Nothing was written, or all that was written was put back."""


def plan(folder: Path, wanted: Mapping[str, Mapping[str, str]], command: str, sources: str) -> Plan:
    """All files of `wanted` (file → region → body) as they would be; reads, writes nothing."""
    pages: list[Generated] = []
    before: dict[str, bytes] = {}
    faults: list[RegionFault] = []
    for file, bodies in wanted.items():
        try:
            data = (folder / file).read_bytes()
        except OSError as error:
            faults.append(RegionFault(file, 1, f"cannot be read: {error.strerror or error}"))
            continue
        before[file] = data
        page = generate(parse_page(file, data), bodies, command, sources)
        pages.append(page)
        faults.extend(page.faults)
    return Plan(tuple(pages), before, tuple(faults))


def write(folder: Path, planned: Plan, *, force: bool = False) -> tuple[str, ...]:
    """Writes what differs; the files written. Raises WriteError, with nothing changed, if anything is against it."""
    if planned.faults:
        raise WriteError("\n".join(map(str, planned.faults)))
    if planned.edited and not force:
        raise WriteError(
            "\n".join(f"{change.file}:{change.line}: {change.name} was edited by hand" for change in planned.edited)
        )
    changed = [page for page in planned.pages if page.data != planned.before[page.file]]
    problems = [problem for page in changed for problem in _obstacles(folder / page.file, planned.before[page.file])]
    if problems:
        raise WriteError("\n".join(problems))
    _replace_all([(Path(os.path.realpath(folder / page.file)), page.data) for page in changed])
    return tuple(page.file for page in changed)


def _obstacles(path: Path, before: bytes) -> list[str]:
    """Why a file cannot be replaced. Mode bits are asked too: the superuser may write anything, and should not."""
    target = Path(os.path.realpath(path))
    try:
        status = target.stat()
        if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
            return [f"{path}: is read-only; make it writable, or take it out of the configuration"]
        if not os.access(target.parent, os.W_OK):
            return [f"{path}: its folder is read-only; a file is replaced whole, which needs a new one beside it"]
        if target.read_bytes() != before:
            return [f"{path}: was changed while regions were generated; run again"]
    except OSError as error:
        return [f"{path}: {error.strerror or error}"]
    return []


def _replace_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """New files beside the old ones first, then the renames; what was renamed is put back if a later one fails."""
    staged: list[tuple[Path, Path]] = []
    done: list[tuple[Path, bytes]] = []
    try:
        for target, data in files:
            staged.append((target, _beside(target, data)))
        for target, fresh in staged:
            old = target.read_bytes()
            fresh.replace(target)
            done.append((target, old))
    except OSError as error:
        for target, old in done:
            _beside(target, old).replace(target)
        raise WriteError(f"{error.filename or 'a file'}: {error.strerror or error}; nothing was changed") from error
    finally:
        for _, fresh in staged:
            fresh.unlink(missing_ok=True)


def _beside(target: Path, data: bytes) -> Path:
    """A synced file next to `target`, with its mode and owner."""
    status = target.stat()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".onepath", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if hasattr(os, "chown") and (os.geteuid(), os.getegid()) != (status.st_uid, status.st_gid):
            os.chown(fresh, status.st_uid, status.st_gid)
        fresh.chmod(stat.S_IMODE(status.st_mode))
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh
