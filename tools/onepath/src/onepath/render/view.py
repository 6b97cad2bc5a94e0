"""The part of a program that is shown: nodes, edges, and the shortest way from one symbol to another.

It reads the linked program and knows no format.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from onepath.graph import Edge, EdgeKind, Place, Program
from onepath.rules.names import any_matches, matches


class Node(msgspec.Struct, frozen=True):
    """One symbol or module."""

    name: str
    group: str
    """The module of a function, the top package of a module; what a drawing puts into one frame."""
    place: Place | None
    is_foreign: bool


class Link(msgspec.Struct, frozen=True):
    """All edges of one kind between two nodes."""

    source: str
    target: str
    kind: EdgeKind | Literal["import"]
    places: tuple[Place, ...]


class View(msgspec.Struct, frozen=True):
    """What is shown."""

    kind: Literal["calls", "imports"]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


class NoSuchSymbolError(Exception):
    """A name on the command line that means nothing in the program."""


def calls(program: Program, sources: Sequence[str] = (), targets: Sequence[str] = ()) -> View:
    """Calls: all, or those on some way from `sources` to `targets` (either may be left out)."""
    forward = _reach(_named(program, sources), program.callees, lambda edge: edge.callee) if sources else None
    backward = _reach(_named(program, targets), program.callers, lambda edge: edge.caller) if targets else None
    kept = [
        edge
        for edge in program.edges
        if (forward is None or edge.caller in forward) and (backward is None or edge.callee in backward)
    ]
    names = {name for edge in kept for name in (edge.caller, edge.callee)}
    if forward is None and backward is None:
        names.update(program.functions)
    return View("calls", _function_nodes(program, names), _links(kept))


def imports(program: Program, sources: Sequence[str] = (), targets: Sequence[str] = ()) -> View:
    """Imports between modules: all, or those on some way from `sources` to `targets`."""
    modules = set(program.modules) | {one.imported for one in program.imports}
    for pattern in (*sources, *targets):
        if not any(matches(pattern, module) for module in modules):
            raise NoSuchSymbolError(_unknown(pattern, modules))
    outgoing: dict[str, set[str]] = {}
    incoming: dict[str, set[str]] = {}
    for one in program.imports:
        outgoing.setdefault(one.importer, set()).add(one.imported)
        incoming.setdefault(one.imported, set()).add(one.importer)
    forward = _closure({name for name in modules if any_matches(sources, name)}, outgoing) if sources else modules
    backward = _closure({name for name in modules if any_matches(targets, name)}, incoming) if targets else modules
    places: dict[tuple[str, str], list[Place]] = {}
    for one in program.imports:
        if one.importer in forward and one.imported in backward:
            places.setdefault((one.importer, one.imported), []).append(one.place)
    names = {name for pair in places for name in pair}
    if not sources and not targets:
        names |= modules
    nodes = tuple(
        Node(name, name.partition(".")[0], _module_place(program, name), name not in program.modules)
        for name in sorted(names)
    )
    links = tuple(
        Link(source, target, "import", tuple(sorted(places[source, target]))) for source, target in sorted(places)
    )
    return View("imports", nodes, links)


def shortest_way(program: Program, source: str, target: str) -> tuple[Edge, ...] | None:
    """The shortest way of calls from what `source` names to what `target` names; `call` is preferred to `may-call`.

    None if there is no way. Raises NoSuchSymbolError if a name means nothing.
    """
    starts = _meant(program, source)
    ends = _meant(program, target)
    before: dict[str, Edge | None] = dict.fromkeys(sorted(starts))
    queue = deque(before)
    while queue:
        name = queue.popleft()
        if name in ends and (before[name] is not None or name not in starts):
            return _back(before, name)
        for edge in sorted(program.callees.get(name, ()), key=lambda edge: (edge.kind, edge.place, edge.callee)):
            if edge.callee not in before:
                before[edge.callee] = edge
                queue.append(edge.callee)
    return None


def _back(before: dict[str, Edge | None], name: str) -> tuple[Edge, ...]:
    way: list[Edge] = []
    edge = before[name]
    while edge is not None:
        way.append(edge)
        edge = before[edge.caller]
    return tuple(reversed(way))


def _meant(program: Program, name: str) -> set[str]:
    """The function of that very name, if there is one; else what lies below it."""
    function = program.functions.get(name)
    if function is not None and function.kind not in ("module", "class"):
        return {name}
    return _named(program, [name])


def _named(program: Program, patterns: Iterable[str]) -> set[str]:
    """Functions that the patterns mean, over aliases too; raises NoSuchSymbolError for one that means none."""
    names: set[str] = set()
    for pattern in patterns:
        found = {name for name in program.functions if matches(pattern, name)}
        for alias, targets in program.aliases.items():
            if matches(pattern, alias):
                found.update(name for target in targets for name in program.below(target))
        symbol = program.symbols.get(pattern)
        if not found and symbol is not None and symbol.target:
            found.update(program.below(symbol.target))
        if not found:
            raise NoSuchSymbolError(_unknown(pattern, program.functions))
        names |= found
    return names


def _unknown(pattern: str, names: Iterable[str]) -> str:
    import difflib

    last = pattern.rpartition(".")[2]
    alike = [name for name in names if name.rpartition(".")[2] == last]
    near = sorted(alike, key=len)[:3] or difflib.get_close_matches(pattern, sorted(names), n=3, cutoff=0.6)
    hint = f"; did you mean {', '.join(f'`{name}`' for name in near)}?" if near else ""
    return f"`{pattern}` means nothing in the program{hint}"


def _reach(starts: set[str], edges: dict[str, tuple[Edge, ...]], other: Callable[[Edge], str]) -> set[str]:
    reached = set(starts)
    pending = list(starts)
    while pending:
        for edge in edges.get(pending.pop(), ()):
            name = other(edge)
            if name not in reached:
                reached.add(name)
                pending.append(name)
    return reached


def _closure(starts: set[str], following: dict[str, set[str]]) -> set[str]:
    reached = set(starts)
    pending = list(starts)
    while pending:
        fresh = following.get(pending.pop(), set()) - reached
        reached |= fresh
        pending.extend(fresh)
    return reached


def _function_nodes(program: Program, names: set[str]) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for name in sorted(names):
        function = program.functions.get(name)
        if function is None or function.kind == "external":
            nodes.append(Node(name, name.partition(".")[0], None, is_foreign=True))
        else:
            nodes.append(Node(name, function.module, function.place, is_foreign=False))
    return tuple(nodes)


def _links(edges: Iterable[Edge]) -> tuple[Link, ...]:
    places: dict[tuple[str, str, EdgeKind], set[Place]] = {}
    for edge in edges:
        places.setdefault((edge.caller, edge.callee, edge.kind), set()).add(edge.place)
    return tuple(
        Link(source, target, kind, tuple(sorted(places[source, target, kind])))
        for source, target, kind in sorted(places)
    )


def _module_place(program: Program, name: str) -> Place | None:
    file = program.modules.get(name)
    return Place(file, 1) if file else None
