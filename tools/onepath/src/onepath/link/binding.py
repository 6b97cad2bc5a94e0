"""Which arguments of a call reach which parameters of a function.

Binding is put off until flows are settled: then the callables among the arguments are known. What kinds of values
can be called is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onepath.link.code import Frame, Site
from onepath.link.frames import Binding, kinds_apart, listen, make_frames, makes_context
from onepath.link.invoke import holding
from onepath.link.items import item_cell, unpack_rest
from onepath.link.iteration import iterate
from onepath.link.solver import Solver
from onepath.link.values import BOXES, Bound, Box, Class, Descriptor, Function, Getter, Instance, Method, Partial, Value
from onepath.link.within import HASH, reach_all


def answer(solver: Solver, site: Site) -> None:
    if site.func >= 0:
        solver.answered.add(site.func)


def bind(
    solver: Solver, site: Site, function: Function, owner: Value | None, only: dict[int, Value] | None = None
) -> None:
    """Call a function, `owner` being its first argument if there is one."""
    answer(solver, site)
    if "__code__" in solver.hooks:
        solver.when_set(function, "__code__", _other_code, (site, owner))
    solver.later(_bind_now, solver, Binding(site, function, owner, only))


def _other_code(solver: Solver, payload: Any, value: Value) -> None:
    """A function whose `__code__` was set runs another function's."""
    site, owner = payload
    if isinstance(value, Method) and value.name == "__code__" and isinstance(value.owner, Function):
        key = ("recoded", site, value.owner, owner)
        if key not in solver.values:
            solver.values[key] = True
            bind(solver, site, value.owner, owner)


def _bind_now(solver: Solver, binding: Binding) -> None:
    site, function = binding.site, binding.function
    code = function.code
    parameters = code.scope.parameters
    if code.caches:
        for var in (*site.positional, *(var for _, var in site.named)):
            reach_all(solver, site.frame, var, HASH, solver.nowhere, site.line)
    if solver.entry_decorators and binding.site.positional:
        _note_decorated(solver, binding)
    start = 0 if binding.owner is None else 1
    order, by_name, star, double = code.shape
    given = binding.given
    surplus: list[int] = []
    if binding.owner is not None and order:
        given.add(order[0])
    for position, var in enumerate(site.positional, start):
        if position < len(order):
            binding.arguments[var, order[position]] = None
            given.add(order[position])
        else:
            surplus.append(var)
    extra: list[tuple[str, int]] = []
    for name, var in site.named:
        index = by_name.get(name, -1)
        if index >= 0:
            binding.arguments[var, index] = None
            given.add(index)
        else:
            extra.append((name, var))
    if star >= 0 and (surplus or site.stars):
        box = solver.box_at("tuple", site.frame, ("star", site.dst - site.frame.base, function))
        offset = 1 if binding.owner is not None and not order else 0
        for position, var in enumerate(surplus):
            solver.flow(var, item_cell(solver, box, position + offset))
        for var in site.stars:
            iterate(solver, site.frame, var, box.rest, False, site.line)
            solver.when(var, _spread_into_star, (box, max(0, len(order) - len(site.positional) - start)))
        binding.arguments[holding(solver, box), star] = None
    if star >= 0 and binding.owner is not None and not order:
        box = solver.box_at("tuple", site.frame, ("star", site.dst - site.frame.base, function))
        solver.add(item_cell(solver, box, 0), binding.owner)
        if not (surplus or site.stars):
            binding.arguments[holding(solver, box), star] = None
    if double >= 0 and (extra or site.double_stars):
        box = solver.box_at("dict", site.frame, ("double", site.dst - site.frame.base, function))
        for name, var in extra:
            solver.flow(var, item_cell(solver, box, name))
            solver.add(box.keys, solver.text(name))
        hidden = frozenset(by_name)
        for var in site.double_stars:
            solver.when(var, unpack_rest, (box, hidden))
        binding.arguments[holding(solver, box), double] = None
    if site.stars:
        open_ones = tuple([index for index in order if index not in given])
        for number, var in enumerate(site.stars):
            offset = len(site.positional) + start if number == 0 else -1
            solver.when(var, _spread_positional, (binding, offset, open_ones))
    if site.double_stars:
        open_names = {name: index for name, index in by_name.items() if index not in given}
        for var in site.double_stars:
            solver.when(var, _spread_named, (binding, open_names), BOXES)
    if function.code.name in solver.carried_functions:
        for wanted, parameter in solver.options.carried:
            if wanted != function.code.name:
                continue
            for var, index in binding.arguments:
                if parameters[index].name == parameter:
                    solver.passes.append((wanted, parameter, site.frame.code.name, site, var))
    if solver.entry_arguments:
        _note_entry_arguments(solver, binding)
    if binding.only is None and (code.contexts >= solver.contexts or solver.context_frames > solver.budget):
        # No more contexts are made of this code, so that arguments just flow.
        binding.closed = binding.merged = True
        make_frames(solver, binding, {})
        return
    for var, index in binding.arguments:
        held = solver.held[var]
        if held:
            apart = kinds_apart(code, index)
            for value in held:
                if value.__class__ in apart and makes_context(solver, binding, var, index, value):
                    binding.special.setdefault(index, {})[value] = None
    make_frames(solver, binding, {})
    binding.closed = True
    for var, index in tuple(binding.arguments):
        listen(solver, binding, var, index)


def _note_decorated(solver: Solver, binding: Binding) -> None:
    """`@deco` of the program: the decorator itself, or what a call of it gave, is called with a function."""
    code = binding.function.code
    outer = binding.function.parent.code
    for name in (code.name, outer.name if outer.scope.kind == "function" else ""):
        if name in solver.entry_decorators:
            solver.when(binding.site.positional[0], note_entered, f"@{name}")


def _note_entry_arguments(solver: Solver, binding: Binding) -> None:
    name = binding.function.code.name
    wanted = solver.entry_arguments.get(name) or solver.entry_arguments.get(name.removesuffix(".__init__"))
    if not wanted:
        return
    pattern = name if name in solver.entry_arguments else name.removesuffix(".__init__")
    for var, index in binding.arguments:
        parameter = binding.function.code.scope.parameters[index].name
        if parameter in wanted:
            solver.when(var, note_entered, f"arg:{pattern}.{parameter}")


def note_entered(solver: Solver, pattern: Any, value: Value) -> None:
    if isinstance(value, Function | Bound | Class | Partial | Descriptor | Instance | Getter):
        solver.entered.setdefault(pattern, {}).setdefault(value)


def _spread_into_star(solver: Solver, payload: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.each_item(value, _item_into_star, payload)


def _item_into_star(solver: Solver, payload: Any, key: object, var: int) -> None:
    box, skip = payload
    if isinstance(key, int) and key >= skip:
        solver.flow(var, item_cell(solver, box, key - skip))


def _spread_positional(solver: Solver, payload: Any, value: Value) -> None:
    binding, offset, indices = payload
    if not isinstance(value, Box):
        source = solver.var_for(("spread", binding.site, value))
        items_of_one(solver, binding.site.frame, value, source, binding.site.line)
    elif offset >= 0:
        solver.each_item(value, _item_to_parameter, (binding, offset))
        source = value.rest
        solver.read(value)
    else:
        # Behind another `*` nobody knows where an item comes to stand.
        source = solver.every(value)
    _may_be_any(solver, binding, source, indices)


def _may_be_any(solver: Solver, binding: Binding, var: int, indices: tuple[int, ...]) -> None:
    """What a variable holds may be any of these arguments: they are bound once it holds something, or at once where it
    is asked what is passed."""
    name = binding.function.code.name
    asked = not solver.entry_arguments.keys().isdisjoint((name, name.removesuffix(".__init__")))
    if asked or name in solver.carried_functions:
        _to_any(solver, (binding, var, indices), ())
    else:
        solver.when_any(var, _to_any, (binding, var, indices))


def _to_any(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    binding, var, indices = payload
    for index in indices:
        _late(solver, binding, var, index)


def _item_to_parameter(solver: Solver, payload: Any, key: object, var: int) -> None:
    binding, offset = payload
    order = binding.function.code.shape[0]
    if isinstance(key, int) and 0 <= key + offset < len(order):
        _late(solver, binding, var, order[key + offset])


def items_of_one(solver: Solver, frame: Frame, value: Value, dst: int, line: int) -> None:
    iterate(solver, frame, holding(solver, value), dst, False, line)


def _spread_named(solver: Solver, payload: Any, value: Value) -> None:
    binding, open_names = payload
    solver.each_item(value, _item_to_named, binding, open_names)  # type: ignore[arg-type]
    _may_be_any(solver, binding, value.rest, tuple(open_names.values()))  # type: ignore[attr-defined]


def _item_to_named(solver: Solver, binding: Any, key: object, var: int) -> None:
    _late(solver, binding, var, binding.function.code.shape[1][key])


def _late(solver: Solver, binding: Binding, var: int, index: int) -> None:
    """An argument that came out of `*` or `**`."""
    if (var, index) in binding.arguments:
        return
    binding.arguments[var, index] = None
    if binding.merged:
        for frame in binding.frames:
            solver.flow(var, frame.base + index)
    elif binding.closed:
        listen(solver, binding, var, index)
