"""A connection as a list of steps: bytes to send, and how much to read. What came is kept byte for byte.

It knows where an HTTP/1.1 answer ends, and nothing of what it says.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

WITHIN: Final = 5.0
"""Seconds in which what is waited for must come."""


@dataclass(frozen=True)
class Later:
    """Bytes to send in which `{id}` is the id of the response that came last."""

    template: bytes


@dataclass(frozen=True)
class Answer:
    """Read one whole answer; `head` where it has no body (to HEAD)."""

    head: bool = False


@dataclass(frozen=True)
class Until:
    """Read until these bytes have come, or the end."""

    wanted: bytes


@dataclass(frozen=True)
class Rest:
    """Read to the connection's end."""


@dataclass(frozen=True)
class Pause:
    """Let the server take what it has."""

    seconds: float = 0.02


@dataclass(frozen=True)
class HangUp:
    """Close, with FIN or RST."""

    reset: bool = False


CLOSED: Final = b"<closed>"
"""The server has closed, as it said it would."""

Step: TypeAlias = bytes | Later | Answer | Until | Rest | Pause | HangUp


async def converse(port: int, steps: tuple[Step, ...]) -> bytes:
    """Everything that came on one connection, dates left out. Raises TimeoutError where something stays away."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    came = bytearray()
    try:
        async with asyncio.timeout(WITHIN):
            for step in steps:
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                elif isinstance(step, Later):
                    writer.write(step.template.replace(b"{id}", _RESPONSE.findall(came)[-1]))
                elif isinstance(step, Answer):
                    came += await _answer(reader, step.head)
                elif isinstance(step, Until):
                    came += await _until(reader, step.wanted)
                elif isinstance(step, Rest):
                    came += await reader.read()
                elif isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                elif step.reset:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                else:
                    writer.close()
    except ConnectionError as error:
        if not came.endswith(CLOSED):
            came += f"<{type(error).__name__}>".encode()
    finally:
        writer.close()
    return _DATE.sub(rb"\1", bytes(came))


async def _until(reader: asyncio.StreamReader, wanted: bytes) -> bytes:
    try:
        return await reader.readuntil(wanted)
    except asyncio.IncompleteReadError as error:
        return error.partial


_DATE = re.compile(rb"(\r\nDate: )[^\r]*")
"""Of a refused upgrade; the second in which it was said may be another."""
_RESPONSE = re.compile(rb"\bresp_\w+")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n")


async def _answer(reader: asyncio.StreamReader, head_only: bool) -> bytes:
    head = await _until(reader, b"\r\n\r\n")
    status = head[9:12]
    if status.startswith(b"1") and status != b"101":
        return head + await _answer(reader, head_only)
    lower = head.lower()
    body = b""
    length = _LENGTH.search(lower)
    if head_only or status in (b"101", b"204", b"304") or not head:
        pass
    elif b"\r\ntransfer-encoding: chunked\r\n" in lower:
        body = await _chunked(reader)
    elif length is not None:
        try:
            body = await reader.readexactly(int(length[1]))
        except asyncio.IncompleteReadError as error:
            body = error.partial
    else:
        body = await reader.read()
    if b"\r\nconnection: close\r\n" in lower:
        # What is sent into a connection that was closed is answered by a reset, or not, as timing has it.
        with contextlib.suppress(ConnectionError):
            body += await reader.read()
        body += CLOSED
    return head + body


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    came = bytearray()
    while True:
        line = await _until(reader, b"\r\n")
        came += line
        size = int(line.partition(b";")[0] or b"0", 16)
        try:
            came += await reader.readexactly(size + 2)
        except asyncio.IncompleteReadError as error:
            return bytes(came + error.partial)
        if not size:
            return bytes(came)
