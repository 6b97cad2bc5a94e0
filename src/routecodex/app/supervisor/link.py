"""Frames messages on a socket pair: four bytes of length, then msgpack. Both ends; one task reads, anyone writes.

It knows bytes and time-outs of nobody. A peer that sends what is no message, or more than a message may be, is cut
off: its end of the link is closed and reading ends as if it had died.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any, Final, Generic, TypeVar

import msgspec

MAX_MESSAGE: Final = 16 * 1024 * 1024
_LENGTH: Final = struct.Struct("!I")

Out = TypeVar("Out")
In = TypeVar("In")


class LinkClosedError(Exception):
    """The other end is gone."""


class Link(Generic[Out, In]):
    """One end. `read` gives the next message; None when the peer has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: Any) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder: msgspec.msgpack.Decoder[In] = msgspec.msgpack.Decoder(incoming)
        self._encoder = msgspec.msgpack.Encoder()

    async def read(self) -> In | None:
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_MESSAGE:
                self.close()
                return None
            return self._decoder.decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            self.close()
            return None

    def write(self, message: Out) -> None:
        """Send; never waits. Raises LinkClosedError when nobody can read it any more."""
        if self._writer.is_closing():
            raise LinkClosedError
        body = self._encoder.encode(message)
        self._writer.write(_LENGTH.pack(len(body)) + body)

    async def flush(self) -> None:
        """Wait until what was written has left; nothing to wait for when the peer has gone."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


async def connect(end: socket.socket, incoming: Any) -> Link[Any, Any]:
    """A link over this end of a socket pair; `incoming` is the union of what may come."""
    reader, writer = await asyncio.open_unix_connection(sock=end, limit=MAX_MESSAGE)
    writer.transport.set_write_buffer_limits(high=0)  # so that `flush` waits for the last byte
    return Link(reader, writer, incoming)
