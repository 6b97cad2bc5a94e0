"""Calls: from a value that is called to the frames that run, with arguments bound.

A function that is given callables gets a frame for each of them, so that two users of one wrapper stay apart. Binding
is put off until flows are settled: then the callables among the arguments are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, product
from typing import Any, Final

from onepath.facts import model as op
from onepath.link.attributes import call_special
from onepath.link.classes import HARMLESS_BASES, add_base, binds, fields_of, foreign_bases, is_enum, lookup
from onepath.link.code import Code, Frame, Site
from onepath.link.foreign import (
    CALLS_BACK,
    DUNDERS,
    GIVES,
    GIVES_ITS_RESULT,
    LOGGED,
    MIXINS,
    NEVER_CALL,
    NEVER_CALL_BELOW,
    NEVER_CALL_BUT,
    OF_ELEMENTS,
    OPAQUE_BELOW,
    OPAQUE_CALLS,
    PASSES_ON,
    PROTOCOL,
    TAKES_OVER,
    TAKES_OVER_BELOW,
    canonical,
)
from onepath.link.invoke import holding, invoke
from onepath.link.items import call_method_of_builtin, item_cell, items_of, iterate, unpack_mapping
from onepath.link.solver import CONTEXTS, KEYS, TAGS, Solver, class_name, is_contextual
from onepath.link.values import (
    BOXES,
    DESCRIPTORS,
    OBJECTS,
    OBJECTS_AND_BOXES,
    Bound,
    Box,
    Class,
    Descriptor,
    Foreign,
    Function,
    Getter,
    Instance,
    Method,
    Module,
    Partial,
    Result,
    Running,
    Text,
    Uncomputed,
    Value,
    Widened,
)

_FEW_TARGETS: Final = 4


def call(solver: Solver, site: Site, value: Value) -> None:
    """`value` is called at `site`."""
    done = site.done
    if value in done:
        return
    if isinstance(done, set):
        done.add(value)
    else:
        site.done = (*done, value) if len(done) < _FEW_TARGETS else {*done, value}
    _CALLS.get(value.__class__, _not_callable)(solver, site, value)


def _not_callable(solver: Solver, site: Site, value: Value) -> None:
    """A text, a number: such a call would fail."""


def _answer(solver: Solver, site: Site) -> None:
    if site.func >= 0:
        solver.answered.add(site.func)


# -- functions -------------------------------------------------------------------------------------------------


class Binding:
    """One site, one function: which variables reach which parameters, and the frames this makes."""

    __slots__ = ("arguments", "closed", "frames", "function", "given", "only", "owner", "plain", "site", "special")

    def __init__(
        self, site: Site, function: Function, owner: Value | None, only: dict[int, Value] | None = None
    ) -> None:
        self.site = site
        self.function = function
        self.owner = owner
        self.only = only
        """For a constructor: of these arguments only that callable."""
        self.arguments: list[tuple[int, int]] = []
        """Variable and parameter."""
        self.special: dict[int, dict[Value, None]] = {}
        """By parameter: the callables the function is analysed apart for."""
        self.plain: dict[int, dict[Value, None]] = {}
        """By parameter: what all frames get."""
        self.frames: list[Frame] = []
        self.closed = False
        self.given: set[int] = set()
        """Parameters that get an argument for certain: their defaults are not used."""


def _call_function(solver: Solver, site: Site, value: Function) -> None:
    bind(solver, site, value, None)


def bind(
    solver: Solver, site: Site, function: Function, owner: Value | None, only: dict[int, Value] | None = None
) -> None:
    """Call a function, `owner` being its first argument if there is one."""
    _answer(solver, site)
    replaced = solver.cells.get((function, "__code__"))
    if replaced is not None:
        solver.when(replaced, _other_code, (site, owner))
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
            binding.arguments.append((var, order[position]))
            given.add(order[position])
        else:
            surplus.append(var)
    extra: list[tuple[str, int]] = []
    for name, var in site.named:
        index = by_name.get(name, -1)
        if index >= 0:
            binding.arguments.append((var, index))
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
        binding.arguments.append((holding(solver, box), star))
    if star >= 0 and binding.owner is not None and not order:
        box = solver.box_at("tuple", site.frame, ("star", site.dst - site.frame.base, function))
        solver.add(item_cell(solver, box, 0), binding.owner)
        if not (surplus or site.stars):
            binding.arguments.append((holding(solver, box), star))
    if double >= 0 and (extra or site.double_stars):
        box = solver.box_at("dict", site.frame, ("double", site.dst - site.frame.base, function))
        for name, var in extra:
            solver.flow(var, item_cell(solver, box, name))
            solver.add(box.keys, solver.text(name))
        for var in site.double_stars:
            solver.when(var, unpack_mapping, box)
        binding.arguments.append((holding(solver, box), double))
    for number, var in enumerate(site.stars):
        offset = len(site.positional) + start if number == 0 else -1
        solver.when(var, _spread_positional, (binding, offset, order, frozenset(given)))
    for var in site.double_stars:
        solver.when(var, _spread_named, (binding, tuple(by_name.items()), frozenset(given)))
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
        _make_frames(solver, binding, {})
        binding.closed = True
        for frame in binding.frames:
            for var, index in binding.arguments:
                solver.flow(var, frame.base + index)
        return
    for var, index in binding.arguments:
        held = solver.held[var]
        if held:
            apart = _apart(code, index)
            plain = binding.plain.setdefault(index, {})
            for value in held:
                if value.__class__ in apart:
                    if _makes_context(solver, binding, var, index, value):
                        binding.special.setdefault(index, {})[value] = None
                    elif not _is_excluded(binding, var, value):
                        plain[value] = None
                else:
                    plain[value] = None
    _make_frames(solver, binding, {})
    binding.closed = True
    for var, index in binding.arguments:
        solver.when_any(var, _arguments, (binding, var, index))


def _note_decorated(solver: Solver, binding: Binding) -> None:
    """`@deco` of the program: the decorator itself, or what a call of it gave, is called with a function."""
    code = binding.function.code
    outer = binding.function.parent.code
    for name in (code.name, outer.name if outer.scope.kind == "function" else ""):
        if name in solver.entry_decorators:
            solver.when(binding.site.positional[0], _entered, f"@{name}")


def _note_entry_arguments(solver: Solver, binding: Binding) -> None:
    name = binding.function.code.name
    wanted = solver.entry_arguments.get(name) or solver.entry_arguments.get(name.removesuffix(".__init__"))
    if not wanted:
        return
    pattern = name if name in solver.entry_arguments else name.removesuffix(".__init__")
    for var, index in binding.arguments:
        parameter = binding.function.code.scope.parameters[index].name
        if parameter in wanted:
            solver.when(var, _entered, f"arg:{pattern}.{parameter}")


def _entered(solver: Solver, pattern: Any, value: Value) -> None:
    if isinstance(value, Function | Bound | Class | Partial | Descriptor | Instance | Getter):
        solver.entered.setdefault(pattern, {}).setdefault(value)


def _is_excluded(binding: Binding, var: int, value: Value) -> bool:
    return binding.only is not None and var in binding.only and is_contextual(value) and binding.only[var] is not value


def _makes_context(solver: Solver, binding: Binding, var: int, index: int, value: Value) -> bool:
    code = binding.function.code
    if (
        code.contexts >= solver.contexts
        or solver.context_frames > solver.budget
        or code.scope.parameters[index].kind in ("star", "double")
    ):
        return False
    if _is_excluded(binding, var, value):
        return False
    if is_contextual(value):
        return True
    if code.contexts < KEYS and _apart(code, index) is _KEYS:
        return isinstance(value, Text) or (isinstance(value, Instance) and not value.tag)
    return False


def _apart(code: Code, index: int) -> frozenset[type]:
    """Kinds of values a function may be analysed apart for, passed as this parameter."""
    keyed = code.keyed
    if keyed is None:
        keyed = code.keyed = frozenset(_keyed(code))
    return _KEYS if index in keyed else _CALLABLES


_CALLABLES: Final = frozenset({Function, Bound, Class, Partial, Foreign, Instance})
_KEYS: Final = _CALLABLES | {Text}


def _keyed(code: Code) -> set[int]:
    """Parameters by which something is looked up: a table's key, an attribute's or a module's name."""
    count = len(code.scope.parameters)
    found: set[int] = set()
    lookups: set[int] = set()
    for one in code.scope.code if count else ():
        match one:
            case op.Global():
                if one.name in _LOOKUPS:
                    lookups.add(one.dst)
            case op.Attribute():
                if one.name in _LOOKUP_METHODS:
                    lookups.add(one.dst)
            case op.Call():
                if one.func in lookups:
                    found.update(var for var in one.positional if 0 <= var < count)
            case op.Item():
                if 0 <= one.index < count:
                    found.add(one.index)
            case op.StoreFree():
                if 0 <= one.src < count and one.scope == code.index:
                    # A decorator's argument: what it makes may look something up by it.
                    found.add(one.src)
    return found


_LOOKUPS: Final = frozenset({"getattr", "setattr", "__import__", "type", "import_module"})
_LOOKUP_METHODS: Final = frozenset({"get", "pop", "import_module", "__getitem__"})


def _make_frames(solver: Solver, binding: Binding, fixed: dict[int, Value]) -> None:
    """Frames for every combination of callables among the arguments, `fixed` being new."""
    code = binding.function.code
    if not binding.special and not isinstance(binding.owner, Instance | Class):
        _run_in(solver, binding, solver.frame(code, binding.function.parent))
        return
    positions = sorted(binding.special)
    choices = [(fixed[index],) if index in fixed else tuple(binding.special[index]) for index in positions]
    combinations: list[tuple[Value, ...]] = []
    for combination in product(*choices):
        combinations.append(combination)
        if len(combinations) > CONTEXTS:
            break
    owner_tag: tuple[Value | str, ...] = ()
    if (isinstance(binding.owner, Instance) and binding.owner.tag and binding.owner.depth <= 3) or (
        isinstance(binding.owner, Class) and binding.owner.code is not None and code.contexts < solver.contexts
    ):
        owner_tag = ("self", binding.owner)
    for combination in combinations:
        context: tuple[Value | str, ...] = owner_tag
        for index, value in zip(positions, combination, strict=True):
            context = (*context, code.scope.parameters[index].name, value)
        if (
            context
            and (code.contexts >= solver.contexts or solver.context_frames > solver.budget)
            and (binding.function.parent, *context) not in code.frames
        ):
            context = ()
        frame = solver.frame(code, binding.function.parent, context)
        _run_in(solver, binding, frame)
        for index, value in zip(positions, combination, strict=True):
            solver.add(frame.base + index, value)


def _run_in(solver: Solver, binding: Binding, frame: Frame) -> None:
    """The call runs in this frame."""
    if frame not in binding.frames:
        binding.frames.append(frame)
        _connect(solver, binding, frame)
        for index, plain in binding.plain.items():
            solver.add_all(frame.base + index, tuple(plain))


def _arguments(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    """These are passed: plain ones to all frames, each callable to frames of its own."""
    binding, var, index = payload
    known = binding.plain.get(index)
    if known is None:
        known = binding.plain[index] = {}
    values = [value for value in values if value not in known]
    apart = _apart(binding.function.code, index)
    plain: list[Value] = []
    for value in values:
        if value.__class__ in apart:
            if _makes_context(solver, binding, var, index, value):
                _pass_plain(solver, binding, index, plain)
                plain = []
                special = binding.special.setdefault(index, {})
                if value not in special:
                    special[value] = None
                    _make_frames(solver, binding, {index: value})
                continue
            if _is_excluded(binding, var, value) or value in binding.special.get(index, ()):
                continue
        known[value] = None
        plain.append(value)
    _pass_plain(solver, binding, index, plain)


def _pass_plain(solver: Solver, binding: Binding, index: int, values: list[Value]) -> None:
    if values:
        for frame in binding.frames:
            solver.add_all(frame.base + index, values)


def _connect(solver: Solver, binding: Binding, frame: Frame) -> None:
    """Everything but the arguments: the edge, the owner, defaults, the result."""
    site, function = binding.site, binding.function
    scope = function.code.scope
    solver.edge(site.frame, frame, "call", site.line)
    if binding.owner is not None and scope.parameters and scope.parameters[0].kind in ("positional", "any"):
        solver.add(frame.base, binding.owner)
    defaults(solver, function, frame, binding.given)
    running(solver, frame, site.dst)


def defaults(solver: Solver, function: Function, frame: Frame, given: set[int] | frozenset[int] = frozenset()) -> None:
    """Parameters take their defaults, unless an argument is given."""
    for index, parameter in enumerate(function.code.scope.parameters):
        if parameter.has_default and index not in given:
            solver.flow(solver.cell(function, f"default {index}"), frame.base + index)


def running(solver: Solver, frame: Frame, dst: int) -> None:
    """`dst` gets what calling the frame's function gives."""
    if dst < 0:
        return
    scope = frame.code.scope
    if scope.is_generator:
        solver.add(dst, solver.once(Running, ("generator", frame), "generator", frame))
    elif scope.is_async:
        solver.add(dst, solver.once(Running, ("coroutine", frame), "coroutine", frame))
    else:
        solver.flow(frame.result, dst)


def _spread_into_star(solver: Solver, payload: Any, value: Value) -> None:
    box, skip = payload
    if isinstance(value, Box):
        for key, var in list(value.items.items()):
            if isinstance(key, int) and key >= skip:
                solver.flow(var, item_cell(solver, box, key - skip))


def _spread_positional(solver: Solver, payload: Any, value: Value) -> None:
    binding, offset, order, given = payload
    if not isinstance(value, Box):
        source = solver.var_for(("spread", binding.site, value))
        items_of_one(solver, binding.site.frame, value, source, binding.site.line)
        for index in order:
            if index not in given:
                _late(solver, binding, source, index)
        return
    if offset >= 0:
        for key, var in list(value.items.items()):
            if isinstance(key, int) and 0 <= key + offset < len(order):
                _late(solver, binding, var, order[key + offset])
    solver.read(value)
    for index in order:
        if index not in given:
            _late(solver, binding, value.rest, index)


def items_of_one(solver: Solver, frame: Frame, value: Value, dst: int, line: int) -> None:
    iterate(solver, frame, holding(solver, value), dst, False, line)


def _spread_named(solver: Solver, payload: Any, value: Value) -> None:
    binding, by_name, given = payload
    if not isinstance(value, Box):
        return
    for name, index in by_name:
        var = value.items.get(name)
        if var is not None:
            _late(solver, binding, var, index)
        elif index not in given:
            _late(solver, binding, value.rest, index)


def _late(solver: Solver, binding: Binding, var: int, index: int) -> None:
    """An argument that came out of `*` or `**`."""
    if (var, index) in binding.arguments:
        return
    binding.arguments.append((var, index))
    if binding.closed:
        solver.when_any(var, _arguments, (binding, var, index))


def run_unknown(solver: Solver, value: Value, caller: Frame | None, kind: str, line: int) -> list[Frame]:
    """Unknown code runs a callable, with arguments of which only the annotations tell."""
    if isinstance(value, Function):
        return [_run_function(solver, value, None, caller, kind, line)]
    if isinstance(value, Bound):
        if isinstance(value.func, Function):
            return [_run_function(solver, value.func, value.owner, caller, kind, line)]
        return run_unknown(solver, value.func, caller, kind, line)
    if isinstance(value, Descriptor) and value.get is not None and value.kind != "factory":
        return run_unknown(solver, value.get, caller, kind, line)
    if isinstance(value, Partial):
        if caller is not None:
            site = Site(caller, solver.new(), -1, value.positional, value.named, line)
            ran: tuple[object, ...] = ("partial run", value, caller)
            if ran not in solver.values:
                solver.values[ran] = True
                call(solver, site, value.func)
        return run_unknown(solver, value.func, caller, kind, line)
    if isinstance(value, Class) and caller is not None:
        site = Site(caller, solver.new(), -1, (), (), line)
        ran = ("class run", value, caller, line)
        if ran not in solver.values:
            solver.values[ran] = True
            call(solver, site, value)
        found: list[Frame] = []
        for name in ("__new__", "__init__"):
            for one in value.mro:
                if name in one.statics:
                    for member in solver.has(solver.cell(one, name)):
                        if isinstance(member, Function):
                            owner: Value = plain_instance(solver, value, None) if name == "__init__" else value
                            found.append(_run_function(solver, member, owner, caller, kind, line))
                    break
        return found
    if isinstance(value, Instance):
        found = []
        for member in members(solver, value.cls, "__call__"):
            if isinstance(member, Function):
                found.append(_run_function(solver, member, value, caller, kind, line))
        return found
    if isinstance(value, Getter | Method):
        frame = caller or (value.site.frame if isinstance(value, Getter) else None)
        if frame is not None:
            ran = ("getter run", value, frame, line)
            if ran not in solver.values:
                solver.values[ran] = True
                call(solver, Site(frame, solver.new(), -1, (), (), line or frame.code.scope.line), value)
            return [frame] if caller is None else []
    return []


def members(solver: Solver, cls: Class, name: str) -> list[Value]:
    """What is known of a class attribute now."""
    for one in cls.mro:
        cell = solver.cells.get((one, name))
        held = solver.has(cell) if cell is not None else None
        if held:
            return list(held)
    return []


def _run_function(
    solver: Solver, function: Function, owner: Value | None, caller: Frame | None, kind: str, line: int
) -> Frame:
    context: tuple[Value | str, ...] = ()
    if isinstance(owner, Instance) and owner.tag and owner.depth <= 3:
        context = ("self", owner)
    frame = solver.frame(function.code, function.parent, context)
    if caller is not None:
        solver.edge(caller, frame, kind, line)
    parameters = function.code.scope.parameters
    first = 0
    if owner is not None and parameters and parameters[0].kind in ("positional", "any"):
        solver.add(frame.base, owner)
        first = 1
    if not frame.unknown:
        frame.unknown = True
        solver.when(frame.result, _read_by_unknown, None, BOXES)
        for index in range(first, len(parameters)):
            solver.add(frame.base + index, solver.unknown)
        defaults(solver, function, frame)
    return frame


def _read_by_unknown(solver: Solver, payload: Any, value: Value) -> None:
    """Unknown code reads the generator it was given."""
    if isinstance(value, Box):
        solver.read(value)


# -- classes ---------------------------------------------------------------------------------------------------


def run_class_body(
    solver: Solver,
    frame: Frame,
    code: Code,
    bases: tuple[int, ...],
    named: tuple[tuple[str, int], ...],
    dst: int,
    line: int,
) -> None:
    """A class statement runs."""
    key = (Class, (code, frame))
    cls = solver.values.get(key)
    if cls is None:
        cls = solver.values[key] = Class(code.scope.name, code, frame, code.unit)
        solver.classes.append(cls)
        cls.statics = set(code.statics)
        cls.fields = {field.name: field.annotation for field in code.scope.fields}
    for var in bases:
        solver.when(var, _base, (cls, frame, line))
    arguments = tuple((name, var) for name, var in named if name != "metaclass")
    for name, var in named:
        if name == "metaclass":
            cls.metaclass = var
            solver.when(var, _metaclass, (cls, frame, bases, line))
    if cls.body is None:
        cls.body = solver.frame(code, frame)
        solver.edge(frame, cls.body, "call", line)
    solver.later(_class_made, solver, cls, frame, arguments, line)
    solver.add(dst, cls)


def _base(solver: Solver, payload: Any, value: Value) -> None:
    cls, frame, line = payload
    if isinstance(value, Result | Box):
        return
    if isinstance(value, Instance):
        entries = solver.var_for(("mro entries", cls, value))
        elements = solver.var_for(("mro entry", cls, value))
        call_special(solver, frame, value, "__mro_entries__", (solver.nowhere,), entries, line)
        iterate(solver, frame, entries, elements, False, line)
        solver.when(elements, _base, payload)
        return
    add_base(solver, cls, value)
    if isinstance(value, Class):
        solver.note_made(value, frame, "subclass", line)
        for one in value.mro[1:]:
            solver.note_made(one, frame, "subclass", line)
        for one in value.mro:
            if one.metaclass >= 0 and cls.metaclass < 0:
                cls.metaclass = one.metaclass
                solver.when(cls.metaclass, _metaclass, (cls, frame, (), line))


def _metaclass(solver: Solver, payload: Any, meta: Value) -> None:
    cls, frame, bases, line = payload
    if isinstance(meta, Function):
        invoke(solver, frame, meta, (solver.new(), solver.new(), solver.new()), -1, line)
        return
    if not isinstance(meta, Class):
        return
    base_box = solver.box("tuple", (cls, "bases"))
    for var in bases:
        solver.flow(var, base_box.rest)
    from onepath.link.values import Space

    arguments = (
        holding(solver, solver.text(cls.name)),
        holding(solver, base_box),
        holding(solver, solver.once(Space, cls, cls)),
    )
    names = solver.new()
    solver.when(names, _prepared, (cls, frame, line))
    for name in ("__prepare__", "__new__", "__init__"):
        given = arguments[:2] if name == "__prepare__" else arguments
        owner: Value = cls if name == "__init__" else meta
        lookup(solver, meta, name, _call_meta, (frame, owner, given, names if name == "__prepare__" else -1, line))


def _prepared(solver: Solver, payload: Any, value: Value) -> None:
    """The class body stores its names in what `__prepare__` gave, and reads them from there."""
    cls, frame, line = payload
    for name in sorted(cls.statics):
        key = holding(solver, solver.text(name))
        call_special(solver, frame, value, "__setitem__", (key, solver.cell(cls, name)), -1, line)
    for method in ("__getitem__", "__missing__"):
        call_special(solver, frame, value, method, (holding(solver, solver.constant("str")),), -1, line)


def _call_meta(solver: Solver, payload: Any, member: Value) -> None:
    frame, owner, arguments, dst, line = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        invoke(solver, frame, solver.bound(member, owner), arguments, dst, line)


def _class_made(solver: Solver, cls: Class, frame: Frame, named: tuple[tuple[str, int], ...], line: int) -> None:
    """`__set_name__` of its attributes, `__init_subclass__` of its bases."""
    for name in sorted(cls.statics):
        solver.when(solver.cell(cls, name), _set_name, (cls, frame, name, line), OBJECTS)
    if is_enum(cls) and binds(cls, "_generate_next_value_"):
        for one in members(solver, cls, "_generate_next_value_"):
            inner = one.get if isinstance(one, Descriptor) else one
            if isinstance(inner, Function):
                invoke(solver, frame, inner, tuple(solver.new() for _ in range(4)), -1, line)
    if is_enum(cls) and (binds(cls, "__init__") or binds(cls, "__new__")):
        from onepath.link.attributes import enum_member

        for name in sorted(cls.statics):
            if not name.startswith("_"):
                solver.when(solver.cell(cls, name), _member_made, (cls, frame, enum_member(solver, cls, name), line))
    for base in cls.mro[1:]:
        if "__init_subclass__" in base.statics:
            for member in solver.has(solver.cell(base, "__init_subclass__")):
                inner = member.get if isinstance(member, Descriptor) else member
                if isinstance(inner, Function):
                    invoke(solver, frame, solver.bound(inner, cls), (), -1, line, named)
            break


def _member_made(solver: Solver, payload: Any, value: Value) -> None:
    """An enumeration's `__init__` gets a member's value, or the values in it."""
    cls, frame, member, line = payload
    if isinstance(value, Function | Descriptor):
        return
    arguments: tuple[int, ...] = (holding(solver, value),)
    if isinstance(value, Box) and value.kind == "tuple":
        arguments = tuple(value.items[index] for index in range(len(value.items)) if index in value.items)
    for name in ("__new__", "__init__"):
        for one in members(solver, cls, name):
            if isinstance(one, Function):
                invoke(solver, frame, solver.bound(one, member if name == "__init__" else cls), arguments, -1, line)


def _set_name(solver: Solver, payload: Any, value: Value) -> None:
    cls, frame, name, line = payload
    if isinstance(value, Instance) and binds(value.cls, "__set_name__"):
        arguments = (holding(solver, cls), holding(solver, solver.text(name)))
        call_special(solver, frame, value, "__set_name__", arguments, -1, line)


def instances(solver: Solver, cls: Class) -> list[Instance]:
    """The objects of a class that are known to be made; the one that stands for all where none is."""
    made: dict[Instance, None] | None = solver.values.get(("made", cls))
    return list(made) if made else [plain_instance(solver, cls, None)]


def plain_instance(solver: Solver, cls: Class, site: Site | None) -> Instance:
    """The object of a class that stands for all made alike."""
    origin = site if site is not None and class_name(cls) in solver.origin_classes else None
    where = None if origin is None else (origin.frame.code, origin.line)
    if origin is not None:
        return solver.once(Instance, (cls, (), where), cls, (), origin, 0)  # type: ignore[no-any-return]
    return solver.once(Instance, (cls, (), None), cls, (), None, 0)  # type: ignore[no-any-return]


def _call_class(solver: Solver, site: Site, value: Class) -> None:
    _answer(solver, site)
    if value.metaclass >= 0:
        for meta in solver.has(value.metaclass):
            if isinstance(meta, Class) and binds(meta, "__call__"):
                for member in members(solver, meta, "__call__"):
                    if isinstance(member, Function):
                        bind(solver, site, member, value)
                return
    solver.later(construct, solver, site, value)


def construct(solver: Solver, site: Site, cls: Class) -> None:
    """An object is made: `__new__`, then `__init__`, or fields taken from the arguments."""
    solver.note_made(cls, site.frame, "call", site.line)
    if is_enum(cls):
        from onepath.link.attributes import enum_member

        for member in members(solver, cls, "_missing_"):
            inner = member.get if isinstance(member, Descriptor) else member
            if isinstance(inner, Function):
                invoke(solver, site.frame, solver.bound(inner, cls), site.positional[:1], site.dst, site.line)
        for name in sorted(cls.statics):
            if not name.startswith("_") and not any(
                isinstance(one, Function | Descriptor) for one in solver.has(solver.cell(cls, name))
            ):
                solver.add(site.dst, enum_member(solver, cls, name))
        return
    if binds(cls, "__new__"):
        lookup(solver, cls, "__new__", _call_new, (site, cls))
    arguments = [*site.positional, *(var for _, var in site.named)]
    special = [(var, [value for value in solver.has(var) if is_contextual(value)]) for var in dict.fromkeys(arguments)]
    special = [(var, some) for var, some in special if some]
    count_key = ("instances", cls)
    made = solver.values.get(count_key, 0)
    combinations = list(islice(product(*(some for _, some in special)), TAGS + 1)) if made < TAGS else [()]
    if len(combinations) > TAGS or made >= TAGS:
        combinations = [()]
    for combination in combinations:
        only: dict[int, Value] | None = None
        if combination:
            depth = 1 + max(value.depth for value in combination)
            origin = site if class_name(cls) in solver.origin_classes else None
            where = None if origin is None else (origin.frame.code, origin.line)
            key = (cls, combination, where)
            if (Instance, key) not in solver.values:
                solver.values[count_key] = solver.values.get(count_key, 0) + 1
            instance: Instance = solver.once(Instance, key, cls, combination, origin, depth)
            only = {var: value for (var, _), value in zip(special, combination, strict=True)}
        else:
            instance = plain_instance(solver, cls, site)
        if not binds(cls, "__new__"):
            solver.add(site.dst, instance)
        solver.values.setdefault(("made", cls), {}).setdefault(instance)
        _initialise(solver, site, instance, only)
    if not combinations:
        _initialise(solver, site, plain_instance(solver, cls, site), None)


def _call_new(solver: Solver, payload: Any, member: Value) -> None:
    site, cls = payload
    if isinstance(member, Descriptor) and member.get is not None:
        member = member.get
    if isinstance(member, Function):
        bind(solver, site, member, cls)


def _initialise(solver: Solver, site: Site, instance: Instance, only: dict[int, Value] | None) -> None:
    cls = instance.cls
    frozen = tuple(sorted(only.items())) if only else ()
    lookup(solver, cls, "__init__", _call_init, (site, instance, frozen))
    if not binds(cls, "__init__"):
        _fill_fields(solver, site, instance, only)
        for base in foreign_bases(cls):
            if base not in HARMLESS_BASES and not base.startswith(("builtins.", "typing.", "abc.", "enum.")):
                solver.edge(site.frame, f"{base}.__init__", "call", site.line)
                escape_arguments(solver, site, base)
                _call_back(solver, site, f"{base}.__init__", instance)
    lookup(solver, cls, "__post_init__", _call_post_init, (site, instance))
    if binds(cls, "__del__"):
        for member in members(solver, cls, "__del__"):
            if isinstance(member, Function):
                _run_function(solver, member, instance, site.frame, "may-call", site.line)
    for base in foreign_bases(cls):
        if solver.is_watched(base):
            solver.edge(site.frame, base, "call", site.line)


def _call_init(solver: Solver, payload: Any, member: Value) -> None:
    site, instance, only = payload
    if isinstance(member, Function):
        bind(solver, site, member, instance, dict(only) if only else None)


def _call_post_init(solver: Solver, payload: Any, member: Value) -> None:
    site, instance = payload
    if isinstance(member, Function):
        given = tuple(
            solver.cell(instance, name)
            for name, owner, index in fields_of(instance.cls)
            if index < len(owner.unit.facts.annotations)
            and owner.unit.facts.annotations[index].name.rpartition(".")[2] == "InitVar"
        )
        invoke(solver, site.frame, solver.bound(member, instance), given, -1, site.line)


def _fill_fields(solver: Solver, site: Site, instance: Instance, only: dict[int, Value] | None) -> None:
    fields = fields_of(instance.cls)
    names = [name for name, _, _ in fields]
    for position, var in enumerate(site.positional):
        if position < len(names):
            _fill(solver, instance, names[position], var, only)
    known = set(names)
    for name, var in site.named:
        if name in known:
            _fill(solver, instance, name, var, only)
    for var in site.double_stars:
        solver.when(var, _fill_from_mapping, (instance, tuple(names)))
    for var in site.stars:
        inner = solver.new()
        iterate(solver, site.frame, var, inner, False, site.line)
        for name in names[len(site.positional) :]:
            solver.flow(inner, solver.cell(instance, name))
    given = set(names[: len(site.positional)]) | {name for name, _ in site.named}
    for name, owner, _ in fields:
        if name not in given:
            solver.when(solver.cell(owner, name), _default_factory, (site, instance, name), DESCRIPTORS)


def _fill(solver: Solver, instance: Instance, name: str, var: int, only: dict[int, Value] | None) -> None:
    if only is not None and var in only:
        solver.when(var, _fill_only, (solver.cell(instance, name), only[var]))
    else:
        solver.flow(var, solver.cell(instance, name))


def _fill_only(solver: Solver, payload: Any, value: Value) -> None:
    cell, wanted = payload
    if value is wanted or not is_contextual(value):
        solver.add(cell, value)


def _fill_from_mapping(solver: Solver, payload: Any, value: Value) -> None:
    instance, names = payload
    if isinstance(value, Box):
        for name in names:
            var = value.items.get(name)
            solver.flow(value.rest if var is None else var, solver.cell(instance, name))


def _default_factory(solver: Solver, payload: Any, value: Value) -> None:
    site, instance, name = payload
    if isinstance(value, Descriptor) and value.kind == "factory" and value.get is not None:
        invoke(solver, site.frame, value.get, (), solver.cell(instance, name), site.line)


# -- other callables -------------------------------------------------------------------------------------------


def _call_instance(solver: Solver, site: Site, value: Instance) -> None:
    lookup(solver, value.cls, "__call__", _call_call, (site, value))
    if not binds(value.cls, "__call__"):
        for base in foreign_bases(value.cls):
            if base in _CONTEXT_DECORATORS:
                # What it decorates is called between its enter and its exit.
                _answer(solver, site)
                solver.add(
                    site.dst, solver.once(Getter, ("context decorator", value, site), "context decorator", (), site)
                )
                solver.add(solver.var_for(("context of", site)), value)
                continue
            external(solver, site, f"{base}.__call__", value)


_CONTEXT_DECORATORS: Final = frozenset({"contextlib.ContextDecorator", "contextlib.AsyncContextDecorator"})


def _call_call(solver: Solver, payload: Any, member: Value) -> None:
    site, owner = payload
    if isinstance(member, Function):
        bind(solver, site, member, owner)
    elif isinstance(member, Descriptor) and member.get is not None:
        call(solver, site, member.get if member.kind == "static" else solver.bound(member.get, owner.cls))
    else:
        call(solver, site, member)


def _call_bound(solver: Solver, site: Site, value: Bound) -> None:
    func = value.func
    if isinstance(func, Function):
        bind(solver, site, func, value.owner)
    elif isinstance(func, Foreign):
        _answer(solver, site)
        external(solver, site, func.name, value.owner)
    elif isinstance(func, Partial):
        extended = Site(
            site.frame, site.dst, -1, (*func.positional, *site.positional), (*func.named, *site.named), site.line,
            site.stars, site.double_stars,
        )  # fmt: skip
        _answer(solver, site)
        call(solver, extended, solver.bound(func.func, value.owner))
    elif isinstance(func, Descriptor) and func.kind == "dispatch":
        for one in dispatched(solver, func):
            call(solver, site, solver.bound(one, value.owner))
    elif isinstance(func, Bound | Class | Method | Getter):
        extended = Site(
            site.frame, site.dst, -1, (holding(solver, value.owner), *site.positional), site.named, site.line,
            site.stars, site.double_stars,
        )  # fmt: skip
        _answer(solver, site)
        call(solver, extended, func)
    elif isinstance(func, Instance):
        call(solver, site, func)


def dispatched(solver: Solver, value: Descriptor) -> list[Value]:
    """All functions registered with a `singledispatch`."""
    return list(solver.has(solver.cell(value, "registered")))


def _call_partial(solver: Solver, site: Site, value: Partial) -> None:
    _answer(solver, site)
    names = {name for name, _ in site.named}
    extended = Site(
        site.frame,
        site.dst,
        -1,
        (*value.positional, *site.positional),
        (*(one for one in value.named if one[0] not in names), *site.named),
        site.line,
        site.stars,
        site.double_stars,
    )
    call(solver, extended, value.func)


def _call_descriptor(solver: Solver, site: Site, value: Descriptor) -> None:
    _answer(solver, site)
    if value.kind == "dispatch":
        solver.when(solver.cell(value, "registered"), _call_registered, site)
    elif value.get is not None:
        call(solver, site, value.get)


def _call_registered(solver: Solver, site: Any, value: Value) -> None:
    call(solver, site, value)


def _call_uncomputed(solver: Solver, site: Site, value: Uncomputed) -> None:
    _answer(solver, site)
    solver.note_opaque(site.frame, value.what, value.why, site.line)
    solver.add(site.dst, value)


def _call_foreign(solver: Solver, site: Site, value: Foreign | Result) -> None:
    _answer(solver, site)
    # What a watched operation gave is not that operation.
    given = value.__class__ is Result and solver.is_watched(value.name)
    external(solver, site, f"{value.name}.__call__" if given else value.name, None)


def _call_method(solver: Solver, site: Site, value: Method) -> None:
    _answer(solver, site)
    call_method_of_builtin(solver, site, value)


def _call_getter(solver: Solver, site: Site, value: Getter) -> None:
    from onepath.link.models.getters import call_getter

    _answer(solver, site)
    call_getter(solver, site, value)


def _call_widened(solver: Solver, site: Site, value: Widened) -> None:
    """One of too many is called, and not by a method's name: which, nobody can say."""
    if site.func >= 0 and site.func not in solver.attribute_of:
        solver.note_opaque(site.frame, "a value", "it is one of too many to be told apart", site.line)


def _call_running(solver: Solver, site: Site, value: Running) -> None:
    """A context made by `contextmanager` decorates."""
    if value.kind == "generator":
        _answer(solver, site)
        for var in site.positional[:1]:
            solver.flow(var, site.dst)


def _call_module(solver: Solver, site: Site, value: Module) -> None:
    """A module whose class was changed to one that can be called."""
    for member in list(solver.has(solver.cell(value, "__class__"))):
        if isinstance(member, Class):
            for one in members(solver, member, "__call__"):
                if isinstance(one, Function):
                    bind(solver, site, one, value)


_CALLS: Final[dict[type, Callable[[Solver, Site, Any], None]]] = {
    Function: _call_function,
    Class: _call_class,
    Instance: _call_instance,
    Bound: _call_bound,
    Partial: _call_partial,
    Descriptor: _call_descriptor,
    Uncomputed: _call_uncomputed,
    Foreign: _call_foreign,
    Result: _call_foreign,
    Method: _call_method,
    Getter: _call_getter,
    Module: _call_module,
    Running: _call_running,
    Widened: _call_widened,
}


MOST_ESCAPES: Final = 16
"""How many callables one call hands to foreign code before it stands for too many."""


# -- foreign code ----------------------------------------------------------------------------------------------


_OPAQUE_BELOW: Final = tuple(f"{name}." for name in OPAQUE_BELOW)


def external(solver: Solver, site: Site, name: str, owner: Value | None) -> None:
    """A foreign callable is called; `owner` is the program's object whose inherited method it is."""
    from onepath.link.models import MODELS

    name = canonical(name)
    if name not in _SILENT:
        solver.edge(site.frame, name, "call", site.line)
    if name in solver.entry_decorators:
        for var in site.positional[:1]:
            solver.when(var, _entered, f"@{name}")
    wanted = solver.entry_arguments.get(name)
    if wanted:
        for parameter in sorted(wanted):
            for keyword, var in site.named:
                if keyword == parameter:
                    solver.when(var, _entered, f"arg:{name}.{parameter}")
            for var in site.positional:
                solver.when(var, _entered, f"arg:{name}.{parameter}")
    why = OPAQUE_CALLS.get(name)
    if why is None and name.startswith(_OPAQUE_BELOW):
        why = "native code is called"
    if why:
        solver.note_opaque(site.frame, name, why, site.line)
        solver.add(site.dst, solver.uncomputed(name, why))
    dunders = DUNDERS.get(name)
    if dunders is not None:
        for var in site.positional:
            solver.when(var, _call_dunders, (site.frame, dunders, name in OF_ELEMENTS, site.line), OBJECTS_AND_BOXES)
    for var in site.stars:
        iterate(solver, site.frame, var, solver.nowhere, False, site.line)
    model = MODELS.get(name)
    if model is not None:
        model(solver, site)
        return
    if owner is not None:
        _call_back(solver, site, name, owner)
        if isinstance(owner, Instance) and _is_template(name):
            key = ("overrides", owner, site.frame, site.line)
            if key not in solver.values:
                solver.values[key] = True
                solver.later(_run_overrides, solver, owner.cls, owner, site.frame, site.line)
    if name not in GIVES_ITS_RESULT:
        solver.add(site.dst, _given_by(solver, name))
    if name in NEVER_CALL or _is_quiet(name):
        if name.rpartition(".")[2] in _SENDS and name.startswith("logging."):
            solver.when(solver.var_for("log handlers"), _log_sent, site)
        if name.startswith("math."):
            for var in site.positional:
                solver.when(var, _read_by_unknown, None, BOXES)
        return
    passed = PASSES_ON.get(name)
    if passed is not None and len(site.positional) > passed:
        _pass_on(solver, site, name, passed)
    escape_arguments(solver, site, name)


def _given_by(solver: Solver, name: str) -> Result:
    """The result of a foreign call. What a method of a mere result gives is that result again: parts of one data."""
    given = GIVES.get(name)
    if given is not None:
        return solver.result(given)
    owner, _, last = name.rpartition(".")
    if (
        (Result, owner) in solver.values
        and not owner.rpartition(".")[2][:1].isupper()
        and not last[:1].isupper()
        and not solver.leads(name)
    ):
        return solver.result(owner)
    return solver.result(name)


_SILENT: Final = frozenset({"builtins.property", "builtins.staticmethod", "builtins.classmethod"})


_SENDS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "log", "fatal", "handle"}
)


def _log_sent(solver: Solver, site: Any, value: Value) -> None:
    """A record goes to every handler that was added somewhere."""
    if isinstance(value, Result) and solver.is_watched(f"{value.name}.emit"):
        solver.edge(site.frame, f"{value.name}.emit", "may-call", site.line)


def _is_quiet(name: str) -> bool:
    head, _, rest = name.partition(".")
    if head in ("logging", "structlog"):
        return rest.rpartition(".")[2] in LOGGED
    return head in NEVER_CALL_BELOW and name not in NEVER_CALL_BUT


def _call_dunders(solver: Solver, payload: Any, value: Value) -> None:
    frame, names, elements, line = payload
    if isinstance(value, Instance):
        for name in names:
            if binds(value.cls, name):
                call_special(solver, frame, value, name, (solver.nowhere,), -1, line)
    elif isinstance(value, Box) and elements:
        inner = solver.every(value)
        key = ("dunders", frame, names, value)
        if key not in solver.values:
            solver.values[key] = True
            solver.when(inner, _call_dunders, payload, OBJECTS_AND_BOXES)


def _pass_on(solver: Solver, site: Site, name: str, index: int) -> None:
    rest = site.positional[index + 1 :]
    inner = Site(site.frame, site.dst, -1, rest, (), site.line, site.stars)
    solver.when(site.positional[index], _pass_one, inner)


def _pass_one(solver: Solver, site: Any, value: Value) -> None:
    call(solver, site, value)


def escape_arguments(solver: Solver, site: Site, name: str) -> None:
    """Callables among the arguments may be called; the result may be one of them, wrapped."""
    for var in dict.fromkeys((*site.positional, *(var for _, var in site.named))):
        solver.when(var, _escaped, (site.frame, name, site.dst, site.line, 0), _ESCAPING)
    for var in (*site.stars, *site.double_stars):
        solver.when(var, _escaped, (site.frame, name, site.dst, site.line, 0), _ESCAPING)


def _escaped(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, dst, line, depth = payload
    _ESCAPES.get(value.__class__, _stays)(solver, frame, value, name, dst, line, depth)


def escape(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int) -> None:
    """A value is given to foreign code."""
    _escaped(solver, (frame, name, dst, line, 0), value)


def _stays(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int, depth: int) -> None:
    """Data: foreign code does not call it."""


def _escape_callable(solver: Solver, frame: Frame, value: Value, name: str, dst: int, line: int, depth: int) -> None:
    if dst >= 0:
        solver.add(dst, value)
    key = ("escaped", value, frame, line)
    if key not in solver.values:
        count = solver.escapes.get((frame, line), 0)
        if count >= MOST_ESCAPES:
            return
        solver.escapes[(frame, line)] = count + 1
        solver.values[key] = True
        solver.later(_run_escaped, solver, value, frame, line)


def _run_escaped(solver: Solver, value: Value, frame: Frame, line: int) -> None:
    run_unknown(solver, value, frame, "may-call", line)
    if isinstance(value, Class):
        _run_overrides(solver, value, plain_instance(solver, value, None), frame, line)


def _escape_instance(solver: Solver, frame: Frame, value: Instance, name: str, dst: int, line: int, depth: int) -> None:
    if binds(value.cls, "__call__"):
        _escape_callable(solver, frame, value, name, dst, line, depth)
    if name in TAKES_OVER or name.startswith(TAKES_OVER_BELOW):
        solver.later(run_methods, solver, value, frame, line)
    key = ("overrides", value, frame, line)
    if key not in solver.values:
        solver.values[key] = True
        solver.later(_run_overrides, solver, value.cls, value, frame, line)
        if any(not PROTOCOL.isdisjoint(one.statics) for one in value.cls.mro):
            solver.later(_run_protocol, solver, value, frame, line)


def _run_protocol(solver: Solver, value: Instance, frame: Frame, line: int) -> None:
    """Foreign code reads, iterates, compares or shows what it is given, by the methods there are for that."""
    for name in sorted({name for one in value.cls.mro for name in PROTOCOL & one.statics}):
        for member in members(solver, value.cls, name):
            if isinstance(member, Function):
                _run_function(solver, member, value, frame, "may-call", line)


def run_methods(solver: Solver, value: Instance, frame: Frame, line: int) -> None:
    """Foreign code was given an object to use in place of its own: it may call any of its methods."""
    for cls in value.cls.mro:
        for name in sorted(cls.statics):
            if name in ("__init__", "__new__", "__del__", "__init_subclass__"):
                continue
            for member in list(solver.has(solver.cell(cls, name))):
                if isinstance(member, Function):
                    _run_function(solver, member, value, frame, "may-call", line)


def _run_overrides(solver: Solver, cls: Class, owner: Instance, frame: Frame, line: int) -> None:
    """Foreign code that is given an object of a class derived from foreign code calls what the class overrides."""
    real = [base for base in foreign_bases(cls) if base not in HARMLESS_BASES and not _is_exception(base)]
    if not real:
        return
    for one in cls.mro:
        for name in sorted(one.statics):
            if name.startswith("__") and name not in ("__call__", "__enter__", "__exit__", "__iter__", "__next__"):
                continue
            for member in list(solver.has(solver.cell(one, name))):
                if isinstance(member, Function):
                    _run_function(solver, member, owner, frame, "may-call", line)


def _is_exception(base: str) -> bool:
    return base.startswith("builtins.") and base.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt"))


def _escape_box(solver: Solver, frame: Frame, value: Box, name: str, dst: int, line: int, depth: int) -> None:
    if depth < 3:
        key = ("escaped box", value, frame, line)
        if key not in solver.values:
            solver.values[key] = True
            inner = solver.new()
            items_of(solver, value, inner)
            solver.when(inner, _escaped, (frame, name, dst, line, depth + 1), _ESCAPING)


def _escape_running(solver: Solver, frame: Frame, value: Running, name: str, dst: int, line: int, depth: int) -> None:
    if dst >= 0:
        solver.add(dst, value)


def _escape_foreign(solver: Solver, frame: Frame, value: Foreign, name: str, dst: int, line: int, depth: int) -> None:
    if value.special and value.name.rpartition(".")[0]:
        solver.edge(frame, value.name, "may-call", line)
        if dst >= 0:
            solver.add(dst, value)


def _escape_uncomputed(
    solver: Solver, frame: Frame, value: Uncomputed, name: str, dst: int, line: int, depth: int
) -> None:
    # Most such values are data. Where foreign code is known to call what it is given, the call itself tells.
    if dst >= 0:
        solver.add(dst, value)


def _escape_descriptor(
    solver: Solver, frame: Frame, value: Descriptor, name: str, dst: int, line: int, depth: int
) -> None:
    if value.get is not None and value.kind != "factory":
        _escaped(solver, (frame, name, dst, line, depth), value.get)
        if dst >= 0:
            solver.add(dst, value)


_ESCAPES: Final[dict[type, Callable[..., None]]] = {
    Function: _escape_callable,
    Bound: _escape_callable,
    Class: _escape_callable,
    Partial: _escape_callable,
    Getter: _escape_callable,
    Instance: _escape_instance,
    Box: _escape_box,
    Running: _escape_running,
    Foreign: _escape_foreign,
    Uncomputed: _escape_uncomputed,
    Descriptor: _escape_descriptor,
}


_ESCAPING: Final = frozenset(_ESCAPES)
"""Kinds of values that foreign code may call, or that are more than data to it."""


def _is_template(name: str) -> bool:
    """Whether an inherited foreign method may call any of the object's own ones, for all that is known."""
    return name not in CALLS_BACK and not name.startswith(_PLAIN_BASES) and not name.endswith("__init__")


_PLAIN_BASES: Final = ("builtins.", "collections.", "typing.", "abc.", "enum.", "threading.", "ast.", "msgspec.")


def _call_back(solver: Solver, site: Site, name: str, owner: Value) -> None:
    """An inherited foreign method calls the object's own ones."""
    names = CALLS_BACK.get(name)
    if names is None and name.startswith(("collections.abc.", "typing.", "collections.User")):
        names = MIXINS.get(name.rpartition(".")[2])
    if names is None or not isinstance(owner, Instance):
        return
    cls = owner.cls
    wanted: list[str] = []
    for one in names:
        if one.endswith("*"):
            wanted.extend(sorted({bound for base in cls.mro for bound in base.statics if bound.startswith(one[:-1])}))
        else:
            wanted.append(one)
    for one in wanted:
        lookup(solver, cls, one, _call_back_one, (site, owner))


def _call_back_one(solver: Solver, payload: Any, member: Value) -> None:
    site, owner = payload
    if isinstance(member, Function):
        _run_function(solver, member, owner, site.frame, "may-call", site.line)
