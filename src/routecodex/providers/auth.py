"""Credentials: where the value a provider is asked with comes from, and how it is renewed.

It knows keys, token files, OAuth2 token endpoints and service accounts. It must not know requests or protocols:
where the credential is put (header or query) is the provider's part. `fetch_token` is the one call in here that
leaves the machine.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final
from typing import Protocol as Interface
from urllib.parse import quote, urlencode

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from routecodex.config.compiled import AuthSpec, OAuthSpec, ServiceAccountSpec
from routecodex.config.secret import Secret
from routecodex.providers.errors import gateway_error
from routecodex.providers.service_account import ServiceAccountKey, ServiceAccountKeyError, assertion, read_key
from routecodex.providers.transport import Transport, TransportError, TransportRequest

EARLY: Final = 120.0
"""Seconds before its end a token is renewed, beside the requests that still use it."""
LATE: Final = 10.0
"""Seconds before its end a token is not used any more."""
FETCH_TIMEOUT: Final = 30.0
_MAX_TOKEN_BODY: Final = 256 * 1024

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Credential(Interface):
    """One keyAlias's secret."""

    def ready(self) -> str | None:
        """The value if it is at hand; None when `obtain` must be awaited."""
        ...

    async def obtain(self) -> str:
        """The value, fetched if need be. Raises GatewayError (layer provider)."""
        ...

    def refused(self, value: str) -> bool:
        """The upstream answered 401 to `value`. True: another value can be had, asking again makes sense."""
        ...


class StaticCredential:
    """A key that never changes while the configuration does not."""

    __slots__ = ("_value",)

    def __init__(self, secret: Secret) -> None:
        self._value = secret.reveal()

    def ready(self) -> str | None:
        return self._value

    async def obtain(self) -> str:
        return self._value

    def refused(self, value: str) -> bool:
        return False


class TokenFileCredential:
    """A token another program keeps in a file; the file is read again when it changed."""

    __slots__ = ("_path", "_stamp", "_value")

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._stamp: tuple[int, int, int] | None = None
        self._value = ""

    def ready(self) -> str:
        # One stat per request costs a microsecond; reading a small local file is not worth a thread.
        try:
            state = self._path.stat()
            stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
            if stamp != self._stamp:
                self._value = self._path.read_text(encoding="utf-8").strip()
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            raise _no_credential(
                "token_file_unreadable", f"The token file {self._path} cannot be read: {error}."
            ) from error
        if not self._value:
            raise _no_credential("token_file_empty", f"The token file {self._path} is empty.")
        return self._value

    async def obtain(self) -> str:
        return self.ready()

    def refused(self, value: str) -> bool:
        self._stamp = None
        return self.ready() != value


class Token(msgspec.Struct, frozen=True):
    """A bearer token and the Unix second it ends at."""

    value: str
    expires: float
    refresh_token: str | None = None


class RenewedCredential:
    """A token from a token endpoint: kept until shortly before its end, renewed once for all who wait."""

    __slots__ = ("_fetch", "_now", "_renewal", "_token")

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, Token]], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None

    def ready(self) -> str | None:
        token = self._token
        if token is None:
            return None
        left = token.expires - self._now()
        if left > EARLY:
            return token.value
        self._renew()
        return token.value if left > LATE else None

    async def obtain(self) -> str:
        value = self.ready()
        if value is not None:
            return value
        # Shielded: the renewal belongs to all who wait, one client's hang-up must not cancel it.
        token = await asyncio.shield(self._renew())
        return token.value

    def refused(self, value: str) -> bool:
        if self._token is not None and self._token.value == value:
            self._token = None
        return True

    def _renew(self) -> asyncio.Task[Token]:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().create_task(self._fetch())
            self._renewal.add_done_callback(self._renewed)
        return self._renewal

    def _renewed(self, task: asyncio.Task[Token]) -> None:
        self._renewal = None
        # Asking for the exception marks it as seen: whoever waits gets it, a failed early renewal is tried again.
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()


def credential(spec: AuthSpec, transport: Transport, provider: str, now: Callable[[], float]) -> Credential | None:
    """The credential an `AuthSpec` describes; None for kind `none`. `now` in Unix seconds."""
    if spec.kind == "static" and spec.secret is not None:
        return StaticCredential(spec.secret)
    if spec.kind == "token_file" and spec.token_file is not None:
        return TokenFileCredential(spec.token_file)
    if spec.kind == "oauth2" and spec.oauth is not None:
        return RenewedCredential(OAuthFetch(spec.oauth, transport, provider, now), now)
    if spec.kind == "service_account" and spec.service_account is not None:
        return RenewedCredential(ServiceAccountFetch(spec.service_account, transport, provider, now), now)
    if spec.kind == "none":
        return None
    raise ValueError(f"The credential of {provider} is of kind {spec.kind} but lacks what that kind needs.")


class OAuthFetch:
    """Client credentials (RFC 6749 §4.4) or a refresh token (§6); a rotated refresh token is used from then on."""

    def __init__(self, spec: OAuthSpec, transport: Transport, provider: str, now: Callable[[], float]) -> None:
        self._spec = spec
        self._transport = transport
        self._provider = provider
        self._now = now
        self._refresh_token = spec.refresh_token.reveal() if spec.refresh_token is not None else None

    async def __call__(self) -> Token:
        spec = self._spec
        form: dict[str, str] = {"grant_type": spec.grant}
        headers: dict[str, str] = {}
        secret = spec.client_secret.reveal() if spec.client_secret is not None else None
        if self._refresh_token is not None and spec.grant == "refresh_token":
            form["refresh_token"] = self._refresh_token
        if spec.scopes:
            form["scope"] = " ".join(spec.scopes)
        if spec.audience is not None:
            form["audience"] = spec.audience
        if spec.client_auth == "basic":
            pair = f"{quote(spec.client_id, safe='')}:{quote(secret or '', safe='')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = spec.client_id
            if secret is not None:
                form["client_secret"] = secret
        token = await fetch_token(self._transport, spec.token_url, form, headers, self._provider, self._now)
        if token.refresh_token is not None:
            self._refresh_token = token.refresh_token
        return token


class ServiceAccountFetch:
    """A signed assertion for a bearer token (RFC 7523)."""

    def __init__(self, spec: ServiceAccountSpec, transport: Transport, provider: str, now: Callable[[], float]) -> None:
        self._spec = spec
        self._transport = transport
        self._provider = provider
        self._now = now
        self._key: ServiceAccountKey | None = None

    async def __call__(self) -> Token:
        try:
            if self._key is None:
                self._key = read_key(self._spec.key.reveal())
            signed = assertion(self._key, self._spec.scopes, self._now())
        except ServiceAccountKeyError as error:
            raise _no_credential("service_account_key", f"{error} (provider {self._provider})") from error
        form = {"grant_type": JWT_BEARER, "assertion": signed}
        return await fetch_token(self._transport, self._key.token_uri, form, {}, self._provider, self._now)


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None
    refresh_token: str | None = None


async def fetch_token(
    transport: Transport,
    url: str,
    form: dict[str, str],
    headers: dict[str, str],
    provider: str,
    now: Callable[[], float],
) -> Token:
    """Ask a token endpoint (RFC 6749 §5). Without `expires_in` a token counts as valid for five minutes.

    Raises GatewayError: kind authentication if the endpoint refuses, else by what the transport says.
    """
    request = TransportRequest(
        "POST",
        url,
        {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/x-www-form-urlencoded",
            "user-agent": "routecodex",
            **headers,
        },
        urlencode(form).encode(),
    )
    try:
        async with asyncio.timeout(FETCH_TIMEOUT):
            stream = await transport.open(request)
            try:
                body = bytearray()
                while chunk := await stream.read():
                    body += chunk
                    if len(body) > _MAX_TOKEN_BODY:
                        break
            finally:
                stream.close()
    except TransportError as error:
        raise gateway_error(error, f"{provider}, token endpoint") from error
    except TimeoutError as error:
        raise GatewayError(
            ErrorKind.TIMEOUT,
            "token_endpoint_timeout",
            f"The token endpoint of {provider} did not answer in {FETCH_TIMEOUT:.0f} s.",
            next_step="Check tokenUrl and the network.",
            layer=Layer.PROVIDER,
        ) from error
    if stream.status >= 500:
        raise GatewayError(
            ErrorKind.UPSTREAM,
            "token_endpoint_failed",
            f"The token endpoint of {provider} answered {stream.status}.",
            next_step="Try again.",
            layer=Layer.PROVIDER,
        )
    if stream.status != 200:
        raise _no_credential("token_refused", f"The token endpoint of {provider} answered {stream.status}.")
    try:
        answer = msgspec.json.decode(body, type=_TokenAnswer)
        lifetime = float(answer.expires_in) if answer.expires_in is not None else 300.0
    except (msgspec.DecodeError, ValueError) as error:
        raise _no_credential(
            "token_answer_invalid", f"The token endpoint of {provider} sent no usable access_token."
        ) from error
    return Token(answer.access_token, now() + lifetime, answer.refresh_token)


def _no_credential(code: str, message: str) -> GatewayError:
    return GatewayError(
        ErrorKind.AUTHENTICATION,
        code,
        message,
        next_step="Check the provider's credentials in the configuration.",
        layer=Layer.PROVIDER,
    )
