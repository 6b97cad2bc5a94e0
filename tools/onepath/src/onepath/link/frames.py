"""From arguments that are bound to the frames that run.

A function that is given callables gets a frame for each of them, so that two users of one wrapper stay apart; so does
one that looks something up by a name it is given. Which argument is whose is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

from onepath.facts import model as op
from onepath.link.code import Code, Frame, Site
from onepath.link.flows import CONTEXTS
from onepath.link.solver import KEYS, Solver, is_contextual
from onepath.link.values import Bound, Class, Foreign, Function, Instance, Partial, Running, Text, Value


class Binding:
    """One site, one function: which variables reach which parameters, and the frames this makes."""

    __slots__ = ("arguments", "closed", "frames", "function", "given", "merged", "only", "owner", "site", "special")

    def __init__(
        self, site: Site, function: Function, owner: Value | None, only: dict[int, Value] | None = None
    ) -> None:
        self.site = site
        self.function = function
        self.owner = owner
        self.only = only
        """For a constructor: of these arguments only that callable."""
        self.arguments: dict[tuple[int, int], None] = {}
        """Variable and parameter."""
        self.special: dict[int, dict[Value, None]] = {}
        """By parameter: the callables the function is analysed apart for."""
        self.frames: list[Frame] = []
        self.closed = False
        """Whether all arguments are there but those out of `*` and `**`."""
        self.merged = False
        """Whether there is one frame for whatever is passed."""
        self.given: set[int] = set()
        """Parameters that get an argument for certain: their defaults are not used."""


def is_excluded(binding: Binding, var: int, value: Value) -> bool:
    return binding.only is not None and var in binding.only and is_contextual(value) and binding.only[var] is not value


def makes_context(solver: Solver, binding: Binding, var: int, index: int, value: Value) -> bool:
    code = binding.function.code
    if not is_contextual(value) and not (code.contexts < KEYS and kinds_apart(code, index) is _KEYS and _is_key(value)):
        return False
    return (
        code.contexts < solver.contexts
        and solver.context_frames <= solver.budget
        and code.scope.parameters[index].kind not in ("star", "double")
        and not is_excluded(binding, var, value)
    )


def _is_key(value: Value) -> bool:
    return isinstance(value, Text) or (isinstance(value, Instance) and not value.tag)


def kinds_apart(code: Code, index: int) -> frozenset[type]:
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
        kind = one.__class__
        if kind is op.Call:
            if one.func in lookups:  # type: ignore[union-attr]
                found.update(var for var in one.positional if 0 <= var < count)  # type: ignore[union-attr]
        elif kind is op.Attribute:
            if one.name in _LOOKUP_METHODS:  # type: ignore[union-attr]
                lookups.add(one.dst)  # type: ignore[union-attr]
        elif kind is op.Global:
            if one.name in _LOOKUPS:  # type: ignore[union-attr]
                lookups.add(one.dst)  # type: ignore[union-attr]
        elif kind is op.Item:
            if 0 <= one.index < count:  # type: ignore[union-attr]
                found.add(one.index)  # type: ignore[union-attr]
        elif kind is op.StoreFree and 0 <= one.src < count and one.scope == code.index:  # type: ignore[union-attr]
            # A decorator's argument: what it makes may look something up by it.
            found.add(one.src)  # type: ignore[union-attr]
    return found


_LOOKUPS: Final = frozenset({"getattr", "setattr", "__import__", "type", "import_module"})
_LOOKUP_METHODS: Final = frozenset({"get", "pop", "import_module", "__getitem__"})


def make_frames(solver: Solver, binding: Binding, fixed: dict[int, Value]) -> None:
    """Frames for every combination of callables among the arguments, `fixed` being new."""
    code = binding.function.code
    owner = binding.owner
    owner_tag: tuple[Value | str, ...] = ()
    if (isinstance(owner, Instance) and owner.tag and owner.depth <= 3) or (
        isinstance(owner, Class) and owner.code is not None and code.contexts < solver.contexts
    ):
        owner_tag = ("self", owner)
    if not binding.special and not owner_tag:
        _run_in(solver, binding, solver.frame(code, binding.function.parent))
        return
    positions = sorted(binding.special)
    choices = [(fixed[index],) if index in fixed else tuple(binding.special[index]) for index in positions]
    combinations: list[tuple[Value, ...]] = []
    for combination in product(*choices):
        combinations.append(combination)
        if len(combinations) > CONTEXTS:
            break
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
    if frame in binding.frames:
        return
    binding.frames.append(frame)
    _connect(solver, binding, frame)
    for var, index in tuple(binding.arguments):
        if binding.merged:
            solver.flow(var, frame.base + index)
            continue
        held = solver.held[var]
        if held:
            apart = kinds_apart(frame.code, index)
            plain = [
                value for value in held if value.__class__ not in apart or _is_plain(solver, binding, var, index, value)
            ]
            if plain:
                solver.add_all(frame.base + index, plain)


def _is_plain(solver: Solver, binding: Binding, var: int, index: int, value: Value) -> bool:
    """Whether all frames get it, although it is of a kind that functions are analysed apart for."""
    return (
        value not in binding.special.get(index, ())
        and not is_excluded(binding, var, value)
        and not makes_context(solver, binding, var, index, value)
    )


def listen(solver: Solver, binding: Binding, var: int, index: int) -> None:
    """What the variable holds is passed as this parameter, now and later."""
    solver.when_any(var, pass_arguments, (binding, var, index, kinds_apart(binding.function.code, index)))


def pass_arguments(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    """These are passed: plain ones to all frames, each callable to frames of its own."""
    binding, _, index, apart = payload
    for value in values:
        if value.__class__ in apart:
            values = [one for one in values if one.__class__ not in apart or not _is_apart(solver, payload, one)]
            break
    if values:
        for frame in binding.frames:
            solver.add_all(frame.base + index, values)


def _is_apart(solver: Solver, payload: Any, value: Value) -> bool:
    """Whether it is passed to frames of its own, which are made, or not at all."""
    binding, var, index, _ = payload
    if value in binding.special.get(index, ()) or is_excluded(binding, var, value):
        return True
    if not makes_context(solver, binding, var, index, value):
        return False
    binding.special.setdefault(index, {})[value] = None
    make_frames(solver, binding, {index: value})
    return True


def _connect(solver: Solver, binding: Binding, frame: Frame) -> None:
    """Everything but the arguments: the edge, the owner, defaults, the result."""
    site, function = binding.site, binding.function
    solver.edge(site.frame, frame, "call", site.line)
    if binding.owner is not None and 0 in function.code.shape[0][:1]:
        solver.add(frame.base, binding.owner)
    defaults(solver, function, frame, binding.given)
    running(solver, frame, site.dst)


def defaults(solver: Solver, function: Function, frame: Frame, given: set[int] | frozenset[int] = frozenset()) -> None:
    """Parameters take their defaults, unless an argument is given."""
    for index in function.code.defaulted:
        if index not in given:
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
