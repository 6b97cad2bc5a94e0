"""Functions around functions: `functools` and decorators that give back what they decorate.

What calling a decorator does that was made with arguments is said in `getters`.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.invoke import holding
from onepath.link.iteration import iterate
from onepath.link.models.getters import path_step, wrapped
from onepath.link.models.model import Model, same
from onepath.link.models.records import make_record
from onepath.link.solver import Solver
from onepath.link.values import CLASSES, Bound, Class, Descriptor, Function, Getter, Instance, Partial, Value


def _partial(method: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            solver.when(site.positional[0], _partial_of, (site, site.stars, method))
        elif site.stars:
            # The function comes out of `*`, and with it all others move up: any may be any.
            func = solver.new()
            for var in site.stars:
                iterate(solver, site.frame, var, func, False, site.line)
            nothing = holding(solver, solver.box("tuple", ("no arguments",)))
            solver.when(func, _partial_of, (site, (nothing, *site.stars), method))

    return made


def _partial_of(solver: Solver, payload: Any, value: Value) -> None:
    site, stars, method = payload
    key = (value, site.positional[1:], site.named, stars, site.double_stars, method)
    solver.add(site.dst, solver.once(Partial, key, *key))


def _wraps(solver: Solver, site: Site) -> None:
    """`functools.wraps(f)`: a decorator that changes nothing but names."""
    solver.add(site.dst, solver.once(Getter, ("wraps", site), "wraps", (), site))


def _update_wrapper(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.flow(site.positional[0], site.dst)
        if len(site.positional) > 1:
            solver.when(site.positional[0], wrapped, site.positional[1])


def _cached(solver: Solver, site: Site) -> None:
    """`lru_cache` and its like: with or without arguments."""
    if not site.positional:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))
        return
    solver.when(site.positional[0], _cached_of, site)


def _cached_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Function | Class | Partial | Bound | Descriptor):
        solver.add(site.dst, value)
        if isinstance(value, Function):
            solver.add(solver.cell(value, "__wrapped__"), value)
            value.code.caches = True
    else:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _identity_decorator(solver: Solver, site: Site) -> None:
    """A decorator that gives back what it decorates; with other arguments, it makes such a decorator."""
    decorated = False
    for var in site.positional[:1]:
        solver.when(var, _decorated, site)
        decorated = True
    if not decorated:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _decorated(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Function | Class | Descriptor | Partial | Bound | Instance):
        solver.add(site.dst, value)


def _record_decorator(solver: Solver, site: Site) -> None:
    """The same for one that writes methods from the fields of a class."""
    if site.positional:
        _identity_decorator(solver, site)
        solver.when(site.positional[0], make_record, site, CLASSES)
    else:
        solver.add(site.dst, solver.once(Getter, ("record", site), "record", (), site))


def _single_dispatch(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.when(site.positional[0], _dispatch_of, site)


def _dispatch_of(solver: Solver, site: Any, value: Value) -> None:
    key = ("dispatch", value, None, None)
    made = solver.once(Descriptor, key, *key)
    solver.add(solver.cell(made, "registered"), value)
    solver.add(site.dst, made)


def _unwrap(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.flow(var, site.dst)
        solver.when(var, path_step, (site, "__wrapped__", site.dst))


MODELS: Final[dict[str, Model]] = {
    "functools.partial": _partial(False),
    "functools.partialmethod": _partial(True),
    "functools.wraps": _wraps,
    "functools.update_wrapper": _update_wrapper,
    "functools.lru_cache": _cached,
    "functools.cache": _cached,
    "functools.total_ordering": _identity_decorator,
    "functools.singledispatch": _single_dispatch,
    "functools.singledispatchmethod": _single_dispatch,
    "inspect.unwrap": _unwrap,
    "dataclasses.dataclass": _record_decorator,
    "attrs.define": _record_decorator,
    "attrs.frozen": _record_decorator,
    "attr.s": _record_decorator,
    "attr.define": _record_decorator,
    "enum.unique": _identity_decorator,
    "abc.abstractmethod": same(),
    "typing.dataclass_transform": _identity_decorator,
}
"""By full name: what it does."""
