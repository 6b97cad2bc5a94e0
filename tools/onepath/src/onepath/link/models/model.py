"""What a model is, and the plainest of them.

No function of any library is known here: what a name does is said in the module of its family.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.code import Site
from onepath.link.invoke import holding
from onepath.link.iteration import iterate
from onepath.link.solver import Solver
from onepath.link.values import Box, Constant, Number, Value

Model = Callable[[Solver, Site], None]


def argument(site: Site, index: int, name: str = "") -> int:
    if index < len(site.positional):
        return site.positional[index]
    return next((var for one, var in site.named if one == name), -1) if name else -1


def with_spread(solver: Solver, site: Site, most: int) -> Site:
    """The call with up to `most` positional arguments, those that come out of `*` among them."""
    if not site.stars or len(site.positional) >= most:
        return site
    rest = tuple(
        solver.var_for(("out of *", site.frame, site.stars, place)) for place in range(len(site.positional), most)
    )
    for number, var in enumerate(site.stars):
        solver.when(var, _out_of_star, (site, rest, number == 0))
    return Site(site.frame, site.dst, -1, (*site.positional, *rest), site.named, site.line)


def _out_of_star(solver: Solver, payload: Any, value: Value) -> None:
    site, rest, is_first = payload
    if is_first and isinstance(value, Box):
        solver.each_item(value, _item_to_place, rest)
        several = value.rest
        solver.read(value)
    else:
        several = solver.var_for(("spread", site, value))
        iterate(solver, site.frame, holding(solver, value), several, False, site.line)
    for var in rest:
        solver.flow(several, var)


def _item_to_place(solver: Solver, rest: Any, key: object, var: int) -> None:
    if isinstance(key, int) and 0 <= key < len(rest):
        solver.flow(var, rest[key])


def same(index: int = 0) -> Model:
    """Gives back one of its arguments."""

    def made(solver: Solver, site: Site) -> None:
        var = argument(site, index)
        if var >= 0:
            solver.flow(var, site.dst)

    return made


def is_no_name(value: Value) -> bool:
    """Whether it is plain data, but no text: asking for such a name fails."""
    return isinstance(value, Number) or (isinstance(value, Constant) and value.type in _NO_TEXTS)


_NO_TEXTS: Final = frozenset({"NoneType", "bool", "int", "float", "bytes", "ellipsis"})


def nothing(solver: Solver, site: Site) -> None:
    """Calls nothing and gives nothing of interest."""


def gives(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.constant(kind))

    return made
