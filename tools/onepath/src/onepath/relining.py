"""A program whose lines have moved: after an edit of comments, blank lines or layout it is the same but for its places.

The linker takes lines for labels in their order and for nothing else. So where two readings of a file differ in lines
alone, each line has one new line and the order is kept, the linked program is the old one with its places moved.
Whatever is not certain is told as unknown, and is linked anew. It knows facts and programs; it reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final, TypeVar

import msgspec

from onepath.facts.model import ModuleFacts
from onepath.graph import Carrying, Place, Program

_LINES: Final = frozenset({"line", "end_line", "fault_line"})

Moves = Mapping[str, Mapping[int, int]]
"""By file: each old line's new one."""

Item = TypeVar("Item", bound=msgspec.Struct)


def moved_lines(before: ModuleFacts, after: ModuleFacts) -> dict[int, int] | None:
    """Each line's new line; None if more has changed than lines, or lines changed their order, or became one."""
    moved: dict[int, int] = {}
    if not _same(before, after, moved):
        return None
    ordered = sorted(moved.items())
    if any(one[1] >= other[1] for one, other in pairwise(ordered)):
        return None
    return moved


def relined(program: Program, moves: Moves) -> Program | None:
    """The program with its places moved; None if one of them is on a line that is not known to have moved."""
    try:
        return msgspec.structs.replace(
            program,
            functions={name: _moved(one, moves) for name, one in program.functions.items()},
            edges=_all_moved(program.edges, moves),
            imports=_all_moved(program.imports, moves),
            symbols={name: _moved(one, moves) for name, one in program.symbols.items()},
            steps=_all_moved(program.steps, moves),
            carried=tuple(_carrying(one, moves) for one in program.carried),
            opaque=_all_moved(program.opaque, moves),
            gave=_all_moved(program.gave, moves),
            unknown=_all_moved(program.unknown, moves),
            made=_all_moved(program.made, moves),
            mutations=_all_moved(program.mutations, moves),
            faults=_all_moved(program.faults, moves),
        )
    except KeyError:
        return None


def _same(before: Any, after: Any, moved: dict[int, int]) -> bool:
    """Whether two facts are the same but for lines, which are noted."""
    kind = before.__class__
    if after.__class__ is not kind:
        return False
    if isinstance(before, msgspec.Struct):
        for name in _fields(kind):
            one, other = getattr(before, name), getattr(after, name)
            if name in _LINES:
                # No line stays no line: where there is none, that of what is around it counts.
                if moved.setdefault(one, other) != other or (one == 0) != (other == 0):
                    return False
            elif not _same(one, other, moved):
                return False
        return True
    if kind is list or kind is tuple:
        return len(before) == len(after) and all(map(_same, before, after, [moved] * len(before)))
    if kind is dict:
        return list(before.items()) == list(after.items())
    return bool(before == after)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__


def _all_moved(items: Iterable[Item], moves: Moves) -> tuple[Item, ...]:
    return tuple([_moved(one, moves) for one in items])


def _moved(one: Item, moves: Moves) -> Item:
    place: Place | None = one.place  # type: ignore[attr-defined]
    if place is None or place.file not in moves:
        return one
    return msgspec.structs.replace(one, place=_place(place, moves))


def _place(place: Place, moves: Moves) -> Place:
    return Place(place.file, moves[place.file][place.line]) if place.file in moves else place


def _carrying(one: Carrying, moves: Moves) -> Carrying:
    passed: Sequence[Place] = [_place(place, moves) for place in one.passed]
    return msgspec.structs.replace(_moved(one, moves), passed=tuple(passed))
