"""What `isinstance`, and class patterns, say of a variable's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from onepath.link.attributes import read_attribute
from onepath.link.classes import binds, fields_of, foreign_bases, is_protocol, lookup, plain_instance
from onepath.link.code import Frame
from onepath.link.dunders import call_special
from onepath.link.flows import Held
from onepath.link.invoke import invoke
from onepath.link.items import item_cell
from onepath.link.members import member_of_instance
from onepath.link.solver import Solver
from onepath.link.values import (
    BOXES,
    OBJECTS,
    OBJECTS_AND_CLASSES,
    Affix,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    Foreign,
    Function,
    Instance,
    Number,
    Result,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)


def narrowed(solver: Solver, frame: Frame, src: int, kind: int, dst: int, positive: bool, line: int) -> None:
    """`dst` gets those of `src` that are, or are not, instances of what `kind` holds. `line`: where they are tested, if
    no call does so."""
    solver.when_any(src, _narrow, (kind, dst, positive))
    if line:
        tested(solver, frame, src, kind, "__instancecheck__", line)
    if positive:
        solver.narrowed.append((src, kind, dst))


def _classes(solver: Solver, kind: int, depth: int = 0) -> list[Value] | None:
    """The classes a type test names; None where not all are known."""
    held = solver.has(kind)
    if not held:
        return None
    found: list[Value] = []
    for value in held:
        if isinstance(value, Class | Foreign):
            found.append(value)
        elif isinstance(value, Box) and depth < 3:
            for var in (*value.items.values(), value.rest):
                if solver.has(var):
                    inner = _classes(solver, var, depth + 1)
                    if inner is None:
                        return None
                    found.extend(inner)
        else:
            return None
    return found


def _narrow(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    kind, dst, positive = payload
    told: list[Value] = []
    wanted = _plain_types(solver, kind)
    for value in values:
        if value.__class__ is Instance:
            solver.later(_decide, solver, value, kind, dst, positive)
        elif wanted is not None and _is_ruled_out(value, wanted, positive):
            continue
        elif not positive or value.__class__ is not Unknown:
            told.append(value)
    if told:
        solver.add_all(dst, told)


_PLAIN: Final = frozenset({"dict", "list", "tuple", "set", "frozenset", "str", "bytes", "int", "float", "bool"})


def _plain_types(solver: Solver, kind: int) -> frozenset[str] | None:
    """The built-in types a test names; None if it names others too."""
    found: set[str] = set()
    for one in _classes(solver, kind) or (None,):
        last = one.name.removeprefix("builtins.") if isinstance(one, Foreign) else ""
        if last not in _PLAIN:
            return None
        found.add(last)
    if "int" in found:
        found.add("bool")
    return frozenset(found)


def _is_ruled_out(value: Value, wanted: frozenset[str], positive: bool) -> bool:
    """Whether what is written down does not come out of a test for built-in types."""
    if isinstance(value, Text | Affix):
        return ("str" in wanted) is not positive
    if isinstance(value, Bytes):
        return ("bytes" in wanted) is not positive
    if isinstance(value, Number):  # a truth is one too
        return "int" not in wanted and "bool" not in wanted if positive else "int" in wanted
    return not positive and isinstance(value, Constant) and value.type in wanted


def _decide(solver: Solver, value: Instance, kind: int, dst: int, positive: bool) -> None:
    classes = _classes(solver, kind)
    if classes is None:
        solver.add(dst, value)
        return
    may = must = False
    for one in classes:
        if isinstance(one, Class):
            if is_protocol(one) or _decides_itself(solver, one):
                may = True
            elif one in value.cls.mro:
                may = must = True
        elif one.name in foreign_bases(value.cls) or foreign_bases(value.cls):  # type: ignore[attr-defined]
            may = True
    if (positive and may) or (not positive and not must):
        solver.add(dst, value)


def found_among(solver: Solver, frame: Frame, src: int, among: int, dst: int) -> None:
    """`dst` gets what `src` holds, which is in `among`: a text that is not known is one of the texts listed there."""
    listed = solver.new()
    solver.when(among, _listed, listed, BOXES)
    solver.when_any(src, _among, (listed, dst))
    solver.at_last(_among_blind, solver, frame, src, listed, dst)


def _listed(solver: Solver, listed: Any, value: Value) -> None:
    if isinstance(value, Box):
        solver.flow(value.keys if value.kind == "dict" else solver.every(value), listed)


def _among(solver: Solver, payload: Any, values: Sequence[Value]) -> None:
    listed, dst = payload
    told = []
    for value in values:
        if isinstance(value, Affix | Constant | Result | Unknown | Uncomputed) or (
            isinstance(value, Foreign) and not value.special
        ):
            solver.at_last(_among_texts, solver, value, listed, dst)
        else:
            told.append(value)
    if told:
        solver.add_all(dst, told)


def _among_texts(solver: Solver, value: Value, listed: int, dst: int) -> None:
    """Which of the texts it is, nobody knows; where they are not all known, nobody knows either what it is."""
    texts = solver.has(listed)
    if texts and all(isinstance(one, Text) for one in texts):
        solver.add_all(dst, tuple(texts))
    else:
        solver.add(dst, value)


def _among_blind(solver: Solver, frame: Frame, src: int, listed: int, dst: int) -> None:
    if not solver.has(src) and not solver.is_idle(frame, _among_blind, frame, src, listed, dst):
        for one in solver.has(listed):
            if isinstance(one, Text):
                solver.add(dst, one)


def tested(solver: Solver, frame: Frame, subject: int, kind: int, method: str, line: int) -> None:
    """`isinstance` or `issubclass`, a class pattern: what `kind` holds is asked, and an object for its class."""
    solver.when(kind, _tested, (frame, subject, method, line), _TESTING)
    if method == "__instancecheck__":
        solver.when(subject, _asked_for_class, (frame, line), OBJECTS)


def _asked_for_class(solver: Solver, payload: Any, value: Value) -> None:
    frame, line = payload
    if isinstance(value, Instance) and binds(value.cls, "__class__"):
        lookup(solver, value.cls, "__class__", member_of_instance, (frame, value, solver.nowhere, line))


def _tested(solver: Solver, payload: Any, value: Value) -> None:
    frame, subject, method, line = payload
    if isinstance(value, Box):
        if solver.is_first(("tested", payload, value)):
            solver.when(solver.every(value), _tested, payload, _TESTING)
        return
    call_special(solver, frame, value, method, (subject,), -1, line)
    if not isinstance(value, Class):
        return
    for one in value.mro:
        if "__subclasshook__" in one.statics:
            for member in list(solver.has(solver.cell(one, "__subclasshook__"))):
                inner = member.get if isinstance(member, Descriptor) else member
                if isinstance(inner, Function):
                    invoke(solver, frame, solver.bound(inner, value), (subject,), -1, line)


_TESTING: Final = OBJECTS_AND_CLASSES | BOXES


def _decides_itself(solver: Solver, cls: Class) -> bool:
    """Whether code of the program says what is an instance of the class."""
    if ("registered to", cls) in solver.values or any("__subclasshook__" in one.statics for one in cls.mro):
        return True
    return cls.metaclass >= 0 and any(
        isinstance(meta, Class) and (binds(meta, "__instancecheck__") or binds(meta, "__subclasscheck__"))
        for meta in solver.has(cls.metaclass)
    )


_TELLING_NOTHING: Final[frozenset[type]] = frozenset({Unknown, Result, Constant, Widened, Text})


def tells_nothing(held: Held | None) -> bool:
    """Whether nothing is known of what a variable holds that is tested."""
    return held is None or _TELLING_NOTHING.issuperset(map(type, held))


def seed_narrowed(solver: Solver, kind: int, dst: int) -> bool:
    """A value of which nothing is known is, after the test, an instance of the tested class; whether that is news."""
    classes = _classes(solver, kind)
    if not classes:
        return False
    news = False
    for one in classes:
        if isinstance(one, Class):
            for cls in (one, *_below(one)):
                solver.add(dst, plain_instance(solver, cls, None))
                news = True
        elif isinstance(one, Foreign):
            solver.add(dst, solver.result(one.name))
            news = True
    return news


def _below(cls: Class) -> list[Class]:
    found: list[Class] = []
    todo = list(cls.subclasses)
    while todo and len(found) < 100:
        one = todo.pop(0)
        if one not in found:
            found.append(one)
            todo.extend(one.subclasses)
    return found


def matched(solver: Solver, frame: Frame, src: int, kind: int, name: str, index: int, dst: int) -> None:
    """A class pattern's sub-value: by name, or by position in `__match_args__` or the fields."""
    solver.when(src, _match_one, (frame, name, index, dst))


def _match_one(solver: Solver, payload: Any, value: Value) -> None:
    frame, name, index, dst = payload
    if name:
        read_attribute(solver, frame, value, name, dst, 0)
        return
    if isinstance(value, Instance):
        fields = [one for one, _, _ in fields_of(value.cls)]
        for cls in value.cls.mro:
            if "__match_args__" in cls.statics:
                for held in solver.has(solver.cell(cls, "__match_args__")):
                    if isinstance(held, Box):
                        for one in solver.has(item_cell(solver, held, index)):
                            if isinstance(one, Text):
                                read_attribute(solver, frame, value, one.value, dst, 0)
                return
        if index < len(fields):
            read_attribute(solver, frame, value, fields[index], dst, 0)
    else:
        solver.add(dst, value)
