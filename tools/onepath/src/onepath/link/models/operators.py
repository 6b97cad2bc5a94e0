"""Built-ins and functions of `operator` that call a dunder of what they are given.

How an operator chooses between its two sides is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.code import Site
from onepath.link.dunders import call_special
from onepath.link.escaping import escape_arguments
from onepath.link.items import read_item, set_item
from onepath.link.models.model import Model
from onepath.link.operators import operated
from onepath.link.solver import Solver
from onepath.link.values import BOXES, OBJECTS_AND_CLASSES, Box, Value
from onepath.link.within import reach_all


def _special(*methods: str) -> Model:
    """A built-in that calls a dunder of its first argument."""

    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _call_dunder, (site, methods), _WITH_DUNDERS)

    return made


_WITH_DUNDERS: Final = OBJECTS_AND_CLASSES | BOXES


def _call_dunder(solver: Solver, payload: Any, value: Value) -> None:
    site, methods = payload
    if isinstance(value, Box):
        solver.read(value)
    for method in methods:
        if call_special(solver, site.frame, value, method, site.positional[1:], site.dst, site.line):
            return


def _print(solver: Solver, site: Site) -> None:
    for var in site.positional:
        shown = Site(site.frame, solver.new(), -1, (), (), site.line)
        solver.when(var, _call_dunder, (shown, ("__str__", "__repr__")), _WITH_DUNDERS)
    for name, var in site.named:
        if name == "file":
            solver.when(var, _written_to, site)


def _written_to(solver: Solver, site: Any, value: Value) -> None:
    for method in ("write", "flush"):
        call_special(solver, site.frame, value, method, site.positional[:1], -1, site.line)


def _hash(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        reach_all(solver, site.frame, var, ("__hash__",), solver.nowhere, site.line)


def _dump_to(solver: Solver, site: Site) -> None:
    for var in site.positional[1:2]:
        solver.when(var, _written_to, site)
    escape_arguments(solver, site, "json.dump")


def _operator(method: str) -> Model:
    """A function of `operator` that is an operator."""

    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            right = site.positional[1] if len(site.positional) > 1 else -1
            reflected = f"__r{method[2:]}" if right >= 0 else ""
            operated(solver, site.frame, site.positional[0], right, method, reflected, site.dst, site.line)

    return made


def _item_of(solver: Solver, site: Site) -> None:
    if len(site.positional) > 1:
        solver.when(site.positional[0], read_item, (site.frame, site.positional[1], site.dst, site.line))


def _set_item_of(solver: Solver, site: Site) -> None:
    if len(site.positional) > 2:
        solver.when(site.positional[1], _set_item_key, site)


def _set_item_key(solver: Solver, site: Any, key: Value) -> None:
    solver.when(site.positional[0], _set_item_on, (site, key))


def _set_item_on(solver: Solver, payload: Any, owner: Value) -> None:
    site, key = payload
    set_item(solver, site.frame, owner, key, site.positional[2], site.line)


MODELS: Final[dict[str, Model]] = {
    "builtins.repr": _special("__repr__", "__str__"),
    "builtins.ascii": _special("__repr__"),
    "builtins.format": _special("__format__", "__str__"),
    "builtins.len": _special("__len__"),
    "builtins.bool": _special("__bool__", "__len__"),
    "builtins.int": _special("__int__", "__index__", "__trunc__"),
    "builtins.float": _special("__float__", "__index__"),
    "builtins.complex": _special("__complex__"),
    "builtins.hash": _hash,
    "builtins.abs": _special("__abs__"),
    "builtins.round": _special("__round__"),
    "builtins.divmod": _operator("__divmod__"),
    "builtins.pow": _operator("__pow__"),
    "builtins.sum": _special("__iter__"),
    "builtins.any": _special("__iter__"),
    "builtins.all": _special("__iter__"),
    "builtins.print": _print,
    **{
        f"operator.{name}": _operator(f"__{name.strip('_')}__")
        for name in (
            "add",
            "sub",
            "mul",
            "truediv",
            "floordiv",
            "mod",
            "pow",
            "matmul",
            "lshift",
            "rshift",
            "and_",
            "or_",
            "xor",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "neg",
            "pos",
            "invert",
            "contains",
            "iadd",
            "isub",
            "imul",
            "ior",
            "iand",
            "abs",
            "__add__",
            "__sub__",
            "__mul__",
            "__eq__",
            "__lt__",
        )
    },
    "operator.concat": _operator("__add__"),
    "operator.iconcat": _operator("__iadd__"),
    "operator.getitem": _item_of,
    "operator.setitem": _set_item_of,
    "operator.truth": _special("__bool__", "__len__"),
    "operator.not_": _special("__bool__", "__len__"),
    "json.dump": _dump_to,
}
"""By full name: what it does."""
