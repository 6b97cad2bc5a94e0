"""Values, each made once: the same text, the same foreign name, the same bound method are one value.

Also what a value's name says of it: whether a rule watches it, which module it is. Variables are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from onepath.facts.model import ModuleFacts
from onepath.link.code import Options, Unit
from onepath.link.values import (
    Affix,
    Bound,
    Bytes,
    Constant,
    Foreign,
    Method,
    Module,
    Number,
    Result,
    Text,
    Uncomputed,
    Unknown,
    Value,
    Widened,
)

FOREIGN_STEPS: Final = 4
V = TypeVar("V")


class Values:
    """All values of one program."""

    def __init__(self, modules: Sequence[ModuleFacts], options: Options, namespaces: Iterable[str] = ()) -> None:
        self.options = options
        self.units: dict[str, Unit] = {facts.module: Unit(facts) for facts in modules}
        self.namespaces = set(namespaces)
        for name in list(self.units):
            parent = name.rpartition(".")[0]
            while parent:
                if parent not in self.units:
                    self.namespaces.add(parent)
                parent = parent.rpartition(".")[0]
        self.children: dict[str, set[str]] = {}
        for name in (*self.units, *self.namespaces):
            parent, _, last = name.rpartition(".")
            self.children.setdefault(parent, set()).add(last)
        self.specials = set[str]().union(*(unit.specials for unit in self.units.values()))
        """Names with two underscores that a class of the program may bind."""
        self.values: dict[Any, Any] = {}
        self.texts: dict[str, Text] = {}
        self.constants: dict[str, Constant] = {}
        self.unknown = Unknown()
        self.widened = Widened()
        self.watched: dict[str, bool] = {}
        """By foreign name: whether calling it is what a rule watches."""
        self.leading: dict[str, bool] = {}
        """By foreign name: whether a watched one lies at or below it."""
        self.above_watched = {
            ".".join(parts[:count])
            for parts in (name.removesuffix(".*").split(".") for name in options.watched)
            for count in range(1, len(parts) + 1)
        }
        self.watched_heads = frozenset(name.partition(".")[0] for name in options.watched)

    def text(self, value: str) -> Text:
        found = self.texts.get(value)
        if found is None:
            found = self.texts[value] = Text(value)
        return found

    def number(self, value: int) -> Number:
        return self._one(Number, value, value)

    def bytes_(self, value: str) -> Bytes:
        return self._one(Bytes, value, value)

    def constant(self, kind: str) -> Constant:
        found = self.constants.get(kind)
        if found is None:
            found = self.constants[kind] = Constant(kind)
        return found

    def affix(self, start: str, end: str) -> Affix:
        return self._one(Affix, (start, end), start, end)

    def foreign(self, name: str) -> Foreign:
        key = (Foreign, name)
        found = self.values.get(key)
        if found is None:
            if name.count(".") > FOREIGN_STEPS:
                root = name.partition(".")[0]
                found = Foreign(name, self.is_watched(name)) if self.leads(name) else self.foreign(root)
            else:
                found = Foreign(name, self.is_watched(name))
            self.values[key] = found
        return found

    def is_watched(self, name: str) -> bool:
        """Whether calling `name` is what a rule watches: it is named, or lies below a pattern that means all below."""
        found = self.watched.get(name)
        if found is None:
            watched = self.options.watched
            found = name in watched
            outer = name
            while outer and not found:
                found = f"{outer}.*" in watched
                outer = outer.rpartition(".")[0]
            self.watched[name] = found
        return found

    def leads(self, name: str) -> bool:
        """Whether something watched is `name` or can be read from it."""
        found = self.leading.get(name)
        if found is None:
            found = self.leading[name] = name in self.above_watched or self.is_watched(name)
        return found

    def result(self, name: str) -> Result:
        return self._one(Result, name, name, self.leads(name))

    def uncomputed(self, what: str, why: str) -> Uncomputed:
        return self._one(Uncomputed, (what, why), what, why)

    def module(self, name: str) -> Module | None:
        """The module of that name if it is in the program."""
        unit = self.units.get(name)
        if unit is None and name not in self.namespaces:
            return None
        return self._one(Module, name, name, unit)

    def module_of(self, unit: Unit) -> Module:
        """The module value of a unit, also of one made of text."""
        found = unit.module
        if found is None:
            known = self.module(unit.name)
            if known is None or known.unit is not unit:
                known = self._one(Module, unit, unit.name, unit)
            found = unit.module = known
        return found

    def bound(self, func: Value, owner: Value) -> Bound:
        return self._one(Bound, (func, owner), func, owner)

    def method(self, owner: Value, name: str) -> Method:
        return self._one(Method, (owner, name), owner, name)

    def once(self, kind: type, key: Any, *arguments: Any) -> Any:
        """The value of this kind for this key."""
        return self._one(kind, key, *arguments)

    def _one(self, kind: type[V], key: Any, *arguments: Any) -> V:
        full = (kind, key)
        found = self.values.get(full)
        if found is None:
            found = self.values[full] = kind(*arguments)
        return found

    def is_first(self, key: Any) -> bool:
        """Whether this is asked for the first time."""
        if key in self.values:
            return False
        self.values[key] = True
        return True
