"""What `isinstance`, and class patterns, say of a variable's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import fields_of, foreign_bases, is_protocol, plain_instance
from onepath.link.code import Frame
from onepath.link.items import item_cell
from onepath.link.solver import Solver
from onepath.link.values import Box, Class, Constant, Foreign, Instance, Result, Text, Unknown, Value, Widened


def narrowed(solver: Solver, frame: Frame, src: int, kind: int, dst: int, positive: bool) -> None:
    """`dst` gets those of `src` that are, or are not, instances of what `kind` holds."""
    solver.when_any(src, _narrow, (kind, dst, positive))
    if positive:
        solver.narrowed.append((src, kind, dst))


def _classes(solver: Solver, kind: int, depth: int = 0) -> list[Value] | None:
    """The classes a type test names; None where not all are known."""
    held = solver.has(kind)
    if not held:
        return None
    found: list[Value] = []
    for value in held:
        if isinstance(value, Class | Foreign):
            found.append(value)
        elif isinstance(value, Box) and depth < 3:
            for var in (*value.items.values(), value.rest):
                if solver.has(var):
                    inner = _classes(solver, var, depth + 1)
                    if inner is None:
                        return None
                    found.extend(inner)
        else:
            return None
    return found


def _narrow(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    kind, dst, positive = payload
    told: list[Value] = []
    for value in values:
        if value.__class__ is Instance:
            solver.later(_decide, solver, value, kind, dst, positive)
        elif not positive or value.__class__ is not Unknown:
            told.append(value)
    if told:
        solver.add_all(dst, told)


def _decide(solver: Solver, value: Instance, kind: int, dst: int, positive: bool) -> None:
    classes = _classes(solver, kind)
    if classes is None:
        solver.add(dst, value)
        return
    may = must = False
    for one in classes:
        if isinstance(one, Class):
            if is_protocol(one):
                may = True
            elif one in value.cls.mro:
                may = must = True
        elif one.name in foreign_bases(value.cls) or foreign_bases(value.cls):  # type: ignore[attr-defined]
            may = True
    if (positive and may) or (not positive and not must):
        solver.add(dst, value)


_TELLING_NOTHING: Final = frozenset({Unknown, Result, Constant, Widened, Text})


def seed_narrowed(solver: Solver, src: int, kind: int, dst: int) -> bool:
    """A value of which nothing is known is, after the test, an instance of the tested class; whether that is news."""
    for one in solver.has(src):
        if one.__class__ not in _TELLING_NOTHING:
            return False
    classes = _classes(solver, kind)
    if not classes:
        return False
    news = False
    for one in classes:
        if isinstance(one, Class):
            for cls in (one, *_below(one)):
                solver.add(dst, plain_instance(solver, cls, None))
                news = True
        elif isinstance(one, Foreign):
            solver.add(dst, solver.result(one.name))
            news = True
    return news


def _below(cls: Class) -> list[Class]:
    found: list[Class] = []
    todo = list(cls.subclasses)
    while todo and len(found) < 100:
        one = todo.pop(0)
        if one not in found:
            found.append(one)
            todo.extend(one.subclasses)
    return found


def matched(solver: Solver, frame: Frame, src: int, kind: int, name: str, index: int, dst: int) -> None:
    """A class pattern's sub-value: by name, or by position in `__match_args__` or the fields."""
    solver.when(src, _match_one, (frame, name, index, dst))


def _match_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, index, dst = payload
    if name:
        read_attribute(solver, frame, value, name, dst, 0)
        return
    if isinstance(value, Instance):
        fields = [one for one, _, _ in fields_of(value.cls)]
        for cls in value.cls.mro:
            if "__match_args__" in cls.statics:
                for held in solver.has(solver.cell(cls, "__match_args__")):
                    if isinstance(held, Box):
                        for one in solver.has(item_cell(solver, held, index)):
                            if isinstance(one, Text):
                                read_attribute(solver, frame, value, one.value, dst, 0)
                return
        if index < len(fields):
            read_attribute(solver, frame, value, fields[index], dst, 0)
    else:
        solver.add(dst, value)
