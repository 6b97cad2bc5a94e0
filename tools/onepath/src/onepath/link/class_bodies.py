"""Class statements: the body runs, bases and metaclass become known, and they are told of the new class.

Making objects of the class is not known here.
"""

from __future__ import annotations

from typing import Any

from onepath.link.classes import add_base, binds, is_enum, lookup, members
from onepath.link.code import Code, Frame
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke
from onepath.link.iteration import iterate
from onepath.link.members import enum_member
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS, Box, Class, Descriptor, Function, Instance, Result, Space, Value


def run_class_body(
    solver: Solver,
    frame: Frame,
    code: Code,
    bases: tuple[int, ...],
    named: tuple[tuple[str, int], ...],
    dst: int,
    line: int,
) -> None:
    """A class statement runs."""
    key = (Class, (code, frame))
    cls = solver.values.get(key)
    if cls is None:
        cls = solver.values[key] = Class(code.scope.name, code, frame, code.unit)
        solver.classes.append(cls)
        cls.statics = set(code.statics)
        cls.fields = {field.name: field.annotation for field in code.scope.fields}
    for var in bases:
        solver.when(var, _base, (cls, frame, line))
    arguments = tuple((name, var) for name, var in named if name != "metaclass")
    for name, var in named:
        if name == "metaclass":
            cls.metaclass = var
            solver.when(var, _metaclass, (cls, frame, bases, line))
    if cls.body is None:
        cls.body = solver.frame(code, frame)
        solver.edge(frame, cls.body, "call", line)
    solver.later(_class_made, solver, cls, frame, arguments, line)
    solver.add(dst, cls)


def _base(solver: Solver, payload: Any, value: Value) -> None:
    cls, frame, line = payload
    if isinstance(value, Result | Box):
        return
    if isinstance(value, Instance):
        entries = solver.var_for(("mro entries", cls, value))
        elements = solver.var_for(("mro entry", cls, value))
        call_special(solver, frame, value, "__mro_entries__", (solver.nowhere,), entries, line)
        iterate(solver, frame, entries, elements, False, line)
        solver.when(elements, _base, payload)
        return
    add_base(solver, cls, value)
    if isinstance(value, Class):
        solver.note_made(value, frame, "subclass", line)
        for one in value.mro[1:]:
            solver.note_made(one, frame, "subclass", line)
        for one in value.mro:
            if one.metaclass >= 0 and cls.metaclass < 0:
                cls.metaclass = one.metaclass
                solver.when(cls.metaclass, _metaclass, (cls, frame, (), line))


def _metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    cls, frame, bases, line = payload
    if isinstance(meta, Function):
        invoke(solver, frame, meta, (solver.new(), solver.new(), solver.new()), -1, line)
        return
    if not isinstance(meta, Class):
        return
    base_box = solver.box("tuple", (cls, "bases"))
    for var in bases:
        solver.flow(var, base_box.rest)
    arguments = (
        holding(solver, solver.text(cls.name)),
        holding(solver, base_box),
        holding(solver, solver.once(Space, cls, cls)),
    )
    names = solver.new()
    solver.when(names, _prepared, (cls, frame, line))
    for name in ("__prepare__", "__new__", "__init__"):
        given = arguments[:2] if name == "__prepare__" else arguments
        owner: Value = cls if name == "__init__" else meta
        lookup(solver, meta, name, _call_meta, (frame, owner, given, names if name == "__prepare__" else -1, line))


def _prepared(solver: Solver, payload: Any, value: Value) -> None:
    """The class body stores its names in what `__prepare__` gave, and reads them from there."""
    cls, frame, line = payload
    for name in sorted(cls.statics):
        key = holding(solver, solver.text(name))
        call_special(solver, frame, value, "__setitem__", (key, solver.cell(cls, name)), -1, line)
    for method in ("__getitem__", "__missing__"):
        call_special(solver, frame, value, method, (holding(solver, solver.constant("str")),), -1, line)


def _call_meta(solver: Solver, payload: Any, member: Value) -> None:
    frame, owner, arguments, dst, line = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)


def _class_made(solver: Solver, cls: Class, frame: Frame, named: tuple[tuple[str, int], ...], line: int) -> None:
    """`__set_name__` of its attributes, `__init_subclass__` of its bases."""
    for name in sorted(cls.statics):
        solver.when(solver.cell(cls, name), _set_name, (cls, frame, name, line), OBJECTS)
    if is_enum(cls) and binds(cls, "_generate_next_value_"):
        for one in members(solver, cls, "_generate_next_value_"):
            inner = one.get if isinstance(one, Descriptor) else one
            if isinstance(inner, Function):
                invoke(solver, frame, inner, tuple(solver.new() for _ in range(4)), -1, line)
    if is_enum(cls) and (binds(cls, "__init__") or binds(cls, "__new__")):
        for name in sorted(cls.statics):
            if not name.startswith("_"):
                solver.when(solver.cell(cls, name), _member_made, (cls, frame, enum_member(solver, cls, name), line))
    for base in cls.mro[1:]:
        if "__init_subclass__" in base.statics:
            for member in solver.has(solver.cell(base, "__init_subclass__")):
                inner = member.get if isinstance(member, Descriptor) else member
                if isinstance(inner, Function):
                    invoke(solver, frame, solver.bound(inner, cls), (), -1, line, named)
            break


def _member_made(solver: Solver, payload: Any, value: Value) -> None:
    """An enumeration's `__init__` gets a member's value, or the values in it."""
    cls, frame, member, line = payload
    if isinstance(value, Function | Descriptor):
        return
    arguments: tuple[int, ...] = (holding(solver, value),)
    if isinstance(value, Box) and value.kind == "tuple":
        arguments = tuple(value.items[index] for index in range(len(value.items)) if index in value.items)
    for name in ("__new__", "__init__"):
        for one in members(solver, cls, name):
            if isinstance(one, Function):
                invoke(solver, frame, solver.bound(one, member if name == "__init__" else cls), arguments, -1, line)


def _set_name(solver: Solver, payload: Any, value: Value) -> None:
    cls, frame, name, line = payload
    if isinstance(value, Instance) and binds(value.cls, "__set_name__"):
        arguments = (holding(solver, cls), holding(solver, solver.text(name)))
        call_special(solver, frame, value, "__set_name__", arguments, -1, line)
