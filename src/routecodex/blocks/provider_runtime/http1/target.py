"""Where a request goes and the bytes its head is made of.

It knows URLs and the request line, header lines and their limits. It must not know connections. What was built once is
kept: a provider's requests are few kinds of heads, again and again.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from routecodex.blocks.provider_runtime import wording
from routecodex.providers.transport import TransportError, TransportRequest

KEPT: Final = 512
"""Heads and URLs kept per provider."""

_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that announce no length when they carry nothing (RFC 9110 §8.6)."""
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding"})
_FORBIDDEN: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
"""Control characters but tab, CR and LF: they must not stand in a head (RFC 9110 §5.5)."""


class Origin(NamedTuple):
    """Connections to one origin are interchangeable."""

    host: str
    """A name or address, without brackets."""
    port: int
    tls: bool


class Target(msgspec.Struct, frozen=True):
    """A URL taken apart."""

    origin: Origin
    host_header: str
    path: str
    """Path and query, at least "/"."""
    absolute: str
    """The URL without login and fragment, as proxies want it."""
    authorization: str | None
    """Basic credentials of the URL's login."""


class Proxy(msgspec.Struct, frozen=True):
    """A forward proxy."""

    origin: Origin
    authorization: str | None


def parse(url: str) -> Target:
    """Take an absolute, percent-encoded URL apart. Raises TransportError (connect_failed)."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise wording.bad_url() from error
    if not host or parts.scheme not in ("http", "https"):
        raise wording.bad_url()
    tls = parts.scheme == "https"
    default = 443 if tls else 80
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise wording.bad_url() from error
    shown = f"[{name}]" if ":" in name else name
    header = shown if port in (None, default) else f"{shown}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    login = None if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Target(
        Origin(name, default if port is None else port, tls),
        header,
        path,
        f"{parts.scheme}://{header}{path}",
        None if login is None else _basic(login),
    )


def parse_proxy(url: str) -> Proxy:
    """A proxy's URL, maybe with a login. Raises TransportError (connect_failed)."""
    target = parse(url)
    return Proxy(target.origin, target.authorization)


class Heads:
    """Makes request heads; `proxy` is the one plain requests go through (tunnelled ones do not see it)."""

    def __init__(self, proxy: Proxy | None) -> None:
        self._proxy = proxy
        self._targets: dict[str, Target] = {}
        self._built: dict[tuple[str, str, tuple[tuple[str, str], ...]], tuple[Origin, bytes]] = {}

    def of(self, request: TransportRequest) -> tuple[Origin, bytes]:
        """Where to, and the whole head. Raises TransportError."""
        key = (request.method, request.url, tuple(request.headers.items()))
        built = self._built.get(key)
        if built is None:
            built = self._build(request.method, request.url, request.headers)
            if len(self._built) >= KEPT:
                self._built.clear()
            self._built[key] = built
        origin, prefix = built
        body = request.body
        if body:
            return origin, b"%scontent-length: %d\r\n\r\n" % (prefix, len(body))
        if request.method in _WITHOUT_BODY:
            return origin, prefix + b"\r\n"
        return origin, prefix + b"content-length: 0\r\n\r\n"

    def _build(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[Origin, bytes]:
        """The head up to the line that tells the body's length."""
        target = self._targets.get(url)
        if target is None:
            if len(self._targets) >= KEPT:
                self._targets.clear()
            target = self._targets[url] = parse(url)
        plain_proxy = None if target.origin.tls else self._proxy
        lines = [
            f"{method} {target.path if plain_proxy is None else target.absolute} HTTP/1.1",
            f"host: {headers.get('host', target.host_header)}",
            *[f"{name}: {value}" for name, value in headers.items() if name not in _OURS],
        ]
        if target.authorization is not None and "authorization" not in headers:
            lines.append(f"authorization: {target.authorization}")
        if plain_proxy is not None and plain_proxy.authorization is not None:
            lines.append(f"proxy-authorization: {plain_proxy.authorization}")
        return target.origin, sealed(lines)


def sealed(lines: list[str]) -> bytes:
    """These lines as bytes, each ended. Raises TransportError if one of them would end earlier than it seems."""
    try:
        text = "\r\n".join(lines).encode() + b"\r\n"
    except UnicodeEncodeError as error:
        raise wording.unsendable() from error
    if text.count(b"\n") != len(lines) or text.count(b"\r") != len(lines) or text.translate(None, _FORBIDDEN) != text:
        raise wording.unsendable()
    return text


def _basic(login: str) -> str:
    try:
        return "Basic " + b64encode(login.encode("latin-1")).decode("ascii")
    except UnicodeEncodeError as error:
        raise wording.unsendable() from error


__all__ = ["Heads", "Origin", "Proxy", "Target", "TransportError", "parse", "parse_proxy", "sealed"]
