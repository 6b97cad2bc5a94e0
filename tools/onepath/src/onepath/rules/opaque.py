"""OP003 opaque: what cannot be computed, or might be a protected symbol, in guarded code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onepath.graph import Opaque
from onepath.rules.contract import Finding, Hop, Model, Outcome
from onepath.rules.names import meaning

_MOST_ORIGINS: Final = 5


class OpaqueRule:
    """OP003."""

    id = "OP003"
    name = "opaque"
    summary = "No uncomputable call or import, and no unknown receiver named like a protected symbol, in guarded code."

    def check(self, model: Model) -> Outcome:
        """Judge the guarded code of every path contract."""
        findings: dict[tuple[str, ...], Finding] = {}
        origins: dict[tuple[str, str], list[Opaque]] = {}
        for one in (*model.program.gave, *model.program.opaque):
            origins.setdefault((f"what {one.what} gave", one.why), []).append(one)
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
                        evidence=_evidence(one, origins.get((one.what, one.why), ())),
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


def _evidence(one: Opaque, origins: Sequence[Opaque]) -> tuple[Hop, ...]:
    """The call; before it, where what is called may come from, if that is elsewhere."""
    call = Hop(one.function, one.place, f"calls {one.what}")
    if any(origin.place == one.place for origin in origins):
        return (call,)
    hops = [
        Hop(origin.function, origin.place, f"calls {origin.what}, which may give it")
        for origin in origins[:_MOST_ORIGINS]
    ]
    if len(origins) > _MOST_ORIGINS:
        hops.append(Hop(f"… and {len(origins) - _MOST_ORIGINS} more", None))
    return (*hops, call)


RULE = OpaqueRule()
