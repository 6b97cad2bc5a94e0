"""Functions that call what they are given, at once and with elements: `map`, `filter`, `reduce`, `operator.call`."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.invoke import holding, invoke, invoke_all
from onepath.link.iteration import iterate
from onepath.link.models.model import Model
from onepath.link.solver import Solver
from onepath.link.values import Bound, Function, Value


def _map(solver: Solver, site: Site) -> None:
    if not site.positional:
        return
    arguments: list[int] = []
    for var in site.positional[1:]:
        element = solver.new()
        iterate(solver, site.frame, var, element, False, site.line)
        arguments.append(element)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    if site.stars:
        each = solver.box_at("tuple", site.frame, ("mapped", site.dst - site.frame.base))
        for var in site.stars:
            several = solver.new()
            iterate(solver, site.frame, var, several, False, site.line)
            iterate(solver, site.frame, several, each.rest, False, site.line)
        inner = Site(site.frame, box.rest, -1, tuple(arguments), (), site.line, (holding(solver, each),))
        solver.when(site.positional[0], call_inner, inner)
    else:
        invoke_all(solver, site.frame, site.positional[0], tuple(arguments), box.rest, site.line)
    for var in site.positional[1:]:
        # The arguments the wrong way round: it would fail, but the function is what is meant.
        solver.when(var, _mapped_by, (site, box.rest))
    solver.add(site.dst, box)


def _mapped_by(solver: Solver, payload: Any, value: Value) -> None:
    site, dst = payload
    if isinstance(value, Function | Bound):
        invoke(solver, site.frame, value, (solver.new(),), dst, site.line)


def _starmap(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    element = solver.new()
    iterate(solver, site.frame, site.positional[1], element, False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    inner = Site(site.frame, box.rest, -1, (), (), site.line, (element,))
    solver.when(site.positional[0], call_inner, inner)
    solver.add(site.dst, box)


def call_inner(solver: Solver, site: Any, value: Value) -> None:
    solver.call(solver, site, value)


def _filter(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    iterate(solver, site.frame, site.positional[1], box.rest, False, site.line)
    invoke_all(solver, site.frame, site.positional[0], (box.rest,), -1, site.line)
    solver.add(site.dst, box)


def _reduce(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    element = solver.new()
    iterate(solver, site.frame, site.positional[1], element, False, site.line)
    total = solver.new()
    solver.flow(element, total)
    for var in site.positional[2:]:
        solver.flow(var, total)
    invoke_all(solver, site.frame, site.positional[0], (total, element), total, site.line)
    solver.flow(total, site.dst)


def _apply(solver: Solver, site: Site) -> None:
    """`operator.call(f, *args)`."""
    if site.positional:
        inner = Site(site.frame, site.dst, -1, site.positional[1:], site.named, site.line, site.stars)
        solver.when(site.positional[0], call_inner, inner)


MODELS: Final[dict[str, Model]] = {
    "builtins.map": _map,
    "builtins.filter": _filter,
    "functools.reduce": _reduce,
    "operator.call": _apply,
    "itertools.starmap": _starmap,
    "itertools.filterfalse": _filter,
    "itertools.takewhile": _filter,
    "itertools.dropwhile": _filter,
}
"""By full name: what it does."""
