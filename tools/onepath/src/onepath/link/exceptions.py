"""Operations that raise and catch."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any

from onepath.facts import model as op
from onepath.link.classes import foreign_bases
from onepath.link.code import Frame
from onepath.link.flows import Trigger
from onepath.link.raising import GROUPS, all_raised, raised, raised_group
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS, Box, Class, Foreign, Instance, Value


def read_caught(solver: Solver, frame: Frame, base: int, one: op.Caught) -> None:
    solver.when(base + one.src, _catch, (frame, base + one.dst))


def _catch(solver: Solver, payload: Any, value: Value) -> None:
    _, dst = payload
    if isinstance(value, Class):
        solver.add(dst, solver.once(Instance, (value, (), None), value, (), None, 0))
        solver.flow(_caught_as(solver, value, _caught_one), dst)
    elif isinstance(value, Foreign):
        if value.name in GROUPS:
            solver.add(dst, raised_group(solver))
        solver.add(dst, solver.result(value.name))
        solver.flow(_caught_as(solver, value.name, _caught_by_name), dst)
    elif isinstance(value, Box):
        key = ("caught", payload, value)
        if key not in solver.values:
            solver.values[key] = True
            solver.when(solver.every(value), _catch, payload)


def _caught_as(solver: Solver, kind: Class | str, trigger: Trigger) -> int:
    """The variable of the raised objects that are caught by a class, wherever it is named."""
    var = solver.var_for(("caught as", kind))
    if solver.is_first(("caught as", kind, "filled")):
        solver.when(all_raised(solver), trigger, (kind, var), OBJECTS)
    return var


def _caught_one(solver: Solver, payload: Any, value: Value) -> None:
    """An object that was raised is caught by its class, or one above it."""
    cls, dst = payload
    if isinstance(value, Instance) and cls in value.cls.mro:
        solver.add(dst, value)


def _caught_by_name(solver: Solver, payload: Any, value: Value) -> None:
    """An object that was raised is caught by a foreign class above its own."""
    name, dst = payload
    if isinstance(value, Instance) and any(_is_below(base, name) for base in foreign_bases(value.cls)):
        solver.add(dst, value)


@cache
def _is_below(base: str, name: str) -> bool:
    """Whether one foreign class is another one, or below it: of Python's own that is known, of others that each is an
    exception."""
    if base == name:
        return True
    kinds = [getattr(builtins, one.removeprefix("builtins."), None) for one in (base, name)]
    below, above = (kind if isinstance(kind, type) else None for kind in kinds)
    if above is None:
        return False
    return issubclass(below or Exception, above)


def read_raise(solver: Solver, frame: Frame, base: int, one: op.Raise) -> None:
    raised(solver, frame, base + one.src, one.line, base + one.cause if one.cause >= 0 else -1)
