"""The error that is being handled, and groups of errors."""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.items import item_cell
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, argument
from onepath.link.raising import GROUP, all_raised
from onepath.link.solver import Solver
from onepath.link.values import OBJECTS, Instance, Value


def _handled(solver: Solver, site: Site) -> None:
    solver.add(site.dst, solver.result("builtins.BaseException"))
    solver.flow(all_raised(solver), site.dst)


def _handled_with_class(solver: Solver, site: Site) -> None:
    """`sys.exc_info()`: class, object, traceback."""
    box = solver.box_at("tuple", site.frame, ("made", site.dst - site.frame.base))
    for number, name in enumerate(("type", "BaseException", "BaseException.__traceback__")):
        solver.add(item_cell(solver, box, number), solver.result(f"builtins.{name}"))
    solver.when(all_raised(solver), _class_of, item_cell(solver, box, 0), OBJECTS)
    solver.flow(all_raised(solver), item_cell(solver, box, 1))
    solver.add(site.dst, box)


def _class_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Instance):
        solver.add(dst, value.cls)


def _group(solver: Solver, site: Site) -> None:
    box = solver.box_at(GROUP, site.frame, ("made", site.dst - site.frame.base))
    errors = argument(site, 1)
    if errors >= 0:
        iterate(solver, site.frame, errors, box.rest, False, site.line)
    solver.add(site.dst, box)


MODELS: Final[dict[str, Model]] = {
    "sys.exception": _handled,
    "sys.exc_info": _handled_with_class,
    "builtins.ExceptionGroup": _group,
    "builtins.BaseExceptionGroup": _group,
}
"""By full name: what it does."""
