"""What gives elements of others: `iter`, `zip`, `sorted`, `min`, `itertools`; it calls none of them."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke_all
from onepath.link.items import item_cell
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, argument, gives, same
from onepath.link.raising import stopped
from onepath.link.solver import Solver
from onepath.link.values import Box, Running, Value
from onepath.link.within import ORDER, reach_all


def _elements(kind: str) -> Model:
    """A container or iterator of the elements of its arguments."""

    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at(kind, site.frame, ("made", site.dst - site.frame.base))
        for var in (*site.positional, *site.stars):
            iterate(solver, site.frame, var, box.rest, False, site.line)
        for name, var in site.named:
            if name == "key":
                invoke_all(solver, site.frame, var, (box.rest,), -1, site.line)
        solver.add(site.dst, box)

    return made


def _sorted(solver: Solver, site: Site) -> None:
    box = solver.box_at("list", site.frame, ("made", site.dst - site.frame.base))
    for var in (*site.positional, *site.stars):
        iterate(solver, site.frame, var, box.rest, False, site.line)
    _put_in_order(solver, site, box.rest)
    solver.add(site.dst, box)


def _of_heap(solver: Solver, site: Site) -> None:
    """`heapq.nlargest(n, x)`: some elements of x, in order."""
    _sorted(solver, Site(site.frame, site.dst, -1, site.positional[1:], site.named, site.line, site.stars))


def _put_in_order(solver: Solver, site: Site, element: int) -> None:
    """Elements are compared with one another, or their keys are."""
    compared = element
    for name, var in site.named:
        if name == "key":
            compared = solver.new()
            invoke_all(solver, site.frame, var, (element,), compared, site.line)
    reach_all(solver, site.frame, compared, ORDER, compared, site.line)


def _picked(solver: Solver, site: Site) -> None:
    """`min`, `max`: an element, or one of several arguments."""
    element = solver.new()
    if len(site.positional) == 1:
        iterate(solver, site.frame, site.positional[0], element, False, site.line)
    else:
        for var in site.positional:
            solver.flow(var, element)
    solver.flow(element, site.dst)
    _put_in_order(solver, site, element)
    for name, var in site.named:
        if name == "default":
            solver.flow(var, site.dst)


def _iter(solver: Solver, site: Site) -> None:
    if len(site.positional) == 2:
        box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
        invoke_all(solver, site.frame, site.positional[0], (), box.rest, site.line)
        solver.add(site.dst, box)
        return
    for var in site.positional:
        solver.when(var, _iter_of, site)


def _iter_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Box):
        box = solver.box_at("generator", site.frame, ("iterated", site.dst - site.frame.base))
        iterate(solver, site.frame, holding(solver, value), box.rest, False, site.line)
        solver.add(site.dst, box)
    elif not call_special(solver, site.frame, value, "__iter__", (), site.dst, site.line):
        solver.add(site.dst, value)


def _next(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _next_of, site)
    for var in site.positional[1:]:
        solver.flow(var, site.dst)


def _next_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Running):
        stopped(solver, value.frame)
    if not call_special(solver, site.frame, value, "__next__", (), site.dst, site.line):
        iterate(solver, site.frame, holding(solver, value), site.dst, False, site.line)


def _anext(solver: Solver, site: Site) -> None:
    box = solver.box_at("awaitable", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, box.rest, True, site.line)
    solver.add(site.dst, box)


def _zip(solver: Solver, site: Site) -> None:
    pair = solver.box_at("tuple", site.frame, ("zipped", site.dst - site.frame.base))
    for index, var in enumerate(site.positional):
        iterate(solver, site.frame, var, item_cell(solver, pair, index), False, site.line)
    for var in site.stars:
        several = solver.new()
        iterate(solver, site.frame, var, several, False, site.line)
        iterate(solver, site.frame, several, pair.rest, False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


def _tuples(solver: Solver, site: Site) -> None:
    """`itertools.permutations(x)` and its like: tuples, each of any elements of x."""
    several = solver.box_at("tuple", site.frame, ("several", site.dst - site.frame.base))
    for var in (*site.positional[:1], *site.stars):
        iterate(solver, site.frame, var, several.rest, False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, several)
    solver.add(site.dst, box)


def _product(solver: Solver, site: Site) -> None:
    """`itertools.product(x, y)`: as `zip` has it; repeated, an element of any may be anywhere."""
    _zip(solver, site)
    if any(name == "repeat" for name, _ in site.named):
        pair = solver.box_at("tuple", site.frame, ("zipped", site.dst - site.frame.base))
        for var in site.positional:
            iterate(solver, site.frame, var, pair.rest, False, site.line)


def _tee(solver: Solver, site: Site) -> None:
    """`itertools.tee(x)`: several iterators of the elements of x."""
    each = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, each.rest, False, site.line)
    box = solver.box_at("tuple", site.frame, ("several", site.dst - site.frame.base))
    solver.add(box.rest, each)
    solver.add(site.dst, box)


def _zip_longest(solver: Solver, site: Site) -> None:
    _zip(solver, site)
    pair = solver.box_at("tuple", site.frame, ("zipped", site.dst - site.frame.base))
    for name, var in site.named:
        if name == "fillvalue":
            for index in range(len(site.positional)):
                solver.flow(var, item_cell(solver, pair, index))


def _repeat(solver: Solver, site: Site) -> None:
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    var = argument(site, 0, "object")
    if var >= 0:
        solver.flow(var, box.rest)
    solver.add(site.dst, box)


def _grouped(solver: Solver, site: Site) -> None:
    """`itertools.groupby`: pairs of key and group."""
    element = solver.new()
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, element, False, site.line)
    pair = solver.box_at("tuple", site.frame, ("grouped", site.dst - site.frame.base))
    group = solver.box_at("generator", site.frame, ("group", site.dst - site.frame.base))
    solver.flow(element, group.rest)
    solver.add(item_cell(solver, pair, 1), group)
    key = argument(site, 1, "key")
    if key >= 0:
        invoke_all(solver, site.frame, key, (element,), item_cell(solver, pair, 0), site.line)
    else:
        solver.flow(element, item_cell(solver, pair, 0))
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


def _enumerate(solver: Solver, site: Site) -> None:
    pair = solver.box_at("tuple", site.frame, ("numbered", site.dst - site.frame.base))
    solver.add(item_cell(solver, pair, 0), solver.constant("int"))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, item_cell(solver, pair, 1), False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


MODELS: Final[dict[str, Model]] = {
    "builtins.iter": _iter,
    "builtins.next": _next,
    "builtins.aiter": same(),
    "builtins.anext": _anext,
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.reversed": _elements("generator"),
    "builtins.sorted": _sorted,
    "builtins.min": _picked,
    "builtins.max": _picked,
    "builtins.range": gives("range"),
    **{
        f"itertools.{name}": _tuples
        for name in ("batched", "combinations", "combinations_with_replacement", "pairwise", "permutations")
    },
    "itertools.compress": _elements("generator"),
    "itertools.product": _product,
    "itertools.tee": _tee,
    "heapq.merge": _sorted,
    "heapq.nlargest": _of_heap,
    "heapq.nsmallest": _of_heap,
    "itertools.chain": _elements("generator"),
    "itertools.chain.from_iterable": _elements("generator"),
    "itertools.cycle": _elements("generator"),
    "itertools.islice": _elements("generator"),
    "itertools.groupby": _grouped,
    "itertools.zip_longest": _zip_longest,
    "itertools.repeat": _repeat,
    "asyncio.as_completed": _elements("list"),
}
"""By full name: what it does."""
