"""`typing`: annotations read while the program runs, casts, and what stands for a type."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.hints import arguments_of, hints
from onepath.link.models.model import Model, same
from onepath.link.solver import Solver
from onepath.link.values import Function, Getter, Value


def _get_hints(solver: Solver, site: Site) -> None:
    """`typing.get_type_hints(x)`: annotations, those that are text evaluated."""
    for var in site.positional[:1]:
        solver.when(var, _hints_of, site)


def _hints_of(solver: Solver, site: Any, value: Value) -> None:
    hints(solver, site.frame, value, site.dst, site.line)


def _get_arguments(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, arguments_of, site.dst)


def _cast(solver: Solver, site: Site) -> None:
    if len(site.positional) > 1:
        solver.flow(site.positional[1], site.dst)


def _overload(solver: Solver, site: Site) -> None:
    """It gives nothing that can be called; who asks for it gets the function all the same."""
    for var in site.positional[:1]:
        solver.flow(var, solver.var_for("overloads"))


def _get_overloads(solver: Solver, site: Site) -> None:
    """`typing.get_overloads(f)`: those of its name."""
    for var in site.positional[:1]:
        solver.when(var, _overloads_of, site.dst)
    solver.add(site.dst, solver.result("typing.get_overloads"))


def _overloads_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Function):
        box = solver.box("list", (value, "overloads"))
        solver.when(solver.var_for("overloads"), _overload_of, (box.rest, value.code.name))
        solver.add(dst, box)


def _overload_of(solver: Solver, payload: Any, value: Value) -> None:
    dst, name = payload
    if isinstance(value, Function) and value.code.name == name:
        solver.add(dst, value)


def _type_maker(kind: str) -> Model:
    """`TypeVar("T", bound=X)`, `NewType("N", X)`: what they stand for is read from their arguments."""

    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.once(Getter, (kind, site), kind, (), site))

    return made


MODELS: Final[dict[str, Model]] = {
    "typing.overload": _overload,
    "typing.get_overloads": _get_overloads,
    "typing.assert_type": same(),
    "typing.final": same(),
    "typing.override": same(),
    "typing.runtime_checkable": same(),
    "typing.no_type_check": same(),
    "typing.cast": _cast,
    "typing.get_type_hints": _get_hints,
    "inspect.get_annotations": _get_hints,
    "annotationlib.get_annotations": _get_hints,
    "typing.get_args": _get_arguments,
    "typing.TypeVar": _type_maker("typevar"),
    "typing.NewType": _type_maker("newtype"),
}
"""By full name: what it does."""
