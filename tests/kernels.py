"""A gateway in the test's own loop, by whichever kernel its candidate names: the same handle for all sides.

Nobody supervises it: its desk's link leads nowhere, and control commands go where the test lets them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from routecodex.app.applying import Candidate
from routecodex.app.desk import Desk
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.gateway import Gateway
from routecodex.app.generation import Generation
from routecodex.app.kernel.assembly import Assembly
from routecodex.app.kernel.lifecycle import Lifecycle
from routecodex.app.overview import Overview
from routecodex.app.request_flow import RequestFlow
from routecodex.app.server import DrainingServer, server
from routecodex.app.supervisor.link import connect
from routecodex.app.supervisor.messages import Boot, Desired, Document, Down
from routecodex.app.switches import resolve
from routecodex.app.worker_start import WorkerStart
from routecodex.blocks.http_adapter import Application
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import LogWriter, Metrics, Telemetry
from routecodex.config.compiled import CompiledConfig, Setting


@dataclass
class Running:
    """A gateway that serves."""

    flow: RequestFlow
    metrics: Metrics
    telemetry: Telemetry
    errors: ErrorHandlingCenter
    overview: Overview
    store: StateStore
    server: DrainingServer
    generation: Callable[[], Generation]
    serving: asyncio.Task[None]

    @property
    def application(self) -> Application:
        """The adapter new requests go to."""
        return self.generation().application


def candidate_of(config: CompiledConfig, sides: dict[str, str]) -> Candidate:
    """A configuration made by hand, over these sides."""
    architecture = {**config.architecture, **{key: Setting(value, "file") for key, value in sides.items()}}
    switches = resolve(architecture)
    desired = Desired(Document(config.source, b""))
    return Candidate(desired, config, switches, {}, switches.values())


def serving(
    candidate: Candidate, listener: socket.socket, writer: LogWriter, log: Any
) -> AbstractAsyncContextManager[Running]:
    """Serve until the block ends."""
    kernel = candidate.switches.values().get("appKernel", "v2")
    return _KERNELS[str(kernel)](candidate, listener, writer, log)


@asynccontextmanager
async def _v1(candidate: Candidate, listener: socket.socket, writer: LogWriter, log: Any) -> AsyncIterator[Running]:
    gateway = Gateway(candidate.compiled, candidate.switches, writer, log)
    wrapped = server(gateway.application, gateway.flow, gateway.stop_accepting, candidate.compiled.server)
    try:
        async with _served(wrapped, listener) as task:
            yield Running(
                gateway.flow,
                gateway.metrics,
                gateway.telemetry,
                gateway.errors,
                gateway.overview,
                gateway.store,
                wrapped,
                lambda: gateway.generation,
                task,
            )
    finally:
        await gateway.close()


@asynccontextmanager
async def _v2(candidate: Candidate, listener: socket.socket, writer: LogWriter, log: Any) -> AsyncIterator[Running]:
    ours, theirs = socket.socketpair()
    link = await connect(ours, Down)
    start = WorkerStart(Boot(candidate.desired, 1, 1), candidate, listener, Desk(link, log), writer, log)
    assembly = Assembly(start)
    blocks = Lifecycle(assembly.blocks(), log)
    try:
        await blocks.bring_up()
        try:
            async with _served(assembly.server, listener) as task:
                yield Running(
                    assembly.flow,
                    assembly.metrics,
                    assembly.telemetry,
                    assembly.errors,
                    assembly.overview,
                    assembly.store,
                    assembly.server,
                    assembly.current,
                    task,
                )
        finally:
            await blocks.take_down()
    finally:
        link.close()
        theirs.close()


@asynccontextmanager
async def _served(server: DrainingServer, listener: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    listener.setblocking(False)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.002)
    try:
        yield task
    finally:
        server.should_exit = True
        await task


_KERNELS: Final = {"v1": _v1, "v2": _v2}
