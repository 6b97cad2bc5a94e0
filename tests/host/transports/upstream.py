"""An upstream that does what the test says, byte by byte: the test holds both ends.

`async with Upstream() as up:`; `line = await up.line()` is the next connection; `await line.request()` what came on it,
`line.send(...)` what goes back.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import Any

from llmswitch_core.canonical.model import Protocol
from routecodex.config.compiled import ProviderSpec, Timeouts
from routecodex.providers.transport import Transport, TransportRequest

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
FAST = Timeouts(connect=3, first_byte=5, idle=5, total=30)


class Line:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[str, bytes]:
        """(head, body) of the next request."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(row.partition(":")[2]) for row in head.lower().split("\r\n") if row.startswith("content-length:")),
                0,
            )
            return head, await self.reader.readexactly(length)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def closed(self, within: float = 5.0) -> bool:
        """Wait until the client has closed it; True where it did so with a reset."""
        async with asyncio.timeout(within):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionResetError:
                return True
        return False

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Upstream:
    """Listens on a free port of 127.0.0.1."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.lines: list[Line] = []
        self._context = context
        self._fresh: asyncio.Queue[Line] = asyncio.Queue()

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for line in self.lines:
            line.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        self.lines.append(line)
        self._fresh.put_nowait(line)

    async def line(self) -> Line:
        """The next connection."""
        async with asyncio.timeout(10):
            return await self._fresh.get()

    def spec(self, **more: Any) -> ProviderSpec:
        """A provider at this address."""
        return ProviderSpec("acme", Protocol.OPENAI_CHAT, self.url, "acme", "plain", {}, **{"timeouts": FAST, **more})

    def ask(self, path: str = "/", *, method: str = "POST", body: bytes = b"{}", **headers: str) -> TransportRequest:
        """A request to this address; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return TransportRequest(method, self.url + path, named, body)


async def whole(transport: Transport, request: TransportRequest) -> tuple[int, bytes]:
    """(status, body) of one request."""
    stream = await transport.open(request)
    body = b""
    while data := await stream.read():
        body += data
    return stream.status, body


async def settle(turns: int = 30) -> None:
    """Give everything that is ready its turns."""
    for _ in range(turns):
        await asyncio.sleep(0)
