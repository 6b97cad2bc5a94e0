"""How receipts are told: what was done, what waits, and every change with its effect.

It knows the results of commands that change something; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from routecodex.cli.control import Receipt
from routecodex.cli.failures import EXIT_TEMPORARY
from routecodex.cli.output import emit_json, note, say

_SHOWN: Final = 60


def told(receipt: Receipt, *, as_json: bool, done: str = "Done.") -> int:
    """Print a receipt; the exit code: 0 done or under way, 75 where something still has to be done."""
    if as_json:
        emit_json(msgspec.to_builtins(receipt))
        return EXIT_TEMPORARY if receipt.state == "pending" else 0
    facts = receipt.facts
    changes(facts.get("changes"))
    for failure in facts.get("failures") or ():
        note(f"  {failure}")
    if receipt.state == "pending":
        say(f"Pending: {receipt.reason or 'nothing was applied'}")
    else:
        say(receipt.reason or {"done": done, "accepted": "Under way; `routecodex status` shows it."}[receipt.state])
    if receipt.next_step:
        note(f"  {receipt.next_step}")
    return EXIT_TEMPORARY if receipt.state == "pending" else 0


def changes(found: Sequence[Mapping[str, Any]] | None, *, title: str = "Changes:") -> None:
    """Changes with what each takes; nothing where there is no list."""
    if found is None:
        return
    say(title)
    if not found:
        say("  (none)")
    for each in found:
        why = f" ({each['note']})" if each.get("note") else ""
        say(f"  {each.get('path')}: {_short(each.get('before'))} -> {_short(each.get('after'))}")
        say(f"      {each.get('effect')}{why}")


def _short(value: object) -> str:
    text = str(value) if value not in (None, "") else "(unset)"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
