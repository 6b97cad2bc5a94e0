"""What the command line reads of its server's JSON (`/health?verbose`, `/daemon/status`), as far as it is shown.

Data only; members that are not named here are ignored, so the server may say more.
"""

from __future__ import annotations

import msgspec

from routecodex.app.supervisor.messages import WorkerStatus


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


class WorkerTold(msgspec.Struct, frozen=True, rename="camel"):
    """One worker as its supervisor sees it; `status` as it sees itself, None until it has said so."""

    number: int
    pid: int
    state: str
    age_seconds: float = 0.0
    forced_by_environment: list[str] = []
    status: WorkerStatus | None = None


class FileTold(msgspec.Struct, frozen=True, rename="camel"):
    """What became of the configuration file as it was last read."""

    state: str = ""
    reason: str = ""


class LedgerTold(msgspec.Struct, frozen=True, rename="camel"):
    """What keeps the ledger from being whole."""

    waiting: int = 0
    """Entries that are not on disk."""
    broken: str | None = None


class Hashes(msgspec.Struct, frozen=True, rename="camel"):
    """The four hashes: of the file, of what should be in force, of what is, and with every switch's effective value.

    None where there is none, or while workers differ.
    """

    file: str | None = None
    desired: str | None = None
    loaded: str | None = None
    effective: str | None = None


class SupervisorStatus(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /daemon/status`."""

    state: str
    pid: int
    hashes: Hashes
    workers: list[WorkerTold]
    uptime_seconds: float = 0.0
    safe_mode: str | None = None
    config_seq: int = 0
    origin: str = ""
    file: FileTold = FileTold()
    ledger: LedgerTold = LedgerTold()
    overrides: dict[str, bool | str | list[str]] = {}
    forced: list[str] = []
