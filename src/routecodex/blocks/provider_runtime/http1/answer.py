"""One answer as its reader sees it: status, headers, and bytes as they come.

It knows what has arrived and how the answer ended. It must not know framing, sockets or pools: the connection fills
it, and is told when something was taken. Whoever reads slowly lets the connection pause; nobody's time runs but a
waiting reader's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from typing import Protocol as Interface

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.decoding import DECODERS, PIECE, Decoder, UndecodableError
from routecodex.providers.transport import TransportError

_NO_HEADERS: Final[Mapping[str, str]] = {}


class Source(Interface):
    """What fills an answer, as the answer knows it."""

    @property
    def waiter(self) -> asyncio.Future[None] | None:
        """What somebody awaits now."""
        ...

    def arrival(self, seconds: float) -> asyncio.Future[None]:
        """To be awaited while the answer has not ended: something came, or it ended. If not, see `abandoned`."""
        ...

    def abandoned(self, waiter: asyncio.Future[None]) -> None:
        """Whoever awaited this went away."""
        ...

    def taken(self) -> None:
        """The reader took what had come."""
        ...

    def give_up(self, reason: TransportError) -> None:
        """End the exchange with this failure, without waiting for anything."""
        ...


class Answer:
    """A `TransportStream`. Until its head has come, only its connection holds it."""

    __slots__ = ("_decoder", "connection", "failure", "headers", "idle", "pieces", "status")

    def __init__(self, connection: Source, idle: float) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = _NO_HEADERS
        self.idle = idle
        """Seconds of silence a waiting reader bears."""
        self.pieces: list[bytes] = []
        """What came and was not read, as it stood between the framing."""
        self.connection: Source | None = connection
        """None once the answer ended, well or not: the connection is then somebody else's, or gone."""
        self.failure: TransportError | None = None
        self._decoder: Decoder | None = None

    def encoded(self, encoding: str) -> None:
        """The body is to be decoded, if the encoding is a known one."""
        make = DECODERS.get(encoding)
        if make is not None:
            self._decoder = make()

    async def read(self) -> bytes:
        """The next bytes as received, content-decoded; b"" at the clean end. Raises TransportError."""
        if self._decoder is not None:
            return await self._read_decoded()
        pieces = self.pieces
        while not pieces:
            connection = self.connection
            if connection is None:
                return self._end()
            waiter = connection.arrival(self.idle)
            try:
                await waiter
            except BaseException:
                connection.abandoned(waiter)
                raise
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        connection = self.connection
        if connection is not None:
            connection.taken()
        return data

    async def _read_decoded(self) -> bytes:
        pieces = self.pieces
        while (decoder := self._decoder) is not None:
            if pieces or decoder.pending:
                data = self._decoded(decoder)
                if data:
                    return data
                continue
            connection = self.connection
            if connection is None:
                if self.failure is None and not decoder.whole:
                    self.failure = wording.truncated()
                break
            waiter = connection.arrival(self.idle)
            try:
                await waiter
            except BaseException:
                connection.abandoned(waiter)
                raise
        return self._end()

    def _end(self) -> bytes:
        if self.failure is not None:
            raise self.failure
        return b""

    def _decoded(self, decoder: Decoder) -> bytes:
        """Up to about a piece's size of what has come; what preceded a fault is handed out before it is raised."""
        pieces = self.pieces
        out: list[bytes] = []
        size = taken = 0
        try:
            while size < PIECE and (decoder.pending or taken < len(pieces)):
                if decoder.pending:
                    part = decoder.decode(b"")
                else:
                    taken += 1
                    part = decoder.decode(pieces[taken - 1])
                size += len(part)
                out.append(part)
        except UndecodableError as error:
            failure = wording.undecodable()
            failure.__cause__ = error
            self.close()
            self.failure = failure
            self._decoder = None
            taken = 0
        del pieces[:taken]
        if self.connection is not None and not pieces:
            self.connection.taken()
        return out[0] if len(out) == 1 else b"".join(out)

    def close(self) -> None:
        """Give the connection up, at once if the answer has not ended. May be called at any time, repeatedly."""
        self.pieces.clear()
        self._decoder = None
        connection = self.connection
        if connection is not None:
            awaited = connection.waiter is not None
            connection.give_up(wording.truncated())
            if not awaited:
                self.failure = None
