"""Control plane v1: the handlers work on the stores. JSON in camelCase; nothing in here changes anything."""

from __future__ import annotations

from typing import Any

import msgspec

from llmswitch_core.router.health import Standing
from routecodex.blocks.control_plane.contract import Overview


class ControlPlane:
    """Answers the admin surface from an overview."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    def health(self, verbose: bool) -> tuple[int, bytes]:
        """(200, JSON): the process answers, so it is alive. `verbose` tells everything there is to tell."""
        seen = self._overview
        body: dict[str, Any] = {"status": "ok", "version": seen.version}
        if verbose:
            now = seen.now()
            body.update(
                uptimeSeconds=round(now - seen.started_at, 3),
                running=seen.running(),
                requests=dict(seen.outcomes()),
                targets=[_target(standing, now) for standing in seen.standings()],
                switches=dict(seen.switches()),
                **seen.generation(),
            )
        return 200, msgspec.json.encode(body)

    def ready(self, verbose: bool) -> tuple[int, bytes]:
        """(status, JSON): 200 while requests are taken on; 503 while stopping, so that a balancer looks elsewhere."""
        seen = self._overview
        accepting = seen.accepting
        body: dict[str, Any] = {"ready": accepting}
        if verbose:
            standings = seen.standings()
            usable = sum(1 for standing in standings if standing.state in _USABLE)
            body.update(running=seen.running(), targets=len(standings), usableTargets=usable)
        return 200 if accepting else 503, msgspec.json.encode(body)

    def metrics(self) -> tuple[bytes, str]:
        return self._overview.render_metrics()


_USABLE = frozenset({"healthy", "degraded", "half_open", "quota"})


def _target(standing: Standing, now: float) -> dict[str, Any]:
    told: dict[str, Any] = {"providerKey": standing.provider_key, "state": standing.state}
    if standing.reason:
        told["reason"] = standing.reason
    if standing.until is not None:
        told["until"] = standing.until
        told["cooldownSeconds"] = round(max(standing.until - now, 0.0), 3)
    if standing.last_error:
        told["lastError"] = standing.last_error
    return told
