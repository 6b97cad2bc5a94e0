"""From a name to a socket: addresses race, losers are closed, look-ups are shared and kept."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.provider_runtime.http1.connecting import Connector
from routecodex.blocks.provider_runtime.http1.racing import Address, race
from routecodex.blocks.provider_runtime.http1.target import Origin, parse
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import TransportError, TransportFault


def listening(backlog: int = 8) -> tuple[socket.socket, Address]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
    return listener, (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", listener.getsockname())


def deaf() -> tuple[list[socket.socket], Address]:
    """An address whose queue is full: connecting to it neither succeeds nor fails."""
    listener, address = listening(0)
    held = [listener]
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address[4])
        held.append(filler)
    return held, address


def refused() -> Address:
    listener, address = listening()
    listener.close()
    return address


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_the_first_address_that_answers_wins_and_the_losers_are_closed() -> None:
    held, silent = deaf()
    listener, good = listening()
    loop = asyncio.get_running_loop()
    before = descriptors()
    for addresses in ([silent, good], [refused(), good], [refused(), silent, good], [good, silent], [good]):
        connected, address = await race(loop, addresses)
        assert address == good
        assert connected.getpeername() == good[4]
        connected.close()
    await asyncio.sleep(0.05)
    assert descriptors() == before
    for kept in (*held, listener):
        kept.close()


async def test_when_all_fail_the_first_failure_is_told() -> None:
    with pytest.raises(ConnectionRefusedError):
        await race(asyncio.get_running_loop(), [refused(), refused()])


async def test_cancelling_a_race_closes_what_ran() -> None:
    held, silent = deaf()
    before = descriptors()
    racing = asyncio.ensure_future(race(asyncio.get_running_loop(), [silent, silent, silent]))
    await asyncio.sleep(0.6)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    await asyncio.sleep(0.05)
    assert descriptors() == before
    for kept in held:
        kept.close()


async def test_families_take_turns() -> None:
    listener, good = listening()
    six: Address = (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("::1", refused()[4][1], 0, 0))
    connected, address = await race(asyncio.get_running_loop(), [six, six, six, good])
    assert address == good
    connected.close()
    listener.close()


async def test_look_ups_are_shared_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver is counted, not replaced."""
    loop = asyncio.get_running_loop()
    asked: list[str] = []
    system = loop.getaddrinfo

    async def counted(host: Any, port: Any, **more: Any) -> Any:
        asked.append(host)
        return await system(host, port, **more)

    monkeypatch.setattr(loop, "getaddrinfo", counted)
    connector = Connector(ProviderSpec("a", Protocol.OPENAI_CHAT, "http://localhost:1", "a", "plain", {}))
    found = await asyncio.gather(*(connector._resolve("localhost", 1) for _ in range(5)))
    assert all(addresses == found[0] for addresses in found)
    await connector._resolve("localhost", 1)
    assert asked == ["localhost"]
    await connector._resolve("127.0.0.1", 1)
    await connector._resolve("::1", 1)
    assert asked == ["localhost"]
    await connector._resolve("localhost", 2)
    assert asked == ["localhost", "localhost"]


@pytest.mark.parametrize(
    ("url", "origin", "header", "path"),
    [
        ("http://a", Origin("a", 80, False), "a", "/"),
        ("https://A.example:443/x?y=%20#z", Origin("a.example", 443, True), "a.example", "/x?y=%20"),
        ("https://a:8443?q", Origin("a", 8443, True), "a:8443", "/?q"),
        ("http://[::1]:5000/v1", Origin("::1", 5000, False), "[::1]:5000", "/v1"),
        ("http://b\u00fccher.example/", Origin("xn--bcher-kva.example", 80, False), "xn--bcher-kva.example", "/"),
        ("http://u:p%40@a/x", Origin("a", 80, False), "a", "/x"),
    ],
)
def test_a_url_leads_somewhere(url: str, origin: Origin, header: str, path: str) -> None:
    target = parse(url)
    assert (target.origin, target.host_header, target.path) == (origin, header, path)
    assert target.absolute == f"{'https' if origin.tls else 'http'}://{header}{path}"
    assert target.authorization == ("Basic dTpwQA==" if "@" in url else None)


@pytest.mark.parametrize("url", ["ftp://a/", "http://", "//a/x", "http://a:99999/", "http://[::1/", "nonsense", ""])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(TransportError) as failed:
        parse(url)
    assert failed.value.fault is TransportFault.CONNECT_FAILED
