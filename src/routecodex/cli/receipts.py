"""How receipts are told: what was done, what waits, and every change with its effect.

It knows the results of commands that change something; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from routecodex.cli.control import Receipt
from routecodex.cli.failures import EXIT_TEMPORARY
from routecodex.cli.output import emit_json, note, say, table


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
    """A table of changes with what each takes; nothing where there is no list."""
    if found is None:
        return
    table(
        ["path", "before", "after", "takes"],
        [
            [
                str(each.get("path", "")),
                str(each.get("before", "")),
                str(each.get("after", "")),
                " – ".join(str(part) for part in (each.get("effect"), each.get("note")) if part),
            ]
            for each in found
        ],
        title=title,
    )
