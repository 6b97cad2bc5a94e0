"""What built-in and standard functions do with what they are given, where that matters to what is called.

One function per group of names, and the table that says which is whose. Whatever is not in the table is foreign code:
it may call what it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.attributes import _call_member, call_special, read_attribute, set_attribute
from onepath.link.calls import Binding, call, escape_arguments, plain_instance, run_unknown
from onepath.link.classes import lookup
from onepath.link.code import Frame, Site, Unit
from onepath.link.hints import arguments_of, hints
from onepath.link.imports import import_module
from onepath.link.invoke import holding, invoke, invoke_all
from onepath.link.items import (
    awaited,
    enter,
    item_cell,
    items_of,
    iterate,
    merge_into,
    names_of,
    read_item,
    set_item,
)
from onepath.link.solver import Solver
from onepath.link.texts import decoded, formatted, operated
from onepath.link.values import (
    BOXES,
    CLASSES,
    OBJECTS_AND_CLASSES,
    Affix,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    Foreign,
    Function,
    Getter,
    Instance,
    Method,
    Module,
    Number,
    Partial,
    Result,
    Running,
    Space,
    Super,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)

Model = Callable[[Solver, Site], None]


def _argument(site: Site, index: int, name: str = "") -> int:
    if index < len(site.positional):
        return site.positional[index]
    return next((var for one, var in site.named if one == name), -1) if name else -1


# -- names as values -------------------------------------------------------------------------------------------


def _getattr(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    solver.when(site.positional[1], _getattr_name, site)
    solver.later(_getattr_blind, solver, site)
    for var in site.positional[2:3]:
        solver.flow(var, site.dst)


def _getattr_blind(solver: Solver, site: Site) -> None:
    if not solver.has(site.positional[1]):
        _getattr_name(solver, site, solver.unknown)


def _getattr_name(solver: Solver, site: Any, name: Value) -> None:
    obj = site.positional[0]
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
    if isinstance(value, Constant | Text | Number | Bytes | Unknown | Box):
        return
    solver.add(site.dst, solver.uncomputed("getattr", "the attribute's name is not known"))


def _setattr(solver: Solver, site: Site) -> None:
    if len(site.positional) < 3:
        return
    solver.when(site.positional[1], _setattr_name, site)


def _setattr_name(solver: Solver, site: Any, name: Value) -> None:
    if isinstance(name, Text):
        solver.when(site.positional[0], _setattr_known, (site, name.value))
    else:
        solver.when(site.positional[0], _setattr_unknown, site)


def _setattr_known(solver: Solver, payload: Any, value: Value) -> None:
    site, name = payload
    set_attribute(solver, site.frame, value, name, site.positional[2], site.line)


def _setattr_unknown(solver: Solver, site: Any, value: Value) -> None:
    """An unknown name set on an object: each of its declared names may be it; on a module or class it is opaque."""
    if isinstance(value, Module | Class):
        if any(isinstance(one, Function | Bound | Class | Partial) for one in solver.has(site.positional[2])):
            solver.note_opaque(site.frame, "setattr", "the attribute's name is not known", site.line)
    elif isinstance(value, Instance):
        for one, _ in [(name, None) for cls in value.cls.mro for name in cls.fields]:
            solver.flow(site.positional[2], solver.cell(value, one))


def _vars(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.when(site.positional[0], _space_of, site.dst)
    else:
        _locals(solver, site)


def _space_of(solver: Solver, dst: Any, value: Value) -> None:
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


# -- types -----------------------------------------------------------------------------------------------------


def _type(solver: Solver, site: Site) -> None:
    if len(site.positional) == 1:
        solver.when(site.positional[0], _type_of, site.dst)
    elif len(site.positional) >= 3:
        _make_type(solver, site, site.positional[0], site.positional[1], site.positional[2])


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


def _make_type(solver: Solver, site: Site, name: int, bases: int, names: int) -> None:
    key = (Class, ("type", site))
    cls = solver.values.get(key)
    if cls is None:
        shown = next((one.value for one in solver.has(name) if isinstance(one, Text)), "<class>")
        cls = solver.values[key] = Class(shown, None, site.frame, site.frame.code.unit)
        solver.classes.append(cls)
    inner = solver.new()
    iterate(solver, site.frame, bases, inner, False, site.line)
    solver.when(inner, _type_base, (cls, site))
    if names >= 0:
        solver.when(names, _type_members, cls)
    solver.add(site.dst, cls)


def _type_base(solver: Solver, payload: Any, value: Value) -> None:
    from onepath.link.classes import add_base

    cls, site = payload
    add_base(solver, cls, value)
    if isinstance(value, Class):
        for one in value.mro:
            solver.note_made(one, site.frame, "subclass", site.line)


def _type_members(solver: Solver, cls: Any, value: Value) -> None:
    if isinstance(value, Box):
        for name, var in list(value.items.items()):
            if isinstance(name, str):
                cls.binding(name)
                solver.flow(var, solver.cell(cls, name))


def _new_class(solver: Solver, site: Site) -> None:
    empty = solver.new()
    bases = _argument(site, 1, "bases")
    _make_type(solver, site, _argument(site, 0, "name"), bases if bases >= 0 else empty, -1)
    body = _argument(site, 3, "exec_body")
    if body >= 0:
        box = solver.box("dict", ("new class", site))
        invoke_all(solver, site.frame, body, (holding(solver, box),), -1, site.line)
        cls = solver.values.get((Class, ("type", site)))
        if cls is not None:
            solver.later(_type_members, solver, cls, box)


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


def _descriptor(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        get = _argument(site, 0, "fget")
        if get < 0:
            solver.add(site.dst, solver.foreign(f"builtins.{kind}"))
            return
        solver.when(get, _descriptor_of, (kind, site))

    return made


def _descriptor_of(solver: Solver, payload: Any, value: Value) -> None:
    kind, site = payload
    set_var, delete_var = _argument(site, 1, "fset"), _argument(site, 2, "fdel")
    setters = list(solver.has(set_var)) if set_var >= 0 else []
    deleters = list(solver.has(delete_var)) if delete_var >= 0 else []
    key = (
        kind,
        value,
        next((one for one in setters if not isinstance(one, Constant)), None),
        next((one for one in deleters if not isinstance(one, Constant)), None),
    )
    solver.add(site.dst, solver.once(Descriptor, key, *key))


def _factory_field(solver: Solver, site: Site) -> None:
    """`dataclasses.field` and its like."""
    for name, var in site.named:
        if name == "default":
            solver.flow(var, site.dst)
        elif name in ("default_factory", "factory"):
            solver.when(var, _factory_of, site.dst)
    for var in site.positional[:1]:
        solver.flow(var, site.dst)


def _factory_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Foreign):
        kind = value.name.removeprefix("builtins.")
        if kind in ("dict", "list", "set") and value.name.startswith("builtins."):
            solver.add(dst, solver.box(kind, ("factory", dst)))
            return
    key = ("factory", value, None, None)
    solver.add(dst, solver.once(Descriptor, key, *key))


# -- containers ------------------------------------------------------------------------------------------------


def _container(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at(kind, site.frame, ("made", site.dst - site.frame.base))
        for name, var in site.named:
            solver.add(box.keys, solver.text(name))
            solver.flow(var, item_cell(solver, box, name))
        for var in site.positional if kind == "dict" else site.positional[:1]:
            if kind == "dict":
                solver.when(var, _merged, (site, box))
            else:
                solver.when(var, _copied, (site, box))
        for var in site.double_stars:
            solver.when(var, _merged, (site, box))
        solver.add(site.dst, box)

    return made


def _copied(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    if isinstance(value, Box) and value.kind in ("list", "tuple") and box.kind in ("list", "tuple"):
        for key, var in list(value.items.items()):
            solver.flow(var, item_cell(solver, box, key))
        solver.flow(value.rest, box.rest)
        return
    iterate(solver, site.frame, holding(solver, value), box.rest, False, site.line)


def _merged(solver: Solver, payload: Any, value: Value) -> None:
    """A mapping, or pairs, or an object that is one of them, into a new mapping."""
    site, box = payload
    merge_into(solver, box, value)
    if isinstance(value, Instance):
        keys = solver.var_for(("keys", site, value))
        call_special(solver, site.frame, value, "keys", (), keys, site.line)
        iterate(solver, site.frame, keys, box.keys, False, site.line)
        call_special(solver, site.frame, value, "__getitem__", (box.keys,), box.rest, site.line)
        call_special(solver, site.frame, value, "__iter__", (), -1, site.line)


def _merge(solver: Solver, box: Any, value: Value) -> None:
    merge_into(solver, box, value)


def _default_dict(solver: Solver, site: Site) -> None:
    box = solver.box_at("dict", site.frame, ("made", site.dst - site.frame.base))
    if site.positional:
        box.missing = site.positional[0]
        solver.when(site.positional[0], _default_box, (site, box))
    for var in site.positional[1:2]:
        solver.when(var, _merge, box)
    solver.add(site.dst, box)


def _default_box(solver: Solver, payload: Any, value: Value) -> None:
    site, box = payload
    if isinstance(value, Foreign) and value.name in ("builtins.list", "builtins.dict", "builtins.set"):
        solver.add(box.rest, solver.box(value.name.removeprefix("builtins."), ("default", site)))


def _same(index: int = 0) -> Model:
    """Gives back one of its arguments."""

    def made(solver: Solver, site: Site) -> None:
        var = _argument(site, index)
        if var >= 0:
            solver.flow(var, site.dst)

    return made


def _elements(kind: str) -> Model:
    """A container or iterator of the elements of its arguments."""

    def made(solver: Solver, site: Site) -> None:
        box = solver.box_at(kind, site.frame, ("made", site.dst - site.frame.base))
        for var in (*site.positional, *site.stars):
            iterate(solver, site.frame, var, box.rest, False, site.line)
        for name, var in site.named:
            if name == "key":
                invoke_all(solver, site.frame, var, (box.rest,), -1, site.line)
        solver.add(site.dst, box)

    return made


def _picked(solver: Solver, site: Site) -> None:
    """`min`, `max`: an element, or one of several arguments."""
    element = solver.new()
    if len(site.positional) == 1:
        iterate(solver, site.frame, site.positional[0], element, False, site.line)
    else:
        for var in site.positional:
            solver.flow(var, element)
    solver.flow(element, site.dst)
    for name, var in site.named:
        if name == "key":
            invoke_all(solver, site.frame, var, (element,), -1, site.line)
        elif name == "default":
            solver.flow(var, site.dst)


def _iter(solver: Solver, site: Site) -> None:
    if len(site.positional) == 2:
        box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
        invoke_all(solver, site.frame, site.positional[0], (), box.rest, site.line)
        solver.add(site.dst, box)
        return
    for var in site.positional:
        solver.when(var, _iter_of, site)


def _iter_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Box):
        box = solver.box_at("generator", site.frame, ("iterated", site.dst - site.frame.base))
        iterate(solver, site.frame, holding(solver, value), box.rest, False, site.line)
        solver.add(site.dst, box)
    elif not call_special(solver, site.frame, value, "__iter__", (), site.dst, site.line):
        solver.add(site.dst, value)


def _next(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _next_of, site)
    for var in site.positional[1:]:
        solver.flow(var, site.dst)


def _next_of(solver: Solver, site: Any, value: Value) -> None:
    if not call_special(solver, site.frame, value, "__next__", (), site.dst, site.line):
        iterate(solver, site.frame, holding(solver, value), site.dst, False, site.line)


def _anext(solver: Solver, site: Site) -> None:
    box = solver.box_at("awaitable", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, box.rest, True, site.line)
    solver.add(site.dst, box)


def _zip(solver: Solver, site: Site) -> None:
    pair = solver.box_at("tuple", site.frame, ("zipped", site.dst - site.frame.base))
    for index, var in enumerate(site.positional):
        iterate(solver, site.frame, var, item_cell(solver, pair, index), False, site.line)
    for var in site.stars:
        several = solver.new()
        iterate(solver, site.frame, var, several, False, site.line)
        iterate(solver, site.frame, several, pair.rest, False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


def _grouped(solver: Solver, site: Site) -> None:
    """`itertools.groupby`: pairs of key and group."""
    element = solver.new()
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, element, False, site.line)
    pair = solver.box_at("tuple", site.frame, ("grouped", site.dst - site.frame.base))
    group = solver.box_at("generator", site.frame, ("group", site.dst - site.frame.base))
    solver.flow(element, group.rest)
    solver.add(item_cell(solver, pair, 1), group)
    key = _argument(site, 1, "key")
    if key >= 0:
        invoke_all(solver, site.frame, key, (element,), item_cell(solver, pair, 0), site.line)
    else:
        solver.flow(element, item_cell(solver, pair, 0))
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


def _enumerate(solver: Solver, site: Site) -> None:
    pair = solver.box_at("tuple", site.frame, ("numbered", site.dst - site.frame.base))
    solver.add(item_cell(solver, pair, 0), solver.constant("int"))
    for var in site.positional[:1]:
        iterate(solver, site.frame, var, item_cell(solver, pair, 1), False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    solver.add(box.rest, pair)
    solver.add(site.dst, box)


# -- callers of callables --------------------------------------------------------------------------------------


def _map(solver: Solver, site: Site) -> None:
    if not site.positional:
        return
    arguments: list[int] = []
    for var in site.positional[1:]:
        element = solver.new()
        iterate(solver, site.frame, var, element, False, site.line)
        arguments.append(element)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    if site.stars:
        each = solver.box_at("tuple", site.frame, ("mapped", site.dst - site.frame.base))
        for var in site.stars:
            several = solver.new()
            iterate(solver, site.frame, var, several, False, site.line)
            iterate(solver, site.frame, several, each.rest, False, site.line)
        inner = Site(site.frame, box.rest, -1, tuple(arguments), (), site.line, (holding(solver, each),))
        solver.when(site.positional[0], _call_inner, inner)
    else:
        invoke_all(solver, site.frame, site.positional[0], tuple(arguments), box.rest, site.line)
    for var in site.positional[1:]:
        # The arguments the wrong way round: it would fail, but the function is what is meant.
        solver.when(var, _mapped_by, (site, box.rest))
    solver.add(site.dst, box)


def _mapped_by(solver: Solver, payload: Any, value: Value) -> None:
    site, dst = payload
    if isinstance(value, Function | Bound):
        invoke(solver, site.frame, value, (solver.new(),), dst, site.line)


def _starmap(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    element = solver.new()
    iterate(solver, site.frame, site.positional[1], element, False, site.line)
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    inner = Site(site.frame, box.rest, -1, (), (), site.line, (element,))
    solver.when(site.positional[0], _call_inner, inner)
    solver.add(site.dst, box)


def _call_inner(solver: Solver, site: Any, value: Value) -> None:
    call(solver, site, value)


def _filter(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    box = solver.box_at("generator", site.frame, ("made", site.dst - site.frame.base))
    iterate(solver, site.frame, site.positional[1], box.rest, False, site.line)
    invoke_all(solver, site.frame, site.positional[0], (box.rest,), -1, site.line)
    solver.add(site.dst, box)


def _reduce(solver: Solver, site: Site) -> None:
    if len(site.positional) < 2:
        return
    element = solver.new()
    iterate(solver, site.frame, site.positional[1], element, False, site.line)
    total = solver.new()
    solver.flow(element, total)
    for var in site.positional[2:]:
        solver.flow(var, total)
    invoke_all(solver, site.frame, site.positional[0], (total, element), total, site.line)
    solver.flow(total, site.dst)


def _apply(solver: Solver, site: Site) -> None:
    """`operator.call(f, *args)`."""
    if site.positional:
        inner = Site(site.frame, site.dst, -1, site.positional[1:], site.named, site.line, site.stars)
        solver.when(site.positional[0], _call_inner, inner)


def _thread(solver: Solver, site: Site) -> None:
    """A thread or process: its target runs with its arguments, from where it is made."""
    name = "threading.Thread"
    solver.add(site.dst, solver.result(name))
    named = dict(site.named)
    target = named.get("target", named.get("function", -1))
    if target < 0 and len(site.positional) > 1:
        target = site.positional[1]
    arguments = named.get("args", -1)
    if arguments < 0 and len(site.positional) > 2:
        arguments = site.positional[2]
    double = named.get("kwargs", -1)
    if target >= 0:
        inner = Site(
            site.frame, solver.new(), -1, (), (), site.line, (arguments,) if arguments >= 0 else (),
            (double,) if double >= 0 else (),
        )  # fmt: skip
        solver.when(target, _started, inner)


def _started(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Foreign):
        if value.special:
            solver.edge(site.frame, value.name, "may-call", site.line)
        return
    if isinstance(value, Uncomputed):
        solver.note_opaque(site.frame, value.what, value.why, site.line)
        return
    call(solver, site, value)


def _start_new_thread(solver: Solver, site: Site) -> None:
    if site.positional:
        inner = Site(site.frame, solver.new(), -1, (), (), site.line, site.positional[1:2])
        solver.when(site.positional[0], _started, inner)


def _process(solver: Solver, site: Site) -> None:
    _thread(solver, site)
    solver.add(site.dst, solver.result("multiprocessing.Process"))


# -- functools, operator, contextlib ---------------------------------------------------------------------------


def _partial(method: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            solver.when(site.positional[0], _partial_of, (site, method))

    return made


def _partial_of(solver: Solver, payload: Any, value: Value) -> None:
    site, method = payload
    positional = site.positional[1:]
    if site.stars:
        spread = solver.new()
        iterate(solver, site.frame, site.stars[0], spread, False, site.line)
        positional = (*positional, spread)
    key = (value, positional, site.named, method)
    solver.add(site.dst, solver.once(Partial, key, *key))


def _wraps(solver: Solver, site: Site) -> None:
    """`functools.wraps(f)`: a decorator that changes nothing but names."""
    solver.add(site.dst, solver.once(Getter, ("wraps", site), "wraps", (), site))


def _update_wrapper(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.flow(site.positional[0], site.dst)
        if len(site.positional) > 1:
            solver.when(site.positional[0], _wrapped, site.positional[1])


def _wrapped(solver: Solver, src: Any, value: Value) -> None:
    if isinstance(value, Function | Instance):
        solver.flow(src, solver.cell(value, "__wrapped__"))


def _cached(solver: Solver, site: Site) -> None:
    """`lru_cache` and its like: with or without arguments."""
    if not site.positional:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))
        return
    solver.when(site.positional[0], _cached_of, site)


def _cached_of(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Function | Class | Partial | Bound | Descriptor):
        solver.add(site.dst, value)
        if isinstance(value, Function):
            solver.add(solver.cell(value, "__wrapped__"), value)
    else:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _identity_decorator(solver: Solver, site: Site) -> None:
    """A decorator that gives back what it decorates; with other arguments, it makes such a decorator."""
    decorated = False
    for var in site.positional[:1]:
        solver.when(var, _decorated, site)
        decorated = True
    if not decorated:
        solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _decorated(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Function | Class | Descriptor | Partial | Bound | Instance):
        solver.add(site.dst, value)


def _single_dispatch(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.when(site.positional[0], _dispatch_of, site)


def _dispatch_of(solver: Solver, site: Any, value: Value) -> None:
    key = ("dispatch", value, None, None)
    made = solver.once(Descriptor, key, *key)
    solver.add(solver.cell(made, "registered"), value)
    solver.add(site.dst, made)


def _getter(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        names: list[str] = []
        for var in site.positional[: 1 if kind == "methodcaller" else None]:
            names.extend(value.value for value in solver.has(var) if isinstance(value, Text))
        solver.add(site.dst, solver.once(Getter, (kind, site), kind, tuple(names), site))

    return made


def _type_maker(kind: str) -> Model:
    """`TypeVar("T", bound=X)`, `NewType("N", X)`: what they stand for is read from their arguments."""

    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.once(Getter, (kind, site), kind, (), site))

    return made


def call_getter(solver: Solver, site: Site, value: Getter) -> None:
    """An `attrgetter`, `itemgetter`, `methodcaller` or decorator is called."""
    if value.kind in ("identity", "wraps", "newtype"):
        for var in site.positional[:1]:
            solver.flow(var, site.dst)
            if value.kind == "wraps" and value.site.positional:
                solver.when(var, _wrapped, value.site.positional[0])
        return
    if value.kind == "context decorator":
        _call_in_context(solver, site, value)
        return
    if not site.positional or value.kind in ("typevar", "entry point", "decoder"):
        return
    subject = site.positional[0]
    names = value.site.positional
    if value.kind == "itemgetter":
        from onepath.link.items import read_item

        several = len(names) > 1
        box = solver.box_at("tuple", site.frame, ("got", site.dst - site.frame.base)) if several else None
        for index, key in enumerate(names):
            dst = site.dst if box is None else item_cell(solver, box, index)
            solver.when(subject, read_item, (site.frame, key, dst, site.line))
        if box is not None:
            solver.add(site.dst, box)
        return
    if value.kind == "methodcaller":
        if names:
            solver.when(names[0], _call_named, (site, subject, names[1:], value.site.named))
        return
    several = len(names) > 1
    box = solver.box_at("tuple", site.frame, ("got", site.dst - site.frame.base)) if several else None
    for index, name in enumerate(names):
        dst = site.dst if box is None else item_cell(solver, box, index)
        solver.when(name, _get_path, (site, subject, dst))
    if box is not None:
        solver.add(site.dst, box)


def _call_in_context(solver: Solver, site: Site, value: Getter) -> None:
    """A function decorated with a context manager: enter, call, exit. Once each, for it may be decorated by itself."""
    key = ("in context", site.frame, site.dst, site.positional, site.named, value)
    if key in solver.values:
        return
    solver.values[key] = True
    solver.when(solver.var_for(("context of", value.site)), _both_ways, (site, value.site))
    for var in value.site.positional[:1]:
        solver.when(
            var, _call_inner, Site(site.frame, site.dst, -1, site.positional, site.named, site.line, site.stars)
        )


def _both_ways(solver: Solver, payload: Any, value: Value) -> None:
    site, made = payload
    for is_async in (False, True):
        enter(solver, (site.frame, is_async, solver.nowhere, made.line), value)


def _entry_point(solver: Solver, site: Site) -> None:
    """`importlib.metadata.EntryPoint(name, "module:object", group)`: loaded, it is that object."""
    solver.add(site.dst, solver.once(Getter, ("entry point", site), "entry point", (), site))


def load_entry_point(solver: Solver, site: Site, value: Getter) -> None:
    """`.load()` of an entry point."""
    var = _argument(value.site, 1, "value")
    if var >= 0:
        solver.when(var, _resolved, Site(site.frame, site.dst, -1, (), (), site.line))


def _add_handler(solver: Solver, site: Site) -> None:
    """A handler is added to a logger: every record goes to it from then on."""
    for var in site.positional[:1]:
        solver.flow(var, solver.var_for("log handlers"))
    escape_arguments(solver, site, "logging.Logger.addHandler")


def _configure_logging(solver: Solver, site: Site) -> None:
    for name, var in site.named:
        if name == "handlers":
            iterate(solver, site.frame, var, solver.var_for("log handlers"), False, site.line)
    escape_arguments(solver, site, "logging.basicConfig")


def _mock(solver: Solver, site: Site) -> None:
    """A stand-in: it calls nothing but what it wraps and its side effect."""
    solver.add(site.dst, solver.result("unittest.mock.Mock"))
    for name, var in site.named:
        if name == "wraps":
            solver.flow(var, site.dst)
        elif name == "side_effect":
            escape_arguments(solver, Site(site.frame, site.dst, -1, (var,), (), site.line), "unittest.mock.Mock")


def _patch(solver: Solver, site: Site) -> None:
    """`patch("module.name", new)`: what is found there is the new one."""
    var = _argument(site, 0, "target")
    new = _argument(site, 1, "new")
    if var < 0:
        return
    for name, wrapped in site.named:
        if name in ("side_effect", "wraps") and new < 0:
            new = wrapped
    box = solver.box_at("context", site.frame, ("patch", site.dst - site.frame.base))
    if new >= 0:
        solver.flow(new, box.rest)
        solver.when(var, _patch_named, (site, new))
    solver.add(site.dst, box)
    solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _patch_named(solver: Solver, payload: Any, target: Value) -> None:
    site, new = payload
    if not isinstance(target, Text):
        solver.note_opaque(site.frame, "unittest.mock.patch", "the name that is replaced is not known", site.line)
        return
    owner, _, name = target.value.rpartition(".")
    owners = solver.new()
    _resolved(solver, Site(site.frame, owners, -1, (), (), site.line), solver.text(owner))
    solver.when(owners, _patch_on, (site, name, new))


def _patch_on(solver: Solver, payload: Any, owner: Value) -> None:
    site, name, new = payload
    set_attribute(solver, site.frame, owner, name, new, site.line)


def _patch_object(solver: Solver, site: Site) -> None:
    owner, name, new = _argument(site, 0, "target"), _argument(site, 1, "attribute"), _argument(site, 2, "new")
    for keyword, wrapped in site.named:
        if keyword in ("side_effect", "wraps") and new < 0:
            new = wrapped
    box = solver.box_at("context", site.frame, ("patch", site.dst - site.frame.base))
    if min(owner, name, new) >= 0:
        solver.flow(new, box.rest)
        solver.when(name, _setattr_name, Site(site.frame, solver.nowhere, -1, (owner, name, new), (), site.line))
    solver.add(site.dst, box)
    solver.add(site.dst, solver.once(Getter, ("identity", site), "identity", (), site))


def _configure_by_dict(solver: Solver, site: Site) -> None:
    """`logging.config.dictConfig`: classes and factories by name or as they are."""
    for var in site.positional[:1]:
        solver.when(var, _configured, (site, 0))
    escape_arguments(solver, site, "logging.config.dictConfig")


def _configured(solver: Solver, payload: Any, value: Value) -> None:
    site, depth = payload
    if not isinstance(value, Box) or depth > 4:
        return
    key = ("configured", site, value)
    if key in solver.values:
        return
    solver.values[key] = True
    for name in ("class", "()"):
        if name in value.items:
            solver.when(value.items[name], _configured_by_name, site)
    solver.when(solver.every(value), _configured, (site, depth + 1))


def _configured_by_name(solver: Solver, site: Any, value: Value) -> None:
    made = solver.var_for(("configured", site))
    if isinstance(value, Text):
        kind = solver.new()
        _resolved(solver, Site(site.frame, kind, -1, (), (), site.line), value)
        solver.when(kind, _call_inner, Site(site.frame, made, -1, (), (), site.line))
    elif isinstance(value, Constant | Affix):
        solver.note_opaque(site.frame, "logging.config.dictConfig", "the class's name is not known", site.line)
    else:
        call(solver, Site(site.frame, made, -1, (), (), site.line), value)
    key = ("configured handlers", site)
    if key not in solver.values:
        solver.values[key] = True
        solver.flow(made, solver.var_for("log handlers"))
        escape_arguments(solver, Site(site.frame, solver.nowhere, -1, (made,), (), site.line), "logging.config")


def _function_of_code(solver: Solver, site: Site) -> None:
    """`types.FunctionType(f.__code__, …)`: another function of the same code, if it is known which."""
    for var in site.positional[:1]:
        solver.when(var, _function_of, site)
        solver.later(_function_blind, solver, var, site)


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


def _substitute(solver: Solver, site: Site) -> None:
    """`string.Template.substitute(mapping)`: reads by the template's names, and shows what it reads."""
    for _, var in site.named:
        solver.when(var, _shown, site)
    for var in site.positional[:1]:
        found = solver.new()
        solver.when(var, read_item, (site.frame, holding(solver, solver.constant("str")), found, site.line))
        solver.when(found, _shown, site)
    solver.add(site.dst, solver.constant("str"))


def _shown(solver: Solver, site: Any, value: Value) -> None:
    for method in ("__str__", "__repr__"):
        if call_special(solver, site.frame, value, method, (), -1, site.line):
            return


_NO_FIELDS: Final = frozenset({"bases", "namespace", "frozen", "kw_only", "defaults", "rename", "module"})
"""Arguments of what makes records that are no fields."""


def _make_record(names: int, fields: int) -> Model:
    """`make_dataclass("Row", [("x", object, field(…))])`, `namedtuple("Row", "x y")`: a class with these fields."""

    def made(solver: Solver, site: Site) -> None:
        bases = next((var for name, var in site.named if name == "bases"), -1)
        space = next((var for name, var in site.named if name == "namespace"), -1)
        _make_type(solver, site, _argument(site, names, "cls_name"), bases if bases >= 0 else solver.new(), space)
        cls = solver.values.get((Class, ("type", site)))
        listed = _argument(site, fields, "fields")
        if listed >= 0:
            solver.when(listed, _record_fields, (site, cls))
        for name, var in site.named:
            if isinstance(cls, Class) and name not in _NO_FIELDS:
                _record_field(solver, cls, name, var)

    return made


NO_ANNOTATION: Final = 1 << 40
"""A field without one."""


def _record_field(solver: Solver, cls: Class, name: str, default: int) -> None:
    cls.fields.setdefault(name, NO_ANNOTATION)
    if default >= 0:
        cls.binding(name)
        solver.flow(default, solver.cell(cls, name))


def _record_fields(solver: Solver, payload: Any, value: Value) -> None:
    _, cls = payload
    if isinstance(value, Text):
        for name in value.value.replace(",", " ").split():
            _record_field(solver, cls, name, -1)
    elif isinstance(value, Box):
        for var in (*(value.items[key] for key in value.items), value.rest):
            solver.when(var, _one_record_field, cls)
        if value.kind == "dict":
            for key in list(value.items):
                if isinstance(key, str):
                    _record_field(solver, cls, key, -1)


def _one_record_field(solver: Solver, cls: Any, value: Value) -> None:
    if isinstance(value, Text):
        _record_field(solver, cls, value.value, -1)
    elif isinstance(value, Box) and 0 in value.items:
        for name in list(solver.has(value.items[0])):
            if isinstance(name, Text):
                _record_field(solver, cls, name.value, value.items.get(2, -1))


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


def _unwrap(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.flow(var, site.dst)
        solver.when(var, _path_step, (site, "__wrapped__", site.dst))


def _get_path(solver: Solver, payload: Any, name: Value) -> None:
    site, subject, dst = payload
    if not isinstance(name, Text):
        solver.add(dst, solver.uncomputed("operator.attrgetter", "the attribute's name is not known"))
        return
    current = subject
    parts = name.value.split(".")
    for part in parts[:-1]:
        inner = solver.new()
        solver.when(current, _path_step, (site, part, inner))
        current = inner
    solver.when(current, _path_step, (site, parts[-1], dst))


def _path_step(solver: Solver, payload: Any, value: Value) -> None:
    site, name, dst = payload
    read_attribute(solver, site.frame, value, name, dst, site.line)


def _call_named(solver: Solver, payload: Any, name: Value) -> None:
    site, subject, positional, named = payload
    if not isinstance(name, Text):
        solver.note_opaque(site.frame, "operator.methodcaller", "the method's name is not known", site.line)
        return
    method = solver.new()
    solver.when(subject, _path_step, (site, name.value, method))
    inner = Site(site.frame, site.dst, method, positional, named, site.line)
    solver.when(method, _call_inner, inner)


def _closing(name: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        _context(solver, site)
        for var in site.positional[:1]:
            solver.when(var, _closed, (site, name))

    return made


def _closed(solver: Solver, payload: Any, value: Value) -> None:
    site, name = payload
    call_special(solver, site.frame, value, name, (), -1, site.line)


def _context(solver: Solver, site: Site) -> None:
    """`closing`, `nullcontext`: a context of its argument."""
    box = solver.box_at("context", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.flow(var, box.rest)
    solver.add(site.dst, box)


def _enter_context(is_async: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, enter, (site.frame, is_async, site.dst, site.line))

    return made


def _method_type(solver: Solver, site: Site) -> None:
    if len(site.positional) > 1:
        solver.when(site.positional[0], _method_of, (site.positional[1], site.dst))


def _method_of(solver: Solver, payload: Any, func: Value) -> None:
    owners, dst = payload
    solver.when(owners, _bind_method, (func, dst))


def _bind_method(solver: Solver, payload: Any, owner: Value) -> None:
    func, dst = payload
    solver.add(dst, solver.bound(func, owner))


def _namespace(solver: Solver, site: Site) -> None:
    box = solver.box_at("namespace", site.frame, ("made", site.dst - site.frame.base))
    for name, var in site.named:
        solver.flow(var, solver.cell(box, name))
    for var in site.double_stars:
        solver.when(var, _fill_namespace, box)
    solver.add(site.dst, box)


def _fill_namespace(solver: Solver, box: Any, value: Value) -> None:
    if isinstance(value, Box):
        for name, var in list(value.items.items()):
            if isinstance(name, str):
                solver.flow(var, solver.cell(box, name))


# -- copies and conversions ------------------------------------------------------------------------------------


_COPIERS: Final = {
    "copy": ("__copy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__"),
    "deepcopy": ("__deepcopy__", "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__"),
    "replace": ("__replace__",),
}


def _copying(how: str) -> Model:
    """A copy of an object: the same for what it holds, but made here."""

    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _copy_of, (site, how))

    return made


def _copy_of(solver: Solver, payload: Any, value: Value) -> None:
    site, how = payload
    if not isinstance(value, Instance):
        solver.add(site.dst, value)
        if isinstance(value, Box) and how == "deepcopy":
            key = ("deep copy", site.frame, value)
            if key not in solver.values:
                solver.values[key] = True
                solver.when(
                    solver.every(value), _copy_of, (Site(site.frame, solver.nowhere, -1, (), (), site.line), how)
                )
        return
    solver.note_made(value.cls, site.frame, "replace" if how == "replace" else "copy", site.line)
    if how == "deepcopy":
        copied = ("deep copy", site.frame, value)
        if copied not in solver.values:
            solver.values[copied] = True
            inner = Site(site.frame, solver.nowhere, -1, (), (), site.line)
            for name in list(solver.names_on.get(value, ())):
                solver.later(solver.when, solver.cell(value, name), _copy_of, (inner, how))
    copy = plain_instance(solver, value.cls, site) if not value.tag else value
    solver.add(site.dst, copy)
    if copy is not value:
        for name in {name for cls in value.cls.mro for name in cls.fields}:
            solver.flow(solver.cell(value, name), solver.cell(copy, name))
    for name, var in site.named:
        solver.flow(var, solver.cell(copy, name))
    for name in _COPIERS[how]:
        call_special(solver, site.frame, value, name, (solver.nowhere,), site.dst, site.line)


def _converting(index: int, name: str) -> Model:
    """An object is made from data: `msgspec.convert(data, type=T)`."""

    def made(solver: Solver, site: Site) -> None:
        var = _argument(site, index, name)
        _escape_hooks(solver, site)
        if var >= 0:
            solver.when(var, _converted, site)
        else:
            solver.add(site.dst, solver.result("msgspec.convert"))

    return made


def _escape_hooks(solver: Solver, site: Site) -> None:
    for name, var in site.named:
        if name.endswith("_hook"):
            escape_arguments(solver, Site(site.frame, site.dst, -1, (var,), (), site.line), "msgspec")


def _converted(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Class):
        solver.note_made(value, site.frame, "convert", site.line)
        instance = plain_instance(solver, value, site)
        solver.add(site.dst, instance)
        for name in ("__init__", "__post_init__"):
            if any(name in one.statics for one in value.mro):
                call_special(solver, site.frame, instance, name, (), -1, site.line)
    elif isinstance(value, Foreign | Result):
        solver.add(site.dst, solver.result("msgspec.convert"))


def _decoder(solver: Solver, site: Site) -> None:
    var = _argument(site, 0, "type")
    if var < 0:
        solver.add(site.dst, solver.result("msgspec.json.Decoder"))
        return
    solver.add(site.dst, solver.once(Getter, ("decoder", site), "decoder", (), site))
    _escape_hooks(solver, site)


def decode_with(solver: Solver, site: Site, value: Getter) -> None:
    """`Decoder(T).decode(data)`: an object of that type."""
    var = _argument(value.site, 0, "type")
    solver.when(var, _converted, site)


def _object_new(solver: Solver, site: Site) -> None:
    from onepath.link.items import _new_one

    for var in site.positional[:1]:
        solver.when(var, _new_one, site)


def _object_setattr(solver: Solver, site: Site) -> None:
    if len(site.positional) == 2:
        # An inherited `__setattr__`, called as a method: the object is known to the caller.
        return
    _setattr(solver, site)


# -- imports and text that runs --------------------------------------------------------------------------------


def _import_module(solver: Solver, site: Site) -> None:
    var = _argument(site, 0, "name")
    if var < 0:
        return
    package = _argument(site, 1, "package")
    solver.when(var, _import_named, (site, package))
    solver.later(_import_blind, solver, site, var, package)


def _import_blind(solver: Solver, site: Site, var: int, package: int) -> None:
    if not solver.has(var):
        _import_named(solver, (site, package), solver.unknown)


def _import_named(solver: Solver, payload: Any, value: Value) -> None:
    site, package = payload
    if isinstance(value, Text):
        name = value.value
        if name.startswith("."):
            held = [one.value for one in solver.has(package) if isinstance(one, Text)] if package >= 0 else []
            for base in held:
                up = len(name) - len(name.lstrip("."))
                parts = base.split(".")
                kept = parts[: len(parts) - up + 1]
                _imported(solver, site, ".".join([*kept, name.lstrip(".")]).rstrip("."))
            return
        _imported(solver, site, name)
    elif isinstance(value, Affix):
        fitting = [name for name in sorted(solver.units) if name.startswith(value.start) and name.endswith(value.end)]
        if fitting and value.start:
            for name in fitting:
                _imported(solver, site, name)
            return
        solver.note_opaque(site.frame, "importlib.import_module", "the module's name is not known", site.line)
    elif not isinstance(value, Module):
        solver.note_opaque(site.frame, "importlib.import_module", "the module's name is not known", site.line)
        solver.add(site.dst, solver.uncomputed("importlib.import_module", "the module's name is not known"))


def _imported(solver: Solver, site: Site, name: str) -> None:
    unit = site.frame.code.unit
    key = (unit.outer.name if unit.outer else unit.name, name, site.frame.code.name, site.line)
    solver.computed_imports.setdefault(key)
    import_module(solver, site.frame, name, site.dst, site.line, top=False)


def _dunder_import(solver: Solver, site: Site) -> None:
    var = _argument(site, 0, "name")
    from_list = _argument(site, 3, "fromlist")
    if var < 0:
        return
    solver.when(var, _dunder_named, (site, from_list >= 0))


def _dunder_named(solver: Solver, payload: Any, value: Value) -> None:
    site, whole = payload
    if isinstance(value, Text):
        unit = site.frame.code.unit
        key = (unit.outer.name if unit.outer else unit.name, value.value, site.frame.code.name, site.line)
        solver.computed_imports.setdefault(key)
        import_module(solver, site.frame, value.value, site.dst, site.line, top=not whole)
    else:
        solver.note_opaque(site.frame, "__import__", "the module's name is not known", site.line)
        solver.add(site.dst, solver.uncomputed("__import__", "the module's name is not known"))


def _resolve_name(solver: Solver, site: Site) -> None:
    """`pkgutil.resolve_name("package.module:object.attribute")`."""
    var = _argument(site, 0, "name")
    if var >= 0:
        solver.when(var, _resolved, site)


def _resolved(solver: Solver, site: Any, value: Value) -> None:
    if not isinstance(value, Text):
        solver.note_opaque(site.frame, "pkgutil.resolve_name", "the name is not known", site.line)
        return
    module, colon, path = value.value.partition(":")
    if not colon:
        parts = value.value.split(".")
        cut = len(parts)
        while cut > 1 and solver.module(".".join(parts[:cut])) is None:
            cut -= 1
        module, path = ".".join(parts[:cut]), ".".join(parts[cut:])
    current = solver.new()
    _imported(solver, Site(site.frame, current, -1, (), (), site.line), module)
    for part in path.split(".") if path else ():
        inner = solver.new()
        solver.when(current, _path_step, (site, part, inner))
        current = inner
    solver.flow(current, site.dst)


def _run_module(solver: Solver, site: Site) -> None:
    var = _argument(site, 0, "mod_name")
    if var >= 0:
        solver.when(var, _run_named, site)


def _run_named(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text):
        name = value.value
        if f"{name}.__main__" in solver.units:
            name = f"{name}.__main__"
        module = solver.new()
        _imported(solver, Site(site.frame, module, -1, (), (), site.line), name)
        solver.when(module, _space_of, site.dst)
    else:
        solver.note_opaque(site.frame, "runpy.run_module", "the module's name is not known", site.line)


def _spec(solver: Solver, site: Site) -> None:
    """A module's specification, loader or loaded module, by its name: all stand for the module."""
    var = _argument(site, 0, "name")
    if var >= 0:
        solver.when(var, _import_by_spec, site)


def _import_by_spec(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text):
        if solver.module(value.value) is not None:
            _imported(solver, site, value.value)
            return
        path = site.positional[1] if len(site.positional) > 1 else -1
        for one in solver.has(path) if path >= 0 else ():
            if isinstance(one, Text):
                for unit in solver.units.values():
                    if unit.facts.file.endswith(one.value.lstrip("./")):
                        _imported(solver, site, unit.name)
                        return
        solver.add(site.dst, solver.foreign(value.value))
        if path >= 0:
            solver.note_opaque(site.frame, "importlib.util.spec_from_file_location", "the file is not known", site.line)
    else:
        solver.note_opaque(site.frame, "importlib.util.find_spec", "the module's name is not known", site.line)


def _eval(expression: bool) -> Model:
    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            solver.when(site.positional[0], _run_text, (site, expression))
            solver.later(_run_blind, solver, site, expression)

    return made


def _run_blind(solver: Solver, site: Site, expression: bool) -> None:
    if not solver.has(site.positional[0]):
        _run_text(solver, (site, expression), solver.unknown)


def _run_text(solver: Solver, payload: Any, value: Value) -> None:
    site, expression = payload
    run_text(solver, site, value, expression, site.frame.code.unit)


def run_text(solver: Solver, site: Site, value: Value, expression: bool, around: Unit) -> None:
    """Text is run at `site`, with the names of the module `around`."""
    what = "eval" if expression else "exec"
    if isinstance(value, Bytes):
        value = solver.text(value.value.encode("latin-1").decode("utf-8", "replace"))
    if not isinstance(value, Text):
        solver.note_opaque(site.frame, what, "the text that is run is not known", site.line)
        solver.add(site.dst, solver.uncomputed(what, "the text that is run is not known"))
        return
    key = ("text", site, value)
    if key in solver.values:
        return
    solver.values[key] = True
    from onepath.facts.extract import extract_text

    outer = around.outer or around
    source = f"__value__ = (\n{value.value.strip()}\n)" if expression else value.value
    solver.texts_run += 1
    facts = extract_text(source, f"{outer.name}", around.facts.file)
    if facts.fault:
        return
    unit = Unit(facts, f"{site.frame.code.name}.<{what}>")
    unit.outer = outer
    unit.environment = {**around.environment, **dict(site.environment)}
    unit.line = site.line
    for var in site.positional[1:3]:
        for space in list(solver.has(var)):
            if isinstance(space, Box | Space):
                unit.space.append(space)
    frame = solver.frame(unit.codes[0], None)
    unit.frame = frame
    solver.edge(site.frame, frame, "call", site.line)
    if expression:
        solver.flow(solver.cell(solver.module_of(unit), "__value__"), site.dst)


def _compile(solver: Solver, site: Site) -> None:
    if site.positional:
        solver.flow(site.positional[0], site.dst)


def _decoding(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        for var in site.positional[:1]:
            solver.when(var, _decode, (kind, site.dst))

    return made


def _decode(solver: Solver, payload: Any, value: Value) -> None:
    kind, dst = payload
    made = decoded(solver, kind, value)
    solver.add(dst, made if made is not None else solver.constant("bytes"))


def _codecs_decode(solver: Solver, site: Site) -> None:
    kinds = {"rot13": "rot13", "rot_13": "rot13", "hex": "hex", "base64": "base64"}
    if len(site.positional) > 1:
        for one in list(solver.has(site.positional[1])):
            if isinstance(one, Text) and one.value in kinds:
                solver.when(site.positional[0], _decode, (kinds[one.value], site.dst))
                return
    solver.add(site.dst, solver.constant("str"))


def _chr(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _character, site.dst)


def _character(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Number) and 0 <= value.value < 0x110000:
        solver.add(dst, solver.text(chr(value.value)))
    else:
        solver.add(dst, solver.constant("str"))


def _str(solver: Solver, site: Site) -> None:
    if site.positional:
        formatted(solver, site.frame, site.positional[:1], site.dst, site.line)
        return
    solver.add(site.dst, solver.text(""))


def _bytes(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, _bytes_of, site.dst)


def _bytes_of(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Bytes):
        solver.add(dst, value)
        return
    if isinstance(value, Text):
        solver.add(dst, solver.bytes_(value.value.encode("utf-8", "replace").decode("latin-1")))
        return
    if isinstance(value, Box) and not solver.has(value.rest):
        numbers: list[int] = []
        for index in range(len(value.items)):
            var = value.items.get(index)
            only = list(solver.has(var)) if var is not None else []
            if len(only) != 1 or not isinstance(only[0], Number) or not 0 <= only[0].value < 256:
                break
            numbers.append(only[0].value)
        else:
            solver.add(dst, solver.bytes_(bytes(numbers).decode("latin-1")))
            return
    solver.add(dst, solver.constant("bytes"))


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


def _dump_to(solver: Solver, site: Site) -> None:
    for var in site.positional[1:2]:
        solver.when(var, _written_to, site)
    escape_arguments(solver, site, "json.dump")


# -- asyncio ---------------------------------------------------------------------------------------------------


def _awaitable(solver: Solver, site: Site) -> None:
    """`create_task`, `wait_for`, `shield`: what it gives is awaited to what its argument is awaited to."""
    box = solver.box_at("awaitable", site.frame, ("made", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.when(var, awaited, (site.frame, box.rest, site.line))
        solver.when(var, _uncomputed_passed, site)
    for name, var in site.named:
        if name in ("coro", "fut"):
            solver.when(var, awaited, (site.frame, box.rest, site.line))
    solver.add(site.dst, box)


def _uncomputed_passed(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Uncomputed):
        solver.note_opaque(site.frame, value.what, value.why, site.line)


def _run_awaitable(solver: Solver, site: Site) -> None:
    for var in site.positional[:1]:
        solver.when(var, awaited, (site.frame, site.dst, site.line))


def _gather(solver: Solver, site: Site) -> None:
    box = solver.box_at("gathered", site.frame, ("made", site.dst - site.frame.base))
    for index, var in enumerate(site.positional):
        solver.flow(var, item_cell(solver, box, index))
    for var in site.stars:
        iterate(solver, site.frame, var, box.rest, False, site.line)
    solver.add(site.dst, box)


def _queue(solver: Solver, site: Site) -> None:
    solver.add(site.dst, solver.box_at("queue", site.frame, ("made", site.dst - site.frame.base)))


def _context_var(solver: Solver, site: Site) -> None:
    box = solver.box_at("variable", site.frame, ("made", site.dst - site.frame.base))
    for name, var in site.named:
        if name == "default":
            solver.flow(var, box.rest)
    solver.add(site.dst, box)


def _weak(solver: Solver, site: Site) -> None:
    """`weakref.ref(x, callback)`: called, it gives x."""
    key = ("weak", site)
    value = solver.values.get(key)
    if value is None:
        box = solver.box("weak", site)
        for var in site.positional[:1]:
            solver.flow(var, box.rest)
        solver.values[key] = value = box
    solver.add(site.dst, solver.method(value, "__next__"))
    for var in site.positional[1:]:
        solver.when(var, _finalised, site)


def _finalised(solver: Solver, site: Any, value: Value) -> None:
    run_unknown(solver, value, site.frame, "may-call", site.line)


def _nothing(solver: Solver, site: Site) -> None:
    """Calls nothing and gives nothing of interest."""


def _gives(kind: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.constant(kind))

    return made


def _hasattr(solver: Solver, site: Site) -> None:
    """Reads the attribute, which may be a property."""
    _getattr(solver, Site(site.frame, solver.new(), -1, site.positional[:2], (), site.line))
    solver.add(site.dst, solver.constant("bool"))


def _type_test(method: str) -> Model:
    def made(solver: Solver, site: Site) -> None:
        solver.add(site.dst, solver.constant("bool"))
        if len(site.positional) > 1:
            solver.when(site.positional[1], _tested, (site, method), CLASSES | BOXES)

    return made


def _tested(solver: Solver, payload: Any, cls: Value) -> None:
    site, method = payload
    if isinstance(cls, Box):
        key = ("tested", site, cls)
        if key not in solver.values:
            solver.values[key] = True
            solver.when(solver.every(cls), _tested, payload, CLASSES | BOXES)
        return
    if not isinstance(cls, Class):
        return
    if cls.metaclass >= 0:
        for meta in list(solver.has(cls.metaclass)):
            if isinstance(meta, Class):
                lookup(
                    solver,
                    meta,
                    method,
                    _call_member,
                    (site.frame, cls, site.positional[:1], solver.nowhere, site.line),
                )
    for one in cls.mro:
        if "__subclasshook__" in one.statics:
            for member in list(solver.has(solver.cell(one, "__subclasshook__"))):
                inner = member.get if isinstance(member, Descriptor) else member
                if isinstance(inner, Function):
                    invoke(solver, site.frame, solver.bound(inner, cls), site.positional[:1], -1, site.line)


def _operator(method: str) -> Model:
    """A function of `operator` that is an operator."""

    def made(solver: Solver, site: Site) -> None:
        if site.positional:
            right = site.positional[1] if len(site.positional) > 1 else -1
            reflected = f"__r{method[2:]}" if right >= 0 else ""
            operated(solver, site.frame, site.positional[0], right, method, reflected, site.dst, site.line)

    return made


def _as_dict(solver: Solver, site: Site) -> None:
    """`dataclasses.asdict(x)`: the fields as a mapping."""
    for var in site.positional[:1]:
        solver.when(var, _fields_as_dict, site)


def _fields_as_dict(solver: Solver, site: Any, value: Value) -> None:
    box = solver.box_at("dict", site.frame, ("as dict", site.dst - site.frame.base))
    if isinstance(value, Instance):
        for cls in value.cls.mro:
            for name in cls.fields:
                solver.add(box.keys, solver.text(name))
                read_attribute(solver, site.frame, value, name, item_cell(solver, box, name), site.line)
    solver.add(site.dst, box)


def _run_path(solver: Solver, site: Site) -> None:
    """`runpy.run_path(path)`: a module of the program by its file, if the path is known."""
    var = _argument(site, 0, "path_name")
    if var < 0:
        return
    for value in solver.has(var):
        if isinstance(value, Text):
            for unit in list(solver.units.values()):
                if unit.facts.file.endswith(value.value.lstrip("./")):
                    _run_named(solver, site, solver.text(unit.name))
                    return
    solver.note_opaque(site.frame, "runpy.run_path", "the file that is run is not known", site.line)


def _timed(solver: Solver, site: Site) -> None:
    """`timeit.timeit(what)`: a callable, or text that is run."""
    spaces = tuple(var for name, var in site.named if name == "globals")
    named = tuple(var for name, var in site.named if name in ("stmt", "setup"))
    for var in (*site.positional[:2], *named):
        inner = Site(site.frame, solver.nowhere, -1, (var, *spaces), (), site.line)
        solver.when(var, _time_one, inner)
        solver.later(_time_blind, solver, var, inner)


def _time_blind(solver: Solver, var: int, site: Site) -> None:
    if not solver.has(var):
        _time_one(solver, site, solver.unknown)


def _time_one(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Text | Affix | Unknown | Result) or (isinstance(value, Constant) and value.type == "str"):
        _run_text(solver, (site, False), value)
    else:
        call(solver, Site(site.frame, solver.nowhere, -1, (), (), site.line), value)


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


def _get_members(solver: Solver, site: Site) -> None:
    """`inspect.getmembers(x)`: pairs of name and value."""
    box = solver.box_at("list", site.frame, ("members", site.dst - site.frame.base))
    for var in site.positional[:1]:
        solver.when(var, _members_of, (site, box))
    predicate = _argument(site, 1, "predicate")
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


def _widen(solver: Solver, site: Site) -> None:
    solver.add(site.dst, Widened())


_MODELS: dict[str, Model] = {
    "getattr": _getattr,
    "setattr": _setattr,
    "vars": _vars,
    "globals": _globals,
    "locals": _locals,
    "dir": _dir,
    "type": _type,
    "super": _super,
    "property": _descriptor("property"),
    "staticmethod": _descriptor("static"),
    "classmethod": _descriptor("class"),
    "list": _container("list"),
    "tuple": _container("tuple"),
    "set": _container("set"),
    "frozenset": _container("set"),
    "dict": _container("dict"),
    "iter": _iter,
    "next": _next,
    "aiter": _same(),
    "anext": _anext,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _elements("generator"),
    "sorted": _elements("list"),
    "min": _picked,
    "max": _picked,
    "map": _map,
    "filter": _filter,
    "eval": _eval(True),
    "exec": _eval(False),
    "compile": _compile,
    "__import__": _dunder_import,
    "str": _str,
    "bytes": _bytes,
    "bytearray": _bytes,
    "chr": _chr,
    "repr": _special("__repr__", "__str__"),
    "ascii": _special("__repr__"),
    "format": _special("__format__", "__str__"),
    "len": _special("__len__"),
    "bool": _special("__bool__", "__len__"),
    "int": _special("__int__", "__index__", "__trunc__"),
    "float": _special("__float__", "__index__"),
    "complex": _special("__complex__"),
    "hash": _special("__hash__"),
    "abs": _special("__abs__"),
    "round": _special("__round__"),
    "divmod": _special("__divmod__"),
    "pow": _special("__pow__"),
    "sum": _special("__iter__"),
    "any": _special("__iter__"),
    "all": _special("__iter__"),
    "print": _print,
    "isinstance": _type_test("__instancecheck__"),
    "issubclass": _type_test("__subclasscheck__"),
    "hasattr": _hasattr,
    "callable": _gives("bool"),
    "id": _gives("int"),
    "range": _gives("range"),
    "ord": _gives("int"),
    "object": _nothing,
    "object.__new__": _object_new,
    "object.__getattribute__": _getattr,
    "object.__setattr__": _setattr,
    "object.__init__": _nothing,
    "object.__init_subclass__": _nothing,
    "type.__new__": _nothing,
    "type.__getattribute__": _getattr,
    "type.__setattr__": _setattr,
}
MODELS: Final[dict[str, Model]] = {f"builtins.{name}": model for name, model in _MODELS.items()}
MODELS.update(
    {
        "functools.partial": _partial(False),
        "functools.partialmethod": _partial(True),
        "functools.reduce": _reduce,
        "functools.wraps": _wraps,
        "functools.update_wrapper": _update_wrapper,
        "functools.lru_cache": _cached,
        "functools.cache": _cached,
        "functools.total_ordering": _identity_decorator,
        "functools.cached_property": _descriptor("property"),
        "functools.singledispatch": _single_dispatch,
        "functools.singledispatchmethod": _single_dispatch,
        "operator.attrgetter": _getter("attrgetter"),
        "operator.itemgetter": _getter("itemgetter"),
        "operator.methodcaller": _getter("methodcaller"),
        "operator.call": _apply,
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
                "concat",
                "abs",
                "__add__",
                "__sub__",
                "__mul__",
                "__eq__",
                "__lt__",
            )
        },
        "operator.getitem": _item_of,
        "operator.setitem": _set_item_of,
        "operator.truth": _special("__bool__", "__len__"),
        "operator.not_": _special("__bool__", "__len__"),
        "dataclasses.asdict": _as_dict,
        "msgspec.structs.asdict": _as_dict,
        "attrs.asdict": _as_dict,
        "runpy.run_path": _run_path,
        "timeit.timeit": _timed,
        "timeit.repeat": _timed,
        "inspect.unwrap": _unwrap,
        "inspect.getattr_static": _getattr,
        "inspect.getmembers": _get_members,
        "inspect.getmembers_static": _get_members,
        "types.MethodType": _method_type,
        "types.SimpleNamespace": _namespace,
        "types.MappingProxyType": _same(),
        "types.new_class": _new_class,
        "types.coroutine": _same(),
        "itertools.chain": _elements("generator"),
        "itertools.chain.from_iterable": _elements("generator"),
        "itertools.cycle": _elements("generator"),
        "itertools.islice": _elements("generator"),
        "itertools.repeat": _container("generator"),
        "itertools.starmap": _starmap,
        "itertools.filterfalse": _filter,
        "itertools.takewhile": _filter,
        "itertools.dropwhile": _filter,
        "itertools.groupby": _grouped,
        "itertools.zip_longest": _zip,
        "collections.deque": _container("list"),
        "collections.OrderedDict": _container("dict"),
        "collections.ChainMap": _container("dict"),
        "collections.defaultdict": _default_dict,
        "weakref.WeakKeyDictionary": _container("dict"),
        "weakref.WeakValueDictionary": _container("dict"),
        "weakref.WeakSet": _container("set"),
        "weakref.ref": _weak,
        "weakref.proxy": _same(),
        "weakref.WeakMethod": _weak,
        "queue.Queue": _queue,
        "queue.SimpleQueue": _queue,
        "queue.LifoQueue": _queue,
        "queue.PriorityQueue": _queue,
        "asyncio.Queue": _queue,
        "asyncio.LifoQueue": _queue,
        "asyncio.PriorityQueue": _queue,
        "contextvars.ContextVar": _context_var,
        "copy.copy": _copying("copy"),
        "copy.deepcopy": _copying("deepcopy"),
        "copy.replace": _copying("replace"),
        "dataclasses.replace": _copying("replace"),
        "msgspec.structs.replace": _copying("replace"),
        "attrs.evolve": _copying("replace"),
        "attr.evolve": _copying("replace"),
        "msgspec.convert": _converting(1, "type"),
        "msgspec.json.decode": _converting(9, "type"),
        "msgspec.msgpack.decode": _converting(9, "type"),
        "msgspec.yaml.decode": _converting(9, "type"),
        "msgspec.toml.decode": _converting(9, "type"),
        "msgspec.json.Decoder": _decoder,
        "msgspec.msgpack.Decoder": _decoder,
        "dataclasses.make_dataclass": _make_record(0, 1),
        "collections.namedtuple": _make_record(0, 1),
        "typing.NamedTuple": _make_record(0, 1),
        "attrs.make_class": _make_record(0, 1),
        "attr.make_class": _make_record(0, 1),
        "msgspec.defstruct": _make_record(0, 1),
        "pydantic.create_model": _make_record(0, 99),
        "string.Template.substitute": _substitute,
        "string.Template.safe_substitute": _substitute,
        "importlib.metadata.EntryPoint": _entry_point,
        "logging.Logger.addHandler": _add_handler,
        "logging.basicConfig": _configure_logging,
        "logging.config.dictConfig": _configure_by_dict,
        "types.FunctionType": _function_of_code,
        "types.LambdaType": _function_of_code,
        **{
            f"unittest.mock.{name}": _mock
            for name in (
                "Mock",
                "MagicMock",
                "AsyncMock",
                "NonCallableMock",
                "NonCallableMagicMock",
                "PropertyMock",
                "create_autospec",
                "ThreadingMock",
            )
        },
        "unittest.mock.patch": _patch,
        "unittest.mock.patch.object": _patch_object,
        "dataclasses.field": _factory_field,
        "msgspec.field": _factory_field,
        "attrs.field": _factory_field,
        "attr.ib": _factory_field,
        "attr.Factory": _factory_field,
        "pydantic.Field": _factory_field,
        "dataclasses.dataclass": _identity_decorator,
        "attrs.define": _identity_decorator,
        "attrs.frozen": _identity_decorator,
        "attr.s": _identity_decorator,
        "attr.define": _identity_decorator,
        "enum.unique": _identity_decorator,
        "abc.abstractmethod": _same(),
        "typing.overload": _nothing,
        "typing.final": _same(),
        "typing.override": _same(),
        "typing.runtime_checkable": _same(),
        "typing.no_type_check": _same(),
        "typing.dataclass_transform": _identity_decorator,
        "typing.cast": _cast,
        "typing.get_type_hints": _get_hints,
        "inspect.get_annotations": _get_hints,
        "annotationlib.get_annotations": _get_hints,
        "typing.get_args": _get_arguments,
        "typing.TypeVar": _type_maker("typevar"),
        "typing.NewType": _type_maker("newtype"),
        "contextlib.contextmanager": _same(),
        "contextlib.asynccontextmanager": _same(),
        "contextlib.closing": _closing("close"),
        "contextlib.aclosing": _closing("aclose"),
        "contextlib.nullcontext": _context,
        "contextlib.ExitStack.enter_context": _enter_context(False),
        "contextlib.AsyncExitStack.enter_context": _enter_context(False),
        "contextlib.AsyncExitStack.enter_async_context": _enter_context(True),
        "importlib.import_module": _import_module,
        "importlib.__import__": _dunder_import,
        "importlib.reload": _same(),
        "importlib.util.find_spec": _spec,
        "importlib.util.spec_from_file_location": _spec,
        "importlib.util.module_from_spec": _same(),
        "importlib.machinery.SourceFileLoader": _spec,
        "pkgutil.resolve_name": _resolve_name,
        "pkgutil.get_loader": _spec,
        "pkgutil.find_loader": _spec,
        "runpy.run_module": _run_module,
        "runpy._run_module_as_main": _run_module,
        "sys.modules.get": _import_module,
        "sys.modules.__getitem__": _import_module,
        "sys.modules.pop": _import_module,
        "base64.b64decode": _decoding("base64"),
        "base64.urlsafe_b64decode": _decoding("base64"),
        "base64.standard_b64decode": _decoding("base64"),
        "base64.decodebytes": _decoding("base64"),
        "binascii.a2b_base64": _decoding("base64"),
        "binascii.unhexlify": _decoding("hex"),
        "binascii.a2b_hex": _decoding("hex"),
        "builtins.bytes.fromhex": _decoding("hex"),
        "codecs.decode": _codecs_decode,
        "codecs.encode": _codecs_decode,
        "json.dump": _dump_to,
        "threading.Thread": _thread,
        "threading.Timer": _thread,
        "multiprocessing.Process": _process,
        "_thread.start_new_thread": _start_new_thread,
        "asyncio.create_task": _awaitable,
        "asyncio.ensure_future": _awaitable,
        "asyncio.shield": _awaitable,
        "asyncio.wait_for": _awaitable,
        "asyncio.TaskGroup.create_task": _awaitable,
        "asyncio.AbstractEventLoop.create_task": _awaitable,
        "asyncio.run_coroutine_threadsafe": _awaitable,
        "asyncio.run": _run_awaitable,
        "asyncio.Runner.run": _run_awaitable,
        "asyncio.AbstractEventLoop.run_until_complete": _run_awaitable,
        "asyncio.gather": _gather,
        "asyncio.as_completed": _elements("list"),
    }
)
"""By full name: what it does."""

_UNUSED: Final = (Binding, Running, Method, items_of, _widen, _call_inner)
