"""Operations that make containers: lists, sets, tuples, mappings; a table of many rows stays small."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Any, Final

from onepath.facts import model as op
from onepath.link.code import Frame
from onepath.link.items import hashed, item_cell, merge_into, same_item, set_item
from onepath.link.iteration import iterate
from onepath.link.solver import Solver
from onepath.link.values import BOXES, OBJECTS_AND_CLASSES, Box, Value


def read_sequence(solver: Solver, frame: Frame, base: int, one: op.Sequence) -> None:
    if one.kind == "group":
        _group(solver, frame, base, one)
        return
    box = solver.box_at(one.kind.rstrip("*"), frame, one.dst)
    spread = False
    for index, var in enumerate(one.items):
        if var < 0:
            continue
        if index in one.spread:
            spread = True
            inner = solver.new()
            iterate(solver, frame, base + var, inner, False, 0)
            solver.flow(inner, box.rest)
        elif one.kind == "set":
            solver.flow(base + var, box.rest)
            solver.when(base + var, _hashed, (frame, frame.code.scope.line), _HASHED)
        elif spread or one.kind in ("list*", "set*", "set", "generator", "template"):
            solver.flow(base + var, box.rest)
        else:
            solver.flow(base + var, item_cell(solver, box, index))
    if not spread and len(one.items) > ROWS:
        _merge_rows(solver, frame, base, one.dst, box, one.items)
    solver.add(base + one.dst, box)


_HASHED: Final = OBJECTS_AND_CLASSES | BOXES
ROWS: Final = 7
"""How many rows of a written table are told apart when all of them are meant."""


def _merge_rows(solver: Solver, frame: Frame, base: int, place: int, box: Box, items: Items[int]) -> None:
    """A table of many rows: who asks for any of them gets one that stands for all; who asks by key gets its own."""
    rows = [one for var in items if var >= 0 for one in solver.has(base + var) if isinstance(one, Box)]
    if len(rows) <= ROWS or box.every >= 0:
        return
    box.every = solver.new()
    by_kind: dict[str, list[Box]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    for kind, several in by_kind.items():
        merged = solver.box_at(kind, frame, (place, "rows"))
        for row in several:
            solver.flow(row.rest, merged.rest)
            solver.flow(row.keys, merged.keys)
            solver.each_item(row, same_item, merged)
        solver.add(box.every, merged)
    told = frozenset(rows)
    below = [solver.every(one) for one in box.stack.below] if box.stack is not None else []
    for var in (box.rest, *box.items.values(), *below):
        solver.when(var, _other_row, (box.every, told))


def _other_row(solver: Solver, payload: Any, value: Value) -> None:
    every, told = payload
    if value not in told:
        solver.add(every, value)


def _group(solver: Solver, frame: Frame, base: int, one: op.Sequence) -> None:
    """What `except*` gives: a group of those caught."""
    box = solver.box_at("group", frame, one.dst)
    for var in one.items:
        solver.flow(base + var, box.rest)
    solver.add(base + one.dst, box)


def _hashed(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    hashed(solver, frame, value, line)


def read_mapping(solver: Solver, frame: Frame, base: int, one: op.Mapping) -> None:
    box = solver.box_at("dict", frame, one.dst)
    for key, value in zip(one.keys, one.values, strict=True):
        if value < 0:
            continue
        if key < 0:
            solver.when(base + value, _merge, (frame, box))
        else:
            solver.flow(base + key, box.keys)
            solver.when(base + key, _set_item_key, (frame, box, base + value, 0))
    if len(one.values) > ROWS:
        _merge_rows(solver, frame, base, one.dst, box, one.values)
    solver.add(base + one.dst, box)


def _merge(solver: Solver, payload: Any, value: Value) -> None:
    _, box = payload
    merge_into(solver, box, value)


def _set_item_key(solver: Solver, payload: Any, key: Value) -> None:
    frame, owner, src, line = payload
    set_item(solver, frame, owner, key, src, line)
