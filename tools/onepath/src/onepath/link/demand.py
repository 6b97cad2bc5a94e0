"""Which functions have to be read, although no entry leads to them, so that rules on owners and on imports see all.

A function can call a watched operation only if it gets hold of it: it names it, or names something that holds it, gives
it or leads to it, or is handed it by a function that does. So names decide what is read, and what is read brings new
names, until nothing new comes. Guarded and pure code is read in any case. It knows names and values, no rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onepath.facts.model import Annotation, Attribute, Declare, Free, Global, Import, ImportFrom
from onepath.facts.model import Text as TextOperation
from onepath.link.classes import foreign_bases
from onepath.link.code import Code
from onepath.link.foreign import GIVES, canonical
from onepath.link.solver import Solver
from onepath.link.values import (
    Affix,
    Bound,
    Box,
    Bytes,
    Class,
    Constant,
    Descriptor,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Number,
    Partial,
    Result,
    Space,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Wide,
    Widened,
)

_IMPORTING: Final = frozenset(
    {
        "import_module",
        "__import__",
        "run_module",
        "run_path",
        "find_spec",
        "walk_packages",
        "iter_modules",
        "EntryPoint",
    }
)
"""Names of what imports a module by its name."""
_DYNAMIC: Final = frozenset(
    {"getattr", "attrgetter", "methodcaller", "__getattribute__", "__dict__", "vars", "globals", "getattr_static"}
)
"""Names of what reads an attribute whose name is a value."""
_TEXT: Final = frozenset({"eval()", "exec()", "compile()", "__builtins__", "__import__"})
"""Names of what reaches anything without naming it; with brackets where only the builtin is meant."""
_LONGEST: Final = 60
_DEEPEST: Final = 3

_DATA: Final = frozenset({Text, Affix, Bytes, Number, Constant, Module, Uncomputed, Unknown, Widened})
"""Kinds of values that lead to nothing."""
Needs = frozenset[str] | None
"""What else has to be named; None: nothing else."""
_NOTHING: Final[frozenset[str]] = frozenset()


class Demand:
    """The functions that are wanted so far."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        options = solver.options
        self.onward = _onward(options.demanded)
        self.needed: dict[str, Needs] = {}
        """By foreign name, what is known already."""
        self.group_of: dict[Code, Code] = {}
        self.names: dict[Code, set[str]] = {}
        """By outermost function: what it names."""
        self.users: dict[str, list[Code]] = {}
        self.imports: dict[Code, list[str]] = {}
        self.wanted: set[Code] = set()
        for unit in solver.units.values():
            for code in unit.codes:
                self._read(code)
        for group, names in self.names.items():
            for name in names:
                self.users.setdefault(name, []).append(group)
        self.telling: dict[str, Needs] = {}
        self.looked: dict[int, int] = {}
        """By variable: how many values it held when it was looked at."""
        for zone in options.zones:
            self._want_zone(zone)
        if options.demanded:
            self._want_named(_TEXT | _IMPORTING)
        if options.importing:
            self._want_named(_IMPORTING)
            for group in [one for one in self.names if self.names[one] & _IMPORTING]:
                self._tell(_called(group), None)
        for name in options.demanded:
            if name.startswith("builtins."):
                self._tell(name.rpartition(".")[2], None)
        for group, imported in self.imports.items():
            for name in imported:
                needs = self._needs_of_name(name)
                if needs is None or needs & self.names[group]:
                    self.wanted.add(group)

    def look(self) -> None:
        """Find what is wanted by what the solver knows now."""
        if not self.onward:
            return
        solver = self.solver
        for (_, name), var in solver.cells.items():
            self._look_at(name, var)
        for frame in solver.frames:
            self._look_at(_called(frame.code), frame.result)
            for name, var in frame.cells.items():
                self._look_at(name, var)

    # -- what is there -------------------------------------------------------------------------------------------

    def _read(self, code: Code) -> None:
        group = _outermost(code)
        if group is None:
            return
        self.group_of[code] = group
        names = self.names.setdefault(group, set())
        annotations = code.unit.facts.annotations
        for one in code.scope.code:
            kind = one.__class__
            if kind is Attribute or kind is Global or kind is Free:
                names.add(one.name)  # type: ignore[union-attr]
                if kind is Global:
                    names.add(f"{one.name}()")  # type: ignore[union-attr]
            elif kind is TextOperation:
                if len(one.value) < _LONGEST and one.value.isidentifier():  # type: ignore[union-attr,arg-type]
                    names.add(one.value)  # type: ignore[union-attr,arg-type]
            elif kind is ImportFrom:
                names.add(one.name)  # type: ignore[union-attr]
                self.imports.setdefault(group, []).append(f"{one.module}.{one.name}")  # type: ignore[union-attr]
            elif kind is Import:
                names.update(one.module.split("."))  # type: ignore[union-attr]
                self.imports.setdefault(group, []).append(one.module)  # type: ignore[union-attr]
            elif kind is Declare:
                _name_types(annotations[one.annotation], names)  # type: ignore[union-attr]
        for parameter in code.scope.parameters:
            if parameter.annotation >= 0:
                _name_types(annotations[parameter.annotation], names)

    def _want_zone(self, zone: str) -> None:
        prefix = zone.partition("*")[0].rstrip(".")
        for group in self.names:
            name = group.name
            if not prefix or name == prefix or name.startswith(prefix + "."):
                self.wanted.add(group)

    def _want_named(self, names: Iterable[str]) -> None:
        for name in names:
            self.wanted.update(self.users.get(name, ()))

    # -- what tells ----------------------------------------------------------------------------------------------

    def _look_at(self, name: str, var: int) -> None:
        held = self.solver.held[var]
        if not held or self.looked.get(var) == len(held):
            return
        self.looked[var] = len(held)
        known = self.telling.get(name, _NOTHING)
        if known is None:
            return
        for value in held:
            if value.__class__ in _DATA:
                continue
            needs = self._needs(value, 0)
            if needs is None:
                self._tell(name, None)
                return
            if needs and not needs <= known:
                known = known | needs
                self._tell(name, known)

    def _tell(self, name: str, needs: Needs) -> None:
        self.telling[name] = needs
        for group in self.users.get(name, ()):
            if group not in self.wanted:
                names = self.names[group]
                if needs is None or not needs.isdisjoint(names) or not _DYNAMIC.isdisjoint(names):
                    self.wanted.add(group)

    def _needs(self, value: Value, depth: int) -> Needs:
        """What has to be named besides what holds this value, to call what is watched; empty if nothing helps."""
        kind = value.__class__
        if kind is Foreign:
            return self._needs_of_name(value.name)  # type: ignore[attr-defined]
        if kind is Result:
            # What a watched operation gave is not that operation.
            needs = self._needs_of_name(value.name)  # type: ignore[attr-defined]
            if needs is None and not self.solver.is_watched(f"{value.name}.__call__"):  # type: ignore[attr-defined]
                return _NOTHING
            return needs
        if kind is Class:
            return self._needs_of_class(value)  # type: ignore[arg-type]
        if kind is Instance:
            return self._needs_of_class(value.cls)  # type: ignore[attr-defined]
        if depth >= _DEEPEST:
            return _NOTHING
        if kind is Bound or kind is Partial:
            return self._needs(value.func, depth + 1)  # type: ignore[attr-defined]
        if kind is Function:
            return None if self.solver.is_watched(value.code.name) else _NOTHING  # type: ignore[attr-defined]
        if kind is Descriptor:
            return _NOTHING if value.get is None else self._needs(value.get, depth + 1)  # type: ignore[attr-defined]
        if kind is Method or kind is Space:
            return self._needs(value.owner, depth + 1)  # type: ignore[attr-defined]
        if kind is Box:
            found: frozenset[str] = _NOTHING
            for var in (value.rest, *value.items.values()):  # type: ignore[attr-defined]
                held = self.solver.held[var]
                if held and held.__class__ is not Wide:
                    for one in held:
                        needs = self._needs(one, depth + 1)
                        if needs is None:
                            return None
                        found |= needs
            for below in value.stack.below if value.stack is not None else ():  # type: ignore[attr-defined]
                needs = self._needs(below, depth + 1)
                if needs is None:
                    return None
                found |= needs
            return found
        return _NOTHING

    def _needs_of_name(self, name: str) -> Needs:
        if name not in self.needed:
            full = canonical(name)
            found: Needs = self.onward.get(full, _NOTHING)
            self.needed[name] = None if not found and self.solver.is_watched(full) else found
        return self.needed[name]

    def _needs_of_class(self, cls: Class) -> Needs:
        found: frozenset[str] = _NOTHING
        for base in foreign_bases(cls):
            needs = self._needs_of_name(base)
            if needs is None:
                return None
            found |= needs
        return found


def _outermost(code: Code) -> Code | None:
    """The function that is not in another one; None for what runs with the module."""
    scopes = code.unit.facts.scopes
    found: Code | None = None
    index = code.index
    while index > 0:
        if scopes[index].kind in ("function", "lambda"):
            found = code.unit.codes[index]
        index = scopes[index].parent
    return found


def _called(code: Code) -> str:
    """By which name a function is called: a constructor by its class's."""
    scope = code.scope
    if scope.name.startswith("__") and scope.name.endswith("__") and scope.parent > 0:
        return code.unit.facts.scopes[scope.parent].name
    return scope.name


def _onward(demanded: Iterable[str]) -> dict[str, Needs]:
    """By foreign name: what is named on the ways from it to what is watched; None if it is that itself."""
    found: dict[str, Needs] = {}
    wanted = set(demanded)
    grown = True
    while grown:
        grown = False
        tops = {name.partition(".")[0] for name in wanted}
        for source, given in GIVES.items():
            if (
                source not in wanted
                and source.partition(".")[0] in tops
                and any(name == given or name.startswith(given + ".") for name in wanted)
            ):
                wanted.add(source)
                grown = True
    for name in wanted:
        parts = name.removesuffix(".*").split(".")
        for count in range(1, len(parts)):
            prefix = ".".join(parts[:count])
            known = found.get(prefix, _NOTHING)
            if known is not None:
                found[prefix] = known | frozenset(parts[count:])
    for name in demanded:
        known = found.get(name.removesuffix(".*"), _NOTHING)
        if not known:
            found[name.removesuffix(".*")] = None
    return found


def _name_types(annotation: Annotation, names: set[str]) -> None:
    names.update(annotation.name.strip("'\"").split("."))
    for one in annotation.arguments:
        _name_types(one, names)
