"""A gateway really listening, in a thread with its own loop, in front of the fake upstream.

Everything goes over sockets: the test's client, the gateway, the fake. It runs in this process, so that a planted bug
(`mutants.py`) is in force on the whole path. Configuration is text, as a user writes it.
"""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from pathlib import Path
from typing import Any

from routecodex.app.applying import read
from routecodex.app.supervisor.messages import Desired, Document
from routecodex.blocks.telemetry import LogWriter
from routecodex.blocks.telemetry.logs import configure
from tests.kernels import serving
from tests.running import Running
from tests.sides import chosen, written

KEY = "${UPSTREAM_KEY}"
ERROR_KEYS = 120
"""How many key aliases a provider has: failures cool a key down, so every failing request takes a fresh one."""

_FAMILIES = (
    # id, protocol, path below the fake's root, vendor and the name of its compat profile
    ("chat", "openai-chat", "/v1", "openai"),
    ("responses", "openai-responses", "/v1", "openai"),
    ("messages", "anthropic-messages", "", "anthropic"),
    ("gemini", "gemini", "", "gemini"),
)
PROVIDER = {protocol: name for name, protocol, _, _ in _FAMILIES}
MODEL = {
    "openai-chat": "gpt-4.1",
    "openai-responses": "gpt-4.1",
    "anthropic-messages": "claude-x",
    "gemini": "gemini-2.5-flash",
}


def target(outbound: str, *, provider: str = "", key: str = "main") -> str:
    """The model name a client uses for an upstream of that protocol: `provider.key.model`."""
    return ".".join(p for p in (provider or PROVIDER[outbound], key, MODEL[outbound]) if p)


def configuration(upstream: str, store: str, *, keepalive: float, idle: float) -> str:
    """The configuration file: for each protocol a native provider, a foreign one, and a route over both."""
    keys = "".join(f', e{n} = "{KEY}"' for n in range(ERROR_KEYS))
    out = [
        f"[server]\nport = 1\naccessLog = false\nkeepalive = {keepalive}\nheadWait = {keepalive}\ndrain = 0",
        "[server.admin]\nenabled = false",
        f'[store]\npath = "{store}"',
        '[telemetry]\nlogLevel = "error"',
        "[virtualrouter.health]\nrateLimitCooldown = 0\nauthCooldown = 0\nbillingCooldown = 0\nfailureThreshold = 1000",
        "[virtualrouter.sticky]\nenabled = false",
        "[virtualrouter.retry]\nloneRetryAfter = 0",
    ]
    routes = ['default = ["chat.gpt-4.1"]']
    aliases = []
    for name, protocol, path, vendor in _FAMILIES:
        for suffix, family in (("", f'vendor = "{vendor}"\ncompatProfile = "{vendor}"\n'), ("-b", "")):
            out.append(
                f'[virtualrouter.providers.{name}{suffix}]\nprotocol = "{protocol}"\nbaseUrl = "{upstream}{path}"\n'
                f'{family}keys = {{ main = "{KEY}"{keys if not suffix else ""} }}\nmaxConnections = 64'
            )
            out.append(f"[virtualrouter.providers.{name}{suffix}.timeouts]\nfirstByte = 20\nidle = {idle}\ntotal = 40")
        model = MODEL[protocol]
        routes.append(
            f'two-{name} = [{{ targets = ["{name}.main.{model}-1", "{name}-b.main.{model}-2"], mode = "priority" }}]'
        )
        aliases.append(f'"two-{name}" = "two-{name}"')
    out.append(
        f'[virtualrouter.providers.deepseek]\nprotocol = "openai-chat"\nbaseUrl = "{upstream}/v1"\n'
        f'compatProfile = "deepseek"\nkeys = {{ main = "{KEY}" }}'
    )
    out.append(
        f'[virtualrouter.providers.lowered]\nprotocol = "gemini"\nbaseUrl = "{upstream}"\nkeys = {{ main = "{KEY}" }}\n'
        'models = [{ name = "gemini-2.5-flash", options = { tool_schema = "parameters" } }]'
    )
    out.append("[virtualrouter.routing]\n" + "\n".join(routes))
    out.append("[virtualrouter.aliases]\n" + "\n".join(aliases))
    return "\n\n".join(out) + "\n"


class RunningGateway:
    """`with RunningGateway(upstream_url, tmp) as gateway:`; `gateway.port` is where it listens."""

    def __init__(self, upstream: str, directory: Path, *, keepalive: float = 15, idle: float = 20) -> None:
        text = configuration(upstream, str(directory / "state.sqlite3"), keepalive=keepalive, idle=idle)
        self._text = text + "\n" + written(chosen())
        self._directory = directory
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self.served: Running
        self.log = io.StringIO()
        self.port = 0

    def __enter__(self) -> RunningGateway:
        self._thread.start()
        assert self._ready.wait(30), "the gateway did not start"
        if self._error is not None:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(setattr, self.served.server, "should_exit", True)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the gateway did not stop"
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        environ = {"HOME": str(self._directory), "UPSTREAM_KEY": "k-upstream"}
        desired = Desired(Document(str(self._directory / "config.toml"), self._text.encode()))
        candidate = read(desired, environ)
        writer = LogWriter(self.log, "json")
        log = configure(writer, "error")
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = listener.getsockname()[1]
        try:
            async with serving(candidate, listener, writer, log) as self.served:
                self._ready.set()
                await self.served.serving
        finally:
            writer.close()

    def do(self, function: Any) -> Any:
        """Run a function on the gateway's own loop and wait for its value."""

        async def call() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    @property
    def outcomes(self) -> dict[str, int]:
        """Recorded requests so far, by outcome class."""
        return dict(self.do(self.served.metrics.outcomes))

    @property
    def running(self) -> int:
        """Requests under way."""
        return int(self.do(lambda: self.served.flow.running))
