"""Values that are given to foreign code, and what it may call of them.

What a foreign name is known to do is not looked up here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from onepath.link.classes import HARMLESS_BASES, binds, foreign_bases, lookup, members, plain_instance
from onepath.link.code import Frame, Site
from onepath.link.foreign import CALLS_BACK, MIXINS, NUMBER_MIXINS, PROTOCOL, TAKES_OVER, TAKES_OVER_BELOW
from onepath.link.items import items_of
from onepath.link.solver import Solver
from onepath.link.unknown import run_function, run_unknown
from onepath.link.values import (
    OBJECTS,
    Alias,
    Bound,
    Box,
    Class,
    Descriptor,
    Foreign,
    Function,
    Getter,
    Instance,
    Partial,
    Running,
    TypeParameter,
    Uncomputed,
    Value,
)

MOST_ESCAPES: Final = 16
"""How many callables one call hands to foreign code before it stands for too many."""


def escape_arguments(solver: Solver, site: Site, name: str) -> None:
    """Callables among the arguments may be called; the result may be one of them, wrapped."""
    for var in dict.fromkeys((*site.positional, *(var for _, var in site.named))):
        solver.when(var, _escaped, (site.frame, name, site.dst, site.line, 0), _ESCAPING)
    for var in (*site.stars, *site.double_stars):
        solver.when(var, _escaped, (site.frame, name, site.dst, site.line, 0), _ESCAPING)


def _escaped(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, dst, line, depth = payload
    _ESCAPES.get(value.__class__, _stays)(solver, frame, value, name, dst, line, depth)


def escape(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """A value is given to foreign code."""
    _escaped(solver, (frame, name, dst, line, 0), value)


def _stays(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int, depth: int) -> None:
    """Data: foreign code does not call it."""


def _escape_callable(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int, depth: int) -> None:
    if dst >= 0:
        solver.add(dst, value)
    key = ("escaped", value, frame, line)
    if key not in solver.values:
        count = solver.escapes.get((frame, line), 0)
        if count >= MOST_ESCAPES:
            return
        solver.escapes[(frame, line)] = count + 1
        solver.values[key] = True
        solver.later(_run_escaped, solver, value, frame, name, line)


def _run_escaped(solver: Solver, value: Value, frame: Frame, name: str, line: int) -> None:
    frames = run_unknown(solver, value, frame, "may-call", line)
    if _knows_names(name):
        for one in frames:  # foreign code gets what it calls for
            solver.when(one.result, _escaped, (frame, name, -1, line, 0), OBJECTS)
    if isinstance(value, Class):
        run_overrides(solver, value, plain_instance(solver, value, None), frame, line)


def _escape_class(solver: Solver, frame: Frame, value: Class, name: str, dst: int, line: int, depth: int) -> None:
    _escape_callable(solver, frame, value, name, dst, line, depth)
    if _takes_over(name) or _knows_names(name):
        _escape_by_name(solver, frame, plain_instance(solver, value, None), name, line)


def _escape_by_name(solver: Solver, frame: Frame, value: Instance, name: str, line: int) -> None:
    """Foreign code knows methods of the object by their names."""
    if _takes_over(name):
        if solver.is_first(("methods", value, frame, line)):
            solver.later(run_methods, solver, value, frame, line)
    elif _knows_names(name) and solver.is_first(("uncalled", value, frame, line)):
        solver.later(_run_uncalled, solver, value, frame, line)


def _knows_names(name: str) -> bool:
    """Whether a foreign callable may know methods by name. Built-in ones call none but Python's own; of what is known
    by its annotation alone nothing is said."""
    return name.partition(".")[0] not in _KNOW_NO_NAMES


_KNOW_NO_NAMES: Final = frozenset(
    {
        "", "abc", "builtins", "collections", "copy", "dataclasses", "datetime", "enum", "html", "inspect", "itertools",
        "os", "pathlib", "types", "typing",
    }
)  # fmt: skip


def _takes_over(name: str) -> bool:
    return name in TAKES_OVER or name.startswith(TAKES_OVER_BELOW)


def _escape_instance(solver: Solver, frame: Frame, value: Instance, name: str, dst: int, line: int, depth: int) -> None:
    if binds(value.cls, "__call__"):
        _escape_callable(solver, frame, value, name, dst, line, depth)
    _escape_by_name(solver, frame, value, name, line)
    key = ("overrides", value, frame, line)
    if key not in solver.values:
        solver.values[key] = True
        solver.later(run_overrides, solver, value.cls, value, frame, line)
        if any(not PROTOCOL.isdisjoint(one.statics) for one in value.cls.mro):
            solver.later(_run_protocol, solver, value, frame, line)


def _run_protocol(solver: Solver, value: Instance, frame: Frame, line: int) -> None:
    """Foreign code reads, iterates, compares or shows what it is given, by the methods there are for that."""
    for name in sorted({name for one in value.cls.mro for name in PROTOCOL & one.statics}):
        for member in members(solver, value.cls, name):
            if isinstance(member, Function):
                run_function(solver, member, value, frame, "may-call", line)


def _run_uncalled(solver: Solver, value: Instance, frame: Frame, line: int) -> None:
    """Foreign code calls those methods of the object that are there for it: nobody else asks for them by name."""
    for cls in value.cls.mro:
        for name in sorted(cls.statics - solver.asked_for):
            if name.startswith("_"):
                continue
            for member in list(solver.has(solver.cell(cls, name))):
                _run_method(solver, name, member, value, frame, line)


def run_methods(solver: Solver, value: Instance, frame: Frame, line: int) -> None:
    """Foreign code was given an object to use in place of its own: it may call any of its methods."""
    for cls in value.cls.mro:
        for name in sorted(cls.statics):
            if name in ("__init__", "__new__", "__del__", "__init_subclass__"):
                continue
            for member in list(solver.has(solver.cell(cls, name))):
                _run_method(solver, name, member, value, frame, line)


def run_overrides(solver: Solver, cls: Class, owner: Instance, frame: Frame, line: int) -> None:
    """Foreign code that is given an object of a class derived from foreign code calls what the class overrides."""
    real = [base for base in foreign_bases(cls) if base not in HARMLESS_BASES and not is_exception(base)]
    if not real:
        return
    for one in cls.mro:
        for name in sorted(one.statics):
            if name.startswith("__") and name not in ("__call__", "__enter__", "__exit__", "__iter__", "__next__"):
                continue
            for member in list(solver.has(solver.cell(one, name))):
                _run_method(solver, name, member, owner, frame, line)


def _run_method(solver: Solver, name: str, member: Value, owner: Instance, frame: Frame, line: int) -> None:
    """Foreign code calls a method; one of the class, or of no object, unless the program asks for its name."""
    if isinstance(member, Function):
        run_function(solver, member, owner, frame, "may-call", line)
    elif isinstance(member, Descriptor) and isinstance(member.get, Function) and name not in solver.asked_for:
        if member.kind not in _CALLED:
            return
        run_function(solver, member.get, owner.cls if member.kind == "class" else None, frame, "may-call", line)


_CALLED: Final = frozenset({"static", "class"})


def is_exception(base: str) -> bool:
    return base.startswith("builtins.") and base.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt"))


def _escape_box(solver: Solver, frame: Frame, value: Box, name: str, dst: int, line: int, depth: int) -> None:
    if depth < 3:
        key = ("escaped box", value, frame, line)
        if key not in solver.values:
            solver.values[key] = True
            inner = solver.new()
            items_of(solver, value, inner)
            solver.when(inner, _escaped, (frame, name, dst, line, depth + 1), _ESCAPING)


def _escape_running(solver: Solver, frame: Frame, value: Running, name: str, dst: int, line: int, depth: int) -> None:
    if dst >= 0:
        solver.add(dst, value)


def _escape_foreign(solver: Solver, frame: Frame, value: Foreign, name: str, dst: int, line: int, depth: int) -> None:
    if value.special and value.name.rpartition(".")[0]:
        solver.edge(frame, value.name, "may-call", line)
        if dst >= 0:
            solver.add(dst, value)


def _escape_uncomputed(
    solver: Solver, frame: Frame, value: Uncomputed, name: str, dst: int, line: int, depth: int
) -> None:
    # Most such values are data. Where foreign code is known to call what it is given, the call itself tells.
    if dst >= 0:
        solver.add(dst, value)


def _escape_descriptor(
    solver: Solver, frame: Frame, value: Descriptor, name: str, dst: int, line: int, depth: int
) -> None:
    if value.get is not None and value.kind != "factory":
        _escaped(solver, (frame, name, dst, line, depth), value.get)
        if dst >= 0:
            solver.add(dst, value)


def _escape_alias(solver: Solver, frame: Frame, value: Alias, name: str, dst: int, line: int, depth: int) -> None:
    _escaped(solver, (frame, name, -1, line, depth), value.get)
    if dst >= 0:
        solver.add(dst, value)


def _escape_type_parameter(
    solver: Solver, frame: Frame, value: TypeParameter, name: str, dst: int, line: int, depth: int
) -> None:
    for one in (value.bound, value.default):
        if one is not None:
            _escaped(solver, (frame, name, -1, line, depth), one)
    if dst >= 0:
        solver.add(dst, value)


_ESCAPES: Final[dict[type, Callable[..., None]]] = {
    Function: _escape_callable,
    Bound: _escape_callable,
    Class: _escape_class,
    Partial: _escape_callable,
    Getter: _escape_callable,
    Instance: _escape_instance,
    Box: _escape_box,
    Running: _escape_running,
    Foreign: _escape_foreign,
    Uncomputed: _escape_uncomputed,
    Descriptor: _escape_descriptor,
    Alias: _escape_alias,
    TypeParameter: _escape_type_parameter,
}
_ESCAPING: Final = frozenset(_ESCAPES)
"""Kinds of values that foreign code may call, or that are more than data to it."""


def is_template(name: str) -> bool:
    """Whether an inherited foreign method may call any of the object's own ones, for all that is known."""
    return name not in CALLS_BACK and not name.startswith(_PLAIN_BASES) and not name.endswith("__init__")


_USED_AS: Final = frozenset(
    {"__enter__", "__exit__", "__aenter__", "__aexit__", "__iter__", "__next__", "__aiter__", "__anext__"}
)


def inherited(solver: Solver, frame: Frame, value: Instance, name: str, line: int) -> None:
    """A dunder is called that a foreign base brings along: it calls the object's own methods."""
    bases = foreign_bases(value.cls)
    if _asks_nothing(bases, name) or not solver.is_first(("inherited", frame, value, name, line)):
        return
    site = Site(frame, solver.nowhere, -1, (), (), line)
    for base in bases:
        full = f"{base}.{name}"
        call_back(solver, site, full, value)
        if name in _USED_AS and is_template(full) and solver.is_first(("overrides", value, frame, line)):
            solver.later(run_overrides, solver, value.cls, value, frame, line)


_PLAIN_BASES: Final = ("builtins.", "collections.", "typing.", "abc.", "enum.", "threading.", "ast.", "msgspec.")


@cache
def _asks_nothing(bases: tuple[str, ...], name: str) -> bool:
    """Whether a dunder that is inherited from these calls nothing of the object's own."""
    return name not in _USED_AS and all(_called_back(f"{base}.{name}") is None for base in bases)


def _called_back(name: str) -> Iterable[str] | None:
    """What an inherited foreign method calls, by name or by what names begin with."""
    names = CALLS_BACK.get(name)
    if names is None and name.startswith(("collections.abc.", "typing.", "collections.User")):
        return MIXINS.get(name.rpartition(".")[2])
    if names is None and name.startswith("numbers."):
        return NUMBER_MIXINS.get(name.rpartition(".")[2])
    return names


def call_back(solver: Solver, site: Site, name: str, owner: Value) -> None:
    """An inherited foreign method calls the object's own ones."""
    names = _called_back(name)
    if names is None or not isinstance(owner, Instance):
        return
    cls = owner.cls
    wanted: list[str] = []
    for one in names:
        if one.endswith("*"):
            wanted.extend(sorted({bound for base in cls.mro for bound in base.statics if bound.startswith(one[:-1])}))
        else:
            wanted.append(one)
    for one in wanted:
        lookup(solver, cls, one, _call_back_one, (site, owner))


def _call_back_one(solver: Solver, payload: Any, member: Value) -> None:
    site, owner = payload
    if isinstance(member, Descriptor) and member.kind == "property" and isinstance(member.get, Function):
        run_function(solver, member.get, owner, site.frame, "may-call", site.line)
    else:
        _run_method(solver, "", member, owner, site.frame, site.line)
