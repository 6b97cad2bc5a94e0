"""The table of this gateway's blocks: what each is made of, and how it is drained and stopped.

A constructor's annotations are its needs. In here: names of parts and their order of life; how a part works is its
own.
"""

from __future__ import annotations

import time
from typing import Final, TypeAlias

import structlog

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

Log: TypeAlias = structlog.typing.FilteringBoundLogger

CONVERSATION_SECRET: Final = "conversation-keys"  # noqa: S105 (a name)


def _store(start: WorkerStart) -> StateStore:
    return StateStore(start.candidate.compiled.store, time.time, start.log)


async def _close_store(store: StateStore) -> None:
    store.close()


def _metrics() -> Metrics:
    return Metrics()


def _health() -> RouterState:
    return RouterState()


def _current() -> Current:
    return Current()


def _dispatcher(current: Current) -> Dispatcher:
    return Dispatcher(current)


def _telemetry(start: WorkerStart, metrics: Metrics) -> Telemetry:
    return Telemetry(start.writer, metrics, start.candidate.compiled.server.access_log)


def _errors(start: WorkerStart) -> ErrorHandlingCenter:
    return ErrorHandlingCenter(start.log)


def _provider_errors(start: WorkerStart, state: RouterState) -> ProviderErrorCenter:
    return ProviderErrorCenter(state, time.time, start.log)


def _surroundings(store: StateStore) -> Surroundings:
    return Surroundings(now=time.time, new_id=new_id, tokens=store, responses=store)


def _flow(
    current: Current,
    state: RouterState,
    surroundings: Surroundings,
    store: StateStore,
    errors: ErrorHandlingCenter,
    provider_errors: ProviderErrorCenter,
    telemetry: Telemetry,
    metrics: Metrics,
) -> RequestFlow:
    flow = RequestFlow(current, state, surroundings, store.keep_tokens, errors, provider_errors, telemetry)
    metrics.gauge("routecodex_running_requests", "Requests under way.", lambda: flow.running)
    return flow


def _overview(
    start: WorkerStart,
    current: Current,
    flow: RequestFlow,
    state: RouterState,
    metrics: Metrics,
    dispatcher: Dispatcher,
) -> Overview:
    return Overview(current, flow, state, metrics, lambda: dispatcher.accepting, time.time, start.desk.command)


def _builder(current: Current, store: StateStore, flow: RequestFlow, overview: Overview) -> GenerationBuilder:
    surround = Surround(sides.provider_runtimes(), store.secret(CONVERSATION_SECRET), time.time)
    return GenerationBuilder(current, surround, flow, overview)


def _generations(start: WorkerStart, current: Current, flow: RequestFlow, builder: GenerationBuilder) -> Generations:
    generations = Generations(current, flow.end_generation, start.log)
    generations.publish(builder.build(start.candidate))
    return generations


async def _close_generations(generations: Generations) -> None:
    await generations.close()


def _vitals(errors: ErrorHandlingCenter, metrics: Metrics) -> Vitals:
    return Vitals(errors, metrics)


async def _close_vitals(vitals: Vitals) -> None:
    vitals.close()


def _server(start: WorkerStart, dispatcher: Dispatcher, flow: RequestFlow, generations: Generations) -> DrainingServer:
    """It needs the generations too: the dispatcher has nobody to ask before the first is published."""
    return server(dispatcher, flow, dispatcher.stop_accepting, start.candidate.compiled.server)


def _controls(
    start: WorkerStart,
    builder: GenerationBuilder,
    generations: Generations,
    surroundings: Surroundings,
    flow: RequestFlow,
    dispatcher: Dispatcher,
    vitals: Vitals,
    running: DrainingServer,
) -> KernelControls:
    return KernelControls(start, builder, generations, surroundings, flow, dispatcher, vitals, running)


async def _probe_controls(controls: KernelControls) -> None:
    wrong = controls.probe()
    if wrong:
        raise ProbeError(wrong)


def _sentinel(start: WorkerStart, controls: KernelControls) -> SentinelWatch:
    return SentinelWatch(start.candidate.compiled.paths.run, controls.sentinel_says, start.log)


async def _start_sentinel(watch: SentinelWatch) -> None:
    watch.start()


async def _stop_sentinel(watch: SentinelWatch) -> None:
    watch.stop()


class ProbeError(Exception):
    """The first generation does not pass its probe."""


BLOCKS: Final[tuple[Block, ...]] = (
    Block("store", _store, stop=_close_store),
    Block("metrics", _metrics),
    Block("telemetry", _telemetry),
    Block("health", _health),
    Block("errors", _errors),
    Block("providerErrors", _provider_errors),
    Block("surroundings", _surroundings),
    Block("current", _current),
    Block("flow", _flow),
    Block("dispatcher", _dispatcher),
    Block("overview", _overview),
    Block("builder", _builder),
    Block("generations", _generations, stop=_close_generations, seconds={"stop": 30.0}),
    Block("vitals", _vitals, stop=_close_vitals),
    Block("server", _server),
    Block("controls", _controls, probe=_probe_controls),
    Block("sentinel", _sentinel, start=_start_sentinel, stop=_stop_sentinel),
)
