"""Classes as values: `type` with one argument and with three, `super`, `types.new_class`, tests of types.

The class statement is not known here.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.class_bodies import run_class_call
from onepath.link.classes import lookup
from onepath.link.code import Frame, Site
from onepath.link.construction import named_members, new_one
from onepath.link.dunders import call_special
from onepath.link.invoke import holding, invoke, invoke_all
from onepath.link.items import item_cell, read_item
from onepath.link.iteration import iterate
from onepath.link.models.model import Model, argument, nothing
from onepath.link.narrowing import tested
from onepath.link.solver import Solver
from onepath.link.values import (
    CLASSES,
    OBJECTS,
    Affix,
    Bound,
    Box,
    Class,
    Constant,
    Descriptor,
    Function,
    Instance,
    Number,
    Result,
    Super,
    Text,
    Value,
)


def _type(solver: Solver, site: Site) -> None:
    if len(site.positional) == 1:
        solver.when(site.positional[0], _type_of, site.dst)
    elif len(site.positional) >= 3:
        make_type(solver, site, site.positional[0], site.positional[1], site.positional[2])
    if len(site.positional) > 1:  # `type.__call__(cls, …)`: an object, made whatever the metaclass does
        rest = Site(site.frame, site.dst, -1, site.positional[1:], site.named, site.line, site.stars, site.double_stars)
        solver.when(site.positional[0], _construct_plainly, rest, CLASSES)


def _construct_plainly(solver: Solver, site: Any, cls: Value) -> None:
    solver.call(solver, site, solver.method(cls, "construct"))


def _type_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Instance):
        solver.add(dst, value.cls)
    elif isinstance(value, Class):
        if value.metaclass >= 0:
            solver.flow(value.metaclass, dst)
        else:
            solver.add(dst, solver.foreign("builtins.type"))
    elif isinstance(value, Result):
        solver.add(dst, solver.foreign(value.name))
    elif isinstance(value, Text | Affix):
        solver.add(dst, solver.foreign("builtins.str"))
    elif isinstance(value, Number):
        solver.add(dst, solver.foreign("builtins.int"))
    elif isinstance(value, Constant):
        solver.add(dst, solver.foreign(f"builtins.{value.type}"))
    elif isinstance(value, Box):
        solver.add(dst, solver.foreign(f"builtins.{value.kind}"))
    elif isinstance(value, Function | Bound):
        solver.add(dst, solver.foreign("types.FunctionType"))


def make_type(
    solver: Solver, site: Site, name: int, bases: int, names: int, double_stars: tuple[int, ...] = ()
) -> None:
    key = (Class, ("type", site))
    cls = solver.values.get(key)
    if cls is None:
        shown = next((one.value for one in solver.has(name) if isinstance(one, Text)), "<class>")
        cls = solver.values[key] = Class(shown, None, site.frame, site.frame.code.unit)
        solver.classes.append(cls)
    if names >= 0:
        solver.when(names, named_members, cls)
    run_class_call(solver, cls, site.frame, bases, double_stars, site.line)
    solver.add(site.dst, cls)


def _new_class(solver: Solver, site: Site) -> None:
    empty = solver.new()
    bases = argument(site, 1, "bases")
    keywords = argument(site, 2, "kwds")
    doubles = (keywords,) if keywords >= 0 else ()
    make_type(solver, site, argument(site, 0, "name"), bases if bases >= 0 else empty, -1, doubles)
    body = argument(site, 3, "exec_body")
    if body >= 0:
        box = solver.box("dict", ("new class", site))
        invoke_all(solver, site.frame, body, (holding(solver, box),), -1, site.line)
        cls = solver.values.get((Class, ("type", site)))
        if cls is not None:
            solver.later(named_members, solver, cls, box)


def _resolve_bases(solver: Solver, site: Site) -> None:
    """`types.resolve_bases(bases)`: objects among them are asked for what they stand for."""
    box = solver.box_at("tuple", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.flow(var, site.dst)
        base = solver.new()
        iterate(solver, site.frame, var, base, False, site.line)
        solver.when(base, _entries_of, (site, box), OBJECTS)
    solver.add(site.dst, box)


def _entries_of(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    entries = solver.new()
    call_special(solver, site.frame, value, "__mro_entries__", site.positional[:1], entries, site.line)
    iterate(solver, site.frame, entries, box.rest, False, site.line)


def _prepare_class(solver: Solver, site: Site) -> None:
    """`types.prepare_class(name, bases, {"metaclass": M})`: asks the metaclass for a namespace."""
    named = argument(site, 2, "kwds")
    box = solver.box_at("tuple", site.frame, ("made", site.dst - site.frame.base))
    if named >= 0:
        meta = item_cell(solver, box, 0)
        solver.when(named, read_item, (site.frame, holding(solver, solver.text("metaclass")), meta, site.line))
        solver.when(meta, _asked_to_prepare, (site, item_cell(solver, box, 1)), CLASSES)
    solver.add(site.dst, box)


def _asked_to_prepare(solver: Solver, payload: Any, meta: Value) -> None:
    site, names = payload
    lookup(solver, meta, "__prepare__", _prepares, (site, meta, names))  # type: ignore[arg-type]


def _prepares(solver: Solver, payload: Any, member: Value) -> None:
    site, meta, names = payload
    inner = member.get if isinstance(member, Descriptor) else member
    if isinstance(inner, Function):
        invoke(solver, site.frame, solver.bound(inner, meta), site.positional[:2], names, site.line)


def _super(solver: Solver, site: Site) -> None:
    if len(site.positional) >= 2:
        solver.when(site.positional[0], _super_of, (site.positional[1], site.dst))
        return
    frame: Frame | None = site.frame
    method: Frame = site.frame
    while frame is not None and frame.code.scope.kind != "class":
        method = frame
        frame = frame.parent
    if frame is None:
        return
    cls = solver.values.get((Class, (frame.code, frame.parent)))
    if cls is not None:
        first = method.base if method.code.scope.parameters else -1
        if first >= 0:
            solver.when(first, _super_for, (cls, site.dst))


def _super_of(solver: Solver, payload: Any, cls: Value) -> None:
    owners, dst = payload
    if isinstance(cls, Class):
        solver.when(owners, _super_for, (cls, dst))


def _super_for(solver: Solver, payload: Any, owner: Value) -> None:
    cls, dst = payload
    if isinstance(owner, Instance | Class):
        key = (cls, owner)
        solver.add(dst, solver.once(Super, key, cls, owner))


def _type_test(method: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.constant("bool"))
        if len(site.positional) > 1:
            tested(solver, site.frame, site.positional[0], site.positional[1], method, site.line)

    return made


def _object_new(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, new_one, site)


MODELS: Final[dict[str, Model]] = {
    "builtins.type": _type,
    "builtins.super": _super,
    "builtins.isinstance": _type_test("__instancecheck__"),
    "builtins.issubclass": _type_test("__subclasscheck__"),
    "builtins.object": nothing,
    "builtins.object.__new__": _object_new,
    "builtins.object.__init__": nothing,
    "builtins.object.__init_subclass__": nothing,
    "builtins.type.__new__": nothing,
    "types.new_class": _new_class,
    "types.resolve_bases": _resolve_bases,
    "types.prepare_class": _prepare_class,
}
"""By full name: what it does."""
