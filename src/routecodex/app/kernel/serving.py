"""Kernel v2's door: bring the blocks up, serve, take them down."""

from __future__ import annotations

import asyncio
import contextlib

from llmswitch_core.compat import ProfileError
from llmswitch_core.router.policy import RoutingTableError
from routecodex.app.admin_token import AdminTokenError
from routecodex.app.kernel.assembly import Assembly, ProbeError
from routecodex.app.kernel.lifecycle import Lifecycle, LifecycleError
from routecodex.app.supervisor.messages import Ready
from routecodex.app.worker_start import CannotServeError, WorkerStart
from routecodex.blocks.store import StoreUnusableError

_REFUSED = (RoutingTableError, ProfileError, AdminTokenError, StoreUnusableError, ProbeError)


async def serve(start: WorkerStart) -> None:
    """Serve until told to stop. Raises CannotServeError for a configuration that cannot be wired."""
    compiled = start.candidate.compiled
    assembly = Assembly(start)
    blocks = Lifecycle(assembly.blocks(), start.log)
    try:
        await blocks.bring_up()
    except LifecycleError as error:
        if isinstance(error.__cause__, _REFUSED):
            raise CannotServeError(str(error.__cause__)) from error
        raise
    try:
        controls, running = assembly.controls, assembly.server
        controls.blocks = blocks.states
        host, port = start.listener.getsockname()[:2]
        start.log.info("server.started", host=host, port=port, config=compiled.source, config_hash=compiled.hash)
        attending = asyncio.create_task(start.desk.attend(controls))
        running.when_started(lambda: start.desk.say(Ready(controls.status())))
        await running.serve(sockets=[start.listener])
        attending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attending
    finally:
        await blocks.take_down()
        start.writer.flush()
        start.log.info("server.stopped")
