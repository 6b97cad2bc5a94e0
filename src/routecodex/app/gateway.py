"""The gateway of kernel v1: one generation and everything of the host around it, wired by hand.

It knows which block needs which; no block knows another. Building opens the store and starts the log's thread, no
listener and no upstream connection. It must be made inside the event loop that will run it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from llmswitch_core.hub.exchange import Surroundings
from llmswitch_core.router.state import RouterState
from routecodex.app import sides
from routecodex.app.adapter_rules import rules
from routecodex.app.catalogue import Catalogue
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.generation import Generation, Wired
from routecodex.app.ids import new_id
from routecodex.app.overview import Commands, Overview
from routecodex.app.provider_errors import ProviderErrorCenter
from routecodex.app.request_flow import RequestFlow
from routecodex.app.switches import SwitchVector
from routecodex.blocks.http_adapter import Application
from routecodex.blocks.runtime_bootstrap import Surround
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import LogWriter, Metrics, Telemetry
from routecodex.config.compiled import CompiledConfig

_LAST_REQUESTS: Final = 5.0
"""Seconds for requests that were ended to let go of their generation."""


CONVERSATION_SECRET: Final = "conversation-keys"  # noqa: S105 (a name)


class Gateway:
    """A whole gateway but for its listener."""

    def __init__(
        self,
        config: CompiledConfig,
        switches: SwitchVector,
        writer: LogWriter,
        log: structlog.typing.FilteringBoundLogger,
        now: Callable[[], float] = time.time,
        commands: Commands | None = None,
    ) -> None:
        self._log = log
        self._accepting = True
        state = RouterState()
        self.store = StateStore(config.store, now, log)
        self.metrics = Metrics()
        self.telemetry = Telemetry(writer, self.metrics, config.server.access_log)
        surround = Surround(sides.provider_runtimes(), self.store.secret(CONVERSATION_SECRET), now)
        bootstrap = sides.runtime_bootstrap(
            switches, {key: make(surround) for key, make in sides.runtime_bootstraps().items()}
        )
        wired = Wired(bootstrap.build(config, sides.rule_set(switches)), bootstrap)
        self.errors = ErrorHandlingCenter(log)
        self.flow = RequestFlow(
            lambda: self.generation,
            state,
            Surroundings(now=now, new_id=new_id, tokens=self.store, responses=self.store),
            self.store.keep_tokens,
            self.errors,
            ProviderErrorCenter(state, now, log),
            self.telemetry,
        )
        self.metrics.gauge("routecodex_running_requests", "Requests under way.", lambda: self.flow.running)
        self.overview = Overview(
            lambda: self.generation, self.flow, state, self.metrics, lambda: self._accepting, now, commands
        )
        control = sides.control_plane(switches)(self.overview)
        obeyed = rules(config)
        self.generation = Generation(
            config,
            switches,
            wired,
            lambda generation: sides.http_adapter(switches)(
                obeyed, self.flow, Catalogue(lambda: generation), control, new_id
            ),
        )
        self.application: Application = self.generation.application

    @property
    def accepting(self) -> bool:
        return self._accepting

    def stop_accepting(self) -> None:
        """Refuse new requests; running ones go on."""
        self._accepting = False
        self.application.stop_accepting()

    async def close(self) -> None:
        """Close upstream connections and the store, when nothing runs any more."""
        try:
            async with asyncio.timeout(_LAST_REQUESTS):
                await self.generation.retire()
        except TimeoutError:
            self._log.error("server.requests_left", running=self.flow.running)
            await self.generation.runtime.close()
        self.store.close()
