"""Who may ask: keys, the admin token, hosts and origins."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import aiohttp
import msgspec
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ApiKey, TelemetrySettings
from routecodex.config.secret import Secret
from tests.fake_upstream import FakeUpstream
from tests.host.dataplane.gateway import REQUESTS, C, G, M, R, chat, compiled, host, provider


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


KEYS = (ApiKey("alice", Secret("key-of-alice", "${A}")), ApiKey("bob", Secret("key-of-bob", "${B}")))
CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Bearer key-of-bob"}, ""),
        ({"authorization": "bearer key-of-bob"}, ""),
        ({"x-api-key": "key-of-bob"}, ""),
        ({"x-goog-api-key": "key-of-bob"}, ""),
        ({"api-key": "key-of-bob"}, ""),
        ({}, "?key=key-of-bob"),
        ({}, "?alt=sse&key=key%2Dof-bob"),
    ],
)
async def test_a_key_is_accepted_wherever_a_client_puts_it(
    headers: dict[str, str], query: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),), api_keys=KEYS)) as gateway:
        async with http.post(gateway.url + CHAT + query, json=chat(), headers=headers) as answer:
            assert answer.status == 200
        (record,) = await gateway.settled(1)
    assert record.account == "bob"
    assert "key-of-bob" not in gateway.log.getvalue()


@pytest.mark.parametrize("protocol", [C, R, M, G])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic key-of-bob"}])
async def test_without_a_known_key_nothing_is_sent(
    protocol: Protocol, headers: dict[str, str], up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),), api_keys=KEYS)) as gateway:
        path, body, _ = REQUESTS[protocol]
        async with http.post(gateway.url + path, json=body, headers=headers) as answer:
            assert answer.status == 401
            error = (await answer.json())["error"]
        async with http.get(gateway.url + "/v1/models", headers=headers) as answer:
            assert answer.status == 401
        records = await gateway.settled(2)
    assert "server.apiKeys" in error["message"]
    assert {record.outcome.value for record in records} == {"auth"}
    assert up.requests == []


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("gateway.localhost", 200),
        ("[::1]:{port}", 200),
        ("192.168.1.7", 200),
        ("mine.example", 200),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ],
)
async def test_a_foreign_host_is_refused(
    name: str, status: int, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """DNS rebinding: a page's own name resolves to this machine."""
    config = compiled(tmp_path, (provider("a", up.url),), allowed_hosts=("mine.example",))
    async with host(config) as gateway:
        for path in (CHAT, "/v1/models", "/health", "/ready"):
            method = http.post if path == CHAT else http.get
            body = {"json": chat()} if path == CHAT else {}
            headers = {"host": name.format(port=gateway.port)}
            async with method(gateway.url + path, headers=headers, **body) as answer:  # type: ignore[arg-type]
                assert answer.status == status, path
    assert len(up.requests) == (1 if status == 200 else 0)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 200),
        ("https://app.example", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:1", 403),
    ],
)
async def test_a_foreign_origin_is_refused(
    origin: str, status: int, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(tmp_path, (provider("a", up.url),), allowed_origins=("https://app.example",))
    async with host(config) as gateway:
        headers = {"origin": origin.format(port=gateway.port)}
        async with http.post(gateway.url + CHAT, json=chat(), headers=headers) as answer:
            assert answer.status == status
            allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == ("https://app.example" if origin == "https://app.example" else None)


async def test_a_preflight_of_an_allowed_origin_is_answered(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(tmp_path, (provider("a", up.url),), allowed_origins=("https://app.example",), api_keys=KEYS)
    async with host(config) as gateway:
        headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
        async with http.options(gateway.url + CHAT, headers=headers) as answer:
            assert answer.status == 204
            assert "POST" in answer.headers["access-control-allow-methods"]
        async with http.options(gateway.url + CHAT, headers={"origin": "https://evil.example"}) as answer:
            assert answer.status == 403


async def test_metrics_that_are_switched_off_do_not_exist(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(tmp_path, (provider("a", up.url),))
    silent = msgspec.structs.replace(config, telemetry=TelemetrySettings(metrics=False))
    async with host(silent) as gateway:
        admin = {"authorization": f"Bearer {gateway.admin_token}"}
        async with http.get(gateway.url + "/metrics", headers=admin) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["code"] == "metrics_disabled"
        async with http.get(gateway.url + "/health?verbose", headers=admin) as answer:
            assert answer.status == 200


async def test_details_and_metrics_are_behind_the_admin_token(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + CHAT, json=chat()) as answer:
            assert answer.status == 200
        await gateway.settled(1)
        for path in ("/metrics", "/health?verbose", "/ready?verbose"):
            for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": gateway.admin_token}):
                async with http.get(gateway.url + path, headers=headers) as answer:
                    assert answer.status == 401, path
        admin = {"authorization": f"Bearer {gateway.admin_token}"}
        async with http.get(gateway.url + "/metrics", headers=admin) as answer:
            metrics = await answer.text()
        async with http.get(gateway.url + "/health?verbose=1", headers=admin) as answer:
            health = await answer.json()
        async with http.get(gateway.url + "/ready?verbose=1", headers=admin) as answer:
            ready = await answer.json()
        async with http.get(gateway.url + "/health") as answer:
            public = await answer.json()
    wanted = 'routecodex_requests_total{inbound="openai-chat",operation="generate",outcome="ok",status="200"} 1.0'
    assert wanted in metrics
    assert 'routecodex_upstream_attempts_total{code="ok",provider_key="a.main.fake-model"} 1.0' in metrics
    assert "routecodex_overhead_seconds_bucket" in metrics
    assert health["targets"] == [{"providerKey": "a.main.fake-model", "state": "healthy"}]
    assert health["requests"]["ok"] == 1
    assert ready["usableTargets"] == 1
    assert set(public) == {"status", "version"}


async def test_the_admin_token_is_made_once_and_only_for_its_owner(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(tmp_path, (provider("a", up.url),))
    file = Path(config.server.admin.token_file)
    async with host(config) as gateway:
        first = gateway.admin_token
    assert mode(file) == 0o600
    os.chmod(file, 0o644)  # noqa: PTH101
    async with host(config) as gateway:
        assert gateway.admin_token == first
    assert mode(file) == 0o600


async def test_the_admin_token_opens_no_data_plane(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),), api_keys=KEYS)) as gateway:
        headers = {"authorization": f"Bearer {gateway.admin_token}"}
        async with http.post(gateway.url + CHAT, json=chat(), headers=headers) as answer:
            assert answer.status == 401
