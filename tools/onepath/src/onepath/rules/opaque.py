"""OP003 opaque: what cannot be computed, or might be a protected symbol, in guarded code."""

from __future__ import annotations

from onepath.rules.contract import Finding, Hop, Model, Outcome
from onepath.rules.names import meaning


class OpaqueRule:
    """OP003."""

    id = "OP003"
    name = "opaque"
    summary = "No uncomputable call or import, and no unknown receiver named like a protected symbol, in guarded code."

    def check(self, model: Model) -> Outcome:
        """Judge the guarded code of every path contract."""
        findings: dict[tuple[str, ...], Finding] = {}
        for contract in model.configuration.path:
            if not contract.guarded:
                continue
            is_guarded = meaning(contract.guarded)
            for one in model.program.opaque:
                if is_guarded(one.function):
                    finding = Finding(
                        rule=self.id,
                        contract=contract.name,
                        message=f"{one.function} calls {one.what}, which cannot be followed: {one.why}",
                        where=one.function,
                        place=one.place,
                        evidence=(Hop(one.function, one.place, f"calls {one.what}"),),
                        instead="name the target, or pass the function itself",
                        subject=(one.what, one.why),
                    )
                    findings.setdefault((contract.name, one.function, one.what, str(one.place)), finding)
            for unknown in model.program.unknown:
                if unknown.protected and is_guarded(unknown.function):
                    might = " or ".join(unknown.protected)
                    finding = Finding(
                        rule=self.id,
                        contract=contract.name,
                        message=f"{unknown.function} calls .{unknown.attribute} of a receiver that is not known; "
                        f"it might be {might}",
                        where=unknown.function,
                        place=unknown.place,
                        evidence=(Hop(unknown.function, unknown.place, f"calls .{unknown.attribute}"),),
                        instead="annotate the receiver",
                        subject=(unknown.attribute,),
                    )
                    findings.setdefault(
                        (contract.name, unknown.function, unknown.attribute, str(unknown.place)), finding
                    )
        return Outcome(tuple(findings.values()))


RULE = OpaqueRule()
