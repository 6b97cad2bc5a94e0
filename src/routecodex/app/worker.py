"""A worker process: one kernel on the supervisor's listener.

    python -m routecodex.app.worker --listener-descriptor N --link-descriptor M

It reads what to serve from the link, makes a candidate of it and hands it to the side of `appKernel` it names. Exit
codes: 0 after a stop that was asked for, 78 for a configuration that cannot be served, 70 for a fault of our own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from typing import Protocol as Interface

from routecodex.app import boot, kernel, sides
from routecodex.app.applying import UnusableError, read
from routecodex.app.desk import Desk
from routecodex.app.supervisor.link import connect
from routecodex.app.supervisor.messages import Boot, BootFailed, Down, Refusal
from routecodex.app.worker_start import CannotServeError, WorkerStart
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure
from routecodex.config.compiled import SwitchValue

OK: Final = 0
INTERNAL: Final = 70
CONFIGURATION: Final = 78

_COLLECTOR: Final = (20_000, 50, 100)
"""Thresholds of the garbage collector's generations while serving."""


class Kernel(Interface):
    """Serves until it is told to stop."""

    async def __call__(self, start: WorkerStart) -> None: ...


_KERNELS: Final[Mapping[SwitchValue, Kernel]] = {"v1": boot.serve, "v2": kernel.serve}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="routecodex.app.worker")
    parser.add_argument("--listener-descriptor", type=int, required=True)
    parser.add_argument("--link-descriptor", type=int, required=True)
    options = parser.parse_args(arguments)
    # Ctrl-C reaches the whole process group; the supervisor says what follows from it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(fileno=options.listener_descriptor)
    end = socket.socket(fileno=options.link_descriptor)
    listener.setblocking(False)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_run(listener, end))


async def _run(listener: socket.socket, end: socket.socket) -> int:
    link = await connect(end, Down)
    try:
        boot_message = await link.read()
        if not isinstance(boot_message, Boot):
            return INTERNAL
        try:
            candidate = read(boot_message.desired, os.environ)
        except UnusableError as error:
            link.write(BootFailed(CONFIGURATION, error.refusals))
            await link.flush()
            return CONFIGURATION
        telemetry = candidate.compiled.telemetry
        writer = LogWriter(sys.stderr, telemetry.log_format)
        try:
            log = configure(writer, telemetry.log_level)
            desk = Desk(link, log)
            return await _serve(WorkerStart(boot_message, candidate, listener, desk, writer, log))
        finally:
            writer.close()
    finally:
        await link.flush()
        link.close()


async def _serve(start: WorkerStart) -> int:
    settle_memory()
    try:
        await _KERNELS[sides.chosen(start.candidate.switches, "appKernel", _KERNELS)](start)
    except CannotServeError as error:
        start.log.error("server.refused", cause=str(error))
        start.desk.say(BootFailed(CONFIGURATION, (Refusal("cannot_serve", "$", str(error)),)))
        return CONFIGURATION
    except Exception as error:
        start.log.error("server.failed", exc_info=error)
        start.desk.say(BootFailed(INTERNAL, (Refusal("internal_error", "$", f"{type(error).__name__}: {error}"),)))
        return INTERNAL
    return OK


def settle_memory() -> None:
    """What is alive now stays: take it out of the collector's sight, and let it run less often.

    Requests leave few cycles behind; scanning every living object after each few of them cost a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
