"""Content encodings, decoded as bytes come: gzip, deflate (also raw), br, zstd.

It knows bytes only. A decoder gives about `PIECE` bytes at a time and no more, however much they were squeezed: the
rest waits inside it until it is asked again. gzip and zstd bodies may be several members in a row (RFC 1952 §2.2,
RFC 8878 §3.1); a body that ends inside a member is not whole.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final
from typing import Protocol as Interface

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

PIECE: Final = 256 * 1024
"""Bytes given out at most by one call; brotli fills its buffer up, to less than twice as much."""
_MEMBERS: Final = 1024
"""Members decoded by one call; more is an attack: each costs a decoder and yields next to nothing."""
_WINDOW: Final = (64, 64 * 1024)
"""Members after the first are fed in windows, doubling: what stands behind a member's end is copied by its decoder."""


class UndecodableError(Exception):
    """The bytes are not in the encoding."""


class Decoder(Interface):
    """One body's way out of its encoding."""

    def decode(self, data: bytes) -> bytes:
        """At most about `PIECE` bytes; call again with b"" while `pending`. Raises UndecodableError."""
        ...

    @property
    def pending(self) -> bool:
        """Whether there may be more without new input."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the body may end here."""
        ...


class _Member(Interface):
    """What zlib's and zstd's decompressors have in common, once limits and leftovers have the same names."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Any, limit: int, /) -> bytes: ...


class _Inflate:
    """A zlib decompressor that keeps what the limit stopped, as zstd's does."""

    __slots__ = ("_inner",)

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    def decompress(self, data: bytes | memoryview, limit: int, /) -> bytes:
        tail = self._inner.unconsumed_tail
        return self._inner.decompress(tail + data if tail else data, limit)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


class _Members:
    """gzip, deflate and zstd: members, one after the other."""

    __slots__ = ("_full", "_make", "_member", "_rest", "_started")

    def __init__(self, make: Callable[[], _Member]) -> None:
        self._make = make
        self._member = make()
        self._rest = b""
        self._full = False
        self._started = False

    def decode(self, data: bytes) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        if data:
            self._started = True
        elif not self._full:
            return b""
        try:
            return self._decode(data)
        except (zlib.error, ZstdError) as error:
            raise UndecodableError(str(error)) from error

    def _decode(self, data: bytes) -> bytes:
        member = self._member
        if member.eof:
            if not data:
                self._full = False
                return b""
            member = self._member = self._make()
        out = member.decompress(data, PIECE)
        self._full = len(out) >= PIECE
        if not member.eof or not (rest := member.unused_data):
            return out
        return self._following(out, rest)

    def _following(self, first: bytes, rest: bytes) -> bytes:
        """The members after the one that gave `first`."""
        out, size, place, members = [first], len(first), 0, 0
        window = _WINDOW[0]
        member = self._member
        view = memoryview(rest)
        while place < len(rest):
            if member.eof:
                members += 1
                if members >= _MEMBERS:
                    raise UndecodableError("too many members")
                member = self._member = self._make()
                window = _WINDOW[0]
            if size >= PIECE:
                self._rest = rest[place:]
                break
            end = min(place + window, len(rest))
            piece = member.decompress(view[place:end], PIECE - size)
            size += len(piece)
            out.append(piece)
            place = end - len(member.unused_data) if member.eof else end
            window = min(window * 2, _WINDOW[1])
        self._full = size >= PIECE
        return b"".join(out)

    @property
    def pending(self) -> bool:
        return self._full or bool(self._rest)

    @property
    def whole(self) -> bool:
        return not self._started or (self._member.eof and not self.pending)


class _Deflate(_Members):
    """zlib's format, or raw deflate where an upstream took the name literally: the first byte tells."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_zlib)

    def decode(self, data: bytes) -> bytes:
        if not self._started and data and data[0] & 0x0F != 8:
            self._make = _raw
            self._member = _raw()
        return super().decode(data)


class _Brotli:
    __slots__ = ("_full", "_inner", "_started")

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._full = False
        self._started = False

    def decode(self, data: bytes) -> bytes:
        if data:
            self._started = True
        elif not self._full:
            return b""
        try:
            out: bytes = self._inner.process(data, PIECE)
        except brotli.error as error:
            raise UndecodableError(str(error)) from error
        self._full = bool(out) and not self._inner.is_finished()
        return out

    @property
    def pending(self) -> bool:
        return self._full

    @property
    def whole(self) -> bool:
        return not self._started or self._inner.is_finished()


def _gzip() -> _Member:
    return _Inflate(16 + zlib.MAX_WBITS)


def _zlib() -> _Member:
    return _Inflate(zlib.MAX_WBITS)


def _raw() -> _Member:
    return _Inflate(-zlib.MAX_WBITS)


def _zstd() -> _Member:
    return ZstdDecompressor()


DECODERS: Final[Mapping[str, Callable[[], Decoder]]] = {
    "gzip": lambda: _Members(_gzip),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": lambda: _Members(_zstd),
}
"""By the whole value of content-encoding, lower case. Anything else (several in a row, too) passes as it came."""
