"""Ends waits that take too long: one timer for all of them, because one for each costs more than most waits.

It knows tasks and seconds. A wait may last up to a twentieth longer than it should.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

_LOOKS: Final = 20
"""How often a wait is looked at before it is over."""


class Patience:
    """Waits of one event loop, each at most `seconds` long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: dict[asyncio.Task[Any], float] = {}
        self._over: set[asyncio.Task[Any]] = set()
        self._looking = False

    def begin(self) -> asyncio.Task[Any] | None:
        """The running task waits from now on; again where it did already."""
        task = asyncio.current_task()
        if task is not None:
            loop = asyncio.get_running_loop()
            self._since[task] = loop.time()
            if not self._looking:
                self._looking = True
                loop.call_later(self.seconds / _LOOKS, self._look, loop)
        return task

    def end(self, task: asyncio.Task[Any] | None) -> None:
        """It waits no more."""
        if task is not None:
            self._since.pop(task, None)

    def ran_out(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether the cancellation this task got was for waiting too long, and for nothing else; asked once."""
        if task is None or task not in self._over:
            return False
        self._over.discard(task)
        return not task.uncancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        until = loop.time() - self.seconds
        for task in [task for task, since in self._since.items() if since <= until]:
            del self._since[task]
            self._over.add(task)
            task.cancel()
        self._looking = bool(self._since)
        if self._looking:
            loop.call_later(self.seconds / _LOOKS, self._look, loop)
