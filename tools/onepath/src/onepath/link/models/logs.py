"""`logging`: handlers that are added or configured, to which every record goes from then on."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.escaping import escape_arguments
from onepath.link.iteration import iterate
from onepath.link.models.callers import call_inner
from onepath.link.models.importing import resolved
from onepath.link.models.model import Model
from onepath.link.solver import Solver
from onepath.link.values import Affix, Box, Constant, Text, Value


def _add_handler(solver: Solver, site: Site) -> None:
    """A handler is added to a logger: every record goes to it from then on."""
    for var in site.positional[:1]:
        solver.flow(var, solver.var_for("log handlers"))
    escape_arguments(solver, site, "logging.Logger.addHandler")


def _configure_logging(solver: Solver, site: Site) -> None:
    for name, var in site.named:
        if name == "handlers":
            iterate(solver, site.frame, var, solver.var_for("log handlers"), False, site.line)
    escape_arguments(solver, site, "logging.basicConfig")


def _configure_by_dict(solver: Solver, site: Site) -> None:
    """`logging.config.dictConfig`: classes and factories by name or as they are."""
    for var in site.positional[:1]:
        solver.when(var, _configured, (site, 0))
    escape_arguments(solver, site, "logging.config.dictConfig")


def _configured(solver: Solver, payload: Any, value: Value) -> None:
    site, depth = payload
    if not isinstance(value, Box) or depth > 4:
        return
    key = ("configured", site, value)
    if key in solver.values:
        return
    solver.values[key] = True
    solver.each_item(value, _configured_item, site)
    solver.when(solver.every(value), _configured, (site, depth + 1))


def _configured_item(solver: Solver, site: Any, key: object, var: int) -> None:
    if key in ("class", "()"):
        solver.when(var, _configured_by_name, site)


def _configured_by_name(solver: Solver, site: Any, value: Value) -> None:
    made = solver.var_for(("configured", site))
    if isinstance(value, Text):
        kind = solver.new()
        named = solver.text(value.value.removeprefix("ext://"))
        resolved(solver, Site(site.frame, kind, -1, (), (), site.line), named)
        solver.when(kind, call_inner, Site(site.frame, made, -1, (), (), site.line))
    elif isinstance(value, Constant | Affix):
        solver.note_opaque(site.frame, "logging.config.dictConfig", "the class's name is not known", site.line)
    else:
        solver.call(solver, Site(site.frame, made, -1, (), (), site.line), value)
    key = ("configured handlers", site)
    if key not in solver.values:
        solver.values[key] = True
        solver.flow(made, solver.var_for("log handlers"))
        escape_arguments(solver, Site(site.frame, solver.nowhere, -1, (made,), (), site.line), "logging.config")


MODELS: Final[dict[str, Model]] = {
    "logging.Logger.addHandler": _add_handler,
    "logging.basicConfig": _configure_logging,
    "logging.config.dictConfig": _configure_by_dict,
}
"""By full name: what it does."""
