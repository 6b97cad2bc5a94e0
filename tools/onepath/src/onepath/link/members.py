"""Attributes of objects and classes: found along the order of resolution, read through descriptors.

Kinds of values that libraries and the language bring along are not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.facts import model as op
from onepath.link.classes import (
    PROTOCOLS,
    binds,
    fields_of,
    foreign_bases,
    is_enum,
    is_record,
    lookup,
    lookup_after,
    may_have,
)
from onepath.link.code import Code, Frame, Site
from onepath.link.dunders import call_dunder, call_member, invoke_on
from onepath.link.foreign import MAKES_ITS_CLASS
from onepath.link.invoke import holding
from onepath.link.raising import ERROR_ATTRIBUTES, read_error
from onepath.link.solver import Solver
from onepath.link.values import (
    RESULTS,
    Box,
    Class,
    Descriptor,
    Foreign,
    Function,
    Getter,
    Instance,
    Number,
    Partial,
    Result,
    Space,
    Super,
    Text,
    Value,
)

_RECORD_METHODS: Final = {"_replace": "dataclasses.replace", "_asdict": "dataclasses.asdict"}
"""What named tuples bring along, by what does the same."""
_OF_RECORDS: Final = frozenset({"__match_args__", "__struct_fields__", "_fields", "_make"})
"""What the classes of records bring along."""
_CLASS_METHODS: Final = frozenset({"__subclasses__", "mro", "__new__", "__class_getitem__", "__members__"})


def read_instance(solver: Solver, frame: Frame, value: Instance, name: str, dst: int, line: int) -> None:
    cls = value.cls
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name == "__class__":
        solver.add(dst, cls)
        return
    if name == "__module__":
        solver.add(dst, solver.text(cls.unit.name))
        return
    cell = solver.cell(value, name)
    reads = solver.reads.get(cell)
    if reads is None:
        reads = solver.reads[cell] = {}
        solver.when_set(value, "__class__", _other_class, (name, reads))
    read = (frame, value, dst, line)
    if read in reads:
        return
    reads[read] = None
    solver.flow(cell, dst)
    if value.tag and not isinstance(value.tag[0], str):
        # A change from outside to one object of the class, where all of them are meant, is one to this too.
        plain = solver.values.get((Instance, (cls, (), None)))
        if plain is not None:
            solver.flow(solver.cell(plain, name), dst)
    lookup(solver, cls, name, member_of_instance, read)
    if (value, "__class__") in solver.cells:
        for other in tuple(solver.has(solver.cell(value, "__class__"))):
            _read_by_other(solver, other, name, read)
    if binds(cls, "__getattribute__") or "__getattribute__" in solver.hooks:
        call_dunder(solver, frame, value, "__getattribute__", (holding(solver, solver.text(name)),), dst, line)
    if not binds(cls, name):
        annotation = _field_annotation(cls, name)
        if annotation is not None:
            owner, index = annotation
            solver.declared.append((solver.cell(value, name), index, owner.unit, owner.body))
        if binds(cls, "__getattr__") or "__getattr__" in solver.hooks:
            call_dunder(solver, frame, value, "__getattr__", (holding(solver, solver.text(name)),), dst, line)
        if is_enum(cls) and name in ("value", "_value_"):
            return
        _read_of_record(solver, cls, name, dst)
        if name in _RECORD_METHODS and any(one.fields for one in cls.mro):
            made = (solver.foreign(_RECORD_METHODS[name]), (holding(solver, value),), (), (), (), False)
            solver.add(dst, solver.once(Partial, made, *made))
        for base in foreign_bases(cls):
            if name in ERROR_ATTRIBUTES:
                read_error(solver, base, name, dst)
            if annotation is None and may_have(base, name):
                solver.add(dst, solver.bound(solver.foreign(f"{base}.{name}"), value))


def _other_class(solver: Solver, payload: Any, value: Value) -> None:
    """An object whose class was changed: what was read on it is read by that class too."""
    name, reads = payload
    for read in tuple(reads):
        _read_by_other(solver, value, name, read)


def _read_by_other(solver: Solver, cls: Value, name: str, read: tuple[Frame, Instance, int, int]) -> None:
    if isinstance(cls, Class):
        lookup(solver, cls, name, member_of_instance, read)


def _field_annotation(cls: Class, name: str) -> tuple[Class, int] | None:
    for one in cls.mro:
        if name in one.fields:
            return one, one.fields[name]
    return None


def member_of_instance(solver: Solver, payload: Any, member: Value) -> None:
    """A class attribute, read on an object."""
    frame, owner, dst, line = payload
    if isinstance(member, Function):
        solver.add(dst, solver.bound(member, owner))
    elif isinstance(member, Descriptor):
        _read_descriptor(solver, frame, member, owner, dst, line)
    elif isinstance(member, Partial) and member.method:
        solver.add(dst, solver.bound(member, owner))
    elif isinstance(member, Instance) and binds(member.cls, "__get__"):
        cls = owner.cls if isinstance(owner, Instance) else owner
        arguments = (holding(solver, owner), holding(solver, cls))
        call_dunder(solver, frame, member, "__get__", arguments, dst, line)
    elif isinstance(member, Class):
        solver.add(dst, member)
    else:
        solver.add(dst, member)


def _read_descriptor(solver: Solver, frame: Frame, member: Descriptor, owner: Value, dst: int, line: int) -> None:
    if member.kind == "static":
        if member.get is not None:
            solver.add(dst, member.get)
    elif member.kind == "class":
        if member.get is not None:
            cls = owner.cls if isinstance(owner, Instance) else owner
            if isinstance(member.get, Descriptor):
                _read_descriptor(solver, frame, member.get, cls, dst, line)
            else:
                solver.add(dst, solver.bound(member.get, cls))
    elif member.kind == "factory":
        return
    elif member.kind == "dispatch":
        solver.add(dst, solver.bound(member, owner))
    elif member.get is not None:
        invoke_on(solver, frame, member.get, owner, (), dst, line)


def read_class(solver: Solver, frame: Frame, value: Class, name: str, dst: int, line: int) -> None:
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name in ("__name__", "__qualname__"):
        solver.add(dst, solver.text(value.name))
        return
    if name == "__module__":
        solver.add(dst, solver.text(value.unit.name))
        return
    if name == "__doc__" and value.code is not None:
        text = docstring(value.code)
        if text is not None:
            solver.add(dst, solver.text(text))
        return
    if name == "__annotations__":
        read_annotations(solver, frame, value, dst, line)
        return
    if name in ("__mro__", "__bases__", "__base__"):
        box = solver.box("tuple", (value, name))
        for one in value.mro if name == "__mro__" else value.bases:
            solver.add(box.rest, one)
        solver.add(dst, value.bases[0] if name == "__base__" and value.bases else box)
        return
    if name == "__class__":
        if value.metaclass >= 0:
            solver.flow(value.metaclass, dst)
        solver.add(dst, solver.foreign("builtins.type"))
        return
    if name == "__call__":
        solver.add(dst, value)
        return
    if name == "__members__" and is_enum(value):
        box = solver.box("dict", (value, name))
        for member in sorted(value.statics):
            if not member.startswith("_"):
                solver.add(box.keys, solver.text(member))
                solver.add(solver.item(box, member), enum_member(solver, value, member))
        solver.add(dst, box)
        return
    key = ("read", frame, value, name, dst)
    if key in solver.values:
        return
    solver.values[key] = True
    lookup(solver, value, name, _member_of_class, (frame, value, name, dst, line))
    if value.metaclass >= 0:
        solver.when(value.metaclass, _read_metaclass, (frame, value, name, dst, line))
    if not binds(value, name):
        if _is_slot(solver, value, name):
            site = Site(frame, solver.nowhere, -1, (), (), line)
            solver.add(dst, solver.once(Getter, ("slot", value, name), "slot", (name,), site))
        _read_of_record(solver, value, name, dst)
        if name in _CLASS_METHODS or (name == "register" and _is_abstract(solver, value)):
            solver.add(dst, solver.method(value, name))
        if name not in ("__new__", "__subclasses__"):
            for base in foreign_bases(value):
                if may_have(base, name):
                    inherited = solver.foreign(f"{base}.{name}")
                    solver.add(dst, solver.bound(inherited, value) if inherited.name in MAKES_ITS_CLASS else inherited)


def _read_of_record(solver: Solver, cls: Class, name: str, dst: int) -> None:
    """What the class of a record tells of its fields, and what makes a record of a sequence."""
    if name not in _OF_RECORDS or not is_record(cls):
        return
    if name == "_make":
        solver.add(dst, solver.method(cls, name))
        return
    box = solver.box("tuple", (cls, name))
    solver.add(dst, box)
    solver.later(_name_fields, solver, cls, box)


def _name_fields(solver: Solver, cls: Class, box: Box) -> None:
    for place, (name, _, _) in enumerate(fields_of(cls)):
        solver.add(solver.item(box, place), solver.text(name))


def _is_abstract(solver: Solver, cls: Class) -> bool:
    """Whether other classes can be registered to be taken for classes below it."""
    if any(one in ("abc.ABC", *PROTOCOLS) for one in foreign_bases(cls)):
        return True
    return cls.metaclass >= 0 and any(
        isinstance(meta, Foreign) or (isinstance(meta, Class) and "abc.ABCMeta" in foreign_bases(meta))
        for meta in solver.has(cls.metaclass)
    )


def _is_slot(solver: Solver, cls: Class, name: str) -> bool:
    return any(
        isinstance(one, Text) and one.value == name
        for owner in cls.mro
        if "__slots__" in owner.statics
        for held in solver.has(solver.cell(owner, "__slots__"))
        for one in (solver.has(solver.every(held)) if isinstance(held, Box) else (held,))
    )


def _read_metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    frame, value, name, dst, line = payload
    if isinstance(meta, Class):
        lookup(solver, meta, name, member_of_instance, (frame, value, dst, line))
        if not binds(value, name) and binds(meta, "__getattr__"):
            argument = holding(solver, solver.text(name))
            lookup(solver, meta, "__getattr__", call_member, (frame, value, (argument,), dst, line))


def _member_of_class(solver: Solver, payload: Any, member: Value) -> None:
    frame, cls, name, dst, line = payload
    if isinstance(member, Descriptor):
        if member.kind in ("static", "class"):
            _read_descriptor(solver, frame, member, cls, dst, line)
        else:
            solver.add(dst, member)
    elif isinstance(member, Instance) and binds(member.cls, "__get__"):
        arguments = (holding(solver, solver.constant("NoneType")), holding(solver, cls))
        call_dunder(solver, frame, member, "__get__", arguments, dst, line)
    elif is_enum(cls) and not name.startswith("_") and not isinstance(member, Function):
        solver.add(dst, enum_member(solver, cls, name))
    else:
        solver.add(dst, member)


def enum_member(solver: Solver, cls: Class, name: str) -> Instance:
    """The member of an enumeration: an object of its own."""
    key = (cls, (name,), None)
    known = solver.values.get((Instance, key))
    member: Instance = solver.once(Instance, key, cls, (name,), None, 0)
    if known is None:
        for one in cls.mro:
            if name in one.statics:
                for attribute in ("value", "_value_"):
                    solver.flow(solver.cell(one, name), solver.cell(member, attribute))
                break
        for attribute in ("name", "_name_"):
            solver.add(solver.cell(member, attribute), solver.text(name))
        if "enum.StrEnum" in foreign_bases(cls):
            solver.when(solver.cell(member, "value"), _numbered, (member, name), RESULTS)
    return member


def _numbered(solver: Solver, payload: Any, value: Value) -> None:
    """`auto()` in an enumeration of texts: the name, in small letters."""
    member, name = payload
    if isinstance(value, Result) and value.name == "enum.auto":
        for attribute in ("value", "_value_"):
            solver.add(solver.cell(member, attribute), solver.text(name.lower()))


_PLAIN: Final = frozenset({"enum.StrEnum", "enum.IntEnum", "enum.IntFlag", "builtins.str", "builtins.int"})


def value_of_member(solver: Solver, member: Instance) -> Text | Number | None:
    """The value of an enumeration's member, if it is a text or a number and known."""
    told = [one for one in solver.has(solver.cell(member, "value")) if isinstance(one, Text | Number)]
    return told[0] if len(told) == 1 else None


def plain_member(solver: Solver, value: Value | None) -> Value | None:
    """A member of an enumeration of texts or numbers is one: that text or number, where it is known."""
    if not isinstance(value, Instance) or not value.tag or not isinstance(value.tag[0], str):
        return value
    if not is_enum(value.cls) or _PLAIN.isdisjoint(foreign_bases(value.cls)):
        return value
    return value_of_member(solver, value) or value


def read_annotations(solver: Solver, frame: Frame, value: Value, dst: int, line: int) -> None:
    from onepath.link.hints import hints

    hints(solver, frame, value, dst, line)


def docstring(code: Code) -> str | None:
    """The text a body starts with."""
    first = code.scope.code[0] if code.scope.code else None
    is_first = isinstance(first, op.Text) and first.dst == len(code.scope.parameters)
    return first.value if is_first and isinstance(first, op.Text) else None


def read_super(solver: Solver, frame: Frame, value: Super, name: str, dst: int, line: int) -> None:
    owner = value.owner
    cls = owner.cls if isinstance(owner, Instance) else owner
    if not isinstance(cls, Class):
        cls = value.cls
    found = lookup_after(solver, cls, value.cls, name, member_of_instance, (frame, owner, dst, line))
    if not found:
        if name == "__new__":
            solver.add(dst, solver.method(cls, "__new__"))
            return
        if name == "__call__" and isinstance(owner, Class):
            solver.add(dst, solver.method(owner, "construct"))
            return
        for base in foreign_bases(cls):
            if base != "builtins.object":
                solver.add(dst, solver.bound(solver.foreign(f"{base}.{name}"), owner))
        if not foreign_bases(cls):
            solver.add(dst, solver.bound(solver.foreign(f"builtins.object.{name}"), owner))
