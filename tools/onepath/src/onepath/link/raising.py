"""Errors that are raised anywhere: one variable holds all objects of the program that are.

Who catches which is said in `exceptions`; here is what is known wherever errors come up.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.classes import foreign_bases, lookup
from onepath.link.code import Frame, Site
from onepath.link.invoke import holding, invoke, invoke_all
from onepath.link.solver import RAISED, Solver
from onepath.link.values import OBJECTS, Box, Class, Function, Instance, Value

_CAUSES: Final = "causes"
_STOPPED: Final = "stopped"
_TOLD: Final = "told of an error"
GROUPS: Final = frozenset({"builtins.ExceptionGroup", "builtins.BaseExceptionGroup"})
GROUP: Final = "group"
"""The kind of container that stands for an exception group."""


def all_raised(solver: Solver) -> int:
    """The variable of all objects of the program that are raised."""
    return solver.var_for(RAISED)


def raised_group(solver: Solver) -> Box:
    """The group of all of them."""
    group = solver.box(GROUP, RAISED)
    solver.flow(all_raised(solver), group.rest)
    return group


def told_of(solver: Solver) -> int:
    """The variable of what is told of an error, if there is one: `__exit__`'s second argument."""
    var = solver.var_for(_TOLD)
    if solver.is_first((_TOLD, "filled")):
        solver.add(var, solver.constant("NoneType"))
        solver.flow(all_raised(solver), var)
    return var


def exit_arguments(solver: Solver) -> tuple[int, int, int]:
    """What `__exit__` is called with. The classes are left out: each would be analysed apart."""
    nothing = holding(solver, solver.constant("NoneType"))
    return nothing, told_of(solver), nothing


def stopped(solver: Solver, frame: Frame) -> None:
    """Somebody asks a generator or coroutine for more: what it returns is the value of an error."""
    solver.flow(frame.result, solver.var_for(_STOPPED))


def raised(solver: Solver, frame: Frame, var: int, line: int, cause: int = -1) -> None:
    """What `var` holds is raised, of `cause` if that is told."""
    solver.when(var, _raise_one, (frame, line, cause))


def _raise_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, line, cause = payload
    if isinstance(value, Class):
        made = solver.var_for(("raised", frame, value, cause)) if cause >= 0 else all_raised(solver)
        if cause >= 0:
            solver.flow(made, all_raised(solver))
            solver.when(made, _caused, cause, OBJECTS)
        solver.call(solver, Site(frame, made, solver.new(), (), (), line), value)
    elif isinstance(value, Instance):
        solver.add(all_raised(solver), value)
        if not GROUPS.isdisjoint(foreign_bases(value.cls)) and solver.is_first(("parted", frame, value, line)):
            # Where a clause takes a part of it, the rest is made anew.
            lookup(solver, value.cls, "derive", _derived, (frame, value, line))
        if cause >= 0:
            _caused(solver, cause, value)
    elif isinstance(value, Box) and value.kind == GROUP:
        solver.flow(solver.every(value), all_raised(solver))
    if cause >= 0 and not isinstance(value, Class | Instance):
        solver.flow(cause, solver.var_for(_CAUSES))


def _derived(solver: Solver, payload: Any, member: Value) -> None:
    frame, group, line = payload
    if isinstance(member, Function):
        told = (holding(solver, raised_group(solver)),)
        invoke(solver, frame, solver.bound(member, group), told, all_raised(solver), line)


def _caused(solver: Solver, cause: Any, value: Value) -> None:
    solver.flow(cause, solver.cell(value, "__cause__"))


def tell_hook(solver: Solver, frame: Frame, name: str, hook: int, line: int) -> None:
    """What is set in a place where Python tells of errors that nobody catches is called with them."""
    if name == "sys.excepthook":
        invoke_all(solver, frame, hook, exit_arguments(solver), -1, line)
    elif name in ("sys.unraisablehook", "threading.excepthook"):
        told = solver.box("namespace", name)
        solver.flow(told_of(solver), solver.cell(told, "exc_value"))
        invoke_all(solver, frame, hook, (holding(solver, told),), -1, line)


_STOPS: Final = frozenset(
    {"builtins.BaseException", "builtins.Exception", "builtins.StopAsyncIteration", "builtins.StopIteration"}
)


def read_error(solver: Solver, owner: str, name: str, dst: int) -> None:
    """What an attribute of a foreign error, or one that is inherited from there, holds of the program."""
    if name == "__context__":
        solver.flow(all_raised(solver), dst)
    elif name == "exceptions" and owner in GROUPS:
        solver.add(dst, raised_group(solver))
    elif name == "__cause__":
        solver.flow(solver.var_for(_CAUSES), dst)
    elif name == "value" and owner in _STOPS:
        solver.flow(solver.var_for(_STOPPED), dst)


ERROR_ATTRIBUTES: Final = frozenset({"__cause__", "__context__", "exceptions", "value"})
