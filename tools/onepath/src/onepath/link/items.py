"""Containers: reading and writing by key, iterating, unpacking, awaiting, and the methods of built-in types.

A key that is known (a text, a number, a class, a member of an enumeration, a function) has a variable of its own; all
other elements share one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.link.attributes import call_special, read_attribute, set_attribute
from onepath.link.classes import binds, fields_of, foreign_bases, is_enum
from onepath.link.code import Frame, Site
from onepath.link.invoke import holding, invoke
from onepath.link.solver import Solver
from onepath.link.texts import text_method
from onepath.link.values import (
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
    Text,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)

_TUPLES: Final = frozenset({"typing.NamedTuple"})
MANY_KEYS: Final = 8
"""With more keys than this at one place, all elements are meant."""


def key_of(value: Value | None) -> object:
    """What tells items apart; None where the key is not known."""
    if isinstance(value, Text | Number | Bytes):
        return value.value
    if isinstance(value, Class | Function | Foreign | Module):
        return value
    if isinstance(value, Instance) and value.tag and isinstance(value.tag[0], str):
        return value
    return None


def item_cell(solver: Solver, box: Box, key: object) -> int:
    """The variable of one item."""
    return box.rest if key is None else solver.item(box, key)


def items_of(solver: Solver, box: Box, dst: int) -> None:
    """`dst` gets every element."""
    solver.flow(solver.every(box), dst)


def keys_of(solver: Solver, box: Box, dst: int) -> None:
    solver.flow(box.keys, dst)


def merge_into(solver: Solver, box: Box, value: Value) -> None:
    """`box.update(value)`."""
    if isinstance(value, Box):
        if value is box:
            return
        for key, var in list(value.items.items()):
            solver.flow(var, item_cell(solver, box, key) if value.kind == "dict" else box.rest)
        if value.kind != "dict":
            inner = solver.var_for(("merged", value, box))
            items_of(solver, value, inner)
            solver.when(inner, _merge_pair, box)
        solver.flow(value.rest, box.rest)
        solver.flow(value.keys, box.keys)
    elif isinstance(value, Space):
        _copy_space(solver, box, value)


def _merge_pair(solver: Solver, box: Any, value: Value) -> None:
    if isinstance(value, Box) and 0 in value.items and 1 in value.items:
        solver.flow(value.items[0], box.keys)
        solver.when(value.items[0], _pair_key, (box, value.items[1]))


def _pair_key(solver: Solver, payload: Any, key: Value) -> None:
    box, src = payload
    solver.flow(src, item_cell(solver, box, key_of(key)))


def unpack_mapping(solver: Solver, box: Any, value: Value) -> None:
    """`**value` into the box of a `**kwargs` parameter."""
    merge_into(solver, box, value)
    if isinstance(value, Instance) and isinstance(box.site, tuple) and isinstance(box.site[0], Frame):
        frame = box.site[0]
        call_special(solver, frame, value, "keys", (), -1, frame.code.scope.line)
        call_special(solver, frame, value, "__getitem__", (box.keys,), box.rest, frame.code.scope.line)


def _copy_space(solver: Solver, box: Box, space: Space) -> None:
    for name in names_of(solver, space.owner):
        solver.add(box.keys, solver.text(name))
        solver.flow(solver.cell(space.owner, name), item_cell(solver, box, name))


def names_of(solver: Solver, owner: Value) -> list[str]:
    """Names a module, class or object has, as far as is known."""
    found: dict[str, None] = {}
    if isinstance(owner, Module) and owner.unit is not None:
        found.update(dict.fromkeys(sorted(owner.unit.statics)))
    if isinstance(owner, Class):
        for cls in owner.mro:
            found.update(dict.fromkeys(sorted(cls.statics)))
    if isinstance(owner, Instance):
        for cls in owner.cls.mro:
            found.update(dict.fromkeys(sorted(cls.statics)))
            found.update(dict.fromkeys(cls.fields))
    return list(found)


# -- by key ----------------------------------------------------------------------------------------------------


def read_item(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = value[index]`."""
    frame, index, dst, line = payload
    if isinstance(value, Box):
        if index < 0:
            items_of(solver, value, dst)
        else:
            solver.when(index, _read_item_key, (frame, index, value, dst, line))
            if not solver.has(index):
                solver.later(_read_item_blind, solver, value, index, dst)
    elif isinstance(value, Space):
        if index >= 0:
            solver.later(_read_space_blind, solver, index, dst)
            solver.when(index, _read_item_key, (frame, index, value, dst, line))
    elif isinstance(value, Instance):
        arguments = (index,) if index >= 0 else ()
        if not call_special(solver, frame, value, "__getitem__", arguments, dst, line):
            if index >= 0 and any(base in _TUPLES for base in foreign_bases(value.cls)):
                solver.when(index, _field_by_number, (frame, value, dst, line))
            _inherited_item(solver, frame, value, index, dst, line)
    elif isinstance(value, Class):
        if is_enum(value):
            if index >= 0:
                solver.when(index, _enum_by_name, (value, dst))
        else:
            solver.add(dst, value)
            if index >= 0 and "__class_getitem__" in value.statics:
                for member in solver.has(solver.cell(value, "__class_getitem__")):
                    if isinstance(member, Descriptor) and member.get is not None:
                        member = member.get
                    if isinstance(member, Function):
                        invoke(solver, frame, solver.bound(member, value), (index,), dst, line)
            if value.metaclass >= 0 and index >= 0:
                for meta in solver.has(value.metaclass):
                    if isinstance(meta, Class):
                        from onepath.link.attributes import _call_member
                        from onepath.link.classes import lookup

                        lookup(solver, meta, "__getitem__", _call_member, (frame, value, (index,), dst, line))
    elif isinstance(value, Foreign):
        if value.name.startswith(("typing.", "collections.abc.")) and index >= 0:
            from onepath.link.hints import subscripted

            subscripted(solver, frame, index, dst)
            solver.add(dst, solver.result(value.name))
        elif value.name == "sys.modules":
            if index >= 0:
                solver.when(index, _module_by_name, (frame, dst, line))
        else:
            solver.add(dst, solver.result(value.name))
    elif isinstance(value, Alias | Result | Uncomputed | Widened):
        solver.add(dst, value)
    elif isinstance(value, Text | Affix | Constant):
        if isinstance(value, Text) and index >= 0:
            solver.when(index, _character, (value, dst))
        else:
            solver.add(dst, solver.constant("str"))


def _field_by_number(solver: Solver, payload: Any, key: Value) -> None:
    frame, value, dst, line = payload
    names = [name for name, _, _ in fields_of(value.cls)]
    if isinstance(key, Number) and -len(names) <= key.value < len(names):
        names = [names[key.value]]
    for name in names:
        read_attribute(solver, frame, value, name, dst, line)


def _character(solver: Solver, payload: Any, key: Value) -> None:
    value, dst = payload
    if isinstance(key, Number) and -len(value.value) <= key.value < len(value.value):
        solver.add(dst, solver.text(value.value[key.value]))
    else:
        solver.add(dst, solver.constant("str"))


_WITH_ITEMS: Final = frozenset(
    {
        "builtins.dict", "builtins.list", "builtins.tuple", "collections.OrderedDict", "collections.UserDict",
        "collections.UserList", "collections.defaultdict", "typing.NamedTuple",
    }
)  # fmt: skip
"""Foreign bases whose objects hold what is put into them."""


def _inherited_item(solver: Solver, frame: Frame, value: Instance, index: int, dst: int, line: int) -> None:
    for base in foreign_bases(value.cls):
        if base in _WITH_ITEMS:
            box = solver.box("dict", ("content", value))
            if index < 0:
                items_of(solver, box, dst)
            else:
                solver.when(index, _read_item_key, (frame, index, box, dst, line))
                call_special(solver, frame, value, "__missing__", (index,), dst, line)
            return


def _read_item_blind(solver: Solver, value: Box, index: int, dst: int) -> None:
    """A key of which nothing is known may be any."""
    if not solver.has(index):
        items_of(solver, value, dst)


def _read_space_blind(solver: Solver, index: int, dst: int) -> None:
    if all(isinstance(one, Unknown | Result) for one in solver.has(index)):
        solver.add(dst, solver.uncomputed("__dict__", "the name that is looked up is not known"))


def _enum_by_name(solver: Solver, payload: Any, key: Value) -> None:
    from onepath.link.attributes import enum_member

    cls, dst = payload
    if isinstance(key, Text):
        if key.value in cls.statics:
            solver.add(dst, enum_member(solver, cls, key.value))
        return
    for name in sorted(cls.statics):
        if not name.startswith("_"):
            solver.add(dst, enum_member(solver, cls, name))


def _module_by_name(solver: Solver, payload: Any, key: Value) -> None:
    from onepath.link.imports import import_module

    frame, dst, line = payload
    if isinstance(key, Text):
        import_module(solver, frame, key.value, dst, line, top=False)
    else:
        solver.add(dst, solver.uncomputed("sys.modules", "the module's name is not known"))


def _read_item_key(solver: Solver, payload: Any, key: Value) -> None:
    frame, index, value, dst, line = payload
    if isinstance(key, Instance) and isinstance(value, Box):
        for name in ("__hash__", "__eq__") if value.kind == "dict" else ("__index__",):
            if binds(key.cls, name):
                call_special(solver, frame, key, name, (solver.nowhere,), -1, line)
    if isinstance(value, Box) and value.kind in ("tuple", "list") and _is_any_number(key):
        items_of(solver, value, dst)
        return
    if isinstance(value, Box) and len(solver.has(index)) > MANY_KEYS:
        items_of(solver, value, dst)
        return
    read_key(solver, frame, value, key, dst)
    if isinstance(value, Box) and value.missing >= 0:
        from onepath.link.invoke import invoke_all

        made = item_cell(solver, value, key_of(key))
        invoke_all(solver, frame, value.missing, (), made, line)


def _is_any_number(key: Value) -> bool:
    return isinstance(key, Constant) and key.type in ("bool", "int")


def read_key(solver: Solver, frame: Frame | None, value: Value, key: Value, dst: int) -> None:
    """`dst` gets the item of a known key; of an unknown one, any."""
    if isinstance(value, Space):
        if isinstance(key, Text) and frame is not None:
            _read_space(solver, frame, value.owner, key.value, dst)
        elif not isinstance(key, Text):
            solver.add(dst, solver.uncomputed("__dict__", "the name that is looked up is not known"))
        return
    if not isinstance(value, Box):
        return
    known = key_of(key)
    if isinstance(key, Foreign) and known not in value.items:
        # Foreign data: it may be any key. A foreign class or function among the keys is that one.
        items_of(solver, value, dst)
        return
    if known is None:
        if isinstance(key, Instance) or (isinstance(key, Constant) and key.type in ("NoneType", "bool")):
            solver.flow(item_cell(solver, value, key), dst)
            solver.flow(value.rest, dst)
            return
        if isinstance(key, Affix):
            for one, var in list(value.items.items()):
                if isinstance(one, str) and one.startswith(key.start) and one.endswith(key.end):
                    solver.flow(var, dst)
            solver.flow(value.rest, dst)
            return
        items_of(solver, value, dst)
        return
    if isinstance(known, int) and known < 0 and value.kind in ("tuple", "list"):
        counted = value.items.get(len(value.items) + known)
        if counted is not None:
            solver.flow(counted, dst)
        solver.flow(value.rest, dst)
        return
    solver.flow(item_cell(solver, value, known), dst)
    solver.flow(value.rest, dst)


def _read_space(solver: Solver, frame: Frame, owner: Value, name: str, dst: int) -> None:
    """What a namespace holds under a name, as it was put there: no descriptor is asked."""
    if isinstance(owner, Class) and not is_enum(owner):
        solver.flow(solver.cell(owner, name), dst)
    elif isinstance(owner, Instance) and not any(name in cls.fields for cls in owner.cls.mro):
        solver.flow(solver.cell(owner, name), dst)
        plain = solver.values.get((Instance, (owner.cls, (), None)))
        if plain is not None and owner.tag and not isinstance(owner.tag[0], str):
            solver.flow(solver.cell(plain, name), dst)
    else:
        read_attribute(solver, frame, owner, name, dst, 0)


def set_item(solver: Solver, frame: Frame, value: Value, key: Value | None, src: int, line: int) -> None:
    """`value[key] = src`."""
    if isinstance(value, Box):
        known = key_of(key)
        if known is None and isinstance(key, Instance | Constant):
            known = key if isinstance(key, Instance) or key.type in ("NoneType", "bool") else None
        if key is not None:
            solver.add(value.keys, key)
            hashed(solver, frame, key, line)
        solver.flow(src, item_cell(solver, value, known))
    elif isinstance(value, Space):
        if isinstance(key, Text):
            set_attribute(solver, frame, value.owner, key.value, src, line)
        elif key is not None:
            solver.note_opaque(frame, "__dict__", "the name that is set is not known", line)
    elif isinstance(value, Instance):
        arguments = (holding(solver, key), src) if key is not None else (solver.new(), src)
        if not call_special(solver, frame, value, "__setitem__", arguments, -1, line):
            box = solver.box("dict", ("content", value))
            if key is not None:
                solver.add(box.keys, key)
            solver.flow(src, item_cell(solver, box, key_of(key)))
    elif isinstance(value, Foreign | Result):
        if value.name == "sys.modules" and isinstance(key, Text):
            solver.when(src, _replace_module, key.value)
        else:
            solver.when(src, _escaped_item, (frame, value.name, line))


def hashed(solver: Solver, frame: Frame, value: Value, line: int) -> None:
    """A value becomes a key or a member of a set."""
    if isinstance(value, Instance):
        for name in ("__hash__", "__eq__"):
            if binds(value.cls, name):
                call_special(solver, frame, value, name, (solver.nowhere,) if name == "__eq__" else (), -1, line)


def _replace_module(solver: Solver, name: Any, value: Value) -> None:
    """`sys.modules[name] = value`: who imports that name gets the value."""
    module = solver.module(name)
    if value is not module:
        solver.add(solver.cell(solver.loaded, name), value)


def _escaped_item(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, line = payload
    solver.escape(solver, frame, value, name, -1, line)


def slice_of(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = value[low:high:step]`."""
    frame, bounds, dst, line = payload
    if isinstance(value, Box):
        box = solver.box_at(value.kind, frame, ("slice", dst - frame.base))
        part = _constant_slice(solver, bounds) if value.kind in ("list", "tuple") else None
        if part is None:
            items_of(solver, value, box.rest)
        else:
            numbers = sorted(key for key in value.items if isinstance(key, int) and key >= 0)
            for position, key in enumerate(numbers[part]):
                solver.flow(value.items[key], item_cell(solver, box, position))
            solver.flow(value.rest, box.rest)
        solver.add(dst, box)
    elif isinstance(value, Text):
        known: list[int | None] = []
        for var in bounds:
            held = solver.has(var) if var >= 0 else None
            if held is None:
                known.append(None)
                continue
            only = next(iter(held), None)
            if len(held) != 1 or not isinstance(only, Number):
                solver.add(dst, solver.constant("str"))
                return
            known.append(only.value)
        if known[2] == 0:
            return
        solver.add(dst, solver.text(value.value[known[0] : known[1] : known[2]]))
    elif isinstance(value, Instance):
        call_special(solver, frame, value, "__getitem__", (holding(solver, solver.constant("slice")),), dst, line)
    elif isinstance(value, Result | Uncomputed | Constant | Affix):
        solver.add(dst, value if not isinstance(value, Affix) else solver.constant("str"))
    elif isinstance(value, Bytes):
        solver.add(dst, solver.constant("bytes"))


def _constant_slice(solver: Solver, bounds: tuple[int, int, int]) -> slice | None:
    """`[1:3]`, `[2:]`: which elements these are; None where that depends on what is not known."""
    known: list[int | None] = []
    for var in bounds:
        if var < 0:
            known.append(None)
            continue
        only = next(iter(solver.has(var)), None)
        if len(solver.has(var)) != 1 or not isinstance(only, Number) or only.value < 0:
            return None
        known.append(only.value)
    return slice(known[0], known[1]) if known[2] in (None, 1) else None


# -- iterating -------------------------------------------------------------------------------------------------


def iterate(solver: Solver, frame: Frame, src: int, dst: int, is_async: bool, line: int) -> None:
    """`dst` gets the elements of whatever `src` holds."""
    solver.when(src, _iterate_one, (frame, dst, is_async, line))


def _iterate_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, dst, is_async, line = payload
    if isinstance(value, Box):
        if value.kind == "dict":
            solver.flow(value.keys, dst)
        else:
            items_of(solver, value, dst)
    elif isinstance(value, Running):
        solver.flow(value.frame.yields, dst)
    elif isinstance(value, Instance):
        started = solver.var_for(("started", frame, value, is_async))
        first, second = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
        if call_special(solver, frame, value, first, (), started, line):
            solver.when(started, _next_of, (frame, value, second, dst, is_async, line))
        elif not call_special(solver, frame, value, second, (), dst, line):
            call_special(solver, frame, value, "__getitem__", (holding(solver, solver.constant("int")),), dst, line)
            items_of(solver, solver.box("dict", ("content", value)), dst)
    elif isinstance(value, Class):
        from onepath.link.attributes import enum_member

        started = solver.var_for(("started", frame, value, is_async))
        if call_special(solver, frame, value, "__iter__", (), started, line):
            solver.when(started, _next_of, (frame, value, "__next__", dst, is_async, line))
        if is_enum(value):
            for name in sorted(value.statics):
                if not name.startswith("_"):
                    solver.add(dst, enum_member(solver, value, name))
    elif isinstance(value, Text):
        solver.add(dst, solver.constant("str"))
    elif isinstance(value, Space):
        for name in names_of(solver, value.owner):
            solver.add(dst, solver.text(name))
    elif isinstance(value, Result | Uncomputed | Widened):
        solver.add(dst, value)
    elif isinstance(value, Foreign):
        solver.add(dst, solver.result(value.name))


def _next_of(solver: Solver, payload: Any, started: Value) -> None:
    frame, _, method, dst, is_async, line = payload
    if isinstance(started, Instance):
        given = solver.var_for(("given", frame, started, dst)) if is_async else dst
        call_special(solver, frame, started, method, (), given, line)
        if is_async:
            solver.when(given, awaited, (frame, dst, line))
    else:
        _iterate_one(solver, (frame, dst, is_async, line), started)


def unpack(solver: Solver, payload: Any, value: Value) -> None:
    """Element `index` of a value that is unpacked."""
    frame, index, rest, dst, line = payload
    if rest:
        box = solver.box_at("list", frame, ("rest", dst - frame.base))
        if isinstance(value, Box) and value.kind != "dict":
            solver.read(value)
            for key, var in list(value.items.items()):
                if isinstance(key, int) and key >= index:
                    solver.flow(var, box.rest)
            solver.flow(value.rest, box.rest)
        else:
            _iterate_one(solver, (frame, box.rest, False, line), value)
        solver.add(dst, box)
        return
    if isinstance(value, Box) and value.kind in ("tuple", "list"):
        if index < 0:
            found = value.items.get(len(value.items) + index)
        else:
            found = value.items.get(index)
            if found is None and value.items:
                found = item_cell(solver, value, index)
        if found is not None:
            solver.flow(found, dst)
        solver.flow(value.rest, dst)
    elif isinstance(value, Instance) and any(base in _TUPLES for base in foreign_bases(value.cls)):
        _field_by_number(solver, (frame, value, dst, line), solver.number(index))
    else:
        _iterate_one(solver, (frame, dst, False, line), value)


def awaited(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = await value`; also the result of `yield from`."""
    frame, dst, line = payload
    if isinstance(value, Running):
        solver.flow(value.frame.result, dst)
    elif isinstance(value, Instance):
        inner = solver.var_for(("awaited", frame, value, dst))
        if call_special(solver, frame, value, "__await__", (), inner, line):
            solver.when(inner, awaited, payload)
        else:
            solver.add(dst, value)
    elif isinstance(value, Box):
        if value.kind not in ("awaitable", "gathered"):
            solver.add(dst, value)
        if value.kind == "awaitable":
            solver.flow(value.rest, dst)
        elif value.kind == "gathered":
            inner_box = solver.box("list", ("gathered", value))
            inner = solver.var_for(("gathered", value))
            items_of(solver, value, inner)
            solver.when(inner, awaited, (frame, inner_box.rest, line))
            for key, var in list(value.items.items()):
                solver.when(var, awaited, (frame, item_cell(solver, inner_box, key), line))
            solver.add(dst, inner_box)
    elif isinstance(value, Result | Uncomputed | Foreign):
        solver.add(dst, value if not isinstance(value, Foreign) else solver.result(value.name))
    elif isinstance(value, Function | Bound | Class | Partial):
        solver.add(dst, value)


def enter(solver: Solver, payload: Any, value: Value) -> None:
    """`with value as dst`."""
    frame, is_async, dst, line = payload
    if isinstance(value, Instance):
        first, last = ("__aenter__", "__aexit__") if is_async else ("__enter__", "__exit__")
        given = solver.var_for(("entered", frame, value, dst)) if is_async else dst
        entered = call_special(solver, frame, value, first, (), given, line)
        if is_async:
            solver.when(given, awaited, (frame, dst, line))
        nothing = holding(solver, solver.constant("NoneType"))
        call_special(solver, frame, value, last, (nothing, nothing, nothing), -1, line)
        if not entered and foreign_bases(value.cls):
            solver.add(dst, value)
    elif isinstance(value, Running):
        solver.flow(value.frame.yields, dst)
    elif isinstance(value, Result | Uncomputed):
        solver.add(dst, value)
    elif isinstance(value, Box):
        if value.kind == "context":
            solver.flow(value.rest, dst)
        else:
            solver.add(dst, value)
    elif isinstance(value, Foreign):
        solver.add(dst, solver.result(value.name))
    elif isinstance(value, Function | Bound):
        invoke(solver, frame, value, (), dst, line)


# -- methods of built-in types ---------------------------------------------------------------------------------


def call_method_of_builtin(solver: Solver, site: Site, method: Method) -> None:
    """`owner.name(...)` where the owner is of a built-in type."""
    owner = method.owner
    if isinstance(owner, Box):
        handler = _BOX_METHODS.get(method.name)
        solver.edge(site.frame, f"builtins.{owner.kind}.{method.name}", "call", site.line)
        if handler is not None:
            handler(solver, site, owner)
        return
    if isinstance(owner, Running):
        _running_method(solver, site, owner, method.name)
    elif isinstance(owner, Text | Affix | Constant | Bytes | Number):
        text_method(solver, site, owner, method.name)
    elif isinstance(owner, Space):
        _space_method(solver, site, owner, method.name)
    elif isinstance(owner, Function):
        if method.name == "__get__" and site.positional:
            solver.when(site.positional[0], _bind_to, (owner, site.dst))
    elif isinstance(owner, Descriptor):
        _descriptor_method(solver, site, owner, method.name)
    elif isinstance(owner, Class):
        _class_method(solver, site, owner, method.name)
    elif isinstance(owner, Getter) and owner.kind == "entry point" and method.name == "load":
        from onepath.link.models.importing import load_entry_point

        load_entry_point(solver, site, owner)
    elif isinstance(owner, Getter) and owner.kind == "slot":
        for var in site.positional[:1]:
            solver.when(var, _by_slot, (site, method.name, owner.names[0]))
    elif isinstance(owner, Getter) and owner.kind == "decoder":
        from onepath.link.models.copies import decode_with

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
        _new_of(solver, site, cls)
    elif name == "construct":
        from onepath.link.construction import construct

        solver.later(construct, solver, site, cls)
    elif name == "__subclasses__":
        box = solver.box("list", (cls, name))
        solver.later(_subclasses, solver, cls, box)
        solver.add(site.dst, box)
    elif name == "mro":
        box = solver.box("list", (cls, name))
        for one in cls.mro:
            solver.add(box.rest, one)
        solver.add(site.dst, box)


def _subclasses(solver: Solver, cls: Class, box: Box) -> None:
    for one in cls.subclasses:
        solver.add(box.rest, one)


def _new_of(solver: Solver, site: Site, cls: Class) -> None:
    """`object.__new__(cls)`, `super().__new__(cls)`: an object without `__init__`."""
    if site.positional:
        solver.when(site.positional[0], _new_one, site)
    else:
        _new_one(solver, site, cls)


def _new_one(solver: Solver, site: Any, cls: Value) -> None:
    from onepath.link.classes import plain_instance

    if isinstance(cls, Class):
        if not any("builtins.type" in one.foreign for one in cls.mro):
            inside = site.frame.code.scope.name == "__new__"
            solver.note_made(cls, site.frame, "__new__", site.line) if not inside else None
            instance = plain_instance(solver, cls, site)
            solver.add(site.dst, instance)
            if inside:
                from onepath.link.construction import initialise

                initialise(solver, site, instance, None)
        else:
            _new_class(solver, site, cls)


def _new_class(solver: Solver, site: Site, meta: Class) -> None:
    """`super().__new__(meta, name, bases, names)` in a metaclass: the class that is being made."""
    if len(site.positional) >= 4:
        solver.when(site.positional[3], _class_of_space, site.dst)


def _class_of_space(solver: Solver, dst: Any, value: Value) -> None:
    if isinstance(value, Space):
        solver.add(dst, value.owner)


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
    if name in ("send", "__next__", "throw"):
        solver.flow(frame.yields, site.dst)
        solver.flow(frame.result, site.dst)
    elif name in ("asend", "__anext__", "athrow"):
        box = solver.box("awaitable", ("next", owner))
        solver.flow(frame.yields, box.rest)
        solver.add(site.dst, box)
    elif name in ("__iter__", "__aiter__", "__await__"):
        solver.add(site.dst, owner)


def _space_method(solver: Solver, site: Site, owner: Space, name: str) -> None:
    if name in ("get", "pop", "setdefault", "__getitem__") and site.positional:
        read_item(solver, (site.frame, site.positional[0], site.dst, site.line), owner)
        for var in site.positional[1:2]:
            solver.flow(var, site.dst)
            if name == "setdefault":
                solver.when(site.positional[0], _set_key, (site.frame, owner, var, site.line))
    elif name == "update":
        for keyword, var in site.named:
            set_attribute(solver, site.frame, owner.owner, keyword, var, site.line)
        for var in site.positional:
            solver.when(var, _update_space, (site.frame, owner, site.line))
    elif name == "__setitem__" and len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, owner, site.positional[1], site.line))
    elif name in ("values", "items", "keys", "copy"):
        box = solver.box("dict" if name == "copy" else "list", (owner, name))
        _space_items(solver, site.frame, owner, name, box)
        solver.add(site.dst, box)


def _space_items(solver: Solver, frame: Frame, owner: Space, name: str, box: Box) -> None:
    for one in names_of(solver, owner.owner):
        var = solver.new()
        read_attribute(solver, frame, owner.owner, one, var, 0)
        if name == "values":
            solver.flow(var, box.rest)
        elif name == "keys":
            solver.add(box.rest, solver.text(one))
        elif name == "copy":
            solver.add(box.keys, solver.text(one))
            solver.flow(var, item_cell(solver, box, one))
        else:
            pair = solver.box("tuple", (owner, "item", one))
            solver.add(item_cell(solver, pair, 0), solver.text(one))
            solver.flow(var, item_cell(solver, pair, 1))
            solver.add(box.rest, pair)


def _update_space(solver: Solver, payload: Any, value: Value) -> None:
    frame, owner, line = payload
    if isinstance(value, Box):
        for key, var in list(value.items.items()):
            if isinstance(key, str):
                set_attribute(solver, frame, owner.owner, key, var, line)


def _set_key(solver: Solver, payload: Any, key: Value) -> None:
    frame, owner, src, line = payload
    set_item(solver, frame, owner, key, src, line)


def _append(solver: Solver, site: Site, box: Box) -> None:
    for var in site.positional[-1:]:
        solver.flow(var, box.rest)
        if box.kind == "set":
            solver.when(var, _hashed_one, (site.frame, site.line))


def _hashed_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    hashed(solver, frame, value, line)


def _look_for(solver: Solver, site: Site, box: Box) -> None:
    """`count`, `index`, `remove`: elements are compared with what is looked for."""
    solver.when(solver.every(box), _looked_at, site)


def _looked_at(solver: Solver, site: Any, value: Value) -> None:
    if isinstance(value, Instance) and binds(value.cls, "__eq__"):
        call_special(solver, site.frame, value, "__eq__", site.positional[:1], -1, site.line)


def _extend(solver: Solver, site: Site, box: Box) -> None:
    for var in site.positional:
        iterate(solver, site.frame, var, box.rest, False, site.line)
    solver.add(site.dst, box)


def _get(solver: Solver, site: Site, box: Box) -> None:
    if box.kind not in ("dict", "list", "tuple"):
        items_of(solver, box, site.dst)
    elif site.positional:
        read_item(solver, (site.frame, site.positional[0], site.dst, site.line), box)
    for var in site.positional[1:2]:
        solver.flow(var, site.dst)


def _pop(solver: Solver, site: Site, box: Box) -> None:
    if box.kind == "dict":
        _get(solver, site, box)
    else:
        items_of(solver, box, site.dst)


def _popitem(solver: Solver, site: Site, box: Box) -> None:
    pair = solver.box("tuple", (box, "popped"))
    solver.flow(box.keys, item_cell(solver, pair, 0))
    items_of(solver, box, item_cell(solver, pair, 1))
    solver.add(site.dst, pair)


def _setdefault(solver: Solver, site: Site, box: Box) -> None:
    _get(solver, site, box)
    if len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, box, site.positional[1], site.line))


def _update(solver: Solver, site: Site, box: Box) -> None:
    for name, var in site.named:
        solver.add(box.keys, solver.text(name))
        solver.flow(var, item_cell(solver, box, name))
    for var in (*site.positional, *site.double_stars):
        if box.kind == "dict":
            solver.when(var, unpack_mapping, box)
        else:
            iterate(solver, site.frame, var, box.rest, False, site.line)


def _values(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "values"))
    items_of(solver, box, view.rest)
    solver.add(site.dst, view)


def _keys(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "keys"))
    solver.flow(box.keys, view.rest)
    solver.add(site.dst, view)


def _items(solver: Solver, site: Site, box: Box) -> None:
    if box.kind != "dict":
        return
    view = solver.box("list", (box, "items"))
    pair = solver.box("tuple", (box, "item"))
    solver.flow(box.keys, item_cell(solver, pair, 0))
    items_of(solver, box, item_cell(solver, pair, 1))
    solver.add(view.rest, pair)
    solver.add(site.dst, view)


def _copy(solver: Solver, site: Site, box: Box) -> None:
    solver.add(site.dst, box)


def _set_item_method(solver: Solver, site: Site, box: Box) -> None:
    if len(site.positional) > 1:
        solver.when(site.positional[0], _set_key, (site.frame, box, site.positional[1], site.line))


def _done_callback(solver: Solver, site: Site, box: Box) -> None:
    """A task's callback gets the task."""
    from onepath.link.invoke import invoke_all

    for var in site.positional[:1]:
        invoke_all(solver, site.frame, var, (holding(solver, box),), -1, site.line)


def _sort(solver: Solver, site: Site, box: Box) -> None:
    from onepath.link.invoke import invoke_all

    for name, var in site.named:
        if name == "key":
            element = solver.new()
            items_of(solver, box, element)
            invoke_all(solver, site.frame, var, (element,), -1, site.line)


def _element(solver: Solver, site: Site, box: Box) -> None:
    items_of(solver, box, site.dst)


_BOX_METHODS: Final[dict[str, Callable[[Solver, Site, Box], None]]] = {
    "set": _append,
    "add_done_callback": _done_callback,
    "result": _element,
    "send": _element,
    "throw": _element,
    "__anext__": _element,
    "count": _look_for,
    "index": _look_for,
    "remove": _look_for,
    "append": _append,
    "appendleft": _append,
    "add": _append,
    "insert": _append,
    "put": _append,
    "put_nowait": _append,
    "extend": _extend,
    "extendleft": _extend,
    "__iadd__": _extend,
    "get": _get,
    "get_nowait": _element,
    "__getitem__": _get,
    "__next__": _element,
    "pop": _pop,
    "popleft": _element,
    "popitem": _popitem,
    "setdefault": _setdefault,
    "update": _update,
    "values": _values,
    "keys": _keys,
    "items": _items,
    "copy": _copy,
    "__iter__": _copy,
    "union": _extend,
    "__or__": _update,
    "__setitem__": _set_item_method,
    "sort": _sort,
}
