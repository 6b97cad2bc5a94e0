"""The generations of a worker: one current, older ones living to their last request.

A request that comes in by HTTP is pinned to the generation that was current then, for its whole life; what has no pin
of its own (a WebSocket connection between two requests) sees the current one. Closing waits for counts, never for
time, but for `hardStop`, after which streams get their terminal error.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

import structlog

from routecodex.app.generation import Generation
from routecodex.app.supervisor.messages import GenerationStatus

_pinned: Final[ContextVar[Generation]] = ContextVar("pinned_generation")

_TIDY_AFTER: Final = 0.02
"""Seconds after a generation has closed until what it leaves is collected: the allocator keeps every peak."""
_LAST_REQUESTS: Final = 5.0
"""Seconds for requests that were ended to let go of their generation."""


class Current:
    """The generation a request sees: its own, else the current one."""

    def __init__(self) -> None:
        self._generation: Generation | None = None

    def __call__(self) -> Generation:
        generation = _pinned.get(None) or self._generation
        if generation is None:
            raise RuntimeError("No generation is published yet.")
        return generation

    @property
    def published(self) -> Generation | None:
        """What new requests get."""
        return self._generation

    def publish(self, generation: Generation) -> Generation | None:
        """One reference assigned; the previous generation."""
        before, self._generation = self._generation, generation
        return before

    def pin(self) -> Generation:
        """Pin the current generation for the task that asks; `release` must follow."""
        generation = self._generation
        if generation is None:
            raise RuntimeError("No generation is published yet.")
        _pinned.set(generation)
        return generation.pin()


class Generations:
    """Publishes and retires."""

    def __init__(
        self,
        current: Current,
        end_requests: Callable[[Generation], None],
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        """`end_requests` ends every request of a generation with a terminal error."""
        self._current = current
        self._end_requests = end_requests
        self._log = log
        self._seq = 0
        self._alive: dict[Generation, int] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._tidying: asyncio.TimerHandle | None = None

    def publish(self, generation: Generation) -> None:
        """From here on new requests get it; the previous one closes when its last request has ended."""
        self._seq += 1
        self._alive[generation] = self._seq
        before = self._current.publish(generation)
        self._log.info("generation.published", generation=generation.id, seq=self._seq)
        if before is not None:
            task = asyncio.create_task(self._retire(before))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    @property
    def published(self) -> Generation:
        """What new requests get."""
        return self._current()

    def statuses(self) -> tuple[GenerationStatus, ...]:
        """Those that have not closed, oldest first."""
        published = self._current.published
        return tuple(
            GenerationStatus(generation.id, seq, generation.held, generation is published)
            for generation, seq in self._alive.items()
        )

    async def close(self) -> None:
        """Close all; requests that still run are ended."""
        if self._tidying is not None:
            self._tidying.cancel()
        published = self._current.published
        if published is not None:
            self._closing.add(asyncio.create_task(self._retire(published)))
        if not self._closing:
            return
        _, left = await asyncio.wait(self._closing, timeout=_LAST_REQUESTS)
        if left:
            for generation in tuple(self._alive):
                self._end_requests(generation)
            _, left = await asyncio.wait(left, timeout=_LAST_REQUESTS)
        if left:
            self._log.error("generation.requests_left", generations=[one.id for one in self._alive])
            for generation in tuple(self._alive):
                await generation.runtime.close()
        for task in left:
            task.cancel()

    async def _retire(self, generation: Generation) -> None:
        retiring = asyncio.create_task(generation.retire())
        done, _ = await asyncio.wait({retiring}, timeout=generation.config.server.hard_stop)
        if not done:
            self._log.warning("generation.hard_stop", generation=generation.id, held=generation.held)
            self._end_requests(generation)
        await retiring
        seq = self._alive.pop(generation, 0)
        self._log.info("generation.closed", generation=generation.id, seq=seq)
        self._tidy_soon()

    def _tidy_soon(self) -> None:
        """Collect what closed generations leave, once for all that close within a moment.

        A generation and its adapter know each other, and while serving the collector looks at old objects hardly ever.
        """
        if self._tidying is None:
            self._tidying = asyncio.get_running_loop().call_later(_TIDY_AFTER, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        gc.collect()
