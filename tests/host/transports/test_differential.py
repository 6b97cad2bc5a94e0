"""Every side makes the same of the same upstream bytes, but for what tests/fuzz/transports/allowed.py lists.

A few thousand seeds; `python -m tests.fuzz.transports --count 100000` is the whole run.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fuzz.transports.__main__ import shard
from tests.fuzz.transports.allowed import ALLOWED, judged
from tests.fuzz.transports.making import Exchange, case
from tests.fuzz.transports.running import Run, run
from tests.fuzz.transports.serving import Upstream
from tests.host.transports.sides import SIDES

QUICK = 1500
"""Seeds per loop."""


@pytest.mark.parametrize(("first", "loop"), [(0, "uvloop"), (QUICK, "asyncio")])
def test_fuzzed_upstreams_come_to_the_same_on_every_side(first: int, loop: str) -> None:
    report = shard(first, QUICK, loop)
    assert report.cases == QUICK
    assert report.faults == []
    assert set(report.outcomes) >= {"clean", "protocol_error", "truncated", "connection_lost"}


async def test_a_planted_difference_is_found() -> None:
    """The other side gets one more byte: were the judge blind, it would not tell."""
    good = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"
    plain = case(0)
    one, two = (
        type(plain)(0, "valid", ("POST",), (Exchange((good % (len(body), body),), "keep"),)) for body in (b"ok", b"ok!")
    )
    runs: list[Run] = []
    async with Upstream() as upstream:
        for side in SIDES.values():
            runs = [await run(side.transport, upstream, played) for played in (one, two)]
            assert judged(one, runs[0], runs[0]) == (True, "")
            assert judged(one, runs[0], runs[1]) == (False, "")
    await asyncio.sleep(0)


def test_every_known_difference_is_told_with_its_reason() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "transports.md").read_text(encoding="utf-8")
    assert [row.name for row in ALLOWED if f"| {row.name} | {row.reason} |" not in page] == []
    assert len({row.name for row in ALLOWED}) == len(ALLOWED)
