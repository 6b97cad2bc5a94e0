"""A real worker process on a real listener, and the supervisor's end of its link in the test's loop."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from routecodex.app.supervisor.link import Link, connect
from routecodex.app.supervisor.messages import (
    Ask,
    Boot,
    BootFailed,
    Commit,
    Desired,
    Document,
    Force,
    Prepare,
    Prepared,
    Published,
    Ready,
    Refused,
    Stop,
    Told,
    Up,
    WorkerStatus,
)
from tests.sides import written

T = TypeVar("T")

CONFIG = """
[server]
port = 1
drain = {drain}

[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl = "{url}/v1"
keys = {{ main = "${{ACME_API_KEY}}" }}
models = ["fake-model"{models}]

[virtualrouter.routing]
default = ["acme.fake-model"]

{architecture}
"""


def config(url: str, over: Mapping[str, str], *, models: str = "", drain: float = 5.0) -> str:
    """A configuration file over these sides."""
    return CONFIG.format(url=url, models=models, drain=drain, architecture=written(over))


class Worker:
    """What the supervisor knows of one worker."""

    def __init__(self, process: subprocess.Popen[bytes], link: Link[Any, Up], folder: Path, port: int) -> None:
        self.process = process
        self.link = link
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._ids = itertools.count(1)

    def desired(self, text: str, **more: Any) -> Desired:
        return Desired(Document(str(self.folder / "config.toml"), text.encode()), **more)

    async def hear(self, kind: type[T]) -> T:
        """The next message, which must be of this kind."""
        async with asyncio.timeout(20):
            message = await self.link.read()
        assert isinstance(message, kind), message
        return message

    async def boot(self, text: str, seq: int = 1, **more: Any) -> WorkerStatus:
        self.link.write(Boot(self.desired(text, **more), seq, 1))
        return (await self.hear(Ready)).status

    async def boot_refused(self, text: str) -> BootFailed:
        self.link.write(Boot(self.desired(text), 1, 1))
        return await self.hear(BootFailed)

    async def prepare(self, text: str, *, dry: bool = False, **more: Any) -> Prepared | Refused:
        self.link.write(Prepare(next(self._ids), self.desired(text, **more), dry))
        return await self.hear(Prepared | Refused)  # type: ignore[arg-type]

    async def commit(self, number: int, seq: int) -> Published | Refused:
        self.link.write(Commit(number, seq))
        return await self.hear(Published | Refused)  # type: ignore[arg-type]

    async def apply(self, text: str, seq: int, **more: Any) -> WorkerStatus:
        """Prepare and commit."""
        prepared = await self.prepare(text, **more)
        assert isinstance(prepared, Prepared), prepared
        published = await self.commit(prepared.id, seq)
        assert isinstance(published, Published), published
        assert not published.failures
        return published.status

    async def force(self, *keys: str) -> Published:
        self.link.write(Force(next(self._ids), keys))
        return await self.hear(Published)

    async def status(self, *, probe: bool = False) -> Told:
        self.link.write(Ask(next(self._ids), probe))
        return await self.hear(Told)

    async def stop(self, drain: float = -1.0) -> int:
        self.link.write(Stop(drain))
        return await self.ended()

    async def ended(self) -> int:
        """The exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), 30)


@asynccontextmanager
async def worker(folder: Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[Worker]:
    """A worker that waits for its `Boot`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "routecodex.app.worker"]
    command += ["--listener-descriptor", str(listener.fileno()), "--link-descriptor", str(theirs.fileno())]
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ROUTECODEX_HOME": str(folder / "h"),
        "ACME_API_KEY": "secret-of-acme",
        **(environ or {}),
    }
    log = (folder / "worker.log").open("wb")
    process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        command, env=environment, pass_fds=(listener.fileno(), theirs.fileno()), stdout=log, stderr=log
    )
    theirs.close()
    link = await connect(ours, Up)
    try:
        yield Worker(process, link, folder, listener.getsockname()[1])
    finally:
        link.close()
        if process.poll() is None:
            process.kill()
        process.wait()
        log.close()
        listener.close()
