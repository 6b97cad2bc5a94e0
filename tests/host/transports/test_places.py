"""Places in the moment two things happen at once: nobody keeps one he does not use, nobody is given one twice."""

from __future__ import annotations

import asyncio

import pytest

from routecodex.blocks.provider_runtime.http1 import Http1Transport
from routecodex.blocks.provider_runtime.http1.pool import Pool
from routecodex.providers.transport import TransportError, TransportFault
from tests.host.transports.upstream import OK, Upstream, settle, whole


async def test_a_place_given_to_one_who_leaves_in_that_moment_goes_on() -> None:
    pool = Pool(asyncio.get_running_loop(), 1)
    assert pool.enter()
    leaving, staying = (asyncio.ensure_future(pool.turn()) for _ in range(2))
    await settle(2)
    pool.leave()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await asyncio.wait_for(staying, 1)
    assert (pool.held, pool.waiting) == (1, 0)
    pool.leave()
    assert pool.held == 0


async def test_one_who_comes_does_not_pass_those_who_wait() -> None:
    pool = Pool(asyncio.get_running_loop(), 1)
    assert pool.enter()
    waiting = asyncio.ensure_future(pool.turn())
    await settle(2)
    pool.leave()
    assert not pool.enter()
    await waiting
    assert pool.held == 1


async def test_who_waits_when_the_pool_closes_is_told() -> None:
    pool = Pool(asyncio.get_running_loop(), 1)
    assert pool.enter()
    waiting = asyncio.ensure_future(pool.turn())
    await settle(2)
    await pool.close()
    with pytest.raises(TransportError) as failed:
        await waiting
    assert failed.value.fault is TransportFault.CLOSED


async def test_leaving_in_the_moment_a_kept_connection_is_found_dead_leaves_no_place_behind() -> None:
    async with Upstream() as up:
        transport = Http1Transport(up.spec(max_connections=1))
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        line = await up.line()
        await line.request()
        line.send(OK)
        await asking
        pool = transport._pool
        assert pool is not None
        (connection,) = pool._open
        asking = asyncio.ensure_future(whole(transport, up.ask()))
        await line.request()
        connection.connection_lost(None)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert pool.held == 0
        await transport.close()


async def test_a_new_connection_makes_room_for_itself() -> None:
    async with Upstream() as up, Upstream() as other:
        transport = Http1Transport(up.spec(max_connections=2))
        for servers in ((up, up), (other,)):
            asking = [asyncio.ensure_future(whole(transport, server.ask())) for server in servers]
            for server in servers:
                line = await server.line()
                await line.request()
                line.send(OK)
            await asyncio.gather(*asking)
        pool = transport._pool
        assert pool is not None
        await up.lines[0].closed()
        assert pool.open == 2
        await transport.close()
