"""Elements one by one: `for`, unpacking, `await`, `with`.

Asking for one by a key is in `items`.
"""

from __future__ import annotations

from typing import Any

from onepath.link.classes import foreign_bases, is_enum
from onepath.link.code import Frame
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke
from onepath.link.items import TUPLES, field_by_number, item_at, item_cell, items_of, names_of
from onepath.link.members import enum_member
from onepath.link.raising import exit_arguments
from onepath.link.solver import Solver
from onepath.link.values import (
    Bound,
    Box,
    Class,
    File,
    Foreign,
    Function,
    Instance,
    Partial,
    Result,
    Running,
    Space,
    Text,
    Uncomputed,
    Value,
    Widened,
)


def iterate(solver: Solver, frame: Frame, src: int, dst: int, is_async: bool, line: int) -> None:
    """`dst` gets the elements of whatever `src` holds."""
    solver.when(src, _iterate_one, (frame, dst, is_async, line))


def _iterate_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, dst, is_async, line = payload
    if isinstance(value, Box):
        if value.kind == "dict":
            solver.flow(value.keys, dst)
        else:
            items_of(solver, value, dst)
    elif isinstance(value, Running):
        solver.flow(value.frame.yields, dst)
    elif isinstance(value, Instance):
        started = solver.var_for(("started", frame, value, is_async))
        first, second = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
        if call_special(solver, frame, value, first, (), started, line):
            solver.when(started, _next_of, (frame, value, second, dst, is_async, line))
        elif not call_special(solver, frame, value, second, (), dst, line):
            call_special(solver, frame, value, "__getitem__", (holding(solver, solver.constant("int")),), dst, line)
            items_of(solver, solver.box("dict", ("content", value)), dst)
    elif isinstance(value, Class):
        started = solver.var_for(("started", frame, value, is_async))
        if call_special(solver, frame, value, "__iter__", (), started, line):
            solver.when(started, _next_of, (frame, value, "__next__", dst, is_async, line))
        if is_enum(value):
            for name in sorted(value.statics):
                if not name.startswith("_"):
                    solver.add(dst, enum_member(solver, value, name))
    elif isinstance(value, Text):
        solver.add(dst, solver.constant("str"))
    elif isinstance(value, Space):
        for name in names_of(solver, value.owner):
            solver.add(dst, solver.text(name))
    elif isinstance(value, Result | Uncomputed | Widened):
        solver.add(dst, value)
    elif isinstance(value, Foreign):
        solver.add(dst, solver.result(value.name))


def _next_of(solver: Solver, payload: Any, started: Value) -> None:
    frame, _, method, dst, is_async, line = payload
    if isinstance(started, Instance):
        given = solver.var_for(("given", frame, started, dst)) if is_async else dst
        call_special(solver, frame, started, method, (), given, line)
        if is_async:
            solver.when(given, awaited, (frame, dst, line))
    else:
        _iterate_one(solver, (frame, dst, is_async, line), started)


def _item_from(solver: Solver, payload: Any, key: object, var: int) -> None:
    index, dst = payload
    if isinstance(key, int) and key >= index:
        solver.flow(var, dst)


def unpack(solver: Solver, payload: Any, value: Value) -> None:
    """Element `index` of a value that is unpacked."""
    frame, index, rest, dst, line = payload
    if rest:
        box = solver.box_at("list", frame, ("rest", dst - frame.base))
        if isinstance(value, Box) and value.kind != "dict":
            solver.read(value)
            solver.each_item(value, _item_from, (index, box.rest))
            solver.flow(value.rest, box.rest)
        else:
            _iterate_one(solver, (frame, box.rest, False, line), value)
        solver.add(dst, box)
        return
    if isinstance(value, Box) and value.kind in ("tuple", "list"):
        solver.each_item(value, item_at, (value, index, dst))
        solver.flow(value.rest, dst)
    elif isinstance(value, Instance) and any(base in TUPLES for base in foreign_bases(value.cls)):
        field_by_number(solver, (frame, value, dst, line), solver.number(index))
    else:
        _iterate_one(solver, (frame, dst, False, line), value)


def _awaited_item(solver: Solver, payload: Any, key: object, var: int) -> None:
    frame, box, line = payload
    solver.when(var, awaited, (frame, item_cell(solver, box, key), line))


def awaited(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = await value`; also the result of `yield from`."""
    frame, dst, line = payload
    if isinstance(value, Running):
        solver.flow(value.frame.result, dst)
    elif isinstance(value, Instance):
        inner = solver.var_for(("awaited", frame, value, dst))
        if call_special(solver, frame, value, "__await__", (), inner, line):
            solver.when(inner, awaited, payload)
        else:
            solver.add(dst, value)
    elif isinstance(value, Box):
        if value.kind not in ("awaitable", "gathered"):
            solver.add(dst, value)
        if value.kind == "awaitable":
            solver.flow(value.rest, dst)
        elif value.kind == "gathered":
            inner_box = solver.box("list", ("gathered", value))
            solver.when(value.rest, awaited, (frame, inner_box.rest, line))
            solver.each_item(value, _awaited_item, (frame, inner_box, line))
            solver.add(dst, inner_box)
    elif isinstance(value, Result | Uncomputed | Foreign):
        solver.add(dst, value if not isinstance(value, Foreign) else solver.result(value.name))
    elif isinstance(value, Function | Bound | Class | Partial):
        solver.add(dst, value)


def enter(solver: Solver, payload: Any, value: Value) -> None:
    """`with value as dst`."""
    frame, is_async, dst, line = payload
    if isinstance(value, Instance) or (isinstance(value, Class) and value.metaclass >= 0):
        first, last = ("__aenter__", "__aexit__") if is_async else ("__enter__", "__exit__")
        given = solver.var_for(("entered", frame, value, dst)) if is_async else dst
        entered = call_special(solver, frame, value, first, (), given, line)
        if is_async:
            solver.when(given, awaited, (frame, dst, line))
        call_special(solver, frame, value, last, exit_arguments(solver), -1, line)
        if not entered and isinstance(value, Instance) and foreign_bases(value.cls):
            solver.add(dst, value)
    elif isinstance(value, Running):
        solver.flow(value.frame.yields, dst)
    elif isinstance(value, Result | Uncomputed | File):
        solver.add(dst, value)
    elif isinstance(value, Box):
        if value.kind == "context":
            solver.flow(value.rest, dst)
        else:
            solver.add(dst, value)
    elif isinstance(value, Foreign):
        solver.add(dst, solver.result(value.name))
    elif isinstance(value, Function | Bound):
        invoke(solver, frame, value, (), dst, line)
