"""The comparison of import graphs, on a small tree and what grimp would say of it."""

from __future__ import annotations

from pathlib import Path

import onepath
from onepath.config import Configuration, Project
from onepath.graph import Program

from .importing import Comparison, Grimp, compare

FILES = {
    "pkg/__init__.py": "from pkg import first\n",
    "pkg/first.py": "from pkg.second import thing\nimport importlib\nimportlib.import_module('pkg.third')\n",
    "pkg/second.py": "def thing(): ...\n",
    "pkg/third.py": "from pkg import thing\n",
    "pkg/loose/part.py": "import pkg.second\n",
    "pkg/broken.py": "import pkg.second\ndef (:\n",
    "pkg/native/__init__.py": "",
    "pkg/quick.py": "from pkg.native.fast import speed\n",
    "pkg/steps/__init__.py": "from pkg.steps.run import run\n",
    "pkg/steps/run.py": "def run(): ...\n",
    "pkg/walk.py": "from pkg.steps import run\n",
}
SEEN = {
    ("pkg", "pkg.first"): 1,
    ("pkg.first", "pkg.second"): 1,
    ("pkg.third", "pkg"): 1,
    ("pkg.broken", "pkg.second"): 1,
    ("pkg.steps", "pkg.steps.run"): 1,
    ("pkg.walk", "pkg.steps.run"): 1,
}
MODULES = frozenset(
    {"pkg", "pkg.first", "pkg.second", "pkg.third", "pkg.broken", "pkg.native", "pkg.quick", "pkg.walk"}
    | {"pkg.steps", "pkg.steps.run"}
)


def program(folder: Path) -> Program:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return onepath.load(Project(folder, "", Configuration(roots=("pkg",), cache="")), jobs=1).program


def comparison(folder: Path, imports: dict[tuple[str, str], int]) -> Comparison:
    return compare(program(folder), Grimp(MODULES, imports))


def test_each_difference_is_counted_under_its_cause(tmp_path: Path) -> None:
    seen = comparison(tmp_path, SEEN)
    assert seen.unexplained == ()
    assert seen.common == 4
    assert seen.causes == {"computed": 1, "no-init": 1, "unreadable": 1, "no-file": 1, "rebound": 2}


def test_an_import_only_grimp_sees_has_no_cause(tmp_path: Path) -> None:
    seen = comparison(tmp_path, {**SEEN, ("pkg.second", "pkg.third"): 7})
    assert seen.unexplained == ("only grimp: pkg.second:7 imports pkg.third",)


def test_an_import_only_onepath_sees_has_no_cause(tmp_path: Path) -> None:
    less = {pair: line for pair, line in SEEN.items() if pair != ("pkg.third", "pkg")}
    assert comparison(tmp_path, less).unexplained == ("only onepath: pkg.third:1 imports pkg",)


def test_a_submodule_that_onepath_misses_is_not_excused_as_compiled(tmp_path: Path) -> None:
    known = Grimp(MODULES | {"pkg.native.fast"}, {**SEEN, ("pkg.quick", "pkg.native.fast"): 1})
    seen = compare(program(tmp_path), known)
    assert seen.unexplained == (
        "only onepath: pkg.quick:1 imports pkg.native",
        "only grimp: pkg.quick:1 imports pkg.native.fast",
    )
