"""The gateway under test, as its users start it: a process with a configuration file. No import of its code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.sides import chosen, variables

from .catalogue import PROTOCOLS, Cell
from .upstreams import CLIENT_KEY, UPSTREAM_KEY, Target

READY_SECONDS = 60.0
PROFILES = {"C": "openai", "R": "openai", "M": "anthropic", "G": "gemini"}
"""The fake upstreams refuse what the vendors themselves refuse, so they are treated as the vendors are."""


def configuration(cells: list[Cell], targets: dict[int, list[Target]]) -> dict[str, Any]:
    """A provider per target, an alias per cell; two targets form a route with a pool by priority."""
    providers: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    routing: dict[str, Any] = {}
    for cell in cells:
        addresses = []
        for target in targets[cell.number]:
            providers[target.provider] = {
                "protocol": PROTOCOLS[target.protocol],
                "baseUrl": target.base_url,
                "keys": {"main": "${E2E_UPSTREAM_KEY}"},
                "models": [target.model],
                "compatProfile": PROFILES[target.protocol],
            }
            addresses.append(f"{target.provider}.{target.model}")
        aliases[cell.model] = addresses[0]
        if len(addresses) > 1:
            routing[cell.tag] = [{"targets": addresses, "mode": "priority"}]
            aliases[cell.model] = cell.tag
    first = targets[cells[0].number][0]
    routing["default"] = [f"{first.provider}.{first.model}"]
    return {
        "server": {"host": "127.0.0.1", "port": 0, "apiKeys": ["${E2E_CLIENT_KEY}"]},
        "virtualrouter": {
            "providers": providers,
            "routing": routing,
            "aliases": aliases,
            "unknownModel": "404",
        },
        "store": {"path": ":memory:"},
        "telemetry": {"logLevel": "info"},
    }


class Gateway:
    """`async with Gateway(folder, document) as gateway:` serves on `gateway.port` until the end."""

    def __init__(self, folder: Path, document: dict[str, Any]) -> None:
        self.folder = folder
        self.document = document
        self.port = 0
        self.log_file = folder / "gateway.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Gateway:
        self.port = _free_port()
        self.document["server"]["port"] = self.port
        config = self.folder / "config.json"
        config.write_text(json.dumps(self.document, indent=1), encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment, **variables(chosen())}
        with self.log_file.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "routecodex", "start",
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.folder,
            )  # fmt: skip
        await self._until_ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 45)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What makes `routecodex` commands mean this gateway."""
        return {
            "ROUTECODEX_CONFIG": str(self.folder / "config.json"),
            "ROUTECODEX_HOME": str(self.folder / "home"),
            "E2E_UPSTREAM_KEY": UPSTREAM_KEY,
            "E2E_CLIENT_KEY": CLIENT_KEY,
        }

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.returncode

    def log_lines(self, provider_tag: str, most: int) -> list[str]:
        """The last lines that name the cell, and the last errors whatever they name."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        named = [line for line in lines if provider_tag in line]
        broken = [line for line in lines if '"error"' in line and "traceback" in line.lower()]
        return [*named[-most:], *broken[-3:]] or lines[-most:]

    async def _until_ready(self) -> None:
        for _ in range(int(READY_SECONDS / 0.1)):
            if self.exit_code is not None:
                break
            if await asyncio.to_thread(_ready, self.port):
                return
            await asyncio.sleep(0.1)
        tail = "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
        raise RuntimeError(f"The gateway did not get ready (exit code {self.exit_code}). Its log ends:\n{tail}")


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:  # URLError is one: nobody listens yet, or it says 503
        return False


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
