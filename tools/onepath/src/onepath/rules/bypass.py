"""OP001 bypass: every call path from an entry to a sink passes the mandated functions, carrying only what it may."""

from __future__ import annotations

from collections import deque

from onepath.config import Carried, PathContract
from onepath.graph import Carrying, Edge, Program, Step
from onepath.rules.contract import Finding, Hop, Model, Outcome, Proof, UsageFault
from onepath.rules.groups import GROUPS, Sinks
from onepath.rules.names import matches, meaning, unmatched
from onepath.rules.paths import Search, Way, mandated
from onepath.rules.proving import proof


class BypassRule:
    """OP001."""

    id = "OP001"
    name = "bypass"
    summary = (
        "Every call path from an entry to a sink passes the mandated functions, carrying only what may be carried."
    )

    def check(self, model: Model) -> Outcome:
        """Judge each path contract, by calls and by values."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        proofs: list[Proof] = []
        for contract in model.configuration.path:
            wrong = _faults(contract, model.program)
            faults.extend(wrong)
            if wrong:
                continue
            search = _search(contract, model.program)
            found = [_bypass(contract, search, way) for way in search.bypasses()]
            for carried in contract.carries:
                found.extend(_forged(contract, carried, model.program))
            findings.extend(found)
            if not found:
                proofs.append(proof(contract, search, model.program, self.id))
        return Outcome(tuple(findings), tuple(faults), tuple(proofs))


def _search(contract: PathContract, program: Program) -> Search:
    sinks = Sinks(contract.sinks)
    starts = [node for pattern in contract.entries for node in program.entries.get(pattern, ())]
    modules = {program.nodes[node].function for node in starts}
    bodies = [
        node
        for node in program.entries.get("", ())
        if any(
            one == program.nodes[node].function or program.module_of(one) == program.nodes[node].function
            for one in modules
        )
    ]
    return Search(
        program,
        [*starts, *bodies],
        contract.through,
        lambda name: name in sinks,
        meaning(way.node for way in contract.ways_out),
    )


# -- calls -----------------------------------------------------------------------------------------------------


def _bypass(contract: PathContract, search: Search, way: Way) -> Finding:
    names = search.names
    sink = names[way.steps[-1].callee] if way.steps else names[way.start]
    crossing = way.steps[way.crossing] if way.steps else None
    where = names[crossing.caller] if crossing is not None else names[way.start]
    missing = contract.through[way.passed]
    into = names[crossing.callee] if crossing is not None else sink
    by = f" by {into}" if into != sink else ""
    return Finding(
        rule=BypassRule.id,
        contract=contract.name,
        message=f"{where} reaches {sink}{by} without passing {missing}",
        where=where,
        place=crossing.place if crossing is not None else None,
        evidence=_hops(search, way),
        instead=f"call {contract.through[0]}; if this way is lawful, name {where} in `ways_out` with its reason",
        subject=(into, sink),
    )


def _hops(search: Search, way: Way) -> tuple[Hop, ...]:
    names = search.names
    hops = [Hop(names[step.caller], step.place, _verb(step) + names[step.callee]) for step in way.steps]
    sink = way.steps[-1].callee if way.steps else way.start
    place = way.steps[-1].place if way.steps else None
    return (*hops, Hop(names[sink], place, "is a sink"))


def _verb(step: Step) -> str:
    return "calls " if step.kind == "call" else "hands to foreign code, which may call "


# -- values ----------------------------------------------------------------------------------------------------


def _forged(contract: PathContract, carried: Carried, program: Program) -> list[Finding]:
    findings: list[Finding] = []
    for one in program.carried:
        if one.into != carried.into or one.argument != carried.argument:
            continue
        if one.origin and matches(carried.made_by, one.origin):
            continue
        around = _way_around(program, one.origin, carried.made_by) if one.origin else None
        if one.origin and around is None:
            continue
        findings.append(_forgery(contract, carried, one, around or ()))
    return findings


def _way_around(program: Program, origin: str, made_by: str) -> tuple[Edge, ...] | None:
    """How a function is reached other than from `made_by`; None if it is not."""
    before: dict[str, Edge | None] = {origin: None}
    queue = deque([origin])
    while queue:
        name = queue.popleft()
        callers = [edge for edge in program.callers.get(name, ()) if edge.caller != name]
        if not callers:
            return _chain(before, name)
        for edge in callers:
            if edge.caller not in before and not matches(made_by, edge.caller):
                before[edge.caller] = edge
                queue.append(edge.caller)
    return None


def _chain(before: dict[str, Edge | None], name: str) -> tuple[Edge, ...]:
    edges: list[Edge] = []
    edge = before[name]
    while edge is not None:
        edges.append(edge)
        edge = before[edge.callee]
    return tuple(edges)


def _forgery(contract: PathContract, carried: Carried, one: Carrying, around: tuple[Edge, ...]) -> Finding:
    hops = [Hop(edge.caller, edge.place, f"calls {edge.callee}") for edge in around]
    if one.origin:
        hops.append(Hop(one.origin, one.place, f"makes {one.what}"))
    hops.extend(Hop(one.origin or carried.into, place, f"passed to {carried.into}") for place in one.passed)
    made = f"made in {one.origin}" if one.origin else "whose origin is not known"
    return Finding(
        rule=BypassRule.id,
        contract=contract.name,
        message=f"{one.what}, {made}, reaches {carried.into} as {carried.argument}; only {carried.made_by} may make it",
        where=one.origin or carried.into,
        place=one.place or (one.passed[0] if one.passed else None),
        evidence=tuple(hops),
        instead=f"let {carried.made_by} make it",
        subject=(carried.into, carried.argument, one.what),
    )


# -- what the contract speaks of -------------------------------------------------------------------------------


def _faults(contract: PathContract, program: Program) -> list[UsageFault]:
    faults: list[UsageFault] = []

    def fault(key: str, message: str) -> None:
        faults.append(UsageFault(contract.name, key, message))

    tops = {name.partition(".")[0] for name in program.modules}
    for index, pattern in enumerate(contract.entries):
        plain = pattern.removeprefix("arg:").removeprefix("@").partition(".")[0]
        if plain in tops and not program.entries.get(pattern):
            fault(f"entries[{index}]", f"{pattern} is nothing that runs")
        elif pattern.startswith("arg:") and "." not in pattern:
            fault(f"entries[{index}]", f"{pattern} names no parameter; write `arg:package.function.parameter`")
    if not faults and not any(program.entries.get(pattern) for pattern in contract.entries):
        fault("entries", f"none of {', '.join(contract.entries)} is anything that runs")
    for index, pattern in enumerate(contract.through):
        if not mandated(program, pattern):
            fault(f"through[{index}]", f"{pattern} is no function of the program")
    for index, way in enumerate(contract.ways_out):
        if unmatched([way.node], program):
            fault(f"ways_out[{index}].node", f"{way.node} is nothing in the program")
        elif way.node in program.packages:
            fault(f"ways_out[{index}].node", f"{way.node} is a package; name the function that goes out")
    for key, pattern in _named(contract):
        if unmatched([pattern], program) or pattern.partition(".")[0] not in tops:
            fault(key, f"{pattern} is nothing in the program")
    own = [one for one in contract.sinks if one not in GROUPS and one.partition(".")[0] in tops]
    for pattern in own:
        if unmatched([pattern], program):
            fault("sinks", f"{pattern} is nothing in the program")
    for pattern in contract.sinks:
        if pattern.startswith("@") and pattern not in GROUPS:
            fault("sinks", f"{pattern} is no group; known are {', '.join(sorted(GROUPS))}")
    sinks = Sinks(contract.sinks)
    if not faults and not sinks.mean_any(program.functions):
        fault("sinks", f"nothing in the program calls any of {', '.join(contract.sinks)}")
    return faults


def _named(contract: PathContract) -> list[tuple[str, str]]:
    named: list[tuple[str, str]] = []
    for index, one in enumerate(contract.carries):
        named.append((f"carries[{index}].into", one.into))
        named.append((f"carries[{index}].made_by", one.made_by))
    named.extend((f"guarded[{index}]", one) for index, one in enumerate(contract.guarded))
    return named


RULE = BypassRule()
