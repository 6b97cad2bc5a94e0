"""One worker process and our end of its link: started, asked, told to leave, ended.

It knows processes and messages, and of a worker only what it says about itself. Why one is started or ended is decided
by workers.py and those above it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from routecodex.app.supervisor.link import Link, LinkClosedError, connect
from routecodex.app.supervisor.messages import (
    Ask,
    Boot,
    BootFailed,
    Command,
    Down,
    Prepared,
    Published,
    Ready,
    Refusal,
    Refused,
    Stop,
    Told,
    Up,
    WorkerStatus,
)
from routecodex.app.supervisor.notify import VARIABLES
from routecodex.app.switches import FORCE_STABLE_VARIABLE

Answer: TypeAlias = Prepared | Refused | Published | Told
State: TypeAlias = Literal["starting", "ready", "leaving", "gone"]

INTERNAL: Final = 70
_REST: Final = 1.0
"""Seconds for a dead worker's last sentences to be read."""

_ids: Final = itertools.count(1)


def next_id() -> int:
    """A number no other question has."""
    return next(_ids)


class WorkerGoneError(Exception):
    """The worker ended, or its link did, before it answered."""


class BootError(Exception):
    """A worker did not come up. `exit_code` as sysexits has it; `refusals` where it said why."""

    def __init__(self, why: str, exit_code: int = INTERNAL, refusals: tuple[Refusal, ...] = ()) -> None:
        super().__init__(why)
        self.exit_code = exit_code
        self.refusals = refusals


class OvertakenError(BootError):
    """A worker was ended while it came up: by then something else was wanted."""


class WorkerProcess:
    """A running worker. Made by `launch`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        link: Link[Down, Up],
        boot: Boot,
        forced: tuple[str, ...],
        hear: Callable[[WorkerProcess, Command], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.number = boot.worker
        self.boot = boot
        self.pid = process.pid
        self.forced = forced
        """Rows forced by its environment: they stay until it is replaced."""
        self.state: State = "starting"
        self.status: WorkerStatus | None = None
        self.started = time.monotonic()
        self.heard = self.started
        """When it last said something, monotonic seconds."""
        self.why = ""
        """Why we ended it, if we did."""
        self.trying = False
        """Whether it prepares what is not in force yet, or ended over it."""
        self.overtaken = False
        """Whether something else was wanted before it was up."""
        self.booted: asyncio.Future[WorkerStatus] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        """Its exit code; negative: the signal."""
        self._process = process
        self._link = link
        self._hear = hear
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._failed: BootFailed | None = None
        self._reading = loop.create_task(self._read())
        self._waiting = loop.create_task(self._wait())
        self.booted.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started

    @property
    def silence(self) -> float:
        """Seconds since it last said something."""
        return time.monotonic() - self.heard

    # --- talking ---------------------------------------------------------------------------------------

    def say(self, message: Down) -> bool:
        """Whether it could be sent."""
        try:
            self._link.write(message)
        except LinkClosedError:
            return False
        return True

    async def ask(self, make: Callable[[int], Down], seconds: float, number: int = 0) -> Answer:
        """Send a question and wait for its answer. Raises WorkerGoneError, TimeoutError.

        `number` is given where the question goes on with an earlier one (`Commit` of what was prepared).
        """
        number = number or next_id()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            if not self.say(make(number)):
                raise WorkerGoneError
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self._answers.pop(number, None)

    def ping(self) -> None:
        """Ask for its status without waiting; the answer is kept in `status`."""
        self.say(Ask(next_id()))

    async def ready(self, seconds: float) -> WorkerStatus:
        """Wait until it accepts requests. Raises BootError; the worker is then ended."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self.booted)
        except TimeoutError:
            self.why = f"not ready within {seconds:g} s"
            await self.end()
            raise BootError(f"Worker {self.number} was not ready within {seconds:g} s.") from None

    # --- leaving ---------------------------------------------------------------------------------------

    def leave(self, drain: float = -1.0) -> None:
        """Let it answer what it has accepted and end."""
        self.state = "leaving" if self.state != "gone" else "gone"
        if not self.say(Stop(drain)):
            self.kill()

    async def end(self, last_words: float = 0.0) -> None:
        """End it now: SIGABRT, that it may say where it hangs, and SIGKILL after `last_words` seconds."""
        if last_words:
            self._signal(signal.SIGABRT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(last_words):
                    await asyncio.shield(self.ended)
        self.kill()
        await asyncio.shield(self.ended)

    def overtake(self) -> None:
        """End it before it is up: it would serve what is not wanted any more."""
        self.overtaken = True
        self.why = "overtaken"
        self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    # --- listening -------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (message := await self._link.read()) is not None:
            self.heard = time.monotonic()
            if isinstance(message, Command):
                self._hear(self, message)
            elif isinstance(message, Ready):
                self.status = message.status
                if self.state == "starting":
                    self.state = "ready"
                if not self.booted.done():
                    self.booted.set_result(message.status)
            elif isinstance(message, BootFailed):
                self._failed = message
            else:
                if isinstance(message, Told | Published):
                    self.status = message.status
                answer = self._answers.get(message.id)
                if answer is not None and not answer.done():
                    answer.set_result(message)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(WorkerGoneError())
        if not self.ended.done():
            # A worker without its link cannot be told anything any more; a dying one is given the time to die.
            await asyncio.sleep(_REST)
            self.why = self.why or "its link broke"
            self.kill()

    async def _wait(self) -> None:
        code = await self._process.wait()
        self.ended.set_result(code)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST):
                await asyncio.shield(self._reading)
        self._reading.cancel()
        self._link.close()
        self.state = "gone"
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(WorkerGoneError())
        if not self.booted.done():
            failed = self._failed
            if failed is not None:
                said = "; ".join(refusal.message for refusal in failed.refusals)
                self.booted.set_exception(BootError(said or "It did not say why.", failed.exit_code, failed.refusals))
            else:
                kind = OvertakenError if self.overtaken else BootError
                self.booted.set_exception(kind(f"Worker {self.number} {described(code, self.why)} at boot.", INTERNAL))


def described(code: int, why: str = "") -> str:
    """An end in words: `ended with exit code 70`, `was ended by SIGKILL (hung)`."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        told = f"was ended by {name}"
    else:
        told = f"ended with exit code {code}"
    return f"{told} ({why})" if why else told


async def launch(
    command: Sequence[str],
    listener: int,
    boot: Boot,
    forced: tuple[str, ...],
    environ: Mapping[str, str],
    hear: Callable[[WorkerProcess, Command], None],
) -> WorkerProcess:
    """Start `command` with the listener and its end of a link, and say what it is to serve. Raises BootError."""
    ours, theirs = socket.socketpair()
    try:
        inherited = {name: value for name, value in environ.items() if name not in VARIABLES}
        if forced:
            inherited[FORCE_STABLE_VARIABLE] = ",".join(forced)
        process = await asyncio.create_subprocess_exec(
            *command,
            "--listener-descriptor",
            str(listener),
            "--link-descriptor",
            str(theirs.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(listener, theirs.fileno()),
            env=inherited,
            process_group=0,
        )
    except OSError as error:
        ours.close()
        raise BootError(f"No process could be started: {error.strerror or error}.", os.EX_TEMPFAIL) from error
    finally:
        theirs.close()
    ours.setblocking(False)
    link: Link[Down, Up] = await connect(ours, Up)
    worker = WorkerProcess(process, link, boot, forced, hear)
    worker.say(boot)
    return worker
