"""OP013 global-state: no mutable module globals, clocks, randomness or environment in code declared pure."""

from __future__ import annotations

from typing import Final

from onepath.config import Pure
from onepath.graph import Edge, Program
from onepath.rules.contract import Finding, Hop, Model, Outcome, UsageFault
from onepath.rules.groups import CLOCKS, ENVIRONMENT, RANDOMNESS
from onepath.rules.names import any_matches, matches, meaning, unmatched

_KINDS: Final = tuple(
    (what, names, tuple(one.removesuffix("*") for one in names if one.endswith(".*")))
    for what, names in (("a clock", CLOCKS), ("randomness", RANDOMNESS), ("the environment", ENVIRONMENT))
)
"""What it is, its names, and how those begin that lie below one of them."""


class GlobalStateRule:
    """OP013."""

    id = "OP013"
    name = "global-state"
    summary = "No mutable module globals, clocks, randomness or environment in code declared pure."

    def check(self, model: Model) -> Outcome:
        """Judge each pure zone."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        for contract in model.configuration.pure:
            for key, patterns in (("zones", contract.zones), ("allow", contract.allow)):
                faults.extend(
                    UsageFault(contract.name, key, f"{pattern} is nothing in the program")
                    for pattern in unmatched(patterns, model.program)
                )
            findings.extend(self._uses(contract, model.program))
            findings.extend(self._changes(contract, model.program))
        return Outcome(tuple(findings), tuple(faults))

    def _uses(self, contract: Pure, program: Program) -> list[Finding]:
        findings: dict[tuple[str, str], Finding] = {}
        is_pure, is_allowed = meaning(contract.zones), meaning(contract.allow)
        impure = {name: what for name in program.called if (what := _what(name)) and not is_allowed(name)}
        for edge in program.edges:
            what = impure.get(edge.callee, "")
            if what and is_pure(edge.caller) and not is_allowed(edge.caller) and _is_taken_here(program, edge):
                findings.setdefault(
                    (edge.caller, edge.callee),
                    Finding(
                        rule=self.id,
                        contract=contract.name,
                        message=f"{edge.caller} is declared pure and calls {edge.callee}: {what}",
                        where=edge.caller,
                        place=edge.place,
                        evidence=(Hop(edge.caller, edge.place, f"calls {edge.callee}"),),
                        instead="take it as an argument, at the edge where it enters",
                        subject=(edge.callee,),
                    ),
                )
        return list(findings.values())

    def _changes(self, contract: Pure, program: Program) -> list[Finding]:
        findings: dict[tuple[str, str], Finding] = {}
        for one in program.mutations:
            if not any_matches(contract.zones, one.variable) or any_matches(contract.allow, one.variable):
                continue
            findings.setdefault(
                (one.variable, one.function),
                Finding(
                    rule=self.id,
                    contract=contract.name,
                    message=f"{one.function} {one.how} {one.variable}, a module variable of code declared pure",
                    where=one.variable,
                    place=one.place,
                    evidence=(Hop(one.function, one.place, f"{one.how} {one.variable}"),),
                    instead="pass the state in and out; make tables immutable (tuple, frozenset, MappingProxyType)",
                    subject=(one.function,),
                ),
            )
        return list(findings.values())


def _is_taken_here(program: Program, edge: Edge) -> bool:
    """Whether the caller's own module names the operation; what was passed in as an argument is lawful."""
    if edge.callee.startswith("builtins."):
        return True
    module = program.module_of(edge.caller)
    return any(
        matches(one.written, edge.callee) or edge.callee.partition(".")[0] == one.written.partition(".")[0]
        for one in program.importing.by_importer.get(module, ())
    )


def _what(name: str) -> str:
    return next((what for what, names, below in _KINDS if name in names or name.startswith(below)), "")


RULE = GlobalStateRule()
