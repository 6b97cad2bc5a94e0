"""A generation: one configuration and every object wired from it, immutable and counted.

A request pins one at admission and keeps it to its end. A retired generation closes when nobody holds it any more;
no timer tears down what is in use. It knows what belongs together; blocks/runtime_bootstrap makes the parts.
"""

from __future__ import annotations

import asyncio
from typing import final

from routecodex.app.switches import SwitchVector
from routecodex.blocks.provider_runtime import ProviderRuntime
from routecodex.blocks.runtime_bootstrap import Artifacts
from routecodex.config.compiled import CompiledConfig


@final
class Generation:
    """Parsed configuration, its hash, its switch values and its artifacts."""

    __slots__ = ("_closed", "_held", "_retired", "artifacts", "config", "id", "id_header", "switches")

    def __init__(self, config: CompiledConfig, switches: SwitchVector, artifacts: Artifacts) -> None:
        self.config = config
        self.switches = switches
        self.artifacts = artifacts
        self.id = config.hash[:12]
        self.id_header = (b"x-routecodex-generation", self.id.encode("ascii"))
        self._held = 0
        self._retired = False
        self._closed = asyncio.Event()

    @property
    def runtime(self) -> ProviderRuntime:
        return self.artifacts.runtime

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
        """Wait until nobody holds it, then close its upstream connections."""
        self._retired = True
        if self._held:
            await self._closed.wait()
        await self.artifacts.runtime.close()
