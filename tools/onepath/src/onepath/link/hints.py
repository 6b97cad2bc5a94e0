"""Annotations as values: what programs get that read them, and what runs when their text is evaluated.

What an annotation says of a variable's type is the business of `annotations`; here it is an expression somebody reads.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.facts.model import NONE, Annotation
from onepath.link.attributes import read_attribute
from onepath.link.code import Frame, Site, Unit
from onepath.link.items import item_cell, same_item
from onepath.link.names import read_name
from onepath.link.running_text import run_text
from onepath.link.solver import Solver
from onepath.link.values import Bound, Box, Class, Descriptor, Function, Instance, Module, Partial, Value

ALIAS: Final = "alias"
"""The kind of container that stands for `X[…]`: its arguments by number."""


def hints(solver: Solver, frame: Frame, value: Value, dst: int, line: int) -> None:
    """`dst` gets the annotations of a function, class or module as a mapping, evaluated now."""
    if isinstance(value, Bound | Partial):
        hints(solver, frame, value.func, dst, line)
    elif isinstance(value, Descriptor) and value.get is not None:
        hints(solver, frame, value.get, dst, line)
    elif isinstance(value, Instance):
        hints(solver, frame, value.cls, dst, line)
    else:
        written = _written(value)
        if written:
            box = solver.box("dict", ("hints", value, frame, line))
            solver.add(dst, box)
            for name, unit, index in written:
                if NONE < index < len(unit.facts.annotations):
                    solver.add(box.keys, solver.text(name))
                    evaluated(solver, frame, unit, unit.facts.annotations[index], item_cell(solver, box, name), line)


def _written(value: Value) -> list[tuple[str, Unit, int]]:
    """Name, module and annotation of all that is annotated in a value."""
    if isinstance(value, Function):
        scope, unit = value.code.scope, value.code.unit
        found = [(one.name, unit, one.annotation) for one in scope.parameters]
        return [*found, ("return", unit, scope.returns)]
    if isinstance(value, Class):
        return [(name, cls.unit, index) for cls in reversed(value.mro) for name, index in cls.fields.items()]
    if isinstance(value, Module) and value.unit is not None:
        fields = value.unit.codes[0].scope.fields if value.unit.codes else []
        return [(one.name, value.unit, one.annotation) for one in fields]
    return []


def evaluated(solver: Solver, frame: Frame, unit: Unit, written: Annotation, dst: int, line: int) -> None:
    """`dst` gets the value of an annotation of `unit`, on behalf of `frame`."""
    name = written.name
    if name.startswith("="):
        run_text(solver, Site(frame, dst, -1, (), (), line), solver.text(name[1:]), True, unit)
        return
    if name.startswith("'"):
        solver.add(dst, solver.text(name[1:]))
        return
    if written.arguments:
        box = solver.box(ALIAS, ("hint", unit, written))
        solver.add(dst, box)
        for index, one in enumerate(written.arguments):
            evaluated(solver, frame, unit, one, item_cell(solver, box, index), line)
        return
    if not name or unit.frame is None:
        return
    head, *rest = name.split(".")
    current = solver.new()
    read_name(solver, unit.frame, head, current)
    for part in rest:
        inner = solver.new()
        solver.when(current, _step, (frame, part, inner, line))
        current = inner
    solver.flow(current, dst)


def _step(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, dst, line = payload
    read_attribute(solver, frame, value, name, dst, line)


def arguments_of(solver: Solver, payload: Any, value: Value) -> None:
    """`typing.get_args(X[…])`: the arguments in a tuple."""
    dst = payload
    if isinstance(value, Box) and value.kind == ALIAS:
        box = solver.box("tuple", (ALIAS, value))
        solver.each_item(value, same_item, box)
        solver.flow(value.rest, box.rest)
        solver.add(dst, box)


def subscripted(solver: Solver, frame: Frame, index: int, dst: int) -> None:
    """`Annotated[int, f]`, `Callable[[X], Y]`: what stands in the brackets is kept."""
    box = solver.box_at(ALIAS, frame, ("subscript", dst - frame.base))
    solver.when(index, _into_alias, box)
    solver.add(dst, box)


def _into_alias(solver: Solver, box: Any, value: Value) -> None:
    if isinstance(value, Box) and value.kind == "tuple":
        solver.each_item(value, same_item, box)
        solver.flow(value.rest, box.rest)
    else:
        solver.add(item_cell(solver, box, 0), value)


def metadata_of(solver: Solver, value: Box, dst: int) -> None:
    """`Annotated[…].__metadata__`: all but the first."""
    box = solver.box("tuple", ("metadata", value))
    solver.each_item(value, _behind_first, box)
    solver.add(dst, box)


def _behind_first(solver: Solver, box: Any, key: object, var: int) -> None:
    if isinstance(key, int) and key > 0:
        solver.flow(var, item_cell(solver, box, key - 1))
