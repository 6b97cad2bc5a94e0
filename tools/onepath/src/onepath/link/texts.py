"""Texts that can be computed, and formatting: names put together are names still."""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

from onepath.link.classes import foreign_bases
from onepath.link.code import Frame
from onepath.link.dunders import call_if_there
from onepath.link.files import text_of
from onepath.link.flows import TEXTS
from onepath.link.invoke import holding
from onepath.link.members import plain_member
from onepath.link.solver import Solver
from onepath.link.values import (
    OBJECTS_AND_BOXES,
    Affix,
    Box,
    Bytes,
    File,
    Function,
    Instance,
    Module,
    Number,
    Text,
    Value,
)
from onepath.link.within import SHOWN, reach, reach_parts

LONGEST: Final = 20_000
"""Characters; a longer text is any text."""


def joined(solver: Solver, parts: Sequence[Value]) -> Value:
    """Texts one after the other, as far as they are known."""
    start = ""
    for one in parts:
        if one.__class__ is not Text:
            break
        start += one.value
    else:
        return solver.text(start) if len(start) < LONGEST else solver.constant("str")
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
        solver.when(part, show, (frame, line), OBJECTS_AND_BOXES)
    solver.later(_format_now, solver, frame, parts, dst)
    for part in parts:
        solver.when(part, _format_again, (frame, parts, dst), _SHOWN)


def show(solver: Solver, payload: Any, value: Value) -> None:
    """An object is put into a text: its `__format__`, or what stands in for it; a container shows what it holds."""
    frame, line = payload
    if isinstance(value, Box):
        reach(solver, frame, value, SHOWN, solver.nowhere, line)
        return
    if isinstance(value, Instance):
        nothing = holding(solver, solver.text(""))
        for name, arguments in (("__format__", (nothing,)), ("__str__", ()), ("__repr__", ())):
            if call_if_there(solver, frame, value, name, arguments, -1, line):
                return
        reach_parts(solver, frame, value, "__repr__", solver.nowhere, line)


_SHOWN: Final = frozenset({Text, Affix, Number, File, Instance})


def _format_again(solver: Solver, payload: Any, value: Value) -> None:
    if payload not in solver.formatting:
        solver.formatting.add(payload)
        solver.later(_format_now, solver, *payload)


def _format_blind(solver: Solver, frame: Frame, parts: tuple[int, ...], dst: int) -> None:
    """A part of which nothing is known by now is any text."""
    if not all(solver.has(part) for part in parts) and not solver.is_idle(frame, _format_blind, frame, parts, dst):
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
    if isinstance(value, Module | Function):
        return solver.text("<object>")  # whatever it is shown as, it is nobody's name
    if isinstance(value, Instance) and "enum.StrEnum" in foreign_bases(value.cls):
        return plain_member(solver, value) or value
    return value


def text_operator(solver: Solver, payload: Any, right: Value) -> None:
    """A text or bytes and what stands on their right."""
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
