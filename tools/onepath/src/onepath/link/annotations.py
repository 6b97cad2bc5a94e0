"""Annotations as a source of values: only where nothing else is known.

A parameter that unknown code fills, a foreign result and an attribute nobody sets take objects of their declared type.
A class stands for itself and its subclasses, a Protocol for every class of the program that has its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onepath.facts.model import Annotation
from onepath.link.classes import instances, is_enum, is_protocol, plain_instance
from onepath.link.code import Frame, Unit
from onepath.link.flows import Held
from onepath.link.foreign import canonical
from onepath.link.imports import start_module
from onepath.link.items import item_cell
from onepath.link.members import enum_member
from onepath.link.narrowing import _below, seed_narrowed, tells_nothing
from onepath.link.solver import Solver
from onepath.link.values import Class, Constant, Foreign, Getter, Result, Unknown, Value

_MOST: Final = 60
_WRAPPERS: Final = frozenset(
    {"Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Optional", "InitVar", "Union"}
)
_LISTS: Final = frozenset(
    {
        "list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "MutableSequence", "Collection", "Iterable",
        "Iterator", "AsyncIterator", "AsyncIterable", "Generator", "AsyncGenerator", "deque", "Deque", "KeysView",
        "ValuesView", "AbstractSet", "MutableSet", "Reversible", "Container",
    }
)  # fmt: skip
_DICTS: Final = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "ChainMap"}
)
_AWAITABLES: Final = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
_CONTEXTS: Final = frozenset(
    {"AbstractContextManager", "AbstractAsyncContextManager", "ContextManager", "AsyncContextManager"}
)
_PLAIN: Final = frozenset({"str", "int", "float", "bool", "bytes", "bytearray", "complex", "memoryview", "None"})


def fill(solver: Solver, *, only_unknown_callers: bool) -> bool:
    """Give every declared variable of which nothing is known what its annotation says; whether there was one."""
    news = False
    open_still: list[tuple[int, int, Unit, Frame | None]] = []
    ripe: list[tuple[int, int, Unit, Frame | None]] = []
    for entry in solver.declared:
        var, annotation, unit, frame = entry
        if var in solver.filled or annotation >= len(unit.facts.annotations):
            continue
        if not _is_open(solver.held[var]):
            # Something is known: it stays known, and the annotation is not asked.
            continue
        if only_unknown_callers and not (frame is not None and frame.unknown):
            open_still.append(entry)
        else:
            ripe.append(entry)
    solver.declared = open_still
    for var, annotation, unit, frame in ripe:
        if var in solver.filled:
            continue
        held = solver.has(var)
        solver.restless = False
        types = types_of(solver, unit.facts.annotations[annotation], unit, frame, 0)
        if solver.restless:
            solver.declared.append((var, annotation, unit, frame))
            news = True
            continue
        solver.filled.add(var)
        for value in types:
            if value not in held:
                solver.add(var, value)
                news = True
    waiting = [one for one in solver.narrowed if tells_nothing(solver.held[one[0]])]
    solver.narrowed = [one for one in waiting if not seed_narrowed(solver, *one[1:])]
    return news or len(solver.narrowed) < len(waiting)


def _is_open(held: Held | None) -> bool:
    """Whether nothing is known of what a variable holds."""
    if held is None:
        return True
    for one in held:
        kind = one.__class__
        if kind is Unknown or kind is Result or (kind is Constant and one.type == "NoneType"):  # type: ignore[attr-defined]
            continue
        return False
    return True


def types_of(solver: Solver, written: Annotation, unit: Unit, frame: Frame | None, depth: int) -> list[Value]:
    """Objects of a type as written in a module."""
    name = written.name
    if depth > 8 or not name or name == "None" or name.startswith("="):
        return []
    if name == "|":
        return [value for one in written.arguments for value in types_of(solver, one, unit, frame, depth + 1)][:_MOST]
    if name.startswith("'"):
        return [solver.text(name[1:])]
    last = name.rpartition(".")[2]
    if last == "Annotated":
        return [value for one in written.arguments[:1] for value in types_of(solver, one, unit, frame, depth + 1)]
    if last in _WRAPPERS:
        return [value for one in written.arguments for value in types_of(solver, one, unit, frame, depth + 1)][:_MOST]
    if last == "Literal":
        return [solver.text(one.name[1:]) for one in written.arguments if one.name.startswith("'")]
    if name in _PLAIN:
        return [solver.constant(name)]
    if last in _LISTS or last in _DICTS or last in _AWAITABLES or last in _CONTEXTS or last in ("tuple", "Tuple"):
        resolved = resolve(solver, name, unit, frame)
        if not any(isinstance(one, Class) for one in resolved):
            return _container(solver, written, last, unit, frame, depth)
    if last in ("type", "Type") and written.arguments:
        return [
            one
            for value in resolve(solver, written.arguments[0].name, unit, frame)
            if isinstance(value, Class)
            for one in (value, *_below(value))
        ]
    alias = _alias(solver, name, unit)
    if alias is not None:
        owner, index = alias
        return types_of(solver, owner.facts.annotations[index], owner, None, depth + 1)
    found: list[Value] = []
    for value in resolve(solver, name, unit, frame):
        if isinstance(value, Class):
            found.extend(objects_of(solver, value))
        elif isinstance(value, str) and (
            not value.startswith(("typing.", "collections.abc.", "builtins.")) or value == "builtins.object"
        ):
            found.append(solver.result(canonical(value)))
    return found[:_MOST]


def objects_of(solver: Solver, cls: Class) -> list[Value]:
    """Objects of a class and of those below it; of a Protocol, objects of the classes that fulfil it."""
    if is_enum(cls):
        return [enum_member(solver, cls, name) for name in sorted(cls.statics) if not name.startswith("_")]
    if is_protocol(cls):
        found: list[Class] = []
        for one in implementers(solver, cls):
            for each in (one, *_below(one)):
                if each not in found:
                    found.append(each)
        if found:
            return _made(solver, found)
    return _made(solver, (cls, *_below(cls)))


def _made(solver: Solver, classes: Sequence[Class]) -> list[Value]:
    return list[Value](each for one in classes[:_MOST] for each in instances(solver, one))[:_MOST]


def implementers(solver: Solver, protocol: Class) -> list[Class]:
    """Classes of the program that have every member of a Protocol."""
    key = ("implementers", protocol, len(solver.classes))
    known = solver.values.get(key)
    if known is not None:
        return known  # type: ignore[no-any-return]
    wanted: set[str] = set()
    for one in protocol.mro:
        if is_protocol(one):
            wanted.update(name for name in one.statics if not _is_machinery(name))
            wanted.update(one.fields)
    found: list[Class] = []
    if wanted:
        for cls in solver.classes:
            if is_protocol(cls) or protocol is cls:
                continue
            has = solver.values.get(("names", cls))
            if has is None:
                has = set()
                for one in cls.mro:
                    has |= one.statics
                    has |= set(one.fields)
                solver.values[("names", cls)] = has
            missing = wanted - has
            if not missing or all(solver.cells.get((plain_instance(solver, cls, None), name)) for name in missing):
                found.append(cls)
    solver.values[key] = found
    return found


def _is_machinery(name: str) -> bool:
    return name in ("__slots__", "__doc__", "__module__", "__annotations__", "__match_args__", "__abstractmethods__")


def _container(
    solver: Solver, written: Annotation, last: str, unit: Unit, frame: Frame | None, depth: int
) -> list[Value]:
    kind = "list"
    if last in _DICTS:
        kind = "dict"
    elif last in ("tuple", "Tuple"):
        kind = "tuple"
    elif last in _AWAITABLES:
        kind = "awaitable"
    elif last in _CONTEXTS:
        kind = "context"
    elif last in ("set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"):
        kind = "set"
    box = solver.box(kind, ("declared", unit, frame, written))
    key = ("declared", unit, frame, written)
    if key in solver.values:
        return [box]
    solver.values[key] = True
    arguments = written.arguments
    if kind == "dict" and len(arguments) > 1:
        for value in types_of(solver, arguments[0], unit, frame, depth + 1):
            solver.add(box.keys, value)
        for value in types_of(solver, arguments[1], unit, frame, depth + 1):
            solver.add(box.rest, value)
    elif kind == "tuple":
        for index, one in enumerate(arguments):
            endless = len(arguments) == 2 and not arguments[1].name
            for value in types_of(solver, one, unit, frame, depth + 1):
                solver.add(box.rest if endless else item_cell(solver, box, index), value)
    elif kind == "awaitable" and last == "Coroutine":
        for value in types_of(solver, arguments[-1], unit, frame, depth + 1) if arguments else ():
            solver.add(box.rest, value)
    elif arguments:
        for value in types_of(solver, arguments[0], unit, frame, depth + 1):
            solver.add(box.rest, value)
    return [box]


def resolve(solver: Solver, name: str, unit: Unit, frame: Frame | None) -> list[Class | str]:
    """What a dotted name in an annotation is: classes of the program, or a foreign name."""
    head, _, rest = name.partition(".")
    values: list[Value | str] = []
    around = frame
    while around is not None and not values:
        if around.code.scope.kind == "class":
            cls = solver.values.get((Class, (around.code, around.parent)))
            if cls is not None:
                if head in cls.statics:
                    values.extend(solver.has(solver.cell(cls, head)))
                for parameter, bound in around.code.scope.type_parameters:
                    if parameter == head:
                        return _bound(solver, bound, unit, frame)
        else:
            for parameter, bound in around.code.scope.type_parameters:
                if parameter == head:
                    return _bound(solver, bound, unit, frame)
            var = around.cells.get(head)
            if var is not None:
                values.extend(solver.has(var))
        around = around.parent
    if not values:
        module = solver.module_of(unit)
        values.extend(solver.has(solver.cell(module, head)))
    if not any(not isinstance(one, Constant) for one in values):
        typed = unit.facts.typing_names.get(head)
        if typed is not None:
            values = list(_imported(solver, *typed))
    if not values and head in ("object", "Exception", "BaseException", "type"):
        return [f"builtins.{head}"]
    for part in rest.split(".") if rest else ():
        deeper: list[Value | str] = []
        for one in values:
            deeper.extend(_member(solver, one, part))
        values = deeper
    found: list[Class | str] = []
    for one in values:
        if isinstance(one, Class | str):
            found.append(one)
        elif isinstance(one, Foreign):
            found.append(one.name)
        elif isinstance(one, Getter) and one.kind in ("typevar", "newtype"):
            found.extend(_stands_for(solver, one))
    return found


def _stands_for(solver: Solver, value: Getter) -> list[Class | str]:
    """What a type variable is bound to, or a new type is made of."""
    site = value.site
    sources = [var for name, var in site.named if name == "bound"]
    sources.extend(site.positional[1:])
    found: list[Class | str] = []
    for var in sources:
        for one in solver.has(var):
            if isinstance(one, Class):
                found.append(one)
            elif isinstance(one, Foreign):
                found.append(one.name)
    return found


def _bound(solver: Solver, bound: int, unit: Unit, frame: Frame | None) -> list[Class | str]:
    if bound < 0:
        return []
    return resolve(solver, unit.facts.annotations[bound].name, unit, frame)


def _imported(solver: Solver, module: str, name: str) -> list[Value | str]:
    found = solver.module(module)
    if found is None:
        return [canonical(f"{module}.{name}" if name else module)]
    if found.unit is not None and found.unit.frame is None:
        # Nobody has run it yet; its classes are needed.
        start_module(solver, found.unit)
        solver.restless = True
    if not name:
        return [found]
    inner = solver.module(f"{module}.{name}")
    held = list(solver.has(solver.cell(found, name)))
    return [*held] if held else [inner] if inner is not None else []


def _member(solver: Solver, value: Value | str, name: str) -> list[Value | str]:
    if isinstance(value, str):
        return [f"{value}.{name}"]
    if value.__class__.__name__ == "Foreign":
        return [f"{value.name}.{name}"]  # type: ignore[attr-defined]
    if value.__class__.__name__ == "Module":
        inner = solver.module(f"{value.name}.{name}")  # type: ignore[attr-defined]
        held = list(solver.has(solver.cell(value, name)))
        return [*held] if held else [inner] if inner is not None else []
    if isinstance(value, Class):
        return list(solver.has(solver.cell(value, name)))
    return []


def _alias(solver: Solver, name: str, unit: Unit, depth: int = 0) -> tuple[Unit, int] | None:
    """Where `name` is an alias for a type: the module that says so, and the annotation."""
    if depth > 6:
        return None
    head, _, rest = name.partition(".")
    if not rest:
        index = unit.facts.type_aliases.get(head)
        if index is not None:
            return unit, index
    for one in unit.facts.imports:
        if one.bound != head:
            continue
        if one.name and not rest:
            other = solver.units.get(one.module)
            if other is not None:
                return _alias(solver, one.name, other, depth + 1)
        elif one.name and rest:
            other = solver.units.get(f"{one.module}.{one.name}")
            if other is not None:
                return _alias(solver, rest, other, depth + 1)
    return None
