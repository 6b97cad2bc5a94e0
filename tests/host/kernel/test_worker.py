"""Both kernels, told what to do over the link, with real requests going through them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from routecodex.app.supervisor.messages import Command, Prepared, Refused
from tests.fake_upstream import FakeUpstream, Finish, Gate, Script, Text
from tests.sides import LIVE

from .worker import config, worker

NEW = {"appKernel": "v2"}
ROW = LIVE[0]
"""A block's row; it stands for all of them."""
KERNELS = pytest.mark.parametrize(("kernel", "over"), [("v1", {"appKernel": "v1"}), ("v2", {"appKernel": "v2"})])


async def ask(session: aiohttp.ClientSession, url: str, **more: Any) -> aiohttp.ClientResponse:
    body = {"model": "fake-model", "messages": [{"role": "user", "content": "hi"}], **more}
    return await session.post(url + "/v1/chat/completions", json=body)


@KERNELS
async def test_a_worker_serves_reports_and_stops(kernel: str, over: dict[str, str], tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        ready = await one.boot(config(up.url, over), seq=7)
        assert (ready.kernel, ready.config_seq, ready.accepting, ready.running) == (kernel, 7, True, 0)
        answer = await ask(session, one.url)
        assert answer.status == 200, await answer.text()
        assert answer.headers["x-routecodex-generation"] == ready.loaded_hash[:12]
        told = await one.status(probe=True)
        assert told.probe == ""
        assert told.status.requests == 1
        assert over.items() <= told.status.switches.items()
        assert await one.stop() == 0


@KERNELS
async def test_a_configuration_that_is_wrong_is_told_with_its_place(
    kernel: str, over: dict[str, str], tmp_path: Path
) -> None:
    async with worker(tmp_path) as one:
        failed = await one.boot_refused(config("http://127.0.0.1:9", over).replace("default", "defualt!"))
        assert failed.exit_code == 78
        assert any(refusal.line for refusal in failed.refusals)
        assert await one.ended() == 78


@KERNELS
async def test_the_end_of_the_link_drains_and_ends_the_worker(
    kernel: str, over: dict[str, str], tmp_path: Path
) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        up.script(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
        await one.boot(config(up.url, over))
        answer = await ask(session, one.url, stream=True)
        await answer.content.readany()
        one.link.close()
        await asyncio.sleep(0.2)
        up.open_gate()
        assert b"[DONE]" in await answer.read()
        assert await one.ended() == 0


@KERNELS
async def test_a_command_that_outlives_its_worker_is_answered_as_under_way(
    kernel: str, over: dict[str, str], tmp_path: Path
) -> None:
    """A rolling restart replaces the worker that passed the command on; its drain ends before the restart does."""
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        await one.boot(config(up.url, over, drain=0.2))
        token = (tmp_path / "h" / "run" / "admin-token").read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        asked = asyncio.ensure_future(session.post(one.url + "/daemon/server/restart", json={}, headers=headers))
        command = await one.hear(Command)
        assert command.name == "server.restart"
        ended = asyncio.ensure_future(one.stop())
        answer = await asyncio.wait_for(asked, 20)
        assert answer.status == 202
        receipt = await answer.json()
        assert (receipt["state"], receipt["code"]) == ("accepted", "under_way")
        assert receipt["id"] == json.loads(command.arguments)["id"], "so that it can be asked for elsewhere"
        assert await ended == 0


async def test_kernel_v1_says_that_every_change_needs_a_new_worker(tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one:
        await one.boot(config(up.url, {"appKernel": "v1"}))
        prepared = await one.prepare(config(up.url, {"appKernel": "v1"}, models=', "other"'))
        assert isinstance(prepared, Prepared)
        assert {change.effect for change in prepared.changes} == {"restart"}
        assert isinstance(await one.commit(prepared.id, 2), Refused)


async def test_kernel_v2_publishes_what_it_prepared_and_streams_keep_their_generation(tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        up.script(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
        before = await one.boot(config(up.url, NEW))
        stream = await ask(session, one.url, stream=True)
        await stream.content.readany()
        prepared = await one.prepare(config(up.url, NEW, models=', "other"'))
        assert isinstance(prepared, Prepared), prepared
        assert [change.effect for change in prepared.changes] == ["drain"]
        assert (await one.status()).status.loaded_hash == before.loaded_hash, "preparing publishes nothing"
        published = await one.commit(prepared.id, 2)
        status = published.status  # type: ignore[union-attr]
        assert status.loaded_hash == prepared.hash != before.loaded_hash
        assert [(one.seq, one.held > 0, one.current) for one in status.generations] == [
            (1, True, False),
            (2, False, True),
        ]
        answer = await ask(session, one.url)
        assert answer.headers["x-routecodex-generation"] == prepared.hash[:12]
        up.open_gate()
        assert b"[DONE]" in await stream.read()
        for _ in range(100):
            left = (await one.status()).status.generations
            if len(left) == 1:
                break
            await asyncio.sleep(0.02)
        assert [one.seq for one in left] == [2]
        assert await one.stop() == 0


async def test_kernel_v2_refuses_what_cannot_be_and_goes_on_with_what_it_has(tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        before = await one.boot(config(up.url, NEW))
        refused = await one.prepare(config(up.url, NEW).replace('default = ["acme', 'default = ["amce'))
        assert isinstance(refused, Refused)
        assert refused.refusals[0].line is not None
        assert isinstance(await one.commit(refused.id, 2), Refused)
        assert (await one.status()).status.loaded_hash == before.loaded_hash
        assert (await ask(session, one.url)).status == 200


async def test_forced_rows_take_their_first_side_and_come_back(tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one, aiohttp.ClientSession() as session:
        text = config(up.url, {**NEW, ROW: "v2"})
        status = await one.boot(text)
        assert status.switches[ROW] == "v2"
        forced = await one.force(ROW)
        assert not forced.failures
        assert forced.status.switches[ROW] == "v1"
        assert forced.status.sources[ROW] == "force_stable"
        assert forced.status.effective_hash != status.effective_hash
        assert (await ask(session, one.url)).status == 200
        later = await one.apply(config(up.url, {**NEW, ROW: "v2"}, models=', "x"'), 2)
        assert later.switches[ROW] == "v1", "what is forced lies over what comes"
        freed = await one.force()
        assert freed.status.switches[ROW] == "v2"


async def test_the_kernel_that_runs_is_told_whatever_is_forced(tmp_path: Path) -> None:
    async with FakeUpstream() as up, worker(tmp_path) as one:
        await one.boot(config(up.url, {**NEW, ROW: "v2"}))
        forced = await one.force("appKernel")
        assert forced.status.switches["appKernel"] == "v2", "changing it takes a new worker"
        assert forced.status.switches[ROW] == "v1", "what depends on it can go at once"


async def test_the_sentinel_forces_without_the_supervisor(tmp_path: Path) -> None:
    run = tmp_path / "h" / "run"
    async with FakeUpstream() as up, worker(tmp_path) as one:
        await one.boot(config(up.url, {**NEW, ROW: "v2"}))
        (run / "force_stable").write_text("*")
        for _ in range(100):
            switches = (await one.status()).status.switches
            if switches[ROW] == "v1":
                break
            await asyncio.sleep(0.02)
        assert switches[ROW] == "v1"
        assert await one.stop() == 0
        log = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines()]
        assert any(entry["event"] == "sentinel.changed" for entry in log)
