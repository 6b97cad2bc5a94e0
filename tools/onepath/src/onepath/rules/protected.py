"""OP006 protected: modules and symbols that only the named code may import or call.

Protecting a module is about what it does: an exception type or a constant taken from it by name is no bypass, unless
the contract says so. A symbol that comes over a re-export is the same symbol.
"""

from __future__ import annotations

from onepath.config import Protected
from onepath.graph import Import, Program
from onepath.rules.chains import Chain, counted, named, unused_exemptions
from onepath.rules.contract import Finding, Hop, Model, Outcome, UsageFault
from onepath.rules.forbidden import takes
from onepath.rules.names import any_matches, matches, unmatched

_KINDS = {"exceptions": "exception", "constants": "constant"}


class ProtectedRule:
    """OP006."""

    id = "OP006"
    name = "protected"
    summary = "Modules and symbols that only the named code may import or call."

    def check(self, model: Model) -> Outcome:
        """Judge each protected contract."""
        findings: list[Finding] = []
        faults: list[UsageFault] = []
        program = model.program
        for index, contract in enumerate(model.configuration.protected):
            faults.extend(
                UsageFault(contract.name, f"protected[{index}].{key}", f"`{pattern}` matches nothing in the roots")
                for key, patterns in (("protected", contract.protected), ("importers", contract.importers))
                for pattern in unmatched(patterns, program)
            )
            imports = counted(program, contract.except_, type_checking=contract.type_checking)
            findings.extend(unused_exemptions(self.id, contract.name, imports.unused))
            for module in program.modules:
                for one in imports.of(module):
                    target = _taken(one, contract, program)
                    if target and not _may(one.importer, one.scope, contract, target):
                        findings.append(self._imported(contract, one, target))
            findings.extend(self._called(contract, program))
        return Outcome(tuple(findings), tuple(faults))

    def _imported(self, contract: Protected, one: Import, target: str) -> Finding:
        return Finding(
            rule=self.id,
            contract=contract.name,
            message=f"{one.importer} imports {named(one)}; {target} is for {', '.join(contract.importers)} only",
            where=one.scope,
            place=one.place,
            evidence=Chain((one,)).evidence(),
            instead=contract.instead or f"go through {', '.join(contract.importers)}",
            subject=(named(one), target),
        )

    def _called(self, contract: Protected, program: Program) -> list[Finding]:
        """Calls of protected symbols by code that has not imported them by name: `import m; m.f()`."""
        symbols = [name for name in contract.protected if "*" not in name and name not in program.modules]
        found: dict[tuple[str, str], Finding] = {}
        for edge in program.edges if symbols else ():
            target = next((name for name in symbols if matches(name, edge.callee)), "")
            caller = program.module_of(edge.caller)
            if not target or (edge.caller, target) in found or _may(caller, edge.caller, contract, target):
                continue
            verb = "calls" if edge.kind == "call" else "may call"
            found[edge.caller, target] = Finding(
                rule=self.id,
                contract=contract.name,
                message=f"{edge.caller} {verb} {edge.callee}; {target} is for {', '.join(contract.importers)} only",
                where=edge.caller,
                place=edge.place,
                evidence=(Hop(edge.caller, edge.place, f"{verb} {edge.callee}"), Hop(edge.callee, None)),
                instead=contract.instead or f"go through {', '.join(contract.importers)}",
                subject=("call", edge.callee, target),
            )
        return list(found.values())


def _taken(one: Import, contract: Protected, program: Program) -> str:
    """The protected name an import takes; empty if it takes none, or only what is harmless."""
    symbol = program.symbols.get(one.written) if one.symbol not in ("", "*") else None
    origin = symbol.target if symbol is not None and symbol.target else one.written
    kind = program.symbols[origin].kind if origin in program.symbols else symbol.kind if symbol is not None else ""
    for pattern in contract.protected:
        is_module = any(matches(pattern, module) for module in program.modules)
        if is_module and kind in {_KINDS[harmless] for harmless in contract.harmless}:
            continue
        if takes(one, pattern) or matches(pattern, origin):
            return pattern
    return ""


def _may(module: str, scope: str, contract: Protected, target: str) -> bool:
    inside = target.removesuffix(".*")
    home = matches(inside, module) or (bool(module) and inside.startswith(module + "."))
    return home or any_matches(contract.importers, module) or any_matches(contract.importers, scope)


RULE = ProtectedRule()
