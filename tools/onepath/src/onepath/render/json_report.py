"""A report as JSON; its shape is held by `schemas/report.schema.json`."""

from __future__ import annotations

import json
from typing import Any

from onepath.graph import Place
from onepath.render.report import Report
from onepath.rules.contract import Finding

SCHEMA = "onepath/report/v1"


def render(report: Report) -> str:
    """The report as JSON text, keys in the schema's order."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": report.version,
        "clean": not report.findings and not report.faults,
        "counts": report.counts(),
        "findings": [_finding(report, finding) for finding in report.findings],
        "waived": [_finding(report, finding) for finding in report.waived],
        "known": [_finding(report, finding) for finding in report.known],
        "faults": [{"contract": fault.contract, "key": fault.key, "message": fault.message} for fault in report.faults],
        "proofs": [
            {
                "rule": proof.rule,
                "contract": proof.contract,
                "sentences": list(proof.sentences),
                "waysOut": [{"node": node, "reason": reason} for node, reason in proof.ways_out],
            }
            for proof in report.proofs
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "name": report.name_of(finding.rule),
        "contract": finding.contract,
        "message": finding.message,
        "where": finding.where,
        "place": _place(finding.place),
        "evidence": [{"symbol": hop.symbol, "place": _place(hop.place), "note": hop.note} for hop in finding.evidence],
        "instead": finding.instead,
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line} if place else None
