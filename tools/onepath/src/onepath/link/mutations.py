"""Which functions change what a module variable or a class's attribute holds, or bind it anew.

It reads facts alone, scope by scope: a change is seen where the function names the variable, under whatever name it was
imported, or a copy of it within the same function. Module and class bodies run once, when they are imported, and may
fill their own tables. What a value that was handed on becomes elsewhere is not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

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
        made: set[int] = set()
        names: dict[int, str] = {}
        for one in code:
            if isinstance(one, op.Mapping) or (isinstance(one, op.Sequence) and one.kind in ("list", "set")):
                made.add(one.dst)
            elif isinstance(one, op.Import):
                names[one.dst] = one.module.partition(".")[0] if one.top else one.module
            elif isinstance(one, op.ImportFrom):
                names[one.dst] = f"{one.module}.{one.name}"
            elif isinstance(one, op.Global):
                names[one.dst] = self.bound.get(one.name, one.name)
            elif isinstance(one, op.Attribute) and one.obj in names:
                names[one.dst] = f"{names[one.obj]}.{one.name}"
            elif (isinstance(one, op.Call) and names.get(one.func) in _MAKERS) or (
                isinstance(one, op.Copy) and made.intersection(one.sources)
            ):
                made.add(one.dst)
        imports = {
            one.dst: names[one.dst] for one in code if isinstance(one, op.Import | op.ImportFrom) and one.dst in names
        }
        return made, imports

    def changes(self, homes: Mapping[str, _Home]) -> Iterator[Mutation]:
        """What the functions of this module change, here and in other modules."""
        for scope in self.facts.scopes:
            if scope.kind in ("function", "lambda"):
                yield from _Reader(self, homes, scope).read()


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

    def read(self) -> Iterator[Mutation]:
        """What it changes."""
        for one in self.scope.code:
            if isinstance(one, op.Global):
                self.names[one.dst] = self._global(one.name)
            elif isinstance(one, op.Import):
                self.names[one.dst] = one.module.partition(".")[0] if one.top else one.module
            elif isinstance(one, op.ImportFrom):
                self.names[one.dst] = self._followed(f"{one.module}.{one.name}")
            elif isinstance(one, op.Copy):
                same = {self.names.get(source, "") for source in one.sources}
                if len(same) == 1 and "" not in same:
                    self.names[one.dst] = same.pop()
            elif isinstance(one, op.Attribute):
                self._attribute(one)
            else:
                yield from self._changed(one)

    def _global(self, name: str) -> str:
        """What a global name stands for here; the bare name of a builtin."""
        if name in self.home.bound:
            return self._followed(self.home.bound[name])
        for star in self.home.stars:
            if star in self.homes and name in self.homes[star].bound:
                return self._followed(f"{star}.{name}")
        return name

    def _attribute(self, one: op.Attribute) -> None:
        owner = self.names.get(one.obj)
        if owner is None:
            return
        if one.name in _CHANGING and self._is_container(owner):
            self.methods[one.dst] = owner
        else:
            self.names[one.dst] = self._followed(f"{owner}.{one.name}")

    def _changed(self, one: op.AnyOperation) -> Iterator[Mutation]:
        if isinstance(one, op.StoreGlobal):
            yield self._mutation(f"{self.home.facts.module}.{one.name}", "rebinds", self.scope.line)
        elif isinstance(one, op.Call):
            if one.func in self.methods:
                yield self._mutation(self.methods[one.func], "changes", one.line)
            elif self.names.get(one.func) in ("next", "builtins.next") and one.positional:
                yield from self._on(one.positional[0], one.line)
        elif isinstance(one, op.SetItem) or (isinstance(one, op.Delete) and not one.name):
            yield from self._on(one.obj, one.line)
        elif isinstance(one, op.SetAttribute | op.Delete):
            owner = self.names.get(one.obj, "")
            if owner in self.homes or self._home_of(owner, "classes"):
                yield self._mutation(f"{owner}.{one.name}", "rebinds", one.line)
            elif self._is_bound(owner):
                yield self._mutation(owner, "changes", one.line)

    def _on(self, var: int, line: int) -> Iterator[Mutation]:
        name = self.names.get(var, "")
        if self._is_bound(name) or self._is_container(name):
            yield self._mutation(name, "changes", line)

    def _mutation(self, variable: str, how: str, line: int) -> Mutation:
        function = f"{self.home.facts.module}.{self.scope.qualname}"
        return Mutation(variable, function, how, Place(self.home.facts.file, line))

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
