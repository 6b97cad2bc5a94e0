"""The operations of a code, turned into flows for one frame: each kind of operation has one reader here."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any, Final

from onepath.facts import model as op
from onepath.link.attributes import read_attribute
from onepath.link.calls import call
from onepath.link.class_bodies import run_class_body
from onepath.link.code import Frame, Site
from onepath.link.displays import read_mapping, read_sequence
from onepath.link.dunders import call_special
from onepath.link.exceptions import read_caught, read_raise
from onepath.link.imports import exported, import_from, import_module, star
from onepath.link.items import MANY_KEYS, read_item, set_item
from onepath.link.iteration import awaited, enter, iterate, unpack
from onepath.link.names import read_name
from onepath.link.narrowing import found_among, matched, narrowed
from onepath.link.operators import operated
from onepath.link.setting import set_attribute
from onepath.link.slices import slice_of
from onepath.link.solver import Solver
from onepath.link.texts import formatted
from onepath.link.values import (
    OBJECTS,
    RUNNING,
    Alias,
    Box,
    Class,
    Constant,
    Function,
    Instance,
    Running,
    TypeParameter,
    Value,
)


def instantiate(solver: Solver, frame: Frame) -> None:
    """Read every operation of the frame's code."""
    scope = frame.code.scope
    base = frame.base
    if frame.code.divided:
        run_operations(solver, frame, scope.code)
    else:
        readers = _READERS
        for operation in scope.code:
            readers[operation.__class__](solver, frame, base, operation)
    unit = frame.code.unit
    for index, parameter in enumerate(scope.parameters):
        if parameter.annotation >= 0 and parameter.kind not in ("star", "double"):
            solver.declared.append((base + index, parameter.annotation, unit, frame))
    if scope.returns >= 0 and not scope.is_generator:
        solver.declared.append((frame.result, scope.returns, unit, frame))
    if scope.kind == "module":
        for field in scope.fields:
            cell = _module_cell(solver, frame, field.name)
            solver.declared.append((cell, field.annotation, unit, frame))


def run_operations(solver: Solver, frame: Frame, code: Items[op.AnyOperation]) -> None:
    """Operations of which some run only if the module is the program, or once a generator is read."""
    at = 0
    while at < len(code):
        one = code[at]
        at += 1
        if isinstance(one, op.Program):
            inner = code[at : at + one.count]
            at += one.count
            solver.later(only_in_program, solver, frame, inner)
        elif isinstance(one, op.Deferred):
            box = solver.box_at("generator", frame, one.dst)
            inner = code[at : at + one.count]
            at += one.count
            if box in solver.begun:
                run_operations(solver, frame, inner)
            else:
                solver.unread.setdefault(box, []).append((frame, inner))
                solver.add(frame.base + one.dst, box)
        else:
            _READERS[one.__class__](solver, frame, frame.base, one)


def only_in_program(solver: Solver, frame: Frame, code: Items[op.AnyOperation]) -> None:
    """What a module does where it is the program: at once if it is, else once it is known to be."""
    unit = frame.code.unit
    if solver.is_program(unit.outer or unit):
        run_operations(solver, frame, code)
    else:
        solver.not_run.append((frame, code))


def _module_cell(solver: Solver, frame: Frame, name: str) -> int:
    return solver.cell(solver.module_of(frame.code.unit), name)


def _copy(solver: Solver, frame: Frame, base: int, one: op.Copy) -> None:
    for source in one.sources:
        solver.flow(base + source, base + one.dst)


def _text(solver: Solver, frame: Frame, base: int, one: op.Text) -> None:
    solver.add(base + one.dst, solver.text(one.value))


def _bytes(solver: Solver, frame: Frame, base: int, one: op.Bytes) -> None:
    solver.add(base + one.dst, solver.bytes_(one.value))


def _number(solver: Solver, frame: Frame, base: int, one: op.Number) -> None:
    solver.add(base + one.dst, solver.number(one.value))


def _constant(solver: Solver, frame: Frame, base: int, one: op.Constant) -> None:
    solver.add(base + one.dst, solver.constant(one.type))


def _global(solver: Solver, frame: Frame, base: int, one: op.Global) -> None:
    read_name(solver, frame, one.name, base + one.dst)


def _owner(frame: Frame, scope: int) -> Frame | None:
    found: Frame | None = frame
    while found is not None and found.code.index != scope:
        found = found.parent
    return found


def _free(solver: Solver, frame: Frame, base: int, one: op.Free) -> None:
    owner = _owner(frame, one.scope)
    if owner is not None:
        solver.flow(solver.captured(owner, one.name), base + one.dst)


def _store_free(solver: Solver, frame: Frame, base: int, one: op.StoreFree) -> None:
    owner = _owner(frame, one.scope)
    if owner is not None:
        solver.flow(base + one.src, solver.captured(owner, one.name))


def _store_global(solver: Solver, frame: Frame, base: int, one: op.StoreGlobal) -> None:
    unit = frame.code.unit
    solver.flow(base + one.src, _module_cell(solver, frame, one.name))
    for space in unit.space:
        set_item(solver, frame, space, solver.text(one.name), base + one.src, unit.line)
    if unit.outer is not None and not unit.space:
        outer = solver.module(unit.outer.name)
        if outer is not None:
            solver.flow(base + one.src, solver.cell(outer, one.name))


def _store_member(solver: Solver, frame: Frame, base: int, one: op.StoreMember) -> None:
    cls = class_of_body(solver, frame)
    if cls is not None:
        solver.flow(base + one.src, solver.cell(cls, one.name))


def class_of_body(solver: Solver, frame: Frame) -> Class | None:
    """The class whose body this frame is."""
    return solver.values.get((Class, (frame.code, frame.parent)))


def _attribute(solver: Solver, frame: Frame, base: int, one: op.Attribute) -> None:
    solver.attribute_of[base + one.dst] = one.name
    solver.when(base + one.obj, _read_one, (frame, one.name, base + one.dst, one.line))


def _read_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, dst, line = payload
    read_attribute(solver, frame, value, name, dst, line)


def _set_attribute(solver: Solver, frame: Frame, base: int, one: op.SetAttribute) -> None:
    if one.src >= 0:
        solver.when(base + one.obj, _set_one, (frame, one.name, base + one.src, one.line))


def _set_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, src, line = payload
    set_attribute(solver, frame, value, name, src, line)


def _item(solver: Solver, frame: Frame, base: int, one: op.Item) -> None:
    index = base + one.index if one.index >= 0 else -1
    solver.when(base + one.obj, read_item, (frame, index, base + one.dst, one.line))


def _set_item(solver: Solver, frame: Frame, base: int, one: op.SetItem) -> None:
    if one.src >= 0:
        index = base + one.index if one.index >= 0 else -1
        solver.when(base + one.obj, _set_item_one, (frame, index, base + one.src, one.line))


def _set_item_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, index, src, line = payload
    if index < 0:
        set_item(solver, frame, value, None, src, line)
        return
    solver.when(index, _set_item_of, (frame, index, value, src, line))
    if isinstance(value, Box) and not solver.has(index):
        solver.flow(src, value.rest)


def _set_item_of(solver: Solver, payload: Any, key: Value) -> None:
    frame, index, owner, src, line = payload
    if isinstance(owner, Box) and isinstance(key, Constant) and key.type == "slice":
        iterate(solver, frame, src, owner.rest, False, line)
        return
    if isinstance(owner, Box) and len(solver.has(index)) > MANY_KEYS:
        solver.flow(src, owner.rest)
        solver.flow(index, owner.keys)
        return
    set_item(solver, frame, owner, key, src, line)


def _slice(solver: Solver, frame: Frame, base: int, one: op.Slice) -> None:
    bounds = tuple(base + part if part >= 0 else -1 for part in (one.low, one.high, one.step))
    solver.when(base + one.obj, slice_of, (frame, bounds, base + one.dst, one.line))
    if "__index__" in solver.specials:
        for var in bounds:
            if var >= 0:
                solver.when(var, _indexed, (frame, one.line), OBJECTS)


def _indexed(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    call_special(solver, frame, value, "__index__", (), -1, line)


def _call(solver: Solver, frame: Frame, base: int, one: op.Call) -> None:
    site = Site(
        frame,
        base + one.dst,
        base + one.func,
        tuple([base + var if var >= 0 else solver.new() for var in one.positional]) if one.positional else (),
        tuple([(name, base + var) for name, var in zip(one.names, one.named, strict=True) if var >= 0])
        if one.names
        else (),
        one.line,
        tuple([base + var for var in one.stars]) if one.stars else (),
        tuple([base + var for var in one.double_stars]) if one.double_stars else (),
        tuple([(name, base + var) for name, var in one.environment]) if one.environment else (),
    )
    solver.sites.append(site)
    solver.when(site.func, call, site)


def _make_function(solver: Solver, frame: Frame, base: int, one: op.MakeFunction) -> None:
    code = frame.code.unit.codes[one.scope]
    key = (Function, (code, frame))
    value = solver.values.get(key)
    if value is None:
        value = solver.values[key] = Function(code, frame, code.name in solver.protected)
        solver.functions.append(value)
    for index, var in one.defaults:
        if var >= 0:
            solver.flow(base + var, solver.cell(value, f"default {index}"))
    solver.add(base + one.dst, value)


def _make_alias(solver: Solver, frame: Frame, base: int, one: op.MakeAlias) -> None:
    for value in list(solver.has(base + one.value)):
        solver.add(base + one.dst, solver.once(Alias, value, value))


def _make_type_parameter(solver: Solver, frame: Frame, base: int, one: op.MakeTypeParameter) -> None:
    bound, default = (
        next(iter(solver.has(base + var)), None) if var >= 0 else None for var in (one.bound, one.default)
    )
    value = solver.once(TypeParameter, (frame.code, frame.parent, one.scope, one.name), bound, default)
    solver.add(base + one.dst, value)
    solver.add(solver.var_for(("type parameter", frame.code.unit.codes[one.scope], frame, one.name)), value)


def _own_type_parameter(solver: Solver, frame: Frame, base: int, one: op.OwnTypeParameter) -> None:
    solver.flow(solver.var_for(("type parameter", frame.code, frame.parent, one.name)), base + one.dst)


def _type_parameters(solver: Solver, frame: Frame, base: int, one: op.TypeParameters) -> None:
    solver.when(base + one.owner, _has_type_parameters, base + one.box)


def _has_type_parameters(solver: Solver, box: Any, value: Value) -> None:
    solver.flow(box, solver.cell(value, "__type_params__"))


def _make_class(solver: Solver, frame: Frame, base: int, one: op.MakeClass) -> None:
    run_class_body(
        solver,
        frame,
        frame.code.unit.codes[one.scope],
        tuple(base + var for var in one.bases),
        one.starred,
        tuple((name, base + var) for name, var in zip(one.names, one.named, strict=True)),
        tuple(base + var for var in one.double_stars),
        base + one.dst,
        one.line,
    )


def _import(solver: Solver, frame: Frame, base: int, one: op.Import) -> None:
    import_module(solver, frame, one.module, base + one.dst, one.line, top=one.top)


def _import_from(solver: Solver, frame: Frame, base: int, one: op.ImportFrom) -> None:
    import_from(solver, frame, one.module, one.name, base + one.dst, one.line)


def _import_star(solver: Solver, frame: Frame, base: int, one: op.ImportStar) -> None:
    star(solver, frame, one.module, one.line)


def _star_pick(solver: Solver, frame: Frame, base: int, one: op.StarPick) -> None:
    for written in reversed(one.modules):
        name = written.lstrip("?")
        unit = solver.units.get(name)
        if unit is not None and one.name in exported(solver, unit):
            module = solver.module(name)
            if module is not None:
                solver.flow(solver.cell(module, one.name), base + one.dst)
                if name == written:
                    return
    solver.flow(base + one.previous, base + one.dst)


def _iterate(solver: Solver, frame: Frame, base: int, one: op.Iterate) -> None:
    iterate(solver, frame, base + one.src, base + one.dst, one.is_async, one.line)


def _unpack(solver: Solver, frame: Frame, base: int, one: op.Unpack) -> None:
    solver.when(base + one.src, unpack, (frame, one.index, one.rest, base + one.dst, one.line))


def _await(solver: Solver, frame: Frame, base: int, one: op.Await) -> None:
    solver.when(base + one.src, awaited, (frame, base + one.dst, one.line))
    if "send" in solver.asked_for and not frame.code.scope.is_generator:
        solver.when(base + one.src, _awaits, (frame, one.line), _AWAITED)


_AWAITED: Final = frozenset({Running, Instance})


def _awaits(solver: Solver, payload: Any, value: Value) -> None:
    """Whoever drives a coroutine by hand gets what is yielded below it, and sends there."""
    frame, line = payload
    if isinstance(value, Running):
        solver.flow(value.frame.yields, frame.yields)
        solver.flow(frame.sent, value.frame.sent)
    else:
        inner = solver.var_for(("waited for", frame, value))
        if call_special(solver, frame, value, "__await__", (), inner, line):
            solver.when(inner, _awaits, payload, RUNNING)


def _yield(solver: Solver, frame: Frame, base: int, one: op.Yield) -> None:
    if one.src >= 0:
        solver.flow(base + one.src, frame.yields)
    solver.flow(frame.sent, base + one.dst)


def _yield_from(solver: Solver, frame: Frame, base: int, one: op.YieldFrom) -> None:
    iterate(solver, frame, base + one.src, frame.yields, False, one.line)
    solver.when(base + one.src, awaited, (frame, base + one.dst, 0))
    if frame.code.scope.is_generator:
        solver.when(base + one.src, _sent_on, frame.sent, RUNNING)


def _sent_on(solver: Solver, sent: Any, value: Value) -> None:
    """What is sent into a generator goes to the one it delegates to."""
    solver.flow(sent, value.frame.sent)  # type: ignore[attr-defined]


def _return(solver: Solver, frame: Frame, base: int, one: op.Return) -> None:
    if one.src >= 0:
        solver.flow(base + one.src, frame.result)


def _operate(solver: Solver, frame: Frame, base: int, one: op.Operate) -> None:
    dst = base + one.dst if one.dst >= 0 else -1
    right = base + one.right if one.right >= 0 else -1
    operated(solver, frame, base + one.left, right, one.method, one.reflected, dst, one.line)


def _format(solver: Solver, frame: Frame, base: int, one: op.Format) -> None:
    formatted(solver, frame, tuple(base + part for part in one.parts if part >= 0), base + one.dst, one.line)


def _enter(solver: Solver, frame: Frame, base: int, one: op.Enter) -> None:
    solver.when(base + one.src, enter, (frame, one.is_async, base + one.dst, one.line))


def _narrow(solver: Solver, frame: Frame, base: int, one: op.Narrow) -> None:
    narrowed(solver, frame, base + one.src, base + one.type, base + one.dst, one.positive, one.line)


def _one_of(solver: Solver, frame: Frame, base: int, one: op.OneOf) -> None:
    found_among(solver, frame, base + one.src, base + one.among, base + one.dst)


def _match_class(solver: Solver, frame: Frame, base: int, one: op.MatchClass) -> None:
    matched(solver, frame, base + one.src, base + one.type, one.name, one.index, base + one.dst)


def _declare(solver: Solver, frame: Frame, base: int, one: op.Declare) -> None:
    solver.declared.append((base + one.var, one.annotation, frame.code.unit, frame))


def _declare_attribute(solver: Solver, frame: Frame, base: int, one: op.DeclareAttribute) -> None:
    solver.when(base + one.obj, _declare_one, (frame, one.name, one.annotation))


def _declare_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, annotation = payload
    if isinstance(value, Instance | Class):
        solver.declared.append((solver.cell(value, name), annotation, frame.code.unit, frame))


def _delete(solver: Solver, frame: Frame, base: int, one: op.Delete) -> None:
    index = base + one.index if one.index >= 0 else -1
    solver.when(base + one.obj, _delete_one, (frame, index, one.name, one.line))


def _delete_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, index, name, line = payload
    if isinstance(value, Instance):
        if index >= 0:
            call_special(solver, frame, value, "__delitem__", (index,), -1, line)
        else:
            call_special(solver, frame, value, "__delattr__", (), -1, line)
            set_attribute(solver, frame, value, name, -1, line)


_READERS: Final[dict[type, Callable[[Solver, Frame, int, Any], None]]] = {
    op.Copy: _copy,
    op.Text: _text,
    op.Bytes: _bytes,
    op.Number: _number,
    op.Constant: _constant,
    op.Global: _global,
    op.Free: _free,
    op.StoreFree: _store_free,
    op.StoreGlobal: _store_global,
    op.StoreMember: _store_member,
    op.Attribute: _attribute,
    op.SetAttribute: _set_attribute,
    op.Item: _item,
    op.SetItem: _set_item,
    op.Slice: _slice,
    op.Call: _call,
    op.MakeFunction: _make_function,
    op.MakeClass: _make_class,
    op.MakeAlias: _make_alias,
    op.MakeTypeParameter: _make_type_parameter,
    op.OwnTypeParameter: _own_type_parameter,
    op.TypeParameters: _type_parameters,
    op.Import: _import,
    op.ImportFrom: _import_from,
    op.ImportStar: _import_star,
    op.StarPick: _star_pick,
    op.Sequence: read_sequence,
    op.Mapping: read_mapping,
    op.Iterate: _iterate,
    op.Unpack: _unpack,
    op.Await: _await,
    op.Yield: _yield,
    op.YieldFrom: _yield_from,
    op.Return: _return,
    op.Operate: _operate,
    op.Format: _format,
    op.Enter: _enter,
    op.Caught: read_caught,
    op.Raise: read_raise,
    op.Narrow: _narrow,
    op.OneOf: _one_of,
    op.MatchClass: _match_class,
    op.Declare: _declare,
    op.DeclareAttribute: _declare_attribute,
    op.Delete: _delete,
}
