"""What the supervisor knows now: what is wanted, what is in force, what forces it, and what the file says.

One object, changed under `writer` by transactions and rollbacks only. It must not act: transaction.py, rollback.py and
recovery.py do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from routecodex.app.supervisor import safe_mode
from routecodex.app.supervisor.boots import Boots
from routecodex.app.supervisor.desired import Override, Overrides, Wanted, first_side
from routecodex.app.supervisor.journal import Journal
from routecodex.app.supervisor.last_good import LastGood
from routecodex.app.supervisor.log import Log
from routecodex.app.supervisor.messages import Change, Desired, Document, Refusal
from routecodex.app.supervisor.sentinel import Sentinel
from routecodex.app.supervisor.settings import Settings
from routecodex.app.supervisor.workers import Workers
from routecodex.config.compiled import SwitchValue

Phase: TypeAlias = Literal["starting", "serving", "stopping"]

NOTHING: Final = Document("", b"")
"""What safe mode serves."""


class FileState(msgspec.Struct):
    """The configuration file as it was last read."""

    digest: str = ""
    """sha256 (hex) of its bytes."""
    hash: str | None = None
    """Of the configuration in it; None while it was never accepted by a worker."""
    state: str = "unread"
    """in force, pending, refused, reverted, unreadable, unread, waiting"""
    reason: str = ""
    refusals: tuple[Refusal, ...] = ()
    changes: tuple[Change, ...] = ()
    """That wait for a restart."""


class State:
    """The supervisor's memory."""

    def __init__(
        self,
        settings: Settings,
        log: Log,
        journal: Journal,
        boots: Boots,
        last_good: LastGood,
        sentinel: Sentinel,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` in Unix seconds."""
        self.settings = settings
        self.times = settings.times
        self.log = log
        self.journal = journal
        self.boots = boots
        self.last_good = last_good
        self.sentinel = sentinel
        self.now = now
        self.workers: Workers
        self.phase: Phase = "starting"
        self.served = False
        """A worker has accepted requests in this life of ours."""
        self.writer = asyncio.Lock()
        """Held by whoever changes what is in force."""
        self.wanted = Wanted(NOTHING)
        self.seq = 0
        self.hash = ""
        """Of the wanted configuration, as workers read it."""
        self.configured: Mapping[str, SwitchValue] = {}
        """Switch values of the file in force, without overrides and force."""
        self.safe = ""
        """Why we are in safe mode; empty if we are not."""
        self.held: frozenset[str] = frozenset()
        """Rows a rollback keeps forced until its override is in force everywhere."""
        self.file = FileState()

    @property
    def forced(self) -> tuple[str, ...]:
        return tuple(sorted({*self.sentinel.keys, *self.held}))

    @property
    def desired(self) -> Desired:
        return self.wanted.desired(self.forced)

    @property
    def command(self) -> Sequence[str]:
        """What a worker's process runs."""
        return safe_mode.command(self.settings, self.safe) if self.safe else self.settings.worker

    def boot(self) -> tuple[Desired, int, Sequence[str]]:
        """What a worker that starts now is given."""
        return self.desired, self.seq, self.command

    @property
    def loaded_hash(self) -> str | None:
        """The configuration in force; None while workers differ or none is there."""
        found = {worker.status.loaded_hash for worker in self.workers.serving if worker.status is not None}
        return found.pop() if len(found) == 1 else None

    @property
    def effective_hash(self) -> str | None:
        found = {worker.status.effective_hash for worker in self.workers.serving if worker.status is not None}
        return found.pop() if len(found) == 1 else None

    def values(self, key: str) -> set[SwitchValue]:
        """What a row has anywhere: in a worker, in the file in force, in an override."""
        found = {worker.status.switches[key] for worker in self.workers.serving if worker.status is not None}
        if key in self.configured:
            found.add(self.configured[key])
        if key in self.wanted.overrides:
            found.add(self.wanted.overrides[key].value)
        return found

    def off_first(self, keys: Collection[str]) -> dict[int, list[str]]:
        """By worker: which of these rows are not at their first side, as it last said."""
        found: dict[int, list[str]] = {}
        for worker in self.workers.serving:
            status = worker.status
            off = [key for key in keys if status is None or status.switches.get(key) != first_side(key)]
            if off:
                found[worker.number] = off
        return found

    def pinned(self, keys: Collection[str], base: Overrides) -> dict[str, Override]:
        """These overrides with every one of the rows at its first side."""
        return {**base, **{key: Override(first_side(key), self.configured.get(key)) for key in keys}}

    def picture(self) -> dict[str, Any]:
        """What is in force, for a bundle."""
        return {
            "document": {"path": self.wanted.document.path, "content": self.wanted.document.content},
            "origin": self.wanted.origin,
            "overrides": told(self.wanted.overrides),
            "forced": list(self.forced),
            "hash": self.hash,
            "seq": self.seq,
            "workers": [
                msgspec.to_builtins(worker.status) | {"number": worker.number}
                for worker in [*self.workers.serving, *self.workers.leaving]
                if worker.status is not None
            ],
        }

    def checkpoint(self) -> dict[str, Any]:
        """What the ledger's next segment must know to be read alone."""
        return {"overrides": told(self.wanted.overrides), "seq": self.seq}


def told(overrides: Overrides) -> dict[str, Any]:
    """Overrides as the ledger has them."""
    plain: dict[str, Any] = msgspec.to_builtins(dict(overrides))
    return plain


def remembered(bodies: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Override], int]:
    """(overrides, highest config_seq) by the bodies of the ledger's entries, oldest first."""
    overrides: dict[str, Override] = {}
    seq = 0
    for body in bodies:
        if "overrides" in body:
            try:
                overrides = msgspec.convert(body["overrides"], dict[str, Override])
            except msgspec.ValidationError:
                continue
        if isinstance(body.get("seq"), int):
            seq = max(seq, body["seq"])
    return overrides, seq
