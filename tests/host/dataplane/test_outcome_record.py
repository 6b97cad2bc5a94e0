"""One record per request that says whose failure it was: the members phase 0 asks for, each class, each layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from routecodex.app.switches import SwitchVector
from routecodex.blocks.telemetry import OutcomeClass
from tests.fake_upstream import (
    Cut,
    ErrorStatus,
    FakeUpstream,
    Finish,
    Script,
    Text,
    ToolCall,
)
from tests.host.dataplane.gateway import C, M, compiled, host, messages, provider
from tests.sides import chosen

WEATHER = {"name": "weather", "description": "w", "input_schema": {"type": "object", "properties": {}}}


def asked(**more: Any) -> dict[str, Any]:
    return messages("weather?", tools=[WEATHER], **more)


async def test_a_translated_request_leaves_every_member_of_the_baseline(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path, adapter: str
) -> None:
    up.script(Script.of(ToolCall("weather", '{"city": "Bern"}'), Finish("tool")))
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        headers = {"x-routecodex-conversation": "talk-1"}
        async with http.post(gateway.url + "/v1/messages", json=asked(stream=True), headers=headers) as answer:
            request_id = answer.headers["x-routecodex-request-id"]
            await answer.read()
        (record,) = await gateway.settled(1)
        log = gateway.log
        gateway.gateway.telemetry.log.flush()

    assert record.request_id == request_id
    assert record.conversation
    assert (record.route, record.provider_key) == ("default", "a.main.fake-model")
    assert (record.inbound, record.outbound) == ("anthropic-messages", "openai-chat")
    assert (record.outcome, record.layer, record.pairing, record.tool_calls) == ("ok", "", "kept", 1)
    assert 0 < record.overhead_ms <= record.ttft_ms <= record.total_ms
    assert record.generation
    over = {**chosen(), "hostBlocks.httpAdapter": adapter}
    assert set(record.switches.split()) == {f"{key}={value}" for key, value in over.items() if value != "v1"}
    written = [json.loads(line) for line in log.getvalue().splitlines() if '"request"' in line]
    assert written[-1]["pairing"] == "kept"


async def test_a_clients_own_broken_history_is_told_from_a_break_of_ours(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    body = asked()
    body["messages"] = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]},
        {"role": "user", "content": "never mind"},
    ]
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.post(gateway.url + "/v1/messages", json=body) as answer:
            assert answer.status == 200, await answer.text()
        (record,) = await gateway.settled(1)

    assert (record.outcome, record.pairing, record.introduced) == ("ok", "inherited", ())


async def test_what_never_got_a_plan_has_no_pairing(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with host(compiled(tmp_path, (provider("a", "http://127.0.0.1:9"),))) as gateway:
        async with http.post(
            gateway.url + "/v1/messages", data=b"{", headers={"content-type": "application/json"}
        ) as answer:
            assert answer.status == 400
        (record,) = await gateway.settled(1)

    assert (record.outcome, record.layer, record.pairing) == ("client_fault", "client", "")


def test_switches_away_from_their_default_are_told_in_a_few_words() -> None:
    vector = SwitchVector(control_bus="v2", control_ws_allow=("alice", "dev"), control_ws_enabled=True)

    assert vector.brief() == 'controlBus=v2 controlWs.enabled=true controlWs.allow=["alice", "dev"]'
    assert SwitchVector().brief() == ""


FAILURES = [
    (ErrorStatus(500), OutcomeClass.UPSTREAM_FAULT, "upstream"),
    (ErrorStatus(429, headers=(("retry-after", "60"),)), OutcomeClass.THROTTLED, "upstream"),
    (ErrorStatus(401), OutcomeClass.AUTH, "upstream"),
    (ErrorStatus(400), OutcomeClass.CLIENT_FAULT, "upstream"),
    (Script.of(Text("a longer text than that"), Cut(after_bytes=60)), OutcomeClass.TRUNCATED_STREAM, "provider"),
]


@pytest.mark.parametrize(("failure", "expected", "layer"), FAILURES, ids=lambda each: str(each)[:40])
async def test_a_failure_is_one_class_and_one_layer(
    failure: Any, expected: OutcomeClass, layer: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    for _ in range(3):
        up.script(failure)
    async with host(compiled(tmp_path, (provider("a", up.url, M),))) as gateway:
        async with http.post(gateway.url + "/v1/messages", json=messages(stream=True)) as answer:
            await answer.read()
        (record,) = await gateway.settled(1)

    assert (record.outcome, record.layer) == (expected, layer)
    assert record.code
    assert record.message
