"""A real gateway, built but not listening, for pages that ask it what it serves.

It knows how the app is wired by kernel v1. Nothing is sent anywhere.
"""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from routecodex.app.gateway import Gateway
from routecodex.app.switches import TABLE, resolve
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


def of_gateway(ask: Callable[[Gateway], T]) -> T:
    """What `ask` learns of a gateway built from a small configuration."""
    with tempfile.TemporaryDirectory(prefix="routecodex-docs-") as folder:
        environ = {"ROUTECODEX_HOME": folder, "PATH": os.environ.get("PATH", "")}
        config = compile_config(load_text(_CONFIG, environ, TABLE, path=Path(folder) / "config.toml"), environ)
        return asyncio.run(_asked(config, ask))


async def _asked(config: CompiledConfig, ask: Callable[[Gateway], T]) -> T:
    writer = LogWriter(io.StringIO())
    try:
        gateway = Gateway(config, resolve(config.architecture), writer, configure(writer, "error"))
        try:
            return ask(gateway)
        finally:
            await gateway.close()
    finally:
        writer.close()
