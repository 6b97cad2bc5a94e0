"""Slices: which elements of a container, or which part of a text, `value[low:high:step]` is."""

from __future__ import annotations

from typing import Any

from onepath.link.code import Frame
from onepath.link.dunders import call_special
from onepath.link.invoke import holding
from onepath.link.items import MANY_KEYS, item_cell, items_of
from onepath.link.solver import Solver
from onepath.link.values import (
    Affix,
    Box,
    Bytes,
    Constant,
    Instance,
    Number,
    Result,
    Text,
    Uncomputed,
    Value,
)


def slice_of(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = value[low:high:step]`."""
    frame, bounds, dst, line = payload
    if isinstance(value, Box):
        box = solver.box_at(value.kind, frame, ("slice", dst - frame.base))
        part = _constant_slice(solver, bounds) if value.kind in ("list", "tuple") else None
        if part is None and bounds[0] < 0 and bounds[2] < 0 and _is_divided(value):
            _beginnings(solver, frame, value, dst)
            return
        if part is None:
            items_of(solver, value, box.rest)
        else:
            solver.each_item(value, _item_of_slice, (value, part.start, part.stop, part.step, box))
            for var in bounds:
                if var >= 0:
                    solver.when(var, _other_bound, (var, value, box))
            solver.flow(value.rest, box.rest)
        solver.add(dst, box)
    elif isinstance(value, Text):
        known: list[int | None] = []
        for var in bounds:
            held = solver.has(var) if var >= 0 else None
            if held is None:
                known.append(None)
                continue
            only = next(iter(held), None)
            if len(held) != 1 or not isinstance(only, Number):
                solver.add(dst, solver.constant("str"))
                return
            known.append(only.value)
        if known[2] == 0:
            return
        solver.add(dst, solver.text(value.value[known[0] : known[1] : known[2]]))
    elif isinstance(value, Instance):
        call_special(solver, frame, value, "__getitem__", (holding(solver, solver.constant("slice")),), dst, line)
    elif isinstance(value, Result | Uncomputed | Constant | Affix):
        solver.add(dst, value if not isinstance(value, Affix) else solver.constant("str"))
    elif isinstance(value, Bytes):
        solver.add(dst, solver.constant("bytes"))


def _is_divided(value: Box) -> bool:
    """Whether it holds the parts of a known text, and few of them."""
    is_split = isinstance(value.site, tuple) and len(value.site) > 0 and value.site[0] == "split"
    return value.kind == "list" and is_split and 1 < len(value.items) <= MANY_KEYS


def _beginnings(solver: Solver, frame: Frame, value: Box, dst: int) -> None:
    """Up to any of its parts: each such list is one of its own."""
    for count in range(1, len(value.items) + 1):
        box = solver.box_at(value.kind, frame, ("beginning", dst - frame.base, value, count))
        for index in range(count):
            if index in value.items:
                solver.flow(value.items[index], item_cell(solver, box, index))
        solver.add(dst, box)


def _item_of_slice(solver: Solver, payload: Any, key: object, var: int) -> None:
    """One more item than were known: all of those in the slice may stand elsewhere."""
    source, start, stop, step, box = payload
    if key == next(reversed(source.items)):
        numbers = sorted(one for one in source.items if isinstance(one, int) and one >= 0)
        for position, one in enumerate(numbers[start:stop:step]):
            solver.flow(source.items[one], item_cell(solver, box, position))


def _other_bound(solver: Solver, payload: Any, value: Value) -> None:
    var, source, box = payload
    if len(solver.has(var)) > 1 or not isinstance(value, Number):
        items_of(solver, source, box.rest)


def _constant_slice(solver: Solver, bounds: tuple[int, int, int]) -> slice | None:
    """`[1:3]`, `[2:]`: which elements these are; None where that depends on what is not known."""
    known: list[int | None] = []
    for var in bounds:
        if var < 0:
            known.append(None)
            continue
        only = next(iter(solver.has(var)), None)
        if len(solver.has(var)) != 1 or not isinstance(only, Number) or only.value < 0:
            return None
        known.append(only.value)
    return slice(known[0], known[1]) if known[2] in (None, 1) else None
