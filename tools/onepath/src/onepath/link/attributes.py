"""Reading and writing attributes, for every kind of value."""

from __future__ import annotations

import builtins
import collections
from collections.abc import Callable
from typing import Any, Final

from onepath.facts import model as op
from onepath.link.classes import binds, foreign_bases, is_enum, lookup, lookup_after, may_have
from onepath.link.code import Code, Frame, Site, Unit
from onepath.link.imports import exported, import_module, load_module
from onepath.link.invoke import holding, invoke
from onepath.link.solver import Solver
from onepath.link.values import (
    CLASSES,
    Affix,
    Alias,
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

_BUILTINS: Final = frozenset(vars(builtins))
_CLASS_METHODS: Final = frozenset({"__subclasses__", "mro", "__new__", "__class_getitem__", "__members__"})
_CODE: Final = frozenset({"__closure__", "__globals__", "f_back", "f_globals", "f_locals", "gi_frame", "cr_frame"})


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


# -- names -----------------------------------------------------------------------------------------------------


def read_name(solver: Solver, frame: Frame, name: str, dst: int) -> None:
    """A module variable or a builtin."""
    unit = frame.code.unit
    known = _read_unit_name(solver, unit, name, dst)
    if name == "__name__":
        solver.add(dst, solver.text(unit.outer.name if unit.outer else unit.name))
    elif name in ("__file__", "__doc__", "__path__"):
        solver.add(dst, solver.constant("str"))
    elif name == "__package__":
        is_package = unit.facts.is_package
        solver.add(dst, solver.text(unit.name if is_package else unit.name.rpartition(".")[0]))
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


# -- reading ---------------------------------------------------------------------------------------------------


def read_attribute(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """`dst` gets `value.name`."""
    _READERS[value.__class__](solver, frame, value, name, dst, line)


def _nothing(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """Nothing is known of it."""


def _method(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    if name == "__class__" and isinstance(value, Constant | Text | Number | Box):
        solver.add(dst, solver.foreign(f"builtins.{type_name(value)}"))
        return
    known = _TYPES.get(type_name(value))
    if known is None or name in known:
        solver.add(dst, solver.method(value, name))


def type_name(value: Value) -> str:
    """The built-in type of a value."""
    if isinstance(value, Constant):
        return value.type
    if isinstance(value, Box):
        return value.kind
    names = {Text: "str", Affix: "str", Bytes: "bytes", Number: "int", Running: "generator", Space: "dict"}
    return names.get(value.__class__, value.__class__.__name__.lower())


def _read_instance(solver: Solver, frame: Frame, value: Instance, name: str, dst: int, line: int) -> None:
    cls = value.cls
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name == "__class__":
        solver.add(dst, cls)
        return
    if name == "__module__":
        solver.add(dst, solver.text(cls.unit.name))
        return
    key = ("read", frame, value, name, dst)
    if key in solver.values:
        return
    solver.values[key] = True
    solver.flow(solver.cell(value, name), dst)
    if value.tag and not isinstance(value.tag[0], str):
        # A change from outside to one object of the class, where all of them are meant, is one to this too.
        plain = solver.values.get((Instance, (cls, (), None)))
        if plain is not None:
            solver.flow(solver.cell(plain, name), dst)
    payload = (frame, value, dst, line)
    lookup(solver, cls, name, _member_of_instance, payload)
    solver.when_set(value, "__class__", _other_class, (frame, value, name, dst, line))
    if binds(cls, "__getattribute__"):
        _call_special(solver, frame, value, "__getattribute__", (holding(solver, solver.text(name)),), dst, line)
    if not binds(cls, name):
        annotation = _field_annotation(cls, name)
        if annotation is not None:
            owner, index = annotation
            solver.declared.append((solver.cell(value, name), index, owner.unit, owner.body))
        if binds(cls, "__getattr__"):
            _call_special(solver, frame, value, "__getattr__", (holding(solver, solver.text(name)),), dst, line)
        if is_enum(cls) and name in ("value", "_value_"):
            return
        for base in foreign_bases(cls):
            if annotation is None and may_have(base, name):
                solver.add(dst, solver.bound(solver.foreign(f"{base}.{name}"), value))


def _other_class(solver: Solver, payload: Any, value: Value) -> None:
    frame, instance, name, dst, line = payload
    if isinstance(value, Class):
        lookup(solver, value, name, _member_of_instance, (frame, instance, dst, line))


def _field_annotation(cls: Class, name: str) -> tuple[Class, int] | None:
    for one in cls.mro:
        if name in one.fields:
            return one, one.fields[name]
    return None


def _member_of_instance(solver: Solver, payload: Any, member: Value) -> None:
    """A class attribute, read on an object."""
    frame, owner, dst, line = payload
    if isinstance(member, Function):
        solver.add(dst, solver.bound(member, owner))
    elif isinstance(member, Descriptor):
        _read_descriptor(solver, frame, member, owner, dst, line)
    elif isinstance(member, Partial) and member.method:
        solver.add(dst, solver.bound(member, owner))
    elif isinstance(member, Instance) and binds(member.cls, "__get__"):
        cls = owner.cls if isinstance(owner, Instance) else owner
        arguments = (holding(solver, owner), holding(solver, cls))
        _call_special(solver, frame, member, "__get__", arguments, dst, line)
    elif isinstance(member, Class):
        solver.add(dst, member)
    else:
        solver.add(dst, member)


def _read_descriptor(solver: Solver, frame: Frame, member: Descriptor, owner: Value, dst: int, line: int) -> None:
    if member.kind == "static":
        if member.get is not None:
            solver.add(dst, member.get)
    elif member.kind == "class":
        if member.get is not None:
            cls = owner.cls if isinstance(owner, Instance) else owner
            if isinstance(member.get, Descriptor):
                _read_descriptor(solver, frame, member.get, cls, dst, line)
            else:
                solver.add(dst, solver.bound(member.get, cls))
    elif member.kind == "factory":
        return
    elif member.kind == "dispatch":
        solver.add(dst, solver.bound(member, owner))
    elif member.get is not None:
        _invoke_on(solver, frame, member.get, owner, (), dst, line)


def _invoke_on(
    solver: Solver, frame: Frame, func: Value, owner: Value, arguments: tuple[int, ...], dst: int, line: int
) -> None:
    """Call an accessor with the object it is for; objects made with different callables stay apart."""
    if isinstance(func, Function) and isinstance(owner, Instance):
        invoke(solver, frame, solver.bound(func, owner), arguments, dst, line)
    else:
        invoke(solver, frame, func, (holding(solver, owner), *arguments), dst, line)


def _call_special(
    solver: Solver, frame: Frame, owner: Instance, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> None:
    lookup(solver, owner.cls, name, _call_member, (frame, owner, arguments, dst, line))


def call_special(
    solver: Solver, frame: Frame, owner: Value, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> bool:
    """Call a dunder of an object's type, as operators do; whether a class of the program has it."""
    if isinstance(owner, Class) and owner.metaclass >= 0:
        return _call_on_class(solver, frame, owner, name, arguments, dst, line)
    if not isinstance(owner, Instance):
        return False
    _call_special(solver, frame, owner, name, arguments, dst if dst >= 0 else solver.nowhere, line)
    return binds(owner.cls, name)


def _call_on_class(
    solver: Solver, frame: Frame, owner: Class, name: str, arguments: tuple[int, ...], dst: int, line: int
) -> bool:
    """The same for a class, whose type is its metaclass."""
    found = False
    for meta in list(solver.has(owner.metaclass)):
        if isinstance(meta, Class):
            payload = (frame, owner, arguments, dst if dst >= 0 else solver.nowhere, line)
            lookup(solver, meta, name, _call_member, payload)
            found = found or binds(meta, name)
    return found


def _call_member(solver: Solver, payload: Any, member: Value) -> None:
    frame, owner, arguments, dst, line = payload
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)
    elif isinstance(member, Descriptor) and member.kind in ("static", "class"):
        if member.get is not None:
            cls = owner.cls if isinstance(owner, Instance) else owner
            bound = member.get if member.kind == "static" else solver.bound(member.get, cls)
            invoke(solver, frame, bound, arguments, dst, line)
    elif isinstance(member, Partial) and member.method:
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)
    elif not isinstance(member, Constant):
        invoke(solver, frame, member, arguments, dst, line)


def _read_class(solver: Solver, frame: Frame, value: Class, name: str, dst: int, line: int) -> None:
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name in ("__name__", "__qualname__"):
        solver.add(dst, solver.text(value.name))
        return
    if name == "__module__":
        solver.add(dst, solver.text(value.unit.name))
        return
    if name == "__doc__" and value.code is not None:
        text = docstring(value.code)
        if text is not None:
            solver.add(dst, solver.text(text))
        return
    if name == "__annotations__":
        _annotations(solver, frame, value, dst, line)
        return
    if name in ("__mro__", "__bases__", "__base__"):
        box = solver.box("tuple", (value, name))
        for one in value.mro if name == "__mro__" else value.bases:
            solver.add(box.rest, one)
        solver.add(dst, value.bases[0] if name == "__base__" and value.bases else box)
        return
    if name == "__class__":
        if value.metaclass >= 0:
            solver.flow(value.metaclass, dst)
        solver.add(dst, solver.foreign("builtins.type"))
        return
    if name == "__call__":
        solver.add(dst, value)
        return
    key = ("read", frame, value, name, dst)
    if key in solver.values:
        return
    solver.values[key] = True
    lookup(solver, value, name, _member_of_class, (frame, value, name, dst, line))
    if value.metaclass >= 0:
        solver.when(value.metaclass, _read_metaclass, (frame, value, name, dst, line))
    if not binds(value, name):
        if _is_slot(solver, value, name):
            site = Site(frame, solver.nowhere, -1, (), (), line)
            solver.add(dst, solver.once(Getter, ("slot", value, name), "slot", (name,), site))
        if name in _CLASS_METHODS:
            solver.add(dst, solver.method(value, name))
        if name not in ("__new__", "__subclasses__"):
            for base in foreign_bases(value):
                if may_have(base, name):
                    solver.add(dst, solver.foreign(f"{base}.{name}"))


def _is_slot(solver: Solver, cls: Class, name: str) -> bool:
    return any(
        isinstance(one, Text) and one.value == name
        for owner in cls.mro
        if "__slots__" in owner.statics
        for held in solver.has(solver.cell(owner, "__slots__"))
        for one in (solver.has(solver.every(held)) if isinstance(held, Box) else (held,))
    )


def _read_metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    frame, value, name, dst, line = payload
    if isinstance(meta, Class):
        lookup(solver, meta, name, _member_of_instance, (frame, value, dst, line))
        if not binds(value, name) and binds(meta, "__getattr__"):
            argument = holding(solver, solver.text(name))
            lookup(solver, meta, "__getattr__", _call_member, (frame, value, (argument,), dst, line))


def _member_of_class(solver: Solver, payload: Any, member: Value) -> None:
    frame, cls, name, dst, line = payload
    if isinstance(member, Descriptor):
        if member.kind in ("static", "class"):
            _read_descriptor(solver, frame, member, cls, dst, line)
        else:
            solver.add(dst, member)
    elif isinstance(member, Instance) and binds(member.cls, "__get__"):
        arguments = (holding(solver, solver.constant("NoneType")), holding(solver, cls))
        _call_special(solver, frame, member, "__get__", arguments, dst, line)
    elif is_enum(cls) and not name.startswith("_") and not isinstance(member, Function):
        solver.add(dst, enum_member(solver, cls, name))
    else:
        solver.add(dst, member)


def enum_member(solver: Solver, cls: Class, name: str) -> Instance:
    """The member of an enumeration: an object of its own."""
    key = (cls, (name,), None)
    known = solver.values.get((Instance, key))
    member: Instance = solver.once(Instance, key, cls, (name,), None, 0)
    if known is None:
        for one in cls.mro:
            if name in one.statics:
                for attribute in ("value", "_value_"):
                    solver.flow(solver.cell(one, name), solver.cell(member, attribute))
                break
        for attribute in ("name", "_name_"):
            solver.add(solver.cell(member, attribute), solver.text(name))
    return member


def _read_module(solver: Solver, frame: Frame, value: Module, name: str, dst: int, line: int) -> None:
    if name == "__dict__":
        solver.add(dst, solver.once(Space, value, value))
        return
    if name == "__name__":
        solver.add(dst, solver.text(value.name))
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


def _read_by_class(solver: Solver, payload: Any, cls: Value) -> None:
    """A module whose class was changed reads by that class."""
    frame, module, name, dst, line = payload
    if isinstance(cls, Class):
        lookup(solver, cls, name, _member_of_instance, (frame, module, dst, line))
        argument = (holding(solver, solver.text(name)),)
        for special in ("__getattribute__", "__getattr__"):
            lookup(solver, cls, special, _call_member, (frame, module, argument, dst, line))


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
    from onepath.link.foreign import canonical

    owner, _, last = value.name.rpartition(".")
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
        _annotations(solver, frame, value, dst, line)
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


def _annotations(solver: Solver, frame: Frame, value: Value, dst: int, line: int) -> None:
    from onepath.link.hints import hints

    hints(solver, frame, value, dst, line)


def docstring(code: Code) -> str | None:
    """The text a body starts with."""
    first = code.scope.code[0] if code.scope.code else None
    is_first = isinstance(first, op.Text) and first.dst == len(code.scope.parameters)
    return first.value if is_first and isinstance(first, op.Text) else None


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
        box = solver.box("tuple", (value, name))
        for var in value.positional:
            solver.flow(var, box.rest)
        solver.add(dst, box)
    else:
        solver.flow(solver.cell(value, name), dst)


def _read_box(solver: Solver, frame: Frame, value: Box, name: str, dst: int, line: int) -> None:
    if value.kind == "group" and name == "exceptions":
        solver.add(dst, value)
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
    _method(solver, frame, value, name, dst, line)


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
    else:
        solver.add(dst, solver.method(value, name))


def _read_alias(solver: Solver, frame: Frame, value: Alias, name: str, dst: int, line: int) -> None:
    if name == "__value__":
        invoke(solver, frame, value.get, (), dst, line)
    elif name == "evaluate_value":  # since 3.14
        solver.add(dst, value.get)
    else:
        solver.add(dst, solver.method(value, name))


def _read_super(solver: Solver, frame: Frame, value: Super, name: str, dst: int, line: int) -> None:
    owner = value.owner
    cls = owner.cls if isinstance(owner, Instance) else owner
    if not isinstance(cls, Class):
        cls = value.cls
    found = lookup_after(solver, cls, value.cls, name, _member_of_instance, (frame, owner, dst, line))
    if not found:
        if name == "__new__":
            solver.add(dst, solver.method(cls, "__new__"))
            return
        if name == "__call__" and isinstance(owner, Class):
            solver.add(dst, solver.method(owner, "construct"))
            return
        for base in foreign_bases(cls):
            if base != "builtins.object":
                solver.add(dst, solver.bound(solver.foreign(f"{base}.{name}"), owner))
        if not foreign_bases(cls):
            solver.add(dst, solver.bound(solver.foreign(f"builtins.object.{name}"), owner))


def _read_uncomputed(solver: Solver, frame: Frame, value: Uncomputed, name: str, dst: int, line: int) -> None:
    solver.add(dst, value)


def _read_widened(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    for full in solver.protected_by_name.get(name, ()):
        for one in solver.named(full):
            solver.add(dst, one)


_READERS: Final[dict[type, Callable[[Solver, Frame, Any, str, int, int], None]]] = {
    Instance: _read_instance,
    Class: _read_class,
    Module: _read_module,
    Foreign: _read_foreign,
    Result: _read_foreign,
    Function: _read_function,
    Bound: _read_bound,
    Partial: _read_partial,
    Box: _read_box,
    Descriptor: _read_descriptor_object,
    Alias: _read_alias,
    Super: _read_super,
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
}


# -- writing ---------------------------------------------------------------------------------------------------


def set_attribute(solver: Solver, frame: Frame, value: Value, name: str, src: int, line: int) -> None:
    """`value.name` gets what `src` holds; `src` -1 deletes."""
    if isinstance(value, Instance):
        lookup(solver, value.cls, name, _write_member, (frame, value, src, line))
        if src < 0:
            return
        solver.flow(src, solver.cell(value, name))
        if name == "__class__":
            solver.when(src, _reclassed, (frame, line), CLASSES)
        if binds(value.cls, "__setattr__"):
            _call_special(solver, frame, value, "__setattr__", (holding(solver, solver.text(name)), src), -1, line)
    elif src < 0:
        return
    elif isinstance(value, Class):
        if name == "__bases__":
            solver.when(src, _new_bases, value)
        solver.flow(src, solver.cell(value, name))
        _patch_subclasses(value, name)
    elif isinstance(value, Module | Function):
        solver.flow(src, solver.cell(value, name))
        if isinstance(value, Function) and name in ("__defaults__", "__kwdefaults__"):
            solver.when(src, _new_defaults, value)
    elif isinstance(value, Bound):
        set_attribute(solver, frame, value.func, name, src, line)
    elif isinstance(value, Box | Partial):
        solver.flow(src, solver.cell(value, name))
    elif isinstance(value, Foreign | Result):
        key = (value.name, name)
        patched = solver.patched.get(key)
        if patched is None:
            patched = solver.patched[key] = solver.new()
            for dst in solver.foreign_reads.get(key, ()):
                solver.flow(patched, dst)
        solver.flow(src, patched)
        solver.later(_escape_patch, solver, frame, value, name, patched, line)


def _new_defaults(solver: Solver, function: Any, value: Value) -> None:
    """`f.__defaults__ = (…)`: from the last parameter backwards; `__kwdefaults__` by name."""
    if not isinstance(value, Box):
        return
    parameters = function.code.scope.parameters
    plain = [index for index, one in enumerate(parameters) if one.kind in ("positional", "any")]
    numbered = sorted(key for key in value.items if isinstance(key, int))
    for key, index in zip(reversed(numbered), reversed(plain), strict=False):
        solver.flow(value.items[key], solver.cell(function, f"default {index}"))
    for index, one in enumerate(parameters):
        if one.name in value.items:
            solver.flow(value.items[one.name], solver.cell(function, f"default {index}"))


def _escape_patch(solver: Solver, frame: Frame, value: Value, name: str, patched: int, line: int) -> None:
    """What is put into foreign code is run by it."""
    solver.when(patched, _escape_one, (frame, f"{value.name}.{name}", line))  # type: ignore[attr-defined]


def _escape_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, line = payload
    solver.escape(solver, frame, value, name, -1, line)


def _patch_subclasses(value: Class, name: str) -> None:
    """A name set on a class from outside is bound there: it hides its bases' one from then on, which is kept too."""
    value.dynamic = True


def _new_bases(solver: Solver, payload: Any, value: Value) -> None:
    from onepath.link.classes import add_base

    if isinstance(value, Box):
        for var in (*value.items.values(), value.rest):
            solver.when(var, _new_base, payload)
    else:
        add_base(solver, payload, value)


def _new_base(solver: Solver, payload: Any, value: Value) -> None:
    from onepath.link.classes import add_base

    add_base(solver, payload, value)


def _reclassed(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    if isinstance(value, Class):
        solver.note_made(value, frame, "__class__", line)


def _write_member(solver: Solver, payload: Any, member: Value) -> None:
    """A class attribute that takes part in writing to an object."""
    frame, owner, src, line = payload
    if isinstance(member, Descriptor) and member.kind == "property":
        if src >= 0 and member.set is not None:
            _invoke_on(solver, frame, member.set, owner, (src,), -1, line)
        elif src < 0 and member.delete is not None:
            _invoke_on(solver, frame, member.delete, owner, (), -1, line)
    elif isinstance(member, Instance):
        if src >= 0 and binds(member.cls, "__set__"):
            _call_special(solver, frame, member, "__set__", (holding(solver, owner), src), solver.nowhere, line)
        elif src < 0 and binds(member.cls, "__delete__"):
            _call_special(solver, frame, member, "__delete__", (holding(solver, owner),), solver.nowhere, line)
