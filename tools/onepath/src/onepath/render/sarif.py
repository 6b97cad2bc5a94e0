"""A report as SARIF 2.1.0, as code scanning accepts it: fingerprints without lines, the way as a code flow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from onepath.graph import Place
from onepath.render.report import Report, RuleCard
from onepath.rules.contract import Finding, Hop

_BASE = "%SRCROOT%"


def render(report: Report, help_texts: Mapping[str, str] | None = None) -> str:
    """The report as SARIF text. `help_texts`: by rule id, its page as Markdown."""
    cards = _cards(report)
    indices = {card.id: index for index, card in enumerate(cards)}
    results = [_result(report, finding, indices) for finding in report.findings]
    results += [
        {**_result(report, finding, indices), "suppressions": [{"kind": "external", "justification": why}]}
        for findings, why in ((report.waived, "waived in the configuration"), (report.known, "in the baseline"))
        for finding in findings
    ]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "onepath",
                        "semanticVersion": report.version,
                        "rules": [_rule(card, (help_texts or {}).get(card.id, "")) for card in cards],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    _BASE: {
                        "description": {
                            "text": "The root of the checkout; without one, the folder of the configuration."
                        }
                    }
                },
                "invocations": [_invocation(report)],
                "results": results,
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _cards(report: Report) -> list[RuleCard]:
    known = {card.id: card for card in report.rules}
    for finding in (*report.findings, *report.waived, *report.known):
        known.setdefault(finding.rule, RuleCard(finding.rule, finding.rule, finding.rule))
    return [known[key] for key in sorted(known)]


def _rule(card: RuleCard, page: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": card.id,
        "name": card.name,
        "shortDescription": {"text": card.summary},
        "fullDescription": {"text": card.summary},
        "defaultConfiguration": {"level": "error"},
        "help": {"text": f"{card.summary} `onepath explain {card.id}` says more."},
        "properties": {"tags": ["architecture"], "precision": "high"},
    }
    if page:
        rule["help"]["markdown"] = page
    return rule


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": not report.faults}
    if report.faults:
        invocation["toolConfigurationNotifications"] = [
            {"level": "error", "message": {"text": f"{fault.contract}: {fault.key}: {fault.message}"}}
            for fault in report.faults
        ]
    return invocation


def _result(report: Report, finding: Finding, indices: Mapping[str, int]) -> dict[str, Any]:
    text = finding.message[:1].upper() + finding.message[1:]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": indices[finding.rule],
        "level": "error",
        "message": {"text": f"{text}. Instead: {finding.instead}." if finding.instead else f"{text}."},
        "locations": [
            {
                "physicalLocation": _physical(finding.place or Place(report.configuration, 1)),
                "logicalLocations": [{"fullyQualifiedName": finding.where}],
            }
        ],
        "partialFingerprints": {"onepath/v1": finding.fingerprint},
    }
    if finding.contract:
        result["properties"] = {"contract": finding.contract}
    if finding.evidence:
        result["codeFlows"] = [{"threadFlows": [{"locations": [_step(hop) for hop in finding.evidence]}]}]
    return result


def _step(hop: Hop) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": hop.symbol}],
        "message": {"text": f"{hop.symbol} {hop.note}".strip()},
    }
    if hop.place:
        location["physicalLocation"] = _physical(hop.place)
    return {"location": location}


def _physical(place: Place) -> dict[str, Any]:
    absolute = place.file.startswith("/")
    artifact = {"uri": f"file://{quote(place.file)}"} if absolute else {"uri": quote(place.file), "uriBaseId": _BASE}
    return {"artifactLocation": artifact, "region": {"startLine": max(place.line, 1)}}
