"""What is linked: units (modules), codes (scopes) and frames (a code run in one context).

It holds the static side of a module: which names its body binds, which stars it imports.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from onepath.facts.model import (
    Attribute,
    Call,
    Deferred,
    Global,
    ImportStar,
    ModuleFacts,
    Program,
    Scope,
    SetAttribute,
    StoreGlobal,
    StoreMember,
    Text,
)
from onepath.link.values import Module, Value


class Code:
    """One scope of one unit."""

    __slots__ = (
        "caches",
        "contexts",
        "defaulted",
        "divided",
        "frames",
        "index",
        "keyed",
        "name",
        "scope",
        "shape",
        "statics",
        "unit",
    )

    def __init__(self, unit: Unit, index: int, scope: Scope) -> None:
        self.unit = unit
        self.index = index
        self.scope = scope
        self.name = f"{unit.shown}.{scope.qualname}" if scope.qualname else unit.shown
        self.frames: dict[tuple[object, ...], Frame] = {}
        self.shape = _shape(scope)
        self.defaulted = tuple([index for index, one in enumerate(scope.parameters) if one.has_default])
        """Parameters that have a default."""
        self.contexts = 0
        self.keyed: frozenset[int] | None = None
        """Parameters that are looked up by: strings passed there make contexts."""
        self.statics: frozenset[str] = frozenset()
        self.caches = False
        """Whether its results are kept by arguments, which are hashed for it."""
        self.divided = False
        """Whether not all of its operations run with the others."""


def _shape(scope: Scope) -> tuple[tuple[int, ...], dict[str, int], int, int]:
    """How arguments find parameters: those by position, those by name, `*args` and `**kwargs`; -1 if there is none."""
    order: list[int] = []
    by_name: dict[str, int] = {}
    star = double = -1
    for index, one in enumerate(scope.parameters):
        kind = one.kind
        if kind == "star":
            star = index
        elif kind == "double":
            double = index
        else:
            if kind != "keyword":
                order.append(index)
            if kind != "positional":
                by_name[one.name] = index
    return tuple(order), by_name, star, double


_TELLING: Final = frozenset({SetAttribute, Text, StoreGlobal, StoreMember, ImportStar, Deferred, Program})
"""Operations that tell of a module what holds wherever it runs."""
HOOKS: Final = frozenset({"__code__", "__getattr__", "__getattribute__"})
"""Attributes that change what a call or a read does and are hardly ever set from outside."""


class Unit:
    """One module."""

    __slots__ = (
        "all_names",
        "attached",
        "certain_stars",
        "codes",
        "environment",
        "facts",
        "frame",
        "hooks",
        "line",
        "module",
        "name",
        "names",
        "outer",
        "shown",
        "space",
        "specials",
        "stars",
        "statics",
    )

    def __init__(self, facts: ModuleFacts, shown: str = "") -> None:
        self.facts = facts
        self.name = facts.module
        self.shown = shown or facts.module
        self.codes: list[Code] = [Code(self, index, scope) for index, scope in enumerate(facts.scopes)]
        self.statics: set[str] = set()
        self.stars: list[str] = []
        self.certain_stars: list[bool] = []
        self.frame: Frame | None = None
        self.module: Module | None = None
        """The value that stands for it, once asked for."""
        self.outer: Unit | None = None
        """For text that is run inside another module."""
        self.environment: dict[str, int] = {}
        self.space: list[Value] = []
        self.line = 0
        """For text: the line at which it is run; its own lines mean nothing."""
        self.names: dict[str, tuple[int, bool]] = {}
        """Global names that were read: their variable, and whether the module binds them."""
        self.all_names: set[str] = set()
        self.attached: set[str] = set()
        self.hooks: set[str] = set()
        """Which of the hooks it sets as attributes, or names."""
        self.specials: set[str] = set()
        """Names with two underscores that its classes bind, that are set, or that are written as texts."""
        for code in self.codes:
            members: set[str] = set()
            for operation in code.scope.code:
                kind = operation.__class__
                if kind not in _TELLING:
                    continue
                if kind is StoreGlobal:
                    self.statics.add(operation.name)  # type: ignore[union-attr]
                elif kind is StoreMember:
                    members.add(operation.name)  # type: ignore[union-attr]
                elif kind is ImportStar and code.scope.kind == "module":
                    self.stars.append(operation.module)  # type: ignore[union-attr]
                    self.certain_stars.append(operation.certain)  # type: ignore[union-attr]
                elif kind is Deferred or kind is Program:
                    code.divided = True
                elif kind is SetAttribute:
                    self._note(operation.name)  # type: ignore[union-attr]
                elif isinstance(operation, Text):
                    self._note(operation.value)
            code.statics = frozenset(members)
            for name in members:
                if name[:2] == "__":
                    self.specials.add(name)

    def _note(self, name: str) -> None:
        """A name that is set on something, or may be."""
        if name[:2] == "__":
            self.specials.add(name)
            if name in HOOKS:
                self.hooks.add(name)


def asked_of(code: Code) -> Iterator[str]:
    """Names that a code reads as attributes, but of what `super()` gives: that is a method of its own."""
    own: set[int] = set()
    for one in code.scope.code:
        kind = one.__class__
        if (kind is Global and one.name == "super") or (kind is Call and one.func in own):  # type: ignore[union-attr]
            own.add(one.dst)  # type: ignore[union-attr]
        elif kind is Attribute and one.obj not in own:  # type: ignore[union-attr]
            yield one.name  # type: ignore[union-attr]


class Frame:
    """A code run with one set of captured variables and, where it takes callables, for one of them."""

    __slots__ = ("base", "cells", "code", "context", "depth", "number", "parent", "result", "sent", "unknown", "yields")

    def __init__(self, code: Code, parent: Frame | None, context: tuple[Value | str, ...], number: int) -> None:
        self.code = code
        self.parent = parent
        self.context = context
        self.number = number
        self.base = -1
        self.cells: dict[str, int] = {}
        self.result = -1
        self.yields = -1
        self.sent = -1
        self.unknown = False
        """Whether unknown code runs it."""
        deep = parent.depth if parent is not None else 0
        for value in context:
            if isinstance(value, Value):
                deep = max(deep, value.depth)
        self.depth: int = deep + 1 if context else deep

    @property
    def unit(self) -> Unit:
        return self.code.unit


class Site:
    """One call, in one frame. All variables are absolute."""

    __slots__ = ("done", "double_stars", "dst", "environment", "frame", "func", "line", "named", "positional", "stars")

    def __init__(
        self,
        frame: Frame,
        dst: int,
        func: int,
        positional: tuple[int, ...],
        named: tuple[tuple[str, int], ...],
        line: int,
        stars: tuple[int, ...] = (),
        double_stars: tuple[int, ...] = (),
        environment: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.frame = frame
        self.dst = dst
        self.func = func
        self.positional = positional
        self.named = named
        self.line = frame.code.unit.line or line
        self.stars = stars
        self.double_stars = double_stars
        self.environment = environment
        self.done: tuple[object, ...] | set[object] = ()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the linker is told: names only."""

    entries: tuple[str, ...] = ()
    """Patterns of what outside code runs first; empty: every module and every function counts."""
    protected: tuple[str, ...] = ()
    """Functions that a widened or unknown receiver might be, by attribute name."""
    watched: frozenset[str] = frozenset()
    """Foreign names whose users are kept apart; `X.*` means all below X."""
    whole: bool = True
    """Whether all code is read, as if unknown code called it; else what is entered, and what the following demand."""
    demanded: frozenset[str] = frozenset()
    """Watched names whose users anywhere are asked for."""
    importing: bool = False
    """Whether it is asked for who imports what by a computed name."""
    zones: tuple[str, ...] = ()
    """Modules and symbols below which all code is read."""
    carried: tuple[tuple[str, str], ...] = ()
    """Function and parameter whose values' origins are asked for."""
    origins: tuple[str, ...] = ()
    """Classes whose objects are told apart by where they are made."""
