"""A gateway in the test's own loop by kernel v1."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from routecodex.app.applying import Candidate
from routecodex.app.gateway import Gateway
from routecodex.app.server import server
from routecodex.blocks.telemetry import LogWriter
from tests.running import Running, served


@asynccontextmanager
async def kernel(
    candidate: Candidate, listener: socket.socket, writer: LogWriter, log: Any, now: Callable[[], float]
) -> AsyncIterator[Running]:
    one = Gateway(candidate.compiled, candidate.switches, writer, log, now)
    wrapped = server(one.application, one.flow, one.stop_accepting, lambda: None, candidate.compiled.server)
    try:
        async with served(wrapped, listener) as task:
            yield Running(
                one.flow,
                one.metrics,
                one.telemetry,
                one.errors,
                one.overview,
                one.store,
                wrapped,
                lambda: one.generation,
                task,
                one.stop_accepting,
            )
    finally:
        await one.close()
