"""What became of a command or a change: data, and its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from routecodex.app.supervisor.messages import Change, Refusal

LEDGER_UNWRITABLE: Final = "ledger_unwritable"
"""Code of a refusal: nothing was done, since it could not be recorded first."""
_SHOWN: Final = 200
"""Changes and refusals told at most."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a command."""

    state: Literal["done", "accepted", "pending", "refused"]
    status: int = 200
    """As HTTP has it."""
    code: str = ""
    """Of a refusal, for programs."""
    reason: str = ""
    next_step: str = ""
    result: Mapping[str, Any] = {}
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    failures: tuple[str, ...] = ()

    def body(self, command: str, identity: str) -> dict[str, Any]:
        """The receipt, as JSON has it."""
        told: dict[str, Any] = {"command": command, "id": identity, "state": self.state}
        if self.code:
            told["code"] = self.code
        if self.reason:
            told["reason"] = self.reason
        if self.next_step:
            told["nextStep"] = self.next_step
        result: dict[str, Any] = dict(self.result)
        for name, items in (("changes", self.changes), ("refusals", self.refusals)):
            if items:
                result[name] = msgspec.to_builtins(items[:_SHOWN])
        if self.failures:
            result["failures"] = list(self.failures[:_SHOWN])
        if result:
            told["result"] = result
        return told


def refused(status: int, code: str, reason: str, next_step: str = "", **more: Any) -> Outcome:
    """A refusal."""
    return Outcome(state="refused", status=status, code=code, reason=reason, next_step=next_step, **more)
