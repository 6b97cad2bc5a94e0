"""A whole gateway on a real listener, inside the test's event loop, in front of fake upstreams."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.router.contract import Alias, Pool, PoolEntry, ProviderModels, Route, RoutingTable, Target
from routecodex.app import sides
from routecodex.app.switches import BY_KEY
from routecodex.blocks.http_adapter import AdapterFactory
from routecodex.blocks.telemetry import LogWriter, OutcomeRecord
from routecodex.blocks.telemetry.logs import configure
from routecodex.config.compiled import (
    AdminSettings,
    AuthSpec,
    CompiledConfig,
    Limits,
    Paths,
    ProfileDocument,
    ProviderSpec,
    RetrySettings,
    ServerSettings,
    StoreSettings,
    TelemetrySettings,
    Timeouts,
)
from routecodex.config.secret import Secret
from tests.kernels import candidate_of, serving
from tests.running import Running
from tests.sides import chosen

ADAPTERS: Mapping[Any, AdapterFactory] = sides.http_adapters()
"""Every adapter there is."""

adapter = next(iter(ADAPTERS))
"""The side that `host` serves with where nothing else is said; conftest.py runs the suite over all."""

C = Protocol.OPENAI_CHAT
R = Protocol.OPENAI_RESPONSES
M = Protocol.ANTHROPIC_MESSAGES
G = Protocol.GEMINI

_VERSION = {C: "/v1", R: "/v1", M: "", G: ""}
_HEADER = {
    C: ("authorization", "Bearer "),
    R: ("authorization", "Bearer "),
    M: ("x-api-key", ""),
    G: ("x-goog-api-key", ""),
}
_VENDOR = {C: "openai", R: "openai", M: "anthropic", G: "gemini"}

FAST = Timeouts(connect=2.0, first_byte=5.0, idle=5.0, total=30.0)


_LIMITS = Limits()
_RETRY = RetrySettings()


def provider(
    name: str,
    url: str,
    protocol: Protocol = C,
    *,
    timeouts: Timeouts = FAST,
    key: str = "upstream-key",
    **more: Any,
) -> ProviderSpec:
    """One provider with the keyAlias `main`."""
    header, prefix = _HEADER[protocol]
    auth = AuthSpec("static", header=header, prefix=prefix, secret=Secret(key, "${KEY}"))
    return ProviderSpec(
        id=name,
        protocol=protocol,
        base_url=url + _VERSION[protocol],
        vendor=_VENDOR[protocol],
        profile="plain",
        auth={"main": auth},
        timeouts=timeouts,
        **more,
    )


def routing(specs: tuple[ProviderSpec, ...], model: str = "fake-model", mode: str = "priority") -> RoutingTable:
    """Every provider's `model` in one pool of route default, in this order."""
    targets = {
        f"{spec.id}.main.{model}": Target(spec.id, "main", model, spec.protocol, spec.profile, spec.vendor)
        for spec in specs
    }
    entries = tuple(PoolEntry(key, priority=index) for index, key in enumerate(targets))
    pool = Pool("default", entries, mode="priority" if mode == "priority" else "weighted")
    return RoutingTable(
        targets=targets,
        routes={"default": Route("default", (pool,))},
        providers={
            spec.id: ProviderModels(spec.id, ("main",), (model,), spec.vendor, spec.protocol, spec.profile)
            for spec in specs
        },
        aliases=(Alias("known-name", "default"),),
    )


def compiled(
    tmp_path: Path,
    specs: tuple[ProviderSpec, ...],
    *,
    table: RoutingTable | None = None,
    limits: Limits = _LIMITS,
    retry: RetrySettings = _RETRY,
    store: str = ":memory:",
    **server_settings: Any,
) -> CompiledConfig:
    """A configuration of these providers; keepalive and head wait are off the scale of a test unless set."""
    run = tmp_path / "run"
    return CompiledConfig(
        hash="0" * 64,
        source=str(tmp_path / "config.toml"),
        server=ServerSettings(
            port=0, limits=limits, admin=AdminSettings(token_file=str(run / "admin-token")), **server_settings
        ),
        providers={spec.id: spec for spec in specs},
        routing=table or routing(specs),
        canary_routing=None,
        route_hints=True,
        retry=retry,
        profiles=(ProfileDocument("plain", "the test", {}),),
        architecture={},
        store=StoreSettings(path=store),
        telemetry=TelemetrySettings(),
        paths=Paths(home=str(tmp_path), run=str(run), logs=str(tmp_path / "logs")),
    )


@dataclass
class Host:
    """A running gateway as tests see it."""

    url: str
    port: int
    gateway: Running
    server: Any
    log: StringIO
    task: asyncio.Task[None]
    config: CompiledConfig
    admin_token: str = field(default="")

    @property
    def records(self) -> list[OutcomeRecord]:
        return list(self.gateway.telemetry.recent)

    async def settled(self, records: int | None = None) -> list[OutcomeRecord]:
        """Wait until nothing runs (and `records` requests were recorded)."""
        async with asyncio.timeout(10):
            while self.gateway.flow.running or (records is not None and len(self.records) < records):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self.records


@asynccontextmanager
async def host(
    config: CompiledConfig,
    build: AdapterFactory | None = None,
    *,
    new_id: Callable[[str], str] | None = None,
    now: Callable[[], float] = time.time,
    over: Mapping[str, str] | None = None,
) -> AsyncIterator[Host]:
    """Serve this configuration on a free port of 127.0.0.1 until the block ends.

    `build` is an adapter of the test's own; `over` are the switches' sides, instead of those of this run.
    """
    log = StringIO()
    writer = LogWriter(log)
    logger = configure(writer, "debug")
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    port = listener.getsockname()[1]
    wanted = {**chosen(), "hostBlocks.httpAdapter": adapter} if over is None else over
    candidate = candidate_of(config, {key: value for key, value in wanted.items() if key in BY_KEY})
    try:
        async with serving(candidate, listener, writer, logger, build, new_id, now) as running:
            admin = config.server.admin
            token = Path(admin.token_file).read_text().strip() if admin.enabled else ""  # noqa: ASYNC240
            url = f"http://127.0.0.1:{port}"
            yield Host(url, port, running, running.server, log, running.serving, config, token)
    finally:
        writer.close()


def open_descriptors() -> int:
    """File descriptors of this process."""
    folder = "/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd"
    return len(list(Path(folder).iterdir()))


def leftovers() -> tuple[int, int]:
    """(descriptors, tasks) after a collection."""
    gc.collect()
    return open_descriptors(), len(asyncio.all_tasks())


def chat(text: str = "hi", **more: Any) -> dict[str, Any]:
    """A small Chat Completions body."""
    return {"model": "fake-model", "messages": [{"role": "user", "content": text}], **more}


def messages(text: str = "hi", **more: Any) -> dict[str, Any]:
    """A small Messages body."""
    return {"model": "fake-model", "max_tokens": 64, "messages": [{"role": "user", "content": text}], **more}


def responses(text: str = "hi", **more: Any) -> dict[str, Any]:
    """A small Responses body."""
    return {"model": "fake-model", "input": text, **more}


def contents(text: str = "hi", **more: Any) -> dict[str, Any]:
    """A small generateContent body."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def with_settings(config: CompiledConfig, **server_settings: Any) -> CompiledConfig:
    """The same configuration with other server settings."""
    return msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, **server_settings))


REQUESTS: Mapping[Protocol, tuple[str, dict[str, Any], str]] = {
    C: ("/v1/chat/completions", chat(), "/v1/chat/completions"),
    R: ("/v1/responses", responses(), "/v1/responses"),
    M: ("/v1/messages", messages(), "/v1/messages"),
    G: (
        "/v1beta/models/fake-model:generateContent",
        contents(),
        "/v1beta/models/fake-model:streamGenerateContent?alt=sse",
    ),
}
"""Per client protocol: path, body, path of a streamed request."""


def streamed(protocol: Protocol) -> tuple[str, dict[str, Any]]:
    """(path, body) of a small streamed request."""
    path, body, stream_path = REQUESTS[protocol]
    return (stream_path, body) if protocol is G else (path, {**body, "stream": True})
