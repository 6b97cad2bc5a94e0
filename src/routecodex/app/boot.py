"""Kernel v1: one function that builds, serves and stops.

It knows the order of life: log, gateway, server; and back. Exit codes: 0 after a stop that was asked for, 78 for a
configuration that cannot be served, 70 for a fault of our own.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from llmswitch_core.compat import BUILT_IN, ProfileError, compile_profiles, rule_set
from llmswitch_core.router.policy import RoutingTableError
from routecodex.app.admin_token import AdminTokenError
from routecodex.app.gateway import Gateway
from routecodex.app.server import server
from routecodex.app.switches import forced_keys, resolve
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure
from routecodex.config.compiled import CompiledConfig

if TYPE_CHECKING:
    import socket

OK: Final = 0
INTERNAL: Final = 70
CONFIGURATION: Final = 78

_COLLECTOR: Final = (20_000, 50, 100)
"""Thresholds of the garbage collector's generations while serving."""


def serve(compiled: CompiledConfig, listener: socket.socket) -> int:
    """Serve this configuration on this listener until a signal says stop; the exit code."""
    writer = LogWriter(sys.stderr, compiled.telemetry.log_format)
    log = configure(writer, compiled.telemetry.log_level)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(compiled, listener, writer, log))
    except (RoutingTableError, ProfileError, AdminTokenError) as error:
        log.error("server.refused", cause=str(error))
        return CONFIGURATION
    except Exception as error:
        log.error("server.failed", exc_info=error)
        return INTERNAL
    finally:
        writer.close()


async def _serve(
    compiled: CompiledConfig,
    listener: socket.socket,
    writer: LogWriter,
    log: structlog.typing.FilteringBoundLogger,
) -> int:
    switches = resolve(compiled.architecture, forced=forced_keys(os.environ))
    profiles = rule_set(compile_profiles(BUILT_IN, compiled.profiles), switches.hub_compat_profile)
    gateway = Gateway(compiled, profiles, switches, writer, log)
    try:
        _settle_memory()
        host, port = listener.getsockname()[:2]
        log.info("server.started", host=host, port=port, config=compiled.source, config_hash=compiled.hash)
        running = server(gateway.application, gateway.flow, gateway.stop_accepting, compiled.server)
        await running.serve(sockets=[listener])
        writer.flush()
        log.info("server.stopped")
    finally:
        await gateway.close()
    return OK


def _settle_memory() -> None:
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
