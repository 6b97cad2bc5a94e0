# ruff: noqa: SIM117 - nesting shows what lives in what
"""The Responses WebSocket as Codex uses it: one connection, frames in, events out, a memory that ends with it."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ApiKey, Limits
from routecodex.config.secret import Secret
from tests.fake_upstream import ErrorStatus, FakeUpstream, Finish, Gate, Hang, Script, Text, ToolCall
from tests.host.dataplane.gateway import C, M, R, compiled, host, provider

CODEX = Path(__file__).parents[2] / "data" / "clients" / "codex"


def frame(text: str, **more: Any) -> dict[str, Any]:
    """A `response.create` frame as Codex sends it: nothing is to be stored."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return {"type": "response.create", "model": "fake-model", "store": False, "stream": True, "input": [item], **more}


async def events(socket: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    """The events of one answer, to its terminal one."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not seen or seen[-1]["type"] not in ("response.completed", "response.failed", "error"):
            seen.append(json.loads(await socket.receive_str()))
    return seen


@pytest.mark.parametrize("upstream", [R, C, M])
async def test_a_conversation_over_one_connection(
    upstream: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """`store: false` throughout, yet later frames hold only what is new."""
    up.script(Script.of(ToolCall("look", '{"at": "it"}'), Finish("tool")))
    up.script(Script.of(Text("I saw it"), Finish()))
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    async with host(compiled(tmp_path, (provider("a", up.url, upstream),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("please look", tools=tools))
            first = await events(socket)
            assert [event["sequence_number"] for event in first] == list(range(len(first)))
            made = first[-1]["response"]
            call = next(item for item in made["output"] if item["type"] == "function_call")
            result = {"type": "function_call_output", "call_id": call["call_id"], "output": "a thing"}
            await socket.send_json({**frame("", tools=tools), "input": [result], "previous_response_id": made["id"]})
            second = await events(socket)
        assert second[-1]["type"] == "response.completed"
        async with http.get(f"{gateway.url}/v1/responses/{made['id']}") as answer:
            assert answer.status == 404, "it was not to be stored"
        async with http.ws_connect(gateway.url + "/v1/responses") as other:
            await other.send_json(frame("go on", previous_response_id=made["id"]))
            (refused,) = await events(other)
    assert refused["status"] == 404
    assert refused["error"]["code"] == "previous_response_not_found"
    assert "please look" in up.last.text
    assert "a thing" in up.last.text
    assert not up.violations


async def test_a_frame_that_only_prepares_asks_nobody(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("the instructions", generate=False))
            prepared = (await events(socket))[-1]
            assert prepared["type"] == "response.completed"
            assert up.requests == []
            await socket.send_json(frame("the question", previous_response_id=prepared["response"]["id"]))
            assert (await events(socket))[-1]["type"] == "response.completed"
    assert "the instructions" in up.last.text
    assert "the question" in up.last.text


@pytest.mark.parametrize("upstream", [R, C, M])
async def test_codex_frames_pass(
    upstream: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The recorded first frame of a real Codex, over each protocol."""
    recorded = json.loads((CODEX / "016.json").read_text(encoding="utf-8"))
    recorded["model"] = "a.fake-model"
    async with host(compiled(tmp_path, (provider("a", up.url, upstream),))) as gateway:
        async with http.ws_connect(
            gateway.url + "/v1/responses", headers={"openai-beta": "responses_websockets=2026-02-06"}
        ) as socket:
            await socket.send_json({**recorded, "generate": False})
            prepared = (await events(socket))[-1]["response"]
            assert prepared["status"] == "completed"
            await socket.send_json({**recorded, "generate": True})
            last = (await events(socket))[-1]
    assert last["type"] == "response.completed", last
    assert len(up.requests) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("no json", "invalid_json"),
        ("[]", "invalid_type"),
        ('{"type":"session.update"}', "unsupported_frame"),
        ('{"type":"response.create","model":"fake-model","input":5}', None),
    ],
)
async def test_a_frame_that_makes_no_sense_does_not_end_the_connection(
    sent: str, code: str | None, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_str(sent)
            (refused,) = await events(socket)
            assert refused["status"] == 400
            assert code is None or refused["error"]["code"] == code
            await socket.send_json(frame("now right"))
            assert (await events(socket))[-1]["type"] == "response.completed"


async def test_an_upstream_failure_is_an_error_frame_with_its_status(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(ErrorStatus(429, "slow down", headers=(("retry-after", "30"),)))
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("x"))
            (refused,) = await events(socket)
    assert refused["type"] == "error"
    assert refused["status"] == 429
    assert refused["headers"]["retry-after"] == "30"
    assert "slow down" in refused["error"]["message"]


async def test_frames_sent_ahead_are_answered_in_order(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            for number in range(5):
                up.script(Script.of(Text(f"answer {number}")))
                await socket.send_json(frame(f"question {number}"))
            answers = [(await events(socket))[-1]["response"] for _ in range(5)]
    texts = [answer["output"][0]["content"][0]["text"] for answer in answers]
    assert texts == [f"answer {number}" for number in range(5)]
    for earlier, later in itertools.pairwise(up.requests):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= later.started_at


@pytest.mark.mp("MP-25")
async def test_mp25_leaving_cancels_the_upstream(up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    up.script(Script.of(Text("some words"), Hang()))
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        socket = await http.ws_connect(gateway.url + "/v1/responses")
        await socket.send_json(frame("x"))
        await up.wait_held()
        await socket.close()
        await up.wait_disconnect(within=1.0)
        (record,) = await gateway.settled(1)
    assert record.outcome == "client_cancel"


async def test_leaving_right_after_the_terminal_event_is_success(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, R),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("x"))
            await events(socket)
        (record,) = await gateway.settled(1)
    assert record.outcome == "ok"


@pytest.mark.mp("MP-26")
async def test_mp26_keepalives_are_real_events_here_too(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.script(Script.of(Gate(where="head"), Text("at last")))
    config = compiled(tmp_path, (provider("a", up.url, C),), head_wait=0.02, keepalive=0.02)
    async with host(config) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("x"))
            for wanted in ("response.created", "response.in_progress", "response.in_progress"):
                assert json.loads(await socket.receive_str())["type"] == wanted
            up.open_gate()
            assert (await events(socket))[-1]["type"] == "response.completed"


async def test_keys_hosts_and_numbers_hold_for_connections_too(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(
        tmp_path,
        (provider("a", up.url, C),),
        api_keys=(ApiKey("alice", Secret("key-of-alice", "${A}")),),
        limits=Limits(max_websocket_connections=1),
    )
    async with host(config) as gateway:
        url = gateway.url + "/v1/responses"
        key = {"authorization": "Bearer key-of-alice"}
        for headers, status in (
            ({}, 401),
            ({**key, "host": "evil.example"}, 403),
            ({**key, "origin": "https://evil.example"}, 403),
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url, headers=headers)
            assert refused.value.status == status
        async with http.ws_connect(url, headers=key) as socket:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url, headers=key)
            assert refused.value.status == 503
            await socket.send_json(frame("x"))
            assert (await events(socket))[-1]["type"] == "response.completed"
        assert gateway.records[-1].account == "alice"


async def test_stopping_lets_an_answer_finish(up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    up.script(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.ws_connect(gateway.url + "/v1/responses") as socket:
            await socket.send_json(frame("x"))
            await up.wait_held()
            gateway.server.should_exit = True
            await asyncio.sleep(0.2)
            up.open_gate()
            assert (await events(socket))[-1]["type"] == "response.completed"
        await gateway.task
