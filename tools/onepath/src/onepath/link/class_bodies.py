"""Class statements: the body runs, bases and metaclass become known, and they are told of the new class.

Making objects of the class is not known here.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from onepath.link.classes import LAST, add_base, binds, is_enum, lookup, members
from onepath.link.code import Code, Frame, Site
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke
from onepath.link.iteration import iterate
from onepath.link.members import enum_member
from onepath.link.solver import Solver
from onepath.link.values import (
    BOXES,
    CLASSES,
    OBJECTS,
    RESULTS,
    Box,
    Class,
    Descriptor,
    Function,
    Instance,
    Result,
    Space,
    Text,
    Value,
)


class Statement(NamedTuple):
    """A class statement that runs: what is known of it apart from its body. All variables are absolute."""

    cls: Class
    frame: Frame
    bases: tuple[int, ...]
    """Variables of the bases; of those that are unpacked, a variable of what comes out."""
    named: tuple[tuple[str, int], ...]
    """Its keywords but the metaclass."""
    double_stars: tuple[int, ...]
    line: int


def run_class_body(
    solver: Solver,
    frame: Frame,
    code: Code,
    bases: tuple[int, ...],
    starred: tuple[int, ...],
    named: tuple[tuple[str, int], ...],
    double_stars: tuple[int, ...],
    dst: int,
    line: int,
) -> None:
    """A class statement runs; the bases at the places `starred` are unpacked."""
    key = (Class, (code, frame))
    cls = solver.values.get(key)
    if cls is None:
        cls = solver.values[key] = Class(code.scope.name, code, frame, code.unit)
        solver.classes.append(cls)
        cls.statics = set(code.statics)
        cls.fields = {field.name: field.annotation for field in code.scope.fields}
    parts = tuple(
        solver.var_for(("unpacked bases", cls, place)) if place in starred else var for place, var in enumerate(bases)
    )
    arguments = tuple((name, var) for name, var in named if name != "metaclass")
    statement = Statement(cls, frame, parts, arguments, double_stars, line)
    _read_keywords(solver, statement)
    for place, var in enumerate(bases):
        if place in starred:
            _unpack_bases(solver, statement, place, var)
        else:
            solver.when(var, _base, (statement, (place,)))
    for name, var in named:
        if name == "metaclass":
            cls.metaclass = var
            solver.when(var, _metaclass, statement)
    if cls.body is None:
        cls.body = solver.frame(code, frame)
        solver.edge(frame, cls.body, "call", line)
    solver.later(_class_made, solver, statement)
    solver.add(dst, cls)


def run_class_call(
    solver: Solver, cls: Class, frame: Frame, bases: int, double_stars: tuple[int, ...], line: int
) -> None:
    """A class is made by a call, with what `bases` holds as its bases; then what it has is known already."""
    inner = solver.var_for(("unpacked bases", cls, 0))
    statement = Statement(cls, frame, (inner,), (), double_stars, line)
    _read_keywords(solver, statement)
    _unpack_bases(solver, statement, 0, bases)
    solver.later(_class_made, solver, statement)


def run_enum_call(solver: Solver, site: Site, base: Class, names: int) -> None:
    """`Base("Made", names)`: an enumeration below `base`, with members by these names."""
    cls = Class(base.name, None, site.frame, site.frame.code.unit)
    solver.classes.append(cls)
    statement = Statement(cls, site.frame, (), (), (), site.line)
    _base(solver, (statement, (0,)), base)
    solver.when(names, _member_names, statement)
    solver.later(_class_made, solver, statement)
    solver.add(site.dst, cls)


def _member_names(solver: Solver, statement: Any, value: Value) -> None:
    if isinstance(value, Text):
        for name in value.value.replace(",", " ").split():
            _member_named(solver, statement, name, -1)
    elif isinstance(value, Box) and value.kind == "dict":
        solver.each_item(value, _member_of_mapping, statement)
    elif isinstance(value, Box):
        solver.when(solver.every(value), _member_of_sequence, statement)


def _member_of_mapping(solver: Solver, statement: Any, key: object, var: int) -> None:
    if isinstance(key, str):
        _member_named(solver, statement, key, var)


def _member_of_sequence(solver: Solver, statement: Any, value: Value) -> None:
    """A name, or a pair of name and value."""
    if isinstance(value, Text):
        _member_named(solver, statement, value.value, -1)
    elif isinstance(value, Box) and 0 in value.items:
        for name in list(solver.has(value.items[0])):
            if isinstance(name, Text):
                _member_named(solver, statement, name.value, value.items.get(1, -1))


def _member_named(solver: Solver, statement: Statement, name: str, var: int) -> None:
    cls = statement.cls
    cls.binding(name)
    if var >= 0:
        solver.flow(var, solver.cell(cls, name))
    else:
        asks = binds(cls, "_generate_next_value_")
        solver.add(solver.cell(cls, name), solver.result("enum.auto") if asks else solver.constant("int"))
    if ("class made", cls) in solver.values:
        solver.later(_attributes_made, solver, cls, statement.frame, statement.line)


def _read_keywords(solver: Solver, statement: Statement) -> None:
    cls = statement.cls
    if statement.double_stars:
        cls.metaclass = solver.var_for(("metaclass", cls))
        solver.when(cls.metaclass, _metaclass, statement)
        for var in statement.double_stars:
            solver.when(var, _keywords, statement, BOXES)


def _unpack_bases(solver: Solver, statement: Statement, place: int, var: int) -> None:
    solver.when(var, _unpacked_base, (statement, place), BOXES)
    iterate(solver, statement.frame, var, statement.bases[place], False, statement.line)
    solver.when(statement.bases[place], _base, (statement, (place, LAST)))


def _keywords(solver: Solver, statement: Any, value: Value) -> None:
    """`class A(**value)`: the metaclass may be in it."""
    if isinstance(value, Box):
        solver.each_item(value, _keyword, statement, _METACLASS)
        solver.flow(value.rest, statement.cls.metaclass)


_METACLASS: Final = frozenset({"metaclass"})


def _keyword(solver: Solver, statement: Any, key: object, var: int) -> None:
    solver.flow(var, statement.cls.metaclass)


def _unpacked_base(solver: Solver, payload: Any, value: Value) -> None:
    """`class A(*value)`: its elements in their order, as far as that is known."""
    if isinstance(value, Box) and value.kind in ("tuple", "list"):
        solver.each_item(value, _element_base, payload)


def _element_base(solver: Solver, payload: Any, key: object, var: int) -> None:
    statement, place = payload
    if isinstance(key, int):
        solver.when(var, _base, (statement, (place, key)))


def _base(solver: Solver, payload: Any, value: Value) -> None:
    statement, place = payload
    cls, frame, line = statement.cls, statement.frame, statement.line
    if isinstance(value, Result | Box):
        return
    if isinstance(value, Instance):
        entries = solver.var_for(("mro entries", cls, value))
        elements = solver.var_for(("mro entry", cls, value))
        call_special(solver, frame, value, "__mro_entries__", (solver.nowhere,), entries, line)
        iterate(solver, frame, entries, elements, False, line)
        solver.when(elements, _base, payload)
        return
    add_base(solver, cls, value, place)
    if isinstance(value, Class):
        solver.note_made(value, frame, "subclass", line)
        for one in value.mro[1:]:
            solver.note_made(one, frame, "subclass", line)
        for one in value.mro:
            if one.metaclass >= 0 and cls.metaclass < 0:
                cls.metaclass = one.metaclass
                solver.when(cls.metaclass, _metaclass, statement._replace(bases=()))
            elif one.metaclass >= 0 and statement.double_stars:
                solver.flow(one.metaclass, cls.metaclass)
        if ("class made", cls) in solver.values:
            solver.later(_class_made, solver, statement)


def _metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    cls, frame, bases, named, double_stars, line = payload
    if not isinstance(meta, Class | Function):
        return
    base_box = solver.box("tuple", (cls, "bases"))
    for var in bases:
        solver.flow(var, base_box.rest)
    arguments = (
        holding(solver, solver.text(cls.name)),
        holding(solver, base_box),
        holding(solver, solver.once(Space, cls, cls)),
    )
    if isinstance(meta, Function):
        invoke(solver, frame, meta, arguments, -1, line, named, (), double_stars)
        return
    names = solver.new()
    solver.when(names, _prepared, (cls, frame, line))
    for name in ("__prepare__", "__new__", "__init__"):
        given = arguments[:2] if name == "__prepare__" else arguments
        owner: Value = cls if name == "__init__" else meta
        dst = names if name == "__prepare__" else -1
        lookup(solver, meta, name, _call_meta, (frame, owner, given, dst, line, named, double_stars))
    ordered = solver.var_for(("order of bases", cls))
    lookup(solver, meta, "mro", _call_meta, (frame, cls, (), ordered, line, (), ()))
    if binds(meta, "mro"):
        behind = solver.new()
        iterate(solver, frame, ordered, behind, False, line)
        solver.when(behind, _behind, cls, CLASSES)


def _behind(solver: Solver, cls: Any, value: Value) -> None:
    """A class that the metaclass has put into the order of resolution."""
    if isinstance(value, Class) and cls not in value.mro:
        add_base(solver, cls, value)


def _prepared(solver: Solver, payload: Any, value: Value) -> None:
    """The class body stores its names in what `__prepare__` gave, and reads them from there."""
    cls, frame, line = payload
    for name in sorted(cls.statics):
        key = holding(solver, solver.text(name))
        call_special(solver, frame, value, "__setitem__", (key, solver.cell(cls, name)), -1, line)
    for method in ("__getitem__", "__missing__"):
        call_special(solver, frame, value, method, (holding(solver, solver.constant("str")),), -1, line)


def _call_meta(solver: Solver, payload: Any, member: Value) -> None:
    frame, owner, arguments, dst, line, named, double_stars = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line, named, (), double_stars)


def _class_made(solver: Solver, statement: Statement) -> None:
    """`__set_name__` of its attributes, `__init_subclass__` of its bases."""
    cls, frame, line = statement.cls, statement.frame, statement.line
    if solver.is_first(("class made", cls)):
        _attributes_made(solver, cls, frame, line)
    for base in cls.mro[1:]:
        if "__init_subclass__" in base.statics:
            for member in solver.has(solver.cell(base, "__init_subclass__")):
                inner = member.get if isinstance(member, Descriptor) else member
                if isinstance(inner, Function):
                    told = solver.bound(inner, cls)
                    invoke(solver, frame, told, (), -1, line, statement.named, (), statement.double_stars)
            break


def _attributes_made(solver: Solver, cls: Class, frame: Frame, line: int) -> None:
    for name in sorted(cls.statics):
        solver.when(solver.cell(cls, name), _set_name, (cls, frame, name, line), OBJECTS)
    if is_enum(cls) and binds(cls, "_generate_next_value_"):
        for one in members(solver, cls, "_generate_next_value_"):
            inner = one.get if isinstance(one, Descriptor) else one
            if isinstance(inner, Function):
                for name in sorted(cls.statics):
                    if not name.startswith("_"):
                        solver.when(solver.cell(cls, name), _next_value, (cls, frame, name, inner, line), RESULTS)
    if is_enum(cls) and (binds(cls, "__init__") or binds(cls, "__new__")):
        for name in sorted(cls.statics):
            if not name.startswith("_"):
                solver.when(solver.cell(cls, name), _member_made, (cls, frame, enum_member(solver, cls, name), line))


def _next_value(solver: Solver, payload: Any, value: Value) -> None:
    """`auto()`: the member's value is what `_generate_next_value_` gives for its name."""
    cls, frame, name, function, line = payload
    if isinstance(value, Result) and value.name == "enum.auto":
        rest = tuple(holding(solver, solver.constant(kind)) for kind in ("int", "int", "list"))
        arguments = (holding(solver, solver.text(name)), *rest)
        invoke(solver, frame, function, arguments, solver.cell(cls, name), line)


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
