"""What a rule is and what it says.

A rule reads the linked program and the configuration, and tells findings; it prints nothing. A finding names the
symbol it is about, the way that proves it, and what to do instead. It must not know how findings are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from onepath.config import Configuration
from onepath.graph import Place, Program
from onepath.looking import Looked


class Hop(msgspec.Struct, frozen=True):
    """One step of the evidence: at `place`, `symbol` does what `note` says."""

    symbol: str
    place: Place | None
    note: str = ""
    """How it goes on from here: `calls`, `may call`, `imports`, `made in` … with the next name."""


class Finding(msgspec.Struct, frozen=True):
    """One violation."""

    rule: str
    """The rule's id, `OP001`."""
    contract: str
    """The name of the contract that is broken; empty where the rule has none."""
    message: str
    """What is wrong, in a sentence, without lines."""
    where: str
    """The symbol it is about; what a waiver names."""
    place: Place | None
    evidence: tuple[Hop, ...] = ()
    instead: str = ""
    """What to do instead."""
    subject: tuple[str, ...] = ()
    """Further names that tell this finding from others at the same symbol; no lines, no counts."""

    @property
    def fingerprint(self) -> str:
        """Stable under edits that move lines: hex, 16 digits."""
        text = "\0".join((self.rule, self.contract, self.where, *self.subject))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class UsageFault(msgspec.Struct, frozen=True):
    """A contract that speaks of nothing: exit 2, because a check on zero cases is not green."""

    contract: str
    key: str
    """The key as configured, `entries`, `through[1]`."""
    message: str


class Model(msgspec.Struct, frozen=True):
    """A program with what is demanded of it: what `onepath.load` returns."""

    folder: Path
    """The project's folder."""
    configuration: Configuration
    program: Program
    looked: Looked = msgspec.field(default_factory=Looked)
    """Through which files are read: a rule that reads one any other way makes kept answers lie."""


class Proof(msgspec.Struct, frozen=True):
    """What a contract that holds has shown; printed in regions and in the report."""

    rule: str
    contract: str
    sentences: tuple[str, ...]
    ways_out: tuple[tuple[str, str], ...] = ()
    """Node and reason."""


class Outcome(msgspec.Struct, frozen=True):
    """All that one rule has to say."""

    findings: tuple[Finding, ...] = ()
    faults: tuple[UsageFault, ...] = ()
    proofs: tuple[Proof, ...] = ()


@runtime_checkable
class Rule(Protocol):
    """One rule, one file. A rule module holds a `RULE` of this shape."""

    @property
    def id(self) -> str:
        """`OP001`."""

    @property
    def name(self) -> str:
        """`bypass`."""

    @property
    def summary(self) -> str:
        """One sentence."""

    def check(self, model: Model) -> Outcome:
        """Judge the program by all contracts of this rule; the order of findings does not matter."""


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By rule, contract, place, symbol: the order in which findings are shown."""
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                one.rule,
                one.contract,
                one.place or Place("", 0),
                one.where,
                one.subject,
                one.message,
            ),
        )
    )
