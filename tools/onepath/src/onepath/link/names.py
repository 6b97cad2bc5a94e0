"""Names of a module and built-in names, where code reads them."""

from __future__ import annotations

import builtins
from typing import Final

from onepath.link.code import Frame, Unit
from onepath.link.files import file_at, file_of_unit, path_of, text_of
from onepath.link.imports import exported
from onepath.link.search import search_in
from onepath.link.solver import Solver
from onepath.link.values import Class

_BUILTINS: Final = frozenset(vars(builtins))


def read_name(solver: Solver, frame: Frame, name: str, dst: int) -> None:
    """A module variable or a builtin."""
    unit = frame.code.unit
    known = _read_unit_name(solver, unit, name, dst)
    if known and name[:2] != "__":
        return
    if name == "__name__":
        solver.add(dst, solver.text(unit.outer.name if unit.outer else unit.name))
    elif name == "__file__":
        solver.add(dst, solver.text(text_of(file_at(solver, file_of_unit(unit.outer or unit)))))
    elif name == "__path__" and unit.facts.is_package:
        path = path_of(solver, solver.module_of(unit))
        solver.when(solver.every(path), search_in, unit.name)
        solver.add(dst, path)
    elif name in ("__doc__", "__path__"):
        solver.add(dst, solver.constant("str"))
    elif name == "__package__":
        is_package = unit.facts.is_package
        solver.add(dst, solver.text(unit.name if is_package else unit.name.rpartition(".")[0]))
    elif name == "__class__" and not known:
        _read_class_around(solver, frame, dst)
    elif name == "__builtins__":
        solver.add(dst, solver.foreign("builtins"))
    elif not known and name in _BUILTINS:
        patched = solver.patched.get(("builtins", name))
        solver.add(dst, solver.foreign(f"builtins.{name}"))
        if patched is not None:
            solver.flow(patched, dst)
        solver.foreign_reads.setdefault(("builtins", name), []).append(dst)
    elif not known:
        for source in unit.stars:
            if source not in solver.units:
                solver.add(dst, solver.foreign(f"{source}.{name}"))


def _read_class_around(solver: Solver, frame: Frame, dst: int) -> None:
    """`__class__` in a method: the class whose body it is written in."""
    around: Frame | None = frame.parent
    while around is not None and around.code.scope.kind != "class":
        around = around.parent
    cls = solver.values.get((Class, (around.code, around.parent))) if around is not None else None
    if cls is not None:
        solver.add(dst, cls)


def _read_unit_name(solver: Solver, unit: Unit, name: str, dst: int) -> bool:
    found = unit.names.get(name)
    if found is None:
        cell = solver.cell(solver.module_of(unit), name)
        found = unit.names[name] = (cell, name in unit.statics or name in exported(solver, unit))
    var, known = found
    solver.flow(var, dst)
    if unit.outer is not None:
        if name in unit.environment:
            solver.flow(unit.environment[name], dst)
            known = True
        elif not known:
            known = _read_unit_name(solver, unit.outer, name, dst)
        for space in unit.space:
            solver.read_key(solver, unit.frame, space, solver.text(name), dst)
    return known
