"""A report as GitHub workflow commands: one annotation a finding, the way in its text."""

from __future__ import annotations

from onepath.render.report import Report
from onepath.render.text import hops, summary


def render(report: Report) -> str:
    """Workflow commands, one a line, then the summary as plain text."""
    lines = [
        f"::error file={_property(report.configuration)},title=onepath: configuration::"
        f"{_data(f'{fault.contract}: {fault.key}: {fault.message}')}"
        for fault in report.faults
    ]
    for finding in report.findings:
        place = f"file={_property(finding.place.file)},line={max(finding.place.line, 1)}" if finding.place else ""
        place = place or f"file={_property(report.configuration)}"
        title = _property(f"{finding.rule} {report.name_of(finding.rule)}")
        text = [finding.message, *hops(finding.evidence)]
        if finding.instead:
            text.append(f"Instead: {finding.instead}")
        lines.append(f"::error {place},title={title}::" + _data("\n".join(text)))
    return "\n".join([*lines, summary(report)]) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
