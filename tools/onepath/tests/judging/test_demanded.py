"""Judging reads of code no entry leads to only what the rules ask for; it finds what reading all of it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules import judging

CONTRACT = """
roots = ["app"]
cache = ""

[[path]]
name = "one"
entries = ["app.entry.main"]
through = ["app.entry.step"]
sinks = ["@network"]
guarded = ["app.guarded"]

[[sink_owners]]
name = "owners"
owners = ["app.owner"]

[[forbidden]]
name = "no plugins"
from = ["app.dead"]
to = ["app.plugin"]
"""

COMMON = {
    "__init__.py": "",
    "entry.py": """
import socket
def step():
    socket.create_connection(("host", 1))
def main():
    step()
""",
    "guarded.py": "",
    "plugin.py": "",
    "owner.py": """
import importlib
import socket as net
from subprocess import run as start
dial = net.create_connection
table = {"dial": net.create_connection}
class Line(net.socket):
    pass
class Holder:
    def __init__(self):
        self.wire = net.socket()
def given():
    return net.create_connection
def fetch(name):
    return importlib.import_module(name)
""",
}

DEAD = {
    "an alias of another module": "from app import owner\ndef f():\n    owner.dial(('h', 1))\n",
    "a renamed import": "from app.owner import start as go\ndef f():\n    go(['x'])\n",
    "a table": "from app import owner\ndef f():\n    owner.table['dial'](('h', 1))\n",
    "what a function gives": "from app.owner import given\ndef f():\n    given()(('h', 1))\n",
    "an object's attribute": "from app.owner import Holder\ndef f():\n    Holder().wire.connect(('h', 1))\n",
    "a derived class": "from app.owner import Line\ndef f():\n    Line().connect(('h', 1))\n",
    "an import inside": "def f():\n    import socket\n    socket.create_connection(('h', 1))\n",
    "a computed attribute": "import os\ndef f():\n    getattr(os, 'sys' + 'tem')('x')\n",
    "a module by its name": "def f():\n    __import__('os').system('x')\n",
    "an annotation": "import socket\ndef f(wire: socket.socket):\n    wire.connect(('h', 1))\n",
    "an inner function": "def outer():\n    import os\n    def f():\n        os.system('x')\n    return f\n",
    "a method": "import subprocess\nclass C:\n    def f(self):\n        subprocess.run(['x'])\n",
    "handed over in between": (
        "from app.owner import given\ndef use(call):\n    call(('h', 1))\ndef f():\n    use(given())\n"
    ),
    "an import by a wrapper": "from app.owner import fetch\ndef f():\n    fetch('app.plugin')\n",
    "an import by its name": "import importlib\ndef f():\n    importlib.import_module('app.plugin')\n",
    "guarded code": "",
}


def judged(folder: Path, *, whole: bool) -> list[tuple[str, str, str]]:
    project = Project(folder, "onepath.toml", parse_configuration(CONTRACT))
    verdict = judging.judge(project, onepath.load(project, jobs=1, whole=whole))
    assert verdict.faults == ()
    return [(one.rule, one.where, one.message) for one in verdict.findings]


@pytest.mark.parametrize("case", DEAD)
def test_what_nobody_calls_is_judged_as_if_all_were_read(case: str, tmp_path: Path) -> None:
    package = tmp_path / "app"
    package.mkdir()
    for name, text in COMMON.items():
        (package / name).write_text(text, encoding="utf-8")
    (package / "dead.py").write_text(DEAD[case], encoding="utf-8")
    if case == "guarded code":
        (package / "guarded.py").write_text("def f(text):\n    eval(text)\n", encoding="utf-8")
    found = judged(tmp_path, whole=False)
    assert found == judged(tmp_path, whole=True)
    assert any(where.startswith(("app.dead", "app.guarded")) for _, where, _ in found)


def test_code_nobody_calls_and_no_rule_asks_for_is_not_read(tmp_path: Path) -> None:
    package = tmp_path / "app"
    package.mkdir()
    for name, text in COMMON.items():
        (package / name).write_text(text, encoding="utf-8")
    (package / "dead.py").write_text("def g():\n    pass\ndef f():\n    g()\n", encoding="utf-8")
    project = Project(tmp_path, "onepath.toml", parse_configuration(CONTRACT))
    calls = {whole: onepath.load(project, jobs=1, whole=whole).program.callees for whole in (False, True)}
    assert "app.dead.f" in calls[True]
    assert "app.dead.f" not in calls[False]
