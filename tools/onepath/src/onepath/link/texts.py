"""Texts that can be computed, operators, and formatting: names put together are names still."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # CPython's own, without stubs
import base64
import binascii
import codecs
import string
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import binds, foreign_bases
from onepath.link.code import Frame, Site
from onepath.link.dunders import call_special
from onepath.link.files import join_path, text_of
from onepath.link.flows import TEXTS
from onepath.link.invoke import holding
from onepath.link.items import item_cell, items_of, read_item, unpack_mapping
from onepath.link.iteration import iterate
from onepath.link.members import plain_member
from onepath.link.solver import Solver
from onepath.link.values import (
    BOXES,
    CLASSES,
    OBJECTS,
    OBJECTS_AND_BOXES,
    OBJECTS_AND_CLASSES,
    Affix,
    Box,
    Bytes,
    Class,
    Constant,
    File,
    Foreign,
    Instance,
    Number,
    Result,
    Space,
    Text,
    Uncomputed,
    Value,
)
from onepath.link.within import EQUAL, HASH, ORDER, SHOWN, elements, reach, reach_all, reach_parts

_LONGEST: Final = 20_000
_TO_TEXT: Final = frozenset(
    {
        "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "casefold", "replace",
        "removeprefix", "removesuffix", "format", "join", "zfill", "center", "ljust", "rjust", "translate", "__str__",
        "__add__", "__mod__", "__mul__", "expandtabs",
    }
)  # fmt: skip
_TO_LIST: Final = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})
_OPERANDS: Final[dict[str, frozenset[type]]] = {
    "__bool__": OBJECTS_AND_CLASSES,
    "__eq__": OBJECTS_AND_CLASSES,
    "__ne__": OBJECTS_AND_CLASSES,
    "__contains__": OBJECTS_AND_CLASSES | BOXES,
}
"""By operator, where only values of some kinds tell anything."""


def operated(
    solver: Solver, frame: Frame, left: int, right: int, method: str, reflected: str, dst: int, line: int
) -> None:
    """An operator: the dunder of the left side, then the reflected one of the right."""
    payload = (frame, right, method, dst, line)
    kinds = _OPERANDS.get(method)
    if method in _EQUALS and "__eq__" in solver.specials:
        kinds = _HELD
    solver.when(left, _operate_left, payload, kinds)
    if method == "__or__" and dst >= 0:
        for var in (left, right):
            solver.when(var, _united, (frame, left, right, dst), CLASSES)
    if right >= 0 and reflected:
        solver.when(right, _operate_right, (frame, left, reflected, dst, line), OBJECTS)


def _united(solver: Solver, payload: Any, value: Value) -> None:
    """`A | B` of classes is either."""
    frame, left, right, dst = payload
    box = solver.box_at(UNION, frame, ("united", dst - frame.base))
    solver.flow(left, box.rest)
    solver.flow(right, box.rest)
    solver.add(dst, box)


UNION: Final = "union"
"""The kind of container that stands for `A | B` of classes."""


def _operate_left(solver: Solver, payload: Any, value: Value) -> None:
    frame, right, method, dst, line = payload
    if isinstance(value, Instance):
        arguments = (right,) if right >= 0 else ()
        done = call_special(solver, frame, value, method, arguments, dst, line)
        if not done:
            if method.startswith("__i") and method != "__invert__":
                call_special(solver, frame, value, f"__{method[3:]}", arguments, dst, line)
            elif method == "__bool__":
                call_special(solver, frame, value, "__len__", (), -1, line)
            elif method == "__truediv__":
                call_special(solver, frame, value, "__fspath__", (), -1, line)  # a path is put together
            elif method == "__str__":
                call_special(solver, frame, value, "__repr__", (), -1, line)
            elif method == "__contains__":
                for other in ("__iter__", "__getitem__", "__len__"):
                    call_special(
                        solver, frame, value, other, (solver.nowhere,) if other == "__getitem__" else (), -1, line
                    )
            elif method in _ORDER:
                for other in _ORDER:
                    call_special(solver, frame, value, other, arguments, dst, line)
            elif method == "__ne__":
                call_special(solver, frame, value, "__eq__", arguments, dst, line)
            elif method in ("__repr__", "__format__"):
                call_special(solver, frame, value, "__str__", (), -1, line)
            if method in _OF_RECORDS:
                reach_parts(solver, frame, value, method, right if right >= 0 else solver.nowhere, line)
        return
    if isinstance(value, Box) and right >= 0:
        if method == "__contains__":
            _looked_for(solver, frame, value, right, line)
            return
        if method in _EQUALS or method in _ORDER:
            methods = EQUAL if method in _EQUALS else ORDER
            if not solver.specials.isdisjoint(methods):
                reach(solver, frame, value, methods, elements(solver, right), line)
            if method in _EQUALS:
                return
    if method == "__mod__" and isinstance(value, Text | Affix | Constant) and right >= 0:
        solver.when(right, _shown_by_percent, (frame, line))
    if isinstance(value, Class):
        _operate_class(solver, frame, value, right, method, dst, line)
        return
    if method in ("__bool__", "__contains__") or method in ("__eq__", "__ne__"):
        return
    if method in ("__iadd__", "__ior__") and isinstance(value, Foreign) and right >= 0:
        solver.when(right, _put_into, (frame, f"{value.name}.append", line))
    if dst < 0:
        return
    if method in ("__add__", "__iadd__", "__mod__", "__mul__", "__imod__") and isinstance(value, Text | Affix | Bytes):
        if right >= 0:
            solver.when(right, _text_operator, (value, method, dst))
            if not solver.has(right):
                solver.at_last(_blind_operator, solver, frame, value, right, dst)
    elif isinstance(value, Constant) and value.type == "str" and method == "__add__" and right >= 0:
        solver.when(right, _unknown_start, dst)
    elif isinstance(value, Number) and right >= 0:
        solver.add(dst, solver.constant("int"))
    elif isinstance(value, Box):
        _operate_box(solver, frame, value, right, method, dst)
    elif isinstance(value, File) and method == "__truediv__" and right >= 0:
        solver.when(right, join_path, (value, dst))
    elif isinstance(value, Result | Constant | Uncomputed):
        solver.add(dst, value)


def _put_into(solver: Solver, payload: Any, value: Value) -> None:
    """What is added in place to a foreign container."""
    frame, name, line = payload
    solver.escape(solver, frame, value, name, -1, line)


_ORDER: Final = frozenset(ORDER)
_EQUALS: Final = frozenset({"__eq__", "__ne__"})
_HELD: Final = OBJECTS_AND_CLASSES | BOXES
_OF_RECORDS: Final = _ORDER | _EQUALS | {"__hash__", "__repr__", "__str__", "__format__"}
"""What Python writes for the classes of records."""


def _looked_for(solver: Solver, frame: Frame, value: Box, right: int, line: int) -> None:
    """`right in value`: elements are compared with what is looked for, which is hashed where that finds them."""
    held = solver.every(value) if value.kind != "dict" else value.keys
    reach_all(solver, frame, held, EQUAL, right, line)
    reach_all(solver, frame, right, HASH if value.kind in ("dict", "set") else EQUAL, held, line)


def _shown_by_percent(solver: Solver, payload: Any, value: Value) -> None:
    """`"%d %s" % value`: a tuple's items one by one, a mapping by the names in the text."""
    frame, line = payload
    if isinstance(value, Box) and value.kind in ("tuple", "dict"):
        if solver.is_first(("shown", frame, value)):
            solver.when(solver.every(value), _converted, payload, OBJECTS_AND_BOXES)
        return
    _converted(solver, payload, value)
    if isinstance(value, Instance):
        call_special(solver, frame, value, "__getitem__", (holding(solver, solver.constant("str")),), -1, line)


def _converted(solver: Solver, payload: Any, value: Value) -> None:
    _format_one(solver, payload, value)
    if isinstance(value, Instance):
        frame, line = payload
        for method in ("__repr__", "__int__", "__index__", "__float__"):
            call_special(solver, frame, value, method, (), -1, line)


def _blind_operator(solver: Solver, frame: Frame, value: Value, right: int, dst: int) -> None:
    if not solver.has(right) and not solver.is_idle(frame):
        _text_operator(solver, (value, "__add__", dst), solver.unknown)


def _operate_class(solver: Solver, frame: Frame, value: Class, right: int, method: str, dst: int, line: int) -> None:
    done = call_special(solver, frame, value, method, (right,) if right >= 0 else (), dst, line)
    if not done and method == "__bool__":
        call_special(solver, frame, value, "__len__", (), -1, line)


def _operate_box(solver: Solver, frame: Frame, value: Box, right: int, method: str, dst: int) -> None:
    if method in ("__iadd__", "__ior__"):
        if value.kind == "dict":
            solver.when(right, unpack_mapping, value)
        else:
            iterate(solver, frame, right, value.rest, False, 0)
        solver.add(dst, value)
    elif method in ("__add__", "__or__", "__mul__", "__sub__", "__and__", "__xor__"):
        box = solver.box_at(value.kind, frame, ("operated", dst - frame.base))
        if value.kind == "dict":
            unpack_mapping(solver, box, value)
            if right >= 0:
                solver.when(right, unpack_mapping, box)
        else:
            items_of(solver, value, box.rest)
            if right >= 0 and method in ("__add__", "__or__", "__xor__"):
                iterate(solver, frame, right, box.rest, False, 0)
        solver.add(dst, box)


def _unknown_start(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Text):
        solver.add(dst, solver.affix("", value.value))
    elif isinstance(value, Affix):
        solver.add(dst, solver.affix("", value.end))
    else:
        solver.add(dst, solver.constant("str"))


def _operate_right(solver: Solver, payload: Any, value: Value) -> None:
    if isinstance(value, Instance):
        solver.later(_reflected, solver, payload, value)


def _reflected(solver: Solver, payload: Any, value: Instance) -> None:
    """The right side is asked where a left one has no answer."""
    frame, left, reflected, dst, line = payload
    plain = reflected if reflected in _ORDER or reflected == "__eq__" else f"__{reflected[3:]}"
    held = solver.has(left)
    if not held or not all(isinstance(one, Instance) and binds(one.cls, plain) for one in held):
        done = call_special(solver, frame, value, reflected, (left,), dst, line)
        if not done and plain in ("__mul__", "__imul__"):
            call_special(solver, frame, value, "__index__", (), -1, line)  # a sequence is repeated so often
        elif not done and plain == "__truediv__":
            call_special(solver, frame, value, "__fspath__", (), -1, line)  # a path is put together


def _text_operator(solver: Solver, payload: Any, right: Value) -> None:
    value, method, dst = payload
    if isinstance(value, Bytes):
        if isinstance(right, Bytes) and "add" in method:
            solver.add(dst, solver.bytes_(value.value + right.value))
        else:
            solver.add(dst, solver.constant("bytes"))
        return
    if "add" in method:
        solver.add(dst, joined(solver, (value, right)))
        return
    if isinstance(value, Text) and "mul" in method and isinstance(right, Number) and right.value < 100:
        solver.add(dst, solver.text(value.value * right.value))
        return
    if isinstance(value, Text) and "mod" in method:
        known = _arguments_of(solver, right)
        if known is not None:
            try:
                solver.add(dst, solver.text(value.value % tuple(known)))
                return
            except (TypeError, ValueError, OverflowError):
                pass
        start = value.value.partition("%")[0]
        end = value.value.rpartition("%")[2][1:] if value.value.count("%") == 1 else ""
        if start or end:
            solver.add(dst, solver.affix(start, end))
            return
    solver.add(dst, solver.constant("str"))


def _arguments_of(solver: Solver, value: Value) -> list[object] | None:
    if isinstance(value, Text | Number):
        return [value.value]
    if not isinstance(value, Box) or value.kind != "tuple" or solver.has(value.rest):
        return None
    found: list[object] = []
    for index in range(len(value.items)):
        var = value.items.get(index)
        held = list(solver.has(var)) if var is not None else []
        if len(held) != 1 or not isinstance(held[0], Text | Number):
            return None
        found.append(held[0].value)
    return found


def joined(solver: Solver, parts: Sequence[Value]) -> Value:
    """Texts one after the other, as far as they are known."""
    start = ""
    for one in parts:
        if one.__class__ is not Text:
            break
        start += one.value
    else:
        return solver.text(start) if len(start) < _LONGEST else solver.constant("str")
    if isinstance(one, Affix):
        start += one.start
    end = ""
    for one in reversed(parts):
        if isinstance(one, Text):
            end = one.value + end
            continue
        if isinstance(one, Affix):
            end = one.end + end
        break
    if start or end:
        return solver.affix(start, end)
    return solver.constant("str")


def formatted(solver: Solver, frame: Frame, parts: tuple[int, ...], dst: int, line: int) -> None:
    """An f-string: `__format__` of its objects, and its text where all parts are texts."""
    for part in parts:
        solver.when(part, _format_one, (frame, line), OBJECTS_AND_BOXES)
    solver.later(_format_now, solver, frame, parts, dst)
    for part in parts:
        solver.when(part, _format_again, (frame, parts, dst), _SHOWN)


def _format_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    if isinstance(value, Box):
        reach(solver, frame, value, SHOWN, solver.nowhere, line)
        return
    if isinstance(value, Instance):
        nothing = holding(solver, solver.text(""))
        for name, arguments in (("__format__", (nothing,)), ("__str__", ()), ("__repr__", ())):
            if call_special(solver, frame, value, name, arguments, -1, line):
                return
        reach_parts(solver, frame, value, "__repr__", solver.nowhere, line)


_SHOWN: Final = frozenset({Text, Affix, Number, File, Instance})


def _format_again(solver: Solver, payload: Any, value: Value) -> None:
    if payload not in solver.formatting:
        solver.formatting.add(payload)
        solver.later(_format_now, solver, *payload)


def _format_blind(solver: Solver, frame: Frame, parts: tuple[int, ...], dst: int) -> None:
    """A part of which nothing is known by now is any text."""
    if not all(solver.has(part) for part in parts) and not solver.is_idle(frame):
        _format_now(solver, frame, parts, dst, True)


def _format_now(solver: Solver, frame: Frame, parts: tuple[int, ...], dst: int, at_last: bool = False) -> None:
    solver.formatting.discard((frame, parts, dst))
    if not at_last and not all(solver.has(part) for part in parts):
        solver.at_last(_format_blind, solver, frame, parts, dst)
        return
    choices: list[list[Value]] = []
    count = 1
    for part in parts:
        held = [_shown(solver, one) for one in solver.has(part)]
        if not held or len(held) * count > TEXTS:
            held = [solver.constant("str")]
        count *= len(held)
        choices.append(held)
    solver.add_all(dst, list(dict.fromkeys(joined(solver, one) for one in product(*choices))))


def _shown(solver: Solver, value: Value) -> Value:
    if isinstance(value, Number):
        return solver.text(str(value.value))
    if isinstance(value, File):
        return solver.text(text_of(value))
    if isinstance(value, Instance) and "enum.StrEnum" in foreign_bases(value.cls):
        return plain_member(solver, value) or value
    return value


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
            solver.when(var, _format_one, (site.frame, site.line), OBJECTS_AND_BOXES)
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
        solver.when(current, _format_one, (site.frame, site.line), OBJECTS_AND_BOXES)


def _read_step(solver: Solver, payload: Any, value: Value) -> None:
    site, name, dst = payload
    read_attribute(solver, site.frame, value, name, dst, site.line)


def _text_method_at_last(solver: Solver, site: Site, owner: Text, name: str) -> None:
    known = all(solver.has(var) for var in (*site.positional, *(var for _, var in site.named)))
    if not known and not solver.is_idle(site.frame):
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
    if isinstance(made, str) and len(made) < _LONGEST:
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
        if not value.items and not solver.has(value.rest):
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


def decoded(solver: Solver, name: str, value: Value) -> Value | None:
    """What a decoding function of the standard library makes of a known text."""
    if isinstance(value, Text):
        raw = value.value.encode("utf-8", "replace")
    elif isinstance(value, Bytes):
        raw = value.value.encode("latin-1")
    else:
        return None
    try:
        if name == "base64":
            return solver.bytes_(base64.b64decode(raw).decode("latin-1"))
        if name == "hex":
            return solver.bytes_(bytes.fromhex(raw.decode("ascii")).decode("latin-1"))
        if name == "rot13":
            return solver.text(codecs.decode(raw.decode("utf-8"), "rot13"))
    except (ValueError, binascii.Error, UnicodeError):
        return None
    return None


def spaces(value: Value) -> Space | None:
    return value if isinstance(value, Space) else None
