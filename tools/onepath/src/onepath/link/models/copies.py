"""Objects made from others and from data: `copy`, `replace`, `msgspec.convert` and decoders."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.classes import fields_of, plain_instance
from onepath.link.code import Site
from onepath.link.dunders import call_if_there, call_special
from onepath.link.escaping import escape_arguments
from onepath.link.items import item_cell
from onepath.link.models.callers import call_inner
from onepath.link.models.model import Model, argument
from onepath.link.operators import UNION
from onepath.link.solver import Solver
from onepath.link.values import BOXES, Box, Class, Foreign, Getter, Instance, Result, Value

_COPIERS: Final = {
    "copy": ("__copy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__"),
    "deepcopy": ("__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__"),
    "replace": ("__replace__",),
}


_REDUCERS: Final = frozenset({"__reduce_ex__", "__reduce__"})


def _copying(how: str) -> Model:
    """A copy of an object: the same for what it holds, but made here."""

    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _copy_of, (site, how))

    return made


def _copy_of(solver: Solver, payload: Any, value: Value) -> None:
    site, how = payload
    if not isinstance(value, Instance):
        solver.add(site.dst, value)
        if isinstance(value, Box) and how == "deepcopy" and _is_looked_into(solver):
            key = ("deep copy", site.frame, value)
            if key not in solver.values:
                solver.values[key] = True
                solver.when(
                    solver.every(value), _copy_of, (Site(site.frame, solver.nowhere, -1, (), (), site.line), how)
                )
        return
    solver.note_made(value.cls, site.frame, "replace" if how == "replace" else "copy", site.line)
    if how == "deepcopy" and _is_looked_into(solver):
        copied = ("deep copy", site.frame, value)
        if copied not in solver.values:
            solver.values[copied] = True
            inner = Site(site.frame, solver.nowhere, -1, (), (), site.line)
            for name in list(solver.names_on.get(value, ())):
                solver.later(solver.when, solver.cell(value, name), _copy_of, (inner, how))
    copy = plain_instance(solver, value.cls, site) if not value.tag else value
    solver.add(site.dst, copy)
    if copy is not value:
        for name, _, _ in fields_of(value.cls):
            solver.flow(solver.cell(value, name), solver.cell(copy, name))
    for name, var in site.named:
        solver.flow(var, solver.cell(copy, name))
    for name in _COPIERS[how]:
        given = site.dst
        if name in _REDUCERS and name in solver.specials:
            given = solver.new()
            solver.when(given, _made_anew, site, BOXES)
        call_if_there(solver, site.frame, value, name, (solver.nowhere,), given, site.line)


def _is_looked_into(solver: Solver) -> bool:
    """Whether what a copied object holds is copied in a way that matters."""
    return bool(solver.origin_classes) or not solver.specials.isdisjoint(_COPIERS["deepcopy"])


def _made_anew(solver: Solver, site: Any, value: Value) -> None:
    """`__reduce__` gives a callable, its arguments, and a state for what it makes."""
    if not isinstance(value, Box) or not solver.is_first(("made anew", site, value)):
        return
    made = solver.new()
    func, arguments = item_cell(solver, value, 0), item_cell(solver, value, 1)
    solver.when(func, call_inner, Site(site.frame, made, -1, (), (), site.line, (arguments,)))
    solver.when(made, _told_its_state, (site, item_cell(solver, value, 2)))
    solver.flow(made, site.dst)


def _told_its_state(solver: Solver, payload: Any, value: Value) -> None:
    site, state = payload
    call_special(solver, site.frame, value, "__setstate__", (state,), -1, site.line)


def _converting(index: int, name: str) -> Model:
    """An object is made from data: `msgspec.convert(data, type=T)`."""

    def made(solver: Solver, site: Site) -> None:
        var = argument(site, index, name)
        _escape_hooks(solver, site)
        if var >= 0:
            solver.when(var, _converted, site)
        else:
            solver.add(site.dst, solver.result("msgspec.convert"))

    return made


def _escape_hooks(solver: Solver, site: Site) -> None:
    for name, var in site.named:
        if name.endswith("_hook"):
            escape_arguments(solver, Site(site.frame, site.dst, -1, (var,), (), site.line), "msgspec")


def _converted(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Class):
        solver.note_made(value, site.frame, "convert", site.line)
        instance = plain_instance(solver, value, site)
        solver.add(site.dst, instance)
        for name in ("__init__", "__post_init__"):
            if any(name in one.statics for one in value.mro):
                call_special(solver, site.frame, instance, name, (), -1, site.line)
    elif isinstance(value, Foreign | Result):
        solver.add(site.dst, solver.result("msgspec.convert"))
    elif isinstance(value, Box) and value.kind == UNION and solver.is_first(("converted", site, value)):
        solver.when(solver.every(value), _converted, site)


def _decoder(solver: Solver, site: Site) -> None:
    var = argument(site, 0, "type")
    if var < 0:
        solver.add(site.dst, solver.result("msgspec.json.Decoder"))
        return
    solver.add(site.dst, solver.once(Getter, ("decoder", site), "decoder", (), site))
    _escape_hooks(solver, site)


def decode_with(solver: Solver, site: Site, value: Getter) -> None:
    """`Decoder(T).decode(data)`: an object of that type."""
    var = argument(value.site, 0, "type")
    solver.when(var, _converted, site)


MODELS: Final[dict[str, Model]] = {
    "copy.copy": _copying("copy"),
    "copy.deepcopy": _copying("deepcopy"),
    "copy.replace": _copying("replace"),
    "dataclasses.replace": _copying("replace"),
    "msgspec.structs.replace": _copying("replace"),
    "attrs.evolve": _copying("replace"),
    "attr.evolve": _copying("replace"),
    "msgspec.convert": _converting(1, "type"),
    "msgspec.json.decode": _converting(9, "type"),
    "msgspec.msgpack.decode": _converting(9, "type"),
    "msgspec.yaml.decode": _converting(9, "type"),
    "msgspec.toml.decode": _converting(9, "type"),
    "msgspec.json.Decoder": _decoder,
    "msgspec.msgpack.Decoder": _decoder,
}
"""By full name: what it does."""
