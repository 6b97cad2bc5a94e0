"""What the control plane may see of the running gateway, read at the time of the question.

It joins the current generation, the flow, health and metrics behind `blocks.control_plane.contract.Overview`; it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import routecodex
from llmswitch_core.router.health import Standing
from llmswitch_core.router.state import RouterState
from routecodex.app.generation import Generation
from routecodex.app.request_flow import RequestFlow
from routecodex.blocks.control_plane import NoSupervisorError
from routecodex.blocks.telemetry import Metrics

Commands: TypeAlias = Callable[[str, bytes, str], Awaitable[tuple[int, bytes]]]
"""(name, arguments as JSON, actor) -> (HTTP status, JSON receipt)."""


class Overview:
    """The gateway as people ask about it."""

    def __init__(
        self,
        generation: Callable[[], Generation],
        flow: RequestFlow,
        state: RouterState,
        metrics: Metrics,
        accepting: Callable[[], bool],
        now: Callable[[], float],
        commands: Commands | None,
    ) -> None:
        """`now` in Unix seconds. `commands` carries control commands to the supervisor; None where there is none."""
        self._generation = generation
        self._flow = flow
        self._state = state
        self._metrics = metrics
        self._accepting = accepting
        self._now = now
        self._commands = commands
        self._started_at = now()

    @property
    def accepting(self) -> bool:
        return self._accepting()

    @property
    def version(self) -> str:
        return routecodex.__version__

    @property
    def started_at(self) -> float:
        return self._started_at

    def now(self) -> float:
        return self._now()

    def generation(self) -> Mapping[str, Any]:
        generation = self._generation()
        config = generation.config
        return {"generation": generation.id, "configHash": config.hash, "config": config.source}

    def running(self) -> int:
        return self._flow.running

    def outcomes(self) -> Mapping[str, int]:
        return self._metrics.outcomes()

    def standings(self) -> Sequence[Standing]:
        return self._generation().artifacts.router.standings(self._state, self._now())

    def switches(self) -> Mapping[str, Mapping[str, Any]]:
        vector = self._generation().switches
        return {key: {"value": value, "source": vector.source(key)} for key, value in vector.values().items()}

    async def command(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        if self._commands is None:
            raise NoSupervisorError
        return await self._commands(name, arguments, actor)

    def render_metrics(self) -> tuple[bytes, str]:
        return self._metrics.render()
