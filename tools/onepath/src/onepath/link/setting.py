"""Attributes that are set or deleted, on the program's own values and on foreign ones.

Some change more than the attribute: bases, the class of an object, defaults, what foreign code runs.
"""

from __future__ import annotations

from typing import Any

from onepath.link.classes import add_base, binds, lookup
from onepath.link.code import HOOKS, Frame
from onepath.link.dunders import call_dunder, call_special, invoke_on
from onepath.link.invoke import holding
from onepath.link.raising import tell_hook
from onepath.link.solver import Solver
from onepath.link.values import (
    CLASSES,
    Bound,
    Box,
    Class,
    Descriptor,
    Foreign,
    Function,
    Instance,
    Module,
    Partial,
    Result,
    Value,
)


def set_attribute(solver: Solver, frame: Frame, value: Value, name: str, src: int, line: int) -> None:
    """`value.name` gets what `src` holds; `src` -1 deletes."""
    if isinstance(value, Instance):
        lookup(solver, value.cls, name, write_member, (frame, value, src, line))
        if src < 0:
            return
        solver.flow(src, solver.cell(value, name))
        if name == "__class__":
            solver.when(src, _reclassed, (frame, line), CLASSES)
        if binds(value.cls, "__setattr__"):
            call_dunder(solver, frame, value, "__setattr__", (holding(solver, solver.text(name)), src), -1, line)
    elif src < 0:
        return
    elif name in HOOKS and name not in solver.hooks:
        solver.late.add(name)  # all is linked anew, with this known
    elif isinstance(value, Class):
        if name == "__bases__":
            solver.when(src, _new_bases, value)
        call_special(solver, frame, value, "__setattr__", (holding(solver, solver.text(name)), src), -1, line)
        solver.flow(src, solver.cell(value, name))
        _patch_subclasses(value, name)
    elif isinstance(value, Module | Function):
        solver.flow(src, solver.cell(value, name))
        if isinstance(value, Function) and name in ("__defaults__", "__kwdefaults__"):
            solver.when(src, _new_defaults, value)
    elif isinstance(value, Bound):
        set_attribute(solver, frame, value.func, name, src, line)
    elif isinstance(value, Box | Partial):
        solver.flow(src, solver.cell(value, name))
    elif isinstance(value, Foreign | Result):
        key = (value.name, name)
        patched = solver.patched.get(key)
        if patched is None:
            patched = solver.patched[key] = solver.new()
            for dst in solver.foreign_reads.get(key, ()):
                solver.flow(patched, dst)
        solver.flow(src, patched)
        tell_hook(solver, frame, f"{value.name}.{name}", src, line)
        solver.later(_escape_patch, solver, frame, value, name, patched, line)


def _new_defaults(solver: Solver, function: Any, value: Value) -> None:
    """`f.__defaults__ = (…)`: from the last parameter backwards; `__kwdefaults__` by name."""
    if not isinstance(value, Box):
        return
    parameters = function.code.scope.parameters
    plain = [index for index, one in enumerate(parameters) if one.kind in ("positional", "any")]
    solver.each_item(value, _item_to_default, (function, value, tuple(plain)))
    for index in range(len(parameters)):
        solver.flow(value.rest, solver.cell(function, f"default {index}"))


def _item_to_default(solver: Solver, payload: Any, key: object, var: int) -> None:
    function, box, plain = payload
    if isinstance(key, int):
        numbered = sorted(key for key in box.items if isinstance(key, int))
        for one, index in zip(reversed(numbered), reversed(plain), strict=False):
            solver.flow(box.items[one], solver.cell(function, f"default {index}"))
    for index, parameter in enumerate(function.code.scope.parameters):
        if parameter.name == key:
            solver.flow(var, solver.cell(function, f"default {index}"))


def _escape_patch(solver: Solver, frame: Frame, value: Value, name: str, patched: int, line: int) -> None:
    """What is put into foreign code is run by it."""
    solver.when(patched, _escape_one, (frame, f"{value.name}.{name}", line))  # type: ignore[attr-defined]


def _escape_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, line = payload
    solver.escape(solver, frame, value, name, -1, line)


def _patch_subclasses(value: Class, name: str) -> None:
    """A name set on a class from outside is bound there: it hides its bases' one from then on, which is kept too."""
    value.dynamic = True


def _new_bases(solver: Solver, payload: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.when(solver.every(value), _new_base, payload)
    else:
        add_base(solver, payload, value)


def _new_base(solver: Solver, payload: Any, value: Value) -> None:
    add_base(solver, payload, value)


def _reclassed(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    if isinstance(value, Class):
        solver.note_made(value, frame, "__class__", line)


def write_member(solver: Solver, payload: Any, member: Value) -> None:
    """A class attribute that takes part in writing to an object."""
    frame, owner, src, line = payload
    if isinstance(member, Descriptor) and member.kind == "property":
        if src >= 0 and member.set is not None:
            invoke_on(solver, frame, member.set, owner, (src,), -1, line)
        elif src < 0 and member.delete is not None:
            invoke_on(solver, frame, member.delete, owner, (), -1, line)
    elif isinstance(member, Instance):
        if src >= 0 and binds(member.cls, "__set__"):
            call_dunder(solver, frame, member, "__set__", (holding(solver, owner), src), solver.nowhere, line)
        elif src < 0 and binds(member.cls, "__delete__"):
            call_dunder(solver, frame, member, "__delete__", (holding(solver, owner),), solver.nowhere, line)
