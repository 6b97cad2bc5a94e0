"""The workers: one slot each, filled again when one dies, replaced one by one without a moment in which nobody accepts.

The listener stays open in here whatever becomes of them. A slot's new worker accepts before its old one leaves. It
knows when a worker must be replaced because it died or hangs; what it is to serve is an argument.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from routecodex.app.supervisor.log import Log
from routecodex.app.supervisor.messages import Boot, Command, Desired, Down
from routecodex.app.supervisor.settings import Times
from routecodex.app.supervisor.worker_process import (
    Answer,
    BootError,
    WorkerGoneError,
    WorkerProcess,
    described,
    launch,
)


class Failed:
    """A worker gave no answer."""

    __slots__ = ("gone", "why")

    def __init__(self, why: str, *, gone: bool) -> None:
        self.why = why
        self.gone = gone
        """It ended; else it lives and says nothing."""


class Workers:
    """All workers of one gateway."""

    def __init__(
        self,
        count: int,
        listener: int,
        times: Times,
        environ: Mapping[str, str],
        hear: Callable[[WorkerProcess, Command], None],
        lost: Callable[[WorkerProcess, int], None],
        log: Log,
    ) -> None:
        """`hear` takes commands that reach a worker; `lost` is told of a serving worker that ended unasked."""
        self.count = count
        self._listener = listener
        self._times = times
        self._environ = environ
        self._hear = hear
        self._lost = lost
        self._log = log
        self._slots: dict[int, WorkerProcess] = {}
        self._starting: set[WorkerProcess] = set()
        self._leaving: set[WorkerProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = {number: asyncio.Lock() for number in range(1, count + 1)}
        self.replaced = 0

    @property
    def serving(self) -> list[WorkerProcess]:
        """Those that hold a slot, by number."""
        return [worker for _, worker in sorted(self._slots.items()) if worker.state == "ready"]

    @property
    def leaving(self) -> list[WorkerProcess]:
        return sorted(self._leaving, key=lambda worker: worker.pid)

    @property
    def everyone(self) -> list[WorkerProcess]:
        return [*self._slots.values(), *self._starting, *self._leaving]

    def has(self, number: int) -> bool:
        """Whether the slot is filled with a living worker."""
        worker = self._slots.get(number)
        return worker is not None and worker.state == "ready"

    # --- starting --------------------------------------------------------------------------------------

    async def fill(
        self, number: int, desired: Desired, seq: int, command: Sequence[str], forced: tuple[str, ...] = ()
    ) -> WorkerProcess:
        """Start a worker for this slot and let its old one leave once the new one accepts. Raises BootError."""
        async with self._turns[number]:
            return await self._fill(number, desired, seq, command, forced)

    async def refill(self, number: int, what: Callable[[], tuple[Desired, int, Sequence[str]]]) -> bool:
        """Start a worker for a slot if it is empty; whether it was. Raises BootError."""
        async with self._turns[number]:
            if self.has(number):
                return False
            await self._fill(number, *what(), ())
            return True

    async def _fill(
        self, number: int, desired: Desired, seq: int, command: Sequence[str], forced: tuple[str, ...]
    ) -> WorkerProcess:
        worker = await launch(command, self._listener, Boot(desired, seq, number), forced, self._environ, self._hear)
        self._starting.add(worker)
        try:
            await worker.ready(self._times.ready)
        except BaseException:
            worker.kill()
            raise
        finally:
            self._starting.discard(worker)
        old = self._slots.get(number)
        self._slots[number] = worker
        self._watch_end(worker)
        if old is not None and old.state == "ready":
            self.replaced += 1
            self.retire(old)
        return worker

    async def fill_all(
        self,
        desired: Desired,
        seq: int,
        command: Sequence[str],
        forced: tuple[str, ...] = (),
        *,
        together: bool = False,
    ) -> None:
        """Every slot anew: one after another; or all at once, overtaking those that are coming up.

        Raises BootError at the first that fails.
        """
        numbers = range(1, self.count + 1)
        if not together:
            for number in numbers:
                await self.fill(number, desired, seq, command, forced)
            return
        for worker in list(self._starting):
            worker.overtake()
        filling = [asyncio.ensure_future(self.fill(number, desired, seq, command, forced)) for number in numbers]
        try:
            for each in asyncio.as_completed(filling):
                await each
        finally:
            for one in filling:
                one.cancel()
            await asyncio.gather(*filling, return_exceptions=True)

    # --- ending ----------------------------------------------------------------------------------------

    def retire(self, worker: WorkerProcess, drain: float = -1.0) -> None:
        """Let a worker leave; it is waited for elsewhere."""
        self._leaving.add(worker)
        worker.leave(drain)

    def retire_all(self, drain: float = -1.0) -> None:
        for worker in self.serving:
            self.retire(worker, drain)
        for worker in list(self._starting):
            worker.kill()

    async def all_ended(self) -> None:
        """Wait until no process is left."""
        while waiting := [worker.ended for worker in self.everyone if not worker.ended.done()]:
            await asyncio.wait(waiting)

    def kill_all(self) -> None:
        for worker in self.everyone:
            worker.kill()

    def _watch_end(self, worker: WorkerProcess) -> None:
        task = asyncio.get_running_loop().create_task(self._until_ended(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_ended(self, worker: WorkerProcess) -> None:
        code = await asyncio.shield(worker.ended)
        asked = worker in self._leaving
        self._leaving.discard(worker)
        if self._slots.get(worker.number) is worker:
            del self._slots[worker.number]
        worker.state = "gone"
        if asked and (code == 0 or worker.why):
            return
        if asked:
            self._log.warning("worker.ended_badly", worker=worker.number, pid=worker.pid, how=described(code))
            return
        self._log.error("worker.lost", worker=worker.number, pid=worker.pid, how=described(code, worker.why))
        self._lost(worker, code)

    # --- asking ----------------------------------------------------------------------------------------

    async def ask(
        self, make: Callable[[int], Down], seconds: float, whom: Sequence[WorkerProcess] | None = None
    ) -> dict[WorkerProcess, Answer | Failed]:
        """The same question to all who serve, at once; who gives no answer in time has Failed."""
        asked = self.serving if whom is None else list(whom)
        answers = await asyncio.gather(*(self._one(worker, make, seconds) for worker in asked))
        return dict(zip(asked, answers, strict=True))

    async def ask_each(
        self, questions: Mapping[WorkerProcess, Down], seconds: float, numbers: Mapping[WorkerProcess, int]
    ) -> dict[WorkerProcess, Answer | Failed]:
        """A question of its own to each, under a number it knows already."""
        answers = await asyncio.gather(
            *(
                self._one(worker, lambda _, what=question: what, seconds, numbers[worker])  # type: ignore[misc]
                for worker, question in questions.items()
            )
        )
        return dict(zip(questions, answers, strict=True))

    async def _one(
        self, worker: WorkerProcess, make: Callable[[int], Down], seconds: float, number: int = 0
    ) -> Answer | Failed:
        try:
            return await worker.ask(make, seconds, number)
        except TimeoutError:
            return Failed(f"Worker {worker.number} gave no answer within {seconds:g} s.", gone=False)
        except WorkerGoneError:
            return Failed(f"Worker {worker.number} ended before it answered.", gone=True)

    # --- the watchdog ----------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Ask everyone for a sign of life, for ever; end who gives none. Our own absence is not held against them."""
        times = self._times
        while True:
            before = time.monotonic()
            for worker in self.everyone:
                if worker.state in ("ready", "leaving"):
                    worker.ping()
            await asyncio.sleep(times.ping)
            now = time.monotonic()
            if now - before > times.ping + 0.5:
                for worker in self.everyone:
                    worker.heard = now
                continue
            for worker in self.everyone:
                if worker.state in ("ready", "leaving") and now - worker.heard > times.silence and not worker.why:
                    worker.why = f"silent for {times.silence:g} s"
                    self._log.error("worker.hangs", worker=worker.number, pid=worker.pid, seconds=times.silence)
                    self._begin(worker.end(times.last_words))

    def _begin(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


__all__ = ["BootError", "Failed", "Workers"]
