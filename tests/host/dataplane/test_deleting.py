"""DELETE of a response that lives twice, here and upstream: neither is told gone before it is, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from routecodex.config.compiled import CompiledConfig, Timeouts
from tests.fake_upstream import Cut, ErrorStatus, FakeUpstream, Gate
from tests.host.dataplane.gateway import C, Host, R, compiled, host, provider, responses, routing
from tests.host.dataplane.raw import RawClient
from tests.host.dataplane.test_broken_upstreams import raw_upstream

pytestmark = pytest.mark.mp("MP-21")


class Kept:
    """A gateway that keeps one response, which its upstream keeps too."""

    def __init__(self, gateway: Host, http: aiohttp.ClientSession, response_id: str) -> None:
        self.gateway = gateway
        self.id = response_id
        self._http = http
        self._url = f"{gateway.url}/v1/responses/{response_id}"

    async def delete(self) -> tuple[int, Any]:
        async with self._http.delete(self._url) as answer:
            return answer.status, await answer.json()

    async def is_here(self) -> bool:
        async with self._http.get(self._url) as answer:
            return answer.status == 200

    async def states(self) -> list[str]:
        admin = {"authorization": f"Bearer {self.gateway.admin_token}"}
        async with self._http.get(self.gateway.url + "/health?verbose", headers=admin) as answer:
            return [target["state"] for target in (await answer.json())["targets"]]


@asynccontextmanager
async def kept(
    config: CompiledConfig, http: aiohttp.ClientSession, *, store: bool | None = True
) -> AsyncIterator[Kept]:
    async with host(config) as gateway:
        more = {} if store is None else {"store": store}
        async with http.post(gateway.url + "/v1/responses", json=responses("remember me", **more)) as answer:
            made = await answer.json()
        yield Kept(gateway, http, made["id"])


def told(body: Any) -> str:
    return str(body["error"]["message"])


async def test_both_copies_go_and_the_second_delete_finds_nothing(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        assert await one.delete() == (200, {"id": one.id, "object": "response", "deleted": True})
        assert up.store.responses == {}
        assert not await one.is_here()
        status, body = await one.delete()
    assert status == 404
    assert "not found" in told(body)
    assert "at the provider" in told(body)
    assert [request.method for request in up.requests] == ["POST", "DELETE"]


@pytest.mark.parametrize("status", [400, 401, 403, 405, 409, 429, 500, 501, 503])
async def test_an_upstream_that_refuses_leaves_both_copies(
    status: int, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        up.store.troubles.append(ErrorStatus(status, "not today"))
        answered, body = await one.delete()
        assert answered == status
        assert "not today" in told(body)
        assert "keeps its copy" in told(body)
        assert "a.main.fake-model" in told(body)
        assert "Send the DELETE again" in told(body)
        assert await one.is_here()
        assert one.id in up.store.responses
        assert (await one.delete())[0] == 200
        assert not await one.is_here()
    assert up.store.responses == {}


async def test_an_upstream_that_cannot_be_reached_leaves_our_copy(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        await up.stop()
        status, body = await one.delete()
        assert status == 502
        assert body["error"]["code"] == "connect_failed"
        assert "keeps its copy" in told(body)
        assert "Send the DELETE again" in told(body)
        assert await one.is_here()


async def test_a_404_of_the_upstream_counts_as_gone(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        up.store.delete(one.id)
        assert await one.delete() == (200, {"id": one.id, "object": "response", "deleted": True})
        assert not await one.is_here()
        assert await one.states() == ["healthy"], "what it does not have is not its fault"


async def test_a_retry_after_a_lost_answer_ends_well(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The upstream deletes and its answer is lost: ours stays until the same DELETE is sent again."""
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        up.close_idle()  # on a pooled connection the transport itself would ask once more
        up.store.troubles.append(Cut())
        status, body = await one.delete()
        assert status == 502
        assert "keeps its copy" in told(body)
        assert up.store.responses == {}
        assert await one.is_here()
        assert (await one.delete())[0] == 200
        assert not await one.is_here()


async def test_a_client_that_leaves_can_send_it_again(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        up.store.troubles.append(Gate())
        async with RawClient(one.gateway.port) as client:
            client.writer.write(f"DELETE /v1/responses/{one.id} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
            await up.wait_held()
        await one.gateway.settled(2)
        assert await one.is_here()
        up.open_gate()
        assert (await one.delete())[0] == 200
        assert not await one.is_here()


async def test_a_total_time_out_says_what_is_left(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    spec = provider("a", up.url, R, timeouts=Timeouts(connect=2, first_byte=5, idle=5, total=0.3))
    async with kept(compiled(tmp_path, (spec,)), http) as one:
        up.store.troubles.append(Gate())
        status, body = await one.delete()
        assert status == 504
        assert "keeps its copy" in told(body)
        assert await one.is_here()


async def test_an_upstream_that_denies_the_deletion_is_believed(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with FakeUpstream() as up, kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        port = up.port
        await up.stop()
        body = b'{"id":"x","object":"response","deleted":false}'
        denial = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )
        async with raw_upstream(denial, port=port):
            status, answer = await one.delete()
        assert status == 502
        assert "keeps its copy" in told(answer)
        assert await one.is_here()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]
)
async def test_a_success_without_a_body_of_the_vendors_is_a_success(
    answer: bytes, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with FakeUpstream() as up, kept(compiled(tmp_path, (provider("a", up.url, R),)), http) as one:
        port = up.port
        await up.stop()
        async with raw_upstream(answer, port=port):
            assert await one.delete() == (200, {"id": one.id, "object": "response", "deleted": True})
        assert not await one.is_here()


async def test_what_only_the_gateway_keeps_needs_no_upstream(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with kept(compiled(tmp_path, (provider("a", up.url, C),)), http) as one:
        await up.stop()
        assert (await one.delete())[0] == 200
        assert not await one.is_here()


@pytest.mark.parametrize("keeps_key", [False, True], ids=["the provider is gone", "only its model is gone"])
async def test_an_issuer_that_left_the_configuration(
    keeps_key: bool, up: FakeUpstream, second: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    store = str(tmp_path / "state.db")
    async with kept(compiled(tmp_path, (provider("a", up.url, R),), store=store), http) as one:
        response_id = one.id
    specs = (provider("a" if keeps_key else "b", up.url if keeps_key else second.url, R),)
    config = compiled(tmp_path, specs, store=store, table=routing(specs, "another-model"))
    async with host(config) as gateway:
        one = Kept(gateway, http, response_id)
        status, body = await one.delete()
        if keeps_key:
            assert (status, body["deleted"]) == (200, True)
            assert up.store.responses == {}
            return
        assert status == 409
        assert body["error"]["code"] == "issuer_not_configured"
        assert "'a.main'" in told(body)
        assert "keeps its copy" in told(body)
        assert await one.is_here()
    assert second.requests == [], "nobody else is asked"
