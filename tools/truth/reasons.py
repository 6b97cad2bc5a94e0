"""The reasons why some executed edges cannot be in the graph: reasons.toml, as a table by caller and callee."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("reasons.toml")


class ReasonsError(ValueError):
    """An entry is not caller, callee and reason."""


def reasons(text: str) -> dict[tuple[str, str], str]:
    """By caller and callee. Raises ReasonsError where one is incomplete, empty, or there twice."""
    found: dict[tuple[str, str], str] = {}
    for number, miss in enumerate(tomllib.loads(text).get("miss", ()), 1):
        members = tuple(miss.get(key) for key in ("caller", "callee", "reason"))
        if len(miss) != 3 or not all(isinstance(member, str) and member for member in members):
            raise ReasonsError(f"{FILE.name}: entry {number} needs caller, callee and reason, and nothing else.")
        caller, callee, reason = members
        if (caller, callee) in found:
            raise ReasonsError(f"{FILE.name}: entry {number}: {caller} -> {callee} is there twice.")
        found[caller, callee] = reason
    return found
