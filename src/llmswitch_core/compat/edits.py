"""What every compat action is compiled into: a pure step from tree to tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat.contract import CompatContext
from llmswitch_core.protocols.contract import Notes

Tree: TypeAlias = dict[str, JsonValue]


class Moment(msgspec.Struct, frozen=True):
    """The request a step runs in. `headers` are the upstream request's own and may be changed."""

    context: CompatContext
    headers: dict[str, str]
    notes: Notes


Edit: TypeAlias = Callable[[Tree, Moment], Tree]
"""A step. It gives back the same object if there was nothing to do, and never changes what it was given."""


class SilentNotes(Notes):
    """Notes nobody reads: answers have no notes of their own."""

    __slots__ = ()

    def _add(self, name: str, how: str) -> None:
        """Nothing is kept."""
