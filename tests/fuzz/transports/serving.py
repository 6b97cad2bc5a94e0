"""An upstream that plays one case at a time: every boundary is its own segment, every ending is what it says.

It shares the loop with the client, so that between two segments the client has had its turns: a boundary made here is
the boundary seen there. The next request played is the next exchange, on whatever connection it comes.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from typing import cast

from tests.fuzz.transports.making import Case, Exchange

TURNS = 6
"""Loop iterations between two segments: the client reads, parses and wakes its reader."""
PATIENCE = 0.01
"""Seconds, after as many turns, until a kept connection nobody uses is closed."""


class Upstream:
    """`async with Upstream() as upstream:`; set `case` before each run."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.port = 0
        self.requests: list[bytes] = []
        """First lines of what came since `case` was set."""
        self.connections = 0
        self.open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._served = 0

    async def __aenter__(self) -> Upstream:
        loop = asyncio.get_running_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._server = await loop.create_server(lambda: _Line(self), sock=self._listener)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def play(self, case: Case) -> None:
        """From now on serve this case from its beginning."""
        self.case = case
        self.requests = []
        self.connections = 0
        self._served = 0

    async def quiet(self) -> None:
        """Wait until no connection is open; raises TimeoutError where the client leaked one."""
        async with asyncio.timeout(10):
            while self.open or self._tasks:  # noqa: ASYNC110 - sockets of the test's own
                await asyncio.sleep(0.002)

    def next_exchange(self) -> Exchange | None:
        """The exchange of the next request, if there is one left."""
        assert self.case is not None
        if self._served >= len(self.case.exchanges):
            return None
        self._served += 1
        return self.case.exchanges[self._served - 1]

    def early(self) -> bool:
        """Whether the next exchange begins before its request is read."""
        case = self.case
        return case is not None and self._served < len(case.exchanges) and case.exchanges[self._served].early

    def run(self, line: _Line) -> None:
        task = asyncio.get_running_loop().create_task(line.serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Line(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = bytearray()
        self._woken = asyncio.Event()
        self._ended = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._upstream.connections += 1
        self._upstream.open += 1
        self._upstream.run(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._woken.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._woken.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._upstream.open -= 1
        self._woken.set()

    async def serve(self) -> None:
        upstream = self._upstream
        first = True
        while not self._ended:
            early = first and upstream.early()
            if not early and not await self._request(forever=first):
                break
            first = False
            exchange = upstream.next_exchange()
            if exchange is None:
                break
            for cut in exchange.cuts:
                if self._ended:
                    return
                self._transport.write(cut)
                await self._delivered()
                await _turns()
            if early:
                await self._request(forever=False)
            if exchange.ending == "rst":
                await _turns()
                if not self._ended:
                    self._reset()
                return
            if exchange.ending == "fin":
                break
        await _turns()
        self._transport.close()

    async def _delivered(self) -> None:
        """Until the other side's system has all of it: a reset behind it must not swallow it."""
        raw = self._transport.get_extra_info("socket")
        while not self._ended:
            if not self._transport.get_write_buffer_size() and not _unacknowledged(raw.fileno()):
                return
            await asyncio.sleep(0)

    async def _request(self, *, forever: bool) -> bool:
        """Take one whole request from the buffer; False when none comes."""
        turns = 0
        began = asyncio.get_running_loop().time()
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head = bytes(self._buffer[:end])
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                if len(self._buffer) >= end + 4 + length:
                    del self._buffer[: end + 4 + length]
                    self._upstream.requests.append(head.partition(b"\r\n")[0])
                    return True
            if self._ended:
                return False
            if forever:
                self._woken.clear()
                await self._woken.wait()
                continue
            turns += 1
            if turns > 60 and asyncio.get_running_loop().time() - began > PATIENCE:
                return False
            await asyncio.sleep(0 if turns <= 60 else 0.002)

    def _reset(self) -> None:
        """Close with RST."""
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _unacknowledged(descriptor: int) -> int:
    """Bytes written that the peer's system has not taken (Linux's SIOCOUTQ; elsewhere 0)."""
    if not sys.platform.startswith("linux") or descriptor < 0:
        return 0
    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4))[0])
