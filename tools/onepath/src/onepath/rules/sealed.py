"""OP009 sealed: a type is made only by its owners, in whatever way an object can come to be."""

from __future__ import annotations

from typing import Final

from onepath.config import Sealed
from onepath.graph import Made, Program
from onepath.rules.contract import Finding, Hop, Model, Outcome, UsageFault
from onepath.rules.names import any_matches, unmatched

_VERBS: Final[dict[str, str]] = {
    "call": "constructs",
    "subclass": "derives from",
    "__new__": "makes an object of, past its constructor,",
    "copy": "copies an object of",
    "replace": "makes a changed copy of an object of",
    "convert": "converts data to",
    "unpickle": "unpickles an object of",
    "__class__": "turns an object into",
}


class SealedRule:
    """OP009."""

    id = "OP009"
    name = "sealed"
    summary = "A type is made only by its owners."

    def check(self, model: Model) -> Outcome:
        """Judge each sealed type."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for contract in model.configuration.sealed:
            wrong = _faults(contract, model.program)
            faults.extend(wrong)
            if not wrong:
                findings.extend(self._finding(contract, one) for one in model.program.made if _breaks(contract, one))
        return Outcome(tuple(findings), tuple(faults))

    def _finding(self, contract: Sealed, one: Made) -> Finding:
        verb = _VERBS.get(one.how, one.how)
        return Finding(
            rule=self.id,
            contract=contract.name,
            message=f"{one.function} {verb} {contract.type}, and is no owner of it",
            where=one.function,
            place=one.place,
            evidence=(Hop(one.function, one.place, f"{verb} {contract.type}"),),
            instead=f"let one of {', '.join(contract.owners)} make it",
            subject=(contract.type, one.how),
        )


def _breaks(contract: Sealed, one: Made) -> bool:
    return one.type == contract.type and not any_matches(contract.owners, one.function)


def _faults(contract: Sealed, program: Program) -> list[UsageFault]:
    faults: list[UsageFault] = []
    if contract.type not in program.bases:
        faults.append(UsageFault(contract.name, "type", f"{contract.type} is no class of the program"))
    faults.extend(
        UsageFault(contract.name, "owners", f"{pattern} is nothing in the program")
        for pattern in unmatched(contract.owners, program)
    )
    return faults


RULE = SealedRule()
