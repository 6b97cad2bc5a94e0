"""Provider V2 over real sockets: where the credential goes, what is never sent, proxies, certificates, renewal."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import AuthSpec, OAuthSpec, ProviderSpec, Timeouts, TlsSpec
from routecodex.config.secret import Secret
from tests.fake_upstream import FakeUpstream, Hang, Script, Text
from tests.host.providers.endpoint import TokenEndpoint
from tests.host.providers.sealed import request
from tests.host.transports.sides import Build

BODY = b'{"model":"fake-model","messages":[{"role":"user","content":"hi"}]}'
KEY = AuthSpec("static", secret=Secret("k-1", "${K}"))


def spec(url: str, auth: AuthSpec = KEY, **more: Any) -> ProviderSpec:
    more = {"timeouts": Timeouts(2, 5, 5, 30), **more}
    return ProviderSpec("acme", Protocol.OPENAI_CHAT, url + "/v1", "acme", "plain", {"main": auth}, **more)


async def sent(build: Build, provider: ProviderSpec, **more: Any) -> tuple[int, bytes]:
    """Send one request by a runtime of this provider: (status, body)."""
    runtime = build({"acme": provider}, time.time)
    try:
        stream = await runtime.send(request(**{"body": BODY, **more}))
        return stream.status, await stream.read_bounded(1_000_000)
    finally:
        await runtime.close()


@pytest.mark.parametrize(
    ("auth", "header", "value", "query"),
    [
        (KEY, "authorization", "Bearer k-1", {}),
        (AuthSpec("static", header="x-api-key", prefix="", secret=Secret("k-1", "")), "x-api-key", "k-1", {}),
        (AuthSpec("static", header="api-key", prefix="", secret=Secret("k-1", "")), "api-key", "k-1", {}),
        (AuthSpec("static", query="key", secret=Secret("k/1&2", "")), "authorization", None, {"key": "k/1&2"}),
        (AuthSpec("none"), "authorization", None, {}),
    ],
)
async def test_the_credential_goes_where_the_vendor_wants_it(
    build: Build, auth: AuthSpec, header: str, value: str | None, query: dict[str, str]
) -> None:
    async with FakeUpstream(strict=False) as up:
        status, _ = await sent(build, spec(up.url, auth))
        assert status == 200
        assert up.last.header(header) == value
        assert up.last.query == query


async def test_static_headers_are_added_and_forbidden_ones_are_not(build: Build) -> None:
    headers = {"x-team": Secret("blue", ""), "user-agent": Secret("mine/1", "")}
    smuggled = {
        "cookie": "a=b",
        "authorization": "Bearer other",
        "host": "evil",
        "transfer-encoding": "chunked",
        "openai-beta": "yes",
    }
    async with FakeUpstream(strict=False) as up:
        status, _ = await sent(build, spec(up.url, headers=headers), headers=smuggled)
        assert status == 200
        assert up.last.header("x-team") == "blue"
        assert up.last.header("user-agent") == "mine/1"
        assert up.last.header("openai-beta") == "yes"
        assert up.last.header("cookie") is None
        assert up.last.header("authorization") == "Bearer k-1"
        assert up.last.header("host") == up.url.removeprefix("http://")
        assert up.last.header("accept-encoding") == "identity"
        names = [name.lower() for name, _ in up.last.headers]
    assert len(names) == len(set(names))


async def test_connections_are_used_again(build: Build) -> None:
    async with FakeUpstream() as up:
        runtime = build({"acme": spec(up.url)}, time.time)
        for _ in range(5):
            stream = await runtime.send(request(body=BODY))
            await stream.read_bounded(1_000_000)
        await runtime.close()
        assert up.connections_total == 1
        await up.wait_closed()


async def test_a_body_of_several_megabytes_is_sent_whole(build: Build) -> None:
    body = b'{"model":"fake-model","messages":[{"role":"user","content":"' + b"x" * 9_000_000 + b'"}]}'
    async with FakeUpstream() as up:
        status, _ = await sent(build, spec(up.url), body=body)
        assert status == 200
        assert up.last.raw == body


async def test_a_token_that_ended_early_is_renewed_within_the_attempt(build: Build) -> None:
    async with TokenEndpoint() as endpoint, FakeUpstream(api_keys=["token-1"]) as up:
        auth = AuthSpec(
            "oauth2", oauth=OAuthSpec(token_url=endpoint.url, client_id="me", client_secret=Secret("s", ""))
        )
        runtime = build({"acme": spec(up.url, auth)}, time.time)
        statuses = []
        for keys in (["token-1"], ["token-2"], ["never"]):
            up.api_keys = frozenset(keys)
            stream = await runtime.send(request(body=BODY))
            statuses.append(stream.status)
            await stream.read_bounded(1_000_000)
        await runtime.close()
    assert statuses == [200, 200, 401]
    assert len(endpoint.forms) == 3


async def test_an_unreachable_address_and_a_refused_connection_are_told(build: Build) -> None:
    for url, code in (("http://127.0.0.1:9", "connect_failed"), ("http://no-such-host.invalid", "connect_failed")):
        with pytest.raises(GatewayError) as failed:
            await sent(build, spec(url))
        assert failed.value.code == code
        assert "acme.main" in failed.value.message
        assert "k-1" not in failed.value.text


async def test_a_full_pool_is_a_connect_time_out(build: Build) -> None:
    async with FakeUpstream() as up:
        up.always(Script.of(Hang("head"), Text("never")))
        runtime = build({"acme": spec(up.url, max_connections=1, timeouts=Timeouts(0.2, 5, 5, 30))}, time.time)
        first = asyncio.ensure_future(runtime.send(request(body=BODY)))
        await up.wait_requests(1)
        with pytest.raises(GatewayError) as failed:
            await runtime.send(request(body=BODY))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await up.wait_disconnect()
        await runtime.close()
    assert failed.value.code == "connect_timeout"


class Proxy:
    """A forward proxy: absolute URLs and CONNECT; remembers its requests' first lines and authorizations."""

    def __init__(self, refuse: bool = False) -> None:
        self.seen: list[tuple[str, str]] = []
        self._refuse = refuse

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        login = next((line for line in lines if line.lower().startswith("proxy-authorization:")), "")
        self.seen.append((lines[0], login.partition(": ")[2]))
        if self._refuse:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        method, target, _ = lines[0].split(" ")
        place = target if method == "CONNECT" else target.split("/")[2]
        host, port = place.rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            far_writer.write(head.replace(f"http://{place}".encode(), b"", 1))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)


async def test_a_proxy_is_used_with_its_login(build: Build) -> None:
    async with FakeUpstream(strict=False) as up, Proxy() as proxy:
        address = Secret(f"http://user:pa%20ss@127.0.0.1:{proxy.port}", "${PROXY}")
        status, _ = await sent(build, spec(up.url, proxy=address))
        assert status == 200
        assert up.last.header("proxy-authorization") in (None, "Basic dXNlcjpwYSBzcw==")
    ((line, login),) = proxy.seen
    assert line.startswith(f"POST {up.url}/v1/chat/completions")
    assert login == "Basic dXNlcjpwYSBzcw=="


async def test_a_proxy_that_is_not_there_is_named(build: Build) -> None:
    with pytest.raises(GatewayError) as failed:
        await sent(build, spec("http://127.0.0.1:9", proxy=Secret("http://127.0.0.1:9", "${PROXY}")))
    assert failed.value.code == "proxy_failed"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1: (certificate, key) files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private


@pytest.mark.parametrize("through_proxy", [False, True])
async def test_a_private_authority_is_trusted_only_where_it_is_named(
    build: Build, through_proxy: bool, tmp_path: Path
) -> None:
    pem, private = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, private)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Proxy() as proxy:
        more: dict[str, Any] = {"proxy": Secret(f"http://127.0.0.1:{proxy.port}", "${PROXY}")} if through_proxy else {}
        with pytest.raises(GatewayError) as failed:
            await sent(build, spec(url, **more))
        assert failed.value.code == "tls_failed"
        assert await sent(build, spec(url, tls=TlsSpec(ca_file=str(pem)), **more)) == (200, b"{}")
        assert await sent(build, spec(url, tls=TlsSpec(verify=False), **more)) == (200, b"{}")
    assert len(proxy.seen) == (3 if through_proxy else 0)
