"""A proxy of bytes between one client and its server that notes what the client asked and was answered.

It changes nothing. HTTP/1.1 clients do not pipeline, so a request begins with a chunk of its own, and the first
chunk after it begins with the status line: what is noted is exact without parsing bodies.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

_REQUEST = re.compile(rb"(GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) (\S+) HTTP/1\.[01]\r\n")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@dataclass
class Exchange:
    """One request on the wire; status 0 until (or unless) an answer began."""

    method: str
    target: str
    status: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.target} -> {self.status or 'no answer'}"


class Tap:
    """`async with Tap(port) as tap:` listens on `tap.port` and passes everything on to `port`."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.exchanges: list[Exchange] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Tap:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        waiting: list[Exchange] = []
        try:
            await asyncio.gather(
                self._pass(reader, requests, lambda chunk: self._asked(chunk, waiting)),
                self._pass(answers, writer, lambda chunk: self._answered(chunk, waiting)),
            )
        except asyncio.CancelledError:
            pass  # the cell is over; a streams task that ends cancelled is reported as an error
        finally:
            for side in (writer, requests):
                side.close()

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, note: Callable[[bytes], None]
    ) -> None:
        """Until the source ends; its end is passed on, a reset as an end of both sides."""
        with contextlib.suppress(OSError):  # "not connected" too: the sink was reset a moment before
            while chunk := await source.read(65536):
                note(chunk)
                sink.write(chunk)
                await sink.drain()
            if sink.can_write_eof():
                sink.write_eof()
            return
        sink.transport.abort()

    def _asked(self, chunk: bytes, waiting: list[Exchange]) -> None:
        found = _REQUEST.match(chunk)
        if found:
            exchange = Exchange(found[1].decode(), found[2].decode("latin-1"))
            self.exchanges.append(exchange)
            waiting.append(exchange)

    def _answered(self, chunk: bytes, waiting: list[Exchange]) -> None:
        found = _STATUS.match(chunk) if waiting else None
        if found:
            waiting.pop(0).status = int(found[1])
