"""When workers die: one is replaced, a configuration that kills them gives way, and in the end safe mode serves.

A candidate that fails to boot twice gives way to the last good configuration; that one, when it crashes twice within
five minutes, to safe mode. It decides from counts and ends; it never judges a configuration.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, Final

from routecodex.app.supervisor.boots import CRASHES, TRIES
from routecodex.app.supervisor.desired import Wanted, ended
from routecodex.app.supervisor.messages import Refusal
from routecodex.app.supervisor.state import NOTHING, State, told
from routecodex.app.supervisor.transaction import PREEMPTED, Transactions
from routecodex.app.supervisor.watch import Watch
from routecodex.app.supervisor.worker_process import BootError, OvertakenError, WorkerProcess, described

ACTOR: Final = "supervisor"
CONFIGURATION: Final = os.EX_CONFIG


class CannotStartError(Exception):
    """Nothing could be served and there is nothing to fall back to; `exit_code` as sysexits has it."""

    def __init__(self, why: str, exit_code: int) -> None:
        super().__init__(why)
        self.exit_code = exit_code


class Recovery:
    """Keeps every slot filled, with what can be served."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.watch = Watch(state, self.bless, self.revert)
        self.transactions = Transactions(state, self.watch.begin, self.mend)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._mending: set[int] = set()
        self._falls: dict[int, int] = {}
        """By slot: crashes in a row."""

    # --- the first start -------------------------------------------------------------------------------

    async def start(self, candidate: Wanted) -> None:
        """Serve the candidate, or what it gives way to. Raises CannotStartError."""
        state = self._state
        state.wanted = candidate
        while True:
            name = state.wanted.fingerprint
            problem = BootError("it was started before and never left in good order")
            while state.boots.tries(name) < TRIES or self._nothing_else():
                state.boots.trying(name)
                try:
                    await state.workers.fill(1, *state.boot())
                except BootError as error:
                    problem = error
                    final = error.exit_code == CONFIGURATION or state.boots.tries(name) >= TRIES
                    self._told("boot.failed", error, tries=state.boots.tries(name))
                    if final:
                        break
                else:
                    await self._started()
                    return
            state.boots.settled(name)
            await self._give_way(problem)

    async def _started(self) -> None:
        state = self._state
        state.served = True
        if state.safe:
            state.boots.settled(state.wanted.fingerprint)
        else:
            self.watch.begin(None)
        self.mend()
        await self.transactions.learn()
        over = ended(state.wanted.overrides, state.configured)
        if over and not state.safe:
            # The file was changed while nobody watched it: publishing it again ends what it has overruled.
            self._begin(self._overruled())

    async def _overruled(self) -> None:
        wanted = self._state.wanted
        await self.transactions.apply(wanted, actor=ACTOR, correlation="start", restart=True, always=True)

    def _nothing_else(self) -> bool:
        """There is nothing to give way to, so what is wanted is tried once more."""
        state = self._state
        return state.last_good.wanted is None and not state.safe and not state.served

    async def _give_way(self, problem: BootError) -> None:
        """What is wanted does not come up: choose what is wanted instead. Raises CannotStartError."""
        state = self._state
        good = state.last_good.wanted
        if state.safe:
            raise CannotStartError(f"Safe mode does not come up either: {problem}", problem.exit_code)
        if good is not None and not state.last_good.is_this(state.wanted):
            await self._fall_back(good, str(problem), problem.refusals)
        elif good is not None or state.served:
            await self._enter_safe(str(problem))
        else:
            raise CannotStartError(str(problem), problem.exit_code)

    # --- what is given way to --------------------------------------------------------------------------

    async def _fall_back(self, good: Wanted, why: str, refusals: tuple[Refusal, ...] = ()) -> None:
        state = self._state
        if not state.last_good.on_disk:
            state.last_good.keep()
        state.wanted, state.hash = good, state.last_good.hash
        state.file.state, state.file.reason, state.file.refusals = "reverted", why, refusals
        state.log.error("configuration.gave_way", to="last_good", hash=state.last_good.hash, why=why)
        state.seq += 1
        body = {"why": why, "hash": state.last_good.hash, "overrides": told(good.overrides), "seq": state.seq}
        await state.journal.keep("configuration.gave_way", ACTOR, "", body)

    async def _enter_safe(self, why: str) -> None:
        state = self._state
        state.safe = why
        state.wanted = Wanted(NOTHING, state.wanted.overrides, "safe_mode")
        state.hash, state.configured = "", {}
        self.watch.cancel()
        state.log.error(
            "safe_mode.entered",
            why=why,
            next_step="Mend the configuration, then `routecodex config apply`; or `routecodex server restart`.",
        )
        state.seq += 1
        await state.journal.keep("safe_mode.entered", ACTOR, "", {"why": why, "seq": state.seq})

    async def enter_safe(self, why: str) -> None:
        """Everything v1/stable, nothing configured, health and a clear 503: for when nothing else is left."""
        await self._enter_safe(why)
        state = self._state
        await state.workers.fill_all(*state.boot(), together=True)

    # --- what is watched -------------------------------------------------------------------------------

    async def bless(self) -> None:
        """What is in force has proved itself: it is what we come back to."""
        state = self._state
        state.boots.settled(state.wanted.fingerprint)
        if state.safe:
            return
        config_hash = state.loaded_hash or state.hash
        if state.last_good.is_this(state.wanted) and state.last_good.hash == config_hash and state.last_good.on_disk:
            return
        if not state.last_good.is_this(state.wanted):
            state.boots.forget_crashes()
        why = state.last_good.bless(state.wanted, config_hash, state.now())
        body = {"hash": config_hash, "seq": state.seq, "written": not why}
        if why:
            state.log.error("last_good.not_written", why=why)
        await state.journal.keep("blessed", ACTOR, "", body)

    async def revert(self, previous: Wanted | None, why: str) -> None:
        """What is in force does harm: bring back what was there before it."""
        state = self._state
        seq = state.seq
        state.log.error("watch.breached", seq=seq, why=why)
        await state.journal.keep("watch.breached", ACTOR, f"watch-{seq}", {"seq": seq, "why": why})
        back = previous if previous is not None else state.last_good.wanted
        if back is None or back.fingerprint == state.wanted.fingerprint:
            # There is nothing better: it goes on, unblessed, until it does well for long enough.
            self.watch.begin(None)
            return
        state.file.state, state.file.reason = "reverted", why
        outcome = await self.transactions.apply(
            back, actor=ACTOR, correlation=f"watch-{seq}", restart=True, always=True, watched=False
        )
        if outcome.code == PREEMPTED:
            return
        if outcome.state != "done":
            await self._force_back(back, outcome.reason)
        if not state.last_good.is_this(state.wanted):
            self.watch.begin(None)

    async def _force_back(self, back: Wanted, why: str) -> None:
        """The workers or the disk refuse the way back: new workers take it."""
        state = self._state
        async with state.writer:
            state.log.error("configuration.gave_way", to="previous", why=why)
            state.wanted = back
            state.seq += 1
            body = {"why": why, "overrides": told(back.overrides), "seq": state.seq}
            await state.journal.keep("configuration.gave_way", ACTOR, "", body)
            try:
                await state.workers.fill_all(*state.boot(), together=True)
            except BootError as error:
                await self._enter_safe(str(error))
                await state.workers.fill_all(*state.boot(), together=True)

    # --- crashes ---------------------------------------------------------------------------------------

    def lost(self, worker: WorkerProcess, code: int) -> None:
        """A serving worker ended unasked."""
        if self._state.phase == "stopping":
            return
        steady = worker.trying or worker.age > self._state.times.steady
        self._falls[worker.number] = 0 if steady else self._falls.get(worker.number, 0) + 1
        self._begin(self._lost(worker, f"worker {worker.number} {described(code, worker.why)}"))

    async def _lost(self, worker: WorkerProcess, why: str) -> None:
        state = self._state
        await state.journal.keep("worker.lost", ACTOR, "", {"worker": worker.number, "pid": worker.pid, "why": why})
        if not worker.trying:
            if self.watch.active and self._can_revert():
                self.watch.breach(why)
                return  # whoever reverts fills the slot with what is wanted then
            if not state.safe:
                await self._judge(why)
        self.mend()

    def _can_revert(self) -> bool:
        back = self.watch.previous or self._state.last_good.wanted
        return back is not None and back.fingerprint != self._state.wanted.fingerprint

    async def _judge(self, why: str) -> None:
        """Whether a crash means that what is wanted must give way, and to what."""
        state = self._state
        if state.boots.crashed() < CRASHES:
            return
        async with state.writer:
            if state.safe:
                return
            good = state.last_good.wanted
            if good is not None and not state.last_good.is_this(state.wanted):
                state.boots.forget_crashes()
                await self._fall_back(good, why)
            else:
                await self._enter_safe(f"{why}, for the second time within {state.times.crashes:g} s")
            try:
                await state.workers.fill_all(*state.boot(), together=True)
            except BootError as error:
                if not state.safe:
                    await self._enter_safe(str(error))

    def mend(self) -> None:
        """See to it that every slot is filled, now or as soon as it can be."""
        state = self._state
        if state.phase == "stopping":
            return
        for number in range(1, state.workers.count + 1):
            if number not in self._mending and not state.workers.has(number):
                self._mending.add(number)
                self._begin(self._fill(number))

    async def _fill(self, number: int) -> None:
        state, times = self._state, self._state.times
        try:
            while state.phase != "stopping":
                falls = self._falls.get(number, 0)
                if falls > 1:
                    await asyncio.sleep(min(times.most_backoff, times.backoff * 2 ** min(falls - 2, 16)))
                if state.workers.has(number):
                    return
                try:
                    await state.workers.refill(number, state.boot)
                    await self._catch_up(number)
                    return
                except OvertakenError:
                    continue  # whoever overtook it fills the slot
                except BootError as error:
                    self._falls[number] = falls + 1
                    self._told("boot.failed", error, worker=number)
                    if self.watch.active and self._can_revert():
                        self.watch.breach(f"worker {number} did not come up: {error}")
                    elif not state.safe:
                        await self._judge(str(error))
        finally:
            self._mending.discard(number)

    async def _catch_up(self, number: int) -> None:
        """A worker that came up while something else was decided, or forced, starts anew with that."""
        state = self._state
        async with state.writer:
            worker = next((one for one in state.workers.serving if one.number == number), None)
            if worker is not None and (worker.boot.desired != state.desired or worker.boot.seq != state.seq):
                state.log.info("worker.outdated", worker=number, pid=worker.pid, seq=worker.boot.seq, now=state.seq)
                await state.workers.fill(number, *state.boot())

    def _told(self, event: str, error: BootError, **more: Any) -> None:
        refusals = [refusal.message for refusal in error.refusals[:5]]
        self._state.log.error(event, why=str(error), exit_code=error.exit_code, refusals=refusals, **more)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._state.log.error("supervisor.fault", error=task.exception())

    async def close(self) -> None:
        """Nothing is replaced or judged any more."""
        self.watch.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
