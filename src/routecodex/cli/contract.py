"""What the command line reads from its server: the JSON of `/health?verbose` and `/ready`, as far as it is shown.

Data only; members that are not named here are ignored, so the server may say more.
"""

from __future__ import annotations

import msgspec


class TargetHealth(msgspec.Struct, frozen=True, rename="camel"):
    """One target's health (`llmswitch_core.router.health.Standing`)."""

    provider_key: str
    state: str
    reason: str = ""
    until: float | None = None
    """Unix seconds."""
    last_error: str = ""
    cooldown_seconds: float | None = None
    """How long it is still avoided."""


class SwitchState(msgspec.Struct, frozen=True, rename="camel"):
    value: bool | str | list[str]
    source: str = "default"


class ServerHealth(msgspec.Struct, frozen=True, rename="camel"):
    """The verbose health of a running gateway, behind the admin token."""

    status: str
    version: str = ""
    uptime_seconds: float | None = None
    generation: int | str | None = None
    config_hash: str = ""
    running: int = 0
    """Requests under way."""
    requests: dict[str, int] = {}
    """Counts by outcome class."""
    targets: list[TargetHealth] = []
    switches: dict[str, SwitchState] = {}
