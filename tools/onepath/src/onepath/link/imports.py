"""Imports: which module a name is, and that its body runs."""

from __future__ import annotations

from typing import Any

from onepath.facts.model import Sequence, StoreGlobal, Text
from onepath.link.code import Frame, Unit
from onepath.link.foreign import canonical
from onepath.link.solver import Solver
from onepath.link.values import Module, Value


def load_module(solver: Solver, frame: Frame | None, name: str, line: int) -> None:
    """Run the body of a module and of the packages around it."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        unit = solver.units.get(".".join(parts[:count]))
        if unit is None:
            continue
        fresh = unit.frame is None
        if fresh:
            start_module(solver, unit)
        if frame is not None and unit.frame is not None and unit.frame is not frame:
            solver.edge(frame, unit.frame, "call", line)


def start_module(solver: Solver, unit: Unit) -> Frame:
    """The frame of a module's body; its operations are read later."""
    if unit.frame is None:
        code = unit.codes[0] if unit.codes else None
        if code is None:
            raise LookupError(unit.name)
        unit.frame = solver.frame(code, None)
    return unit.frame


def import_module(
    solver: Solver, frame: Frame, name: str, dst: int, line: int, *, top: bool, quiet: bool = False
) -> bool:
    """`import name`; whether the program has it. `top`: the value is the first part."""
    solver.when_set(solver.loaded, name, _put, (frame, dst, line))
    module = solver.module(name)
    if module is None:
        outer = name
        while outer and solver.module(outer) is None:
            outer = outer.rpartition(".")[0]
        if outer:
            load_module(solver, frame, outer, line)
            if top:
                found = solver.module(name.partition(".")[0])
                if found is not None:
                    solver.add(dst, found)
                return True
        solver.add(dst, solver.foreign(name.partition(".")[0] if top else canonical(name)))
        return False
    load_module(solver, None if quiet else frame, name, line)
    _attach(solver, name)
    found = solver.module(name.partition(".")[0]) if top else module
    if found is not None:
        solver.add(dst, found)
    return True


def _attach(solver: Solver, name: str) -> None:
    """An imported submodule becomes an attribute of its package."""
    while "." in name:
        parent, _, last = name.rpartition(".")
        outer, inner = solver.module(parent), solver.module(name)
        if outer is not None and inner is not None and not (outer.unit is not None and last in outer.unit.statics):
            solver.add(solver.cell(outer, last), inner)
        name = parent


def import_from(solver: Solver, frame: Frame, source: str, name: str, dst: int, line: int) -> None:
    """`from source import name`."""
    from onepath.link.attributes import read_attribute

    solver.when_set(solver.loaded, f"{source}.{name}", _put, (frame, dst, line))
    solver.when_set(solver.loaded, source, _read_replaced, (frame, name, dst, line))
    module = solver.module(source)
    if module is None:
        outer = source
        while outer and solver.module(outer) is None:
            outer = outer.rpartition(".")[0]
        if outer:
            load_module(solver, frame, outer, line)
        full = canonical(f"{source}.{name}")
        solver.add(dst, solver.foreign(full))
        key = (source, name)
        solver.foreign_reads.setdefault(key, []).append(dst)
        patched = solver.patched.get(key)
        if patched is not None:
            solver.flow(patched, dst)
        return
    load_module(solver, frame, source, line)
    full = f"{source}.{name}"
    unit = module.unit
    bound = unit is not None and (name in unit.statics or name in exported(solver, unit))
    submodule = solver.module(full)
    if submodule is not None and (not bound or frame.code.unit is unit):
        load_module(solver, frame, full, line)
        _attach(solver, full)
        if bound:
            solver.add(dst, submodule)  # a package that imports its own submodule: this is what binds the name
    read_attribute(solver, frame, module, name, dst, line)
    if not bound and solver.module(full) is None and unit is not None and "__getattr__" not in unit.statics:
        solver.add(dst, solver.foreign(full))


def _put(solver: Solver, payload: Any, value: Value) -> None:
    frame, dst, line = payload
    _run_found(solver, frame, value, line)
    solver.add(dst, value)


def _run_found(solver: Solver, frame: Frame, value: Value, line: int) -> None:
    """A module that is found by another name than its own runs as any that is imported."""
    if isinstance(value, Module) and value.unit is not None and value.unit.frame is None:
        load_module(solver, frame, value.name, line)


def _read_replaced(solver: Solver, payload: Any, value: Value) -> None:
    """What was put into `sys.modules` is what is imported."""
    from onepath.link.attributes import read_attribute

    frame, name, dst, line = payload
    _run_found(solver, frame, value, line)
    read_attribute(solver, frame, value, name, dst, line)


def star(solver: Solver, frame: Frame, source: str, line: int) -> None:
    """`from source import *`."""
    unit = solver.units.get(source)
    if unit is None:
        if solver.module(source) is None:
            return
        load_module(solver, frame, source, line)
        return
    load_module(solver, frame, source, line)
    module = solver.module_of(unit)
    outer = frame.code.unit
    here = solver.module_of(outer)
    for name in sorted(exported(solver, unit) - _hidden(solver, outer, source)):
        if name not in outer.statics:
            solver.flow(solver.cell(module, name), solver.cell(here, name))


def _hidden(solver: Solver, unit: Unit, source: str) -> set[str]:
    """Names that later stars of the same body bring anew."""
    if len(unit.stars) < 2 or source not in unit.stars:
        return set()
    last = len(unit.stars) - 1 - unit.stars[::-1].index(source)
    later = [
        name for name, certain in zip(unit.stars[last + 1 :], unit.certain_stars[last + 1 :], strict=True) if certain
    ]
    return {name for one in later if one in solver.units for name in exported(solver, solver.units[one])}


def exported(solver: Solver, unit: Unit) -> frozenset[str]:
    """Names a star import takes from the module, those it has by stars of its own among them."""
    key = ("exported", unit)
    found = solver.values.get(key)
    if found is None:
        solver.values[key] = frozenset()
        names = {name for name in unit.statics if not name.startswith("_")}
        listed = _all_of(unit)
        if listed is not None:
            names = {name for name in unit.statics if name in listed}
        for source in unit.stars:
            other = solver.units.get(source)
            if other is not None:
                inherited = exported(solver, other)
                names |= inherited if listed is None else inherited & listed
        if unit.facts.is_package and listed is not None:
            names |= {name for name in listed if name in solver.children.get(unit.name, ())}
        found = solver.values[key] = frozenset(names)
    return found


def _all_of(unit: Unit) -> set[str] | None:
    """`__all__` where it is a display of texts."""
    if "__all__" not in unit.statics or not unit.codes:
        return None
    operations = unit.codes[0].scope.code
    stored = [one.src for one in operations if isinstance(one, StoreGlobal) and one.name == "__all__"]
    texts = {one.dst: one.value for one in operations if isinstance(one, Text)}
    for one in operations:
        if isinstance(one, Sequence) and one.dst in stored and not one.spread:
            return {texts[item] for item in one.items if item in texts}
    return None
