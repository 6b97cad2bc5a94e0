"""Fixtures that run a test once per side of a host block."""

from __future__ import annotations

from typing import Any

import pytest

from tests.host.transports.sides import SIDES, Build, Make


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Any:
    """A side of `hostBlocks.providerRuntime`."""
    return SIDES[request.param]


@pytest.fixture
def build(side: Any) -> Build:
    """Makes a provider runtime."""
    return side.build  # type: ignore[no-any-return]


@pytest.fixture
def make(side: Any) -> Make:
    """Makes one provider's connections."""
    return side.transport  # type: ignore[no-any-return]
