"""Text that runs: `eval`, `exec`, `compile`, `timeit`."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.models.model import Model
from onepath.link.running_text import run_text
from onepath.link.solver import Solver
from onepath.link.values import Affix, Constant, Result, Text, Unknown, Value


def _eval(expression: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            solver.when(site.positional[0], _run_text, (site, expression))
            solver.later(_run_blind, solver, site, expression)

    return made


def _run_blind(solver: Solver, site: Site, expression: bool) -> None:
    if not solver.has(site.positional[0]):
        _run_text(solver, (site, expression), solver.unknown)


def _run_text(solver: Solver, payload: Any, value: Value) -> None:
    site, expression = payload
    run_text(solver, site, value, expression, site.frame.code.unit)


def _compile(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.flow(site.positional[0], site.dst)


def _timed(solver: Solver, site: Site) -> None:
    """`timeit.timeit(what)`: a callable, or text that is run."""
    spaces = tuple(var for name, var in site.named if name == "globals")
    named = tuple(var for name, var in site.named if name in ("stmt", "setup"))
    for var in (*site.positional[:2], *named):
        inner = Site(site.frame, solver.nowhere, -1, (var, *spaces), (), site.line)
        solver.when(var, _time_one, inner)
        solver.later(_time_blind, solver, var, inner)


def _time_blind(solver: Solver, var: int, site: Site) -> None:
    if not solver.has(var):
        _time_one(solver, site, solver.unknown)


def _time_one(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text | Affix | Unknown | Result) or (isinstance(value, Constant) and value.type == "str"):
        _run_text(solver, (site, False), value)
    else:
        solver.call(solver, Site(site.frame, solver.nowhere, -1, (), (), site.line), value)


MODELS: Final[dict[str, Model]] = {
    "builtins.eval": _eval(True),
    "builtins.exec": _eval(False),
    "builtins.compile": _compile,
    "timeit.timeit": _timed,
    "timeit.repeat": _timed,
}
"""By full name: what it does."""
