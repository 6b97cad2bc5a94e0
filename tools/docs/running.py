"""A real gateway, built but not listening, for pages that ask it what it serves.

It knows how a worker is put together; nobody supervises it. Nothing is sent anywhere.
"""

from __future__ import annotations

import asyncio
import io
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from routecodex.app.applying import Candidate
from routecodex.app.desk import Desk
from routecodex.app.kernel.assembly import Assembly
from routecodex.app.kernel.lifecycle import Lifecycle
from routecodex.app.supervisor.link import connect
from routecodex.app.supervisor.messages import Boot, Desired, Document, Down
from routecodex.app.switches import TABLE, resolve
from routecodex.app.worker_start import WorkerStart
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure
from routecodex.config.compiled import CompiledConfig
from routecodex.config.compiling import compile_config
from routecodex.config.loading import load_text

T = TypeVar("T")

_CONFIG = """\
[virtualrouter.providers.local]
protocol = "openai-chat"
baseUrl = "http://127.0.0.1:9/v1"
models = ["small"]

[virtualrouter.routing]
default = ["local.small"]

[store]
path = ":memory:"
"""


def of_gateway(ask: Callable[[Assembly], T]) -> T:
    """What `ask` learns of a gateway built from a small configuration."""
    with tempfile.TemporaryDirectory(prefix="routecodex-docs-") as folder:
        environ = {"ROUTECODEX_HOME": folder, "PATH": os.environ.get("PATH", "")}
        config = compile_config(load_text(_CONFIG, environ, TABLE, path=Path(folder) / "config.toml"), environ)
        return asyncio.run(_asked(config, ask))


async def _asked(config: CompiledConfig, ask: Callable[[Assembly], T]) -> T:
    writer = LogWriter(io.StringIO())
    log = configure(writer, "error")
    ours, theirs = socket.socketpair()
    link = await connect(ours, Down)
    try:
        with socket.socket() as listener:
            switches = resolve(config.architecture)
            desired = Desired(Document(config.source, b""))
            candidate = Candidate(desired, config, switches, {}, switches.values())
            gateway = Assembly(WorkerStart(Boot(desired, 1, 1), candidate, listener, Desk(link, log), writer, log))
            blocks = Lifecycle(gateway.blocks(), log)
            await blocks.bring_up()
            try:
                return ask(gateway)
            finally:
                await blocks.take_down()
    finally:
        link.close()
        theirs.close()
        writer.close()
