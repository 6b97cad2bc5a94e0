"""Kernel v1: one function that builds, serves and stops.

It knows the order of life: gateway, server; and back. It builds one generation, so every change of configuration
needs a new worker, and what is forced is in force already or takes one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

import msgspec

from llmswitch_core.compat import ProfileError
from llmswitch_core.router.policy import RoutingTableError
from routecodex.app.admin_token import AdminTokenError
from routecodex.app.applying import UnusableError, changes, read
from routecodex.app.effective import effective_hash
from routecodex.app.gateway import Gateway
from routecodex.app.server import DrainingServer, server
from routecodex.app.supervisor.messages import (
    Abort,
    Ask,
    Commit,
    Force,
    GenerationStatus,
    Prepare,
    Prepared,
    Published,
    Ready,
    Refusal,
    Refused,
    Told,
    WorkerStatus,
)
from routecodex.app.vitals import Vitals
from routecodex.app.worker_start import CannotServeError, WorkerStart
from routecodex.blocks.store import StoreUnusableError

KERNEL = "v1"

_NEEDS_RESTART = Refusal(
    "restart_needed",
    "$.architecture.appKernel",
    "appKernel v1 builds everything once, so every change needs a new worker.",
    "Apply it with --restart.",
)


async def serve(start: WorkerStart) -> None:
    """Serve until told to stop. Raises CannotServeError for a configuration that cannot be wired."""
    compiled = start.candidate.compiled
    try:
        gateway = Gateway(compiled, start.candidate.switches, start.writer, start.log, commands=start.desk.command)
    except (RoutingTableError, ProfileError, AdminTokenError, StoreUnusableError) as error:
        raise CannotServeError(str(error)) from error
    try:
        running = server(gateway.application, gateway.flow, gateway.stop_accepting, start.desk.part, compiled.server)
        controls = _Controls(start, gateway, running)
        host, port = start.listener.getsockname()[:2]
        start.log.info("server.started", host=host, port=port, config=compiled.source, config_hash=compiled.hash)
        attending = asyncio.create_task(start.desk.attend(controls))
        running.when_started(lambda: start.desk.say(Ready(controls.status())))
        await running.serve(sockets=[start.listener])
        attending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attending
        controls.close()
        start.writer.flush()
        start.log.info("server.stopped")
    finally:
        await gateway.close()


class _Controls:
    """What this kernel can be told: how it fares, and to stop."""

    def __init__(self, start: WorkerStart, gateway: Gateway, running: DrainingServer) -> None:
        self._start = start
        self._gateway = gateway
        self._running = running
        self._vitals = Vitals(gateway.errors, gateway.metrics)
        self._since = time.time()

    def close(self) -> None:
        self._vitals.close()

    async def prepare(self, message: Prepare) -> Prepared | Refused:
        try:
            candidate = await asyncio.to_thread(read, message.desired, os.environ)
        except UnusableError as error:
            return Refused(message.id, error.refusals)
        told = tuple(
            msgspec.structs.replace(change, effect="restart") for change in changes(self._start.candidate, candidate)
        )
        return Prepared(message.id, candidate.compiled.hash, told, candidate.configured)

    async def commit(self, message: Commit) -> Published | Refused:
        return Refused(message.id, (_NEEDS_RESTART,))

    def abort(self, message: Abort) -> None:
        """Nothing was built."""

    async def force(self, message: Force) -> Published:
        return Published(message.id, self.status())

    async def told(self, message: Ask) -> Told:
        return Told(message.id, self.status())

    def stop(self, drain: float) -> None:
        self._running.stop(drain)

    def status(self) -> WorkerStatus:
        gateway, candidate, vitals = self._gateway, self._start.candidate, self._vitals
        switches = candidate.switches
        generation = gateway.generation
        return WorkerStatus(
            pid=os.getpid(),
            kernel=KERNEL,
            config_seq=self._start.boot.seq,
            loaded_hash=candidate.compiled.hash,
            effective_hash=effective_hash(candidate),
            switches=switches.values(),
            sources=switches.sources,
            generations=(GenerationStatus(generation.id, 1, generation.held, True),),
            running=gateway.flow.running,
            accepting=gateway.accepting,
            internal_errors=vitals.faults,
            requests=vitals.requests,
            lag=vitals.take_lag(),
        )
