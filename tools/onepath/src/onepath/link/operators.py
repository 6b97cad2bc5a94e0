"""What operators do, by the kind of what stands on their left, and on their right where that is asked."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.classes import binds
from onepath.link.code import Frame
from onepath.link.dunders import call_special
from onepath.link.files import join_path
from onepath.link.invoke import holding
from onepath.link.items import items_of, unpack_mapping
from onepath.link.iteration import iterate
from onepath.link.solver import Solver
from onepath.link.texts import show, text_operator
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
    Text,
    Uncomputed,
    Value,
)
from onepath.link.within import EQUAL, HASH, ORDER, elements, reach, reach_all, reach_parts

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
            solver.when(right, text_operator, (value, method, dst))
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
    show(solver, payload, value)
    if isinstance(value, Instance):
        frame, line = payload
        for method in ("__repr__", "__int__", "__index__", "__float__"):
            call_special(solver, frame, value, method, (), -1, line)


def _blind_operator(solver: Solver, frame: Frame, value: Value, right: int, dst: int) -> None:
    if not solver.has(right) and not solver.is_idle(frame, _blind_operator, frame, value, right, dst):
        text_operator(solver, (value, "__add__", dst), solver.unknown)


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
