"""What is borne, for how long, and by whom: waivers and the baseline."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from onepath.config import Project, parse_configuration
from onepath.graph import Import, Place, Program
from onepath.rules.contract import Model
from onepath.rules.judging import RULES, Verdict, judge

CONTRACT = 'roots = ["a"]\n[[forbidden]]\nname = "pure"\nfrom = ["a"]\nto = ["Requests"]\n'
TODAY = datetime.date(2026, 6, 1)


def waiver(where: str = "a.x.f", expires: str = "2026-06-01", rule: str = "OP005") -> str:
    return f'[[waivers]]\nrule = "{rule}"\nwhere = "{where}"\nreason = "r"\nowner = "ann"\nexpires = {expires}\n'


def verdict(folder: Path, text: str, *scopes: str, update: bool = False) -> Verdict:
    imports = tuple(
        Import("a.x", "Requests", "", Place("a/x.py", line), scope, False, False, "Requests")
        for line, scope in enumerate(scopes, 1)
    )
    program = Program(
        modules={"a": "a/__init__.py", "a.x": "a/x.py"},
        packages=("a",),
        functions={},
        edges=(),
        imports=imports,
        symbols={},
    )
    project = Project(folder, "onepath.toml", parse_configuration(text))
    return judge(project, Model(folder, project.configuration, program), update_baseline=update, today=TODAY)


def test_every_rule_has_an_id_a_name_and_a_sentence_and_they_are_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(rule.name and rule.summary.endswith(".") for rule in RULES)


def test_every_rule_has_its_page() -> None:
    from onepath.cli.pages import pages, section

    texts = pages()
    for rule in RULES:
        assert texts[rule.id].startswith(f"# {rule.id} · {rule.name}\n")
    for text in texts.values():
        for title in ("Why", "What is checked", "Example", "Evidence", "How to fix"):
            assert section(text, title), f"{text.splitlines()[0]} lacks {title}"


def test_a_waiver_bears_its_symbol_until_its_last_day(tmp_path: Path) -> None:
    found = verdict(tmp_path, CONTRACT + waiver(), "a.x.f", "a.x.g")
    assert [finding.where for finding in found.findings] == ["a.x.g"]
    assert [finding.where for finding in found.waived] == ["a.x.f"]


def test_a_waiver_on_a_class_bears_its_methods(tmp_path: Path) -> None:
    assert verdict(tmp_path, CONTRACT + waiver("a.x.C"), "a.x.C.m").findings == ()


def test_an_expired_waiver_bears_nothing_and_is_a_finding(tmp_path: Path) -> None:
    found = verdict(tmp_path, CONTRACT + waiver(expires="2026-05-31"), "a.x.f")
    assert [finding.message for finding in found.findings] == [
        "a.x imports Requests, which is forbidden to it",
        "the waiver of OP005 for a.x.f (ann) expired on 2026-05-31",
    ]


def test_an_unused_waiver_is_a_finding(tmp_path: Path) -> None:
    found = verdict(tmp_path, CONTRACT + waiver(rule="OP004"), "a.x.g")
    assert "the waiver of OP004 for a.x.f (ann) waives nothing" in [finding.message for finding in found.findings]


def test_a_waiver_on_a_module_bears_its_body_alone(tmp_path: Path) -> None:
    found = verdict(tmp_path, CONTRACT + waiver("a.x"), "a.x", "a.x.f")
    assert [finding.where for finding in found.findings] == ["a.x.f"]


@pytest.mark.parametrize("where", ["a", "a.*"])
def test_a_waiver_on_a_package_is_refused(tmp_path: Path, where: str) -> None:
    found = verdict(tmp_path, CONTRACT + waiver(where), "a.x.f")
    assert "is a package; waive symbols" in found.faults[0].message
    assert [finding.where for finding in found.findings] == ["a.x.f"]


BASELINE = 'baseline = "known.json"\n' + CONTRACT


def test_a_baseline_bears_what_was_known_when_it_was_written(tmp_path: Path) -> None:
    assert len(verdict(tmp_path, BASELINE, "a.x.f", update=True).known) == 1
    found = verdict(tmp_path, BASELINE, "a.x.new", "a.x.f")
    assert [finding.where for finding in found.findings] == ["a.x.new"]
    assert [finding.where for finding in found.known] == ["a.x.f"]


def test_a_baseline_shrinks_by_itself_and_does_not_grow(tmp_path: Path) -> None:
    verdict(tmp_path, BASELINE, "a.x.f", "a.x.g", update=True)
    verdict(tmp_path, BASELINE, "a.x.g", "a.x.new")
    kept = json.loads((tmp_path / "known.json").read_text())["findings"]
    assert [one["where"] for one in kept] == ["a.x.g"]
    assert [one.where for one in verdict(tmp_path, BASELINE, "a.x.f", "a.x.g").findings] == ["a.x.f"]


def test_a_baseline_does_not_change_when_lines_do(tmp_path: Path) -> None:
    verdict(tmp_path, BASELINE, "a.x.f", update=True)
    before = (tmp_path / "known.json").read_bytes()
    assert verdict(tmp_path, BASELINE, "a.x.f").findings == ()
    assert (tmp_path / "known.json").read_bytes() == before
    assert b"a/x.py" not in before


def test_a_baseline_that_cannot_be_read_is_a_fault_and_bears_nothing(tmp_path: Path) -> None:
    (tmp_path / "known.json").write_text("{")
    found = verdict(tmp_path, BASELINE, "a.x.f")
    assert "known.json cannot be read" in found.faults[0].message
    assert len(found.findings) == 1
    assert (tmp_path / "known.json").read_text() == "{"


def test_findings_come_in_one_order(tmp_path: Path) -> None:
    one = verdict(tmp_path, CONTRACT, "a.x.f", "a.x.g").findings
    assert [finding.where for finding in one] == ["a.x.f", "a.x.g"]
