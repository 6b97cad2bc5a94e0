"""A client that is nothing but a socket: for hang-ups, slow reading and requests no library would send."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any


class RawClient:
    """One connection. `async with RawClient(port) as client:`; `receive` reads what is there."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.port = port
        self._receive_buffer = receive_buffer
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> RawClient:
        sock = socket.socket()
        if self._receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        limit = 2**16 if self._receive_buffer is None else 2**12
        self.reader, self.writer = await asyncio.open_connection(sock=sock, limit=limit)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()

    async def post(self, path: str, body: dict[str, Any] | bytes, *headers: str, length: int | None = None) -> None:
        """Send a request, whole unless `length` announces more than there is."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [
            f"POST {path} HTTP/1.1",
            "host: 127.0.0.1",
            "content-type: application/json",
            f"content-length: {len(data) if length is None else length}",
            *headers,
        ]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await self.writer.drain()

    async def until(self, wanted: bytes, within: float = 10.0) -> bytes:
        """Everything up to and with `wanted`, or to the end."""
        seen = b""
        async with asyncio.timeout(within):
            while wanted not in seen:
                chunk = await self.reader.read(4096)
                if not chunk:
                    break
                seen += chunk
        return seen

    async def rest(self, within: float = 10.0) -> bytes:
        """Everything to the end of the connection."""
        async with asyncio.timeout(within):
            return await self.reader.read()

    def hang_up(self) -> None:
        """Close with FIN."""
        self.writer.close()

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
