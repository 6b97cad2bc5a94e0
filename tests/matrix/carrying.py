"""What a target can carry: the table (acceptance), per field of each client protocol and foreign target protocol.

The rows stand in `tests/data/cases/carrying/<client protocol>.json`, one per line: the field's name, what is `put` into
the base body (and what must stand `beside` it), and per target letter the outcome, which is one of

    {"at": [paths]}                  carried: the upstream body has the client's own value there
    {"sent": {path: value}}          carried: in these members (`$tools: [names]`: tools of these names)
    {"sent": …, "mapped": [notes]}   mapped: sent in another form, told in x-routecodex-notes
    {"sent": …, "dropped": [notes]}  the rest of it was dropped, told
    {"dropped": [notes]}             dropped, told
    {"refused": code}                a 400 with this code; no upstream is asked
    {}                               the field says what is so anyway: nothing to send, nothing to tell

The same protocol carries everything as it is. `test_carrying.py` sends every field through every pair and wants exactly
this to happen: these members added or changed upstream, these notes, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

from .cases import LETTERS, PROTOCOL
from .dialects import Json

DATA: Final = Path(__file__).parents[1] / "data" / "cases" / "carrying"
OWN: Final = "\0the client's own value"
GONE: Final = "\0no longer there"
"""A member of the base body that the field makes disappear."""


@dataclass(frozen=True)
class Outcome:
    """What happens to a field on one target."""

    members: Json = field(default_factory=dict)
    """Upstream path -> value, for all that the field adds or changes."""
    notes: dict[str, str] = field(default_factory=dict)
    """Note -> dropped or mapped."""
    refused: str | None = None

    @property
    def verdict(self) -> Literal["carried", "mapped", "dropped", "refused"]:
        """The table's word for it."""
        if self.refused is not None:
            return "refused"
        if "mapped" in self.notes.values():
            return "mapped"
        return "dropped" if self.notes else "carried"


@dataclass(frozen=True)
class Field:
    """One field of a client's body, and what becomes of it on each foreign target."""

    client: str
    name: str
    put: Json
    beside: Json
    on: dict[str, Outcome]

    def __str__(self) -> str:
        return f"{self.client} {self.name}"


def outcome(row: Json) -> Outcome:
    """One cell of the table, read."""
    notes = dict.fromkeys(row.get("mapped", ()), "mapped") | dict.fromkeys(row.get("dropped", ()), "dropped")
    members = dict.fromkeys(row.get("at", ()), OWN) | row.get("sent", {})
    return Outcome(members, notes, row.get("refused"))


@cache
def fields() -> tuple[Field, ...]:
    """The whole table."""
    found: list[Field] = []
    for letter in LETTERS:
        for row in json.loads((DATA / f"{PROTOCOL[letter]}.json").read_text(encoding="utf-8")):
            on = {target: outcome(cell) for target, cell in row["on"].items()}
            found.append(Field(letter, row["field"], row["put"], row.get("beside", {}), on))
    return tuple(found)


REFUSED_RECORDINGS: Final = {("claude/024", "C"): "unsupported_hosted_tool"}
"""Recorded requests that the table refuses on a target: Claude Code's own search request forces a hosted tool that Chat
Completions upstreams do not have ("tools web_search" and "tool_choice web_search" of the M table)."""

_FROM_HISTORY: Final = {"orphan_tool_result", "unanswered_tool_call", "duplicate_tool_call"}


@cache
def notes_of(client: str, target: str) -> frozenset[str]:
    """Every note the table knows for a pair: what else a real client's request is told, the table must learn."""
    if client == target:
        return frozenset({"thinking.signature", "tool_call.signature", "text.signature"})
    known = {note for row in fields() if row.client == client for note in row.on[target].notes}
    return frozenset(known | _FROM_HISTORY)
