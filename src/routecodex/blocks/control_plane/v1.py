"""Control plane v1: the handlers work on the stores, commands go straight to the supervisor. JSON in camelCase.

Nothing in here changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from llmswitch_core.router.health import Standing
from routecodex.blocks.control_plane.commands import checked, refusal
from routecodex.blocks.control_plane.contract import NoSupervisorError, Overview


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

    async def command(self, name: str, arguments: Mapping[str, Any], actor: str) -> tuple[int, bytes]:
        """(status, JSON receipt); 400 for arguments the command does not take, 503 where nobody can carry it out."""
        try:
            passed_on = checked(name, arguments)
        except ValueError as error:
            return 400, refusal(name, "bad_command", f"The arguments do not fit: {error}.", _SEE)
        try:
            return await self._overview.command(name, passed_on, actor)
        except NoSupervisorError:
            return 503, refusal(name, "no_supervisor", "This gateway runs without a supervisor.", _START)

    def metrics(self) -> tuple[bytes, str]:
        return self._overview.render_metrics()


_SEE: Final = "docs/reference/http.md lists what each command takes."
_START: Final = "Start it with `routecodex start`, or change the configuration file and restart it."
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
