"""The worker's end of the link: reads what the supervisor says, lets the kernel act, answers.

It knows the messages and nothing of what a kernel does with them. Questions are answered one after another, in the
order in which they came, except that a question about the state never waits for a preparation.
"""

from __future__ import annotations

import asyncio
from typing import Protocol as Interface

import structlog

from routecodex.app.supervisor.asking import Asking
from routecodex.app.supervisor.link import Link, LinkClosedError
from routecodex.app.supervisor.messages import (
    Abort,
    Ask,
    Commit,
    Down,
    Force,
    Prepare,
    Prepared,
    Published,
    Refused,
    Stop,
    Told,
    Up,
)


class Controls(Interface):
    """What a kernel can be told."""

    async def prepare(self, message: Prepare) -> Prepared | Refused: ...

    async def commit(self, message: Commit) -> Published | Refused: ...

    def abort(self, message: Abort) -> None: ...

    async def force(self, message: Force) -> Published: ...

    async def told(self, message: Ask) -> Told: ...

    def stop(self, drain: float) -> None:
        """Leave the accept loop and end when nothing runs; negative: drain as the configuration says."""
        ...


class Desk:
    """Where a worker's control traffic comes together."""

    def __init__(self, link: Link[Up, Down], log: structlog.typing.FilteringBoundLogger) -> None:
        self._link = link
        self._log = log
        self._asking = Asking(link)
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, message: Up) -> None:
        """Tell the supervisor; nothing happens when it is gone."""
        try:
            self._link.write(message)
        except LinkClosedError:
            self._log.warning("supervisor.gone")

    async def command(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        """(HTTP status, JSON receipt) of a control command that came to this worker; `arguments` is a JSON object."""
        return await self._asking.command(name, arguments, actor)

    def part(self) -> None:
        """The worker's time is over: who still waits for a command is told that it goes on."""
        self._asking.part()

    async def attend(self, controls: Controls) -> None:
        """Answer until the supervisor goes away; then stop the worker."""
        while (message := await self._link.read()) is not None:
            if self._asking.heard(message):
                continue
            if isinstance(message, Stop):
                controls.stop(message.drain)
            else:
                task = asyncio.create_task(self._answer(message, controls))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self._asking.lost()
        self._log.warning("supervisor.gone")
        controls.stop(-1.0)

    async def _answer(self, message: Down, controls: Controls) -> None:
        try:
            if isinstance(message, Ask):
                self.say(await controls.told(message))
                return
            if isinstance(message, Force):
                self.say(await controls.force(message))
                return
            async with self._turn:
                if isinstance(message, Prepare):
                    self.say(await controls.prepare(message))
                elif isinstance(message, Commit):
                    self.say(await controls.commit(message))
                elif isinstance(message, Abort):
                    controls.abort(message)
        except Exception as error:
            # A kernel that fails here has a fault of its own; the supervisor sees no answer and acts on that.
            self._log.error("control.fault", message=type(message).__name__, exc_info=error)
