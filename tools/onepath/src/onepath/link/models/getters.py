"""Callables that libraries make, `operator.attrgetter` and decorators with arguments, and what calling one does."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.code import Site
from onepath.link.invoke import holding
from onepath.link.items import item_cell, read_item
from onepath.link.iteration import enter
from onepath.link.models.callers import call_inner
from onepath.link.models.model import Model
from onepath.link.models.records import make_record
from onepath.link.slices import slice_of
from onepath.link.solver import Solver
from onepath.link.values import CLASSES, Function, Getter, Instance, Result, Text, Value


def _getter(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        names: list[str] = []
        for var in site.positional[: 1 if kind == "methodcaller" else None]:
            names.extend(value.value for value in solver.has(var) if isinstance(value, Text))
        solver.add(site.dst, solver.once(Getter, (kind, site), kind, tuple(names), site))

    return made


def call_getter(solver: Solver, site: Site, value: Getter) -> None:
    """An `attrgetter`, `itemgetter`, `methodcaller` or decorator is called."""
    if value.kind in ("identity", "wraps", "newtype", "record"):
        for var in site.positional[:1]:
            solver.flow(var, site.dst)
            if value.kind == "record":
                solver.when(var, make_record, site, CLASSES)
            if value.kind == "wraps" and value.site.positional:
                solver.when(var, wrapped, value.site.positional[0])
        return
    if value.kind == "context decorator":
        _call_in_context(solver, site, value)
        return
    if not site.positional or value.kind in ("typevar", "entry point", "decoder"):
        return
    subject = site.positional[0]
    names = value.site.positional
    if value.kind == "itemgetter":
        several = len(names) > 1
        box = solver.box_at("tuple", site.frame, ("got", site.dst - site.frame.base)) if several else None
        for index, key in enumerate(names):
            dst = site.dst if box is None else item_cell(solver, box, index)
            solver.when(subject, read_item, (site.frame, key, dst, site.line))
            solver.when(key, _sliced, (site, subject, dst))
        if box is not None:
            solver.add(site.dst, box)
        return
    if value.kind == "methodcaller":
        if names:
            solver.when(names[0], _call_named, (site, subject, names[1:], value.site.named))
        return
    several = len(names) > 1
    box = solver.box_at("tuple", site.frame, ("got", site.dst - site.frame.base)) if several else None
    for index, name in enumerate(names):
        dst = site.dst if box is None else item_cell(solver, box, index)
        solver.when(name, _get_path, (site, subject, dst))
    if box is not None:
        solver.add(site.dst, box)


def _sliced(solver: Solver, payload: Any, key: Value) -> None:
    """`itemgetter(slice(…))`: a part of it, of which it is not told what is in it and where."""
    site, subject, dst = payload
    if isinstance(key, Result) and key.name == "builtins.slice":
        bound = holding(solver, solver.constant("int"))
        solver.when(subject, slice_of, (site.frame, (bound, -1, -1), dst, site.line))


def _call_in_context(solver: Solver, site: Site, value: Getter) -> None:
    """A function decorated with a context manager: enter, call, exit. Once each, for it may be decorated by itself."""
    key = ("in context", site.frame, site.dst, site.positional, site.named, value)
    if key in solver.values:
        return
    solver.values[key] = True
    solver.when(solver.var_for(("context of", value.site)), _both_ways, (site, value.site))
    for var in value.site.positional[:1]:
        solver.when(var, call_inner, Site(site.frame, site.dst, -1, site.positional, site.named, site.line, site.stars))


def _both_ways(solver: Solver, payload: Any, value: Value) -> None:
    site, made = payload
    for is_async in (False, True):
        enter(solver, (site.frame, is_async, solver.nowhere, made.line), value)


def _get_path(solver: Solver, payload: Any, name: Value) -> None:
    site, subject, dst = payload
    if not isinstance(name, Text):
        solver.note_gave(site.frame, "operator.attrgetter", "the attribute's name is not known", site.line)
        solver.add(dst, solver.uncomputed("operator.attrgetter", "the attribute's name is not known"))
        return
    current = subject
    parts = name.value.split(".")
    for part in parts[:-1]:
        inner = solver.new()
        solver.when(current, path_step, (site, part, inner))
        current = inner
    solver.when(current, path_step, (site, parts[-1], dst))


def path_step(solver: Solver, payload: Any, value: Value) -> None:
    site, name, dst = payload
    read_attribute(solver, site.frame, value, name, dst, site.line)


def _call_named(solver: Solver, payload: Any, name: Value) -> None:
    site, subject, positional, named = payload
    if not isinstance(name, Text):
        solver.note_opaque(site.frame, "operator.methodcaller", "the method's name is not known", site.line)
        return
    method = solver.new()
    solver.when(subject, path_step, (site, name.value, method))
    inner = Site(site.frame, site.dst, method, positional, named, site.line)
    solver.when(method, call_inner, inner)


def wrapped(solver: Solver, src: Any, value: Value) -> None:
    if isinstance(value, Function | Instance):
        solver.flow(src, solver.cell(value, "__wrapped__"))
    if isinstance(value, Instance):
        solver.at_last(_copy_attributes, solver, src, value)


def _copy_attributes(solver: Solver, src: int, wrapper: Value) -> None:
    """An object that wraps a function gets what was set on the function."""
    for function in solver.has(src):
        for owner, name in [key for key in solver.cells if key[0] is function]:
            if name.isidentifier() and name != "__wrapped__":
                solver.flow(solver.cell(owner, name), solver.cell(wrapper, name))


MODELS: Final[dict[str, Model]] = {
    "operator.attrgetter": _getter("attrgetter"),
    "operator.itemgetter": _getter("itemgetter"),
    "operator.methodcaller": _getter("methodcaller"),
}
"""By full name: what it does."""
