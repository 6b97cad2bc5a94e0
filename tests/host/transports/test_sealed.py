"""Answers over TLS come whole, on either event loop, however far the reader is behind when the peer is done.

The upstream is a thread with a blocking socket: it has sent everything and is gone before the reader goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ProviderSpec, TlsSpec
from routecodex.config.secret import Secret
from routecodex.providers.transport import TransportError, TransportFault, TransportRequest
from tests.host.providers.test_provider import certificate
from tests.host.transports.sides import Make
from tests.host.transports.upstream import FAST

BODY = b"".join(hashlib.sha512(number.to_bytes(4, "big")).digest() for number in range(48_000))
"""3 MB no two pieces of which are the same."""
SIZES = (200_000, 300_000, 400_000, 500_000, len(BODY))
"""What is in the reader's hands, what TLS holds and what the socket holds, in different shares."""
HELD_BACK = 100_000
FRAMINGS = {"content-length": b"content-length: %d\r\n", "until close": b""}
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


@contextmanager
def upstream(context: ssl.SSLContext, head: bytes, body: bytes, *, proxied: bool) -> Iterator[int]:
    """The port of one that answers every connection with this, says goodbye and is gone; as its own proxy, if asked."""

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(accepted,), daemon=True).start()

    def answer(accepted: socket.socket) -> None:
        accepted.settimeout(20)
        try:
            if proxied:
                _head_of(accepted)
                accepted.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with context.wrap_socket(accepted, server_side=True) as sealed:
                _head_of(sealed)
                sealed.sendall(head + body)
                sealed.settimeout(0.01)  # says goodbye, and does not wait for the client's
                sealed.unwrap()
        except OSError:
            return  # the client went away, as it may

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _head_of(connected: socket.socket) -> None:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = connected.recv(65536)
        if not more:
            raise ConnectionAbortedError
        data += more


async def _read_late(make: Make, spec: ProviderSpec) -> bytes:
    """The whole body, of which nothing is taken until the upstream has sent what the sockets hold."""
    transport = make(spec)
    try:
        stream = await transport.open(TransportRequest("GET", f"{spec.base_url}/large", {}, b""))
        await asyncio.sleep(0.3)
        body = bytearray()
        while piece := await stream.read():
            body += piece
        return bytes(body)
    finally:
        await transport.close()


def _spec(port: int, ca: Path, *, proxied: bool) -> ProviderSpec:
    base = f"https://127.0.0.1:{port}"
    proxy = Secret(f"http://127.0.0.1:{port}", "${PROXY}") if proxied else None
    tls = TlsSpec(ca_file=str(ca))
    return ProviderSpec(
        "sealed", Protocol.OPENAI_CHAT, base, "sealed", "plain", {}, timeouts=FAST, tls=tls, proxy=proxy
    )


@pytest.mark.parametrize("proxied", [False, True], ids=["straight", "through a proxy"])
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("loop", LOOPS)
def test_nothing_is_lost_when_the_peer_is_done_first(
    make: Make, loop: str, framing: str, proxied: bool, tmp_path: Path
) -> None:
    pem, context = _identity(tmp_path)
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        for size in SIZES:
            with upstream(context, _head(framing, size), BODY[:size], proxied=proxied) as port:
                body = runner.run(_read_late(make, _spec(port, pem, proxied=proxied)))
            assert (len(body), body == BODY[:size]) == (size, True)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_stops_short_is_still_told(make: Make, loop: str, tmp_path: Path) -> None:
    pem, context = _identity(tmp_path)
    head = _head("content-length", len(BODY))
    with (
        upstream(context, head, BODY[:-HELD_BACK], proxied=False) as port,
        asyncio.Runner(loop_factory=LOOPS[loop]) as runner,
        pytest.raises(TransportError) as told,
    ):
        runner.run(_read_late(make, _spec(port, pem, proxied=False)))
    assert told.value.fault is TransportFault.TRUNCATED


def _identity(folder: Path) -> tuple[Path, ssl.SSLContext]:
    pem, private = certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, private)
    return pem, context


def _head(framing: str, size: int) -> bytes:
    length = FRAMINGS[framing]
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + (length % size if length else b"") + b"\r\n"
