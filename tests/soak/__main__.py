"""`nox -s soak -- switches`: 100 streams stay open while every hot and drain switch goes back and forth under load.

A whole gateway as people start it: supervisor, worker, control over HTTP. Printed, and failed on: streams that broke or
came in another generation than they began in, refused or wrong short requests, flips that were not done, memory that
did not come back to within a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from routecodex.app.switches import SWITCHES
from tests.fake_upstream import FakeUpstream, Finish, Gate, Script, Slow, Text

MEMORY: Final = 0.10
"""How far the worker's memory may be from where it began, as a share."""
PIECES: Final = 400
BEAT: Final = 0.25
"""Seconds between two pieces of a stream."""

CONFIG: Final = """
[server]
port = 0
accessLog = false

[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl = "{url}/v1"
keys = {{ main = "${{ACME_API_KEY}}" }}
models = ["long", "short"]
maxConnections = 512

[virtualrouter.routing]
default = ["acme.short"]

[architecture]
appKernel = "v2"
"""


@dataclass
class Tally:
    """What happened."""

    flips: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    short: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    broken: list[str] = field(default_factory=list)


class Gateway:
    """A started gateway: where it is, what its worker weighs, how it is told things."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._headers = {"authorization": f"Bearer {token}"}
        self._session = session

    async def status(self) -> dict[str, Any]:
        return dict((await self._told("GET", "/daemon/status"))[1]["result"])

    async def set(self, key: str, value: str) -> tuple[int, dict[str, Any]]:
        return await self._told("PUT", f"/daemon/switches/{key}", {"value": value})

    async def _told(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        async with self._session.request(method, self.url + path, json=body, headers=self._headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def memory(self) -> int:
        """Resident bytes of all workers."""
        return sum(_resident(int(one["pid"])) for one in (await self.status())["workers"])


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def started(folder: Path, upstream: str) -> AsyncIterator[Gateway]:
    """`routecodex start`, until the block ends."""
    file = folder / "config.toml"
    file.write_text(CONFIG.format(url=upstream))
    home = folder / "home"
    environ = {**os.environ, "ACME_API_KEY": "k", "HOME": str(folder), "ROUTECODEX_HOME": str(home)}
    command = [sys.executable, "-m", "routecodex.cli", "start", "--config", str(file), "--json"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=log
        )
        try:
            assert process.stdout is not None
            told = b""
            while not told.endswith(b"}\n"):
                line = await process.stdout.readline()
                if not line:
                    raise RuntimeError("The gateway did not start:\n" + (folder / "log").read_text()[-2000:])
                told += line
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                url = json.loads(told)["url"]
                while not await _ready(session, url):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.05)
                token = (home / "run" / "admin-token").read_text().strip()
                yield Gateway(url, token, session)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()


async def _ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url + "/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def rows() -> list[str]:
    """Every switch that can be flipped while requests run."""
    return [row.key for row in SWITCHES if row.has_both_sides and row.effect in ("hot", "drain")]


async def long_stream(
    session: aiohttp.ClientSession, url: str, number: int, opened: asyncio.Semaphore, tally: Tally
) -> None:
    """One stream, from its first byte to its last: every piece in order, a clean end."""
    body = {"model": "acme.long", "stream": True, "messages": [{"role": "user", "content": str(number)}]}
    text, ended = "", False
    try:
        async with session.post(url + "/v1/chat/completions", json=body, timeout=_PATIENT) as answer:
            if answer.status != 200:
                tally.broken.append(f"stream {number}: status {answer.status}")
                opened.release()
                return
            first = True
            async for line in answer.content:
                if first:
                    first = False
                    opened.release()
                if line.startswith(b"data: {"):
                    delta = json.loads(line[6:])["choices"]
                    text += (delta[0]["delta"].get("content") or "") if delta else ""
                ended = ended or line.startswith(b"data: [DONE]")
        if not ended:
            tally.broken.append(f"stream {number}: no end")
        elif text != _SAID:
            tally.broken.append(f"stream {number}: pieces are missing or out of order ({len(text)} of {len(_SAID)})")
        else:
            tally.whole += 1
    except (aiohttp.ClientError, TimeoutError) as error:
        tally.broken.append(f"stream {number}: {type(error).__name__} {error}")


_PATIENT: Final = aiohttp.ClientTimeout(total=None, sock_read=60)
_SAID: Final = "".join(f"{n} " for n in range(PIECES)) + "end"


async def load(session: aiohttp.ClientSession, url: str, done: asyncio.Event, tally: Tally) -> None:
    """Short requests, one after another."""
    body = {"model": "acme.short", "messages": [{"role": "user", "content": "hi"}]}
    while not done.is_set():
        try:
            async with session.post(url + "/v1/chat/completions", json=body) as answer:
                await answer.read()
                tally.short[str(answer.status)] += 1
        except aiohttp.ClientError as error:
            tally.short[type(error).__name__] += 1


async def flip(gateway: Gateway, key: str, times: int, tally: Tally) -> list[float]:
    """Back and forth; how long each took, seconds."""
    took = []
    for n in range(2 * times):
        value = ("v2", "v1")[n % 2]
        since = time.perf_counter()
        status, receipt = await gateway.set(key, value)
        took.append(time.perf_counter() - since)
        if status == 200 and receipt["state"] == "done":
            tally.flips[key] += 1
        else:
            tally.refused.append(f"{key} = {value}: {receipt.get('reason', status)}")
    return took


async def switches(streams: int, times: int) -> int:
    """The soak; the exit code."""
    tally = Tally()
    keys = rows()
    with tempfile.TemporaryDirectory(prefix="routecodex-soak-") as name:
        async with FakeUpstream() as up, started(Path(name), up.url) as gateway:
            steps: list[Any] = []
            for n in range(PIECES):
                steps += [Text(f"{n} ", pieces=(f"{n} ",)), Slow(BEAT)]
            up.script(Script.of(*steps, Gate(), Text("end"), Finish()), model="long", times=streams)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                await _warm(session, gateway, keys, streams)
                before = await gateway.memory()
                opened = asyncio.Semaphore(0)
                running = [
                    asyncio.create_task(long_stream(session, gateway.url, n, opened, tally)) for n in range(streams)
                ]
                for _ in range(streams):
                    await opened.acquire()
                print(f"{streams} streams open; memory {_mib(before)} before them", flush=True)
                done = asyncio.Event()
                loading = [asyncio.create_task(load(session, gateway.url, done, tally)) for _ in range(4)]
                for key in keys:
                    took = sorted(await flip(gateway, key, times, tally))
                    print(
                        f"{key}: {tally.flips[key]} of {2 * times} flips done, "
                        f"median {took[len(took) // 2] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms",
                        flush=True,
                    )
                alive = sum(not task.done() for task in running)
                print(f"{alive} of {streams} streams still open after the last flip", flush=True)
                up.open_gate()
                await asyncio.gather(*running)
                done.set()
                await asyncio.gather(*loading)
                after, generations = await _settled(gateway, before)
    return _judged(tally, keys, streams, times, alive, before, after, generations)


async def _warm(session: aiohttp.ClientSession, gateway: Gateway, keys: list[str], streams: int) -> None:
    """What a gateway takes once and for all is taken: code, caches, both sides' pools, room for as many requests."""
    tally = Tally()
    for _ in range(3):
        done = asyncio.Event()
        loading = [asyncio.create_task(load(session, gateway.url, done, tally)) for _ in range(streams)]
        for key in keys:
            await flip(gateway, key, 5, tally)
        await asyncio.sleep(1)
        done.set()
        await asyncio.gather(*loading)


async def _settled(gateway: Gateway, before: int) -> tuple[int, int]:
    """Memory and generations once closed ones are gone; the allocator gets a moment to give back."""
    gc.collect()
    after = 0
    generations = 0
    for _ in range(60):
        status = await gateway.status()
        generations = sum(len(one["status"]["generations"]) for one in status["workers"])
        after = await gateway.memory()
        if generations == len(status["workers"]) and after <= before * (1 + MEMORY):
            break
        await asyncio.sleep(0.5)
    return after, generations


def _judged(
    tally: Tally, keys: list[str], streams: int, times: int, alive: int, before: int, after: int, generations: int
) -> int:
    wrong = {status: count for status, count in tally.short.items() if status != "200"}
    asked = sum(tally.short.values())
    print(f"streams whole: {tally.whole} of {streams}; short requests: {asked}, not 200: {wrong or 0}")
    print(f"generations left: {generations}; memory {_mib(before)} → {_mib(after)} ({after / before - 1:+.1%})")
    faults = [*tally.broken[:10], *tally.refused[:10]]
    if not keys:
        faults.append("there is no switch with two sides to flip")
    if alive < streams:
        faults.append(f"{streams - alive} streams ended before the flips did: make them longer")
    if wrong or not tally.short["200"]:
        faults.append(f"short requests: {dict(tally.short)}")
    if generations != 1:
        faults.append(f"{generations} generations are left")
    if after > before * (1 + MEMORY):
        faults.append(f"memory grew by more than {MEMORY:.0%}")
    if any(tally.flips[key] != 2 * times for key in keys):
        faults.append("not every flip was done")
    for fault in faults:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("what", choices=["switches"])
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--times", type=int, default=50, help="how often each switch goes there and back")
    options = parser.parse_args()
    return asyncio.run(switches(options.streams, options.times))


if __name__ == "__main__":
    sys.exit(main())
