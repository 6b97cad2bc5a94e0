"""Waits end when they have lasted too long, and a cancellation by somebody else stays one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmswitch_core.canonical.errors import GatewayError
from routecodex.blocks.http_adapter import body
from routecodex.blocks.http_adapter.patience import Patience

NEVER: dict[str, Any] = {}


def sending(*pieces: tuple[float, bytes | None]) -> Any:
    """A client that sends each piece after so many seconds; None: it leaves."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        pause, data = left.pop(0)
        await asyncio.sleep(pause)
        if data is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": data, "more_body": data != b"end"}

    return receive


async def test_a_client_that_pauses_too_long_in_its_body_is_told_so() -> None:
    with pytest.raises(GatewayError) as refused:
        await body.read(sending((0, b"a")), NEVER, 100, Patience(0.1))
    assert (refused.value.code, refused.value.status) == ("request_body_timeout", 408)


async def test_a_client_that_never_begins_its_body_is_told_so() -> None:
    with pytest.raises(GatewayError) as refused:
        await body.read(sending(), NEVER, 100, Patience(0.1))
    assert refused.value.code == "request_body_timeout"


async def test_pauses_count_one_by_one() -> None:
    slow = sending(*[(0.06, b"a")] * 5, (0.06, b"end"))
    assert await body.read(slow, NEVER, 100, Patience(0.2)) == b"aaaaaend"


async def test_many_wait_at_once_and_only_the_slow_are_ended() -> None:
    patience = Patience(0.2)
    clients = [sending((0.01, b"a"), (0.01, b"end")), sending((0, b"a")), sending((0.1, b"end")), sending()]
    ends = await asyncio.gather(*(body.read(one, NEVER, 100, patience) for one in clients), return_exceptions=True)
    assert ends[0] == b"aend"
    assert ends[2] == b"end"
    assert [getattr(end, "code", "") for end in (ends[1], ends[3])] == ["request_body_timeout"] * 2


async def test_a_client_that_leaves_is_gone_whenever_it_does() -> None:
    for client in (sending((0, None)), sending((0, b"a"), (0, None))):
        with pytest.raises(body.ClientGone):
            await body.read(client, NEVER, 100, Patience(5))


async def test_a_cancellation_by_somebody_else_passes() -> None:
    task = asyncio.create_task(body.read(sending((0, b"a")), NEVER, 100, Patience(5)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_by_somebody_else_in_the_same_moment_passes_too() -> None:
    patience = Patience(0.05)
    task = asyncio.create_task(body.read(sending((0, b"a")), NEVER, 100, patience))
    await asyncio.sleep(0)
    while not task.cancelling():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_looked_at_when_nobody_waits() -> None:
    patience = Patience(0.1)
    assert await body.read(sending((0, b"end")), NEVER, 100, patience) == b"end"
    await asyncio.sleep(0.05)
    assert await body.read(sending((0.01, b"end")), NEVER, 100, patience) == b"end"
    with pytest.raises(GatewayError):
        await body.read(sending(), NEVER, 100, patience)
