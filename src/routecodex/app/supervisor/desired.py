"""What should be in force, as the supervisor keeps it: a document, live overrides with what they covered, and its name.

Data and pure functions. It must not know whether a configuration makes sense: workers do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

import msgspec

from routecodex.app.supervisor.messages import Desired, Document
from routecodex.app.switches import BY_KEY, COMBINATIONS
from routecodex.config.compiled import SwitchValue

Origin: TypeAlias = Literal["file", "command", "rollback", "last_good", "safe_mode"]


class Override(msgspec.Struct, frozen=True):
    """A live override of one row, and what the file said when it was made: when that changes, the override ends."""

    value: SwitchValue
    configured: SwitchValue | None = None
    """None: not known."""


Overrides: TypeAlias = Mapping[str, Override]


class Wanted(msgspec.Struct, frozen=True):
    """A document with what is laid over it."""

    document: Document
    overrides: Overrides = {}
    origin: Origin = "file"

    def desired(self, forced: Collection[str]) -> Desired:
        """As workers are told."""
        values = {key: override.value for key, override in self.overrides.items()}
        return Desired(self.document, values, tuple(sorted(forced)))

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) over everything but where it came from."""
        laid_over = {key: override.value for key, override in self.overrides.items()}
        content = msgspec.json.encode(laid_over, order="sorted")
        return hashlib.sha256(self.document.content + b"\0" + content).hexdigest()


def first_side(key: str) -> SwitchValue:
    return BY_KEY[key].default


def ended(overrides: Overrides, configured: Mapping[str, SwitchValue]) -> list[str]:
    """Overrides whose row says something else in the file than when they were made."""
    return [
        key
        for key, override in overrides.items()
        if override.configured is not None and key in configured and configured[key] != override.configured
    ]


def with_dependants(keys: Collection[str], values: Mapping[str, Collection[SwitchValue]]) -> list[str]:
    """The keys and everything that makes no sense without them, dependants first.

    `values`: what each row has anywhere (in force, configured, laid over). The order is that of rolling back.
    """
    ordered: list[str] = []

    def visit(key: str, above: tuple[str, ...]) -> None:
        if key in ordered or key in above:
            return
        for rule in COMBINATIONS:
            needed = rule.needs_key == key and rule.needs_value != first_side(key)
            if needed and rule.value in values.get(rule.key, ()):
                visit(rule.key, (*above, key))
        ordered.append(key)

    for key in sorted(keys, key=list(BY_KEY).index):
        visit(key, ())
    return ordered
