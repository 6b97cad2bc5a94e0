"""Lays executed edges beside the static graph, and finds a cause for each one that is missing.

It knows names, places and the graph. It must not know how either was come by.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from onepath.graph import Program
from tools.truth.edges import Executed

UNEXPLAINED = "no cause found"


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
    foreign_unknown: tuple[Executed, ...]
    """Those of them whose callee has no edge in the graph and is no entry."""
    spare_reasons: tuple[tuple[str, str], ...] = ()
    """Pairs of caller and callee that have a reason to be missing, and are not missing."""

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


def judge(
    program: Program,
    direct: Sequence[Executed],
    foreign: Sequence[Executed],
    sinks: frozenset[str],
    reasons: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Verdict:
    """`sinks` are names of functions, own or foreign; one that ends in `.*` stands for all below it.

    `reasons` tell of caller and callee why they cannot be in the graph.
    """
    kinds: dict[tuple[str, str], str] = {}
    for edge in program.edges:
        key = (edge.caller, edge.callee)
        if kinds.get(key) != "call":
            kinds[key] = edge.kind
    counts = Counter(kinds.get((edge.caller, edge.callee), "") for edge in direct)
    causes = _Causes(program, reasons)
    reach = _reaching(program, sinks)
    misses = tuple(
        Miss(edge, causes.cause(edge), reach.get(edge.callee, ""))
        for edge in direct
        if (edge.caller, edge.callee) not in kinds
    )
    entries = {program.nodes[node].function for nodes in program.entries.values() for node in nodes}
    unknown = tuple(edge for edge in foreign if not program.callers.get(edge.callee) and edge.callee not in entries)
    spare = tuple(sorted(reasons.keys() - {(miss.edge.caller, miss.edge.callee) for miss in misses}))
    return Verdict(tuple(direct), counts["call"], counts["may-call"], misses, tuple(foreign), unknown, spare)


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

    def __init__(self, program: Program, reasons: Mapping[tuple[str, str], str]) -> None:
        self.reasons = reasons
        self.unknown = {(one.function, one.attribute) for one in program.unknown if one.attribute}
        self.nameless = {(one.place.file, one.place.line) for one in program.unknown if not one.attribute}
        self.opaque = {(one.place.file, one.place.line): one for one in program.opaque}
        self.faults = {fault.place.file: fault for fault in program.faults}

    def cause(self, edge: Executed) -> str:
        """In words; UNEXPLAINED if the graph claims to know all there is at that place."""
        known = self.reasons.get((edge.caller, edge.callee))
        if known is not None:
            return known
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
