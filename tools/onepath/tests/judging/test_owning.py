"""OP002: a primitive's module is used by what is read of it, not by the import of its exceptions."""

from __future__ import annotations

from pathlib import Path

import pytest

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules import judging

CONTRACT = """
roots = ["app"]
cache = ""

[[sink_owners]]
name = "owners"
sinks = ["@network"]
owners = ["app.owner"]
"""

USES = {
    "an operation that is called": "import socket\ndef f():\n    socket.create_connection(('h', 1))\n",
    "an operation that is kept": "import socket\nOPEN = socket.create_connection\n",
    "a class of operations that is kept": "import http.client as h\ndef f():\n    return h.HTTPSConnection\n",
    "an operation that is imported": "from socket import create_connection\n",
    "a class of operations that is imported": "from http.client import HTTPSConnection\n",
    "everything": "from socket import *\n",
}
NO_USES = {
    "exceptions": "import socket\ntry:\n    int('1')\nexcept socket.gaierror:\n    pass\n",
    "an imported exception": "from http.client import HTTPException\n",
    "a constant": "import socket\nKIND = socket.AF_INET\n",
    "an imported function that sends nothing": "from urllib.request import pathname2url\n",
    "an imported type that sends nothing": "from httpx import URL, Response\n",
    "the name of this machine": "import socket\ndef f():\n    return socket.gethostname()\n",
}


def told(folder: Path, code: str) -> set[str]:
    (folder / "app").mkdir()
    (folder / "app" / "__init__.py").write_text("")
    (folder / "app" / "owner.py").write_text("import socket\n")
    (folder / "app" / "other.py").write_text(code)
    project = Project(folder, "onepath.toml", parse_configuration(CONTRACT))
    return {one.rule for one in judging.judge(project, onepath.load(project, jobs=1)).findings}


@pytest.mark.parametrize("case", USES)
def test_an_operation_is_for_its_owners(case: str, tmp_path: Path) -> None:
    assert told(tmp_path, USES[case]) == {"OP002"}


@pytest.mark.parametrize("case", NO_USES)
def test_what_opens_nothing_is_for_everybody(case: str, tmp_path: Path) -> None:
    assert told(tmp_path, NO_USES[case]) == set()
