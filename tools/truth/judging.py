"""Lays executed edges beside the static graph, and finds a cause for each one that is missing.

It knows names, places and the graph. It must not know how either was come by.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onepath.graph import Program
from tools.truth.naming import Names, is_inline
from tools.truth.recording import Record

UNEXPLAINED = "no cause found"


@dataclass(frozen=True, order=True)
class Executed:
    """One pair of functions of which the first was seen to call the second."""

    caller: str
    callee: str
    file: str
    """Of the call, relative to the project's folder."""
    line: int
    """Of the first call that was seen."""
    foreign: str = ""
    """What was between them; empty for a direct call."""

    def __str__(self) -> str:
        by = f" (through {self.foreign})" if self.foreign else ""
        return f"{self.caller} -> {self.callee} at {self.file}:{self.line}{by}"


@dataclass(frozen=True)
class Miss:
    """An executed edge that is not in the graph."""

    edge: Executed
    cause: str
    """`no cause found` if there is none."""
    sink: str
    """A sink that the graph reaches from the callee; empty if there is none."""


@dataclass(frozen=True)
class Verdict:
    """The comparison."""

    direct: tuple[Executed, ...]
    """All executed edges: no foreign frame between caller and callee."""
    by_call: int
    """How many of them the graph has as `call`."""
    by_may_call: int
    """How many only as `may-call`."""
    misses: tuple[Miss, ...]
    foreign: tuple[Executed, ...]
    """Functions that foreign code ran, with the nearest caller above."""
    foreign_known: int
    """How many of those callees the graph has some edge to, or knows as an entry."""

    @property
    def share(self) -> float:
        """Of the executed edges, how many are in the graph: 0 to 1."""
        return 1 - len(self.misses) / len(self.direct) if self.direct else 0.0

    @property
    def unexplained(self) -> tuple[Miss, ...]:
        return tuple(miss for miss in self.misses if miss.cause == UNEXPLAINED)

    @property
    def toward_sinks(self) -> tuple[Miss, ...]:
        return tuple(miss for miss in self.misses if miss.sink)


def executed(record: Record, names: Names, relative: Callable[[str], str]) -> tuple[list[Executed], list[Executed]]:
    """The recorded edges by name: direct ones, and those with foreign frames between."""
    direct: dict[tuple[str, str], Executed] = {}
    foreign: dict[tuple[str, str], Executed] = {}
    for (caller, callee), line in record.direct.items():
        _note(direct, record, names, relative, caller, callee, line, "")
    for (caller, callee), (line, between) in record.through.items():
        _note(foreign, record, names, relative, caller, callee, line, between)
    return sorted(direct.values()), sorted(foreign.values())


def _note(
    found: dict[tuple[str, str], Executed],
    record: Record,
    names: Names,
    relative: Callable[[str], str],
    caller: int,
    callee: int,
    line: int,
    between: str,
) -> None:
    calling, called = record.codes[caller], record.codes[callee]
    if is_inline(called):
        return
    edge = Executed(names.name(calling), names.name(called), relative(calling.co_filename), line, between)
    found.setdefault((edge.caller, edge.callee), edge)


def judge(program: Program, direct: Sequence[Executed], foreign: Sequence[Executed], sinks: frozenset[str]) -> Verdict:
    """`sinks` are names of functions, own or foreign; one that ends in `.*` stands for all below it."""
    kinds: dict[tuple[str, str], str] = {}
    for edge in program.edges:
        key = (edge.caller, edge.callee)
        if kinds.get(key) != "call":
            kinds[key] = edge.kind
    counts = Counter(kinds.get((edge.caller, edge.callee), "") for edge in direct)
    causes = _Causes(program)
    reach = _reaching(program, sinks)
    misses = tuple(
        Miss(edge, causes.cause(edge), reach.get(edge.callee, ""))
        for edge in direct
        if (edge.caller, edge.callee) not in kinds
    )
    entries = {program.nodes[node].function for nodes in program.entries.values() for node in nodes}
    known = sum(1 for edge in foreign if program.callers.get(edge.callee) or edge.callee in entries)
    return Verdict(tuple(direct), counts["call"], counts["may-call"], misses, tuple(foreign), known)


def _reaching(program: Program, sinks: frozenset[str]) -> dict[str, str]:
    """By function: a sink it reaches."""
    below = tuple(sink.removesuffix("*") for sink in sinks if sink.endswith(".*"))
    names = {*program.functions, *(edge.callee for edge in program.edges)}
    found = {name: name for name in sorted(names) if name in sinks or name.startswith(below)}
    waiting = deque(found)
    while waiting:
        name = waiting.popleft()
        for edge in program.callers.get(name, ()):
            if edge.caller not in found:
                found[edge.caller] = found[name]
                waiting.append(edge.caller)
    return found


class _Causes:
    """Why an edge can be missing: what the graph itself says it does not know at that place."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.unknown = {(one.function, one.attribute) for one in program.unknown if one.attribute}
        self.nameless = {(one.place.file, one.place.line) for one in program.unknown if not one.attribute}
        self.opaque = {(one.place.file, one.place.line): one for one in program.opaque}
        self.faults = {fault.place.file: fault for fault in program.faults}

    def cause(self, edge: Executed) -> str:
        """In words; UNEXPLAINED if the graph claims to know all there is at that place."""
        at = (edge.file, edge.line)
        last = edge.callee.rpartition(".")[2]
        if edge.file in self.faults:
            return f"the file cannot be read: {self.faults[edge.file].message}"
        if last == "__del__":
            return "run by the interpreter when an object goes, between any two lines"
        if at in self.opaque:
            return f"opaque call, listed as such: {self.opaque[at].what} ({self.opaque[at].why})"
        if (edge.caller, last) in self.unknown or at in self.nameless:
            return "unknown receiver, listed by `graph calls --unknown`"
        return UNEXPLAINED
