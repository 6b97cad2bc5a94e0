"""Objects are made: `__new__`, `__init__`, or fields taken from the arguments.

Objects made with different callables stay apart, as frames do.
"""

from __future__ import annotations

from itertools import islice, product
from typing import Any, Final

from onepath.link.binding import bind
from onepath.link.class_bodies import run_enum_call
from onepath.link.classes import (
    HARMLESS_BASES,
    binds,
    fields_of,
    foreign_bases,
    is_enum,
    lookup,
    members,
    plain_instance,
)
from onepath.link.code import Frame, Site
from onepath.link.dunders import call_special
from onepath.link.escaping import call_back, escape_arguments
from onepath.link.invoke import holding, invoke
from onepath.link.iteration import iterate
from onepath.link.members import enum_member, value_of_member
from onepath.link.raising import GROUPS, all_raised
from onepath.link.setting import write_member
from onepath.link.solver import TAGS, Solver, class_name, is_contextual
from onepath.link.unknown import run_function
from onepath.link.values import (
    DESCRIPTORS,
    OBJECTS,
    Box,
    Class,
    Descriptor,
    Function,
    Instance,
    Number,
    Space,
    Text,
    Value,
)


def new_of(solver: Solver, site: Site, cls: Class) -> None:
    """`object.__new__(cls)`, `super().__new__(cls)`: an object without `__init__`."""
    if site.positional:
        solver.when(site.positional[0], new_one, site)
    else:
        new_one(solver, site, cls)


def new_one(solver: Solver, site: Any, cls: Value) -> None:
    if isinstance(cls, Class):
        if not any("builtins.type" in one.foreign for one in cls.mro):
            inside = site.frame.code.scope.name == "__new__"
            solver.note_made(cls, site.frame, "__new__", site.line) if not inside else None
            instance = plain_instance(solver, cls, site)
            solver.add(site.dst, instance)
            if inside:
                initialise(solver, site, instance, None)
        else:
            _new_class(solver, site, cls)


def _new_class(solver: Solver, site: Site, meta: Class) -> None:
    """`super().__new__(meta, name, bases, names)` in a metaclass: the class that is being made."""
    if len(site.positional) >= 4:
        solver.when(site.positional[3], _class_of_space, site)


def _class_of_space(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Space):
        solver.add(site.dst, value.owner)
    elif isinstance(value, Box):
        # Other names than those of the body: the class is still that of the body.
        scope = site.frame.code.scope
        if len(scope.code) > _LONGEST:
            solver.add(site.dst, solver.uncomputed("type.__new__", "which class is made of these names is not known"))
        elif len(scope.parameters) > _NAMESPACE:
            solver.when(site.frame.base + _NAMESPACE, _class_with_names, (site, value))


_NAMESPACE: Final = 3
"""Which parameter of a metaclass's `__new__` is what the class's body bound."""
_LONGEST: Final = 300
"""How many operations a metaclass's `__new__` has at most, if what it does with a class of other names is followed: in
one frame, it does so with all of its classes and all of their names."""


def _class_with_names(solver: Solver, payload: Any, value: Value) -> None:
    site, names = payload
    if isinstance(value, Space) and isinstance(value.owner, Class):
        solver.add(site.dst, value.owner)
        named_members(solver, value.owner, names)


def named_members(solver: Solver, cls: Any, value: Value) -> None:
    """A class gets its members out of a mapping."""
    if isinstance(value, Box):
        solver.each_item(value, _item_to_member, cls)


def _item_to_member(solver: Solver, cls: Any, key: object, var: int) -> None:
    if isinstance(key, str):
        cls.binding(key)
        solver.flow(var, solver.cell(cls, key))


def construct(solver: Solver, site: Site, cls: Class) -> None:
    """An object is made: `__new__`, then `__init__`, or fields taken from the arguments."""
    solver.note_made(cls, site.frame, "call", site.line)
    if is_enum(cls):
        _enum_made(solver, site, cls)
        for member in members(solver, cls, "_missing_"):
            inner = member.get if isinstance(member, Descriptor) else member
            if isinstance(inner, Function):
                invoke(solver, site.frame, solver.bound(inner, cls), site.positional[:1], site.dst, site.line)
        for var in site.positional[:1] or (solver.nowhere,):
            solver.when(var, _member_by_value, (site, cls))
            solver.at_last(_member_blind, solver, site, cls, var)
        return
    if binds(cls, "__new__"):
        lookup(solver, cls, "__new__", _call_new, (site, cls))
    for base in foreign_bases(cls):
        if base in _STANDS_FOR:
            as_base = Site(
                site.frame, site.dst, -1, site.positional, site.named, site.line, site.stars, site.double_stars
            )
            solver.call(solver, as_base, solver.foreign(_STANDS_FOR[base]))
    arguments = [*site.positional, *(var for _, var in site.named)]
    special = [(var, [value for value in solver.has(var) if is_contextual(value)]) for var in dict.fromkeys(arguments)]
    special = [(var, some) for var, some in special if some]
    count_key = ("instances", cls)
    made = solver.values.get(count_key, 0)
    combinations = list(islice(product(*(some for _, some in special)), TAGS + 1)) if made < TAGS else [()]
    if len(combinations) > TAGS or made >= TAGS:
        combinations = [()]
    for combination in combinations:
        only: dict[int, Value] | None = None
        if combination:
            depth = 1 + max(value.depth for value in combination)
            origin = site if class_name(cls) in solver.origin_classes else None
            where = None if origin is None else (origin.frame.code, origin.line)
            key = (cls, combination, where)
            if (Instance, key) not in solver.values:
                solver.values[count_key] = solver.values.get(count_key, 0) + 1
            instance: Instance = solver.once(Instance, key, cls, combination, origin, depth)
            only = {var: value for (var, _), value in zip(special, combination, strict=True)}
        else:
            instance = plain_instance(solver, cls, site)
        if not binds(cls, "__new__"):
            solver.add(site.dst, instance)
        solver.values.setdefault(("made", cls), {}).setdefault(instance)
        initialise(solver, site, instance, only)
    if not combinations:
        initialise(solver, site, plain_instance(solver, cls, site), None)


def _member_by_value(solver: Solver, payload: Any, value: Value) -> None:
    """`Enumeration(value)`: the member of that value; any, where one of their values is not known."""
    site, cls = payload
    found = [
        enum_member(solver, cls, name)
        for name in sorted(cls.statics)
        if not name.startswith("_")
        and not any(isinstance(one, Function | Descriptor) for one in solver.has(solver.cell(cls, name)))
    ]
    if value in found:
        solver.add(site.dst, value)
        return
    values = [value_of_member(solver, one) for one in found]
    if isinstance(value, Text | Number) and None not in values:
        found = [one for one, told in zip(found, values, strict=True) if told is value]
    for one in found:
        solver.add(site.dst, one)


def _member_blind(solver: Solver, site: Site, cls: Class, var: int) -> None:
    if not solver.has(var) and not solver.is_idle(site.frame, _member_blind, site, cls, var):
        _member_by_value(solver, (site, cls), solver.unknown)


def _enum_made(solver: Solver, site: Site, base: Class) -> None:
    """`Base("Made", "A B")`: an enumeration is made by calling one without members."""
    names = site.positional[1] if len(site.positional) > 1 else dict(site.named).get("names", -1)
    if names >= 0 and solver.is_first(("enum made", site, base)):
        run_enum_call(solver, site, base, names)


_STANDS_FOR: Final = {
    **{base: base for base in ("builtins.staticmethod", "builtins.classmethod", "builtins.property")},
    **{base: base for base in ("functools.cached_property", "functools.partial")},
    "typing.TypedDict": "builtins.dict",
}
"""Foreign bases whose objects are called, read or asked for items, and by calling what the same is made."""


def _call_new(solver: Solver, payload: Any, member: Value) -> None:
    site, cls = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        bind(solver, site, member, cls)


def initialise(solver: Solver, site: Site, instance: Instance, only: dict[int, Value] | None) -> None:
    cls = instance.cls
    frozen = tuple(sorted(only.items())) if only else ()
    lookup(solver, cls, "__init__", _call_init, (site, instance, frozen))
    if not binds(cls, "__init__"):
        _fill_fields(solver, site, instance, only)
        for base in foreign_bases(cls):
            if base in GROUPS:
                for var in site.positional[1:2]:
                    iterate(solver, site.frame, var, all_raised(solver), False, site.line)
            if base not in HARMLESS_BASES and not base.startswith(("builtins.", "typing.", "abc.", "enum.")):
                solver.edge(site.frame, f"{base}.__init__", "call", site.line)
                escape_arguments(solver, site, base)
                call_back(solver, site, f"{base}.__init__", instance)
                call_back(solver, site, f"{base}.__del__", instance)
    lookup(solver, cls, "__post_init__", _call_post_init, (site, instance))
    if binds(cls, "__del__"):
        for member in members(solver, cls, "__del__"):
            if isinstance(member, Function):
                run_function(solver, member, instance, site.frame, "may-call", site.line)
    for base in foreign_bases(cls):
        if solver.is_watched(base):
            solver.edge(site.frame, base, "call", site.line)


def _call_init(solver: Solver, payload: Any, member: Value) -> None:
    site, instance, only = payload
    if isinstance(member, Function):
        bind(solver, site, member, instance, dict(only) if only else None)


def _call_post_init(solver: Solver, payload: Any, member: Value) -> None:
    site, instance = payload
    if isinstance(member, Function):
        given = tuple(
            solver.cell(instance, name)
            for name, owner, index in fields_of(instance.cls)
            if index < len(owner.unit.facts.annotations)
            and owner.unit.facts.annotations[index].name.rpartition(".")[2] == "InitVar"
        )
        invoke(solver, site.frame, solver.bound(member, instance), given, -1, site.line)


def _fill_fields(solver: Solver, site: Site, instance: Instance, only: dict[int, Value] | None) -> None:
    fields = fields_of(instance.cls)
    names = [name for name, _, _ in fields]
    for position, var in enumerate(site.positional):
        if position < len(names):
            _fill(solver, instance, names[position], var, only)
    known = set(names)
    for name, var in site.named:
        if name in known:
            _fill(solver, instance, name, var, only)
    for var in site.double_stars:
        solver.when(var, _fill_from_mapping, (instance, tuple(names)))
    for var in site.stars:
        inner = solver.new()
        iterate(solver, site.frame, var, inner, False, site.line)
        for name in names[len(site.positional) :]:
            solver.flow(inner, solver.cell(instance, name))
    given = dict(zip(names, site.positional, strict=False)) | dict(site.named)
    sets = _SETS_NOTHING.isdisjoint(foreign_bases(instance.cls))
    for name, owner, _ in fields:
        var = given.get(name, -1)
        if name in owner.statics and (sets or var < 0):
            solver.when(solver.cell(owner, name), _field_member, (site, instance, name, var, sets), _FIELD_MEMBERS)
        if sets and (var >= 0 or name in owner.statics) and binds(instance.cls, "__setattr__"):
            argument = var if var >= 0 else solver.cell(owner, name)
            told = (holding(solver, solver.text(name)), argument)
            call_special(solver, site.frame, instance, "__setattr__", told, -1, site.line)


_SETS_NOTHING: Final = frozenset({"msgspec.Struct", "pydantic.BaseModel", "typing.NamedTuple", "typing.TypedDict"})
"""Bases whose objects get their fields in another way than by an assignment to each."""
_FIELD_MEMBERS: Final = OBJECTS | DESCRIPTORS


def _field_member(solver: Solver, payload: Any, member: Value) -> None:
    """What a field is in its class: a factory, or a descriptor, which is asked for the default and sets the value."""
    site, instance, name, var, sets = payload
    if var < 0:
        _default_factory(solver, (site, instance, name), member)
    if not sets or (isinstance(member, Instance) and not binds(member.cls, "__set__")):
        return
    if var < 0 and isinstance(member, Instance):
        var = default_of(solver, site.frame, instance.cls, member, site.line)
    if isinstance(member, Instance) or (isinstance(member, Descriptor) and member.kind == "property"):
        write_member(solver, (site.frame, instance, max(var, 0), site.line), member)


def default_of(solver: Solver, frame: Frame, cls: Class, member: Instance, line: int) -> int:
    """The variable of what a descriptor in a class gives where the class itself is asked for the attribute."""
    var: int = solver.var_for(("default", cls, member))
    if binds(member.cls, "__get__"):
        arguments = (holding(solver, solver.constant("NoneType")), holding(solver, cls))
        call_special(solver, frame, member, "__get__", arguments, var, line)
    return var


def _fill(solver: Solver, instance: Instance, name: str, var: int, only: dict[int, Value] | None) -> None:
    if only is not None and var in only:
        solver.when(var, _fill_only, (solver.cell(instance, name), only[var]))
    else:
        solver.flow(var, solver.cell(instance, name))


def _fill_only(solver: Solver, payload: Any, value: Value) -> None:
    cell, wanted = payload
    if value is wanted or not is_contextual(value):
        solver.add(cell, value)


def _fill_from_mapping(solver: Solver, payload: Any, value: Value) -> None:
    instance, names = payload
    if isinstance(value, Box):
        solver.each_item(value, _item_to_field, (instance, names), names)
        solver.flow(value.rest, any_field(solver, instance))


def any_field(solver: Solver, instance: Instance) -> int:
    """The variable of what may be in any field of an object."""
    var = solver.var_for(("any field", instance))
    for name, _, _ in fields_of(instance.cls):
        solver.flow(var, solver.cell(instance, name))
    return var


def _item_to_field(solver: Solver, payload: Any, key: object, var: int) -> None:
    instance, names = payload
    if isinstance(key, str) and key in names:
        solver.flow(var, solver.cell(instance, key))


def _default_factory(solver: Solver, payload: Any, value: Value) -> None:
    site, instance, name = payload
    if isinstance(value, Descriptor) and value.kind == "factory" and value.get is not None:
        invoke(solver, site.frame, value.get, (), solver.cell(instance, name), site.line)
