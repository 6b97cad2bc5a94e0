"""Brings blocks up in the order of their needs, and takes them down in reverse: construct, probe, start, drain, stop.

A block names what it needs; what that is, its constructor takes from the assembly. Every phase but construction has a
time-out. When one fails, what had been brought up is taken down again, and the error names the block, the phase and
the cause. It knows no block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final, Literal, TypeAlias

import msgspec
import structlog

Phase: TypeAlias = Literal["construct", "probe", "start", "drain", "stop"]
State: TypeAlias = Literal["declared", "constructed", "probed", "started", "drained", "stopped", "failed"]
Action: TypeAlias = Callable[[], Awaitable[None]]

_REACHED: Final[Mapping[Phase, State]] = {
    "construct": "constructed",
    "probe": "probed",
    "start": "started",
    "drain": "drained",
    "stop": "stopped",
}
_SECONDS: Final[Mapping[Phase, float]] = {"probe": 3.0, "start": 10.0, "drain": 60.0, "stop": 10.0}


class Block(msgspec.Struct, frozen=True):
    """One part of the process. `construct` opens what `stop` closes; it may run without `start` having been called."""

    name: str
    needs: tuple[str, ...]
    """Names of the blocks that must be constructed, probed and started before it."""
    construct: Callable[[], None]
    probe: Action | None = None
    """Raises if the block could not do its work."""
    start: Action | None = None
    drain: Action | None = None
    """Take on nothing new and wait for what runs."""
    stop: Action | None = None
    """Let go of everything; called for every constructed block, started or not."""
    seconds: Mapping[Phase, float] = {}
    """Time-outs that differ from the usual ones."""


class WiringError(Exception):
    """The table of blocks makes no sense: a need that no block is, two of one name, a circle."""


class LifecycleError(Exception):
    """A block failed in a phase; the cause is chained."""

    def __init__(self, block: str, phase: Phase, cause: BaseException) -> None:
        why = "took too long" if isinstance(cause, TimeoutError) else f"{type(cause).__name__}: {cause}"
        super().__init__(f"Block {block} failed to {phase}: {why}")
        self.block = block
        self.phase = phase


class Lifecycle:
    """A set of blocks and how far each has come."""

    def __init__(self, blocks: Sequence[Block], log: structlog.typing.FilteringBoundLogger) -> None:
        """Raises WiringError."""
        self._log = log
        self._order = _sorted(blocks)
        self._up: list[Block] = []
        self.states: dict[str, State] = {block.name: "declared" for block in self._order}

    @property
    def order(self) -> tuple[str, ...]:
        """Names in the order in which they come up."""
        return tuple(block.name for block in self._order)

    async def bring_up(self) -> None:
        """Construct all, probe all, start all. Raises LifecycleError, after everything is down again."""
        try:
            for block in self._order:
                self._construct(block)
            for block in self._order:
                await self._run(block, "probe", block.probe)
            for block in self._order:
                await self._run(block, "start", block.start)
        except BaseException:
            await self.take_down()
            raise

    async def take_down(self) -> list[LifecycleError]:
        """Drain what was started, then stop what was constructed, last first; failures are collected, not raised."""
        failures: list[LifecycleError] = []
        for block in reversed(self._up):
            if self.states[block.name] == "started":
                failures += await self._try(block, "drain", block.drain)
        while self._up:
            block = self._up[-1]
            failures += await self._try(block, "stop", block.stop)
            self._up.pop()
        return failures

    def _construct(self, block: Block) -> None:
        try:
            block.construct()
        except Exception as error:
            self.states[block.name] = "failed"
            raise LifecycleError(block.name, "construct", error) from error
        self._up.append(block)
        self.states[block.name] = "constructed"

    async def _run(self, block: Block, phase: Phase, action: Action | None) -> None:
        if action is not None:
            try:
                async with asyncio.timeout(block.seconds.get(phase, _SECONDS[phase])):
                    await action()
            except Exception as error:
                self.states[block.name] = "failed"
                raise LifecycleError(block.name, phase, error) from error
        self.states[block.name] = _REACHED[phase]

    async def _try(self, block: Block, phase: Phase, action: Action | None) -> list[LifecycleError]:
        try:
            await self._run(block, phase, action)
        except LifecycleError as error:
            self._log.error("block.failed", block=block.name, phase=phase, exc_info=error)
            return [error]
        return []


def _sorted(blocks: Sequence[Block]) -> list[Block]:
    by_name = {block.name: block for block in blocks}
    if len(by_name) != len(blocks):
        raise WiringError("Two blocks have the same name.")
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for block in blocks:
        for need in block.needs:
            if need not in by_name:
                raise WiringError(f"Block {block.name} needs {need}, which is no block.")
        sorter.add(block.name, *block.needs)
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError as error:
        raise WiringError(f"Blocks need each other in a circle: {' → '.join(error.args[1])}.") from None
