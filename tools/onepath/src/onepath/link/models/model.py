"""What a model is, and the plainest of them.

No function of any library is known here: what a name does is said in the module of its family.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onepath.link.code import Site
from onepath.link.solver import Solver
from onepath.link.values import Constant, Number, Value

Model = Callable[[Solver, Site], None]


def argument(site: Site, index: int, name: str = "") -> int:
    if index < len(site.positional):
        return site.positional[index]
    return next((var for one, var in site.named if one == name), -1) if name else -1


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
