"""The one writer: entries are on disk, fsynced, before what they announce happens.

It holds the ledger's lock for life. `append` refuses what it cannot make durable; `keep` never does: on a full disk the
entry waits in memory and is written with the next one that can be. A line that a crash cut short is cut off when the
ledger is opened, kept beside it, and told by an entry. It may be used from one thread at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from routecodex.blocks.ledger import reading
from routecodex.blocks.ledger.entry import START, Entry, NoEntryError, chained, decoded, follows
from routecodex.blocks.ledger.reading import ACTIVE, Line

SEGMENT_BYTES: Final = 4 * 1024 * 1024
MOST_WAITING: Final = 4096
"""Entries kept in memory while the disk takes none; what comes after is lost, counted and told."""

_ACTOR: Final = "ledger"


class LedgerInUseError(Exception):
    """Another process writes this ledger."""


class LedgerUnwritableError(Exception):
    """The entry could not be made durable; nothing was changed. The message gives the system's reason."""


class Ledger:
    """An open ledger. `checkpoint` gives the body of the entry each new segment begins with."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float] = time.time,
        checkpoint: Callable[[], Mapping[str, Any]] = dict,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Open or make it. Raises LedgerInUseError, and OSError where the folder or file cannot be used."""
        self.folder = folder
        self._now = now
        self._checkpoint = checkpoint
        self._segment_bytes = segment_bytes
        self._waiting: list[Entry] = []
        self._untold = 0
        self._size = 0
        self._tail_unsure = False
        self.seq = 0
        """Of the last entry, written or waiting."""
        self._hash = START
        self.broken = ""
        """Why the chain found at opening is not right; empty if it is."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _locked(folder / "ledger.lock")
        try:
            self._descriptor = self._open()
        except BaseException:
            os.close(self._lock)
            raise

    # --- writing ---------------------------------------------------------------------------------------

    def append(self, kind: str, actor: str, correlation: str, body: Mapping[str, Any]) -> Entry:
        """Write an entry and wait until it is on disk. Raises LedgerUnwritableError, NoEntryError."""
        self._flush()
        entry = self._next(kind, actor, correlation, body)
        self._write([entry])
        self._advance(entry)
        return entry

    def keep(self, kind: str, actor: str, correlation: str, body: Mapping[str, Any]) -> tuple[Entry | None, str]:
        """The same, but never refused: (entry, "") when durable, else (entry, why not) and it waits in memory."""
        try:
            return self.append(kind, actor, correlation, body), ""
        except LedgerUnwritableError as error:
            if len(self._waiting) >= MOST_WAITING:
                self._untold += 1
                return None, str(error)
            entry = self._next(kind, actor, correlation, body)
            self._waiting.append(entry)
            self._advance(entry)
            return entry, str(error)

    @property
    def waiting(self) -> int:
        """Entries that are not on disk yet."""
        return len(self._waiting) + self._untold

    def flush(self) -> str:
        """Try to write what waits; why it still waits, or empty."""
        try:
            self._flush()
        except LedgerUnwritableError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Write what waits if that is possible, and let the lock go."""
        self.flush()
        os.close(self._descriptor)
        os.close(self._lock)

    def _next(self, kind: str, actor: str, correlation: str, body: Mapping[str, Any]) -> Entry:
        return chained(self.seq + 1, round(self._now(), 6), kind, actor, correlation, body, self._hash)

    def _advance(self, entry: Entry) -> None:
        self.seq, self._hash = entry.seq, entry.hash

    def _flush(self) -> None:
        while self._waiting:
            self._write(self._waiting[:64])
            del self._waiting[:64]
        if self._untold:
            entry = self._next("ledger.lost", _ACTOR, "", {"entries": self._untold})
            self._write([entry])
            self._advance(entry)
            self._untold = 0
        if self._size >= self._segment_bytes:
            self._rotate()

    def _write(self, batch: list[Entry]) -> None:
        """All of it durable, or nothing of it left in the file."""
        data = b"".join(entry.line for entry in batch)
        try:
            if self._tail_unsure:
                os.ftruncate(self._descriptor, self._size)
                self._tail_unsure = False
            _write_all(self._descriptor, data)
            os.fsync(self._descriptor)
        except OSError as error:
            self._tail_unsure = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
                self._tail_unsure = False
            reason = error.strerror or type(error).__name__
            raise LedgerUnwritableError(f"The ledger in {self.folder} cannot be written: {reason}.") from error
        self._size += len(data)

    def _rotate(self) -> None:
        """Begin a new segment; if the disk does not let us, the old one just grows on."""
        first = next((entry.seq for entry in reading.entries(self.folder / ACTIVE)), self.seq)
        full = f"ledger-{first:012d}.jsonl"
        entry = self._next("ledger.segment", _ACTOR, "", {"after": full, **self._checkpoint()})
        fresh = self.folder / "ledger.next"
        try:
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                _write_all(descriptor, entry.line)
                os.fsync(descriptor)
                (self.folder / ACTIVE).rename(self.folder / full)
                fresh.rename(self.folder / ACTIVE)
            except OSError:
                os.close(descriptor)
                raise
        except OSError:
            if not (self.folder / ACTIVE).exists():
                (self.folder / full).rename(self.folder / ACTIVE)
            return
        _sync_folder(self.folder)
        os.close(self._descriptor)
        self._descriptor, self._size = descriptor, len(entry.line)
        self._advance(entry)

    # --- opening ---------------------------------------------------------------------------------------

    def _open(self) -> int:
        active = self.folder / ACTIVE
        before = [file for file in reading.segments(self.folder) if file.name != ACTIVE]
        if before:
            for last in deque(reading.entries(before[-1]), maxlen=1):
                self._advance(last)
        descriptor = os.open(active, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            state = os.fstat(descriptor)
            if stat.S_ISREG(state.st_mode):
                os.fchmod(descriptor, 0o600)
            self._descriptor, self._size = descriptor, state.st_size
            torn = self._walk(active) if active.is_file() else None
            _sync_folder(self.folder)
            if torn is not None:
                self._cut(torn)
            if self.broken:
                self.keep("ledger.broken", _ACTOR, "", {"why": self.broken})
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _walk(self, active: Path) -> Line | None:
        """Follow the chain through the active segment; its end, if that is torn."""
        for line in reading.lines(active):
            try:
                entry = decoded(line.content)
            except NoEntryError as error:
                if not line.whole:
                    return line
                self.broken = self.broken or f"{active.name}:{line.number}: {error}"
                continue
            gap = follows(entry, self.seq, self._hash)
            if gap and not self.broken:
                self.broken = f"{active.name}:{line.number}: {gap}"
            self._advance(entry)
            if not line.whole:  # it is there to its last brace; only the line's end is missing
                _write_all(self._descriptor, b"\n")
                self._size += 1
                break  # reading on would find the line's end just written
        return None

    def _cut(self, torn: Line) -> None:
        """Take the unfinished end off, keep it beside, and say so."""
        file = torn.file
        with file.open("rb") as handle:
            handle.seek(torn.offset)
            rest = handle.read()
        aside = self.folder / f".torn-{self.seq + 1}-{time.time_ns()}"
        kept = ""
        with contextlib.suppress(OSError):
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                _write_all(descriptor, rest)
                os.fsync(descriptor)
                kept = aside.name
            finally:
                os.close(descriptor)
        os.ftruncate(self._descriptor, torn.offset)
        os.fsync(self._descriptor)
        self._size = torn.offset
        self.keep("ledger.torn", _ACTOR, "", {"bytes": len(rest), "kept": kept})


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LedgerInUseError(f"Another process writes the ledger in {path.parent}.") from error
    return descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
