"""Facts of all modules in, the linked program out: what calls what, and what is not known.

First everything that runs from the entries is followed, and the edges found so far are those a rule on paths reads.
Then what nobody calls is followed too, as if unknown code called it: rules on owners and the call graph speak of all
code.

By subject, each line knowing only those above it, but that attributes and items ask `hints` for annotations:
- `code`, `values`, `once`, `flows`, `layers`, `solver`: values, variables, what flows between them; no Python
  semantics.
- `foreign`: tables of what foreign names do.
- `classes`, `invoke`, `raising`, `dunders`, `members`, `attributes`, `setting`, `names`, `imports`, `running_text`:
  names, errors, attributes, modules.
- `within`, `defaults_of_keys`, `items`, `slices`, `iteration`, `files`, `search`, `texts`, `text_methods`, `operators`,
  `hints`, `annotations`, `narrowing`: what containers hold, paths, texts, types.
- `frames`, `binding`, `unknown`, `escaping`, `class_bodies`, `construction`: frames that run, objects that are made.
- `models`: what foreign names do where a table does not say enough.
- `methods`, `container_methods`, `external`, `calls`: what calling a value means for its kind.
- `displays`, `exceptions`, `operations`: what each operation of the facts does.
- `demand`, `mutations`, `harvest`: what is asked for, and what is read off when all is settled.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from onepath.facts.model import Attribute, Global, ImportFrom, ModuleFacts
from onepath.graph import Program
from onepath.link.annotations import fill
from onepath.link.calls import call
from onepath.link.classes import instances, members, plain_instance
from onepath.link.code import Frame, Options, Unit
from onepath.link.demand import Demand
from onepath.link.escaping import escape, inherited
from onepath.link.flows import FEW_CONTEXTS
from onepath.link.harvest import harvest
from onepath.link.imports import start_module
from onepath.link.items import read_key
from onepath.link.operations import instantiate, run_operations
from onepath.link.solver import Solver
from onepath.link.unknown import run_unknown
from onepath.link.values import Bound, Class, Descriptor, Function, Instance, Module, Partial, Value

_RECURSION: Final = 50_000
"""Waiting values are handed on at once, so chains of them are as deep as the program's own."""

__all__ = ["Options", "link"]


def link(modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> Program:
    """The program these modules are."""
    ordered = sorted(modules, key=lambda one: one.module)
    readable, folders = [one for one in ordered if not one.fault], tuple(namespaces)
    late: set[str] = set()
    while True:
        solver = _solver(readable, options, folders)
        solver.expect(late)
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(before, _RECURSION))
        try:
            return _link(solver, ordered, options)
        except _LateError:
            late |= solver.late
        finally:
            sys.setrecursionlimit(before)


class _LateError(Exception):
    """Special names are set that nobody writes: what asked for special names before asked for too few."""


def _solver(modules: list[ModuleFacts], options: Options, namespaces: Iterable[str]) -> Solver:
    solver = Solver(modules, options, namespaces)
    solver.instantiate = instantiate
    solver.run_operations = run_operations
    solver.call = call
    solver.escape = escape
    solver.inherited = inherited
    solver.read_key = read_key
    return solver


def _link(solver: Solver, ordered: list[ModuleFacts], options: Options) -> Program:
    entered: dict[str, list[Frame]] = {}
    if options.entries:
        units = _entry_units(solver, options.entries)
        for name in sorted(units):
            start_module(solver, units[name])
            _settle(solver)
        entered = _enter(solver, options.entries)
        for frames in entered.values():
            units.update((one.unit.name, one.unit) for one in frames if one.unit.outer is None)
        entered[""] = [frame for _, unit in sorted(units.items()) if (frame := unit.frame) is not None]
    reached = dict(solver.edges) if options.entries else None
    if options.entries:
        solver.contexts = FEW_CONTEXTS
    _run_rest(solver)
    if reached is None:
        reached = dict(solver.edges)
    return harvest(solver, ordered, reached, entered)


def _settle(solver: Solver) -> None:
    """Until neither flows nor annotations bring anything new. Raises _LateError."""
    while True:
        solver.solve()
        if solver.late:
            raise _LateError
        if solver.wake() or fill(solver, only_unknown_callers=True):
            continue
        if not fill(solver, only_unknown_callers=False):
            return


def _entry_units(solver: Solver, patterns: Sequence[str]) -> dict[str, Unit]:
    """By name: modules the entries are in, or may be made in."""
    found: dict[str, Unit] = {}
    words: set[str] = set()
    for pattern in patterns:
        if pattern.startswith("arg:"):
            words.add(pattern[4:].rpartition(".")[0].rpartition(".")[2])
            name = pattern[4:].rpartition(".")[0]
        elif pattern.startswith("@"):
            words.add(pattern.rpartition(".")[2].lstrip("@"))
            name = pattern[1:]
        else:
            name = _stem(pattern)
            for unit in solver.units.values():
                if unit.name == name or unit.name.startswith(name + "."):
                    found[unit.name] = unit
        while name and name not in solver.units:
            name = name.rpartition(".")[0]
        if name:
            found[name] = solver.units[name]
    if words:
        for unit in solver.units.values():
            if unit.name not in found and _mentions(unit, words):
                found[unit.name] = unit
    return found


def _mentions(unit: Unit, words: set[str]) -> bool:
    for code in unit.codes:
        for one in code.scope.code:
            kind = one.__class__
            if (kind is Attribute or kind is Global or kind is ImportFrom) and one.name in words:  # type: ignore[union-attr]
                return True
    return False


def _enter(solver: Solver, patterns: Sequence[str]) -> dict[str, list[Frame]]:
    """Run what the patterns name, as unknown code would."""
    entered: dict[str, list[Frame]] = {pattern: [] for pattern in patterns}
    while True:
        before = sum(len(one) for one in entered.values())
        for pattern in patterns:
            if pattern.startswith(("arg:", "@")):
                values = list(solver.entered.get(pattern, ()))
            else:
                values = [value for name in _meant(solver, pattern) for value in _below(solver, name)]
            for value in values:
                for frame in _run(solver, value):
                    if frame not in entered[pattern]:
                        entered[pattern].append(frame)
        _settle(solver)
        if sum(len(one) for one in entered.values()) == before:
            return entered


def _run(solver: Solver, value: Value) -> list[Frame]:
    if isinstance(value, Class):
        # A class as an entry: unknown code makes objects and calls their methods.
        owner = plain_instance(solver, value, None)
        found: list[Frame] = []
        for cls in value.mro:
            for name in sorted(cls.statics):
                for member in list(solver.has(solver.cell(cls, name))):
                    found.extend(_run_member(solver, member, owner))
        return found
    return run_unknown(solver, value, None, "call", 0)


def _run_member(solver: Solver, member: Value, owner: Instance) -> list[Frame]:
    if isinstance(member, Function):
        return run_unknown(solver, solver.bound(member, owner), None, "call", 0)
    if isinstance(member, Descriptor) and isinstance(member.get, Function):
        if member.kind == "static":
            return run_unknown(solver, member.get, None, "call", 0)
        first: Value = owner.cls if member.kind == "class" else owner
        found = run_unknown(solver, solver.bound(member.get, first), None, "call", 0)
        if isinstance(member.set, Function):
            found.extend(run_unknown(solver, solver.bound(member.set, owner), None, "call", 0))
        return found
    return []


def _stem(pattern: str) -> str:
    """What of a pattern is written out: all before the first `*` that stands for one part."""
    plain = pattern.removesuffix(".*")
    return plain.partition("*")[0].rpartition(".")[0] if "*" in plain else plain


def _meant(solver: Solver, pattern: str) -> list[str]:
    """The name a pattern is, or those that have any part where it has a `*`: of modules, and of what is in them."""
    plain = pattern.removesuffix(".*")
    if "*" not in plain:
        return [plain]
    parts = plain.split(".")
    found: dict[str, None] = {}
    for unit in solver.units.values():
        names = [unit.name]
        for wanted in parts[unit.name.count(".") + 1 :]:
            names = [
                f"{name}.{one}"
                for name in names
                for one in (_names_below(solver, unit, name) if wanted == "*" else (wanted,))
            ]
        found.update(dict.fromkeys(name for name in names if _fits(name, parts)))
    return sorted(found)


def _names_below(solver: Solver, unit: Unit, name: str) -> list[str]:
    """What a module or a class of it binds."""
    if name == unit.name:
        return sorted(unit.statics)
    return sorted({one for value in solver.named(name) if isinstance(value, Class) for one in value.statics})


def _fits(name: str, parts: Sequence[str]) -> bool:
    written = name.split(".")
    return len(written) == len(parts) and all(part in ("*", one) for one, part in zip(written, parts, strict=True))


def _below(solver: Solver, name: str) -> list[Value]:
    """What a name is bound to, and all that lies below it if it is a module or package."""
    found: list[Value] = []
    for value in solver.named(name):
        if isinstance(value, Module):
            continue
        if _is_method(solver, name, value):
            cls = solver.named(name.rpartition(".")[0])[0]
            owner = plain_instance(solver, cls, None)  # type: ignore[arg-type]
            found.append(solver.bound(value, owner) if isinstance(value, Function) else value)
        else:
            found.append(value)
    for unit_name, unit in solver.units.items():
        if unit_name == name or unit_name.startswith(name + "."):
            module = solver.module_of(unit)
            for one in sorted(unit.statics):
                for value in solver.has(solver.cell(module, one)):
                    target = value.func if isinstance(value, Bound | Partial) else value
                    if (isinstance(target, Function) and target.code.unit is unit) or (
                        isinstance(value, Class) and value.unit is unit
                    ):
                        found.append(value)
    return found


def _is_method(solver: Solver, name: str, value: Value) -> bool:
    owners = solver.named(name.rpartition(".")[0])
    return len(owners) == 1 and isinstance(owners[0], Class) and isinstance(value, Function)


def _run_rest(solver: Solver) -> None:
    """Every module's body, then every function nobody has called."""
    for name in sorted(solver.units):
        unit = solver.units[name]
        if unit.codes and unit.frame is None:
            start_module(solver, unit)
            _settle(solver)
    solver.programs.update(solver.units)
    for frame, operations in solver.not_run:
        run_operations(solver, frame, operations)
    for box in list(solver.unread):
        solver.read(box)
    _settle(solver)
    if solver.options.whole:
        _run_functions(solver, None)
        return
    demand = Demand(solver)
    before = -1
    while len(demand.wanted) > before:
        before = len(demand.wanted)
        _run_functions(solver, demand)
        demand.look()


def _run_functions(solver: Solver, demand: Demand | None) -> None:
    """Functions nobody has called, as if unknown code called them; only those that are wanted, if that is told."""
    done = 0
    while done < len(solver.functions):
        waiting = solver.functions[done:]
        done = len(solver.functions)
        for function in waiting:
            if function.code.frames:
                continue
            if demand is not None and demand.group_of.get(function.code, function.code) not in demand.wanted:
                continue
            cls = solver.values.get((Class, (function.parent.code, function.parent.parent)))
            first = function.code.scope.parameters[:1]
            if (
                cls is not None
                and first
                and first[0].kind in ("positional", "any")
                and not _is_static(solver, cls, function)
            ):
                owners: list[Value] = [cls] if _is_of_class(solver, cls, function) else [*instances(solver, cls)]
                for owner in owners:
                    run_unknown(solver, solver.bound(function, owner), None, "call", 0)
            else:
                run_unknown(solver, function, None, "call", 0)
        _settle(solver)


def _is_static(solver: Solver, cls: Class, function: Function) -> bool:
    return any(
        isinstance(one, Descriptor) and one.kind == "static" and one.get is function
        for one in members(solver, cls, function.code.scope.name)
    )


def _is_of_class(solver: Solver, cls: Class, function: Function) -> bool:
    name = function.code.scope.name
    if name in ("__new__", "__init_subclass__", "__class_getitem__"):
        return True
    return any(
        isinstance(one, Descriptor) and one.kind == "class" and one.get is function
        for one in members(solver, cls, name)
    )
