"""Operations that raise and catch."""

from __future__ import annotations

from typing import Any, Final

from onepath.facts import model as op
from onepath.link.calls import call
from onepath.link.code import Frame, Site
from onepath.link.solver import RAISED, Solver
from onepath.link.values import OBJECTS, Box, Class, Foreign, Instance, Value


def read_caught(solver: Solver, frame: Frame, base: int, one: op.Caught) -> None:
    solver.when(base + one.src, _catch, (frame, base + one.dst))


def _catch(solver: Solver, payload: Any, value: Value) -> None:
    _, dst = payload
    if isinstance(value, Class):
        solver.add(dst, solver.once(Instance, (value, (), None), value, (), None, 0))
        solver.when(solver.var_for(RAISED), _caught_one, (value, dst), OBJECTS)
    elif isinstance(value, Foreign):
        if value.name in _GROUPS:
            group = solver.box("group", RAISED)
            solver.flow(solver.var_for(RAISED), group.rest)
            solver.add(dst, group)
        solver.add(dst, solver.result(value.name))
    elif isinstance(value, Box):
        key = ("caught", payload, value)
        if key not in solver.values:
            solver.values[key] = True
            solver.when(solver.every(value), _catch, payload)


_GROUPS: Final = frozenset({"builtins.ExceptionGroup", "builtins.BaseExceptionGroup"})


def _caught_one(solver: Solver, payload: Any, value: Value) -> None:
    """An object that was raised is caught by its class, or one above it."""
    cls, dst = payload
    if isinstance(value, Instance) and cls in value.cls.mro:
        solver.add(dst, value)


def read_raise(solver: Solver, frame: Frame, base: int, one: op.Raise) -> None:
    solver.when(base + one.src, _raise_one, (frame, one.line))


def _raise_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    if isinstance(value, Class):
        site = Site(frame, solver.var_for(RAISED), solver.new(), (), (), line)
        call(solver, site, value)
    elif isinstance(value, Instance):
        solver.add(solver.var_for(RAISED), value)
    elif isinstance(value, Box) and value.kind == "group":
        solver.flow(solver.every(value), solver.var_for(RAISED))
