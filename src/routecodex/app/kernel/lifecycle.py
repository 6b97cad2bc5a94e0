"""Brings blocks up in the order of their needs, and takes them down in reverse: construct, probe, start, drain, stop.

A block says what it needs by the annotations of its constructor's parameters and what it is by its return annotation.
Every phase but construction has a time-out. When one fails, what had been brought up is taken down again, and the
error names the block, the phase and the cause. It knows no block.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal, TypeAlias, get_type_hints

import msgspec
import structlog

Phase: TypeAlias = Literal["construct", "probe", "start", "drain", "stop"]
State: TypeAlias = Literal["declared", "constructed", "probed", "started", "drained", "stopped", "failed"]
Action: TypeAlias = Callable[[Any], Awaitable[None]]

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
    construct: Callable[..., Any]
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
    """The table of blocks makes no sense: an unmet need, two blocks of one kind, a circle."""


class LifecycleError(Exception):
    """A block failed in a phase; the cause is chained."""

    def __init__(self, block: str, phase: Phase, cause: BaseException) -> None:
        why = "took too long" if isinstance(cause, TimeoutError) else f"{type(cause).__name__}: {cause}"
        super().__init__(f"Block {block} failed to {phase}: {why}")
        self.block = block
        self.phase = phase


class Lifecycle:
    """A set of blocks and how far each has come."""

    def __init__(
        self, blocks: Sequence[Block], given: Mapping[Any, object], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        """`given`: what is there already, by type. Raises WiringError."""
        self._log = log
        self._things: dict[Any, Any] = dict(given)
        self._needs: dict[str, dict[str, Any]] = {}
        self._kinds: dict[str, Any] = {}
        self._order = self._sorted(blocks)
        self._up: list[Block] = []
        self.states: dict[str, State] = {block.name: "declared" for block in self._order}

    @property
    def order(self) -> tuple[str, ...]:
        """Names in the order in which they come up."""
        return tuple(block.name for block in self._order)

    def __getitem__(self, kind: type[Any]) -> Any:
        """The constructed or given thing of this type."""
        return self._things[kind]

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
        needs = {name: self._things[kind] for name, kind in self._needs[block.name].items()}
        try:
            self._things[self._kinds[block.name]] = block.construct(**needs)
        except Exception as error:
            self.states[block.name] = "failed"
            raise LifecycleError(block.name, "construct", error) from error
        self._up.append(block)
        self.states[block.name] = "constructed"

    async def _run(self, block: Block, phase: Phase, action: Action | None) -> None:
        if action is not None:
            try:
                async with asyncio.timeout(block.seconds.get(phase, _SECONDS[phase])):
                    await action(self._things[self._kinds[block.name]])
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

    def _sorted(self, blocks: Sequence[Block]) -> list[Block]:
        by_kind: dict[Any, Block] = {}
        for block in blocks:
            kind, hints = _signature(block.construct)
            if kind is None or kind in self._things or kind in by_kind:
                raise WiringError(f"Block {block.name} is {_named(kind)}, which nothing is or something is already.")
            unsaid = [name for name, need in hints.items() if need is None]
            if unsaid:
                raise WiringError(f"Block {block.name} does not say what its {', '.join(unsaid)} is.")
            by_kind[kind] = block
            self._kinds[block.name] = kind
            self._needs[block.name] = hints
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for block in blocks:
            names = []
            for parameter, kind in self._needs[block.name].items():
                if kind in by_kind:
                    names.append(by_kind[kind].name)
                elif kind not in self._things:
                    raise WiringError(f"Block {block.name} needs {_named(kind)} ({parameter}), which nothing is.")
            sorter.add(block.name, *names)
        try:
            order = list(sorter.static_order())
        except CycleError as error:
            raise WiringError(f"Blocks need each other in a circle: {' → '.join(error.args[1])}.") from None
        by_name = {block.name: block for block in blocks}
        return [by_name[name] for name in order]


def _signature(construct: Callable[..., Any]) -> tuple[Any, dict[str, Any]]:
    """What a constructor makes, and the type of each parameter; None where it does not say."""
    hints = get_type_hints(construct)
    return hints.get("return"), {name: hints.get(name) for name in inspect.signature(construct).parameters}


def _named(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
