"""The linked program: what every rule, region and renderer reads.

In here are names and places only: no source text, no syntax trees, no solver. Everything is ordered, so that the same
tree gives the same bytes; everything can be written to the cache. It must not know a single rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal

import msgspec

EdgeKind = Literal["call", "may-call"]
FunctionKind = Literal["module", "class", "function", "lambda", "external"]
SymbolKind = Literal["function", "class", "exception", "constant", "variable", "import", "module"]


class Place(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A line of a file. `file` is relative to the project's folder, with `/`; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Function(msgspec.Struct, frozen=True, array_like=True):
    """Something that runs: a function, a lambda, a module's body, a class's body, or a foreign name."""

    name: str
    """Dotted: module and qualified name, `pkg.mod.Class.method`, `pkg.mod.outer.inner`, `pkg.mod.f.<lambda1>`."""
    module: str
    """Dotted; of a foreign name, as much of it as is known to be a module, else its first part."""
    kind: FunctionKind
    place: Place | None
    """Where its definition starts; None for foreign names."""
    is_async: bool = False


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """`caller` runs `callee` (`call`), or hands it to foreign code that may run it (`may-call`), at `place`."""

    caller: str
    callee: str
    kind: EdgeKind
    place: Place


class Import(msgspec.Struct, frozen=True, array_like=True):
    """One import as written, resolved to full names."""

    importer: str
    """The importing module."""
    imported: str
    """The module whose code runs: the longest part of the name that is a module of the program, else as written."""
    symbol: str
    """The name taken from it; empty for `import m` and for a submodule, `*` for a star."""
    place: Place
    scope: str
    """The function or class the import stands in; the importing module's own name at top level."""
    type_checking: bool
    """Whether it stands under `typing.TYPE_CHECKING` and so never runs."""
    internal: bool
    """Whether `imported` is a module of the program."""
    written: str
    """The full dotted name asked for, module and symbol."""
    computed: bool = False
    """Whether it was found by following a call (`importlib.import_module(name)`) and not an import statement."""


class Symbol(msgspec.Struct, frozen=True, array_like=True):
    """A name bound at a module's top level or in a class body."""

    name: str
    kind: SymbolKind
    place: Place
    target: str = ""
    """For an import: the full name of what is imported, followed to where it is defined if that is in the program."""


class Opaque(msgspec.Struct, frozen=True, array_like=True):
    """A call or import whose target cannot be computed."""

    function: str
    what: str
    """The operation: `eval`, `importlib.import_module`, `pickle.loads` …; or `what getattr gave`, if that is called."""
    why: str
    """What is not known about it."""
    place: Place


class Unknown(msgspec.Struct, frozen=True, array_like=True):
    """A call on a receiver of which nothing is known."""

    function: str
    attribute: str
    """The attribute that is called; empty if the called thing itself is unknown."""
    place: Place
    protected: tuple[str, ...] = ()
    """Protected symbols of that name, which it might be."""


class Made(msgspec.Struct, frozen=True, array_like=True):
    """An instance of a class of the program is made, other than by a plain call of the class where `how` says so."""

    type: str
    function: str
    how: str
    """`call`, `subclass`, `__new__`, `copy`, `replace`, `convert`, `unpickle`, `__class__`, `object.__new__` …"""
    place: Place


class Mutation(msgspec.Struct, frozen=True, array_like=True):
    """A function changes what a module variable holds, or binds it anew."""

    variable: str
    function: str
    how: str
    """`rebinds`, `changes`."""
    place: Place


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A function in one context: the search of OP001 walks over these, so that two users of one wrapper stay apart."""

    function: str
    context: str
    """What tells it from other nodes of the same function; empty if nothing does."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """An edge between two nodes, by index."""

    caller: int
    callee: int
    kind: EdgeKind
    place: Place


class Carrying(msgspec.Struct, frozen=True, array_like=True):
    """Where a value that reaches a watched parameter was made."""

    into: str
    argument: str
    origin: str
    """The function it was made in; empty if it is not known."""
    what: str
    """The type or value, in words."""
    place: Place | None
    passed: tuple[Place, ...] = ()
    """The calls by which it reaches the parameter."""


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """A file that could not be read as Python; a finding with its place, never a crash."""

    place: Place
    message: str


class Program(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that the rules know. Every sequence is sorted."""

    modules: dict[str, str]
    """By dotted name: the file, relative to the project's folder."""
    packages: tuple[str, ...]
    """Modules that are an `__init__.py`, and folders without one that hold modules."""
    functions: dict[str, Function]
    edges: tuple[Edge, ...]
    imports: tuple[Import, ...]
    symbols: dict[str, Symbol]
    aliases: dict[str, tuple[str, ...]] = {}
    """By name: the functions and classes a name is bound to, where it is not their own name (re-exports, rebinding)."""
    bases: dict[str, tuple[str, ...]] = {}
    """By class: its bases, own and foreign, by full name, in order."""
    nodes: tuple[Node, ...] = ()
    steps: tuple[Step, ...] = ()
    entries: dict[str, tuple[int, ...]] = {}
    """By entry pattern of a path contract: the nodes at which it comes in."""
    carried: tuple[Carrying, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    gave: tuple[Opaque, ...] = ()
    """Operations that call nothing, and give what cannot be computed: `getattr` with an unknown name."""
    unknown: tuple[Unknown, ...] = ()
    made: tuple[Made, ...] = ()
    mutations: tuple[Mutation, ...] = ()
    faults: tuple[Fault, ...] = ()
    uses: dict[str, tuple[str, ...]] = {}
    """By module: the foreign names it reads that lie in the package of something a rule watches."""
    calls_total: int = 0
    """How many call sites there are; `unknown` is a part of them."""

    @cached_property
    def callees(self) -> dict[str, tuple[Edge, ...]]:
        """By function: what it calls and may call."""
        return _grouped(self.edges, outgoing=True)

    @cached_property
    def callers(self) -> dict[str, tuple[Edge, ...]]:
        """By function: what calls it or may."""
        return _grouped(self.edges, outgoing=False)

    @cached_property
    def called(self) -> frozenset[str]:
        """What is called, or may be."""
        return frozenset([edge.callee for edge in self.edges])

    @cached_property
    def importing(self) -> Imports:
        """All imports, by who imports and by what is taken."""
        return Imports(self.imports)

    def module_of(self, name: str) -> str:
        """The module of the program that holds the symbol `name`; empty if none does."""
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name

    def below(self, name: str) -> Iterator[str]:
        """Functions that are `name` or lie below it."""
        prefix = name + "."
        return (one for one in self.functions if one == name or one.startswith(prefix))


class Imports:
    """Some imports by who imports, and by what they take: a program's modules take the same things again and again."""

    def __init__(self, imports: Iterable[Import]) -> None:
        """`imports`: those of one module in the order in which they are told."""
        found: dict[str, list[Import]] = {}
        for one in imports:
            found.setdefault(one.importer, []).append(one)
        self.by_importer = {name: tuple(some) for name, some in found.items()}

    @cached_property
    def importers(self) -> tuple[str, ...]:
        """Modules that import something."""
        return tuple(sorted(self.by_importer))

    @cached_property
    def kinds(self) -> dict[str, tuple[int, ...]]:
        """By importer, beside its imports: the number of what each takes, which is an index of `taken`."""
        numbers: dict[tuple[str, str, str, bool], int] = {}
        return {
            name: tuple(
                [
                    numbers.setdefault((one.imported, one.symbol, one.written, one.internal), len(numbers))
                    for one in some
                ]
            )
            for name, some in self.by_importer.items()
        }

    @cached_property
    def taken(self) -> tuple[Import, ...]:
        """By number of what is taken: an import that takes it."""
        examples: dict[int, Import] = {}
        for name, some in self.by_importer.items():
            for number, one in zip(self.kinds[name], some, strict=True):
                examples.setdefault(number, one)
        return tuple(examples[number] for number in range(len(examples)))

    @cached_property
    def takers(self) -> tuple[frozenset[str], ...]:
        """By number of what is taken: the modules that take it."""
        found: list[set[str]] = [set() for _ in self.taken]
        for name, numbers in self.kinds.items():
            for number in numbers:
                found[number].add(name)
        return tuple(map(frozenset, found))

    @cached_property
    def of_imported(self) -> dict[str, tuple[Import, ...]]:
        """By module of the program: the imports of it, by importer."""
        found: dict[str, list[Import]] = {}
        for name in self.importers:
            for one in self.by_importer[name]:
                if one.internal:
                    found.setdefault(one.imported, []).append(one)
        return {name: tuple(some) for name, some in found.items()}


def _grouped(edges: Sequence[Edge], *, outgoing: bool) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.caller if outgoing else edge.callee, []).append(edge)
    return {name: tuple(some) for name, some in found.items()}
