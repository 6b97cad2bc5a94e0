"""Classes: their order of resolution, and looking a name up along it.

A lookup ends at the first class whose body binds the name; classes before it are listened to, because a name may be set
on them later. When a base becomes known later, lookups are repeated.
"""

from __future__ import annotations

import builtins
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

from onepath.link.code import Site
from onepath.link.flows import Trigger
from onepath.link.solver import Solver, class_name
from onepath.link.values import Box, Class, Foreign, Instance, Value

HARMLESS_BASES: Final = frozenset(
    {
        "builtins.object",
        "abc.ABC",
        "typing.Protocol",
        "typing.Generic",
        "typing.NamedTuple",
        "typing.TypedDict",
        "typing_extensions.Protocol",
        "typing_extensions.TypedDict",
        "msgspec.Struct",
        "pydantic.BaseModel",
        "enum.Enum",
        "enum.IntEnum",
        "enum.StrEnum",
        "enum.Flag",
        "enum.IntFlag",
    }
)
"""Foreign bases that call nothing of their own accord."""
ENUMS: Final = frozenset(
    {"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag", "django.db.models.TextChoices"}
)
_MOST_BASES: Final = 8
"""A base that is computed may be any of several; with more bases than these, one stays for each place."""
PROTOCOLS: Final = frozenset({"typing.Protocol", "typing_extensions.Protocol"})


LAST: Final = 1 << 30
"""The place of a base behind all others."""


def add_base(solver: Solver, cls: Class, value: Value, place: tuple[int, ...] = (LAST,)) -> None:
    """A base of `cls` has become known, which stands at `place` among them."""
    if isinstance(value, Class):
        if value in cls.bases or cls in value.mro:
            return
        if len(cls.bases) >= _MOST_BASES and place in cls.places:
            return
        at = bisect_right(cls.places, place)
        cls.places.insert(at, place)
        cls.bases.insert(at, value)
        value.subclasses.append(cls)
        listed: Box | None = solver.values.get((Box, "list", (value, "__subclasses__")))
        if listed is not None:
            solver.add(listed.rest, cls)
        cls.forget()
        _reorder(solver, cls)
    elif isinstance(value, Foreign) and value.name not in cls.foreign:
        cls.foreign.append(value.name)
        cls.forget()
        _reorder(solver, cls)


def _reorder(solver: Solver, cls: Class) -> None:
    todo = [cls]
    seen: set[Class] = set()
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        one.mro = _linear(one)
        one.bound = None
        one.outside = None
        todo.extend(one.subclasses)
        for name, var in list(one.sought.items()):
            _seek(solver, one.mro, name, var)


def _linear(cls: Class) -> list[Class]:
    """Python's own order (C3); depth first where there is none."""
    lists = [list(base.mro) for base in cls.bases] + [list(cls.bases)]
    order = [cls]
    while True:
        lists = [one for one in lists if one]
        if not lists:
            return order
        for candidate in (one[0] for one in lists):
            if not any(candidate in one[1:] for one in lists):
                break
        else:
            flat = {cls: None}
            for base in cls.bases:
                flat.update(dict.fromkeys(base.mro))
            return list(flat)
        order.append(candidate)
        for one in lists:
            if one[0] is candidate:
                del one[0]


def lookup(solver: Solver, cls: Class, name: str, trigger: Trigger, payload: Any) -> None:
    """Run `trigger` for every value of class attribute `name` of `cls`, by its order of resolution."""
    found = cls.sought.get(name)
    if found is None:
        found = cls.sought[name] = solver.new()
        solver.sought.add(name)
        _seek(solver, cls.mro, name, found)
    solver.when(found, trigger, payload)


def lookup_after(solver: Solver, cls: Class, after: Class, name: str, trigger: Trigger, payload: Any) -> bool:
    """The same for the classes behind `after`: what `super()` sees. Whether a class binds the name."""
    order = cls.mro[cls.mro.index(after) + 1 :] if after in cls.mro else after.mro[1:]
    for one in order:
        if name in one.statics or (one, name) in solver.cells:
            solver.when(solver.cell(one, name), trigger, payload)
            if name in one.statics:
                return True
        else:
            solver.when_set(one, name, trigger, payload)
    return False


def _seek(solver: Solver, order: Sequence[Class], name: str, var: int) -> None:
    """`var` gets what the first of these classes that binds the name binds, and what was set on those before it."""
    for one in order:
        if name in one.statics:
            solver.flow(solver.cell(one, name), var)
            return
        cell = solver.cells.get((one, name))
        if cell is not None:
            solver.flow(cell, var)


def binds(cls: Class, name: str) -> bool:
    """Whether a class of the program in the order of resolution binds the name in its body."""
    bound = cls.bound
    if bound is None:
        bound = cls.bound = frozenset().union(*(one.statics for one in cls.mro))
    return name in bound


def foreign_bases(cls: Class) -> tuple[str, ...]:
    found = cls.outside
    if found is None:
        found = cls.outside = tuple(dict.fromkeys(name for one in cls.mro for name in one.foreign))
    return found


def may_have(base: str, name: str) -> bool:
    """Whether an attribute that no class of the program binds can be a foreign base's: of Python's own types it is
    known what they have."""
    if base in HARMLESS_BASES:
        return False
    module, _, last = base.rpartition(".")
    kind = getattr(builtins, last, None) if module == "builtins" else None
    return not isinstance(kind, type) or hasattr(kind, name)


def is_enum(cls: Class) -> bool:
    return not ENUMS.isdisjoint(foreign_bases(cls))


def is_protocol(cls: Class) -> bool:
    return not PROTOCOLS.isdisjoint(cls.foreign)


def is_record(cls: Class) -> bool:
    """Whether its objects are compared, hashed and shown by their fields."""
    return any(one.record for one in cls.mro) or not RECORDS.isdisjoint(foreign_bases(cls))


RECORDS: Final = frozenset({"typing.NamedTuple", "collections.namedtuple", "msgspec.Struct", "pydantic.BaseModel"})
"""Bases whose subclasses are records of their fields."""


def fields_of(cls: Class) -> list[tuple[str, Class, int]]:
    """Annotated names, base classes' first, as a generated constructor takes them: name, class, annotation."""
    found: dict[str, tuple[str, Class, int]] = {}
    for one in reversed(cls.mro):
        for name, annotation in one.fields.items():
            if name in found:
                found[name] = (name, one, annotation)
            else:
                found[name] = (name, one, annotation)
    return list(found.values())


# -- functions -------------------------------------------------------------------------------------------------


def members(solver: Solver, cls: Class, name: str) -> list[Value]:
    """What is known of a class attribute now."""
    for one in cls.mro:
        cell = solver.cells.get((one, name))
        held = solver.has(cell) if cell is not None else None
        if held:
            return list(held)
    return []


# -- classes ---------------------------------------------------------------------------------------------------


def instances(solver: Solver, cls: Class) -> list[Instance]:
    """The objects of a class that are known to be made; the one that stands for all where none is."""
    made: dict[Instance, None] | None = solver.values.get(("made", cls))
    return list(made) if made else [plain_instance(solver, cls, None)]


def plain_instance(solver: Solver, cls: Class, site: Site | None) -> Instance:
    """The object of a class that stands for all made alike."""
    origin = site if site is not None and class_name(cls) in solver.origin_classes else None
    where = None if origin is None else (origin.frame.code, origin.line)
    if origin is not None:
        return solver.once(Instance, (cls, (), where), cls, (), origin, 0)  # type: ignore[no-any-return]
    return solver.once(Instance, (cls, (), None), cls, (), None, 0)  # type: ignore[no-any-return]
