"""Many streams, slow readers, many requests: nothing hangs and nothing is left over. Counted, not timed."""

from __future__ import annotations

import asyncio
import gc
import resource
from pathlib import Path

import aiohttp
import pytest

from routecodex.config.compiled import Limits, Timeouts
from tests.fake_upstream import FakeUpstream, Finish, Gate, Hang, Script, Text
from tests.host.dataplane.gateway import M, chat, compiled, host, leftovers, messages, open_descriptors, provider
from tests.host.dataplane.raw import RawClient


async def quiet(gateway_descriptors: int, within: float = 5.0) -> int:
    """Descriptors once they have come down to this number, or after a while."""
    async with asyncio.timeout(within + 1):
        for _ in range(int(within / 0.02)):
            gc.collect()
            if open_descriptors() <= gateway_descriptors:
                break
            await asyncio.sleep(0.02)
    return open_descriptors()


async def test_five_hundred_open_streams_all_end_whole(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    up.always(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
    try:
        # Client, gateway and upstream share one loop here: five hundred at once may take their time.
        patient = Timeouts(connect=60.0, first_byte=120.0, idle=120.0, total=300.0)
        async with host(compiled(tmp_path, (provider("a", up.url, timeouts=patient),))) as gateway:

            async def ask() -> bytes:
                async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=True)) as answer:
                    assert answer.status == 200
                    return await answer.read()

            asking = [asyncio.ensure_future(ask()) for _ in range(500)]
            await up.wait_held(500, within=120)
            assert gateway.gateway.flow.running == 500
            up.open_gate()
            answers = await asyncio.gather(*asking)
            records = await gateway.settled(500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(answer.endswith(b"data: [DONE]\n\n") and b"two" in answer for answer in answers)
    assert {record.outcome.value for record in records} == {"ok"}
    assert gateway.gateway.flow.running == 0


@pytest.mark.parametrize("leaving", ["whole", "hang up", "error"])
async def test_no_descriptor_and_no_task_is_left_over(leaving: str, up: FakeUpstream, tmp_path: Path) -> None:
    script = Script.of(Text("some words"), Hang()) if leaving == "hang up" else Script.of(Text("some words"))
    up.always(script)
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:

        async def once() -> None:
            async with RawClient(gateway.port) as client:
                body = b"{" if leaving == "error" else chat(stream=True)
                await client.post("/v1/chat/completions", body, "connection: close")
                if leaving == "hang up":
                    await client.until(b"words")
                else:
                    await client.rest()

        for _ in range(3):
            await once()
        await gateway.settled(3)
        await up.wait_idle()
        descriptors, tasks = leftovers()
        await asyncio.gather(*(once() for _ in range(40)))
        await gateway.settled(43)
        await up.wait_idle()
        kept_alive = up.connections_open * 2
        assert await quiet(descriptors + kept_alive) <= descriptors + kept_alive
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) <= tasks + 1


async def test_a_slow_reader_slows_its_upstream_and_no_memory_fills(up: FakeUpstream, tmp_path: Path) -> None:
    """16 MiB for a client that does not read: what is in between is bounded by buffers, not by the answer."""
    piece = "x" * 16_384
    up.script(Script.of(Text("", pieces=tuple([piece] * 1024)), Finish()))
    limits = Limits(write_buffer_bytes=64 * 1024)
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        async with RawClient(gateway.port, receive_buffer=16_384) as client:
            await client.post("/v1/chat/completions", chat(stream=True), "connection: close")
            await client.until(b"200 OK")
            previous = -1
            while up.last.written != previous:
                previous = up.last.written
                await asyncio.sleep(0.3)
            assert up.last.written < 12 * 1024 * 1024
            assert up.last.outcome == "open"
            rest = await client.rest(within=30)
        (record,) = await gateway.settled(1)
    assert rest.count(piece.encode()) >= 1000
    assert b"[DONE]" in rest
    assert record.outcome == "ok"


async def test_a_slow_reader_is_not_taken_for_a_silent_upstream(up: FakeUpstream, tmp_path: Path) -> None:
    """The idle time-out watches the upstream, not the client."""
    piece = "x" * 16_384
    up.script(Script.of(Text("", pieces=tuple([piece] * 1024)), Finish()))
    spec = provider("a", up.url, timeouts=Timeouts(2, 5, 0.2, 60))
    limits = Limits(write_buffer_bytes=64 * 1024)
    async with host(compiled(tmp_path, (spec,), limits=limits)) as gateway:
        async with RawClient(gateway.port, receive_buffer=16_384) as client:
            await client.post("/v1/chat/completions", chat(stream=True), "connection: close")
            await client.until(b"200 OK")
            await asyncio.sleep(1.0)
            assert b"[DONE]" in await client.rest(within=30)
        (record,) = await gateway.settled(1)
    assert record.outcome == "ok"


async def test_a_slow_reader_that_leaves_frees_the_upstream(up: FakeUpstream, tmp_path: Path) -> None:
    piece = "x" * 16_384
    up.script(Script.of(Text("", pieces=tuple([piece] * 2048)), Finish()))
    limits = Limits(write_buffer_bytes=64 * 1024)
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        async with RawClient(gateway.port, receive_buffer=16_384) as client:
            await client.post("/v1/chat/completions", chat(stream=True))
            await client.until(b"200 OK")
            await asyncio.sleep(0.3)
            client.reset()
            await up.wait_disconnect(within=1.5)
        (record,) = await gateway.settled(1)
    assert record.outcome == "client_cancel"


async def test_ten_thousand_requests_in_a_row_leave_memory_where_it_was(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Objects, not bytes: the process also holds the upstream, the client and the test."""
    async with host(compiled(tmp_path, (provider("a", up.url), provider("b", up.url, M)))) as gateway:

        async def ask(number: int) -> None:
            path, body = (
                ("/v1/messages", messages(stream=number % 4 == 1))
                if number % 2
                else ("/v1/chat/completions", chat(stream=number % 4 == 0))
            )
            async with http.post(gateway.url + path, json=body) as answer:
                assert answer.status == 200
                await answer.read()

        async def many(count: int) -> None:
            for begin in range(0, count, 50):
                await asyncio.gather(*(ask(number) for number in range(begin, begin + 50)))
            await gateway.settled()
            up.requests.clear()

        await many(2_000)
        gc.collect()
        before, descriptors = len(gc.get_objects()), open_descriptors()
        await many(8_000)
        gc.collect()
        after = len(gc.get_objects())
        assert after <= before * 1.10
        assert open_descriptors() <= descriptors + 4
        assert gateway.gateway.metrics.outcomes() == {"ok": 10_000}


async def test_stopping_lets_streams_finish(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with RawClient(gateway.port) as client, RawClient(gateway.port) as idle:
            await client.post("/v1/chat/completions", chat(stream=True))
            await client.until(b"one")
            gateway.server.should_exit = True
            assert await idle.rest() == b"", "idle connections are closed at once"
            with pytest.raises(ConnectionRefusedError):
                await RawClient(gateway.port).__aenter__()
            up.open_gate()
            assert b"[DONE]" in await client.rest()
        await gateway.task
        records = await gateway.settled(1)
    assert records[0].outcome == "ok"


@pytest.mark.mp("MP-14")
async def test_stopping_past_the_limit_ends_streams_with_an_error(up: FakeUpstream, tmp_path: Path) -> None:
    up.always(Script.of(Text("one"), Hang()))
    async with host(compiled(tmp_path, (provider("a", up.url), provider("b", up.url, M)), drain=0.1)) as gateway:
        async with RawClient(gateway.port) as first, RawClient(gateway.port) as second:
            await first.post("/v1/chat/completions", chat(stream=True))
            await second.post("/v1/messages", messages(stream=True))
            seen = [await first.until(b"one"), await second.until(b"one")]
            gateway.server.should_exit = True
            seen[0] += await first.rest()
            seen[1] += await second.rest()
        await gateway.task
        records = await gateway.settled(2)
    assert b"gateway_stopping" in seen[0]
    assert b"[DONE]" not in seen[0]
    assert b"event: error" in seen[1]
    assert b"message_stop" not in seen[1]
    assert {record.code for record in records} == {"gateway_stopping"}
    await up.wait_closed()
