"""How long a worker waits for the supervisor to carry out a command, and what it says when it waits no longer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from routecodex.app.supervisor.asking import Asking
from routecodex.app.supervisor.link import Link, connect
from routecodex.app.supervisor.messages import Ask, Command, Down, Receipt, Up


class Pair:
    """A worker's commands, and the supervisor's end of the same link."""

    def __init__(self, asking: Asking, supervisor: Link[Any, Up]) -> None:
        self.asking = asking
        self.supervisor = supervisor

    def ask(self, **arguments: Any) -> asyncio.Task[tuple[int, bytes]]:
        return asyncio.create_task(self.asking.command("server.restart", json.dumps(arguments).encode(), "a test"))

    async def hear(self) -> tuple[Command, dict[str, Any]]:
        """The command as it came over, with its arguments."""
        async with asyncio.timeout(5):
            message = await self.supervisor.read()
        assert isinstance(message, Command)
        return message, json.loads(message.arguments)


@asynccontextmanager
async def pair(patience: float = 30.0, silence: float = 30.0) -> AsyncIterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    worker: Link[Up, Down] = await connect(ours, Down)
    supervisor: Link[Any, Up] = await connect(theirs, Up)
    asking = Asking(worker, patience, silence)

    async def listen() -> None:
        while (message := await worker.read()) is not None:
            asking.heard(message)
        asking.lost()

    listening = asyncio.create_task(listen())
    try:
        yield Pair(asking, supervisor)
    finally:
        listening.cancel()
        worker.close()
        supervisor.close()


async def told(task: asyncio.Task[tuple[int, bytes]]) -> tuple[int, dict[str, Any]]:
    async with asyncio.timeout(10):
        status, body = await task
    return status, json.loads(body)


async def test_a_receipt_is_the_answer() -> None:
    async with pair() as one:
        task = one.ask(id="mine", reason="why not")
        command, arguments = await one.hear()
        assert (command.name, command.actor) == ("server.restart", "a test")
        assert arguments == {"id": "mine", "reason": "why not"}
        one.supervisor.write(Receipt(command.id, 200, b'{"state":"done"}'))
        assert await told(task) == (200, {"state": "done"})


async def test_a_command_without_an_id_gets_one() -> None:
    async with pair() as one:
        tasks = [one.ask(), one.ask()]
        ids = {(await one.hear())[1]["id"] for _ in tasks}
        assert len(ids) == 2
        assert all(ids)
        for task in tasks:
            task.cancel()


async def test_a_command_that_goes_on_is_answered_as_under_way_and_can_be_asked_for_again() -> None:
    async with pair(patience=0.2) as one:
        task = one.ask(id="mine")
        await one.hear()
        for number in range(3):
            one.supervisor.write(Ask(number))
            await asyncio.sleep(0.05)
        status, receipt = await told(task)
        assert (status, receipt["state"], receipt["code"], receipt["id"]) == (202, "accepted", "under_way", "mine")
        assert receipt["command"] == "server.restart"
        assert "with the id mine" in receipt["nextStep"]
        again = one.ask(id="mine")
        command, arguments = await one.hear()
        assert arguments["id"] == "mine"
        one.supervisor.write(Receipt(command.id, 200, b'{"state":"done"}'))
        assert (await told(again))[1] == {"state": "done"}


async def test_a_receipt_that_comes_too_late_harms_nobody() -> None:
    async with pair(patience=0.05) as one:
        task = one.ask()
        command, _ = await one.hear()
        assert (await told(task))[0] == 202
        one.supervisor.write(Receipt(command.id, 200, b"{}"))
        other = one.ask()
        command, _ = await one.hear()
        one.supervisor.write(Receipt(command.id, 200, b'{"state":"done"}'))
        assert (await told(other))[0] == 200


async def test_a_supervisor_that_falls_silent_is_not_called_at_work() -> None:
    async with pair(silence=0.1) as one:
        status, receipt = await told(one.ask(id="mine"))
    assert (status, receipt["state"], receipt["code"]) == (503, "refused", "supervisor_silent")
    assert "not known" in receipt["reason"]
    assert "--offline" in receipt["nextStep"]


async def test_a_supervisor_that_is_heard_keeps_a_command_waiting_past_the_silence() -> None:
    async with pair(silence=1.5) as one:
        task = one.ask()
        command, _ = await one.hear()
        for number in range(8):
            one.supervisor.write(Ask(number))
            await asyncio.sleep(0.25)
        assert not task.done()
        one.supervisor.write(Receipt(command.id, 200, b"{}"))
        assert (await told(task))[0] == 200


async def test_a_worker_that_parts_says_that_its_commands_go_on() -> None:
    async with pair() as one:
        waiting = one.ask(id="first")
        await one.hear()
        one.asking.part()
        status, receipt = await told(waiting)
        assert (status, receipt["code"], receipt["id"]) == (202, "under_way", "first")
        late = one.ask(id="second")
        assert (await one.hear())[1]["id"] == "second"
        assert (await told(late))[1]["code"] == "under_way"


@pytest.mark.parametrize("before", [False, True], ids=["while it waits", "before it is sent"])
async def test_a_supervisor_that_is_gone_is_told(before: bool) -> None:
    async with pair() as one:
        if before:
            one.supervisor.close()
            await asyncio.sleep(0.1)
            task = one.ask()
        else:
            task = one.ask()
            await one.hear()
            one.supervisor.close()
        status, receipt = await told(task)
    assert (status, receipt["state"], receipt["code"]) == (503, "refused", "supervisor_silent")
