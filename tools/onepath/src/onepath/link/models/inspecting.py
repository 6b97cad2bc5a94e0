"""`inspect` looking at functions: their parameters and defaults, the names they close over, their module.

What else it looks at (members, annotations) is said where those are known.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import members
from onepath.link.code import Site
from onepath.link.invoke import holding
from onepath.link.items import item_cell, read_item
from onepath.link.models.model import Model
from onepath.link.solver import Solver
from onepath.link.values import Bound, Class, Function, Instance, Partial, Space, Value


def _signature(solver: Solver, site: Site) -> None:
    """`inspect.signature(f)`: parameters by name, with their defaults; an object is asked for its own."""
    for var in site.positional[:1]:
        solver.when(var, _signature_of, site)
    solver.add(site.dst, solver.result("inspect.Signature"))


def _signature_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Instance | Class):
        read_attribute(solver, site.frame, value, "__signature__", site.dst, site.line)
        called = "__init__" if isinstance(value, Class) else "__call__"
        for member in members(solver, value if isinstance(value, Class) else value.cls, called):
            if isinstance(member, Function):
                _signature_of(solver, site, member)
    function = value.func if isinstance(value, Bound | Partial) else value
    if not isinstance(function, Function):
        return
    told = solver.box("namespace", (function, "signature"))
    by_name = solver.box("dict", (function, "parameters"))
    hints = solver.new()
    read_attribute(solver, site.frame, function, "__annotations__", hints, site.line)
    bound = isinstance(value, Bound) or (value is not function and isinstance(value, Class))
    for index, one in enumerate(function.code.scope.parameters[1 if bound else 0 :], 1 if bound else 0):
        parameter = solver.box("namespace", (function, "parameter", index))
        solver.flow(solver.cell(function, f"default {index}"), solver.cell(parameter, "default"))
        if not one.has_default:
            solver.add(solver.cell(parameter, "default"), solver.foreign("inspect.Parameter.empty"))
        solver.add(solver.cell(parameter, "name"), solver.text(one.name))
        name = holding(solver, solver.text(one.name))
        solver.when(hints, read_item, (site.frame, name, solver.cell(parameter, "annotation"), site.line))
        solver.add(by_name.keys, solver.text(one.name))
        solver.add(item_cell(solver, by_name, one.name), parameter)
    solver.add(solver.cell(told, "parameters"), by_name)
    solver.add(site.dst, told)


def _closure_names(solver: Solver, site: Site) -> None:
    """`inspect.getclosurevars(f)`: the names of its module, and those of the functions around it."""
    for var in site.positional[:1]:
        solver.when(var, _closure_names_of, site)
    solver.add(site.dst, solver.result("inspect.getclosurevars"))


def _closure_names_of(solver: Solver, site: Any, value: Value) -> None:
    function = value.func if isinstance(value, Bound) else value
    if not isinstance(function, Function):
        return
    module = solver.module_of(function.code.unit)
    told = solver.box("namespace", (function, "closure"))
    solver.add(solver.cell(told, "globals"), solver.once(Space, module, module))
    around = solver.box("dict", (function, "nonlocals"))
    frame = function.parent
    while frame is not None and frame.code.scope.kind != "module":
        for name, var in list(frame.cells.items()):
            solver.add(around.keys, solver.text(name))
            solver.flow(var, item_cell(solver, around, name))
        frame = frame.parent  # type: ignore[assignment]
    solver.add(solver.cell(told, "nonlocals"), around)
    solver.add(site.dst, told)


def _module_of(solver: Solver, site: Site) -> None:
    """`inspect.getmodule(x)`."""
    for var in site.positional[:1]:
        solver.when(var, _module_of_one, site.dst)
    solver.add(site.dst, solver.result("inspect.getmodule"))


def _module_of_one(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Bound):
        _module_of_one(solver, dst, value.func)
    elif isinstance(value, Function):
        solver.add(dst, solver.module_of(value.code.unit))
    elif isinstance(value, Class):
        solver.add(dst, solver.module_of(value.unit))
    elif isinstance(value, Instance):
        solver.add(dst, solver.module_of(value.cls.unit))


MODELS: Final[dict[str, Model]] = {
    "inspect.signature": _signature,
    "inspect.Signature.from_callable": _signature,
    "inspect.getclosurevars": _closure_names,
    "inspect.getmodule": _module_of,
}
"""By full name: what it does."""
