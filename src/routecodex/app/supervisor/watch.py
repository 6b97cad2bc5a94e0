"""Watches what was just published: a breach brings back what was there before, a quiet end blesses it.

It knows signs of harm as workers report them: a crash, a stalled loop, faults of our own, a failed probe. What follows
from them is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from routecodex.app.supervisor.desired import Wanted
from routecodex.app.supervisor.messages import Ask, Told, WorkerStatus
from routecodex.app.supervisor.state import State
from routecodex.app.supervisor.workers import Failed


class Watch:
    """At most one publication is watched: a newer one ends the watch of the one before."""

    def __init__(
        self,
        state: State,
        blessed: Callable[[], Awaitable[None]],
        breached: Callable[[Wanted | None, str], Awaitable[None]],
    ) -> None:
        self._state = state
        self._blessed = blessed
        self._breached = breached
        self._task: asyncio.Task[None] | None = None
        self._verdict: asyncio.Task[None] | None = None
        """What follows from a watch that has ended: it is under way until that is done."""
        self._breach: asyncio.Future[str] | None = None
        self.previous: Wanted | None = None
        """What a breach brings back; None where nothing was before."""
        self.until = 0.0
        """By the loop's clock."""

    @property
    def active(self) -> bool:
        return self._task is not None and not self._task.done()

    def begin(self, previous: Wanted | None) -> None:
        """Something was published in place of `previous`."""
        self.cancel()
        loop = asyncio.get_running_loop()
        self.previous = previous
        self.until = loop.time() + self._state.times.watch
        self._breach = loop.create_future()
        self._task = loop.create_task(self._watch(previous, self._breach))

    def breach(self, why: str) -> None:
        """Somebody else saw harm."""
        if self._breach is not None and not self._breach.done():
            self._breach.set_result(why)

    def cancel(self) -> None:
        """What is in force will not be judged any more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    def close(self) -> None:
        """Nothing is judged any more, and nothing follows from what was."""
        self.cancel()
        if self._verdict is not None:
            self._verdict.cancel()

    async def _watch(self, previous: Wanted | None, breach: asyncio.Future[str]) -> None:
        why = await self._harm(breach)
        if self._task is asyncio.current_task():
            self._verdict, self._task = self._task, None
        if why:
            await self._breached(previous, why)
        else:
            await self._blessed()

    async def _harm(self, breach: asyncio.Future[str]) -> str:
        loop, state = asyncio.get_running_loop(), self._state
        while (left := self.until - loop.time()) > 0:
            await asyncio.wait({breach}, timeout=min(left, state.times.ping))
            if breach.done():
                return breach.result()
            for worker in state.workers.serving:
                if worker.status is not None and (why := harm(worker.status, state.times.lag)):
                    return f"worker {worker.number}: {why}"
        answers = await state.workers.ask(lambda number: Ask(number, probe=True), state.times.prepare)
        for worker, answer in answers.items():
            if isinstance(answer, Told) and answer.probe:
                return f"worker {worker.number}: the probe failed: {answer.probe}"
            if isinstance(answer, Failed):
                return answer.why
        return breach.result() if breach.done() else ""


def harm(status: WorkerStatus, lag: float) -> str:
    """Why this worker does not do well since the last publication; empty if it does."""
    if status.lag > lag:
        return f"its event loop was {status.lag:.1f} s late"
    if status.internal_errors >= 1 and status.internal_errors * 100 >= status.requests:
        return f"{status.internal_errors} internal errors in {status.requests} requests"
    return ""
