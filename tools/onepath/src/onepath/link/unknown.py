"""Code that is not known runs a callable of the program, with arguments of which only the annotations tell."""

from __future__ import annotations

from typing import Any

from onepath.link.classes import members, plain_instance
from onepath.link.code import Frame, Site
from onepath.link.frames import defaults
from onepath.link.solver import Solver
from onepath.link.values import BOXES, Bound, Box, Class, Descriptor, Function, Getter, Instance, Method, Partial, Value


def run_unknown(solver: Solver, value: Value, caller: Frame | None, kind: str, line: int) -> list[Frame]:
    """Unknown code runs a callable, with arguments of which only the annotations tell."""
    if isinstance(value, Function):
        return [run_function(solver, value, None, caller, kind, line)]
    if isinstance(value, Bound):
        if isinstance(value.func, Function):
            return [run_function(solver, value.func, value.owner, caller, kind, line)]
        return run_unknown(solver, value.func, caller, kind, line)
    if isinstance(value, Descriptor) and value.get is not None and value.kind != "factory":
        return run_unknown(solver, value.get, caller, kind, line)
    if isinstance(value, Partial):
        if caller is not None:
            site = Site(caller, solver.new(), -1, value.positional, value.named, line)
            ran: tuple[object, ...] = ("partial run", value, caller)
            if ran not in solver.values:
                solver.values[ran] = True
                solver.call(solver, site, value.func)
        return run_unknown(solver, value.func, caller, kind, line)
    if isinstance(value, Class) and caller is not None:
        site = Site(caller, solver.new(), -1, (), (), line)
        ran = ("class run", value, caller, line)
        if ran not in solver.values:
            solver.values[ran] = True
            solver.call(solver, site, value)
        found: list[Frame] = []
        for name in ("__new__", "__init__"):
            for one in value.mro:
                if name in one.statics:
                    for member in solver.has(solver.cell(one, name)):
                        if isinstance(member, Function):
                            owner: Value = plain_instance(solver, value, None) if name == "__init__" else value
                            found.append(run_function(solver, member, owner, caller, kind, line))
                    break
        return found
    if isinstance(value, Instance):
        found = []
        for member in members(solver, value.cls, "__call__"):
            if isinstance(member, Function):
                found.append(run_function(solver, member, value, caller, kind, line))
        return found
    if isinstance(value, Getter | Method):
        frame = caller or (value.site.frame if isinstance(value, Getter) else None)
        if frame is not None:
            ran = ("getter run", value, frame, line)
            if ran not in solver.values:
                solver.values[ran] = True
                solver.call(solver, Site(frame, solver.new(), -1, (), (), line or frame.code.scope.line), value)
            return [frame] if caller is None else []
    return []


def run_function(
    solver: Solver, function: Function, owner: Value | None, caller: Frame | None, kind: str, line: int
) -> Frame:
    context: tuple[Value | str, ...] = ()
    if isinstance(owner, Instance) and owner.tag and owner.depth <= 3:
        context = ("self", owner)
    frame = solver.frame(function.code, function.parent, context)
    if caller is not None:
        solver.edge(caller, frame, kind, line)
    parameters = function.code.scope.parameters
    first = 0
    if owner is not None and parameters and parameters[0].kind in ("positional", "any"):
        solver.add(frame.base, owner)
        first = 1
    if not frame.unknown:
        frame.unknown = True
        solver.when(frame.result, read_by_unknown, None, BOXES)
        for index in range(first, len(parameters)):
            solver.add(frame.base + index, solver.unknown)
        defaults(solver, function, frame)
    return frame


def read_by_unknown(solver: Solver, payload: Any, value: Value) -> None:
    """Unknown code reads the generator it was given."""
    if isinstance(value, Box):
        solver.read(value)
