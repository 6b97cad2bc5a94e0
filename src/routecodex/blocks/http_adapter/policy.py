"""Who may ask: keys, hosts, origins. Shared by both sides of `hostBlocks.httpAdapter`.

Decisions only: a head goes in, an account or a GatewayError comes out. Keys are kept as digests and compared in
constant time. A name in `Host` that is not ours means DNS rebinding; an `Origin` that is not ours means a web page.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter.contract import Rules, Shape
from routecodex.blocks.http_adapter.headers import CREDENTIALS

_KEPT: Final = 256
"""Host values remembered as good."""

_JSON_TYPES: Final = frozenset({"application/json", "text/json", "application/x-ndjson"})

KEY_PARAMETER: Final = "key"


class Policy:
    """The adapter's rules over one configuration."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        server = rules.server
        self._keys = [(_digest(key.secret.reveal()), key.account) for key in server.api_keys]
        self._any_host = "*" in server.allowed_hosts
        self._any_origin = "*" in server.allowed_origins
        self._names = {name.lower() for name in (*server.allowed_hosts, server.host, "localhost")}
        self._origins = {origin.lower().rstrip("/") for origin in server.allowed_origins}
        self._good_hosts: set[str] = set()

    # --- where the request comes from ------------------------------------------------------------------

    def check_source(self, headers: Mapping[str, str]) -> None:
        """Refuse foreign Host and Origin values (403)."""
        host = headers.get("host")
        if host is not None and host not in self._good_hosts:
            self._check_host(host)
        origin = headers.get("origin")
        if origin is not None and not self._own_origin(origin, host):
            raise _forbidden(
                "foreign_origin",
                "Requests of this web origin are refused.",
                "Add the origin to server.allowedOrigins.",
            )

    def _check_host(self, host: str) -> None:
        name = _host_name(host)
        if not (self._any_host or name in self._names or name.endswith(".localhost") or _is_address(name)):
            raise _forbidden(
                "foreign_host",
                "The Host header names a host this gateway does not answer for.",
                "Add the name to server.allowedHosts.",
            )
        if len(self._good_hosts) < _KEPT:
            self._good_hosts.add(host)

    def _own_origin(self, origin: str, host: str | None) -> bool:
        if self._any_origin or origin.lower() in self._origins:
            return True
        return host is not None and urlsplit(origin).netloc.lower() == host.lower() != ""

    def cors(self, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """What a browser wants to see in the answer to an origin the configuration allows."""
        origin = headers.get("origin")
        if origin is None or not (self._any_origin or origin.lower() in self._origins):
            return []
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]

    # --- who asks --------------------------------------------------------------------------------------

    def account(self, headers: Mapping[str, str], query: bytes) -> str:
        """The account of the key presented; "" where no keys are configured. Raises a 401."""
        if not self._keys:
            return ""
        presented = _presented(headers, query)
        if presented is None:
            raise _unauthorised("missing_api_key", "No API key was presented.")
        digest = _digest(presented)
        found: str | None = None
        for known, account in self._keys:  # all of them, always: the time taken must not tell which one fits
            if hmac.compare_digest(known, digest):
                found = account
        if found is None:
            raise _unauthorised("invalid_api_key", "The API key is not known to this gateway.")
        return found

    def check_admin(self, headers: Mapping[str, str]) -> None:
        """The admin surface asks for its token, on loopback too."""
        expected = self.rules.admin_token_digest
        if expected is None:
            raise GatewayError(
                ErrorKind.NOT_FOUND,
                "admin_disabled",
                "The admin surface is switched off.",
                next_step="Set server.admin.enabled.",
                layer=Layer.CLIENT,
            )
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(expected, _digest(token.strip())):
            raise _unauthorised(
                "admin_token_required",
                "This needs the admin token.",
                "Send it as `Authorization: Bearer`; it is in the file `routecodex status` names.",
            )

    def check_metrics(self) -> None:
        """`/metrics` may be switched off (404)."""
        if not self.rules.metrics:
            raise GatewayError(
                ErrorKind.NOT_FOUND,
                "metrics_disabled",
                "The metrics are switched off.",
                next_step="Set telemetry.metrics.",
                layer=Layer.CLIENT,
            )

    def is_admin(self, headers: Mapping[str, str]) -> bool:
        """Whether the admin token was presented, and is right."""
        try:
            self.check_admin(headers)
        except GatewayError:
            return False
        return True

    # --- what is asked ---------------------------------------------------------------------------------

    def check_content_type(self, headers: Mapping[str, str]) -> None:
        """Bodies are JSON. A missing type is taken for JSON; forms and plain text are what web pages can forge."""
        content_type = headers.get("content-type")
        if content_type is None or content_type == "application/json":
            return
        kind = content_type.partition(";")[0].strip().lower()
        if kind and kind not in _JSON_TYPES and not kind.endswith("+json"):
            raise GatewayError(
                ErrorKind.INVALID_REQUEST,
                "unsupported_media_type",
                f"The content-type {kind!r} is not JSON.",
                status=415,
                next_step="Send a JSON body with content-type application/json.",
                layer=Layer.CLIENT,
            )


def model_list_shape(path: str, headers: Mapping[str, str]) -> Shape:
    """Three vendors share `GET /v1/models`: the client is known by the header its SDK sends."""
    if "anthropic-version" in headers:
        return "anthropic"
    if path.startswith(("/v1beta", "/v1alpha")) or "x-goog-api-key" in headers or "x-goog-api-client" in headers:
        return "gemini"
    return "openai"


def error_protocol(shape: Shape) -> Protocol:
    """The protocol whose errors a client of this shape understands."""
    return {
        "openai": Protocol.OPENAI_CHAT,
        "anthropic": Protocol.ANTHROPIC_MESSAGES,
        "gemini": Protocol.GEMINI,
    }[shape]


def query_values(query: bytes) -> dict[str, str]:
    """Decoded single values; a client's key is left out."""
    if not query:
        return {}
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {name: value for name, value in pairs if name != KEY_PARAMETER}


def token_digest(token: str) -> bytes:
    """How keys and tokens are kept."""
    return _digest(token)


def _presented(headers: Mapping[str, str], query: bytes) -> str | None:
    for name in CREDENTIALS:
        value = headers.get(name)
        if value is None:
            continue
        if name != "authorization":
            return value
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
    if b"key=" in query:
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name == KEY_PARAMETER:
                return value
    return None


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()


def _host_name(host: str) -> str:
    """`name:port`, `[v6]:port` -> name, lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _forbidden(code: str, message: str, next_step: str) -> GatewayError:
    return GatewayError(ErrorKind.PERMISSION, code, message, next_step=next_step, layer=Layer.CLIENT)


def _unauthorised(code: str, message: str, next_step: str | None = None) -> GatewayError:
    return GatewayError(
        ErrorKind.AUTHENTICATION,
        code,
        message,
        next_step=next_step or "Send one of server.apiKeys as Bearer token, x-api-key, x-goog-api-key or ?key=.",
        layer=Layer.CLIENT,
    )
