"""Attributes: reading one of any kind of value; the table says who reads which kind.

Objects and classes of the program are in `members`; writing is in `setting`.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any, Final

from onepath.link.classes import lookup
from onepath.link.code import Frame
from onepath.link.dunders import call_member
from onepath.link.files import file_at, file_of_unit, path_of, text_of
from onepath.link.foreign import canonical
from onepath.link.imports import exported, import_module, load_module
from onepath.link.invoke import holding, invoke
from onepath.link.members import docstring, member_of_instance, read_annotations, read_class, read_instance, read_super
from onepath.link.raising import ERROR_ATTRIBUTES, GROUP, read_error
from onepath.link.solver import Solver
from onepath.link.values import (
    Affix,
    Alias,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    File,
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
    TypeParameter,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)

_FRAMES: Final = frozenset({"ag_frame", "cr_frame", "gi_frame", "tb_frame"})
"""Attributes of generators and tracebacks that are frames."""
_TYPES: Final = {
    name: frozenset(dir(kind))
    for name, kind in {
        "str": str,
        "bytes": bytes,
        "int": int,
        "float": float,
        "bool": bool,
        "NoneType": type(None),
        "dict": dict,
        "list": collections.deque,
        "tuple": tuple,
        "set": set,
        "ellipsis": type(...),
        "slice": slice,
        "range": range,
    }.items()
}
"""What attributes objects of built-in types have; no others are read on them."""
_TYPES["list"] |= frozenset(dir(list))
_TYPES["dict"] |= frozenset(dir(collections.ChainMap)) | frozenset(dir(collections.Counter))


def read_attribute(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """`dst` gets `value.name`."""
    _READERS[value.__class__](solver, frame, value, name, dst, line)


def _nothing(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """Nothing is known of it."""


def _method(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    if name == "__class__" and isinstance(value, Constant | Text | Number | Box):
        solver.add(dst, solver.foreign(f"builtins.{type_name(value)}"))
        return
    if isinstance(value, Getter) and value.kind == "typevar":
        _read_type_variable(solver, value, name, dst)
        return
    if name in _FRAMES and isinstance(value, Running):
        solver.add(dst, solver.uncomputed(name, "frames hold names that are not followed"))
        return
    known = _TYPES.get(type_name(value))
    if known is None or name in known:
        solver.add(dst, solver.method(value, name))


def _read_type_variable(solver: Solver, value: Getter, name: str, dst: int) -> None:
    """What `TypeVar("T", bound=…)` was made with."""
    for keyword, var in value.site.named:
        if name == f"__{keyword}__":
            solver.flow(var, dst)
    if name == "__constraints__":
        box = solver.box("tuple", (value, name))
        for var in value.site.positional[1:]:
            solver.flow(var, box.rest)
        solver.add(dst, box)


def type_name(value: Value) -> str:
    """The built-in type of a value."""
    if isinstance(value, Constant):
        return value.type
    if isinstance(value, Box):
        return value.kind
    names = {Text: "str", Affix: "str", Bytes: "bytes", Number: "int", Running: "generator", Space: "dict"}
    return names.get(value.__class__, value.__class__.__name__.lower())


def _read_module(solver: Solver, frame: Frame, value: Module, name: str, dst: int, line: int) -> None:
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name == "__name__":
        solver.add(dst, solver.text(value.name))
        return
    if name == "__path__":
        solver.add(dst, path_of(solver, value))
        return
    if name == "__file__" and value.unit is not None:
        solver.add(dst, solver.text(text_of(file_at(solver, file_of_unit(value.unit)))))
        return
    solver.flow(solver.cell(value, name), dst)
    if name != "__class__":
        solver.when_set(value, "__class__", _read_by_class, (frame, value, name, dst, line))
    unit = value.unit
    known = unit is not None and (name in unit.statics or name in exported(solver, unit))
    if not known and name in solver.children.get(value.name, ()):
        import_module(solver, frame, f"{value.name}.{name}", dst, line, top=False, quiet=True)
        known = True
    if not known and unit is not None:
        if "__getattr__" in unit.statics:
            solver.when(solver.cell(value, "__getattr__"), _call_getattr, (frame, name, dst, line))
        for source in unit.stars:
            if source not in solver.units:
                solver.add(dst, solver.foreign(f"{source}.{name}"))
        _read_specification(solver, value, name, dst)


def _read_specification(solver: Solver, value: Module, name: str, dst: int) -> None:
    """Specifications and loaders of a module are the module."""
    if name == "loader":
        solver.add(dst, value)
    elif name == "load_module":
        which = (holding(solver, solver.text(value.name)),)
        load = solver.foreign("importlib.import_module")
        solver.add(dst, solver.once(Partial, ("load", value), load, which, (), (), (), False))


def _read_by_class(solver: Solver, payload: Any, cls: Value) -> None:
    """A module whose class was changed reads by that class."""
    frame, module, name, dst, line = payload
    if isinstance(cls, Class):
        lookup(solver, cls, name, member_of_instance, (frame, module, dst, line))
        argument = (holding(solver, solver.text(name)),)
        for special in ("__getattribute__", "__getattr__"):
            lookup(solver, cls, special, call_member, (frame, module, argument, dst, line))


def _call_getattr(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, dst, line = payload
    if isinstance(value, Function):
        invoke(solver, frame, value, (holding(solver, solver.text(name)),), dst, line)


def _read_foreign(solver: Solver, frame: Frame, value: Foreign | Result, name: str, dst: int, line: int) -> None:
    if name == "__call__":
        solver.add(dst, value)
        return
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name == "tb_frame":
        solver.add(dst, solver.uncomputed(name, "frames hold names that are not followed"))
        return
    if name in ERROR_ATTRIBUTES:
        read_error(solver, value.name, name, dst)
    owner, _, last = value.name.rpartition(".")
    if name == "__self__" and owner:
        solver.add(dst, solver.foreign(owner))
        return
    if (
        isinstance(value, Foreign)
        and not solver.leads(value.name)
        and (Result, owner) in solver.values
        and not owner.rpartition(".")[2][:1].isupper()
        and not last[:1].isupper()
    ):
        # A part of what some function gave: parts of parts are told apart no further.
        full = f"{owner}.{name}"
    else:
        full = canonical(f"{value.name}.{name}")
    module = solver.module(full)
    if module is not None:
        load_module(solver, frame, full, line)
        solver.add(dst, module)
        return
    solver.add(dst, solver.foreign(full))
    if full.partition(".")[0] in solver.watched_heads:
        unit = frame.code.unit
        solver.uses.setdefault((unit.outer or unit).name, {}).setdefault(full)
    key = (value.name, name)
    solver.foreign_reads.setdefault(key, []).append(dst)
    patched = solver.patched.get(key)
    if patched is not None:
        solver.flow(patched, dst)


def _read_function(solver: Solver, frame: Frame, value: Function, name: str, dst: int, line: int) -> None:
    if name == "__call__":
        solver.add(dst, value)
    elif name in ("__get__", "__code__"):
        solver.add(dst, solver.method(value, name))
    elif name in ("__name__", "__qualname__"):
        solver.add(dst, solver.text(value.code.scope.name))
    elif name == "__module__":
        solver.add(dst, solver.text(value.code.unit.name))
    elif name == "__globals__":
        solver.add(dst, solver.once(Space, ("module", value.code.unit), solver.module_of(value.code.unit)))
    elif name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
    elif name == "__annotations__":
        read_annotations(solver, frame, value, dst, line)
    elif name == "__closure__":
        box = solver.box("tuple", (value, name))
        cell = solver.box("namespace", (value, "cell"))
        around: Frame | None = value.parent
        while around is not None and around.code.scope.kind != "module":
            for var in list(around.cells.values()):
                solver.flow(var, solver.cell(cell, "cell_contents"))
            around = around.parent
        solver.add(box.rest, cell)
        solver.add(dst, box)
    elif name == "__doc__":
        text = docstring(value.code)
        if text is not None:
            solver.add(dst, solver.text(text))
    elif name in ("__defaults__", "__kwdefaults__"):
        box = solver.box("tuple", (value, name))
        for index in range(len(value.code.scope.parameters)):
            solver.flow(solver.cell(value, f"default {index}"), box.rest)
        solver.add(dst, box)
    else:
        solver.flow(solver.cell(value, name), dst)
        if name != "__wrapped__":
            solver.when_set(value, "__wrapped__", _read_wrapped, (frame, name, dst, line))


def _read_wrapped(solver: Solver, payload: Any, inner: Value) -> None:
    """A wrapper has what was set on the function it wraps."""
    frame, name, dst, line = payload
    if isinstance(inner, Function | Bound) and solver.is_first(("wrapped", inner, name, dst)):
        read_attribute(solver, frame, inner, name, dst, line)


def _read_bound(solver: Solver, frame: Frame, value: Bound, name: str, dst: int, line: int) -> None:
    if name == "__func__":
        solver.add(dst, value.func)
    elif name == "__self__":
        solver.add(dst, value.owner)
    elif name == "__call__":
        solver.add(dst, value)
    else:
        read_attribute(solver, frame, value.func, name, dst, line)


def _read_partial(solver: Solver, frame: Frame, value: Partial, name: str, dst: int, line: int) -> None:
    if name == "func":
        solver.add(dst, value.func)
    elif name == "__call__":
        solver.add(dst, value)
    elif name == "args":
        from onepath.link.iteration import iterate

        box = solver.box("tuple", (value, name))
        for var in value.positional:
            solver.flow(var, box.rest)
        for var in value.stars:
            iterate(solver, frame, var, box.rest, False, line)
        solver.add(dst, box)
    elif name == "keywords":
        from onepath.link.items import unpack_mapping

        box = solver.box("dict", (value, name))
        for one, var in value.named:
            solver.add(box.keys, solver.text(one))
            solver.flow(var, solver.item(box, one))
        for var in value.double_stars:
            solver.when(var, unpack_mapping, box)
        solver.add(dst, box)
    else:
        solver.flow(solver.cell(value, name), dst)


def _read_box(solver: Solver, frame: Frame, value: Box, name: str, dst: int, line: int) -> None:
    if value.kind == GROUP:
        if name == "exceptions":
            solver.add(dst, value)
        elif name in ERROR_ATTRIBUTES:
            read_error(solver, "", name, dst)
        else:
            solver.add(dst, solver.method(value, name))
        return
    kept = solver.cells.get((value, name))
    if kept is not None and value.kind == "tuple":
        solver.flow(kept, dst)
        return
    if value.kind == "alias":
        from onepath.link.hints import arguments_of, metadata_of

        if name == "__metadata__":
            metadata_of(solver, value, dst)
        elif name == "__args__":
            arguments_of(solver, dst, value)
        return
    if value.kind == "namespace":
        solver.flow(solver.cell(value, name), dst)
        if name == "__dict__":
            solver.add(dst, solver.once(Space, value, value))
        return
    if name in _ALL_OF_IT.get(value.kind, ()):
        whole = solver.box("list", (value, name))
        solver.add(whole.rest, value)
        solver.add(dst, whole)
        return
    if value.kind == "dict" and name == "parents":  # the rest of a chain of mappings
        solver.add(dst, value)
        return
    if value.kind == "variable" and name == "old_value":
        solver.flow(value.rest, dst)
        return
    _method(solver, frame, value, name, dst, line)


_ALL_OF_IT: Final = {"dict": ("maps",)}
"""By kind of container, what lists the containers it is made of: they are merged into one here."""


def _read_descriptor_object(solver: Solver, frame: Frame, value: Descriptor, name: str, dst: int, line: int) -> None:
    inner = {
        "fget": value.get,
        "__func__": value.get,
        "__wrapped__": value.get,
        "func": value.get,
        "fset": value.set,
        "fdel": value.delete,
    }.get(name)
    if inner is not None:
        solver.add(dst, inner)
    elif name == "registry" and value.kind == "dispatch":
        box = solver.box("dict", (value, name))
        solver.flow(solver.cell(value, "registered"), box.rest)
        solver.add(dst, box)
    else:
        solver.add(dst, solver.method(value, name))


def _read_alias(solver: Solver, frame: Frame, value: Alias, name: str, dst: int, line: int) -> None:
    if name == "__value__":
        invoke(solver, frame, value.get, (), dst, line)
    elif name == "evaluate_value":  # since 3.14
        solver.add(dst, value.get)
    elif name == "__type_params__":
        solver.flow(solver.cell(value, name), dst)
    else:
        solver.add(dst, solver.method(value, name))


_BOUNDS: Final = ("__bound__", "__constraints__", "evaluate_bound", "evaluate_constraints")


def _read_type_parameter(solver: Solver, frame: Frame, value: TypeParameter, name: str, dst: int, line: int) -> None:
    asked = value.bound if name in _BOUNDS else value.default if name.endswith("_default") else None
    if name == "__default__":
        asked = value.default
    if asked is not None and name.startswith("__"):
        invoke(solver, frame, asked, (), dst, line)
    elif asked is not None and name.startswith("evaluate_"):  # since 3.14
        solver.add(dst, asked)
    else:
        solver.add(dst, solver.method(value, name))


def _read_file(solver: Solver, frame: Frame, value: File, name: str, dst: int, line: int) -> None:
    from onepath.link.models.files import read_file

    read_file(solver, value, name, dst)


def _read_uncomputed(solver: Solver, frame: Frame, value: Uncomputed, name: str, dst: int, line: int) -> None:
    solver.add(dst, value)


def _read_widened(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    for full in solver.protected_by_name.get(name, ()):
        for one in solver.named(full):
            solver.add(dst, one)


_READERS: Final[dict[type, Callable[[Solver, Frame, Any, str, int, int], None]]] = {
    Instance: read_instance,
    Class: read_class,
    Module: _read_module,
    Foreign: _read_foreign,
    Result: _read_foreign,
    Function: _read_function,
    Bound: _read_bound,
    Partial: _read_partial,
    Box: _read_box,
    Descriptor: _read_descriptor_object,
    Alias: _read_alias,
    TypeParameter: _read_type_parameter,
    Super: read_super,
    Uncomputed: _read_uncomputed,
    Widened: _read_widened,
    Unknown: _nothing,
    Text: _method,
    Affix: _method,
    Bytes: _method,
    Number: _method,
    Constant: _method,
    Running: _method,
    Space: _method,
    Method: _method,
    Getter: _method,
    File: _read_file,
}
