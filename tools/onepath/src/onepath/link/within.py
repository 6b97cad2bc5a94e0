"""What is done with a container or a record by way of what it holds: comparing, hashing, showing it.

Python does so in C and asks each part in turn. Nothing is looked at unless some class of the program has the method.
Which operation asks is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import binds, fields_of, is_record
from onepath.link.code import Frame
from onepath.link.dunders import call_special
from onepath.link.solver import Solver
from onepath.link.values import BOXES, Box, Class, Instance, Value

EQUAL: Final = ("__eq__",)
ORDER: Final = ("__lt__", "__gt__", "__le__", "__ge__")
HASH: Final = ("__hash__", "__eq__")
SHOWN: Final = ("__repr__",)
COPIED: Final = ("__deepcopy__", "__copy__", "__reduce_ex__", "__reduce__", "__getstate__")
REDUCED: Final = ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__")
_OF_PARTS: Final = {"__str__": "__repr__", "__format__": "__repr__", "__ne__": "__eq__"}
"""What is asked of the parts where that differs."""
_ALONE: Final = frozenset(
    {"__hash__", "__repr__", "__str__", "__copy__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"}
)
"""Those that are called with nothing."""
_REACHED: Final = frozenset({Instance, Class, Box})


def reach(solver: Solver, frame: Frame, value: Value, methods: tuple[str, ...], other: int, line: int) -> None:
    """Call these methods of an object, or of what a container or record holds; `other`: what they are called with."""
    asked = _there(solver, methods)
    if asked:
        _reach(solver, (frame, asked, other, line), value)


def reach_all(solver: Solver, frame: Frame, var: int, methods: tuple[str, ...], other: int, line: int) -> None:
    """The same for all that a variable holds."""
    asked = _there(solver, methods)
    if asked:
        solver.when(var, _reach, (frame, asked, other, line), _REACHED)


def _there(solver: Solver, methods: tuple[str, ...]) -> tuple[str, ...]:
    specials = solver.specials
    return () if specials.isdisjoint(methods) else tuple([one for one in methods if one in specials])


def reach_parts(solver: Solver, frame: Frame, value: Instance, method: str, other: int, line: int) -> None:
    """A record whose class does not define the method: it is asked of its fields."""
    asked = _OF_PARTS.get(method, method)
    if asked in solver.specials and is_record(value.cls):
        _ask_held(solver, (frame, (asked,), other, line), value)


def elements(solver: Solver, var: int) -> int:
    """What the containers in a variable hold; nothing, where nobody would ask."""
    inner = solver.var_for(("elements", var))
    solver.when(var, _elements_of, inner, BOXES)
    return inner


def _elements_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Box) and value.kind != "generator":
        solver.flow(solver.every(value), dst)


def _reach(solver: Solver, payload: Any, value: Value) -> None:
    if not _ask(solver, payload, value) and (isinstance(value, Box) or _is_record(value)):
        _ask_held(solver, payload, value)


def _ask(solver: Solver, payload: Any, value: Value) -> bool:
    """Call what there is of the methods; whether there is one."""
    frame, methods, other, line = payload
    found = False
    for method in methods:
        if _has(value, method):
            found = True
            if solver.is_first(("asked", frame, method, value, other)):
                call_special(solver, frame, value, method, () if method in _ALONE else (other,), -1, line)
    return found


def _has(value: Value, method: str) -> bool:
    if isinstance(value, Instance):
        return binds(value.cls, method)
    return isinstance(value, Class) and value.metaclass >= 0


def _is_record(value: Value) -> bool:
    return isinstance(value, Instance) and is_record(value.cls)


def _ask_held(solver: Solver, payload: Any, value: Value) -> None:
    """Ask what a container or record holds, and what that holds: it is found once, whoever asks."""
    frame, methods, _, line = payload
    solver.when(_held(solver, frame, methods, value, line), _ask_one, payload)


def _ask_one(solver: Solver, payload: Any, value: Value) -> None:
    _ask(solver, payload, value)


def _held(solver: Solver, frame: Frame, methods: tuple[str, ...], value: Value, line: int) -> int:
    """The variable of all that has one of the methods and lies in a container or record, however deep."""
    key = ("held", methods, value)
    found = solver.values.get(key)
    if found is not None:
        return int(found)
    held = solver.values[key] = solver.new()
    gathering = (frame, methods, held, line)
    if isinstance(value, Box):
        if value.kind != "generator":  # asking would not read it
            solver.when(solver.every(value), _gather, gathering, _REACHED)
            if value.kind == "dict":
                solver.when(value.keys, _gather, gathering, _REACHED)
    elif isinstance(value, Instance) and not binds(value.cls, "__getattribute__"):
        for name, _, _ in fields_of(value.cls):
            part = solver.new()
            read_attribute(solver, frame, value, name, part, line)
            solver.when(part, _gather, gathering, _REACHED)
    return held


def _gather(solver: Solver, payload: Any, value: Value) -> None:
    frame, methods, held, line = payload
    if any(_has(value, method) for method in methods):
        solver.add(held, value)
    elif isinstance(value, Box) or _is_record(value):
        solver.flow(_held(solver, frame, methods, value, line), held)
