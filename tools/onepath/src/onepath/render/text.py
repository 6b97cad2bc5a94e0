"""A report for people at a terminal: each finding with its way, hop by hop, and what to do instead."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from onepath.render.report import Report
from onepath.rules.contract import Finding, Hop

_MOST_ALIKE: Final = 3
"""How many findings are told beside the first that begins at the same line; the rest is counted."""
_BOLD, _DIM, _RED, _GREEN, _YELLOW, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"


def render(report: Report, *, color: bool = False) -> str:
    """The report as text, with a newline at its end."""
    lines = [_painted(f"{fault.contract}: {fault.key}: {fault.message}", _YELLOW, color) for fault in report.faults]
    if report.faults:
        lines.append("")
    for _, alike in itertools.groupby(report.findings, key=_beginning):
        first, *others = alike
        told = [first] if len(others) > _MOST_ALIKE else [first, *others]
        for finding in told:
            lines.extend(_finding(report, finding, color))
            lines.append("")
        if len(others) > _MOST_ALIKE:
            lines[-1:] = [*_likewise(others, color), ""]
    for proof in report.proofs:
        lines.append(_painted(f"✓ {proof.rule} {report.name_of(proof.rule)} · {proof.contract}", _GREEN, color))
        lines.extend(f"    {sentence}" for sentence in proof.sentences)
        lines.extend(f"    way out: {node}: {reason}" for node, reason in proof.ways_out)
    if report.proofs:
        lines.append("")
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def _beginning(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.contract, finding.where, finding.place


def _likewise(findings: Sequence[Finding], color: bool) -> Iterator[str]:
    """Further findings that begin where one before them does: to mend its beginning mends them."""
    yield "  from the same line:"
    for finding in findings[:_MOST_ALIKE]:
        yield f"    {finding.message}" + _painted(f"  onepath explain {finding.fingerprint}", _DIM, color)
    yield f"    … and {len(findings) - _MOST_ALIKE} more, which `--format json` lists"


def summary(report: Report) -> str:
    """One line: how many findings, by rule, and what was borne."""
    counts = report.counts()
    total = sum(counts.values())
    by_rule = f" ({', '.join(f'{rule} {count}' for rule, count in counts.items())})" if counts else ""
    parts = [f"{total or 'no'} finding{'' if total == 1 else 's'}{by_rule}"]
    if report.faults:
        parts.append(f"{len(report.faults)} fault{'' if len(report.faults) == 1 else 's'} of the configuration")
    if report.waived:
        parts.append(f"{len(report.waived)} waived")
    if report.known:
        parts.append(f"{len(report.known)} in the baseline")
    return " · ".join(parts)


def hops(evidence: Sequence[Hop]) -> list[str]:
    """A way, one line a hop, in columns: place, symbol, how it goes on."""
    places = [str(hop.place) if hop.place else "" for hop in evidence]
    wide = max(map(len, places), default=0)
    longest = max((len(hop.symbol) for hop in evidence if hop.note), default=0)
    return [
        f"{place:<{wide}}  {hop.symbol:<{longest if hop.note else 0}}  {hop.note}".rstrip()
        for place, hop in zip(places, evidence, strict=True)
    ]


def _finding(report: Report, finding: Finding, color: bool) -> Iterator[str]:
    title = f"{finding.rule} {report.name_of(finding.rule)}"
    if finding.contract:
        title += f" · {finding.contract}"
    yield _painted(title, _BOLD + _RED, color)
    place = f"{finding.place}: " if finding.place else ""
    yield f"  {place}{finding.message}"
    if finding.evidence:
        yield ""
        for line in hops(finding.evidence):
            yield f"    {line}"
        yield ""
    if finding.instead:
        yield f"  instead: {finding.instead}"
    yield _painted(f"  onepath explain {finding.fingerprint}", _DIM, color)


def _painted(text: str, paint: str, color: bool) -> str:
    return f"{paint}{text}{_OFF}" if color else text
