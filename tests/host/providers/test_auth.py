"""Credentials over a real token endpoint: fetched once, renewed in time, shared by all who wait."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import AuthSpec, OAuthSpec, ProviderSpec, ServiceAccountSpec
from routecodex.config.secret import Secret
from routecodex.providers.auth import EARLY, LATE, Credential, credential
from routecodex.providers.transport import Transport
from tests.host.providers.endpoint import TokenEndpoint
from tests.host.transports.sides import Make


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def made(make: Make, spec: AuthSpec, clock: Clock) -> tuple[Credential, Transport]:
    provider = ProviderSpec("acme", Protocol.OPENAI_CHAT, "http://127.0.0.1:9", "acme", "plain", {"main": spec})
    transport = make(provider)
    found = credential(spec, transport, "acme", clock)
    assert found is not None
    return found, transport


def oauth(url: str, **more: Any) -> AuthSpec:
    fields = {"client_secret": Secret("s3cret", "${S}"), **more}
    return AuthSpec("oauth2", oauth=OAuthSpec(token_url=url, client_id="me", **fields))


async def test_many_who_wait_share_one_fetch(make: Make) -> None:
    async with TokenEndpoint() as endpoint:
        held, transport = made(make, oauth(endpoint.url, scopes=("a", "b"), audience="api"), Clock())
        assert held.ready() is None
        values = await asyncio.gather(*(held.obtain() for _ in range(20)))
        await transport.close()
    assert set(values) == {"token-1"}
    (form,) = endpoint.forms
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": "s3cret",
        "scope": "a b",
        "audience": "api",
    }


async def test_one_who_leaves_does_not_cancel_the_fetch_of_the_others(make: Make) -> None:
    async with TokenEndpoint(slow=0.1) as endpoint:
        held, transport = made(make, oauth(endpoint.url), Clock())
        first = asyncio.ensure_future(held.obtain())
        second = asyncio.ensure_future(held.obtain())
        await asyncio.sleep(0.02)
        first.cancel()
        assert await second == "token-1"
        await transport.close()
    assert len(endpoint.forms) == 1


async def test_a_token_is_renewed_before_its_end_while_it_is_still_used(make: Make) -> None:
    clock = Clock()
    async with TokenEndpoint(expires_in=3600) as endpoint:
        held, transport = made(make, oauth(endpoint.url), clock)
        assert await held.obtain() == "token-1"
        clock.now += 3600 - EARLY - 1
        assert held.ready() == "token-1"
        assert len(endpoint.forms) == 1
        clock.now += 2
        assert held.ready() == "token-1"
        await endpoint.asked(2)
        assert await held.obtain() == "token-1" or held.ready() == "token-2"
        while held.ready() != "token-2":  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        clock.now += 3600 - LATE + 1
        assert held.ready() is None
        assert await held.obtain() == "token-3"
        await transport.close()


async def test_a_refused_token_is_replaced(make: Make) -> None:
    async with TokenEndpoint() as endpoint:
        held, transport = made(make, oauth(endpoint.url), Clock())
        assert held.refused(await held.obtain())
        assert await held.obtain() == "token-2"
        assert held.refused("token-1")
        assert held.ready() == "token-2", "an old token's refusal says nothing of the new one"
        await transport.close()


async def test_a_rotated_refresh_token_is_used_from_then_on(make: Make) -> None:
    async with TokenEndpoint(rotate=True) as endpoint:
        spec = oauth(endpoint.url, grant="refresh_token", refresh_token=Secret("r0", "${R}"), client_auth="basic")
        held, transport = made(make, spec, Clock())
        for _ in range(3):
            held.refused(await held.obtain())
        await transport.close()
    assert [form["refresh_token"] for form in endpoint.forms] == ["r0", "r1", "r2"]
    assert base64.b64decode(endpoint.authorizations[0].split()[1]) == b"me:s3cret"
    assert "client_secret" not in endpoint.forms[0]


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, b'{"error":"invalid_grant"}', ErrorKind.AUTHENTICATION, "token_refused"),
        (401, b"", ErrorKind.AUTHENTICATION, "token_refused"),
        (503, b"", ErrorKind.UPSTREAM, "token_endpoint_failed"),
        (200, b"<html>", ErrorKind.AUTHENTICATION, "token_answer_invalid"),
        (200, b'{"token_type":"bearer"}', ErrorKind.AUTHENTICATION, "token_answer_invalid"),
    ],
)
async def test_a_token_endpoint_that_refuses_is_named(
    make: Make, status: int, body: bytes, kind: ErrorKind, code: str
) -> None:
    async with TokenEndpoint(answer=(status, body)) as endpoint:
        held, transport = made(make, oauth(endpoint.url), Clock())
        with pytest.raises(GatewayError) as failed:
            await held.obtain()
        endpoint.answer = None
        assert await held.obtain() == "token-1", "a failure is not kept"
        await transport.close()
    assert (failed.value.kind, failed.value.code) == (kind, code)
    assert "s3cret" not in failed.value.text
    assert failed.value.next_step


async def test_an_endpoint_nobody_serves_is_a_failure_of_the_provider(make: Make) -> None:
    held, transport = made(make, oauth("http://127.0.0.1:9/token"), Clock())
    with pytest.raises(GatewayError) as failed:
        await held.obtain()
    await transport.close()
    assert failed.value.code == "connect_failed"
    assert failed.value.layer == "provider"


async def test_a_service_account_signs_what_google_asks_for(make: Make) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    clock = Clock()
    async with TokenEndpoint() as endpoint:
        document = {
            "type": "service_account",
            "client_email": "robot@project.iam.gserviceaccount.com",
            "private_key": pem,
            "private_key_id": "k1",
            "token_uri": endpoint.url,
        }
        spec = AuthSpec(
            "service_account", service_account=ServiceAccountSpec(Secret(json.dumps(document), "file:key.json"))
        )
        held, transport = made(make, spec, clock)
        assert await held.obtain() == "token-1"
        await transport.close()
    (form,) = endpoint.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, claims, signature = form["assertion"].split(".")

    def part(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    key.public_key().verify(part(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(part(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert json.loads(part(claims)) == {
        "iss": "robot@project.iam.gserviceaccount.com",
        "sub": "robot@project.iam.gserviceaccount.com",
        "aud": endpoint.url,
        "iat": int(clock.now),
        "exp": int(clock.now) + 3600,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    }


@pytest.mark.parametrize("text", ["no json", "{}", '{"client_email":"a","private_key":"no pem"}'])
async def test_a_service_account_key_that_is_none_is_told_without_quoting_it(make: Make, text: str) -> None:
    held, transport = made(
        make, AuthSpec("service_account", service_account=ServiceAccountSpec(Secret(text, "file:key.json"))), Clock()
    )
    with pytest.raises(GatewayError) as failed:
        await held.obtain()
    await transport.close()
    assert failed.value.code == "service_account_key"
    assert "no pem" not in failed.value.text


def test_a_token_file_is_read_again_when_it_changes(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    held, _ = made(make, AuthSpec("token_file", token_file=str(file)), Clock())
    assert held.ready() == "first"
    assert not held.refused("first")
    file.write_text("second, longer\n")
    assert held.ready() == "second, longer"
    assert held.refused("first")
    file.write_text("")
    with pytest.raises(GatewayError, match="empty"):
        held.ready()
    file.unlink()
    with pytest.raises(GatewayError, match="cannot be read"):
        held.ready()
