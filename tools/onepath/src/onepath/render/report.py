"""What a lint run has to say, as every format of it gets it: nothing is computed from here on."""

from __future__ import annotations

from collections import Counter

import msgspec

from onepath.rules.contract import Finding, Proof, UsageFault


class RuleCard(msgspec.Struct, frozen=True):
    """A rule, as formats speak of it."""

    id: str
    name: str
    summary: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    findings: tuple[Finding, ...]
    """What has to be mended, in order."""
    waived: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    """Findings of the baseline."""
    faults: tuple[UsageFault, ...] = ()
    proofs: tuple[Proof, ...] = ()
    rules: tuple[RuleCard, ...] = ()
    configuration: str = "pyproject.toml"
    """The configuration's file, where a finding without a place is shown."""
    version: str = "0.1.0"

    def name_of(self, rule: str) -> str:
        """The rule's name, `bypass`; its id if it is not known."""
        return next((card.name for card in self.rules if card.id == rule), rule)

    def counts(self) -> dict[str, int]:
        """Findings by rule id."""
        return dict(sorted(Counter(finding.rule for finding in self.findings).items()))
