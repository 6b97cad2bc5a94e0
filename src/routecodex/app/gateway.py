"""The gateway of kernel v1: one generation and everything of the host around it, wired by hand.

It knows which block needs which; no block knows another. Building opens the store and starts the log's thread, no
listener and no upstream connection. It must be made inside the event loop that will run it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

import routecodex
from llmswitch_core.compat.contract import CompatProfile
from llmswitch_core.hub.exchange import Surroundings
from llmswitch_core.router.health import Standing
from llmswitch_core.router.state import RouterState
from routecodex.app import admin_token
from routecodex.app.error_handling import ErrorHandlingCenter
from routecodex.app.generation import Generation
from routecodex.app.provider_errors import ProviderErrorCenter
from routecodex.app.request_flow import RequestFlow
from routecodex.app.switches import SwitchVector
from routecodex.blocks.control_plane.v1 import ControlPlane
from routecodex.blocks.http_adapter import Application, ModelEntry, Rules
from routecodex.blocks.http_adapter.v1 import build as build_adapter
from routecodex.blocks.provider_runtime.v1 import build as build_runtime
from routecodex.blocks.runtime_bootstrap.v1 import build as build_artifacts
from routecodex.blocks.store import StateStore
from routecodex.blocks.telemetry import LogWriter, Metrics, Telemetry
from routecodex.config.compiled import CompiledConfig

_LAST_REQUESTS: Final = 5.0
"""Seconds for requests that were ended to let go of their generation."""

CONVERSATION_SECRET: Final = "conversation-keys"  # noqa: S105 (a name)


_IDS: Final = random.Random(os.urandom(32))  # noqa: S311 (ids are names; what they name is guarded by its account)


def new_id(prefix: str) -> str:
    """A fresh id: the prefix and 24 hex digits. No system call: several are made per request."""
    return f"{prefix}{_IDS.getrandbits(96):024x}"


class Gateway:
    """A whole gateway but for its listener."""

    def __init__(
        self,
        config: CompiledConfig,
        profiles: Mapping[str, CompatProfile],
        switches: SwitchVector,
        writer: LogWriter,
        log: structlog.typing.FilteringBoundLogger,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._log = log
        self._started_at = now()
        self._accepting = True
        self._state = RouterState()
        self.store = StateStore(config.store, now, log)
        self.metrics = Metrics()
        self.telemetry = Telemetry(writer, self.metrics, config.server.access_log)
        artifacts = build_artifacts(config, profiles, build_runtime, self.store.secret(CONVERSATION_SECRET), now)
        self._generation = Generation(config, switches, artifacts)
        surroundings = Surroundings(now=now, new_id=new_id, tokens=self.store, responses=self.store)
        self.flow = RequestFlow(
            lambda: self._generation,
            self._state,
            surroundings,
            self.store.keep_tokens,
            ErrorHandlingCenter(log),
            ProviderErrorCenter(self._state, now, log),
            self.telemetry,
        )
        self.metrics.gauge("routecodex_running_requests", "Requests under way.", lambda: self.flow.running)
        server = config.server
        rules = Rules(
            server=server,
            limits=server.limits,
            admin_token_digest=admin_token.digest(server.admin.token_file) if server.admin.enabled else None,
            websockets=server.limits.max_websocket_connections > 0,
            route_hints=config.route_hints,
            metrics=config.telemetry.metrics,
        )
        self.application: Application = build_adapter(rules, self.flow, self, ControlPlane(self), new_id)

    def stop_accepting(self) -> None:
        """Refuse new requests; running ones go on."""
        self._accepting = False
        self.application.stop_accepting()

    async def close(self) -> None:
        """Close upstream connections and the store, when nothing runs any more."""
        try:
            async with asyncio.timeout(_LAST_REQUESTS):
                await self._generation.retire()
        except TimeoutError:
            self._log.error("server.requests_left", running=self.flow.running)
            await self._generation.runtime.close()
        self.store.close()

    # --- what the model list shows ---------------------------------------------------------------------

    def models(self) -> Sequence[ModelEntry]:
        """The names clients may use; patterns are no names."""
        table = self._generation.config.routing
        entries: list[ModelEntry] = []
        for name in self._generation.artifacts.router.known_names():
            if "*" in name:
                continue
            provider, _, model = name.partition(".")
            known = table.providers.get(provider)
            target = None
            if known is not None and known.key_aliases:
                target = table.targets.get(f"{provider}.{known.key_aliases[0]}.{model}")
            entries.append(
                ModelEntry(
                    name,
                    provider if known is not None else "routecodex",
                    target.context_window if target is not None else None,
                    target.max_output_tokens if target is not None else None,
                )
            )
        return entries

    # --- what the control plane shows ------------------------------------------------------------------

    @property
    def accepting(self) -> bool:
        return self._accepting

    @property
    def version(self) -> str:
        return routecodex.__version__

    @property
    def started_at(self) -> float:
        return self._started_at

    def now(self) -> float:
        return self._now()

    def generation(self) -> Mapping[str, Any]:
        config = self._generation.config
        return {"generation": self._generation.id, "configHash": config.hash, "config": config.source}

    def running(self) -> int:
        return self.flow.running

    def outcomes(self) -> Mapping[str, int]:
        return self.metrics.outcomes()

    def standings(self) -> Sequence[Standing]:
        return self._generation.artifacts.router.standings(self._state, self._now())

    def switches(self) -> Mapping[str, Mapping[str, Any]]:
        vector = self._generation.switches
        return {key: {"value": value, "source": vector.source(key)} for key, value in vector.values().items()}

    def render_metrics(self) -> tuple[bytes, str]:
        return self.metrics.render()
