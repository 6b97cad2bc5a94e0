"""Dunders and accessors that are called because of what the syntax, or reading an attribute, asks for."""

from __future__ import annotations

from typing import Any

from onepath.link.classes import binds, foreign_bases, lookup
from onepath.link.code import Frame
from onepath.link.invoke import holding, invoke
from onepath.link.solver import Solver
from onepath.link.values import Class, Constant, Descriptor, Function, Instance, Partial, Value


def invoke_on(
    solver: Solver, frame: Frame, func: Value, owner: Value, arguments: tuple[int, ...], dst: int, line: int
) -> None:
    """Call an accessor with the object it is for; objects made with different callables stay apart."""
    if isinstance(func, Function) and isinstance(owner, Instance):
        invoke(solver, frame, solver.bound(func, owner), arguments, dst, line)
    else:
        invoke(solver, frame, func, (holding(solver, owner), *arguments), dst, line)


def call_dunder(
    solver: Solver, frame: Frame, owner: Instance, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> None:
    lookup(solver, owner.cls, name, call_member, (frame, owner, arguments, dst, line))


def call_special(
    solver: Solver, frame: Frame, owner: Value, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> bool:
    """Call a dunder of an object's type, as operators do; whether a class of the program has it."""
    if isinstance(owner, Class) and owner.metaclass >= 0:
        return _call_on_class(solver, frame, owner, name, arguments, dst, line)
    if not isinstance(owner, Instance):
        return False
    call_dunder(solver, frame, owner, name, arguments, dst if dst >= 0 else solver.nowhere, line)
    if binds(owner.cls, name):
        return True
    if foreign_bases(owner.cls):
        solver.inherited(solver, frame, owner, name, line)
    return False


def call_if_there(
    solver: Solver, frame: Frame, owner: Value, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> bool:
    """The same for what is asked of whatever comes along: nothing is looked up unless the program has the name."""
    if name in solver.specials:
        return call_special(solver, frame, owner, name, arguments, dst, line)
    if isinstance(owner, Instance) and foreign_bases(owner.cls):
        solver.inherited(solver, frame, owner, name, line)
    return False


def _call_on_class(
    solver: Solver, frame: Frame, owner: Class, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> bool:
    """The same for a class, whose type is its metaclass."""
    found = False
    for meta in list(solver.has(owner.metaclass)):
        if isinstance(meta, Class):
            payload = (frame, owner, arguments, dst if dst >= 0 else solver.nowhere, line)
            lookup(solver, meta, name, call_member, payload)
            found = found or binds(meta, name)
    return found


def call_member(solver: Solver, payload: Any, member: Value) -> None:
    frame, owner, arguments, dst, line = payload
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)
    elif isinstance(member, Descriptor) and member.kind in ("static", "class"):
        if member.get is not None:
            cls = owner.cls if isinstance(owner, Instance) else owner
            bound = member.get if member.kind == "static" else solver.bound(member.get, cls)
            invoke(solver, frame, bound, arguments, dst, line)
    elif isinstance(member, Partial) and member.method:
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)
    elif not isinstance(member, Constant):
        invoke(solver, frame, member, arguments, dst, line)
