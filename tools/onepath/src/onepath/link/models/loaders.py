"""Loaders of the program's own: specifications made with one, and the text it gives for a module.

How a text runs is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.facts import model as op
from onepath.link.classes import lookup
from onepath.link.code import Site
from onepath.link.dunders import call_member
from onepath.link.escaping import escape_arguments
from onepath.link.invoke import holding
from onepath.link.models.model import Model, argument
from onepath.link.models.reflection import space_of
from onepath.link.running_text import run_text
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS, Bytes, Instance, Text, Value


def _spec(name: str) -> Model:
    """`spec_from_loader(name, loader)`: the specification, and the module that is made of it."""

    def made(solver: Solver, site: Site) -> None:
        escape_arguments(solver, site, name)
        box = solver.box_at("namespace", site.frame, ("specification", site.dst - site.frame.base))
        solver.add(site.dst, box)
        named, loader = argument(site, 0, "name"), argument(site, 1, "loader")
        if named >= 0:
            solver.flow(named, solver.cell(box, "name"))
            solver.when(named, _known_as, (site.frame.code.unit, box))
        if loader >= 0:
            solver.flow(loader, solver.cell(box, "loader"))
            module = (site, holding(solver, box))
            solver.when(loader, _loaded_by, module, OBJECTS)

    return made


def _known_as(solver: Solver, payload: Any, name: Value) -> None:
    """Who imports the name gets the module, if the loader is among those that are asked. A finder that is asked for a
    name that is not known answers to names that are written in its module."""
    unit, box = payload
    if isinstance(name, Text):
        names = [name.value]
    elif solver.is_first(("found by", unit, box)):
        written = [one for code in unit.codes for one in code.scope.code if isinstance(one, op.Text)]
        names = sorted({one.value for one in written if one.value.replace(".", "_").isidentifier()})
    else:
        return
    for one in names:
        if solver.module(one) is None:
            solver.add(solver.cell(solver.loaded, one), box)


def _loaded_by(solver: Solver, payload: Any, loader: Value) -> None:
    """The module is made and run by its loader."""
    site, module = payload
    if isinstance(loader, Instance):
        for name in ("create_module", "exec_module"):
            lookup(solver, loader.cls, name, call_member, (site.frame, loader, (module,), site.dst, site.line))
        _texts_of(solver, site, loader, module)


def _run_source(solver: Solver, site: Site) -> None:
    """`loader.exec_module(module)` as the library has it: the text that the loader gives is run."""
    if len(site.positional) > 1:
        solver.when(site.positional[0], _run_source_of, (site, site.positional[1]), OBJECTS)


def _run_source_of(solver: Solver, payload: Any, loader: Value) -> None:
    site, module = payload
    _texts_of(solver, site, loader, module)


def _texts_of(solver: Solver, site: Site, loader: Value, module: int) -> None:
    if not isinstance(loader, Instance) or not solver.is_first(("source of", loader, module)):
        return
    text, space = solver.new(), solver.new()
    solver.when(module, space_of, space)
    unknown = holding(solver, solver.constant("str"))
    for name in ("get_source", "get_data", "get_code"):
        lookup(solver, loader.cls, name, call_member, (site.frame, loader, (unknown,), text, site.line))
    solver.when(text, _run_in, Site(site.frame, solver.nowhere, -1, (text, space), (), site.line))


def _run_in(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text | Bytes):
        run_text(solver, site, value, False, site.frame.code.unit)


_LOADERS: Final = (
    "importlib.abc.ExecutionLoader", "importlib.abc.FileLoader", "importlib.abc.InspectLoader",
    "importlib.abc.SourceLoader", "importlib.machinery.SourceFileLoader",
)  # fmt: skip
TAKES_OWNER: Final = frozenset(f"{one}.{method}" for one in _LOADERS for method in ("exec_module", "load_module"))
"""Models that are asked with the object whose inherited method is called."""
MODELS: Final[dict[str, Model]] = {
    "importlib.machinery.ModuleSpec": _spec("importlib.machinery.ModuleSpec"),
    "importlib.util.spec_from_loader": _spec("importlib.util.spec_from_loader"),
    **dict.fromkeys(sorted(TAKES_OWNER), _run_source),
}
"""By full name: what it does."""
