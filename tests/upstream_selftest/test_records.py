"""What the fake upstream remembers: requests as received, disconnects, reuse, and nothing left over."""

from __future__ import annotations

import asyncio
import gzip
import json

import openai
import pytest
from tests.fake_upstream import FakeUpstream, Gate, Hang, Slow, Text, ThreadedUpstream
from tests.upstream_selftest.raw import CHAT, chat, post, request_bytes


async def _open(up: FakeUpstream, body: dict[str, object]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(up.host, up.port)
    writer.write(request_bytes(CHAT, body, close=False))
    return reader, writer


async def test_a_request_is_recorded_as_received() -> None:
    async with FakeUpstream() as up:
        raw = b'{ "model": "m","messages":[{"role":"user","content":"x"}], "zz":1 }'
        await post(up.url, CHAT + "?api-version=3&e=", raw, {"X-Odd-Case": "A b"})
        seen = up.last
        assert (seen.method, seen.path, seen.query) == ("POST", CHAT, {"api-version": "3", "e": ""})
        assert seen.raw == raw
        assert seen.body["zz"] == 1
        assert ("X-Odd-Case", "A b") in seen.headers
        assert seen.header("x-odd-case") == "A b"
        assert (seen.protocol, seen.operation, seen.model) == ("openai-chat", "generate", "m")


async def test_an_encoded_request_body_is_decoded_but_kept_raw() -> None:
    async with FakeUpstream() as up:
        raw = gzip.compress(json.dumps(chat()).encode())
        await post(up.url, CHAT, raw, {"content-encoding": "gzip"})
        assert up.last.raw == raw
        assert up.last.body["model"] == "m"


async def test_prefixes_of_azure_and_vertex_are_routed() -> None:
    async with FakeUpstream() as up:
        await post(up.url, "/openai/deployments/d/chat/completions?api-version=1", chat())
        base = "/v1/projects/p/locations/l/publishers"
        await post(
            up.url,
            f"{base}/google/models/gemini-2.5-pro:generateContent",
            {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
        )
        await post(
            up.url,
            f"{base}/anthropic/models/claude-x:streamRawPredict",
            {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "messages": chat()["messages"]},
        )
        assert [(r.protocol, r.model, r.status) for r in up.requests] == [
            ("openai-chat", "m", 200),
            ("gemini", "gemini-2.5-pro", 200),
            ("anthropic-messages", "claude-x", 200),
        ]
        assert up.last.stream


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        ((Hang("head"),), "received"),
        ((Hang("first_byte"), Text("x")), "head"),
        ((Text("x"), Hang()), "body"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_disconnect_is_seen_where_it_happened(steps: tuple, stage: str, stream: bool) -> None:  # type: ignore[type-arg]
    async with FakeUpstream() as up:
        up.script(*steps)
        _, writer = await _open(up, chat(stream=stream))
        wanted = stage if stream or stage != "body" else "head"
        await up.wait_held(1, "hang")
        assert up.last.stage == wanted
        writer.transport.abort()
        await up.wait_disconnect(1)
        assert up.last.client_gone
        assert up.last.stage == wanted
        await up.wait_closed()
        assert up.in_flight == 0


async def test_a_stale_connection_is_dropped_before_any_byte() -> None:
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k", max_retries=1) as c:
        for _ in range(2):
            await c.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        up.drop_reused()
        await c.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        assert [(r.connection, r.outcome) for r in up.requests] == [
            (0, "complete"),
            (0, "complete"),
            (0, "dropped"),
            (1, "complete"),
        ]


async def test_idle_connections_can_be_closed_and_all_killed() -> None:
    async with FakeUpstream() as up:
        up.script(Text("quick"))
        idle_reader, idle_writer = await _open(up, chat())
        await up.wait_requests(1)
        await up.wait_idle()
        up.script(Text("x"), Gate())
        busy_reader, busy_writer = await _open(up, chat())
        await up.wait_held(1, "gate")
        assert up.connections_open == 2
        assert up.close_idle() == 1
        assert (await idle_reader.read(-1)).endswith(b"0\r\n\r\n")
        assert up.kill() == 1
        with pytest.raises(ConnectionResetError):
            await busy_reader.read(-1)
        await up.wait_closed()
        assert up.last.outcome == "cut"
        idle_writer.close()
        busy_writer.close()


async def test_stopping_ends_hanging_answers_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with FakeUpstream() as up:
        up.always(Text("x"), Hang())
        opened = [await _open(up, chat()) for _ in range(20)]
        await up.wait_held(20)
    assert up.connections_open == 0
    assert asyncio.all_tasks() == before
    for _, writer in opened:
        writer.close()


async def test_a_slow_head_comes_late_and_waiters_tell_what_they_saw() -> None:
    async with FakeUpstream() as up:
        up.script(Slow(0.01, "head"), Slow(0.01, "first_byte"), Slow(0.001, "between"), Text("x"))
        assert (await post(up.url, CHAT, chat())).ended_well
        with pytest.raises(AssertionError, match=r"2 requests; seen: .*complete"):
            await up.wait_requests(2, within=0.01)


def test_the_threaded_upstream_serves_sync_tests() -> None:
    with ThreadedUpstream() as up, openai.OpenAI(base_url=up.url + "/v1", api_key="k") as client:
        up.script(Text("from a thread"))
        done = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        assert done.choices[0].message.content == "from a thread"
        up.wait_requests(1)
        up.wait_idle()
        assert up.last.outcome == "complete"
        assert up.violations == []
