"""What the configuration needs to know of the switch table, which lives above it in `app/switches.py`.

The app passes its table in; so `architecture` is derived from it without this room importing the app.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from routecodex.config.compiled import SwitchValue


class SwitchRow(Protocol):
    """One row as the schema sees it."""

    @property
    def key(self) -> str:
        """Dotted, under `architecture`."""
        ...

    @property
    def values(self) -> tuple[SwitchValue, ...]:
        """All choices, default first; a row whose default is a tuple takes any list of names."""
        ...

    @property
    def description(self) -> str: ...


class SwitchTable(Protocol):
    @property
    def rows(self) -> Sequence[SwitchRow]: ...

    def refusals(self, values: Mapping[str, SwitchValue]) -> Sequence[tuple[str, str]]:
        """What is wrong with a full set of values: (key, reason) for each value that cannot be had."""
        ...
