"""Findings that are borne for a time: who may bear what, and waivers that are of no use any more.

A waiver names one symbol and one rule, has a reason, an owner and a last day. It knows findings; the date is given.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from onepath.config import Waiver
from onepath.graph import Program
from onepath.rules.contract import Finding, UsageFault
from onepath.rules.names import matches

_CONTRACT = "waivers"


def waive(
    findings: Sequence[Finding], waivers: Sequence[Waiver], program: Program, today: datetime.date
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[UsageFault, ...]]:
    """Findings that stay (with those on waivers), findings that are waived, and waivers that may not be.

    A waiver on a function or class covers what lies in it; one on a module covers the module's own body alone; one on a
    package is refused.
    """
    faults = tuple(
        UsageFault(_CONTRACT, f"waivers[{index}].where", f"`{waiver.where}` is a package; waive symbols, one at a time")
        for index, waiver in enumerate(waivers)
        if waiver.where in program.packages or "*" in waiver.where
    )
    lawful = [waiver for waiver in waivers if waiver.where not in program.packages and "*" not in waiver.where]
    used: set[int] = set()
    kept: list[Finding] = []
    waived: list[Finding] = []
    for finding in findings:
        covering = [index for index, waiver in enumerate(lawful) if _covers(waiver, finding, program)]
        used.update(covering)
        alive = any(lawful[index].expires >= today for index in covering)
        (waived if alive else kept).append(finding)
    for index, waiver in enumerate(lawful):
        if waiver.expires < today:
            kept.append(
                _finding(waiver, f"expired on {waiver.expires}", "mend what it bore, or renew it with a reason")
            )
        elif index not in used:
            kept.append(_finding(waiver, "waives nothing", "take it out of the configuration"))
    return tuple(kept), tuple(waived), faults


def _covers(waiver: Waiver, finding: Finding, program: Program) -> bool:
    if waiver.rule != finding.rule:
        return False
    return finding.where == waiver.where if waiver.where in program.modules else matches(waiver.where, finding.where)


def _finding(waiver: Waiver, what: str, instead: str) -> Finding:
    return Finding(
        rule=waiver.rule,
        contract=_CONTRACT,
        message=f"the waiver of {waiver.rule} for {waiver.where} ({waiver.owner}) {what}",
        where=waiver.where,
        place=None,
        instead=instead,
        subject=("waiver", what.partition(" ")[0]),
    )
