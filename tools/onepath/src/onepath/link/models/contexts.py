"""`contextlib`: contexts of an argument, and stacks that enter them."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.invoke import invoke
from onepath.link.iteration import enter
from onepath.link.models.model import Model, same
from onepath.link.raising import exit_arguments
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


def _push(solver: Solver, site: Site) -> None:
    """A context that is entered already, or a function in place of its `__exit__`."""
    for var in site.positional[:1]:
        solver.when(var, _left, site)
        solver.flow(var, site.dst)


def _left(solver: Solver, site: Any, value: Value) -> None:
    arguments = exit_arguments(solver)
    for name in ("__exit__", "__aexit__"):
        if call_special(solver, site.frame, value, name, arguments, -1, site.line):
            return
    invoke(solver, site.frame, value, arguments, -1, site.line)


MODELS: Final[dict[str, Model]] = {
    "contextlib.contextmanager": same(),
    "contextlib.asynccontextmanager": same(),
    "contextlib.closing": _closing("close"),
    "contextlib.aclosing": _closing("aclose"),
    "contextlib.nullcontext": _context,
    "contextlib.ExitStack.push": _push,
    "contextlib.AsyncExitStack.push": _push,
    "contextlib.AsyncExitStack.push_async_exit": _push,
    "contextlib.ExitStack.enter_context": _enter_context(False),
    "contextlib.AsyncExitStack.enter_context": _enter_context(False),
    "contextlib.AsyncExitStack.enter_async_context": _enter_context(True),
}
"""By full name: what it does."""
