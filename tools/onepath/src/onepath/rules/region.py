"""OP011 region: an AUTO region that was edited by hand, was never generated, or is stale.

A lint knows by the digest what was edited, and reads no docstring for it; whether a region is stale for a program that
has changed is told by `onepath docs --check`, with the same rule id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from onepath.graph import Place
from onepath.rules.contract import Finding, Model, Outcome

if TYPE_CHECKING:
    from onepath.regions import Change, RegionFault, State

_SAYS: dict[State, str] = {
    "new": "was never generated",
    "stale": "is stale: the program says something else now",
    "conflict": "holds conflict markers",
    "edited": "was edited by hand",
}


class RegionRule:
    """OP011."""

    id = "OP011"
    name = "region"
    summary = "An AUTO region is as it was generated."

    def check(self, model: Model) -> Outcome:
        """Judge every configured page by its own digests."""
        if not model.configuration.regions:
            return Outcome()  # and Markdown need not be imported
        from onepath.regions import RegionFault, parse_page, state_of

        command = model.configuration.docs.command
        findings: list[Finding] = []
        for file, names in model.configuration.regions.items():
            try:
                data = model.looked.content(model.folder / file)
            except OSError as error:
                fault = RegionFault(file, 1, f"cannot be read: {error.strerror or error}")
                findings.append(broken(fault, "write the page with its markers, or take it out of `regions`"))
                continue
            page = parse_page(file, data)
            findings.extend(map(broken, page.faults))
            if page.faults:
                continue
            present = {region.name for region in page.regions}
            findings.extend(
                broken(RegionFault(file, 1, f"{name} is configured for this file, which has no such region"))
                for name in names
                if name not in present
            )
            for region in page.regions:
                if region.name not in names:
                    message = f"{region.name} is no region that is configured for this file"
                    findings.append(broken(RegionFault(file, region.begin + 1, message)))
                elif (state := state_of(region)) != "current":
                    findings.append(changed(file, region.name, region.begin + 1, state, command))
        return Outcome(tuple(findings))


def changed(file: str, name: str, line: int, state: State, command: str) -> Finding:
    """The finding for a region that is not as it should be."""
    if state == "edited":
        instead = f"edit the sources it is made from and run `{command}`; `--force` overwrites what was written by hand"
    else:
        instead = f"run `{command}`"
    return Finding(
        "OP011", "regions", f"{name} in {file} {_SAYS[state]}", file, Place(file, line), (), instead, (name,)
    )


def broken(fault: RegionFault, instead: str = "mend the markers; nothing is written before") -> Finding:
    """The finding for a page that cannot be generated into."""
    return Finding(
        rule="OP011",
        contract="regions",
        message=fault.message,
        where=fault.file,
        place=Place(fault.file, fault.line),
        instead=instead,
        subject=("fault", fault.message),
    )


def of_changes(changes: Iterable[Change], command: str) -> list[Finding]:
    """The findings of `docs --check`."""
    return [changed(change.file, change.name, change.line, change.state, command) for change in changes]


RULE = RegionRule()
