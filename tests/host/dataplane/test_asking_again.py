"""The same target asked in another way: no count endpoint, a forgotten response. Nobody's health suffers for it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from llmswitch_core.canonical.model import Protocol
from tests.fake_upstream import ErrorStatus, FakeUpstream, Text
from tests.host.dataplane.gateway import REQUESTS, C, G, M, R, compiled, host, messages, provider, responses
from tests.host.dataplane.test_broken_upstreams import raw_upstream

NO_SUCH_PATH = (
    b'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"detail":"no path"}\r\n'
)


@pytest.mark.mp("MP-29")
@pytest.mark.parametrize("outbound", [M, G, R])
async def test_mp29_a_target_without_a_counting_call_is_estimated_and_stays_healthy(
    outbound: Protocol, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with (
        raw_upstream(NO_SUCH_PATH) as url,
        host(compiled(tmp_path, (provider("a", url, outbound),))) as gateway,
    ):
        for _ in range(3):
            async with http.post(gateway.url + "/v1/messages/count_tokens", json=messages()) as answer:
                assert answer.status == 200, await answer.text()
                assert (await answer.json())["input_tokens"] > 0
                assert answer.headers["x-routecodex-estimate"] == "tokens"
        admin = {"authorization": f"Bearer {gateway.admin_token}"}
        async with http.get(gateway.url + "/health?verbose", headers=admin) as answer:
            health = await answer.json()
    assert [target["state"] for target in health["targets"]] == ["healthy"]


@pytest.mark.mp("MP-21")
async def test_mp21_a_response_the_upstream_forgot_goes_on_from_our_own_store(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url, R),))) as gateway:
        url = gateway.url + "/v1/responses"
        up.script(Text("the first answer"))
        async with http.post(url, json=responses("the first question", store=True)) as answer:
            first = await answer.json()
        forgotten = ErrorStatus(404, code="previous_response_not_found", message="Previous response not found.")
        up.script(forgotten)
        up.script(Text("the second answer"))
        again = responses("the second question", previous_response_id=first["id"], store=True)
        async with http.post(url, json=again) as answer:
            assert answer.status == 200, await answer.text()
            assert "the second answer" in await answer.text()
        records = await gateway.settled(2)
    by_reference, by_value = up.requests[1:]
    assert by_reference.body["previous_response_id"] == first["id"]
    assert "previous_response_id" not in by_value.body
    assert b"the first question" in by_value.raw
    assert b"the first answer" in by_value.raw
    assert [attempt.status for attempt in records[-1].attempts] == [404, 200]


@pytest.mark.parametrize("protocol", [C, R, M, G])
async def test_a_404_of_an_ordinary_request_is_told_as_it_is(
    protocol: Protocol, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.always(ErrorStatus(404, code="model_not_found", message="No such model."))
    async with host(compiled(tmp_path, (provider("a", up.url, protocol),))) as gateway:
        path, body, _ = REQUESTS[protocol]
        async with http.post(gateway.url + path, json=body) as answer:
            assert answer.status == 404
    assert len(up.requests) == 1
