"""OP008 acyclic: no circle of imports, between modules or between the children of a package."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from onepath.config import Acyclic
from onepath.graph import Import, Program
from onepath.rules.chains import Chain, Counted, counted, unused_exemptions
from onepath.rules.contract import Finding, Model, Outcome, UsageFault
from onepath.rules.names import any_matches, matches

Graph = dict[str, dict[str, Import]]
"""By node: the nodes it imports, each with the first import that does it."""


class AcyclicRule:
    """OP008."""

    id = "OP008"
    name = "acyclic"
    summary = "No circle of imports, between modules or between the children of a package."

    def check(self, model: Model) -> Outcome:
        """Judge each contract; circles that share no import are told in one run."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for index, contract in enumerate(model.configuration.acyclic):
            faults.extend(
                UsageFault(contract.name, f"acyclic[{index}].within", f"`{pattern}` matches no module")
                for pattern in contract.within
                if not any(matches(pattern, module) for module in model.program.modules)
            )
            imports = counted(
                model.program,
                contract.except_,
                type_checking=contract.type_checking,
                functions=contract.functions,
            )
            findings.extend(unused_exemptions(self.id, contract.name, imports.unused))
            for graph in _graphs(contract, model.program, imports):
                findings.extend(self._finding(contract, circle) for circle in circles(graph))
        return Outcome(tuple(findings), tuple(faults))

    def _finding(self, contract: Acyclic, circle: list[tuple[str, Import]]) -> Finding:
        names = [name for name, _ in circle]
        chain = Chain(tuple(one for _, one in circle))
        return Finding(
            rule=self.id,
            contract=contract.name,
            message=f"import circle: {' → '.join((*names, names[0]))}",
            where=chain.first.scope,
            place=chain.first.place,
            evidence=chain.evidence(),
            instead="move what both need into a module below them, or pass it in",
            subject=tuple(sorted(names)),
        )


def _graphs(contract: Acyclic, program: Program, imports: Counted) -> Iterator[Graph]:
    inside = sorted(name for name in program.modules if not contract.within or any_matches(contract.within, name))
    if contract.between == "modules":
        yield _graph({name: name for name in inside}, imports)
        return
    packages = sorted({*program.packages, *(name.rpartition(".")[0] for name in inside)} - {""})
    tops = sorted({name.partition(".")[0] for name in inside})
    if not contract.within and len(tops) > 1:
        yield _graph({name: name.partition(".")[0] for name in inside}, imports)
    for package in packages:
        if contract.within and not any_matches(contract.within, package):
            continue
        depth = package.count(".") + 2
        children = {name: ".".join(name.split(".")[:depth]) for name in inside if name.startswith(package + ".")}
        yield _graph(children, imports)


def _graph(node_of: Mapping[str, str], imports: Counted) -> Graph:
    graph: Graph = {node: {} for node in sorted(set(node_of.values()))}
    for module in sorted(node_of):
        node = node_of[module]
        for one in imports.of(module):
            other = node_of.get(one.imported)
            if other is not None and other != node:
                graph[node].setdefault(other, one)
    return graph


def circles(graph: Graph) -> Iterator[list[tuple[str, Import]]]:
    """Circles that share no edge, until none is left; each starts at its alphabetically first node."""
    pending = [part for part in tangles(graph, sorted(graph)) if len(part) > 1]
    while pending:
        part = pending.pop()
        circle = _shortest(graph, set(part), min(part))
        if circle is not None:
            first = circle.index(min(circle))
            ordered = circle[first:] + circle[:first]
            following = (*ordered[1:], ordered[0])
            yield [(name, graph[name].pop(after)) for name, after in zip(ordered, following, strict=True)]
        pending.extend(rest for rest in tangles(graph, sorted(part)) if len(rest) > 1)


def _shortest(graph: Graph, inside: set[str], start: str) -> list[str] | None:
    """The shortest circle through `start` that stays inside."""
    before: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in graph[node]:
            if other == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if other in inside and other not in before:
                before[other] = node
                queue.append(other)
    return None


def tangles(graph: Mapping[str, Mapping[str, object]], nodes: list[str]) -> list[list[str]]:
    """Strongly connected parts of `graph` within `nodes` (Tarjan, without recursion)."""
    inside = set(nodes)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    parts: list[list[str]] = []
    for root in nodes:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            other = next((name for name in following if name in inside), None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    parts.append(stack[at:])
                    on_stack.difference_update(stack[at:])
                    del stack[at:]
            elif other not in index:
                index[other] = low[other] = len(index)
                stack.append(other)
                on_stack.add(other)
                work.append((other, iter(graph[other])))
            elif other in on_stack:
                low[node] = min(low[node], index[other])
    return parts


RULE = AcyclicRule()
