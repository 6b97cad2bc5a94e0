"""OP003 tells, where something that cannot be computed is called, where it comes from."""

from __future__ import annotations

from pathlib import Path

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules.contract import Finding
from onepath.rules.opaque import RULE

CONTRACT = """roots = ["app"]
cache = ""

[[path]]
name = "one way"
entries = ["app.main.start"]
through = ["app.main.start"]
sinks = ["@network"]
guarded = ["app.main"]
"""
MAIN = """import socket
from app import table


def start(name):
    socket.create_connection(name)
    table.taken(table, name)()
"""


def told(folder: Path, **sources: str) -> tuple[Finding, ...]:
    (folder / "app").mkdir()
    for name, text in {"__init__": "", **sources}.items():
        (folder / "app" / f"{name}.py").write_text(text)
    return RULE.check(onepath.load(Project(folder, "onepath.toml", parse_configuration(CONTRACT)), jobs=1)).findings


def shown(finding: Finding) -> list[str]:
    return [f"{hop.place or ''} {hop.symbol} {hop.note}".strip() for hop in finding.evidence]


def test_what_is_called_far_from_where_it_was_taken_is_told_with_both_places(tmp_path: Path) -> None:
    (finding,) = told(tmp_path, main=MAIN, table="def taken(a, b):\n    return getattr(a, b)\n")
    assert shown(finding) == [
        "app/table.py:2 app.table.taken calls getattr, which may give it",
        "app/main.py:7 app.main.start calls what getattr gave",
    ]


def test_what_is_called_where_it_was_taken_is_told_once(tmp_path: Path) -> None:
    here = MAIN.replace("table.taken(table, name)()", "getattr(table, name)()")
    (finding,) = told(tmp_path, main=here, table="def other(a, b):\n    return getattr(a, b)\n")
    assert shown(finding) == ["app/main.py:7 app.main.start calls what getattr gave"]


def test_of_many_places_it_may_come_from_some_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    takers = "".join(f"    a = getattr(a, b{number})\n" for number in range(7))
    names = ", ".join(f"b{number}" for number in range(7))
    table = f"def all_of(a, {names}):\n{takers}    return a\n\n\ndef taken(a, b):\n    return all_of(a, {'b, ' * 7})\n"
    (finding,) = told(tmp_path, main=MAIN, table=table)
    assert len(finding.evidence) == 7
    assert shown(finding)[5] == "… and 2 more"
