"""Methods of values of built-in types: generators, classes, functions, descriptors.

Those of containers are in `container_methods`, those of texts in `texts`.
"""

from __future__ import annotations

from typing import Any

from onepath.link.attributes import read_attribute
from onepath.link.code import Site
from onepath.link.construction import construct, new_of
from onepath.link.container_methods import BOX_METHODS, space_method
from onepath.link.invoke import invoke
from onepath.link.models.copies import decode_with
from onepath.link.models.files import file_method
from onepath.link.models.importing import load_entry_point
from onepath.link.raising import raised, stopped
from onepath.link.setting import set_attribute
from onepath.link.solver import Solver
from onepath.link.text_methods import text_method
from onepath.link.values import (
    Affix,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    File,
    Function,
    Getter,
    Method,
    Number,
    Partial,
    Running,
    Space,
    Text,
    Value,
)


def call_method_of_builtin(solver: Solver, site: Site, method: Method) -> None:
    """`owner.name(...)` where the owner is of a built-in type."""
    owner = method.owner
    if isinstance(owner, Box):
        handler = BOX_METHODS.get(method.name)
        solver.edge(site.frame, f"builtins.{owner.kind}.{method.name}", "call", site.line)
        if handler is not None:
            handler(solver, site, owner)
        return
    if isinstance(owner, File):
        file_method(solver, site, owner, method.name)
    elif isinstance(owner, Running):
        _running_method(solver, site, owner, method.name)
    elif isinstance(owner, Text | Affix | Constant | Bytes | Number):
        text_method(solver, site, owner, method.name)
    elif isinstance(owner, Space):
        space_method(solver, site, owner, method.name)
    elif isinstance(owner, Function):
        if method.name == "__get__" and site.positional:
            solver.when(site.positional[0], _bind_to, (owner, site.dst))
    elif isinstance(owner, Descriptor):
        _descriptor_method(solver, site, owner, method.name)
    elif isinstance(owner, Class):
        _class_method(solver, site, owner, method.name)
    elif isinstance(owner, Getter) and owner.kind == "entry point" and method.name == "load":
        load_entry_point(solver, site, owner)
    elif isinstance(owner, Getter) and owner.kind == "slot":
        for var in site.positional[:1]:
            solver.when(var, _by_slot, (site, method.name, owner.names[0]))
    elif isinstance(owner, Getter) and owner.kind == "decoder":
        decode_with(solver, site, owner)


def _by_slot(solver: Solver, payload: Any, owner: Value) -> None:
    """A slot's descriptor reads and writes what the slot holds."""
    site, method, name = payload
    if method == "__get__":
        read_attribute(solver, site.frame, owner, name, site.dst, site.line)
    elif method == "__set__" and len(site.positional) > 1:
        set_attribute(solver, site.frame, owner, name, site.positional[1], site.line)


def _bind_to(solver: Solver, payload: Any, owner: Value) -> None:
    function, dst = payload
    if isinstance(owner, Constant) and owner.type == "NoneType":
        solver.add(dst, function)
    else:
        solver.add(dst, solver.bound(function, owner))


def _class_method(solver: Solver, site: Site, cls: Class, name: str) -> None:
    if name == "__new__":
        new_of(solver, site, cls)
    elif name == "construct":
        solver.later(construct, solver, site, cls)
    elif name == "_make":
        made = Site(site.frame, site.dst, -1, (), (), site.line, site.positional[:1])
        solver.later(construct, solver, made, cls)
    elif name == "__subclasses__":
        box = solver.box("list", (cls, name))
        solver.later(_subclasses, solver, cls, box)
        solver.add(site.dst, box)
    elif name == "register":
        solver.values["registered to", cls] = True
        for var in site.positional[:1]:
            solver.flow(var, site.dst)
    elif name == "mro":
        box = solver.box("list", (cls, name))
        for one in cls.mro:
            solver.add(box.rest, one)
        solver.add(site.dst, box)


def _subclasses(solver: Solver, cls: Class, box: Box) -> None:
    for one in cls.subclasses:
        solver.add(box.rest, one)


def _descriptor_method(solver: Solver, site: Site, owner: Descriptor, name: str) -> None:
    if name in ("setter", "getter", "deleter") and site.positional:
        solver.when(site.positional[0], _with_accessor, (owner, name, site.dst))
    elif name == "__get__" and site.positional and owner.get is not None:
        if owner.kind == "property":
            invoke(solver, site.frame, owner.get, site.positional[:1], site.dst, site.line)
        else:
            solver.add(site.dst, owner.get)
    elif name == "__set__" and len(site.positional) > 1 and owner.set is not None:
        invoke(solver, site.frame, owner.set, site.positional[:2], site.dst, site.line)
    elif name == "register" and owner.kind == "dispatch":
        for var in site.positional:
            solver.when(var, _register, (owner, site.dst))
        solver.add(site.dst, solver.method(owner, "register"))
    elif name == "dispatch" and owner.kind == "dispatch":
        solver.flow(solver.cell(owner, "registered"), site.dst)


def _register(solver: Solver, payload: Any, value: Value) -> None:
    owner, dst = payload
    if isinstance(value, Function | Bound | Partial | Descriptor):
        solver.add(solver.cell(owner, "registered"), value)
        solver.add(dst, value)


def _with_accessor(solver: Solver, payload: Any, value: Value) -> None:
    owner, name, dst = payload
    get, set_, delete = owner.get, owner.set, owner.delete
    if name == "setter":
        set_ = value
    elif name == "getter":
        get = value
    else:
        delete = value
    key = (owner.kind, get, set_, delete)
    solver.add(dst, solver.once(Descriptor, key, *key))


def _running_method(solver: Solver, site: Site, owner: Running, name: str) -> None:
    frame = owner.frame
    if name in ("send", "asend") and site.positional:
        solver.flow(site.positional[0], frame.sent)
    if name in ("throw", "athrow"):
        for var in site.positional[:2]:
            raised(solver, site.frame, var, site.line)
    if name in ("send", "__next__", "throw"):
        stopped(solver, frame)
        solver.flow(frame.yields, site.dst)
        solver.flow(frame.result, site.dst)
    elif name in ("asend", "__anext__", "athrow"):
        box = solver.box("awaitable", ("next", owner))
        solver.flow(frame.yields, box.rest)
        solver.add(site.dst, box)
    elif name in ("__iter__", "__aiter__", "__await__"):
        solver.add(site.dst, owner)
