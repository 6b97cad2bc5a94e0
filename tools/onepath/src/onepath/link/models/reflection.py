"""Names as values: `getattr`, `setattr`, `vars`, `dir` and what else reads or writes by a name that is computed.

How an attribute is found is not known here, only which name is asked for.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.code import Site
from onepath.link.construction import any_field
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke_all
from onepath.link.items import item_cell, names_of, read_item
from onepath.link.members import plain_member
from onepath.link.models.model import Model, argument, gives, is_no_name, with_spread
from onepath.link.setting import set_attribute
from onepath.link.solver import Solver
from onepath.link.values import (
    Affix,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Foreign,
    Function,
    Instance,
    Module,
    Number,
    Partial,
    Result,
    Space,
    Text,
    Unknown,
    Value,
)


def get_by_name(solver: Solver, site: Site) -> None:
    whole = with_spread(solver, site, 2)
    if whole is not site:
        solver.at_very_last(_get_by_few_names, solver, whole)
        return
    if len(site.positional) < 2:
        return
    solver.when(site.positional[1], _getattr_name, site)
    solver.at_very_last(_getattr_blind, solver, site)
    for var in site.positional[2:3]:
        solver.flow(var, site.dst)


_MOST_NAMES: Final = 8
"""How many names that come out of `*` are told apart: what passes its own `*args` on is called with all there are."""


def _get_by_few_names(solver: Solver, site: Site) -> None:
    solver.when(site.positional[1], _getattr_of_few, site)


def _getattr_of_few(solver: Solver, site: Any, name: Value) -> None:
    names = solver.values.setdefault(("names out of *", site), {})
    names.setdefault(name)
    if len(names) <= _MOST_NAMES:
        _getattr_name(solver, site, name)
    else:
        solver.add(site.dst, solver.uncomputed("getattr", "the attribute is one of too many"))


def _getattr_blind(solver: Solver, site: Site) -> None:
    if not solver.has(site.positional[1]) and not solver.is_idle(site.frame, _getattr_blind, site):
        _getattr_name(solver, site, solver.unknown)


def _getattr_name(solver: Solver, site: Any, name: Value) -> None:
    obj = site.positional[0]
    name = plain_member(solver, name) or name
    if isinstance(name, Text):
        solver.when(obj, _getattr_known, (site, name.value))
        if not name.value.startswith("__"):
            solver.attribute_of[site.dst] = name.value
    else:
        solver.when(obj, _getattr_unknown, (site, name))


def _getattr_known(solver: Solver, payload: Any, value: Value) -> None:
    site, name = payload
    read_attribute(solver, site.frame, value, name, site.dst, site.line)


def _getattr_unknown(solver: Solver, payload: Any, value: Value) -> None:
    """A name of which at most the ends are known: all names that fit, if some are known."""
    site, name = payload
    if isinstance(name, Affix) and (name.start or name.end):
        fitting = [one for one in names_of(solver, value) if one.startswith(name.start) and one.endswith(name.end)]
        if isinstance(value, Module):
            fitting.extend(
                one
                for one in sorted(solver.children.get(value.name, ()))
                if one.startswith(name.start) and one.endswith(name.end)
            )
        for one in fitting:
            read_attribute(solver, site.frame, value, one, site.dst, site.line)
        if fitting or isinstance(value, Instance | Class):
            return
    if isinstance(value, Constant | Text | Number | Bytes | Unknown | Box) or is_no_name(name):
        return
    solver.note_gave(site.frame, "getattr", "the attribute's name is not known", site.line)
    solver.add(site.dst, solver.uncomputed("getattr", "the attribute's name is not known"))


def set_by_name(solver: Solver, site: Site) -> None:
    site = with_spread(solver, site, 3)
    if len(site.positional) < 3:
        return
    solver.when(site.positional[1], set_named, site)


def set_named(solver: Solver, site: Any, name: Value) -> None:
    if isinstance(name, Text):
        solver.when(site.positional[0], _setattr_known, (site, name.value))
    else:
        solver.when(site.positional[0], _setattr_unknown, site)


def _delete_by_name(solver: Solver, site: Site) -> None:
    site = with_spread(solver, site, 2)
    if len(site.positional) > 1:
        solver.when(site.positional[0], _delete_named, site)


def _delete_named(solver: Solver, site: Any, value: Value) -> None:
    if not isinstance(value, Instance):
        return
    call_special(solver, site.frame, value, "__delattr__", site.positional[1:2], -1, site.line)
    for name in list(solver.has(site.positional[1])):
        if isinstance(name, Text):
            set_attribute(solver, site.frame, value, name.value, -1, site.line)


def _setattr_known(solver: Solver, payload: Any, value: Value) -> None:
    site, name = payload
    set_attribute(solver, site.frame, value, name, site.positional[2], site.line)


def _setattr_unknown(solver: Solver, site: Any, value: Value) -> None:
    """An unknown name set on an object: each of its declared names may be it; on a module or class it is opaque."""
    if isinstance(value, Module | Class):
        if any(isinstance(one, Function | Bound | Class | Partial) for one in solver.has(site.positional[2])):
            solver.note_opaque(site.frame, "setattr", "the attribute's name is not known", site.line)
    elif isinstance(value, Instance):
        solver.flow(site.positional[2], any_field(solver, value))


def _vars(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.when(site.positional[0], space_of, site.dst)
    else:
        _locals(solver, site)


def space_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Module | Class | Instance | Function | Box | Foreign | Result):
        solver.add(dst, solver.once(Space, value, value))


def _globals(solver: Solver, site: Site) -> None:
    owner = solver.module_of(site.frame.code.unit)
    if site.frame.code.unit.outer is not None:
        owner = solver.module_of(site.frame.code.unit.outer)
    solver.add(site.dst, solver.once(Space, owner, owner))


def _locals(solver: Solver, site: Site) -> None:
    if site.frame.code.scope.kind == "module":
        _globals(solver, site)
        return
    box = solver.box("dict", ("locals", site.frame))
    for name, var in site.environment:
        solver.add(box.keys, solver.text(name))
        solver.flow(var, item_cell(solver, box, name))
    solver.add(site.dst, box)


def _dir(solver: Solver, site: Site) -> None:
    box = solver.box_at("list", site.frame, ("dir", site.dst - site.frame.base))
    solver.add(site.dst, box)
    for var in site.positional[:1]:
        solver.when(var, _dir_of, box)


def _dir_of(solver: Solver, box: Any, value: Value) -> None:
    for name in names_of(solver, value):
        solver.add(box.rest, solver.text(name))


def _hasattr(solver: Solver, site: Site) -> None:
    """Reads the attribute, which may be a property."""
    site = with_spread(solver, site, 2)
    get_by_name(solver, Site(site.frame, solver.new(), -1, site.positional[:2], (), site.line))
    solver.add(site.dst, solver.constant("bool"))


def _get_members(solver: Solver, site: Site) -> None:
    """`inspect.getmembers(x)`: pairs of name and value."""
    box = solver.box_at("list", site.frame, ("members", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.when(var, _members_of, (site, box))
    predicate = argument(site, 1, "predicate")
    if predicate >= 0:
        pair, value = solver.new(), solver.new()
        solver.flow(box.rest, pair)
        solver.when(pair, read_item, (site.frame, holding(solver, solver.number(1)), value, site.line))
        invoke_all(solver, site.frame, predicate, (value,), -1, site.line)
    solver.add(site.dst, box)


def _members_of(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    for name in names_of(solver, value):
        pair = solver.box("tuple", ("member", site, value, name))
        solver.add(item_cell(solver, pair, 0), solver.text(name))
        read_attribute(solver, site.frame, value, name, item_cell(solver, pair, 1), site.line)
        solver.add(box.rest, pair)


def _from_environment(name: str) -> Model:
    """What the environment says is not known; what is taken where it says nothing is."""

    def made(solver: Solver, site: Site) -> None:
        for var in (*site.positional[1:2], *(var for keyword, var in site.named if keyword == "default")):
            solver.flow(var, site.dst)
        solver.add(site.dst, solver.result(name))

    return made


_ENVIRONMENT: Final = ("os.getenv", *(f"os.environ.{name}" for name in ("get", "setdefault", "pop")))
MODELS: Final[dict[str, Model]] = {
    **{name: _from_environment(name) for name in _ENVIRONMENT},
    "builtins.getattr": get_by_name,
    "builtins.setattr": set_by_name,
    "builtins.delattr": _delete_by_name,
    "builtins.vars": _vars,
    "builtins.globals": _globals,
    "builtins.locals": _locals,
    "builtins.dir": _dir,
    "builtins.hasattr": _hasattr,
    "builtins.callable": gives("bool"),
    "builtins.id": gives("int"),
    "builtins.object.__getattribute__": get_by_name,
    "builtins.object.__setattr__": set_by_name,
    "builtins.type.__getattribute__": get_by_name,
    "builtins.type.__setattr__": set_by_name,
    "inspect.getattr_static": get_by_name,
    "inspect.getmembers": _get_members,
    "inspect.getmembers_static": _get_members,
}
"""By full name: what it does."""
