"""What the AppKernel does when the supervisor speaks: prepare, commit, abort, force, report, stop.

One candidate is in force, at most one is prepared. Preparing reads and builds in a thread, so that streams go on.
Forced rows lie over whatever is in force, and over what is committed later.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import msgspec

from llmswitch_core.compat import ProfileError
from llmswitch_core.hub.exchange import Surroundings
from llmswitch_core.router.policy import RoutingTableError
from routecodex.app.admin_token import AdminTokenError
from routecodex.app.applying import Candidate, UnusableError, changes, forced, read
from routecodex.app.effective import effective_hash
from routecodex.app.generation import Generation
from routecodex.app.kernel.building import GenerationBuilder
from routecodex.app.kernel.dispatcher import Dispatcher
from routecodex.app.kernel.generations import Generations
from routecodex.app.kernel.probing import probe
from routecodex.app.request_flow import RequestFlow
from routecodex.app.server import DrainingServer
from routecodex.app.supervisor.messages import (
    Abort,
    Ask,
    Commit,
    Force,
    Prepare,
    Prepared,
    Published,
    Refusal,
    Refused,
    Told,
    WorkerStatus,
)
from routecodex.app.vitals import Vitals
from routecodex.app.worker_start import WorkerStart

KERNEL = "v2"
_WIRING = (RoutingTableError, ProfileError, AdminTokenError)


class _Ready(msgspec.Struct, frozen=True):
    """What a `Prepare` made."""

    id: int
    candidate: Candidate
    generation: Generation


class KernelControls:
    """`app.desk.Controls` of the AppKernel."""

    def __init__(
        self,
        start: WorkerStart,
        builder: GenerationBuilder,
        generations: Generations,
        surroundings: Surroundings,
        flow: RequestFlow,
        dispatcher: Dispatcher,
        vitals: Vitals,
        running: DrainingServer,
    ) -> None:
        self._start = start
        self._builder = builder
        self._generations = generations
        self._surroundings = surroundings
        self._flow = flow
        self._dispatcher = dispatcher
        self._vitals = vitals
        self._running = running
        self._candidate = start.candidate
        self._seq = start.boot.seq
        self._told: frozenset[str] = frozenset(start.boot.desired.forced)
        self._sentinel: frozenset[str] = frozenset()
        self._prepared: _Ready | None = None
        self._leftovers: set[asyncio.Task[None]] = set()
        self.blocks: Any = {}
        """State of each block, by name."""

    # --- a new configuration -----------------------------------------------------------------------------

    async def prepare(self, message: Prepare) -> Prepared | Refused:
        self._throw_away()
        try:
            candidate = await asyncio.to_thread(read, message.desired, os.environ)
        except UnusableError as error:
            return Refused(message.id, error.refusals)
        candidate = self._forced(candidate)
        found = changes(self._candidate, candidate)
        told = Prepared(message.id, candidate.compiled.hash, found, candidate.configured)
        if message.dry or any(change.effect == "restart" for change in found):
            return told
        try:
            generation = await asyncio.to_thread(self._builder.build, candidate)
        except _WIRING as error:
            return Refused(message.id, (Refusal("cannot_serve", "$", str(error)),))
        except Exception as error:
            self._start.log.error("generation.fault", exc_info=error)
            return Refused(message.id, (Refusal("build_failed", "$", f"{type(error).__name__}: {error}"),))
        wrong = await asyncio.to_thread(probe, generation, self._surroundings)
        if wrong:
            self._discard(generation)
            return Refused(message.id, (Refusal("probe_failed", "$", wrong),))
        self._prepared = _Ready(message.id, candidate, generation)
        return told

    async def commit(self, message: Commit) -> Published | Refused:
        ready, self._prepared = self._prepared, None
        if ready is None or ready.id != message.id:
            return Refused(message.id, (Refusal("not_prepared", "$", f"Nothing was prepared under {message.id}."),))
        candidate, generation = self._forced(ready.candidate), ready.generation
        self._seq = message.seq
        if candidate.switches != ready.candidate.switches:
            # Rows were forced in between: what was prepared would undo that.
            self._discard(generation)
            generation = self._builder.build(candidate)
        self._publish(candidate, generation)
        return Published(message.id, self.status())

    def abort(self, message: Abort) -> None:
        if self._prepared is not None and self._prepared.id == message.id:
            self._throw_away()

    # --- force --------------------------------------------------------------------------------------------

    async def force(self, message: Force) -> Published:
        self._told = frozenset(message.keys)
        failures = self._apply_force()
        return Published(message.id, self.status(), failures)

    def sentinel_says(self, keys: frozenset[str]) -> None:
        """The sentinel file forces these rows; the supervisor's own word stays in force beside it."""
        self._sentinel = keys
        self._apply_force()

    def _apply_force(self) -> tuple[str, ...]:
        candidate = self._forced(self._candidate)
        if candidate.switches == self._candidate.switches:
            return ()
        try:
            self._publish(candidate, self._builder.build(candidate))
        except Exception as error:
            self._start.log.error("force.fault", exc_info=error)
            return (f"{type(error).__name__}: {error}",)
        return ()

    def _forced(self, candidate: Candidate) -> Candidate:
        return forced(candidate, tuple(sorted(self._told | self._sentinel)), os.environ)

    # --- publishing ---------------------------------------------------------------------------------------

    def _publish(self, candidate: Candidate, generation: Generation) -> None:
        self._candidate = candidate
        self._generations.publish(generation)
        self._running.use_drain(candidate.compiled.server.drain)
        self._vitals.begin()

    def _throw_away(self) -> None:
        if self._prepared is not None:
            ready, self._prepared = self._prepared, None
            self._discard(ready.generation)

    def _discard(self, generation: Generation) -> None:
        """It was never published: nobody holds it."""
        task = asyncio.create_task(generation.retire())
        self._leftovers.add(task)
        task.add_done_callback(self._leftovers.discard)

    # --- reports and the end ------------------------------------------------------------------------------

    async def told(self, message: Ask) -> Told:
        wrong = ""
        if message.probe:
            wrong = await asyncio.to_thread(self.probe)
        return Told(message.id, self.status(), wrong)

    def probe(self) -> str:
        """What is wrong with the current generation; empty if nothing is."""
        return probe(self._generations.published, self._surroundings)

    def stop(self, drain: float) -> None:
        self._running.stop(drain)

    def status(self) -> WorkerStatus:
        candidate, vitals = self._candidate, self._vitals
        switches = candidate.switches
        # The kernel is what runs, whatever is forced: changing it takes a new worker.
        values = {key: KERNEL if key == "appKernel" else value for key, value in switches.values().items()}
        return WorkerStatus(
            pid=os.getpid(),
            kernel=KERNEL,
            config_seq=self._seq,
            loaded_hash=candidate.compiled.hash,
            effective_hash=effective_hash(candidate),
            switches=values,
            sources=switches.sources,
            generations=self._generations.statuses(),
            running=self._flow.running,
            accepting=self._dispatcher.accepting,
            internal_errors=vitals.faults,
            requests=vitals.requests,
            lag=vitals.take_lag(),
            blocks=dict(self.blocks),
        )
