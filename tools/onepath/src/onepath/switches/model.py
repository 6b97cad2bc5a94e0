"""A switch matrix as data."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from onepath.graph import Place

Value: TypeAlias = str | bool | int | float | tuple[str, ...] | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of a row."""

    value: Value
    text: str = ""
    """What it is, for people."""
    symbol: str = ""
    """Where it is built, dotted: a module, a class or a function."""
    file: str = ""
    """A data file that is this side, or the file its symbol is in; relative to the project's folder."""
    available: bool = True
    """Whether it can be chosen today."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One switch."""

    key: str
    field: str
    """What it is called where its value is held."""
    kind: Literal["sides", "setting"]
    """Whether a choice chooses code or data, or is a value only."""
    default: Value
    sides: tuple[Side, ...]
    """Default first. A setting has them too, if its values are listed."""
    scope: str
    effect: str
    """When a change takes effect: hot, drain, restart …"""
    description: str
    pending: str = ""
    """With what the sides land that are not available."""
    contract: str = ""
    """The Protocol that both sides fulfil."""
    differential: str = ""
    """The test that compares the sides."""
    place: Place

    @property
    def available(self) -> tuple[Side, ...]:
        """The sides that can be chosen."""
        return tuple(side for side in self.sides if side.available)


class Refusal(msgspec.Struct, frozen=True):
    """`key = value` is refused without `needs_key = needs_value`."""

    key: str
    value: Value
    needs_key: str
    needs_value: Value
    reason: str


class Matrix(msgspec.Struct, frozen=True):
    """All rows, in the registry's order."""

    registry: str
    file: str
    """The registry's file."""
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]


def shown(value: Value) -> str:
    """A value as a configuration file would have it, without quotes around words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value)
