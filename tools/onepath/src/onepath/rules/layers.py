"""OP004 layers: a layer imports only layers below it.

It knows the contract's notation for layers and the imports of the program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from onepath.config import Layers
from onepath.graph import Import, Program
from onepath.rules.chains import Chain, Counted, chains, counted, named, unused_exemptions
from onepath.rules.contract import Finding, Model, Outcome, UsageFault
from onepath.rules.names import matches, meaning


class _Level(msgspec.Struct, frozen=True):
    """One line of the contract, resolved."""

    modules: tuple[str, ...]
    independent: bool


class LayersRule:
    """OP004."""

    id = "OP004"
    name = "layers"
    summary = "A layer imports only layers below it."

    def check(self, model: Model) -> Outcome:
        """Judge each layers contract, in each of its containers."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for index, contract in enumerate(model.configuration.layers):
            imports = counted(model.program, contract.except_, type_checking=contract.type_checking)
            findings.extend(unused_exemptions(self.id, contract.name, imports.unused))
            faults.extend(_missing_containers(contract, index, model.program))
            for container in contract.containers or ("",):
                levels, missing = _levels(contract, container, model.program)
                faults.extend(UsageFault(contract.name, f"layers[{index}].layers", message) for message in missing)
                findings.extend(self._container(contract, levels, imports, model.program))
                if contract.exhaustive and container:
                    findings.extend(self._left_out(contract, container, levels, model.program))
        return Outcome(tuple(findings), tuple(faults))

    def _container(self, contract: Layers, levels: list[_Level], imports: Counted, program: Program) -> list[Finding]:
        is_layered = meaning(name for level in levels for name in level.modules)
        findings: list[Finding] = []
        for lower, level in enumerate(levels):
            for layer in level.modules:
                sources = [module for module in program.modules if matches(layer, module)]
                refused = [(name, "above it") for higher in levels[:lower] for name in higher.modules]
                if level.independent:
                    refused += [(name, "beside it") for name in level.modules if name != layer]
                for target, relation in refused:
                    ways = _ways(imports, sources, target, is_layered, indirect=contract.indirect)
                    findings.extend(self._finding(contract, layer, target, relation, chain) for chain in ways)
        return findings

    def _finding(self, contract: Layers, layer: str, target: str, relation: str, chain: Chain) -> Finding:
        over = f" over {', '.join(one.imported for one in chain.imports[:-1])}" if len(chain.imports) > 1 else ""
        return Finding(
            rule=self.id,
            contract=contract.name,
            message=f"{chain.first.importer} imports {named(chain.last)}{over}: {target} is {relation}",
            where=chain.first.scope,
            place=chain.first.place,
            evidence=chain.evidence(),
            instead=f"let {target} pass in what {layer} needs, or move it down",
            subject=(named(chain.first), target),
        )

    def _left_out(self, contract: Layers, container: str, levels: list[_Level], program: Program) -> list[Finding]:
        layered = {name for level in levels for name in level.modules}
        children = sorted(
            {
                ".".join(module.split(".")[: container.count(".") + 2])
                for module in program.modules
                if module.startswith(container + ".")
            }
        )
        return [
            Finding(
                rule=self.id,
                contract=contract.name,
                message=f"{child} is in no layer of {container}, whose layers are to be exhaustive",
                where=child,
                place=None,
                instead="put it into a layer",
                subject=("exhaustive",),
            )
            for child in children
            if child not in layered
        ]


def _ways(
    imports: Counted, sources: list[str], target: str, is_layered: Callable[[str], bool], *, indirect: bool
) -> Iterator[Chain]:
    def is_target(one: Import) -> bool:
        return one.internal and matches(target, one.imported)

    def is_way(module: str) -> bool:
        return not is_layered(module)

    return chains(imports, sources, is_target, is_way, indirect=indirect)


def _levels(contract: Layers, container: str, program: Program) -> tuple[list[_Level], list[str]]:
    levels: list[_Level] = []
    missing: list[str] = []
    names = {*program.modules, *program.packages}
    for line in contract.layers:
        modules: list[str] = []
        for written in re.split(r"[|:]", line):
            text = written.strip()
            optional = text.startswith("(") and text.endswith(")")
            name = text.strip("()").strip()
            inside = f"{container}.{name}" if container else name
            if inside in names:
                modules.append(inside)
            elif name in names:
                modules.append(name)
            elif not optional:
                where = f"in {container} nor as a name of its own" if container else "in the roots"
                missing.append(f"layer `{name}` is not found {where}; write `({name})` if it may be absent")
        if modules:
            levels.append(_Level(tuple(modules), ":" not in line))
    return levels, missing


def _missing_containers(contract: Layers, index: int, program: Program) -> list[UsageFault]:
    names = {*program.modules, *program.packages}
    return [
        UsageFault(contract.name, f"layers[{index}].containers", f"container `{container}` is not in the roots")
        for container in contract.containers
        if container not in names
    ]


RULE = LayersRule()
