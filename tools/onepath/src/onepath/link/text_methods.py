"""Methods of texts: what they make of texts that are known, and what their arguments are asked for."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # CPython's own, without stubs
import string
from itertools import product
from math import prod
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.flows import TEXTS
from onepath.link.invoke import holding
from onepath.link.items import item_cell, read_item
from onepath.link.iteration import iterate
from onepath.link.solver import Solver
from onepath.link.texts import LONGEST, show
from onepath.link.values import (
    OBJECTS,
    OBJECTS_AND_BOXES,
    Affix,
    Box,
    Bytes,
    Constant,
    Number,
    Text,
    Value,
)

_TO_TEXT: Final = frozenset(
    {
        "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "casefold", "replace",
        "removeprefix", "removesuffix", "format", "join", "zfill", "center", "ljust", "rjust", "translate", "__str__",
        "__add__", "__mod__", "__mul__", "expandtabs",
    }
)  # fmt: skip
_TO_LIST: Final = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})


def text_method(solver: Solver, site: Site, owner: Value, name: str) -> None:
    """A method of a text, number or other constant."""
    kind = {Text: "str", Affix: "str", Bytes: "bytes", Number: "int"}.get(owner.__class__)
    if kind is None and isinstance(owner, Constant):
        kind = owner.type
    solver.edge(site.frame, f"builtins.{kind}.{name}", "call", site.line)
    if isinstance(owner, Text) and name in ("format", "format_map"):
        _read_fields(solver, site, owner.value, name == "format_map")
    if name == "join":
        for var in site.positional[:1]:
            solver.when(var, _joined, site, OBJECTS_AND_BOXES)
    elif name == "format":
        for var in (*site.positional, *(var for _, var in site.named)):
            solver.when(var, show, (site.frame, site.line), OBJECTS_AND_BOXES)
    elif name == "translate":
        for var in site.positional[:1]:
            solver.when(var, _translated, site, OBJECTS)
    if isinstance(owner, Text) and (name in _TO_TEXT or name in _TO_LIST or name == "encode"):
        solver.later(_text_method_now, solver, site, owner, name)
        for var in site.positional:
            solver.when(var, _text_method_again, (site, owner, name))
    elif isinstance(owner, Bytes) and name in ("decode", "hex"):
        value = owner.value.encode("latin-1")
        shown = value.hex() if name == "hex" else value.decode("utf-8", "replace")
        solver.add(site.dst, solver.text(shown))
    elif isinstance(owner, Affix) and name in ("lower", "upper", "strip", "title"):
        solver.add(site.dst, solver.affix(getattr(owner.start, name)(), getattr(owner.end, name)()))
    elif name in _TO_LIST:
        box = solver.box_at("list", site.frame, ("split", site.dst - site.frame.base))
        solver.add(box.rest, solver.constant("str"))
        solver.add(site.dst, box)
    elif name in _TO_TEXT or kind == "str":
        solver.add(site.dst, solver.constant("bytes" if name == "encode" else "str"))
    else:
        solver.add(site.dst, solver.constant(kind or "object"))


def _joined(solver: Solver, site: Any, value: Value) -> None:
    iterate(solver, site.frame, holding(solver, value), solver.nowhere, False, site.line)


def _translated(solver: Solver, site: Any, value: Value) -> None:
    call_special(solver, site.frame, value, "__getitem__", (holding(solver, solver.constant("int")),), -1, site.line)


def _read_fields(solver: Solver, site: Site, text: str, mapping: bool) -> None:
    """`"{0.name[key]}".format(x)`: what the fields read, shown."""
    named = dict(site.named)
    number = 0
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return
    for _, field, specification, _ in fields:
        if specification:
            _read_fields(solver, site, specification, mapping)
        if field is None:
            continue
        first, rest = _string.formatter_field_name_split(field)
        if first == "":
            first, number = number, number + 1
        if mapping:
            current = solver.new()
            for var in site.positional[:1]:
                key = holding(solver, solver.text(str(first)))
                solver.when(var, read_item, (site.frame, key, current, site.line))
        elif isinstance(first, int):
            current = site.positional[first] if first < len(site.positional) else -1
        else:
            current = named.get(first, -1)
            if current < 0 and site.double_stars:
                current = solver.new()
                key = holding(solver, solver.text(first))
                for var in site.double_stars:
                    solver.when(var, read_item, (site.frame, key, current, site.line))
        if current < 0:
            continue
        for is_attribute, step in rest:
            inner = solver.new()
            if is_attribute:
                solver.when(current, _read_step, (site, step, inner))
            else:
                key = holding(solver, solver.number(step) if isinstance(step, int) else solver.text(step))
                solver.when(current, read_item, (site.frame, key, inner, site.line))
            current = inner
        solver.when(current, show, (site.frame, site.line), OBJECTS_AND_BOXES)


def _read_step(solver: Solver, payload: Any, value: Value) -> None:
    site, name, dst = payload
    read_attribute(solver, site.frame, value, name, dst, site.line)


def _text_method_at_last(solver: Solver, site: Site, owner: Text, name: str) -> None:
    known = all(solver.has(var) for var in (*site.positional, *(var for _, var in site.named)))
    if not known and not solver.is_idle(site.frame, _text_method_at_last, site, owner, name):
        _text_method_now(solver, site, owner, name, True)


def _text_method_again(solver: Solver, payload: Any, value: Value) -> None:
    site, owner, name = payload
    solver.later(_text_method_now, solver, site, owner, name)


def _text_method_now(solver: Solver, site: Site, owner: Text, name: str, at_last: bool = False) -> None:
    if not at_last and not all(solver.has(var) for var in (*site.positional, *(var for _, var in site.named))):
        solver.at_last(_text_method_at_last, solver, site, owner, name)
        return
    if name == "join" and len(site.positional) == 1:
        for value in list(solver.has(site.positional[0])):
            _join_now(solver, site, owner, value, at_last)
        return
    variables = (*site.positional, *(var for _, var in site.named))
    held = [[_plain_value(solver, one) for one in solver.has(var)] for var in variables]
    if prod(len(one) for one in held) > TEXTS or any(None in one for one in held):
        _text_method_blind(solver, site, owner, name)
    if prod(len(one) for one in held) > TEXTS:
        return
    for known in product(*([one for one in some if one is not None] for some in held)):
        split = len(site.positional)
        named = {keyword: one for (keyword, _), one in zip(site.named, known[split:], strict=True)}
        _text_method_on(solver, site, owner, name, known[:split], named)


def _text_method_on(
    solver: Solver, site: Site, owner: Text, name: str, arguments: tuple[object, ...], named: dict[str, object]
) -> None:
    try:
        made = getattr(owner.value, name)(*arguments, **named)
    except (TypeError, ValueError, LookupError, OverflowError, MemoryError, AttributeError):
        return
    if isinstance(made, str) and len(made) < LONGEST:
        solver.add(site.dst, solver.text(made))
    elif isinstance(made, bytes):
        solver.add(site.dst, solver.bytes_(made.decode("latin-1")))
    elif isinstance(made, list | tuple) and len(made) < TEXTS:
        box = solver.box("list" if isinstance(made, list) else "tuple", ("split", site))
        for index, one in enumerate(made):
            solver.add(item_cell(solver, box, index), solver.text(str(one)))
        solver.add(site.dst, box)


def _join_now(solver: Solver, site: Site, owner: Text, value: Value, at_last: bool) -> None:
    """The texts in a container, one after the other; where it is not told which is where, in the order they came up,
    which may not be it."""
    if isinstance(value, Box):
        if solver.is_first(("joined", site, owner, value)):
            solver.when(solver.every(value), _text_method_again, (site, owner, "join"))
        if not solver.items(value) and not solver.has(value.rest):
            if at_last:
                solver.add(site.dst, solver.text(""))
            else:
                solver.at_last(_text_method_now, solver, site, owner, "join", True)
            return
    parts = _plain_value(solver, value)
    if isinstance(parts, list):
        solver.add(site.dst, solver.text(owner.value.join(parts)))
        return
    solver.add(site.dst, solver.constant("str"))
    if isinstance(value, Box) and not value.items:
        texts = [one.value for one in solver.has(value.rest) if isinstance(one, Text)]
        if len(texts) == len(solver.has(value.rest)):
            solver.add(site.dst, solver.text(owner.value.join(texts)))


def _text_method_blind(solver: Solver, site: Site, owner: Text, name: str) -> None:
    if name == "format":
        start = owner.value.partition("{")[0]
        end = owner.value.rpartition("}")[2]
        solver.add(site.dst, solver.affix(start, end) if start or end else solver.constant("str"))
    elif name in _TO_LIST:
        box = solver.box_at("list", site.frame, ("split", site.dst - site.frame.base))
        solver.add(box.rest, solver.constant("str"))
        solver.add(site.dst, box)
    else:
        solver.add(site.dst, solver.constant("str"))


def _plain_value(solver: Solver, value: Value) -> object:
    """A constant as Python's own; None if it is not one."""
    if isinstance(value, Text | Number):
        return value.value
    if isinstance(value, Bytes):
        return value.value.encode("latin-1")
    if isinstance(value, Box) and value.kind in ("list", "tuple", "generator"):
        found: list[str] = []
        if solver.has(value.rest):
            return None
        for index in range(len(value.items)):
            inner = value.items.get(index)
            only = list(solver.has(inner)) if inner is not None else []
            if len(only) != 1 or not isinstance(only[0], Text):
                return None
            found.append(only[0].value)
        return found
    return None
