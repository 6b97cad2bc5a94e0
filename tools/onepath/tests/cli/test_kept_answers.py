"""An unchanged project is answered from what was kept; whatever its answer was made of, a change of it is seen."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

import onepath as package
from onepath import looking
from onepath.answers import Answers
from onepath.cli.loading import judged
from onepath.config import read_project
from onepath.looking import Looked, seen_again


class Ran(msgspec.Struct):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]

_TELLS = """
import sys
from onepath.cli import run
code = run(sys.argv[1:])
heavy = {"networkx", "griffe", "jinja2", "markdown_it"}
heavy |= {"onepath.facts.extract", "onepath.link", "onepath.rules.judging"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
_NOTHING = "[]"

_SWITCHES = '''"""Switches."""
from dataclasses import dataclass, field


@dataclass
class Switch:
    key: str
    values: tuple
    default: str
    description: str
    sides: dict = field(default_factory=dict)


SWITCHES = [
    Switch("bank", ("v1", "v2"), "v1", "Which bank.", {"v1": "shop.bank", "v2": "data/two.json"}),
]
'''


def lint(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own; it ends its error stream with the heavy modules it imported."""
    command = [sys.executable, "-c", _TELLS, "lint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kept(*arguments: str) -> bool:
    """Whether the answer was there already."""
    return lint(*arguments).stderr.strip().splitlines()[-1] == _NOTHING


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


@pytest.fixture
def shop_kept(shop: Path, onepath: Run) -> Path:
    """The shop with regions, switches, a waiver and a baseline; its answer is kept."""
    (shop / "shop" / "choices.py").write_text(_SWITCHES)
    (shop / "data").mkdir()
    (shop / "data" / "two.json").write_text("{}")
    (shop / "test_bank.py").write_text("def test_both(): ...\n")
    edit(
        shop / "onepath.toml",
        "[docs]",
        '[switches]\nregistry = "shop.choices.SWITCHES"\n[switches.differentials]\n'
        'bank = "test_bank.py::test_both"\n\n[docs]',
    )
    edit(shop / "onepath.toml", "cache =", 'baseline = "known.json"\ncache =')
    edit(shop / "shop" / "framework.py", '"""Registers handlers."""', '"""Registers handlers."""\nimport shop.bank')
    edit(
        shop / "onepath.toml",
        '["web", "app", "bank"]',
        '["web", "app", "bank", "framework"]',
    )
    text = (shop / "onepath.toml").read_text()
    (shop / "onepath.toml").write_text(
        text + '[[waivers]]\nrule = "OP004"\nwhere = "shop.framework"\nreason = "old"\nowner = "me"\n'
        "expires = 2126-01-01\n"
    )
    assert onepath("docs").code == 0
    onepath("lint", "--update-baseline")
    assert onepath("lint").code == 0
    assert kept()
    return shop


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_kept_answer_is_the_answer_in_every_format(shop_kept: Path, onepath: Run, form: str) -> None:
    again = lint("--format", form)
    assert again.stderr.strip().splitlines()[-1] == _NOTHING
    shutil.rmtree(shop_kept / ".cache")
    anew = onepath("lint", "--format", form)
    assert (anew.code, anew.out) == (again.returncode, again.stdout)


def test_a_finding_is_kept_with_its_way_and_its_exit_code(shop_kept: Path, onepath: Run) -> None:
    edit(
        shop_kept / "shop" / "web.py",
        "return flow.run(request)",
        "import shop.bank\n    return shop.bank.send(request)",
    )
    anew = onepath("lint")
    again = lint()
    assert again.stderr.strip().splitlines()[-1] == _NOTHING
    assert anew.code == again.returncode == 1
    assert anew.out == again.stdout
    assert "OP001" in again.stdout


def _same_size_and_times(shop: Path) -> None:
    file = shop / "shop" / "app" / "flow.py"
    before = file.stat()
    edit(file, "return bank.send(request)", "return bank.sent(request)")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def _another_file_in_its_place(shop: Path) -> None:
    file = shop / "shop" / "web.py"
    other = shop / "web.new"
    other.write_text(file.read_text().replace("flow.run(request)", "bank.send(request)"))
    other.replace(file)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a module": lambda shop: edit(shop / "shop" / "bank.py", "import socket", "import socket, shop.web"),
    "a module, as long and as old as before": _same_size_and_times,
    "a module replaced": _another_file_in_its_place,
    "a module more": lambda shop: (shop / "shop" / "more.py").write_text("def f(:\n"),
    "a module less": lambda shop: (shop / "shop" / "app" / "flow.py").unlink(),
    "a module renamed": lambda shop: (shop / "shop" / "web.py").rename(shop / "shop" / "net.py"),
    "a page": lambda shop: edit(shop / "README.md", "Orchestrates.", "Conducts."),
    "a page less": lambda shop: (shop / "README.md").unlink(),
    "the configuration": lambda shop: edit(shop / "onepath.toml", '["web", "app", "bank"', '["app", "web", "bank"'),
    "the waiver": lambda shop: edit(shop / "onepath.toml", "2126-01-01", "2026-01-01"),
    "the baseline": lambda shop: (shop / "known.json").write_text("{}"),
    "the differential test": lambda shop: edit(shop / "test_bank.py", "test_both", "test_one"),
    "the differential test less": lambda shop: (shop / "test_bank.py").unlink(),
    "a side's data file": lambda shop: (shop / "data" / "two.json").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_anything_is_judged(shop_kept: Path, onepath: Run, what: str) -> None:
    before = onepath("lint").out
    CHANGES[what](shop_kept)
    changed = onepath("lint")
    shutil.rmtree(shop_kept / ".cache")
    anew = onepath("lint")
    assert (changed.code, changed.out) == (anew.code, anew.out)
    assert changed.out != before


def test_a_file_that_is_only_touched_or_copied_changes_nothing(shop_kept: Path) -> None:
    (shop_kept / "shop" / "web.py").touch()
    copy = shop_kept / "copy.md"
    shutil.copyfile(shop_kept / "README.md", copy)
    copy.replace(shop_kept / "README.md")
    assert kept()


def test_a_change_of_onepath_itself_is_judged(
    shop_kept: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("tool")
    shutil.copytree(package.__path__[0], home / "onepath", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(home))
    assert not kept()
    assert kept()
    (home / "onepath" / "rules" / "layers.py").touch()
    assert kept()
    edit(home / "onepath" / "rules" / "layers.py", "OP004", "OP104")
    assert not kept()
    (home / "onepath" / "rules" / "more.py").touch()
    assert not kept()
    assert kept()


def test_onepath_grows_older_and_stays_the_same(shop_kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was edited just now is known by its content, and later by its times."""
    project = read_project(shop_kept / "onepath.toml")
    today = datetime.datetime.now(tz=datetime.UTC).date()
    monkeypatch.setattr(looking, "_YOUNG", 10**18)
    (shop_kept / "shop" / "web.py").write_text('"""Routes."""\n')
    judged(project, jobs=1, quiet=True, today=today)
    assert Answers(project, today).told() is not None
    monkeypatch.setattr(looking, "_YOUNG", -(10**12))
    assert Answers(project, today).told() is not None


def test_a_waiver_ends_with_its_day(shop_kept: Path) -> None:
    project = read_project(shop_kept / "onepath.toml")

    def findings(day: datetime.date) -> list[str]:
        return [one.message for one in judged(project, jobs=1, quiet=True, today=day).findings]

    last = datetime.date(2126, 1, 1)
    assert findings(last) == []
    assert any("expired" in message for message in findings(last + datetime.timedelta(days=1)))
    assert findings(last) == []


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "another shape"])
def test_a_broken_entry_is_no_entry(shop_kept: Path, onepath: Run, harm: str) -> None:
    before = onepath("lint")
    for file in (shop_kept / ".cache").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            middle = len(data) // 2
            file.write_bytes(
                {
                    "cut": data[:middle],
                    "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
                    "emptied": b"",
                    "another shape": looking.digest_of(data).encode(),
                }[harm]
            )
    again = onepath("lint")
    assert (again.code, again.out) == (before.code, before.out)
    assert kept()


def test_runs_beside_each_other_say_the_same(shop_kept: Path) -> None:
    shutil.rmtree(shop_kept / ".cache")
    command = [sys.executable, "-m", "onepath", "lint"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({run.communicate()[0] for run in running}) == 1
    assert {run.returncode for run in running} == {0}
    assert kept()


def test_every_file_of_the_project_that_is_opened_is_noted(shop_kept: Path) -> None:
    """What is read past the notes would make kept answers lie."""
    shutil.rmtree(shop_kept / ".cache")
    script = """
import json, sys
from pathlib import Path
from onepath import load
from onepath.config import read_project
from onepath.rules.judging import judge
project = read_project(Path("onepath.toml"))
opened = set()
here = str(Path.cwd())
def note(event, given):
    if event == "open" and isinstance(given[0], str) and given[0].startswith(here):
        opened.add(given[0])
sys.addaudithook(note)
model = load(project, jobs=1, whole=False)
judge(project, model)
print(json.dumps([sorted(opened), sorted(model.looked.sights)]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    opened, noted = json.loads(ran.stdout)
    unnoted = [one for one in opened if one not in noted and f"{os.sep}.cache{os.sep}" not in one]
    assert unnoted == []
    assert str(shop_kept / "README.md") in noted
    assert str(shop_kept / "test_bank.py") in noted
    assert str(shop_kept / "known.json") in noted


@pytest.fixture
def none_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_YOUNG", -(10**12))


def test_a_file_changed_just_now_is_known_by_its_content_alone(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    looked = Looked()
    looked.content(file)
    assert looked.sights[str(file)].identity is None
    file.write_text("two")
    assert seen_again(looked.sights) is None


@pytest.mark.usefixtures("none_is_young")
def test_an_older_file_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    looked = Looked()
    looked.content(file)
    assert seen_again({str(file): looked.sights[str(file)]}) == looked.sights
    wrong = msgspec.structs.replace(looked.sights[str(file)], state="sha256:0")
    assert seen_again({str(file): wrong}) is not None, "its identity is enough"
    file.write_text("one more")
    assert seen_again(looked.sights) is None


def test_what_changes_while_it_is_looked_at_is_no_state(tmp_path: Path) -> None:
    file = tmp_path / "a"
    looked = Looked()
    assert not looked.is_file(file)
    with suppress(OSError):
        looked.content(tmp_path / "b")
    assert looked.is_one_state
    assert seen_again(looked.sights) is not None
    file.write_text("one")
    assert seen_again(looked.sights) is None
    looked.content(file)
    assert not looked.is_one_state


def test_where_only_lines_moved_the_new_lines_are_told(shop_kept: Path, onepath: Run) -> None:
    web = shop_kept / "shop" / "web.py"
    edit(web, "return flow.run(request)", "from shop import bank\n    return bank.send(request)")
    assert "shop/web.py:9" in onepath("lint").out
    edit(web, "@route", "# One more line.\n\n@route")
    ran = onepath("lint")
    assert "shop/web.py:11" in ran.out
    shutil.rmtree(shop_kept / ".cache")
    assert onepath("lint").out == ran.out
