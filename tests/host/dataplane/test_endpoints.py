# ruff: noqa: SIM117 - nesting shows what lives in what
"""Paths and methods: what is served, under which names, and how what is not served is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import Limits
from tests.fake_upstream import FakeUpstream
from tests.host.dataplane.gateway import (
    C,
    G,
    M,
    R,
    chat,
    compiled,
    contents,
    host,
    messages,
    provider,
    responses,
)


@pytest.mark.parametrize(
    ("path", "body", "upstream"),
    [
        ("/v1/chat/completions", chat(), C),
        ("/chat/completions", chat(), C),
        ("/v1/responses", responses(), R),
        ("/responses", responses(), R),
        ("/v1/messages", messages(), M),
        ("/messages", messages(), M),
        ("/v1/messages?beta=true", messages(), M),
        ("/v1beta/models/fake-model:generateContent", contents(), G),
        ("/v1/models/fake-model:generateContent", contents(), G),
        ("/v1beta1/publishers/google/models/fake-model:generateContent", contents(), G),
        ("/v1beta/models/fake-model:streamGenerateContent?alt=sse", contents(), G),
        ("/v1/messages/count_tokens", messages(), M),
        ("/v1beta/models/fake-model:countTokens", contents(), G),
        ("/v1/embeddings", {"model": "fake-model", "input": "hi"}, C),
    ],
)
async def test_every_path_a_client_may_use(
    path: str, body: dict[str, Any], upstream: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    if "count_tokens" in path:
        body = {name: value for name, value in body.items() if name != "max_tokens"}
    async with host(compiled(tmp_path, (provider("a", up.url, upstream),))) as gateway:
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
        (record,) = await gateway.settled(1)
    assert len(up.requests) == len(record.attempts) == 1


@pytest.mark.mp("MP-29")
@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        ("/v1/messages/count_tokens", messages(), "input_tokens"),
        ("/v1beta/models/fake-model:countTokens", contents(), "totalTokens"),
    ],
)
async def test_mp29_tokens_are_counted_for_an_upstream_that_cannot(
    path: str, body: dict[str, Any], member: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 200
            assert (await answer.json())[member] > 0
            assert answer.headers["x-routecodex-estimate"] == "tokens"
    assert up.requests == []


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/nothing", "error"),
        ("/v1/nothing", "error"),
        ("/v1/messages/batches", "type"),
        ("/v1/responses/resp_1/nothing", "error"),
        ("/v1beta/models/x:unknownAction", "error"),
        ("/v1beta/nothing", "error"),
    ],
)
async def test_unknown_paths_are_told_in_the_shape_of_their_vendor(
    path: str, member: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + path, json=chat()) as answer:
            assert answer.status == 404
            body = await answer.json()
    assert body[member]
    if path.startswith("/v1beta"):
        assert body["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("header", "members"),
    [
        ({"anthropic-version": "2023-06-01"}, {"type", "error", "request_id"}),
        ({"x-goog-api-client": "genai"}, {"error"}),
        ({}, {"error"}),
    ],
)
async def test_an_unknown_path_that_names_no_vendor_is_told_in_the_shape_of_the_asking_sdk(
    header: dict[str, str], members: set[str], up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.get(gateway.url + "/v1/files", headers=header) as answer:
            assert answer.status == 404
            body = await answer.json()
    assert set(body) == members
    assert ("status" in body["error"]) is ("x-goog-api-client" in header)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_what_is_only_read_refuses_other_methods_with_a_next_step(
    path: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.post(gateway.url + path) as answer:
            assert answer.status == 405
            assert answer.headers["allow"] == "GET, HEAD"
            assert "Use GET, HEAD." in (await answer.json())["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/v1/messages", "POST"),
        ("GET", "/v1/responses", "POST"),
        ("POST", "/v1/responses/resp_1", "DELETE, GET"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/embeddings", "POST"),
    ],
)
async def test_a_method_that_is_not_allowed_is_named(
    method: str, path: str, allowed: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.request(method, gateway.url + path) as answer:
            assert answer.status == 405
            assert answer.headers["allow"] == allowed
            error = (await answer.json())["error"]
    assert f"Use {allowed}." in error["message"]
    assert error.get("param") is None  # no field of the request is at fault


@pytest.mark.parametrize(
    ("path", "headers", "listed", "named"),
    [
        ("/v1/models", {}, "data", "id"),
        ("/models", {}, "data", "id"),
        ("/v1/models", {"anthropic-version": "2023-06-01", "x-api-key": "k"}, "data", "id"),
        ("/v1/models", {"x-goog-api-key": "k"}, "models", "name"),
        ("/v1beta/models", {}, "models", "name"),
    ],
)
async def test_the_model_list_speaks_three_dialects(
    path: str,
    headers: dict[str, str],
    listed: str,
    named: str,
    up: FakeUpstream,
    http: aiohttp.ClientSession,
    tmp_path: Path,
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.get(gateway.url + path, headers=headers) as answer:
            assert answer.status == 200
            entries = (await answer.json())[listed]
        names = [entry[named].removeprefix("models/") for entry in entries]
        assert names == ["known-name", "a.fake-model"]
        async with http.get(f"{gateway.url}{path}/a.fake-model", headers=headers) as answer:
            assert (await answer.json())[named].endswith("a.fake-model")
        async with http.get(f"{gateway.url}{path}/no-such-model", headers=headers) as answer:
            assert answer.status == 404
    if "anthropic-version" in headers:
        assert entries[0]["type"] == "model"


async def test_a_websocket_that_is_switched_off_is_told_to_upgrade_elsewhere(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """426 lets Codex fall back at once; 405 would cost it seconds."""
    limits = Limits(max_websocket_connections=0)
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(gateway.url + "/v1/responses")
    assert refused.value.status == 426


async def test_an_upgrade_that_is_no_handshake_is_not_told_that_the_websocket_is_off(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),))) as gateway:
        async with http.get(gateway.url + "/v1/responses", headers={"upgrade": "websocket"}) as answer:
            assert answer.status == 426
            error = (await answer.json())["error"]
    assert error["code"] == "bad_upgrade"
    assert "POST /v1/responses" in error["message"]


@pytest.mark.mp("MP-21")
async def test_mp21_responses_are_retrieved_listed_and_deleted(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        url = gateway.url + "/v1/responses"
        async with http.post(url, json=responses("remember me")) as answer:
            made = await answer.json()
        async with http.get(f"{url}/{made['id']}") as answer:
            assert (await answer.json())["id"] == made["id"]
        async with http.get(f"{url}/{made['id']}/input_items") as answer:
            assert "remember me" in await answer.text()
        async with http.post(f"{url}/{made['id']}/cancel") as answer:
            assert answer.status == 400
        async with http.delete(f"{url}/{made['id']}") as answer:
            assert (await answer.json())["deleted"] is True
        async with http.get(f"{url}/{made['id']}") as answer:
            assert answer.status == 404
            assert "not found" in (await answer.json())["error"]["message"]
    assert len(up.requests) == 1


@pytest.mark.mp("MP-21")
async def test_mp21_a_conversation_goes_on_after_a_restart(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = compiled(tmp_path, (provider("a", up.url, C),), store=str(tmp_path / "state.db"))
    async with host(config) as gateway:
        async with http.post(gateway.url + "/v1/responses", json=responses("the first question")) as answer:
            first = await answer.json()
    async with host(config) as gateway:
        again = responses("the second question", previous_response_id=first["id"])
        async with http.post(gateway.url + "/v1/responses", json=again) as answer:
            assert answer.status == 200, await answer.text()
        unknown = responses("x", previous_response_id="resp_unknown")
        async with http.post(gateway.url + "/v1/responses", json=unknown) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["code"] == "previous_response_not_found"
    texts = [message["content"] for message in up.last.body["messages"]]
    assert [message["role"] for message in up.last.body["messages"]] == ["user", "assistant", "user"]
    assert "the first question" in str(texts[0])
    assert "the second question" in str(texts[2])


async def test_compaction_goes_to_responses_upstreams_only(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, C),))) as gateway:
        async with http.post(gateway.url + "/v1/responses/compact", json=responses()) as answer:
            assert answer.status == 404
            assert "error" in await answer.json()
    assert up.requests == []
