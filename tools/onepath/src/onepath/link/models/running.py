"""Text that runs: `eval`, `exec`, `compile`, `timeit`."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.calls import call
from onepath.link.code import Site, Unit
from onepath.link.models.model import Model
from onepath.link.solver import Solver
from onepath.link.values import Affix, Box, Bytes, Constant, Result, Space, Text, Unknown, Value


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


def run_text(solver: Solver, site: Site, value: Value, expression: bool, around: Unit) -> None:
    """Text is run at `site`, with the names of the module `around`."""
    what = "eval" if expression else "exec"
    if isinstance(value, Bytes):
        value = solver.text(value.value.encode("latin-1").decode("utf-8", "replace"))
    if not isinstance(value, Text):
        solver.note_opaque(site.frame, what, "the text that is run is not known", site.line)
        solver.add(site.dst, solver.uncomputed(what, "the text that is run is not known"))
        return
    key = ("text", site, value)
    if key in solver.values:
        return
    solver.values[key] = True
    from onepath.facts.extract import extract_text

    outer = around.outer or around
    source = f"__value__ = (\n{value.value.strip()}\n)" if expression else value.value
    solver.texts_run += 1
    facts = extract_text(source, f"{outer.name}", around.facts.file)
    if facts.fault:
        return
    unit = Unit(facts, f"{site.frame.code.name}.<{what}>")
    unit.outer = outer
    unit.environment = {**around.environment, **dict(site.environment)}
    unit.line = site.line
    for var in site.positional[1:3]:
        for space in list(solver.has(var)):
            if isinstance(space, Box | Space):
                unit.space.append(space)
    frame = solver.frame(unit.codes[0], None)
    unit.frame = frame
    solver.edge(site.frame, frame, "call", site.line)
    if expression:
        solver.flow(solver.cell(solver.module_of(unit), "__value__"), site.dst)


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
        call(solver, Site(site.frame, solver.nowhere, -1, (), (), site.line), value)


MODELS: Final[dict[str, Model]] = {
    "builtins.eval": _eval(True),
    "builtins.exec": _eval(False),
    "builtins.compile": _compile,
    "timeit.timeit": _timed,
    "timeit.repeat": _timed,
}
"""By full name: what it does."""
