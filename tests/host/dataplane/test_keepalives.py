# ruff: noqa: SIM117 - nesting shows what lives in what
"""A slow upstream and a waiting client (MP-26): head, keepalives, and the time-outs they must not touch."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import Timeouts
from tests.fake_upstream import Delivery, ErrorStatus, FakeUpstream, Finish, Gate, Hang, MidStreamError, Script, Text
from tests.host.dataplane.gateway import C, G, M, R, chat, compiled, host, provider, streamed
from tests.host.dataplane.raw import RawClient

pytestmark = pytest.mark.mp("MP-26")

BEAT = {C: b'"delta":{', R: b"response.", M: b"event: ping"}


@pytest.mark.parametrize("client_protocol", [C, R, M])
@pytest.mark.parametrize("upstream_protocol", [C, M])
async def test_mp26_the_client_is_kept_alive_until_the_upstream_speaks(
    client_protocol: Protocol, upstream_protocol: Protocol, up: FakeUpstream, tmp_path: Path
) -> None:
    up.script(Script.of(Gate(where="head"), Text("at last"), Finish()))
    config = compiled(tmp_path, (provider("a", up.url, upstream_protocol),), head_wait=0.02, keepalive=0.02)
    async with host(config) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(client_protocol)
            await client.post(path, body, "connection: close")
            seen = await client.until(BEAT[client_protocol])
            assert b"200 OK" in seen
            while seen.count(BEAT[client_protocol]) < 3:
                seen += await client.until(BEAT[client_protocol])
            up.open_gate()
            text = (seen + await client.rest()).decode()
        (record,) = await gateway.settled(1)
    assert "at last" in text
    assert record.outcome == "ok"
    lines = [line for line in text.splitlines() if line.startswith(":")]
    assert lines == [], "keepalives are events, not comments"
    if client_protocol is C:
        ids = {json.loads(line[6:])["id"] for line in text.splitlines() if line.startswith('data: {"')}
        assert len(ids) == 1, "ids of keepalives stay for the answer"
        assert text.count('"role":"assistant"') == 1
    if client_protocol is R:
        numbers = [json.loads(line[6:])["sequence_number"] for line in text.splitlines() if line.startswith('data: {"')]
        assert numbers == list(range(len(numbers)))
        assert text.count("event: response.created") == 1
    if client_protocol is M:
        assert text.count("event: message_start") == 1


async def test_mp26_gemini_gets_its_head_and_no_comments(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(Script.of(Gate(where="head"), Text("at last"), Finish()))
    config = compiled(tmp_path, (provider("a", up.url, G),), head_wait=0.02, keepalive=0.02)
    async with host(config) as gateway, RawClient(gateway.port) as client:
        path, body = streamed(G)
        await client.post(path, body, "connection: close")
        seen = await client.until(b"\r\n\r\n")
        assert b"200 OK" in seen
        up.open_gate()
        text = (seen + await client.rest()).decode()
    assert "at last" in text
    assert not [line for line in text.splitlines() if line.startswith(":")]


async def test_mp26_a_silent_middle_is_bridged(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(Script.of(Text("first"), Gate(), Text(" second"), Finish()))
    async with host(compiled(tmp_path, (provider("a", up.url, M),), keepalive=0.03)) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(M)
            await client.post(path, body, "connection: close")
            seen = await client.until(b"first")
            seen += await client.until(b"event: ping")
            up.open_gate()
            text = (seen + await client.rest()).decode()
    # The vendor itself sends one before the first word.
    assert text.index("first") < text.rindex("event: ping") < text.index("second") < text.index("message_stop")


async def test_mp26_keepalives_do_not_prolong_the_idle_time_out(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(Script.of(Text("first"), Hang()))
    spec = provider("a", up.url, M, timeouts=Timeouts(connect=2, first_byte=5, idle=0.3, total=30))
    async with host(compiled(tmp_path, (spec,), keepalive=0.03)) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(M)
            await client.post(path, body, "connection: close")
            text = (await client.rest()).decode()
        (record,) = await gateway.settled(1)
    assert text.count("event: ping") >= 3
    assert "event: error" in text
    assert record.code == "idle_timeout"
    assert record.outcome == "timeout"
    await up.wait_closed()


async def test_mp26_keepalives_do_not_prolong_the_first_byte_time_out(up: FakeUpstream, tmp_path: Path) -> None:
    up.script(Script.of(Hang("head"), Text("never")))
    spec = provider("a", up.url, M, timeouts=Timeouts(connect=2, first_byte=0.3, idle=5, total=30))
    async with host(compiled(tmp_path, (spec,), head_wait=0.03, keepalive=0.03)) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(M)
            await client.post(path, body, "connection: close")
            text = (await client.rest()).decode()
        (record,) = await gateway.settled(1)
    assert "event: error" in text
    assert record.code == "first_byte_timeout"
    await up.wait_closed()


async def test_total_time_out_ends_even_a_talking_upstream(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(Text("word " * 400, size=5), Hang()))
    spec = provider("a", up.url, C, timeouts=Timeouts(connect=2, first_byte=5, idle=5, total=0.3))
    async with host(compiled(tmp_path, (spec,))) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", json=chat(stream=True)) as answer:
            text = await answer.text()
        (record,) = await gateway.settled(1)
    assert "[DONE]" not in text
    assert "error" in text
    assert record.code == "total_timeout"
    await up.wait_closed()


@pytest.mark.parametrize("client_protocol", [C, R, M, G])
async def test_a_request_that_does_not_stream_keeps_its_true_status(
    client_protocol: Protocol, up: FakeUpstream, tmp_path: Path
) -> None:
    """No keepalive, so nothing is promised before the answer is known."""
    up.script(Script.of(Gate(where="head"), ErrorStatus(503, "out of order")))
    config = compiled(tmp_path, (provider("a", up.url),), head_wait=0.01, keepalive=0.01)
    path, body = {
        C: ("/v1/chat/completions", chat()),
        R: ("/v1/responses", {"model": "fake-model", "input": "hi"}),
        M: ("/v1/messages", {"model": "fake-model", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
        G: ("/v1beta/models/fake-model:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
    }[client_protocol]
    async with host(config) as gateway, RawClient(gateway.port) as client:
        await client.post(path, body, "connection: close")
        await up.wait_held()
        with pytest.raises(TimeoutError):
            await client.until(b"HTTP", within=0.15)
        up.open_gate()
        head = await client.until(b"\r\n")
    assert head.split(b" ")[1] == (b"529" if client_protocol is M else b"503")


async def test_failing_over_after_the_head_went_out_is_seamless(
    up: FakeUpstream, second: FakeUpstream, tmp_path: Path
) -> None:
    """Keepalives are no content: another attempt may still answer, and the openers come once."""
    up.script(Script.of(Gate(where="head"), ErrorStatus(500)))
    specs = (provider("a", up.url, M), provider("b", second.url, M))
    async with host(compiled(tmp_path, specs, head_wait=0.02, keepalive=0.02)) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(M)
            await client.post(path, body, "connection: close")
            seen = await client.until(b"event: ping")
            up.open_gate()
            text = (seen + await client.rest()).decode()
        (record,) = await gateway.settled(1)
    assert text.count("event: message_start") == 1
    assert text.count("event: message_stop") == 1
    assert "Hello" in text
    assert len(record.attempts) == 2


@pytest.mark.parametrize("fails", [False, True], ids=["the first answers", "the second answers"])
@pytest.mark.parametrize("protocol", [C, R, M])
async def test_a_head_that_cannot_wait_names_no_target(
    protocol: Protocol, fails: bool, up: FakeUpstream, second: FakeUpstream, tmp_path: Path
) -> None:
    """After `headWait` it goes out while the attempt may still fail; the record says who answered."""
    after = MidStreamError(500, "lost it") if fails else Text("at last")
    limits = Delivery(headers=(("x-ratelimit-remaining-requests", "7"),))
    up.script(Script.of(Text(""), Gate(), after, Finish(), delivery=limits))
    specs = (provider("a", up.url, protocol), provider("b", second.url, protocol))
    async with host(compiled(tmp_path, specs, head_wait=0.05, keepalive=0)) as gateway:
        async with RawClient(gateway.port) as client:
            path, body = streamed(protocol)
            await client.post(path, body, "connection: close")
            await up.wait_held()
            head = await client.until(b"\r\n\r\n")
            assert b"200 OK" in head
            assert b"x-routecodex-request-id" in head
            assert b"x-routecodex-target" not in head
            assert b"x-ratelimit" not in head
            up.open_gate()
            text = (await client.rest()).decode()
        (record,) = await gateway.settled(1)
    assert record.request_id.encode() in head
    assert record.provider_key == ("b.main.fake-model" if fails else "a.main.fake-model")
    assert ("Hello" if fails else "at last") in text


async def test_mp26_an_upstream_that_spoke_holds_the_head_no_longer_than_a_keepalive(
    up: FakeUpstream, tmp_path: Path
) -> None:
    """A head wait longer than the keepalive is for upstreams that say nothing at all."""
    up.script(Script.of(Text(""), Gate(), Text("at last"), Finish()))
    config = compiled(tmp_path, (provider("a", up.url, M),), head_wait=30, keepalive=0.3)
    async with host(config) as gateway, RawClient(gateway.port) as client:
        path, body = streamed(M)
        await client.post(path, body, "connection: close")
        seen = await client.until(b"event: ping")
        up.open_gate()
        text = (seen + await client.rest()).decode()
    assert text.index("event: ping") < text.index("at last")
