"""A report whose files are named from the root of the checkout, as services that show findings beside code want them.

A project may be a folder of a repository; its own report names files from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from onepath.graph import Place
from onepath.render.report import Report
from onepath.rules.contract import Finding, Hop


def from_checkout(report: Report, folder: Path) -> Report:
    """The report of the project in `folder`; unchanged where that is the root of a checkout, or in none."""
    inside = _inside(folder.resolve())
    if not inside:
        return report
    return msgspec.structs.replace(
        report,
        configuration=_named(report.configuration, inside),
        findings=_placed(report.findings, inside),
        waived=_placed(report.waived, inside),
        known=_placed(report.known, inside),
    )


def _inside(folder: Path) -> str:
    """The folder from the root of its checkout, with `/` at its end; empty for the root itself, and without one."""
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            return f"{folder.relative_to(above).as_posix()}/" if above != folder else ""
    return ""


def _placed(findings: Iterable[Finding], inside: str) -> tuple[Finding, ...]:
    return tuple(
        msgspec.structs.replace(
            one, place=_place(one.place, inside), evidence=tuple(_hop(hop, inside) for hop in one.evidence)
        )
        for one in findings
    )


def _hop(hop: Hop, inside: str) -> Hop:
    return msgspec.structs.replace(hop, place=_place(hop.place, inside))


def _place(place: Place | None, inside: str) -> Place | None:
    return None if place is None else Place(_named(place.file, inside), place.line)


def _named(file: str, inside: str) -> str:
    return file if not file or file.startswith("/") else inside + file
