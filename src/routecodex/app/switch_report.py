"""The switch matrix for people: each row with its value, who set it, what changing it takes, and what its sides are.

One shape for the command line, `/daemon/switches` and the documents. Pure: values and sources are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from routecodex.app.switches import COMBINATIONS, SWITCHES, Switch
from routecodex.config.compiled import SwitchValue

TAKES: Final[Mapping[str, str]] = {
    "hot": "read per request; nothing is rebuilt",
    "drain": "a new generation for new requests; the old one lives to its last stream",
    "restart": "a new worker on the same listener",
}
"""What each effect means."""
_UNDER_V1: Final = "under appKernel v1 every change takes a new worker on the same listener"

WHO: Final[Mapping[str, str]] = {
    "force_stable": "a rollback under way, the sentinel file run/force_stable, or ROUTECODEX_FORCE_STABLE",
    "ledger": "a live override (`routecodex switch set`)",
    "environment": "an environment variable",
    "file": "the configuration file",
    "default": "nobody: the default",
}
"""Sources, strongest first."""


class SideReport(msgspec.Struct, frozen=True, rename="camel"):
    """One value a row can have."""

    value: str
    """As it is written; `names` for any list of names."""
    description: str
    available: bool
    built_by: str = ""
    """`module:attribute` of the code behind it."""


class SwitchReport(msgspec.Struct, frozen=True, rename="camel"):
    """One row as it stands."""

    key: str
    value: SwitchValue
    source: str
    default: SwitchValue
    values: tuple[SwitchValue, ...]
    available: tuple[SwitchValue, ...]
    scope: str
    effect: str
    takes: str
    """What it takes to change it, in words; under appKernel v1 more than `effect` says."""
    description: str
    sides: tuple[SideReport, ...]
    combinations: tuple[str, ...]
    """The rules it takes part in."""
    pending: str = ""
    """With what the missing side lands."""
    variable: str = ""
    """The environment variable that sets it."""
    configured: SwitchValue | None = None
    """What file and environment say, where a gateway runs."""
    override: SwitchValue | None = None
    """The live override, where there is one."""
    workers: Mapping[str, SwitchValue | None] = {}
    """By worker, where a gateway runs: they differ while a change is under way."""


def report(row: Switch, value: SwitchValue, source: str, *, kernel: SwitchValue = "v2") -> SwitchReport:
    """One row; `kernel` is the effective side of appKernel."""
    return SwitchReport(
        key=row.key,
        value=value,
        source=source,
        default=row.default,
        values=row.values,
        available=row.available,
        scope=row.scope,
        effect=row.effect,
        takes=_UNDER_V1 if kernel == "v1" and row.effect != "restart" else TAKES[row.effect],
        description=row.description,
        sides=tuple(
            SideReport(shown(side), told, _is_available(row, side), row.symbols.get(side, ""))
            for side, told in row.sides.items()
        ),
        combinations=tuple(rule.explanation for rule in COMBINATIONS if row.key in (rule.key, rule.needs_key)),
        pending="" if row.has_both_sides else row.pending,
        variable="ROUTECODEX_ARCHITECTURE__" + row.key.replace(".", "__").upper(),
    )


def reports(values: Mapping[str, SwitchValue], sources: Mapping[str, str]) -> list[SwitchReport]:
    """Every row in the table's order; what is absent has its default."""
    in_force = {**{row.key: row.default for row in SWITCHES}, **values}
    kernel = in_force.get("appKernel", "v2")
    return [report(row, in_force[row.key], sources.get(row.key, "default"), kernel=kernel) for row in SWITCHES]


def shown(value: SwitchValue | list[str]) -> str:
    """A value as it is written: `v2`, `true`, `[alice, dev]`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value) + "]"
    return value


def _is_available(row: Switch, side: SwitchValue) -> bool:
    return side in row.available or (side == "names" and row.has_both_sides)
