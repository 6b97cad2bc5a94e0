"""What a gateway in the test's own loop is, whichever kernel put it together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.generation import Generation
from routecodex.app.overview import Overview
from routecodex.app.request_flow import RequestFlow
from routecodex.app.server import DrainingServer
from routecodex.blocks.http_adapter import Application
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import Metrics, Telemetry


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
    stop_accepting: Callable[[], None]

    @property
    def application(self) -> Application:
        """The adapter new requests go to."""
        return self.generation().application


@asynccontextmanager
async def served(server: DrainingServer, listener: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Let the server accept until the block ends."""
    listener.setblocking(False)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.002)
    try:
        yield task
    finally:
        server.should_exit = True
        await task
