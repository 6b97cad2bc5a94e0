"""Calling from within the linker: what an operator, a property or a model does when it calls a value."""

from __future__ import annotations

from typing import Any

from onepath.link.code import Frame, Site
from onepath.link.solver import Solver
from onepath.link.values import Value


def invoke(
    solver: Solver,
    frame: Frame,
    func: Value,
    positional: tuple[int, ...],
    dst: int,
    line: int,
    named: tuple[tuple[str, int], ...] = (),
    stars: tuple[int, ...] = (),
    double_stars: tuple[int, ...] = (),
) -> None:
    """Call `func` once with these variables; each call of the same kind is made once."""
    key = ("invoke", frame, func, positional, dst, line, named, stars, double_stars)
    if key in solver.values:
        return
    site = Site(frame, dst if dst >= 0 else solver.nowhere, -1, positional, named, line, stars, double_stars)
    solver.values[key] = site
    solver.call(solver, site, func)


def invoke_all(solver: Solver, frame: Frame, func: int, positional: tuple[int, ...], dst: int, line: int) -> None:
    """Call whatever `func` holds."""
    solver.when(func, _invoke_one, (frame, positional, dst, line))


def _invoke_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, positional, dst, line = payload
    invoke(solver, frame, value, positional, dst, line)


def holding(solver: Solver, value: Value) -> int:
    """A variable that holds just this value."""
    key = ("holding", value)
    found = solver.values.get(key)
    if found is None:
        found = solver.values[key] = solver.new()
        solver.add(found, value)
    return found
