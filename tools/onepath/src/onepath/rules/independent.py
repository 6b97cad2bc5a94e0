"""OP007 independent: modules that do not import each other."""

from __future__ import annotations

from collections.abc import Callable

from onepath.config import Independent
from onepath.graph import Import, Program
from onepath.rules.chains import chains, counted, named, unused_exemptions
from onepath.rules.contract import Finding, Model, Outcome, UsageFault
from onepath.rules.names import matches, meaning


class IndependentRule:
    """OP007."""

    id = "OP007"
    name = "independent"
    summary = "Modules that do not import each other."

    def check(self, model: Model) -> Outcome:
        """Judge each independence contract."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for index, contract in enumerate(model.configuration.independent):
            members, missing = _members(contract, model.program)
            faults.extend(UsageFault(contract.name, f"independent[{index}].modules", message) for message in missing)
            imports = counted(model.program, contract.except_, type_checking=contract.type_checking)
            findings.extend(unused_exemptions(self.id, contract.name, imports.unused))

            is_member = meaning(members)

            def is_way(module: str, is_member: Callable[[str], bool] = is_member) -> bool:
                return not is_member(module)

            for target in members:

                def is_target(one: Import, target: str = target) -> bool:
                    return one.internal and matches(target, one.imported)

                sources = [
                    module for module in model.program.modules if not matches(target, module) and is_member(module)
                ]
                for chain in chains(imports, sources, is_target, is_way, indirect=contract.indirect):
                    between = [one.imported for one in chain.imports[:-1]]
                    over = f" over {', '.join(between)}" if between else ""
                    findings.append(
                        Finding(
                            rule=self.id,
                            contract=contract.name,
                            message=f"{chain.first.importer} imports {named(chain.last)}{over}; both are independent",
                            where=chain.first.scope,
                            place=chain.first.place,
                            evidence=chain.evidence(),
                            instead="let what wires both pass the one to the other",
                            subject=(named(chain.first), target),
                        )
                    )
        return Outcome(tuple(findings), tuple(faults))


def _members(contract: Independent, program: Program) -> tuple[tuple[str, ...], list[str]]:
    names = {*program.modules, *program.packages}
    members: dict[str, None] = {}
    missing: list[str] = []
    for pattern in contract.modules:
        if pattern.endswith(".*"):
            parent = pattern.removesuffix(".*")
            found = sorted(name for name in names if name.rpartition(".")[0] == parent)
        else:
            found = [pattern] if pattern in names else []
        if not found:
            missing.append(f"`{pattern}` matches no module")
        members.update(dict.fromkeys(found))
    if len(members) == 1:
        missing.append(f"only {next(iter(members))} is in the contract; one module is always independent")
    return tuple(members), missing


RULE = IndependentRule()
