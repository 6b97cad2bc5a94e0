"""A generation: one configuration and every object wired from it, immutable and counted.

A request pins one at admission and keeps it to its end. A retired generation closes when nobody holds it any more; no
timer tears down what is in use. Generations of the same configuration that differ in switches only may share their
artifacts, which are counted on their own. It knows what belongs together; blocks/runtime_bootstrap makes the parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import final

from routecodex.app import sides
from routecodex.app.switches import SwitchVector
from routecodex.blocks.http_adapter import Application
from routecodex.blocks.provider_runtime import ProviderRuntime
from routecodex.blocks.runtime_bootstrap import Artifacts, RuntimeBootstrap
from routecodex.config.compiled import CompiledConfig


@final
class Wired:
    """Artifacts with the bootstrap that made them and the number of generations they serve."""

    __slots__ = ("_bootstrap", "_users", "artifacts")

    def __init__(self, artifacts: Artifacts, bootstrap: RuntimeBootstrap) -> None:
        self.artifacts = artifacts
        self._bootstrap = bootstrap
        self._users = 0

    def take(self) -> Artifacts:
        """One generation more."""
        self._users += 1
        return self.artifacts

    async def give_back(self) -> None:
        """One generation less; with the last one they are released."""
        self._users -= 1
        if self._users == 0:
            await self._bootstrap.release(self.artifacts)


@final
class Generation:
    """Parsed configuration, its hash, its switch values and its artifacts."""

    __slots__ = (
        "_closed",
        "_held",
        "_retired",
        "application",
        "artifacts",
        "config",
        "id",
        "id_header",
        "runtime",
        "switches",
        "switches_brief",
        "wired",
    )

    def __init__(
        self,
        config: CompiledConfig,
        switches: SwitchVector,
        wired: Wired,
        adapter: Callable[[Generation], Application],
    ) -> None:
        """`adapter` makes the HTTP adapter that serves it."""
        self.config = config
        self.switches = switches
        self.switches_brief = switches.brief()
        """For the records of its requests."""
        self.wired = wired
        self.artifacts = wired.take()
        self.runtime: ProviderRuntime = sides.provider_runtime(switches, self.artifacts.runtimes)
        """The provider runtime of the requests that pin this generation."""
        self.id = config.hash[:12]
        self.id_header = (b"x-routecodex-generation", self.id.encode("ascii"))
        self._held = 0
        self._retired = False
        self._closed = asyncio.Event()
        self.application = adapter(self)

    @property
    def held(self) -> int:
        """Requests that hold it."""
        return self._held

    def pin(self) -> Generation:
        """Take part in it; `release` must follow."""
        self._held += 1
        return self

    def release(self) -> None:
        """The request that pinned it has ended."""
        self._held -= 1
        if self._retired and self._held == 0:
            self._closed.set()

    async def retire(self) -> None:
        """Wait until nobody holds it, then let its artifacts go."""
        self._retired = True
        if self._held:
            await self._closed.wait()
        await self.wired.give_back()
