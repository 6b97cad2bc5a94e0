"""Fixtures of the data plane's tests: real sockets on both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fake_upstream import FakeUpstream
from tests.host.dataplane import gateway


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What serves a gateway in this process runs once per side of `hostBlocks.httpAdapter`."""
    if hasattr(metafunc.module, "host"):
        metafunc.parametrize("adapter", list(gateway.ADAPTERS), indirect=True)


@pytest.fixture(autouse=True)
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The side that `host` serves with."""
    side: str = getattr(request, "param", gateway.adapter)
    monkeypatch.setattr(gateway, "adapter", side)
    return side


@pytest.fixture
async def up() -> AsyncIterator[FakeUpstream]:
    """A fake upstream."""
    async with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
async def second() -> AsyncIterator[FakeUpstream]:
    """Another one."""
    async with FakeUpstream(realm="second") as upstream:
        yield upstream


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose answers come as they are."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session
