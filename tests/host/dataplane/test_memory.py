"""The process keeps its size: resident memory of a real gateway over ten thousand requests and many streams."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from pathlib import Path

import aiohttp

from tests.fake_upstream import Script, Text, ThreadedUpstream
from tests.host.dataplane.test_boot import started

WARM_UP = 3_000
REQUESTS = 10_000
AT_ONCE = 24


def resident_kib(pid: int) -> int:
    """Resident memory as the operating system counts it; `ps` knows it on Linux and macOS alike."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, encoding="utf-8", check=True)
    return int(done.stdout)


async def send(url: str, count: int) -> int:
    """`count` requests, every tenth a stream in another dialect; how many were answered whole."""
    whole = 0
    todo = iter(range(count))

    async def worker(http: aiohttp.ClientSession) -> None:
        nonlocal whole
        for number in todo:
            stream = number % 10 == 0
            path = "/v1/messages" if stream else "/v1/chat/completions"
            body = {"model": "fake-model", "max_tokens": 64, "messages": [{"role": "user", "content": f"hi {number}"}]}
            async with http.post(url + path, json={**body, "stream": stream}) as answer:
                text = await answer.text()
                if answer.status == 200 and "steady" in text and (not stream or "message_stop" in text):
                    whole += 1

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker(http))
    return whole


def test_memory_stays_within_a_tenth_of_its_level_over_ten_thousand_requests(tmp_path: Path) -> None:
    with ThreadedUpstream() as up:
        up.do(lambda: up.upstream.always(Script.of(Text("steady"))))
        with started(tmp_path, up.url) as (process, url):
            assert process.stderr is not None
            threading.Thread(target=process.stderr.read, daemon=True).start()
            assert asyncio.run(send(url, WARM_UP)) == WARM_UP
            up.do(up.upstream.clear)
            before = resident_kib(process.pid)
            assert asyncio.run(send(url, REQUESTS)) == REQUESTS
            after = resident_kib(process.pid)
    assert after <= before * 1.10, f"{before} KiB after warm-up, {after} KiB after {REQUESTS} requests"
