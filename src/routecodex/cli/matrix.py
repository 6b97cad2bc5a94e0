"""The switch matrix as the command line sees it: of the running gateway where there is one, else of the configuration.

It joins values and sources with the table's words (`app.switch_report`), and always says where they are from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from routecodex.app.switch_report import SwitchReport, reports
from routecodex.app.switches import BY_KEY, resolve
from routecodex.cli import sentinel
from routecodex.cli.configuration import shaped
from routecodex.cli.control import ask
from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_TEMPORARY, CommandError
from routecodex.cli.servers import chosen
from routecodex.cli.status import health_of
from routecodex.cli.target_server import TargetServer, find
from routecodex.config.compiled import Setting, SwitchValue
from routecodex.config.compiling import switch_settings
from routecodex.config.faults import did_you_mean
from routecodex.config.loading import gateway_home

_ENTRIES: Final = 10_000
"""Of the ledger, as many as a start reads."""


class _Row(msgspec.Struct, frozen=True):
    """One row as the supervisor tells it; its words are taken from our own table."""

    key: str
    value: SwitchValue | None = None
    """None while workers differ."""
    source: str = "default"
    configured: SwitchValue | None = None
    override: SwitchValue | None = None
    workers: Mapping[str, SwitchValue | None] = {}


class _Told(msgspec.Struct, frozen=True):
    switches: list[_Row]


class Matrix(msgspec.Struct, frozen=True, rename="camel"):
    """Every row, and whose."""

    origin: Literal["gateway", "configuration"]
    place: str
    """The gateway's URL, or the file."""
    switches: list[SwitchReport]

    @property
    def title(self) -> str:
        if self.origin == "gateway":
            return f"Of the gateway at {self.place}:"
        return f"Of {self.place} (no gateway runs):"

    def row(self, key: str) -> SwitchReport:
        """One row; `key` is one (`known`)."""
        return next(row for row in self.switches if row.key == key)


def known(key: str) -> str:
    """The key, if it is a row's. Raises CommandError naming the nearest."""
    if key in BY_KEY:
        return key
    raise CommandError(
        EXIT_CONFIGURATION, f'There is no switch "{key}".', did_you_mean(key, BY_KEY), code="unknown_switch"
    )


def running(config: Path | None, port: int | None) -> TargetServer | None:
    """The gateway that is meant, if it runs. Raises CommandError where several do, or none on the port named."""
    if chosen(gateway_home(os.environ) / "run", port, config) is not None:
        return find(config, port)
    if port is not None:
        raise CommandError(
            EXIT_TEMPORARY, f"No gateway runs on port {port}.", "See `routecodex status`.", code="not_running"
        )
    return None


def matrix(config: Path | None, port: int | None) -> Matrix:
    """Raises CommandError where neither a gateway nor a configuration can be read."""
    target = running(config, port)
    return _offline(config) if target is None else Matrix("gateway", target.url, _live(target))


def _live(target: TargetServer) -> list[SwitchReport]:
    try:
        receipt = ask(target, "GET", "/daemon/switches")
    except CommandError as error:
        health = health_of(target) if error.code == "no_supervisor" else None
        if health is None:
            raise
        values: dict[str, Any] = {key: state.value for key, state in health.switches.items()}
        return reports(values, {key: state.source for key, state in health.switches.items()})
    told = msgspec.convert(receipt.result, _Told)
    rows = {row.key: row for row in told.switches}
    found = reports(
        {row.key: row.value for row in told.switches if row.value is not None},
        {row.key: row.source for row in told.switches},
    )
    return [
        msgspec.structs.replace(
            report,
            override=rows[report.key].override,
            configured=rows[report.key].configured,
            workers=rows[report.key].workers,
        )
        if report.key in rows
        else report
        for report in found
    ]


def _offline(config: Path | None, environ: Mapping[str, str] = os.environ) -> Matrix:
    """What a start would take: file, environment, live overrides that were not cleared, sentinel."""
    loaded = shaped(config, environ)
    home = gateway_home(environ)
    settings = switch_settings(loaded)
    overrides = _remembered(home / "control" / str(loaded.effective["server"]["port"]), settings)
    vector = resolve(settings, ledger=overrides, forced=sentinel.forced(home / "run", environ))
    return Matrix("configuration", str(loaded.path), reports(vector.values(), vector.sources))


def _remembered(folder: Path, settings: Mapping[str, Setting]) -> dict[str, SwitchValue]:
    """Live overrides a start takes up again: of the ledger, without those whose row the file now sets otherwise."""
    from routecodex.app.supervisor.desired import ended
    from routecodex.app.supervisor.state import remembered
    from routecodex.blocks.ledger import read

    overrides, _ = remembered([entry.body for entry in read(folder, 0, _ENTRIES)] if folder.is_dir() else [])
    over = ended(overrides, {key: setting.value for key, setting in settings.items()})
    return {key: override.value for key, override in overrides.items() if key in BY_KEY and key not in over}
