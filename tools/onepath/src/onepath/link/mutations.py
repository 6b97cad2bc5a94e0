"""Which functions change what a module variable or a class's attribute holds, or bind it anew.

It reads facts alone, scope by scope: a change is seen where the function names the variable, under whatever name it was
imported, or a copy of it within the same function. Module and class bodies run once, when they are imported, and may
fill their own tables. What a value that was handed on becomes elsewhere is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from onepath.facts import model as op
from onepath.graph import Mutation, Place

_CHANGING: Final = frozenset(
    {
        "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
        "intersection_update", "move_to_end", "pop", "popitem", "popleft", "put", "put_nowait", "remove", "reverse",
        "rotate", "setdefault", "sort", "subtract",
        "symmetric_difference_update", "update", "__delitem__", "__setitem__",
    }
)  # fmt: skip
"""Methods of the containers of the standard library that change them."""
_MAKERS: Final = frozenset(
    {
        "bytearray", "dict", "list", "set",
        "array.array", "collections.ChainMap", "collections.Counter", "collections.OrderedDict",
        "collections.defaultdict", "collections.deque", "contextvars.ContextVar", "itertools.count", "itertools.cycle",
        "queue.LifoQueue", "queue.PriorityQueue", "queue.Queue", "queue.SimpleQueue",
        "weakref.WeakKeyDictionary", "weakref.WeakSet", "weakref.WeakValueDictionary",
    }
)  # fmt: skip
"""What makes one of them."""


def mutations(modules: Iterable[op.ModuleFacts]) -> tuple[Mutation, ...]:
    """All of a program, sorted."""
    facts = [one for one in modules if not one.fault]
    names = {one.module for one in facts}
    homes = {one.module: _Home(one, names) for one in facts}
    found: dict[tuple[str, str, str], Mutation] = {}
    for home in homes.values():
        for one in home.changes(homes):
            found.setdefault((one.variable, one.function, one.how), one)
    return tuple(sorted(found.values(), key=lambda one: (one.variable, one.function, one.how, one.place)))


class _Home:
    """What one module binds, and what its functions do to it."""

    def __init__(self, facts: op.ModuleFacts, modules: set[str]) -> None:
        self.facts = facts
        self.modules = modules
        self.bound: dict[str, str] = {}
        """By name of the module: the full name it stands for; another module's for what is imported."""
        self.containers: set[str] = set()
        """Full names of what is bound to something that can be changed."""
        self.classes: set[str] = set()
        self.globals: dict[str, str] = {}
        """By global name that functions of this module read: what it stands for."""
        self.stars = [one.module for one in facts.scopes[0].code if isinstance(one, op.ImportStar)]
        self._read_module(facts.scopes[0])
        for scope in facts.scopes:
            if scope.kind == "class":
                self._read_class(scope)

    def _read_module(self, scope: op.Scope) -> None:
        made, imported = self._made(scope.code)
        for one in scope.code:
            if not isinstance(one, op.StoreGlobal):
                continue
            full = imported.get(one.src, f"{self.facts.module}.{one.name}")
            self.bound[one.name] = full
            if one.src in made:
                self.containers.add(full)

    def _read_class(self, scope: op.Scope) -> None:
        name = f"{self.facts.module}.{scope.qualname}"
        self.classes.add(name)
        made, _ = self._made(scope.code)
        self.containers |= {
            f"{name}.{one.name}" for one in scope.code if isinstance(one, op.StoreMember) and one.src in made
        }

    def _made(self, code: Sequence[op.AnyOperation]) -> tuple[set[int], dict[int, str]]:
        """Variables that hold containers, and what imports bind, by variable."""
        body = _Body(self)
        for one in code:
            reader = _OF_BODIES.get(one.__class__)
            if reader is not None:
                reader(body, one)
        return body.made, body.imports

    def changes(self, homes: Mapping[str, _Home]) -> Iterator[Mutation]:
        """What the functions of this module change, here and in other modules."""
        for scope in self.facts.scopes:
            if scope.kind in ("function", "lambda"):
                yield from _Reader(self, homes, scope).read()


class _Body:
    """What a module's or a class's body makes."""

    def __init__(self, home: _Home) -> None:
        self.bound = home.bound
        self.made: set[int] = set()
        self.names: dict[int, str] = {}
        self.imports: dict[int, str] = {}

    def display(self, one: op.Sequence) -> None:
        if one.kind in ("list", "set"):
            self.made.add(one.dst)

    def mapping(self, one: op.Mapping) -> None:
        self.made.add(one.dst)

    def imported(self, one: op.Import) -> None:
        self.names[one.dst] = self.imports[one.dst] = one.module.partition(".")[0] if one.top else one.module

    def imported_from(self, one: op.ImportFrom) -> None:
        self.names[one.dst] = self.imports[one.dst] = f"{one.module}.{one.name}"

    def global_name(self, one: op.Global) -> None:
        self.names[one.dst] = self.bound.get(one.name, one.name)

    def attribute(self, one: op.Attribute) -> None:
        owner = self.names.get(one.obj)
        if owner is not None:
            self.names[one.dst] = f"{owner}.{one.name}"

    def call(self, one: op.Call) -> None:
        if self.names.get(one.func) in _MAKERS:
            self.made.add(one.dst)

    def copy(self, one: op.Copy) -> None:
        if not self.made.isdisjoint(one.sources):
            self.made.add(one.dst)


_OF_BODIES: Final[dict[type, Callable[[_Body, Any], None]]] = {
    op.Sequence: _Body.display,
    op.Mapping: _Body.mapping,
    op.Import: _Body.imported,
    op.ImportFrom: _Body.imported_from,
    op.Global: _Body.global_name,
    op.Attribute: _Body.attribute,
    op.Call: _Body.call,
    op.Copy: _Body.copy,
}


class _Reader:
    """One function."""

    def __init__(self, home: _Home, homes: Mapping[str, _Home], scope: op.Scope) -> None:
        self.home = home
        self.homes = homes
        self.scope = scope
        self.names: dict[int, str] = {}
        """By variable: the full name of what it is."""
        self.methods: dict[int, str] = {}
        """By variable: the container whose changing method it is."""
        self.found: list[Mutation] = []

    def read(self) -> list[Mutation]:
        """What it changes."""
        for one in self.scope.code:
            reader = _OF_FUNCTIONS.get(one.__class__)
            if reader is not None:
                reader(self, one)
        return self.found

    def imported(self, one: op.Import) -> None:
        self.names[one.dst] = one.module.partition(".")[0] if one.top else one.module

    def imported_from(self, one: op.ImportFrom) -> None:
        self.names[one.dst] = self._followed(f"{one.module}.{one.name}")

    def copy(self, one: op.Copy) -> None:
        same = {self.names.get(source, "") for source in one.sources}
        if len(same) == 1 and "" not in same:
            self.names[one.dst] = same.pop()

    def global_name(self, one: op.Global) -> None:
        """What a global name stands for here; the bare name of a builtin."""
        found = self.home.globals.get(one.name)
        if found is None:
            found = self.home.globals[one.name] = self._global(one.name)
        self.names[one.dst] = found

    def _global(self, name: str) -> str:
        if name in self.home.bound:
            return self._followed(self.home.bound[name])
        for star in self.home.stars:
            if star in self.homes and name in self.homes[star].bound:
                return self._followed(f"{star}.{name}")
        return name

    def attribute(self, one: op.Attribute) -> None:
        owner = self.names.get(one.obj)
        if owner is None:
            return
        if one.name in _CHANGING and self._is_container(owner):
            self.methods[one.dst] = owner
        else:
            self.names[one.dst] = self._followed(f"{owner}.{one.name}")

    def store_global(self, one: op.StoreGlobal) -> None:
        self._note(f"{self.home.facts.module}.{one.name}", "rebinds", self.scope.line)

    def call(self, one: op.Call) -> None:
        if one.func in self.methods:
            self._note(self.methods[one.func], "changes", one.line)
        elif self.names.get(one.func) in ("next", "builtins.next") and one.positional:
            self._on(one.positional[0], one.line)

    def set_item(self, one: op.SetItem) -> None:
        self._on(one.obj, one.line)

    def set_attribute(self, one: op.SetAttribute | op.Delete) -> None:
        owner = self.names.get(one.obj, "")
        if owner in self.homes or self._home_of(owner, "classes"):
            self._note(f"{owner}.{one.name}", "rebinds", one.line)
        elif self._is_bound(owner):
            self._note(owner, "changes", one.line)

    def delete(self, one: op.Delete) -> None:
        if one.name:
            self.set_attribute(one)
        else:
            self._on(one.obj, one.line)

    def _on(self, var: int, line: int) -> None:
        name = self.names.get(var, "")
        if self._is_bound(name) or self._is_container(name):
            self._note(name, "changes", line)

    def _note(self, variable: str, how: str, line: int) -> None:
        function = f"{self.home.facts.module}.{self.scope.qualname}"
        self.found.append(Mutation(variable, function, how, Place(self.home.facts.file, line)))

    def _followed(self, name: str) -> str:
        """Where a name is defined, over re-exports."""
        for _ in range(8):
            module, _, last = name.rpartition(".")
            home = self.homes.get(module)
            target = home.bound.get(last, name) if home is not None and name not in self.homes else name
            if target == name:
                return name
            name = target
        return name

    def _is_container(self, name: str) -> bool:
        return self._home_of(name, "containers")

    def _is_bound(self, name: str) -> bool:
        module, _, last = name.rpartition(".")
        return module in self.homes and last in self.homes[module].bound and name not in self.homes

    def _home_of(self, name: str, what: str) -> bool:
        """Whether a module of the program lists the name among its containers or classes."""
        module = name
        while module and module not in self.homes:
            module = module.rpartition(".")[0]
        return bool(module) and name in getattr(self.homes[module], what)


_OF_FUNCTIONS: Final[dict[type, Callable[[_Reader, Any], None]]] = {
    op.Global: _Reader.global_name,
    op.Import: _Reader.imported,
    op.ImportFrom: _Reader.imported_from,
    op.Copy: _Reader.copy,
    op.Attribute: _Reader.attribute,
    op.StoreGlobal: _Reader.store_global,
    op.Call: _Reader.call,
    op.SetItem: _Reader.set_item,
    op.SetAttribute: _Reader.set_attribute,
    op.Delete: _Reader.delete,
}
