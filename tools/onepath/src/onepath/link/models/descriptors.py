"""Accessors, methods and functions made by a call: `property(f)`, `types.MethodType(f, x)`, `types.FunctionType(code)`.

What reading such an attribute does is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.models.model import Model, argument
from onepath.link.solver import Solver
from onepath.link.values import Constant, Descriptor, Function, Method, Value


def _descriptor(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        get = argument(site, 0, "fget")
        if get < 0:
            solver.add(site.dst, solver.foreign(f"builtins.{kind}"))
            return
        solver.when(get, _descriptor_of, (kind, site))

    return made


def _descriptor_of(solver: Solver, payload: Any, value: Value) -> None:
    kind, site = payload
    set_var, delete_var = argument(site, 1, "fset"), argument(site, 2, "fdel")
    setters = list(solver.has(set_var)) if set_var >= 0 else []
    deleters = list(solver.has(delete_var)) if delete_var >= 0 else []
    key = (
        kind,
        value,
        next((one for one in setters if not isinstance(one, Constant)), None),
        next((one for one in deleters if not isinstance(one, Constant)), None),
    )
    solver.add(site.dst, solver.once(Descriptor, key, *key))


def _method_type(solver: Solver, site: Site) -> None:
    if len(site.positional) > 1:
        solver.when(site.positional[0], _method_of, (site.positional[1], site.dst))


def _method_of(solver: Solver, payload: Any, func: Value) -> None:
    owners, dst = payload
    solver.when(owners, _bind_method, (func, dst))


def _bind_method(solver: Solver, payload: Any, owner: Value) -> None:
    func, dst = payload
    solver.add(dst, solver.bound(func, owner))


def _function_of_code(solver: Solver, site: Site) -> None:
    """`types.FunctionType(f.__code__, …)`: another function of the same code, if it is known which."""
    for var in site.positional[:1]:
        solver.when(var, _function_of, site)
        solver.at_very_last(_function_blind, solver, var, site)


def _function_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Method) and value.name == "__code__" and isinstance(value.owner, Function):
        solver.add(site.dst, value.owner)
        return
    why = "a function is made of a code object"
    solver.note_opaque(site.frame, "types.FunctionType", why, site.line)
    solver.add(site.dst, solver.uncomputed("types.FunctionType", why))


def _function_blind(solver: Solver, var: int, site: Site) -> None:
    if not solver.has(var):
        _function_of(solver, site, solver.unknown)


MODELS: Final[dict[str, Model]] = {
    "builtins.property": _descriptor("property"),
    "builtins.staticmethod": _descriptor("static"),
    "builtins.classmethod": _descriptor("class"),
    "functools.cached_property": _descriptor("property"),
    "types.MethodType": _method_type,
    "types.FunctionType": _function_of_code,
    "types.LambdaType": _function_of_code,
}
"""By full name: what it does."""
