"""Data that is written down: known texts that are parsed into values, and the fields of records as data.

Reading what comes out by a key or a name is not known here.
"""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import fields_of
from onepath.link.code import Site
from onepath.link.escaping import escape_arguments
from onepath.link.invoke import holding
from onepath.link.items import item_cell, read_item
from onepath.link.models.model import Model
from onepath.link.models.records import METADATA
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS_AND_CLASSES, Bytes, Class, Instance, Text, Value

_LONGEST: Final = 4000
"""Longer texts are data, not tables of names."""
_DEEPEST: Final = 8


def _parsed(name: str, parse: Callable[[str], Any]) -> Model:
    """A function that makes plain values of a text; hooks it is given are called as foreign code would."""

    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _parse, (site, name, parse))
            solver.at_last(_parse_blind, solver, site, name, var)
        escape_arguments(solver, site, name)

    return made


def _parse(solver: Solver, payload: Any, value: Value) -> None:
    site, name, parse = payload
    if isinstance(value, Text | Bytes) and len(value.value) <= _LONGEST:
        try:
            made = parse(value.value)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return  # it raises
        _written(solver, site, made, (site.dst - site.frame.base, value), site.dst, 0)
    else:
        solver.add(site.dst, solver.result(name))


def _parse_blind(solver: Solver, site: Site, name: str, var: int) -> None:
    if not solver.has(var):
        solver.add(site.dst, solver.result(name))


def _written(solver: Solver, site: Site, made: Any, place: Any, dst: int, depth: int) -> None:
    if isinstance(made, str):
        solver.add(dst, solver.text(made))
    elif isinstance(made, bool) or made is None:
        solver.add(dst, solver.constant("bool" if isinstance(made, bool) else "NoneType"))
    elif isinstance(made, int):
        solver.add(dst, solver.number(made))
    elif isinstance(made, dict | list | tuple | set | frozenset) and depth < _DEEPEST:
        kind = "set" if isinstance(made, frozenset) else type(made).__name__
        box = solver.box_at(kind, site.frame, place)
        for key, one in made.items() if isinstance(made, dict) else enumerate(made):
            plain = key if isinstance(key, str | int) else None
            if kind == "dict":
                _written(solver, site, key, (place, "key"), box.keys, depth + 1)
            inner = box.rest if kind == "set" else item_cell(solver, box, plain)
            _written(solver, site, one, (place, plain), inner, depth + 1)
        solver.add(dst, box)
    else:
        solver.add(dst, solver.constant(type(made).__name__))


def _as_tuple(solver: Solver, site: Site) -> None:
    """`dataclasses.astuple(x)`: the fields in their order."""
    for var in site.positional[:1]:
        solver.when(var, _fields_as_tuple, site)


def _fields_as_tuple(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Instance):
        box = solver.box_at("tuple", site.frame, ("as tuple", site.dst - site.frame.base))
        for index, (name, _, _) in enumerate(fields_of(value.cls)):
            read_attribute(solver, site.frame, value, name, item_cell(solver, box, index), site.line)
        solver.add(site.dst, box)


def _fields(solver: Solver, site: Site) -> None:
    """`dataclasses.fields(x)`: what tells the names of the fields."""
    for var in site.positional[:1]:
        solver.when(var, _fields_told, site, OBJECTS_AND_CLASSES)


def _fields_told(solver: Solver, site: Any, value: Value) -> None:
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, Class):
        return
    listed = solver.box("tuple", ("fields", cls))
    hints = solver.new()
    read_attribute(solver, site.frame, cls, "__annotations__", hints, site.line)
    for index, (name, owner, _) in enumerate(fields_of(cls)):
        one = solver.box("namespace", ("field", cls, name))
        solver.add(solver.cell(one, "name"), solver.text(name))
        key = holding(solver, solver.text(name))
        solver.when(hints, read_item, (site.frame, key, solver.cell(one, "type"), site.line))
        solver.flow(solver.var_for((METADATA, owner.unit)), solver.cell(one, "metadata"))
        solver.flow(solver.cell(owner, name), solver.cell(one, "default"))
        solver.add(item_cell(solver, listed, index), one)
    solver.add(site.dst, listed)


MODELS: Final[dict[str, Model]] = {
    "json.loads": _parsed("json.loads", json.loads),
    "orjson.loads": _parsed("orjson.loads", json.loads),
    "tomllib.loads": _parsed("tomllib.loads", tomllib.loads),
    "ast.literal_eval": _parsed("ast.literal_eval", ast.literal_eval),
    "dataclasses.astuple": _as_tuple,
    "attrs.astuple": _as_tuple,
    "msgspec.structs.astuple": _as_tuple,
    "dataclasses.fields": _fields,
    "attrs.fields": _fields,
    "msgspec.structs.fields": _fields,
}
"""By full name: what it does."""
