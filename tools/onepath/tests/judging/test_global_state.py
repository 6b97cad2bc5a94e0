"""OP013: every way a function changes what is global is a finding, its innocent twin is not."""

from __future__ import annotations

from pathlib import Path

import pytest

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules.global_state import RULE

TABLES = """
import itertools
from collections import defaultdict

SEEN = set()
ROWS: list[int] = []
TABLE = {}
MANY = defaultdict(list)
COUNT = 0
IDS = itertools.count()
NAMES = ("a", "b")


class Known:
    table = {}
    flag = False

    def __init__(self):
        self.own = []
        self.flag = True

    def put(self):
        self.own.append(1)


class Clock:
    def add(self, other):
        return other


CLOCK = Clock()


def built():
    rows = []
    rows.append(1)
    return rows


ROWS.append(0)
"""
REST = """from core.tables import *
from core import tables
import core.tables as t
from core.tables import SEEN as S
"""

CHANGES = {
    "a method of a set": ("SEEN.add(x)", "core.tables.SEEN"),
    "under another name": ("S.discard(x)", "core.tables.SEEN"),
    "over the module": ("tables.ROWS.append(x)", "core.tables.ROWS"),
    "over the module's other name": ("t.ROWS.sort()", "core.tables.ROWS"),
    "an item": ("t.TABLE[x] = 1", "core.tables.TABLE"),
    "an item taken out": ("del t.TABLE[x]", "core.tables.TABLE"),
    "an item added to": ("t.TABLE[x] += 1", "core.tables.TABLE"),
    "a default": ("t.MANY.setdefault(x, [])", "core.tables.MANY"),
    "a copy of the name": ("rows = t.ROWS\n    rows.extend(x)", "core.tables.ROWS"),
    "a counter": ("return next(t.IDS)", "core.tables.IDS"),
    "bound anew from outside": ("t.COUNT = x", "core.tables.COUNT"),
    "a table of a class": ("t.Known.table[x] = 1", "core.tables.Known.table"),
    "an attribute of a class": ("t.Known.flag = x", "core.tables.Known.flag"),
    "an attribute of an object": ("t.CLOCK.hour = x", "core.tables.CLOCK"),
    "imported late": ("from core.tables import TABLE as late\n    late.clear()", "core.tables.TABLE"),
    "within a comprehension": ("return [S.add(one) for one in x]", "core.tables.SEEN"),
}
INNOCENT = {
    "a set of its own": "seen = set()\n    seen.add(x)",
    "a parameter of that name": "return (lambda TABLE: TABLE.update(x))",
    "reading": "return t.TABLE[x], t.ROWS[0], t.TABLE.get(x), len(S)",
    "a copy of the object": "rows = list(t.ROWS)\n    rows.append(x)",
    "a method that is called alike": "return t.CLOCK.add(x)",
    "an attribute of a new object": "known = t.Known()\n    known.flag = x",
    "next of its own": "return next(iter(x))",
}


def _findings(folder: Path, body: str) -> list[tuple[str, str]]:
    (folder / "core").mkdir()
    (folder / "core" / "__init__.py").write_text("")
    (folder / "core" / "tables.py").write_text(TABLES)
    (folder / "core" / "work.py").write_text(f"{REST}\n\ndef work(x):\n    {body}\n")
    text = 'roots = ["core"]\ncache = ""\n[[pure]]\nname = "pure"\nzones = ["core"]\n'
    outcome = RULE.check(onepath.load(Project(folder, "onepath.toml", parse_configuration(text)), jobs=1))
    assert not outcome.faults
    return [(one.where, one.evidence[0].symbol) for one in outcome.findings]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_is_global_is_found(tmp_path: Path, name: str) -> None:
    body, variable = CHANGES[name]
    assert [where for where, _ in _findings(tmp_path, body)] == [variable]


@pytest.mark.parametrize("name", INNOCENT)
def test_what_changes_nothing_global_is_silent(tmp_path: Path, name: str) -> None:
    assert _findings(tmp_path, INNOCENT[name]) == []


def test_a_module_variable_bound_anew_by_its_own_function_is_found(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "one.py").write_text("COUNT = 0\n\n\ndef more():\n    global COUNT\n    COUNT += 1\n")
    text = 'roots = ["core"]\ncache = ""\n[[pure]]\nname = "pure"\nzones = ["core"]\n'
    configuration = parse_configuration(text)
    (finding,) = RULE.check(onepath.load(Project(tmp_path, "onepath.toml", configuration), jobs=1)).findings
    assert finding.message == "core.one.more rebinds core.one.COUNT, a module variable of code declared pure"
    allowed = parse_configuration(text + 'allow = ["core.one.COUNT"]\n')
    assert RULE.check(onepath.load(Project(tmp_path, "onepath.toml", allowed), jobs=1)).findings == ()


@pytest.mark.parametrize("call", ["time.time()", "random.random()", "os.environ.get('HOME')", "uuid.uuid4()"])
def test_hidden_inputs_are_found_and_passed_ones_are_not(tmp_path: Path, call: str) -> None:
    module = call.partition(".")[0]
    body = f"import {module}\n    return {call}"
    assert [function for _, function in _findings(tmp_path, body)] == ["core.work.work"]
