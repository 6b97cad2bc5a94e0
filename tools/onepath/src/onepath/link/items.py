"""Items of containers: reading and writing by a key, and merging one container into another.

Slices are in `slices`, what goes through the elements one by one in `iteration`, what methods of built-in types do in
`methods`.
"""

from __future__ import annotations

from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import binds, fields_of, foreign_bases, is_enum, lookup
from onepath.link.code import Frame
from onepath.link.defaults_of_keys import default_of_key
from onepath.link.dunders import call_member, call_special
from onepath.link.foreign import PICKLES
from onepath.link.imports import import_module
from onepath.link.invoke import holding, invoke
from onepath.link.layers import NONE_HIDDEN, is_key
from onepath.link.members import enum_member, plain_member
from onepath.link.setting import set_attribute
from onepath.link.solver import Solver
from onepath.link.values import (
    BOXES,
    Affix,
    Alias,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    Foreign,
    Function,
    Instance,
    Module,
    Number,
    Result,
    Space,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)
from onepath.link.within import HASH, REDUCED, reach, reach_all

TUPLES: Final = frozenset({"typing.NamedTuple"})
MANY_KEYS: Final = 8
"""With more keys than this at one place, all elements are meant."""


def key_of(solver: Solver, value: Value | None) -> object:
    """What tells items apart; None where the key is not known."""
    if value.__class__ is Instance:
        value = plain_member(solver, value)
    if isinstance(value, Text | Number | Bytes):
        return value.value
    if isinstance(value, Foreign) and (Result, value.name.rpartition(".")[0]) in solver.values:
        return None  # a part of what some function gave
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


PRIORITIES: Final = "queue of priorities"
NEEDS: Final = "sorter"
"""Kinds of containers: what compares what is put in, and what sorts it by what it needs."""
COUNTS: Final = "counts"


def counts(solver: Solver, box: Box) -> bool:
    """Whether a mapping counts what its keys are."""
    return (COUNTS, box) in solver.values


def merge_into(solver: Solver, box: Box, value: Value, hidden: frozenset[str] = NONE_HIDDEN) -> None:
    """`box.update(value)`, but for the keys that are hidden."""
    if isinstance(value, Box):
        if value is box:
            return
        if value.kind == "dict":
            solver.lay(box, value, hidden)
        else:
            solver.each_item(value, _any_item, box)
            inner = solver.var_for(("merged", value, box))
            items_of(solver, value, inner)
            solver.when(inner, _merge_pair, box)
        solver.flow(value.rest, box.rest)
        solver.flow(value.keys, box.keys)
    elif isinstance(value, Space):
        _copy_space(solver, box, value)


def same_item(solver: Solver, box: Any, key: object, var: int) -> None:
    """An item of one container is in another one under the same key."""
    solver.flow(var, item_cell(solver, box, key))


def _any_item(solver: Solver, box: Any, key: object, var: int) -> None:
    """An item of one container is in another one, nobody knows where."""
    solver.flow(var, box.rest)


def _merge_pair(solver: Solver, box: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.each_item(value, _half_of_pair, (box, value))


def _half_of_pair(solver: Solver, payload: Any, key: object, var: int) -> None:
    box, pair = payload
    if key in (0, 1) and 0 in pair.items and 1 in pair.items and solver.is_first(("pair", box, pair)):
        solver.flow(pair.items[0], box.keys)
        solver.when(pair.items[0], _pair_key, (box, pair.items[1]))


def _pair_key(solver: Solver, payload: Any, key: Value) -> None:
    box, src = payload
    solver.flow(src, item_cell(solver, box, key_of(solver, key)))


def unpack_mapping(solver: Solver, box: Any, value: Value) -> None:
    """`**value` into a mapping."""
    _unpack(solver, box, value, NONE_HIDDEN)


def unpack_rest(solver: Solver, payload: Any, value: Value) -> None:
    """`**value` into the box of a `**kwargs` parameter: what has a parameter of its own does not get there."""
    box, hidden = payload
    _unpack(solver, box, value, hidden)


def _unpack(solver: Solver, box: Box, value: Value, hidden: frozenset[str]) -> None:
    merge_into(solver, box, value, hidden)
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


def read_item(solver: Solver, payload: Any, value: Value) -> None:
    """`dst = value[index]`."""
    frame, index, dst, line = payload
    if isinstance(value, Box):
        if index < 0:
            items_of(solver, value, dst)
        else:
            solver.when(index, _read_item_key, (frame, index, value, dst, line))
            if not solver.has(index):
                solver.at_last(_read_item_blind, solver, frame, value, index, dst)
    elif isinstance(value, Space):
        if index >= 0:
            solver.at_last(_read_space_blind, solver, index, dst)
            solver.when(index, _read_item_key, (frame, index, value, dst, line))
    elif isinstance(value, Instance):
        arguments = (index,) if index >= 0 else ()
        if not call_special(solver, frame, value, "__getitem__", arguments, dst, line):
            if index >= 0 and any(base in TUPLES for base in foreign_bases(value.cls)):
                solver.when(index, field_by_number, (frame, value, dst, line))
            _inherited_item(solver, frame, value, index, dst, line)
    elif isinstance(value, Class):
        if is_enum(value):
            if index >= 0:
                solver.when(index, _enum_by_name, (value, dst))
        else:
            solver.add(dst, value)
            if index >= 0 and binds(value, "__class_getitem__"):
                lookup(solver, value, "__class_getitem__", _class_item, (frame, value, index, dst, line))
        if value.metaclass >= 0 and index >= 0:
            for meta in solver.has(value.metaclass):
                if isinstance(meta, Class):
                    lookup(solver, meta, "__getitem__", call_member, (frame, value, (index,), dst, line))
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
        if isinstance(value, Result) and value.name in _CONTEXTS and index >= 0:
            solver.when(index, _variable_of_context, dst, BOXES)
    elif isinstance(value, Text | Affix | Constant):
        if isinstance(value, Text) and index >= 0:
            solver.when(index, _character, (value, dst))
        else:
            solver.add(dst, solver.constant("str"))


_CONTEXTS: Final = frozenset({"contextvars.copy_context", "contextvars.Context"})


def _class_item(solver: Solver, payload: Any, member: Value) -> None:
    frame, cls, index, dst, line = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, cls), (index,), dst, line)


def _variable_of_context(solver: Solver, dst: Any, key: Value) -> None:
    items_of(solver, key, dst)  # type: ignore[arg-type]


def field_by_number(solver: Solver, payload: Any, key: Value) -> None:
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


def _read_item_blind(solver: Solver, frame: Frame, value: Box, index: int, dst: int) -> None:
    """A key of which nothing is known may be any."""
    if not solver.has(index) and not solver.is_idle(frame, _read_item_blind, frame, value, index, dst):
        items_of(solver, value, dst)
        if value.missing >= 0:
            default_of_key(solver, frame, value, None, value.rest, frame.code.scope.line)


def _read_space_blind(solver: Solver, index: int, dst: int) -> None:
    if all(isinstance(one, Unknown | Result) for one in solver.has(index)):
        solver.add(dst, solver.uncomputed("__dict__", "the name that is looked up is not known"))


def _enum_by_name(solver: Solver, payload: Any, key: Value) -> None:
    cls, dst = payload
    if isinstance(key, Text):
        if key.value in cls.statics:
            solver.add(dst, enum_member(solver, cls, key.value))
        return
    for name in sorted(cls.statics):
        if not name.startswith("_"):
            solver.add(dst, enum_member(solver, cls, name))


def _module_by_name(solver: Solver, payload: Any, key: Value) -> None:
    frame, dst, line = payload
    if isinstance(key, Text):
        import_module(solver, frame, key.value, dst, line, top=False)
    else:
        solver.add(dst, solver.uncomputed("sys.modules", "the module's name is not known"))


def _read_item_key(solver: Solver, payload: Any, key: Value) -> None:
    frame, index, value, dst, line = payload
    if isinstance(value, Box):
        if value.kind == "dict":
            hashed(solver, frame, key, line)
        elif isinstance(key, Instance):
            call_special(solver, frame, key, "__index__", (), -1, line)
    if isinstance(value, Box) and value.kind in ("tuple", "list") and _is_any_number(key):
        items_of(solver, value, dst)
        return
    if isinstance(value, Box) and len(solver.has(index)) > MANY_KEYS:
        items_of(solver, value, dst)
        if value.missing >= 0:
            default_of_key(solver, frame, value, None, value.rest, line)
        return
    read_key(solver, frame, value, key, dst)
    if isinstance(value, Box) and value.missing >= 0:
        default_of_key(solver, frame, value, key, item_cell(solver, value, key_of(solver, key)), line)


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
    known = key_of(solver, key)
    if isinstance(key, Foreign) and not is_key(value, known):
        # Foreign data: it may be any key. A foreign class or function among the keys is that one.
        items_of(solver, value, dst)
        return
    if known is None:
        if isinstance(key, Instance) or (isinstance(key, Constant) and key.type in ("NoneType", "bool")):
            solver.flow(solver.item_read(value, key), dst)
            solver.flow(value.rest, dst)
            return
        if isinstance(key, Affix):
            solver.each_item(value, _item_like, (key, dst))
            solver.flow(value.rest, dst)
            return
        items_of(solver, value, dst)
        return
    if isinstance(known, int) and known < 0 and value.kind in ("tuple", "list"):
        solver.each_item(value, item_at, (value, known, dst))
        solver.flow(value.rest, dst)
        return
    solver.flow(solver.item_read(value, known), dst)
    solver.flow(value.rest, dst)


def _item_like(solver: Solver, payload: Any, key: object, var: int) -> None:
    affix, dst = payload
    if isinstance(key, str) and key.startswith(affix.start) and key.endswith(affix.end):
        solver.flow(var, dst)


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
        if isinstance(key, Constant) and key.type == "slice":
            solver.when(src, _spliced, value)
            return
        known = key_of(solver, key)
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
            solver.flow(src, item_cell(solver, box, key_of(solver, key)))
    elif isinstance(value, Foreign | Result):
        if value.name == "sys.modules" and isinstance(key, Text):
            solver.when(src, _replace_module, key.value)
        else:
            if value.name in PICKLES:
                reach_all(solver, frame, src, REDUCED, solver.nowhere, line)
            solver.when(src, _escaped_item, (frame, value.name, line))


def _spliced(solver: Solver, box: Any, value: Value) -> None:
    """`box[1:2] = value`: its elements are in it, nobody knows where."""
    if isinstance(value, Box):
        items_of(solver, value, box.rest)
    else:
        solver.add(box.rest, value)


def hashed(solver: Solver, frame: Frame, value: Value, line: int) -> None:
    """A value becomes a key or a member of a set."""
    if isinstance(value, Instance | Class | Box):
        reach(solver, frame, value, HASH, solver.nowhere, line)


def _replace_module(solver: Solver, name: Any, value: Value) -> None:
    """`sys.modules[name] = value`: who imports that name gets the value."""
    module = solver.module(name)
    if value is not module:
        solver.add(solver.cell(solver.loaded, name), value)


def _escaped_item(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, line = payload
    solver.escape(solver, frame, value, name, -1, line)


def item_at(solver: Solver, payload: Any, key: object, var: int) -> None:
    """The item at this place; counted from the end, with as many items as are known by then."""
    box, index, dst = payload
    if index < 0:
        var = box.items.get(len(box.items) + index, -1)
        if var >= 0:
            solver.flow(var, dst)
    elif key == index:
        solver.flow(var, dst)
