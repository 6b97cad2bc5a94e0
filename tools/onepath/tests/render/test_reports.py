"""Each format of a report says all of it, in the shape its readers ask for."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from onepath.graph import Place
from onepath.render import github, json_report, sarif, text
from onepath.render.report import Report
from onepath.rules.contract import Finding, Hop

HERE = Path(__file__).parent


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(resources.files("onepath.render").joinpath(f"schemas/{name}").read_text()))


def sarif_schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((HERE / "sarif-2.1.0.subset.schema.json").read_text()))


def test_text_shows_the_way_hop_by_hop_in_columns(report: Report) -> None:
    shown = text.render(report)
    assert "OP001 bypass · single-path\n  src/host/web page.py:12: host.web.index reaches" in shown
    assert (
        "    src/host/web page.py:12  host.web.index  calls host.x.fetch\n"
        "    src/host/x.py:40         host.x.fetch    may call socket.create_connection\n"
        "                             socket.create_connection\n"
    ) in shown
    assert "instead: call host.flow.run" in shown
    assert "single-path: entries[1]: `host.gone` matches nothing" in shown
    assert "✓ OP001 bypass · other\n    From 2 entries nothing reaches a sink.\n    way out: host.auth: tokens" in shown


def test_text_ends_with_one_line_that_sums_up(report: Report) -> None:
    assert text.render(report).splitlines()[-1] == (
        "2 findings (OP001 1, OP004 1) · 1 fault of the configuration · 1 waived · 1 in the baseline"
    )
    assert text.render(Report(findings=())) == "no findings\n"


def test_text_is_painted_only_on_demand(report: Report) -> None:
    assert "\x1b" not in text.render(report)
    assert "\x1b[31m" in text.render(report, color=True)


def test_json_fulfils_its_schema(report: Report) -> None:
    document = json.loads(json_report.render(report))
    schema("report.schema.json").validate(document)
    assert [finding["rule"] for finding in document["findings"]] == ["OP001", "OP004"]
    assert document["findings"][0]["evidence"][1] == {
        "symbol": "host.x.fetch",
        "place": {"file": "src/host/x.py", "line": 40},
        "note": "may call socket.create_connection",
    }


def test_the_schema_of_json_refuses_what_is_not_in_it(report: Report) -> None:
    document: dict[str, Any] = json.loads(json_report.render(report))
    document["findings"][0]["severity"] = "high"
    with pytest.raises(ValidationError):
        schema("report.schema.json").validate(document)


def test_sarif_fulfils_the_standard(report: Report) -> None:
    document = json.loads(sarif.render(report, {"OP001": "# bypass"}))
    sarif_schema().validate(document)
    run = document["runs"][0]
    assert [result["ruleId"] for result in run["results"]] == ["OP001", "OP004", "OP005", "OP005"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_of_a_clean_run_fulfils_the_standard() -> None:
    document = json.loads(sarif.render(Report(findings=())))
    sarif_schema().validate(document)
    assert document["runs"][0]["results"] == []


def test_sarif_carries_the_way_as_a_code_flow(report: Report) -> None:
    result = json.loads(sarif.render(report))["runs"][0]["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [step["location"]["logicalLocations"][0]["fullyQualifiedName"] for step in steps] == [
        "host.web.index",
        "host.x.fetch",
        "socket.create_connection",
    ]
    assert steps[1]["location"]["physicalLocation"]["region"] == {"startLine": 40}


def test_sarif_writes_paths_as_uris(report: Report) -> None:
    results = json.loads(sarif.render(report))["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in results]
    assert places[0] == {"uri": "src/host/web%20page.py", "uriBaseId": "%SRCROOT%"}
    assert places[1] == {"uri": "pyproject.toml", "uriBaseId": "%SRCROOT%"}
    assert places[3] == {"uri": "file:///elsewhere/b.py"}


def test_sarif_suppresses_what_is_borne(report: Report) -> None:
    results = json.loads(sarif.render(report))["runs"][0]["results"]
    assert [bool(result.get("suppressions")) for result in results] == [False, False, True, True]


def test_sarif_tells_faults_of_the_configuration(report: Report) -> None:
    invocation = json.loads(sarif.render(report))["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert "host.gone" in invocation["toolConfigurationNotifications"][0]["message"]["text"]


def test_github_annotations_escape_what_would_end_them(report: Report) -> None:
    lines = github.render(report).splitlines()
    assert lines[0].startswith("::error file=pyproject.toml,title=onepath: configuration::single-path: entries[1]")
    assert lines[1].startswith("::error file=src/host/web page.py,line=12,title=OP001 bypass::host.web.index reaches")
    assert "%0ASrc" not in lines[1]
    assert "%0Asrc/host/x.py:40" in lines[1]
    assert "100%25: it is the way" in lines[1]
    assert lines[2].startswith("::error file=pyproject.toml,title=OP004 layers::")
    assert len(lines) == 4


def test_every_format_is_the_same_twice(report: Report) -> None:
    for render in (text.render, json_report.render, sarif.render, github.render):
        assert render(report) == render(report)


def test_text_tells_what_begins_at_one_line_once_and_counts_the_rest() -> None:
    place = Place("a.py", 7)
    many = tuple(
        Finding(
            "OP007", "apart", f"a imports b{number} over c", "a", place, (Hop("a", place, "imports c"),), "pass it in"
        )
        for number in range(6)
    )
    shown = text.render(Report(findings=(*many, Finding("OP007", "apart", "z imports b0", "z", Place("z.py", 1)))))
    assert shown.count("imports c\n") == 1
    assert "  from the same line:\n    a imports b1 over c" in shown
    assert "a imports b3" in shown
    assert "a imports b4" not in shown
    assert "    … and 2 more, which `--format json` lists\n\nOP007" in shown
    assert shown.endswith("7 findings (OP007 7)\n")


def test_text_shows_the_way_of_each_of_a_few_findings_at_one_line() -> None:
    place = Place("a.py", 7)
    few = tuple(
        Finding("OP001", "way", f"a reaches b{number}", "a", place, (Hop("a", place, "calls b"),))
        for number in range(4)
    )
    shown = text.render(Report(findings=few))
    assert shown.count("calls b\n") == 4
    assert "from the same line" not in shown
