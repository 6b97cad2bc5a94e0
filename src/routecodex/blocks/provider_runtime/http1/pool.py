"""Who may hold a connection: a limit, a queue, and what is kept for the next request.

It knows places and free connections. It must not know how connections are made or what runs over them. A *place* is
the right to have one connection: whoever connects or has an exchange running holds one; free connections hold none. A
place that becomes free goes to whoever has waited longest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, TypeAlias

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.connection import Connection
from routecodex.blocks.provider_runtime.http1.target import Origin

KEPT_ALIVE: Final = 55.0
"""Seconds a free connection is kept: below the minute after which most front ends close it."""

_Turn: TypeAlias = "asyncio.Future[None]"


class Pool:
    """All connections of one provider, by origin."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, kept_alive: float = KEPT_ALIVE) -> None:
        self._loop = loop
        self._limit = limit
        self._kept_alive = kept_alive
        self._held = 0
        """Places taken."""
        self._queue: deque[_Turn] = deque()
        self._free: dict[Origin, list[Connection]] = {}
        """By origin, the one freed last at the end."""
        self._open: set[Connection] = set()
        """Every connection whose socket is not closed yet."""
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None

    @property
    def held(self) -> int:
        """Places taken, at most the limit."""
        return self._held

    @property
    def open(self) -> int:
        """Sockets not closed yet."""
        return len(self._open)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return sum(not turn.done() for turn in self._queue)

    def enter(self) -> bool:
        """Take a place, if one is free and nobody came before."""
        if self._held >= self._limit or self._queue:
            return False
        self._held += 1
        return True

    async def turn(self) -> None:
        """Wait in the queue for a place and take it. Raises TransportError (closed)."""
        mine = self._loop.create_future()
        self._queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.leave()
            elif mine in self._queue:
                self._queue.remove(mine)
            raise

    def leave(self) -> None:
        """Give a place back: it goes to the one who has waited longest."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._held -= 1

    def take(self, origin: Origin) -> Connection | None:
        """A live connection to the origin, the one used last. The caller holds a place."""
        free = self._free.get(origin)
        while free:
            connection = free.pop()
            if connection.alive:
                if self._loop.time() - connection.idle_since <= self._kept_alive:
                    return connection
                connection.close()
        return None

    def make_room(self) -> None:
        """Before a new connection is made: close the one free longest, if all together are as many as may be."""
        if len(self._open) < self._limit:
            return
        oldest = min((free for free in self._free.values() if free), key=lambda free: free[0].idle_since, default=None)
        if oldest is not None:
            oldest.pop(0).give_up(wording.closed())

    def add(self, connection: Connection) -> None:
        """A new connection, used by a request that holds a place."""
        self._open.add(connection)

    # --- told by connections -----------------------------------------------------------------------------

    def freed(self, connection: Connection) -> None:
        connection.idle_since = self._loop.time()
        free = self._free.get(connection.origin)
        if free is None:
            free = self._free[connection.origin] = []
        free.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._kept_alive, self._expire)
        if self._queue:
            self.leave()
        else:
            self._held -= 1

    def ended(self, connection: Connection, *, unheard: bool) -> None:
        if not unheard:
            self.leave()

    def gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        free = self._free.get(connection.origin)
        if free and connection in free:
            free.remove(connection)
        if not self._open and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    # --- time and end ------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """Close what was not used for too long; look again when the next one is due."""
        self._sweep = None
        now = self._loop.time()
        next_due: float | None = None
        for free in self._free.values():
            while free and now - free[0].idle_since >= self._kept_alive:
                free.pop(0).close()
            if free:
                due = free[0].idle_since + self._kept_alive
                next_due = due if next_due is None else min(next_due, due)
        self._free = {origin: free for origin, free in self._free.items() if free}
        if next_due is not None:
            self._sweep = self._loop.call_later(max(next_due - now, 0.001), self._expire)

    async def close(self) -> None:
        """Close every connection, busy ones too, and wait until their sockets are; wake who waits in vain."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        queue, self._queue = self._queue, deque()
        for turn in queue:
            if not turn.done():
                turn.set_exception(wording.closed())
        for connection in tuple(self._open):
            connection.give_up(wording.closed())
        self._free.clear()
        if self._open:
            if self._emptied is None:
                self._emptied = self._loop.create_future()
            await asyncio.shield(self._emptied)
