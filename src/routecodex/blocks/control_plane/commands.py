"""The control commands as data: their names, what each takes, and what a refusal of one looks like.

It judges the shape of arguments; whether a command makes sense now is decided by whoever carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from routecodex.config.compiled import SwitchValue


class Arguments(
    msgspec.Struct, frozen=True, rename="camel", kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What every command takes: `id` names it, so that sent again it has no second effect."""

    id: str = ""


class SwitchList(Arguments, frozen=True, kw_only=True):
    """All rows, or the one with `key`."""

    key: str = ""


class SwitchSet(Arguments, frozen=True, kw_only=True):
    """A live override of one row."""

    key: str
    value: SwitchValue
    if_match: str = ""
    restart: bool = False
    reason: str = ""


class SwitchClear(Arguments, frozen=True, kw_only=True):
    """The end of one live override, or of all of them at once."""

    key: str = ""
    all: bool = False
    if_match: str = ""
    restart: bool = False
    reason: str = ""


class SwitchRollback(Arguments, frozen=True, kw_only=True):
    """One row, or all of them, back to the first side."""

    key: str = ""
    all: bool = False
    reason: str = ""


class ConfigPlan(Arguments, frozen=True, kw_only=True):
    """What applying would change. `file`: absolute path of another file than the one in force."""

    file: str = ""


class ConfigApply(Arguments, frozen=True, kw_only=True):
    """Put the file in force. `if_match`: hash of the one that must be in force; `restart`: workers may be replaced."""

    if_match: str = ""
    restart: bool = False
    reason: str = ""


class SnapshotExport(Arguments, frozen=True, kw_only=True):
    """A bundle of what is in force, for people."""

    reason: str = ""


class LedgerShow(Arguments, frozen=True, kw_only=True):
    """Entries from number `since` on, of one `kind`, the last `limit` of them."""

    since: int = 0
    kind: str = ""
    limit: int = 0


ARGUMENTS: Final[Mapping[str, type[Arguments]]] = {
    "server.status": Arguments,
    "server.restart": Arguments,
    "server.drain": Arguments,
    "server.stop": Arguments,
    "switch.list": SwitchList,
    "switch.set": SwitchSet,
    "switch.clear": SwitchClear,
    "switch.rollback": SwitchRollback,
    "config.plan": ConfigPlan,
    "config.apply": ConfigApply,
    "config.reload": ConfigApply,
    "ledger.show": LedgerShow,
    "snapshot.export": SnapshotExport,
}
"""Command -> what it takes."""


def checked(name: str, arguments: Mapping[str, Any]) -> bytes:
    """The arguments as the JSON object the command takes. Raises KeyError for an unknown command, ValueError with the
    cause for arguments it does not take."""
    given = msgspec.convert(arguments, ARGUMENTS[name])
    if isinstance(given, SwitchRollback | SwitchClear) and bool(given.key) == given.all:
        raise ValueError("Either `key` or `all` must be given")
    return msgspec.json.encode(given)


def refusal(name: str, code: str, reason: str, next_step: str) -> bytes:
    """The receipt of a command that did not reach the supervisor."""
    return msgspec.json.encode(
        {"command": name, "id": "", "state": "refused", "code": code, "reason": reason, "nextStep": next_step}
    )
