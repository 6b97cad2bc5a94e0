"""This gateway's blocks: what each is made of, what it needs, how it is drained and stopped.

One method per block makes it from those it needs and keeps it under its name; the table at the end says in which
order that may happen. How a part works is its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from llmswitch_core.capabilities import Capabilities, capabilities, missing
from llmswitch_core.hub.exchange import Surroundings
from llmswitch_core.router.state import RouterState
from routecodex.app import sides
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.ids import new_id
from routecodex.app.kernel.building import GenerationBuilder
from routecodex.app.kernel.controls import KernelControls
from routecodex.app.kernel.dispatcher import Dispatcher
from routecodex.app.kernel.generations import Current, Generations
from routecodex.app.kernel.lifecycle import Block
from routecodex.app.kernel.sentinel import SentinelWatch
from routecodex.app.overview import Overview
from routecodex.app.provider_errors import ProviderErrorCenter
from routecodex.app.request_flow import RequestFlow
from routecodex.app.server import DrainingServer, server
from routecodex.app.vitals import Vitals
from routecodex.app.worker_start import WorkerStart
from routecodex.blocks.runtime_bootstrap import Surround
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import Metrics, Telemetry

SHARED_API: Final = 1
"""The release of the shared module's interface this host is written for."""
CONVERSATION_SECRET: Final = "conversation-keys"  # noqa: S105 (a name)


class ProbeError(Exception):
    """A block does not pass its probe; the message says why."""


class Assembly:
    """The blocks of one worker. An attribute exists once its block is constructed."""

    shared: Capabilities
    store: StateStore
    metrics: Metrics
    telemetry: Telemetry
    health: RouterState
    errors: ErrorHandlingCenter
    provider_errors: ProviderErrorCenter
    surroundings: Surroundings
    current: Current
    flow: RequestFlow
    dispatcher: Dispatcher
    overview: Overview
    builder: GenerationBuilder
    generations: Generations
    vitals: Vitals
    server: DrainingServer
    controls: KernelControls
    sentinel: SentinelWatch

    def __init__(self, start: WorkerStart, now: Callable[[], float] = time.time) -> None:
        """`now` in Unix seconds."""
        self._now = now
        self._start = start
        self._config = start.candidate.compiled

    # --- what outlives generations -----------------------------------------------------------------------

    def make_shared(self) -> None:
        self.shared = capabilities()

    async def probe_shared(self) -> None:
        wrong = missing(self.shared, SHARED_API)
        if wrong:
            raise ProbeError(wrong)

    def make_store(self) -> None:
        self.store = StateStore(self._config.store, self._now, self._start.log)

    async def close_store(self) -> None:
        self.store.close()

    def make_metrics(self) -> None:
        self.metrics = Metrics()

    def make_telemetry(self) -> None:
        self.telemetry = Telemetry(self._start.writer, self.metrics, self._config.server.access_log)

    def make_health(self) -> None:
        self.health = RouterState()

    def make_errors(self) -> None:
        self.errors = ErrorHandlingCenter(self._start.log)

    def make_provider_errors(self) -> None:
        self.provider_errors = ProviderErrorCenter(self.health, self._now, self._start.log)

    def make_surroundings(self) -> None:
        self.surroundings = Surroundings(now=self._now, new_id=new_id, tokens=self.store, responses=self.store)

    def make_vitals(self) -> None:
        self.vitals = Vitals(self.errors, self.metrics)

    async def close_vitals(self) -> None:
        self.vitals.close()

    # --- a request's way ----------------------------------------------------------------------------------

    def make_current(self) -> None:
        self.current = Current()

    def make_flow(self) -> None:
        self.flow = RequestFlow(
            self.current,
            self.health,
            self.surroundings,
            self.store.keep_tokens,
            self.errors,
            self.provider_errors,
            self.telemetry,
        )
        self.metrics.gauge("routecodex_running_requests", "Requests under way.", lambda: self.flow.running)

    def make_dispatcher(self) -> None:
        self.dispatcher = Dispatcher(self.current)

    def make_server(self) -> None:
        stop, part = self.dispatcher.stop_accepting, self._start.desk.part
        self.server = server(self.dispatcher, self.flow, stop, part, self._config.server)

    # --- generations --------------------------------------------------------------------------------------

    def make_overview(self) -> None:
        self.overview = Overview(
            self.current,
            self.flow,
            self.health,
            self.metrics,
            lambda: self.dispatcher.accepting,
            self._now,
            self._start.desk.command,
        )

    def make_builder(self) -> None:
        surround = Surround(sides.provider_runtimes(), self.store.secret(CONVERSATION_SECRET), self._now)
        self.builder = GenerationBuilder(self.current, surround, self.flow, self.overview)

    def make_generations(self) -> None:
        self.generations = Generations(self.current, self.flow.end_generation, self._start.log)
        self.generations.publish(self.builder.build(self._start.candidate))

    async def close_generations(self) -> None:
        await self.generations.close()

    # --- control ------------------------------------------------------------------------------------------

    def make_controls(self) -> None:
        self.controls = KernelControls(
            self._start,
            self.builder,
            self.generations,
            self.surroundings,
            self.flow,
            self.dispatcher,
            self.vitals,
            self.server,
        )

    async def probe_controls(self) -> None:
        wrong = self.controls.probe()
        if wrong:
            raise ProbeError(wrong)

    def make_sentinel(self) -> None:
        self.sentinel = SentinelWatch(self._config.paths.run, self.controls.sentinel_says, self._start.log)

    async def start_sentinel(self) -> None:
        self.sentinel.start()

    async def stop_sentinel(self) -> None:
        self.sentinel.stop()

    # --- the table ----------------------------------------------------------------------------------------

    def blocks(self) -> tuple[Block, ...]:
        """Every block; the server needs a generation, or the dispatcher would have nobody to ask."""
        return (
            Block("shared", (), self.make_shared, probe=self.probe_shared),
            Block("store", (), self.make_store, stop=self.close_store),
            Block("metrics", (), self.make_metrics),
            Block("telemetry", ("metrics",), self.make_telemetry),
            Block("health", (), self.make_health),
            Block("errors", (), self.make_errors),
            Block("provider_errors", ("health",), self.make_provider_errors),
            Block("surroundings", ("store",), self.make_surroundings),
            Block("vitals", ("errors", "metrics"), self.make_vitals, stop=self.close_vitals),
            Block("current", (), self.make_current),
            Block(
                "flow",
                (
                    "current",
                    "health",
                    "surroundings",
                    "store",
                    "errors",
                    "provider_errors",
                    "telemetry",
                    "metrics",
                ),
                self.make_flow,
            ),
            Block("dispatcher", ("current",), self.make_dispatcher),
            Block("overview", ("current", "flow", "health", "metrics", "dispatcher"), self.make_overview),
            Block("builder", ("current", "store", "flow", "overview"), self.make_builder),
            Block(
                "generations",
                ("current", "flow", "builder"),
                self.make_generations,
                stop=self.close_generations,
                seconds={"stop": 30.0},
            ),
            Block("server", ("dispatcher", "flow", "generations"), self.make_server),
            Block(
                "controls",
                ("builder", "generations", "surroundings", "flow", "dispatcher", "vitals", "server"),
                self.make_controls,
                probe=self.probe_controls,
            ),
            Block("sentinel", ("controls",), self.make_sentinel, start=self.start_sentinel, stop=self.stop_sentinel),
        )
