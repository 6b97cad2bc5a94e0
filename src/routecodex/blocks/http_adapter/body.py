"""Request bodies: read within the limit, content-decoded within the limit.

A bomb is found by decoding in steps and counting. It knows content-encodings and ASGI messages, no JSON.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Final
from typing import Protocol as Interface

import brotli  # type: ignore[import-untyped]

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from routecodex.blocks.http_adapter.contract import Receive
from routecodex.blocks.http_adapter.patience import Patience

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SILENCE: Final = 60.0
"""Seconds a client may pause in the middle of its body."""
_STEP: Final = 256 * 1024
_ENCODINGS_TOGETHER: Final = 3
_MEMBERS: Final = 64
"""Members one gzip body may have: each costs a copy of what follows it."""


class ClientGone(Exception):  # noqa: N818 (not a failure of ours)
    """The client left before its request was complete."""


async def read(receive: Receive, headers: Mapping[str, str], limit: int, patience: Patience) -> bytes:
    """The whole body, decoded. `patience` is with the client. Raises GatewayError (layer client) or ClientGone."""
    announced = headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    task = patience.begin()
    try:
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            body = await _rest(receive, body, limit, patience)
        elif message["type"] == "http.disconnect":
            raise ClientGone
        elif len(body) > limit:
            raise too_large(limit)
    except asyncio.CancelledError:
        if patience.ran_out(task):
            raise _too_slow(patience.seconds) from None
        raise
    finally:
        patience.end(task)
    encoding = headers.get("content-encoding")
    return body if encoding is None or not body else decode(body, encoding, limit)


async def _rest(receive: Receive, first: bytes, limit: int, patience: Patience) -> bytes:
    pieces = [first]
    size = len(first)
    more = True
    while more:
        patience.begin()
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        more = message.get("more_body", False)
    return b"".join(pieces)


class _Decompressor(Interface):
    def step(self, data: bytes) -> bytes: ...
    @property
    def pending(self) -> bool: ...
    @property
    def complete(self) -> bool: ...


class _Zlib:
    """zlib, raw deflate or gzip by `window`; a gzip body may have several members, within reason."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._members = 1
        self._inner = zlib.decompressobj(window)

    def step(self, data: bytes) -> bytes:
        if self._inner.eof and self._inner.unused_data:
            data = self._inner.unused_data + data
            self._members += 1
            self._inner = zlib.decompressobj(self._window)
        return self._inner.decompress(self._inner.unconsumed_tail + data, _STEP)

    @property
    def pending(self) -> bool:
        more_members = self._inner.eof and bool(self._inner.unused_data) and self._members < _MEMBERS
        return bool(self._inner.unconsumed_tail) or more_members

    @property
    def complete(self) -> bool:
        return self._inner.eof and not self._inner.unused_data


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def step(self, data: bytes) -> bytes:
        out: bytes = self._inner.process(data, output_buffer_limit=_STEP)
        return out

    @property
    def pending(self) -> bool:
        return not self._inner.can_accept_more_data()

    @property
    def complete(self) -> bool:
        return bool(self._inner.is_finished())


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdDecompressor()

    def step(self, data: bytes) -> bytes:
        out: bytes = self._inner.decompress(data, _STEP)
        return out

    @property
    def pending(self) -> bool:
        return not self._inner.needs_input and not self._inner.eof

    @property
    def complete(self) -> bool:
        return bool(self._inner.eof) and not self._inner.unused_data


def _deflate(first: bytes) -> _Zlib:
    """`deflate` is zlib by the standard; some senders leave the wrapper out."""
    wrapped = len(first) > 1 and first[0] & 0x0F == 8 and ((first[0] << 8) | first[1]) % 31 == 0
    return _Zlib(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


_DECODERS: Final[Mapping[str, Callable[[bytes], _Decompressor]]] = {
    "gzip": lambda _: _Zlib(16 + zlib.MAX_WBITS),
    "x-gzip": lambda _: _Zlib(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": lambda _: _Brotli(),
    "zstd": lambda _: _Zstd(),
}


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a `content-encoding` (a comma-separated list, undone from its end); at most `limit` bytes come out."""
    names = [name.strip().lower() for name in encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _ENCODINGS_TOGETHER:
        raise _refused(f"More than {_ENCODINGS_TOGETHER} content-encodings.", 415)
    for name in reversed(names):
        make = _DECODERS.get(name)
        if make is None:
            raise _refused(f"The content-encoding {name!r} is not supported.", 415)
        body = _decoded(make(body), body, name, limit)
    return body


def _decoded(decompressor: _Decompressor, body: bytes, name: str, limit: int) -> bytes:
    out = bytearray()
    try:
        out += decompressor.step(body)
        while decompressor.pending:
            piece = decompressor.step(b"")
            out += piece
            if len(out) > limit:
                raise too_large(limit)
            if not piece and decompressor.pending:
                break
    except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
        raise _refused(f"The request body is not valid {name}: {error}.", 400) from error
    if len(out) > limit:
        raise too_large(limit)
    if not decompressor.complete:
        raise _refused(f"The request body ends in the middle of its {name} data.", 400)
    return bytes(out)


def _too_slow(seconds: float) -> GatewayError:
    return GatewayError(
        ErrorKind.TIMEOUT,
        "request_body_timeout",
        f"The rest of the request body did not come within {seconds:.0f} s.",
        status=408,
        next_step="Send the body without pauses.",
        layer=Layer.CLIENT,
    )


def too_large(limit: int) -> GatewayError:
    """The body has more bytes than the configuration allows."""
    return GatewayError(
        ErrorKind.TOO_LARGE,
        "request_too_large",
        f"The request body has more than {limit} bytes.",
        next_step="Send less, or raise server.limits.maxBodyBytes.",
        layer=Layer.CLIENT,
    )


def _refused(message: str, status: int) -> GatewayError:
    return GatewayError(
        ErrorKind.INVALID_REQUEST,
        "bad_content_encoding",
        message,
        status=status,
        next_step="Use gzip, deflate, br, zstd or no content-encoding.",
        layer=Layer.CLIENT,
    )
