"""Calls: from a value that is called to what that means for its kind.

Functions are bound (`binding`), objects made (`construction`), foreign code is called (`external`). Here is the
table that says which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.binding import answer, bind
from onepath.link.classes import binds, foreign_bases, lookup, members
from onepath.link.code import Site
from onepath.link.construction import construct
from onepath.link.external import external
from onepath.link.invoke import holding
from onepath.link.methods import call_method_of_builtin
from onepath.link.models.getters import call_getter
from onepath.link.solver import Solver
from onepath.link.values import (
    CLASSES,
    Bound,
    Class,
    Descriptor,
    Foreign,
    Function,
    Getter,
    Instance,
    Method,
    Module,
    Partial,
    Result,
    Running,
    Uncomputed,
    Value,
    Widened,
)

_FEW_TARGETS: Final = 4


def call(solver: Solver, site: Site, value: Value) -> None:
    """`value` is called at `site`."""
    done = site.done
    if value in done:
        return
    if isinstance(done, set):
        done.add(value)
    else:
        site.done = (*done, value) if len(done) < _FEW_TARGETS else {*done, value}
    _CALLS.get(value.__class__, _not_callable)(solver, site, value)


def _not_callable(solver: Solver, site: Site, value: Value) -> None:
    """A text, a number: such a call would fail."""


def _call_function(solver: Solver, site: Site, value: Function) -> None:
    bind(solver, site, value, None)


def _call_class(solver: Solver, site: Site, value: Class) -> None:
    answer(solver, site)
    if value.metaclass >= 0:
        solver.when(value.metaclass, _called_by_metaclass, (site, value), CLASSES)
        if _metaclass_calls(solver, value):
            return
    solver.later(_construct, solver, site, value)


def _metaclass_calls(solver: Solver, cls: Class) -> bool:
    return any(isinstance(meta, Class) and binds(meta, "__call__") for meta in solver.has(cls.metaclass))


def _construct(solver: Solver, site: Site, cls: Class) -> None:
    if cls.metaclass < 0 or not _metaclass_calls(solver, cls):
        construct(solver, site, cls)


def _called_by_metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    site, cls = payload
    if isinstance(meta, Class):
        lookup(solver, meta, "__call__", _call_of_class, (site, cls))


def _call_of_class(solver: Solver, payload: Any, member: Value) -> None:
    site, cls = payload
    if isinstance(member, Function):
        bind(solver, site, member, cls)


def _call_instance(solver: Solver, site: Site, value: Instance) -> None:
    lookup(solver, value.cls, "__call__", _call_call, (site, value))
    if not binds(value.cls, "__call__"):
        for base in foreign_bases(value.cls):
            if base in _CONTEXT_DECORATORS:
                # What it decorates is called between its enter and its exit.
                answer(solver, site)
                solver.add(
                    site.dst, solver.once(Getter, ("context decorator", value, site), "context decorator", (), site)
                )
                solver.add(solver.var_for(("context of", site)), value)
                continue
            external(solver, site, f"{base}.__call__", value)


_CONTEXT_DECORATORS: Final = frozenset({"contextlib.ContextDecorator", "contextlib.AsyncContextDecorator"})


def _call_call(solver: Solver, payload: Any, member: Value) -> None:
    site, owner = payload
    if isinstance(member, Function):
        bind(solver, site, member, owner)
    elif isinstance(member, Descriptor) and member.get is not None:
        call(solver, site, member.get if member.kind == "static" else solver.bound(member.get, owner.cls))
    else:
        call(solver, site, member)


def _call_bound(solver: Solver, site: Site, value: Bound) -> None:
    func = value.func
    if isinstance(func, Function):
        bind(solver, site, func, value.owner)
    elif isinstance(func, Foreign):
        answer(solver, site)
        external(solver, site, func.name, value.owner)
    elif isinstance(func, Partial):
        answer(solver, site)
        call(solver, _with_arguments(solver, site, func), solver.bound(func.func, value.owner))
    elif isinstance(func, Descriptor) and func.kind == "dispatch":
        for one in dispatched(solver, func):
            call(solver, site, solver.bound(one, value.owner))
    elif isinstance(func, Bound | Class | Method | Getter):
        extended = Site(
            site.frame, site.dst, -1, (holding(solver, value.owner), *site.positional), site.named, site.line,
            site.stars, site.double_stars,
        )  # fmt: skip
        answer(solver, site)
        call(solver, extended, func)
    elif isinstance(func, Instance):
        call(solver, site, func)


def dispatched(solver: Solver, value: Descriptor) -> list[Value]:
    """All functions registered with a `singledispatch`."""
    return list(solver.has(solver.cell(value, "registered")))


def _call_partial(solver: Solver, site: Site, value: Partial) -> None:
    answer(solver, site)
    call(solver, _with_arguments(solver, site, value), value.func)


def _with_arguments(solver: Solver, site: Site, value: Partial) -> Site:
    """The call with the arguments that are there already."""
    positional, stars = (*value.positional, *site.positional), site.stars
    if value.stars:
        positional, stars = value.positional, (*value.stars, *site.stars)
        if site.positional:
            box = solver.box("tuple", ("behind", value, site))
            for var in site.positional:
                solver.flow(var, box.rest)
            stars = (*value.stars, holding(solver, box), *site.stars)
    names = {name for name, _ in site.named}
    return Site(
        site.frame,
        site.dst,
        -1,
        positional,
        (*(one for one in value.named if one[0] not in names), *site.named),
        site.line,
        stars,
        (*value.double_stars, *site.double_stars),
    )


def _call_descriptor(solver: Solver, site: Site, value: Descriptor) -> None:
    answer(solver, site)
    if value.kind == "dispatch":
        solver.when(solver.cell(value, "registered"), _call_registered, site)
    elif value.get is not None:
        call(solver, site, value.get)


def _call_registered(solver: Solver, site: Any, value: Value) -> None:
    call(solver, site, value)


def _call_uncomputed(solver: Solver, site: Site, value: Uncomputed) -> None:
    answer(solver, site)
    solver.note_opaque(site.frame, f"what {value.what} gave", value.why, site.line)
    solver.add(site.dst, value)


def _call_foreign(solver: Solver, site: Site, value: Foreign | Result) -> None:
    answer(solver, site)
    # What a watched operation gave is not that operation.
    given = value.__class__ is Result and solver.is_watched(value.name)
    external(solver, site, f"{value.name}.__call__" if given else value.name, None)


def _call_method(solver: Solver, site: Site, value: Method) -> None:
    answer(solver, site)
    call_method_of_builtin(solver, site, value)


def _call_getter(solver: Solver, site: Site, value: Getter) -> None:
    answer(solver, site)
    call_getter(solver, site, value)


def _call_widened(solver: Solver, site: Site, value: Widened) -> None:
    """One of too many is called, and not by a method's name: which, nobody can say."""
    if site.func >= 0 and site.func not in solver.attribute_of:
        solver.note_opaque(site.frame, "a value", "it is one of too many to be told apart", site.line)


def _call_running(solver: Solver, site: Site, value: Running) -> None:
    """A context made by `contextmanager` decorates."""
    if value.kind == "generator":
        answer(solver, site)
        for var in site.positional[:1]:
            solver.flow(var, site.dst)


def _call_module(solver: Solver, site: Site, value: Module) -> None:
    """A module whose class was changed to one that can be called."""
    for member in list(solver.has(solver.cell(value, "__class__"))):
        if isinstance(member, Class):
            for one in members(solver, member, "__call__"):
                if isinstance(one, Function):
                    bind(solver, site, one, value)


_CALLS: Final[dict[type, Callable[[Solver, Site, Any], None]]] = {
    Function: _call_function,
    Class: _call_class,
    Instance: _call_instance,
    Bound: _call_bound,
    Partial: _call_partial,
    Descriptor: _call_descriptor,
    Uncomputed: _call_uncomputed,
    Foreign: _call_foreign,
    Result: _call_foreign,
    Method: _call_method,
    Getter: _call_getter,
    Module: _call_module,
    Running: _call_running,
    Widened: _call_widened,
}
