"""OP005 forbidden: some code does not import some other code, or imports nothing but what is listed."""

from __future__ import annotations

import sys

from onepath.config import Forbidden
from onepath.graph import Import, Program
from onepath.rules.chains import Chain, Counted, chains, counted, named, unused_exemptions
from onepath.rules.contract import Finding, Model, Outcome, UsageFault
from onepath.rules.names import STANDARD_LIBRARY, any_matches, matches, meaning, unmatched


class ForbiddenRule:
    """OP005."""

    id = "OP005"
    name = "forbidden"
    summary = "Some code does not import some other code, or imports nothing but what is listed."

    def check(self, model: Model) -> Outcome:
        """Judge each forbidden contract."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for index, contract in enumerate(model.configuration.forbidden):
            imports = counted(model.program, contract.except_, type_checking=contract.type_checking)
            findings.extend(unused_exemptions(self.id, contract.name, imports.unused))
            sources = [module for module in model.program.modules if any_matches(contract.from_, module)]
            faults.extend(_faults(contract, index, model.program))
            if contract.to:
                findings.extend(self._reaching(contract, imports, sources))
            else:
                findings.extend(self._beyond(contract, imports, sources))
        return Outcome(tuple(findings), tuple(faults))

    def _reaching(self, contract: Forbidden, imports: Counted, sources: list[str]) -> list[Finding]:
        findings: list[Finding] = []
        is_source = meaning(contract.from_)
        for target in contract.to:

            def is_target(one: Import, target: str = target) -> bool:
                return takes(one, target)

            def is_way(module: str, target: str = target) -> bool:
                return not is_source(module) and not matches(target, module)

            outside = [module for module in sources if not matches(target, module)]
            found = chains(imports, outside, is_target, is_way, indirect=contract.indirect)
            findings.extend(self._finding(contract, target, chain) for chain in found)
        return findings

    def _finding(self, contract: Forbidden, target: str, chain: Chain) -> Finding:
        over = f" over {', '.join(one.imported for one in chain.imports[:-1])}" if len(chain.imports) > 1 else ""
        return Finding(
            rule=self.id,
            contract=contract.name,
            message=f"{chain.first.importer} imports {named(chain.last)}{over}, which is forbidden to it",
            where=chain.first.scope,
            place=chain.first.place,
            evidence=chain.evidence(),
            instead=contract.instead or f"take what is needed of {target} as an argument",
            subject=(named(chain.first), target),
        )

    def _beyond(self, contract: Forbidden, imports: Counted, sources: list[str]) -> list[Finding]:
        findings: list[Finding] = []
        is_allowed = meaning((*contract.only, *contract.from_))
        for module in sources:
            for one in imports.of(module):
                if _is_standard(one, contract) or is_allowed(one.imported or one.written) or is_allowed(one.written):
                    continue
                findings.append(
                    Finding(
                        rule=self.id,
                        contract=contract.name,
                        message=f"{module} imports {named(one)}; it may import only {', '.join(contract.only)}",
                        where=one.scope,
                        place=one.place,
                        evidence=Chain((one,)).evidence(),
                        instead=contract.instead or "take what is needed as an argument",
                        subject=(named(one),),
                    )
                )
        return findings


def takes(one: Import, target: str) -> bool:
    """Whether an import takes `target`, a module or a symbol; a star takes every symbol of its module."""
    if matches(target, one.imported) or matches(target, one.written):
        return True
    return one.symbol == "*" and target.startswith(one.imported + ".") and "*" not in target


def _is_standard(one: Import, contract: Forbidden) -> bool:
    """Whether an import takes of the standard library, and that is allowed."""
    name = one.imported or one.written
    return STANDARD_LIBRARY in contract.only and not one.internal and name.partition(".")[0] in sys.stdlib_module_names


def _faults(contract: Forbidden, index: int, program: Program) -> list[UsageFault]:
    key = f"forbidden[{index}]"
    faults = [
        UsageFault(contract.name, f"{key}.from", f"`{pattern}` matches no module")
        for pattern in contract.from_
        if not any(matches(pattern, module) for module in program.modules)
    ]
    faults.extend(
        UsageFault(contract.name, f"{key}.to", f"`{pattern}` starts in the roots and matches nothing there")
        for pattern in unmatched(contract.to, program)
    )
    return faults


RULE = ForbiddenRule()
