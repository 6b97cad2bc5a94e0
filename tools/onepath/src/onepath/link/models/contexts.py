"""`contextlib`: contexts of an argument, and stacks that enter them."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.iteration import enter
from onepath.link.models.model import Model, same
from onepath.link.solver import Solver
from onepath.link.values import Value


def _closing(name: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        _context(solver, site)
        for var in site.positional[:1]:
            solver.when(var, _closed, (site, name))

    return made


def _closed(solver: Solver, payload: Any, value: Value) -> None:
    site, name = payload
    call_special(solver, site.frame, value, name, (), -1, site.line)


def _context(solver: Solver, site: Site) -> None:
    """`closing`, `nullcontext`: a context of its argument."""
    box = solver.box_at("context", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.flow(var, box.rest)
    solver.add(site.dst, box)


def _enter_context(is_async: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, enter, (site.frame, is_async, site.dst, site.line))

    return made


MODELS: Final[dict[str, Model]] = {
    "contextlib.contextmanager": same(),
    "contextlib.asynccontextmanager": same(),
    "contextlib.closing": _closing("close"),
    "contextlib.aclosing": _closing("aclose"),
    "contextlib.nullcontext": _context,
    "contextlib.ExitStack.enter_context": _enter_context(False),
    "contextlib.AsyncExitStack.enter_context": _enter_context(False),
    "contextlib.AsyncExitStack.enter_async_context": _enter_context(True),
}
"""By full name: what it does."""
