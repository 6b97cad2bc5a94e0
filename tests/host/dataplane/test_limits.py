# ruff: noqa: SIM117 - nesting shows what lives in what
"""What clients may not do: too much, too deep, too odd. Always a clear error in the client's protocol."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import brotli
import msgspec
import pytest

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.router.contract import ProviderModels
from routecodex.blocks.http_adapter import body as body_module
from routecodex.config.compiled import Limits
from tests.fake_upstream import FakeUpstream, Gate, Script, Text
from tests.host.dataplane.gateway import REQUESTS, C, G, M, R, chat, compiled, host, provider, routing
from tests.host.dataplane.raw import RawClient

JSON = {"content-type": "application/json"}
SMALL = Limits(max_body_bytes=100_000)


def shape_of(protocol: Protocol, error: dict[str, Any]) -> None:
    """Assert that this is the protocol's error envelope."""
    if protocol is M:
        assert error["type"] == "error"
        assert error["error"]["message"]
    elif protocol is G:
        assert error["error"]["status"]
        assert error["error"]["message"]
    else:
        assert error["error"]["message"]
        assert "code" in error["error"]


@pytest.mark.mp("MP-15")
@pytest.mark.parametrize("protocol", [C, R, M, G])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe\x00", 400),
        (b'{"model": NaN', 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (b"[" * 100_000, 400),
        (b'{"pad": "' + b"x" * 200_000 + b'"}', 413),
    ],
    ids=["empty", "cut", "array", "null", "string", "binary", "nan", "deep", "brackets", "large"],
)
async def test_mp15_broken_bodies_are_refused_in_the_clients_protocol(
    protocol: Protocol, body: bytes, status: int, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=SMALL)) as gateway:
        async with http.post(gateway.url + REQUESTS[protocol][0], data=body, headers=JSON) as answer:
            assert answer.status == status
            shape_of(protocol, await answer.json())
            assert answer.headers["x-routecodex-request-id"].startswith("req_")
        async with http.post(gateway.url + REQUESTS[protocol][0], json=REQUESTS[protocol][1]) as answer:
            assert answer.status == 200
        records = await gateway.settled(2)
    assert [record.outcome.value for record in records] == ["client_fault", "ok"]
    assert len(up.requests) == 1


ODD: list[Any] = [None, True, 0, -1, 1e308, "", "text", [], [None], [[]], {}, {"a": None}, ["x", 1, {}]]


@pytest.mark.parametrize("protocol", [C, R, M, G])
async def test_wrong_types_everywhere_never_break_the_gateway(
    protocol: Protocol, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Every top-level member, and every member of the first turn, as every odd value: an answer each, never a 500."""
    path, good, _ = REQUESTS[protocol]
    turns = "input" if protocol is R else "contents" if protocol is G else "messages"
    base = {**good, turns: [{"role": "user", "content": "hi"}]} if protocol is R else good
    bodies = [{**base, name: odd} for name in (*base, "tools", "stream", "tool_choice", "metadata") for odd in ODD]
    turn = base[turns][0]
    bodies += [{**base, turns: [{**turn, name: odd}]} for name in (*turn, "extra") for odd in ODD]
    async with (
        FakeUpstream(strict=False) as up,
        host(compiled(tmp_path, (provider("a", up.url, protocol),))) as gateway,
    ):
        faults = []
        for body in bodies:
            async with http.post(gateway.url + path, json=body) as answer:
                text = await answer.text()
                if answer.status == 500 or answer.status > 504:
                    faults.append((body, answer.status, text[:200]))
        records = await gateway.settled(len(bodies))
    assert faults == []
    assert [record for record in records if record.outcome == "gateway_fault"] == []


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("br", brotli.compress),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
        ("identity", bytes),
    ],
)
async def test_encoded_request_bodies_are_decoded(
    encoding: str, encode: Any, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    data = encode(json.dumps(chat("compressed")).encode())
    async with (
        host(compiled(tmp_path, (provider("a", up.url),))) as gateway,
        http.post(
            gateway.url + "/v1/chat/completions", data=data, headers={**JSON, "content-encoding": encoding}
        ) as answer,
    ):
        assert answer.status == 200
    assert up.last.body["messages"][0]["content"] == "compressed"
    assert up.last.header("content-encoding") is None


def zstd(data: bytes) -> bytes:
    return body_module.zstd.compress(data)


@pytest.mark.parametrize(
    ("encoding", "data", "status"),
    [
        ("gzip", gzip.compress(b" " * 50_000_000), 413),
        ("br", brotli.compress(b" " * 50_000_000), 413),
        ("zstd", zstd(b" " * 50_000_000), 413),
        ("gzip", gzip.compress(b"{}")[:-4], 400),
        ("gzip", b"not gzip at all", 400),
        ("zstd", b"not zstd at all", 400),
        ("br", b"\xff" * 40, 400),
        ("compress", b"\x1f\x9d", 415),
        ("gzip, gzip, gzip, gzip", b"x", 415),
        ("gzip", b"".join(gzip.compress(b"") for _ in range(500)), 400),
    ],
    ids=["bomb-gzip", "bomb-br", "bomb-zstd", "cut", "no-gzip", "no-zstd", "no-br", "unknown", "many", "members"],
)
async def test_encoded_bodies_that_harm_are_refused(
    encoding: str, data: bytes, status: int, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with (
        host(compiled(tmp_path, (provider("a", up.url),), limits=SMALL)) as gateway,
        http.post(
            gateway.url + "/v1/chat/completions", data=data, headers={**JSON, "content-encoding": encoding}
        ) as answer,
    ):
        assert answer.status == status
        shape_of(C, await answer.json())
    assert up.requests == []


async def test_a_body_announced_too_large_is_refused_before_it_comes(up: FakeUpstream, tmp_path: Path) -> None:
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=SMALL)) as gateway:
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", b"{", length=10**12)
            assert b" 413 " in await client.until(b"\r\n")


async def test_a_body_in_chunks_is_counted_as_it_comes(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    async with host(compiled(tmp_path, (provider("a", up.url),), limits=SMALL)) as gateway:
        async with http.post(gateway.url + "/v1/chat/completions", data=pieces(), headers=JSON) as answer:
            assert answer.status == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_bodies_that_are_not_json_are_refused(
    kind: str, up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with (
        host(compiled(tmp_path, (provider("a", up.url),))) as gateway,
        http.post(
            gateway.url + "/v1/chat/completions", data=json.dumps(chat()), headers={"content-type": kind}
        ) as answer,
    ):
        assert answer.status == 415
        shape_of(C, await answer.json())


async def test_headers_have_a_bound(up: FakeUpstream, tmp_path: Path) -> None:
    limits = Limits(max_header_bytes=16_384)
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        async with RawClient(gateway.port) as client:
            client.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-big: " + b"x" * 400_000)
            assert b" 431 " in await client.until(b"\r\n")
        async with RawClient(gateway.port) as client:
            await client.post("/v1/chat/completions", chat("x" * 100_000))
            assert b" 200 " in await client.until(b"\r\n")


async def test_a_head_that_comes_in_one_piece_has_the_same_bound(up: FakeUpstream, tmp_path: Path) -> None:
    """The server reads more at a time than a head may have; a body in the same piece does not count."""
    limits = Limits(max_header_bytes=16_384)
    head = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-big: %s\r\n\r\n"
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        async with RawClient(gateway.port) as client:
            client.writer.write(head % (b"x" * 17_000))
            assert (await client.until(b"too big.")).startswith(b"HTTP/1.1 431 ")
            assert await client.rest(5) == b""
        async with RawClient(gateway.port) as client:
            client.writer.write(head % (b"x" * 16_000))
            assert b" 200 " in await client.until(b"\r\n")
        async with RawClient(gateway.port) as client:
            client.writer.write(b"GET /health?%s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % (b"y" * 70_000))
            assert b" 431 " in await client.until(b"\r\n")


async def test_more_requests_than_allowed_are_turned_away(
    up: FakeUpstream, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    up.always(Script.of(Gate(where="head"), Text("x")))
    limits = Limits(max_concurrent_requests=3)
    async with host(compiled(tmp_path, (provider("a", up.url),), limits=limits)) as gateway:
        url = gateway.url + "/v1/chat/completions"

        async def ask() -> tuple[int, str | None]:
            async with http.post(url, json=chat()) as answer:
                return answer.status, answer.headers.get("retry-after")

        waiting = [asyncio.ensure_future(ask()) for _ in range(3)]
        await up.wait_held(3)
        assert await ask() == (503, "1")
        up.open_gate()
        assert [status for status, _ in await asyncio.gather(*waiting)] == [200] * 3
        assert (await ask())[0] == 200


@pytest.mark.parametrize("protocol", [C, M])
async def test_names_no_header_can_hold_break_no_answer(
    protocol: Protocol, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Field and model names come from clients and end in headers of ours."""
    path, body, _ = REQUESTS[protocol]
    async with FakeUpstream(strict=False) as up:
        spec = provider("a", up.url, M)
        any_model = {"a": ProviderModels("a", ("main",), ("*",), "anthropic", M, "plain")}
        table = msgspec.structs.replace(routing((spec,)), providers=any_model)
        async with host(compiled(tmp_path, (spec,), table=table)) as gateway:
            odd = {**body, "model": "a.odd\r\nname\u00e9", "x\r\nset-cookie: a=b": 1}
            async with http.post(gateway.url + path, json=odd) as answer:
                assert answer.status == 200, await answer.text()
                assert "set-cookie" not in answer.headers
                assert answer.headers["x-routecodex-target"].startswith("a.main.odd")
