"""Just enough HTTP/1.1 for safe mode: one request with a known length, one answer, then the connection closes.

Bounded in bytes and time. It knows no path and no meaning.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import msgspec

_HEAD_SECONDS: Final = 10.0
_BODY_SECONDS: Final = 30.0
_LINGER_SECONDS: Final = 1.0
_MOST_KEPT: Final = 64 * 1024
_MOST_READ: Final = 64 * 1024 * 1024
"""A client in the middle of a long request hears its answer only once it was read."""


class Request(msgspec.Struct, frozen=True):
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Its first 64 KiB."""


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The request; None where none came or it makes no sense. Raises TimeoutError, LimitOverrunError."""
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        return None
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    path, _, query = words[1].partition("?")
    try:
        parsed = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return None
    async with asyncio.timeout(_BODY_SECONDS):
        body = await _body(reader, headers)
    return Request(words[0], path, parsed, headers, body)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "")
    left = min(int(length), _MOST_READ) if length.isdecimal() and len(length) < 12 else 0
    kept = b""
    while left > 0 and (piece := await reader.read(min(left, _MOST_KEPT))):
        left -= len(piece)
        kept = (kept + piece)[:_MOST_KEPT]
    return kept


async def hear_out(reader: asyncio.StreamReader) -> None:
    """Take what the client still sends, for a second: closing on unread bytes would throw away its answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(_MOST_KEPT):
                pass


def answer(status: int, body: bytes, without_body: bool = False) -> bytes:
    """The whole answer: JSON."""
    phrase = HTTPStatus(status).phrase
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nretry-after: 5\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if without_body else body)
