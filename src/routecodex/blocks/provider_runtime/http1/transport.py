"""The `Transport` of HTTP/1.1: one provider's requests over one pool.

It knows the way of a request: a place, a connection, the exchange, and the one second try when a kept connection turns
out to have ended. It must not know how any of these is done. Must be used from one event loop.
"""

from __future__ import annotations

import asyncio

from routecodex.blocks.provider_runtime import wording
from routecodex.blocks.provider_runtime.http1.answer import Answer
from routecodex.blocks.provider_runtime.http1.connecting import Connector
from routecodex.blocks.provider_runtime.http1.connection import Connection, UnheardError
from routecodex.blocks.provider_runtime.http1.pool import Pool
from routecodex.blocks.provider_runtime.http1.target import Heads, Origin
from routecodex.config.compiled import ProviderSpec
from routecodex.providers.transport import TransportRequest


class Http1Transport:
    """Connections to one provider; the pool is made on first use."""

    def __init__(self, spec: ProviderSpec) -> None:
        """Raises OSError or ssl.SSLError where the CA file cannot be read, TransportError for a bad proxy URL."""
        self._limit = spec.max_connections
        self._connect = spec.timeouts.connect
        self._first_byte = spec.timeouts.first_byte
        self._idle = spec.timeouts.idle
        self._connector = Connector(spec)
        self._heads = Heads(self._connector.proxy)
        self._pool: Pool | None = None
        self._connecting: set[asyncio.Timeout] = set()
        self._closed = False

    async def open(self, request: TransportRequest) -> Answer:
        """Send and wait for the head. Cancelling closes the connection. Raises TransportError."""
        if self._closed:
            raise wording.closed()
        origin, head = self._heads.of(request)
        pool = self._pool
        if pool is None:
            pool = self._pool = Pool(asyncio.get_running_loop(), self._limit)
        holds = pool.enter()
        connection = pool.take(origin) if holds else None
        if connection is None:
            connection = await self._connected(pool, origin, holds=holds, fresh=False)
        answer, waiter = connection.ask(request.method, head, request.body, self._first_byte, self._idle)
        try:
            await waiter
            return answer
        except UnheardError:
            # It had been closed by the peer: what was sent reached nobody. Its place is still ours.
            connection = await self._connected(pool, origin, holds=True, fresh=True)
        except BaseException:
            if _unheard(waiter):
                pool.leave()
            answer.close()
            raise
        answer, waiter = connection.ask(request.method, head, request.body, self._first_byte, self._idle)
        try:
            await waiter
        except BaseException:
            answer.close()
            raise
        return answer

    async def _connected(self, pool: Pool, origin: Origin, *, holds: bool, fresh: bool) -> Connection:
        """A connection for one who may (`holds`) or may not have a place yet; `fresh`: no kept one."""
        timeout = asyncio.timeout(self._connect)
        self._connecting.add(timeout)
        try:
            async with timeout:
                if not holds:
                    await pool.turn()
                    holds = True
                kept = None if fresh else pool.take(origin)
                if kept is not None:
                    return kept
                pool.make_room()
                connection = Connection(asyncio.get_running_loop(), pool, origin)
                await self._connector.connect(connection)
                if self._closed:
                    connection.give_up(wording.closed())
                    raise wording.closed()
                if not connection.alive:
                    raise wording.connection_lost()
                pool.add(connection)
                return connection
        except BaseException as error:
            if holds:
                pool.leave()
            if isinstance(error, TimeoutError):
                raise (wording.closed() if self._closed else wording.connect_timeout(self._connect)) from error
            raise
        finally:
            self._connecting.discard(timeout)

    async def close(self) -> None:
        """Close every connection, busy ones and those in the making too."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for timeout in tuple(self._connecting):
            timeout.reschedule(now)
        if self._pool is not None:
            await self._pool.close()


def _unheard(waiter: asyncio.Future[None]) -> bool:
    """Whether an asker that was cancelled in the same moment had been left with the place."""
    return waiter.done() and not waiter.cancelled() and isinstance(waiter.exception(), UnheardError)
