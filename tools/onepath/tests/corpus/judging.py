"""Holds onepath against the labels: what it caught, missed and flagged without reason.

    python -m tests.corpus.judging [TEXT]    # the table, and each application (whose id holds TEXT) that went wrong

A bypass is caught by OP001 with a line of the way round in its evidence. Where the target cannot be computed (`opaque`)
OP003 will do as well. An innocent application has no finding at all, whatever the rule.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

import onepath
from onepath.config import Configuration, Project
from onepath.rules import judging
from onepath.rules.contract import Finding

from .labelling import read_labels
from .loading import App, load

OPAQUE: Final = "OP003"
BYPASS: Final = "OP001"


@dataclass(frozen=True)
class Result:
    """One application and what onepath said of it."""

    app: App
    fault: str
    """Why that is wrong; empty if it is right."""
    findings: tuple[Finding, ...]


def findings(app: App, folder: Path) -> tuple[Finding, ...]:
    """What onepath says of one application, unfolded below `folder`."""
    app.unfold(folder)
    told = {"roots": list(app.roots), "cache": "", "path": [app.contract]}
    project = Project(folder, "onepath.toml", msgspec.convert(told, Configuration))
    verdict = judging.judge(project, onepath.load(project, jobs=1, whole=False))
    if verdict.faults:
        raise AssertionError(f"{app.source}: the contract speaks of nothing: {verdict.faults}")
    return verdict.findings


def fault(app: App, told: Iterable[Finding], lines: Iterable[str]) -> str:
    """Why these findings are wrong for this application; `lines` are those of its way round when it ran."""
    told = tuple(told)
    said = "; ".join(f"{one.rule} {one.where}: {one.message}" for one in told)
    if app.kind == "innocent":
        return f"innocent, but {said}" if told else ""
    counting = [one for one in told if one.rule == BYPASS or (app.kind == "opaque" and one.rule == OPAQUE)]
    if not counting:
        return f"not caught as {app.kind}; told: {said or 'nothing'}"
    if app.kind == "opaque":
        return ""
    known = set(lines)
    named = {f"{hop.place.file}:{hop.place.line}" for one in counting for hop in one.evidence if hop.place is not None}
    if known and not known & named:
        return f"caught, but the evidence {sorted(named)} holds no line of the way round {sorted(known)}"
    return ""


def judged(apps: Iterable[App]) -> list[Result]:
    """All of them, in order."""
    labels = read_labels()
    results = []
    with tempfile.TemporaryDirectory() as place:
        for number, app in enumerate(apps):
            try:
                told = findings(app, Path(place, str(number)))
                wrong = fault(app, told, labels[app.id]["at"])
            except Exception as error:
                told, wrong = (), f"crashed: {type(error).__name__}: {error}"
            results.append(Result(app, wrong, told))
    return results


def table(results: Iterable[Result]) -> str:
    """By technique: bypasses caught of all, missed, false alarms of all innocents."""
    counts: dict[str, Counter[str]] = {}
    for one in results:
        row = counts.setdefault(one.app.technique, Counter())
        kind = "innocent" if one.app.kind == "innocent" else "bypass"
        row[kind] += 1
        row["false" if kind == "innocent" else "missed"] += bool(one.fault)
    lines = [f"{'technique':28} {'caught':>9} {'missed':>7} {'false alarms':>13}"]
    total = sum(counts.values(), Counter())
    for name, row in [*counts.items(), ("all", total)]:
        caught = f"{row['bypass'] - row['missed']}/{row['bypass']}"
        lines.append(f"{name:28} {caught:>9} {row['missed']:>7} {row['false']:>9}/{row['innocent']}")
    return "\n".join(lines)


def main() -> int:
    """See the module."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    results = judged(app for app in load() if wanted in app.id and app.runs_here)
    print(table(results))
    wrong = [one for one in results if one.fault]
    for one in wrong:
        print(f"{one.app.source}: {one.app.id}: {one.fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
