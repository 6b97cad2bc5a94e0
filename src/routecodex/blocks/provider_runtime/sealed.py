"""TLS that loses nothing when the peer is done before the reader is.

A peer that has sent all it has ends its TCP stream. uvloop's TLS transport takes that for the end of everything, and
drops what has come but was not handed out because reading is paused: a large answer loses its end. So reading is never
paused there. It is paused on the socket beneath, and what has come is handed out at once.

It knows transports. It must not know HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any


class Sealed(asyncio.Transport):
    """A TLS transport whose reading is paused on the socket beneath it."""

    def __init__(self, tls: asyncio.Transport, socket: asyncio.Transport) -> None:
        super().__init__()
        self.tls = tls
        self.socket = socket
        self.write = tls.write  # type: ignore[method-assign]  # once per chunk: no frame of ours stands between

    def pause_reading(self) -> None:
        if not self.socket.is_closing():
            self.socket.pause_reading()

    def resume_reading(self) -> None:
        if not self.socket.is_closing():
            self.socket.resume_reading()

    def is_reading(self) -> bool:
        return self.socket.is_reading()

    # --- all else is the TLS transport's -----------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.tls.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self.tls.is_closing()

    def close(self) -> None:
        self.tls.close()

    def abort(self) -> None:
        self.tls.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.tls.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.tls.get_protocol()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.tls.writelines(list_of_data)

    def can_write_eof(self) -> bool:
        return self.tls.can_write_eof()

    def write_eof(self) -> None:
        self.tls.write_eof()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.tls.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self.tls.get_write_buffer_size()


def parts(transport: asyncio.Transport) -> tuple[asyncio.Transport, asyncio.Transport]:
    """What TLS is laid over, and where reading is to be paused then: a proxy's connection may be sealed already."""
    return (transport.tls, transport.socket) if isinstance(transport, Sealed) else (transport, transport)


async def seal(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, server_hostname: str
) -> Sealed:
    """Lay TLS over a connection and tell `protocol`. Raises ssl.SSLError or OSError; the connection is ended then."""
    over, socket = parts(transport)
    try:
        tls = await asyncio.get_running_loop().start_tls(over, protocol, context, server_hostname=server_hostname)
        if tls is None:
            raise ConnectionAbortedError("the connection ended within the handshake")
    except BaseException:
        over.abort()
        raise
    sealed = Sealed(tls, socket)
    protocol.connection_made(sealed)
    return sealed
