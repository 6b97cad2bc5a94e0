"""OP002 sink-owner: only the named modules import or call network or process primitives."""

from __future__ import annotations

from collections.abc import Callable

from onepath.config import SinkOwners
from onepath.graph import Import, Program
from onepath.link.foreign import canonical
from onepath.rules.contract import Finding, Hop, Model, Outcome, UsageFault
from onepath.rules.groups import GROUPS, TOUCHING, Sinks
from onepath.rules.names import meaning, unmatched


class SinkOwnerRule:
    """OP002."""

    id = "OP002"
    name = "sink-owner"
    summary = "Only the named modules import or call network or process primitives."

    def check(self, model: Model) -> Outcome:
        """Judge each contract on owners."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for contract in model.configuration.sink_owners:
            for key, patterns in (("owners", contract.owners), ("within", contract.within)):
                faults.extend(
                    UsageFault(contract.name, key, f"{pattern} is nothing in the program")
                    for pattern in unmatched(patterns, model.program)
                )
            faults.extend(
                UsageFault(contract.name, "sinks", f"{pattern} is no group; known are {', '.join(sorted(GROUPS))}")
                for pattern in contract.sinks
                if pattern.startswith("@") and pattern not in GROUPS
            )
            findings.extend(self._calls(contract, model.program))
            findings.extend(self._imports(contract, model.program))
        return Outcome(tuple(findings), tuple(faults))

    def _calls(self, contract: SinkOwners, program: Program) -> list[Finding]:
        sinks = Sinks(contract.sinks)
        called = {name for name in program.called if name in sinks}
        concerns = _concerned(contract)
        findings: dict[tuple[str, str], Finding] = {}
        for edge in program.edges:
            if edge.callee not in called or not concerns(edge.caller):
                continue
            verb = "calls" if edge.kind == "call" else "hands out"
            findings.setdefault(
                (edge.caller, edge.callee),
                Finding(
                    rule=self.id,
                    contract=contract.name,
                    message=f"{edge.caller} {verb} {edge.callee}, and is no owner of it",
                    where=edge.caller,
                    place=edge.place,
                    evidence=(Hop(edge.caller, edge.place, f"{verb} {edge.callee}"),),
                    instead=f"ask one of {', '.join(contract.owners) or 'the owners'} to do it",
                    subject=(edge.callee,),
                ),
            )
        return list(findings.values())

    def _imports(self, contract: SinkOwners, program: Program) -> list[Finding]:
        modules = [name for pattern in contract.sinks for name in TOUCHING.get(pattern, ())]
        plain = [pattern for pattern in contract.sinks if pattern not in GROUPS]
        sinks = Sinks(contract.sinks)
        concerns, is_plain, is_touching = _concerned(contract), meaning(plain), meaning(modules)
        findings: dict[tuple[str, str], Finding] = {}
        for one in program.imports:
            if one.type_checking or not concerns(one.scope):
                continue
            touched = one.written in sinks or is_plain(one.written)
            if not touched and is_touching(one.written):
                touched = one.symbol == "*" or _is_used(one, sinks, program)
            if touched:
                findings.setdefault(
                    (one.importer, one.written),
                    Finding(
                        rule=self.id,
                        contract=contract.name,
                        message=f"{one.importer} imports {one.written}, and is no owner of it",
                        where=one.scope,
                        place=one.place,
                        evidence=(Hop(one.scope, one.place, f"imports {one.written}"),),
                        instead=f"ask one of {', '.join(contract.owners) or 'the owners'} to do it",
                        subject=("import", one.written),
                    ),
                )
        return list(findings.values())


def _concerned(contract: SinkOwners) -> Callable[[str], bool]:
    """Whether a contract is about the code of a name."""
    is_inside, is_owner = meaning(contract.within), meaning(contract.owners)
    return lambda name: (not contract.within or is_inside(name)) and not is_owner(name)


def _is_used(one: Import, sinks: Sinks, program: Program) -> bool:
    """Whether what is imported is an operation or has operations; of a module, whether one that does is read of it."""
    taken = canonical(one.written)
    if one.symbol and (taken in sinks or sinks.holds_below(taken)):
        return True
    read = [name for name in program.uses.get(one.importer, ()) if name.startswith(taken + ".")]
    return any(name in sinks or sinks.holds_below(name) for name in read)


RULE = SinkOwnerRule()
