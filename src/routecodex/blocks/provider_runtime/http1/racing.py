"""Happy eyeballs (RFC 8305): the first address that answers gets the connection.

It knows addresses and TCP. Attempts start in the order given, families taking turns, each a little after the one
before or as soon as that one failed; losers' sockets are closed.
"""

from __future__ import annotations

import asyncio
import socket
from itertools import chain, zip_longest
from typing import Any, Final, TypeAlias

Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As getaddrinfo gives it."""

HEAD_START: Final = 0.25
"""Seconds an attempt has before the next one begins (RFC 8305 §5)."""


async def race(loop: asyncio.AbstractEventLoop, addresses: list[Address]) -> tuple[socket.socket, Address]:
    """A connected socket and its address. Raises OSError: the first attempt's, when all failed."""
    if len(addresses) == 1:
        return await _attempt(loop, addresses[0]), addresses[0]
    queue = _alternating(addresses)
    running: dict[asyncio.Task[socket.socket], Address] = {}
    failures: list[OSError] = []
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while queue or running:
            if queue:
                address = queue.pop(0)
                running[loop.create_task(_attempt(loop, address))] = address
            done, _ = await asyncio.wait(
                running, timeout=HEAD_START if queue else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                error = task.exception()
                if error is None:
                    winner = task
                    return task.result(), running[task]
                del running[task]
                if not isinstance(error, OSError):
                    raise error
                failures.append(error)
        raise failures[0]
    finally:
        for task in running:
            if task is winner:
                continue
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().close()
            else:
                task.cancel()


def _alternating(addresses: list[Address]) -> list[Address]:
    """IPv6 and IPv4 by turns, beginning with the family that came first."""
    families: dict[socket.AddressFamily, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [address for address in chain.from_iterable(zip_longest(*families.values())) if address is not None]


async def _attempt(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family, kind, protocol, _, place = address
    connected = socket.socket(family, kind, protocol)
    try:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(connected, place)
    except BaseException:
        connected.close()
        raise
    return connected
