"""The ledger as the supervisor writes it: in a thread of its own, in order, so that a slow disk holds nobody up.

It opens the ledger, and again when that failed; what must go on without it goes on, and is written when it can be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from routecodex.blocks.ledger import Entry, Ledger, LedgerUnwritableError, read
from routecodex.blocks.ledger.reading import entries, segments, tail

_MOST_WAITING: Final = 4096

T = TypeVar("T")


class Journal:
    """One ledger, asked from the event loop."""

    def __init__(self, folder: Path, checkpoint: Callable[[], Mapping[str, Any]]) -> None:
        self.folder = folder
        self._checkpoint = checkpoint
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._ledger: Ledger | None = None
        self._waiting: list[tuple[str, str, str, Mapping[str, Any]]] = []
        self.lost = 0
        """Entries that found no room in memory either."""

    async def open(self) -> str:
        """Open the ledger; why it could not be written to, or empty. Raises LedgerInUseError."""
        return await self._do(self._open)

    async def append(self, kind: str, actor: str, correlation: str, body: Mapping[str, Any]) -> Entry:
        """On disk when this returns. Raises LedgerUnwritableError."""

        def write() -> Entry:
            why = self._open()
            if self._ledger is None:
                raise LedgerUnwritableError(why)
            return self._ledger.append(kind, actor, correlation, body)

        return await self._do(write)

    async def keep(
        self, kind: str, actor: str, correlation: str, body: Mapping[str, Any], within: float | None = None
    ) -> str:
        """The same, never refused: empty when on disk, else why not yet. Waits `within` seconds at most."""

        def write() -> str:
            why = self._open()
            if self._ledger is not None:
                return self._ledger.keep(kind, actor, correlation, body)[1]
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append((kind, actor, correlation, body))
            else:
                self.lost += 1
            return why

        writing = asyncio.ensure_future(self._do(write))
        try:
            return await asyncio.wait_for(asyncio.shield(writing), within)
        except TimeoutError:
            writing.add_done_callback(lambda done: done.cancelled() or done.exception())
            return f"The disk takes longer than {within:g} s."

    async def flush(self) -> str:
        """Write what waits; why it still waits, or empty."""

        def write() -> str:
            return self._open() or (self._ledger.flush() if self._ledger is not None else "")

        return await self._do(write)

    @property
    def seq(self) -> int:
        return self._ledger.seq if self._ledger is not None else 0

    @property
    def waiting(self) -> int:
        """Entries that are not on disk yet."""
        return len(self._waiting) + self.lost + (self._ledger.waiting if self._ledger is not None else 0)

    @property
    def broken(self) -> str:
        return self._ledger.broken if self._ledger is not None else ""

    async def entries(self, since: int, limit: int) -> list[Entry]:
        """Entries with `seq > since` that are on disk."""
        return await self._do(lambda: read(self.folder, since, limit))

    async def latest(self, limit: int) -> list[Entry]:
        """The last entries that are on disk, oldest first."""
        return await self._do(lambda: tail(self.folder, limit))

    async def fold(self, fold: Callable[[Iterator[Mapping[str, Any]]], T]) -> T:
        """What comes of the bodies since the last checkpoint but one, oldest first, read one by one."""

        def walk() -> T:
            files = segments(self.folder)[-2:]
            return fold(entry.body for file in files for entry in entries(file))

        return await self._do(walk)

    async def close(self) -> None:
        ledger = self._ledger
        if ledger is not None:
            await self._do(ledger.close)
        self._thread.shutdown(wait=False)

    def _open(self) -> str:
        if self._ledger is None:
            try:
                self._ledger = Ledger(self.folder, checkpoint=self._checkpoint)
            except OSError as error:
                return f"The ledger in {self.folder} cannot be opened: {error.strerror or type(error).__name__}."
        while self._waiting:
            self._ledger.keep(*self._waiting.pop(0))
        return ""

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
