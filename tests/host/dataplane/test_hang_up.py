# ruff: noqa: SIM117 - nesting shows what lives in what
"""The client leaves, in every phase: the upstream is let go, one record is written, nothing is tried again (MP-25)."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmswitch_core.canonical.model import Protocol
from tests.fake_upstream import ErrorStatus, FakeUpstream, Finish, Gate, Hang, Script, Text
from tests.host.dataplane.gateway import C, G, M, R, chat, compiled, host, provider, streamed
from tests.host.dataplane.raw import RawClient

pytestmark = pytest.mark.mp("MP-25")


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("phase", ["before the head", "before the first byte", "mid-stream"])
async def test_mp25_hanging_up_cancels_the_upstream(
    phase: str, stream: bool, how: str, up: FakeUpstream, second: FakeUpstream, tmp_path: Path
) -> None:
    steps = {
        "before the head": (Hang("head"), Text("never")),
        "before the first byte": (Hang("first_byte"), Text("never")),
        "mid-stream": (Text("some words"), Hang(), Finish()),
    }[phase]
    up.script(Script.of(*steps))
    specs = (provider("a", up.url), provider("b", second.url))
    async with host(compiled(tmp_path, specs)) as gateway:
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", chat(stream=stream))
            await up.wait_held()
            if stream and phase == "mid-stream":
                assert b"words" in await client.until(b"words")
            if how == "rst":
                client.reset()
            else:
                client.hang_up()
            await up.wait_disconnect(within=1.0)
            await up.wait_closed(within=1.0)
        (record,) = await gateway.settled(1)
    assert record.outcome == "client_cancel"
    assert (len(up.requests), len(second.requests)) == (1, 0)
    assert [attempt.code for attempt in record.attempts] == ["client_cancelled"]


@pytest.mark.parametrize("client_protocol", [C, R, M, G])
async def test_closing_right_after_the_terminal_event_is_success(
    client_protocol: Protocol, up: FakeUpstream, tmp_path: Path
) -> None:
    """Codex does so after every answer; here the upstream's connection is even kept open behind its last event."""
    up.script(Script.of(Text("done"), Finish()))
    terminal = {C: b"[DONE]", R: b"response.completed", M: b"message_stop", G: b"STOP"}[client_protocol]
    async with host(compiled(tmp_path, (provider("a", up.url, client_protocol),))) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(client_protocol)
            await client.post(path, body)
            assert terminal in await client.until(terminal)
            client.reset()
            (record,) = await gateway.settled(1)
    assert record.outcome == "ok"


async def test_hanging_up_while_waiting_to_ask_again_ends_the_request(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(ErrorStatus(429, headers=(("retry-after", "4"),)))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway, RawClient(gateway.port) as client:
        await client.post("/v1/chat/completions", chat())
        await up.wait_requests(1)
        await up.wait_idle()
        client.hang_up()
        (record,) = await gateway.settled(1)
    assert record.outcome == "client_cancel"
    assert len(up.requests) == 1


async def test_hanging_up_during_the_body_leaves_nothing_behind(up: FakeUpstream, tmp_path: Path) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", b'{"model":', length=1000)
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", chat())
            assert b"200 OK" in await client.until(b"\r\n")
        await gateway.settled(1)
    assert len(up.requests) == 1


async def test_a_cancelled_probe_gives_its_place_back(up: FakeUpstream, tmp_path: Path) -> None:
    """A target that was hung up on is as healthy as before."""
    up.script(Script.of(Gate(where="head"), Text("late")))
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", chat())
            await up.wait_held()
            client.hang_up()
            await up.wait_disconnect()
        await gateway.settled(1)
        (standing,) = gateway.gateway.overview.standings()
    assert standing.state == "healthy"
