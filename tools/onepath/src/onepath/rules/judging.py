"""All rules on one program, then waivers, then the baseline: the verdict that every format shows.

It knows the list of rules and their order; what a rule means is the rule's own business.
"""

from __future__ import annotations

import datetime
from typing import Final

import msgspec

from onepath.config import Project
from onepath.rules import (
    acyclic,
    baseline,
    bypass,
    forbidden,
    global_state,
    independent,
    layers,
    opaque,
    protected,
    region,
    sealed,
    sink_owner,
    switch,
)
from onepath.rules.contract import Finding, Model, Proof, Rule, UsageFault, in_order
from onepath.rules.waivers import waive

RULES: Final[tuple[Rule, ...]] = (
    bypass.RULE,
    sink_owner.RULE,
    opaque.RULE,
    layers.RULE,
    forbidden.RULE,
    protected.RULE,
    independent.RULE,
    acyclic.RULE,
    sealed.RULE,
    switch.RULE,
    region.RULE,
    global_state.RULE,
)
"""By id."""


def unread(model: Model) -> list[Finding]:
    """Files that are no Python for this interpreter: nothing in them can be computed, which is what OP003 is about."""
    files = {file: module for module, file in model.program.modules.items()}
    return [
        Finding(
            rule="OP003",
            contract="files",
            message=f"{fault.place.file} {fault.message}",
            where=files.get(fault.place.file, fault.place.file),
            place=fault.place,
            instead="mend the file, run onepath with the Python it is written for, or `exclude` it",
            subject=(fault.place.file,),
        )
        for fault in model.program.faults
    ]


class Verdict(msgspec.Struct, frozen=True):
    """What was found, and what of it is borne."""

    findings: tuple[Finding, ...]
    """In order; what has to be mended."""
    waived: tuple[Finding, ...]
    known: tuple[Finding, ...]
    """Those of the baseline."""
    faults: tuple[UsageFault, ...]
    proofs: tuple[Proof, ...]


def judge(
    project: Project, model: Model, *, update_baseline: bool = False, today: datetime.date | None = None
) -> Verdict:
    """Judges a program by its configuration. A baseline is rewritten when it shrinks, or on demand."""
    outcomes = [rule.check(model) for rule in RULES]
    found = in_order([*unread(model), *(finding for outcome in outcomes for finding in outcome.findings)])
    faults = [fault for outcome in outcomes for fault in outcome.faults]
    day = today or datetime.datetime.now(tz=datetime.UTC).date()
    kept, waived, refused = waive(found, project.configuration.waivers, model.program, day)
    faults.extend(refused)
    known: tuple[Finding, ...] = ()
    if project.configuration.baseline:
        path = project.folder / project.configuration.baseline
        listed, fault = baseline.read(path, model.looked)
        if fault is not None:
            faults.append(fault)
        elif update_baseline:
            known, kept = kept, ()
            baseline.write(path, known)
        else:
            known = tuple(finding for finding in kept if finding.fingerprint in listed)
            kept = tuple(finding for finding in kept if finding.fingerprint not in listed)
            if len({finding.fingerprint for finding in known}) < len(listed):
                baseline.write(path, known)
    proofs = tuple(proof for outcome in outcomes for proof in outcome.proofs)
    return Verdict(in_order(kept), in_order(waived), in_order(known), tuple(faults), proofs)
