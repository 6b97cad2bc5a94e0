"""A gateway in the test's own loop, by whichever kernel its candidate names: the same handle for all sides.

Nobody supervises it: its desk's link leads nowhere, and control commands go where the test lets them.
"""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias

import pytest

from routecodex.app import gateway, sides
from routecodex.app.applying import Candidate
from routecodex.app.desk import Desk
from routecodex.app.kernel import assembly, building
from routecodex.app.kernel.assembly import Assembly
from routecodex.app.kernel.lifecycle import Lifecycle
from routecodex.app.supervisor.link import connect
from routecodex.app.supervisor.messages import Boot, Desired, Document, Down
from routecodex.app.switches import resolve
from routecodex.app.worker_start import WorkerStart
from routecodex.blocks.http_adapter import AdapterFactory
from routecodex.blocks.telemetry import LogWriter
from routecodex.config.compiled import CompiledConfig, Setting, SwitchValue
from tests import kernel_v1
from tests.running import Running, served


def candidate_of(config: CompiledConfig, sides: dict[str, str]) -> Candidate:
    """A configuration made by hand, over these sides."""
    architecture = {**config.architecture, **{key: Setting(value, "file") for key, value in sides.items()}}
    switches = resolve(architecture)
    desired = Desired(Document(config.source, b""))
    return Candidate(desired, config, switches, {}, switches.values())


@asynccontextmanager
async def serving(
    candidate: Candidate,
    listener: socket.socket,
    writer: LogWriter,
    log: Any,
    adapter: AdapterFactory | None = None,
    new_id: Callable[[str], str] | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Running]:
    """Serve until the block ends; with an adapter, ids and a clock of the test's own if it has any."""
    with pytest.MonkeyPatch.context() as patch:
        if adapter is not None:
            patch.setattr(sides, "_HTTP_ADAPTER", dict.fromkeys(sides.http_adapters(), adapter))
        if new_id is not None:
            for module in (gateway, building, assembly):
                patch.setattr(module, "new_id", new_id)
        kernel = _KERNELS[sides.chosen(candidate.switches, "appKernel", _KERNELS)]
        async with kernel(candidate, listener, writer, log, now) as running:
            yield running


@asynccontextmanager
async def _v2(
    candidate: Candidate, listener: socket.socket, writer: LogWriter, log: Any, now: Callable[[], float]
) -> AsyncIterator[Running]:
    ours, theirs = socket.socketpair()
    link = await connect(ours, Down)
    start = WorkerStart(Boot(candidate.desired, 1, 1), candidate, listener, Desk(link, log), writer, log)
    parts = Assembly(start, now)
    blocks = Lifecycle(parts.blocks(), log)
    try:
        await blocks.bring_up()
        try:
            async with served(parts.server, listener) as task:
                yield Running(
                    parts.flow,
                    parts.metrics,
                    parts.telemetry,
                    parts.errors,
                    parts.overview,
                    parts.store,
                    parts.server,
                    parts.current,
                    task,
                    parts.dispatcher.stop_accepting,
                )
        finally:
            await blocks.take_down()
    finally:
        link.close()
        theirs.close()


_Kernel: TypeAlias = Callable[..., AbstractAsyncContextManager[Running]]
_KERNELS: Final[dict[SwitchValue, _Kernel]] = {"v1": kernel_v1.kernel, "v2": _v2}
