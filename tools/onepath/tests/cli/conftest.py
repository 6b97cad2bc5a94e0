"""A project on disk, and the command line run in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import onepath as package
from onepath.cli import run

SHOP = {
    "shop/__init__.py": '"""A shop."""\n',
    "shop/web.py": '''"""Routes."""
from shop.app import flow
from shop.framework import route


@route
def buy(request):
    return flow.run(request)
''',
    "shop/framework.py": '''"""Registers handlers."""
HANDLERS = []


def route(handler):
    HANDLERS.append(handler)
    return handler
''',
    "shop/app/__init__.py": '"""Orchestrates."""\n',
    "shop/app/flow.py": '''"""The one way."""
from shop import bank


def run(request):
    return bank.send(request)
''',
    "shop/bank.py": '''"""Sends."""
import socket


def send(request):
    with socket.create_connection(("bank.example", 443)) as connection:
        connection.sendall(request)
''',
    "onepath.toml": """roots = ["shop"]
cache = ".cache/onepath"

[[path]]
name    = "single-path"
entries = ["@shop.framework.route"]
through = ["shop.app.flow.run", "shop.bank.send"]
sinks   = ["@network"]
guarded = ["shop"]

[[layers]]
name       = "house"
containers = ["shop"]
layers     = ["web", "app", "bank"]

[regions]
"README.md" = { ARCH = "short", CALLGRAPH = "short" }

[docs]
command = "make docs"
faces   = ["shop.web"]
""",
    "README.md": "# Shop\n\n<!-- AUTO:ARCH:BEGIN -->\n<!-- AUTO:ARCH:END -->\n\nText.\n\n"
    "<!-- AUTO:CALLGRAPH:BEGIN -->\n<!-- AUTO:CALLGRAPH:END -->\n",
}


class Ran(msgspec.Struct):
    """What a command line gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def same_onepath(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a test starts runs the onepath that is tested: not one installed from elsewhere, or none."""
    home = Path(next(iter(package.__path__))).parent
    path = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{home}{os.pathsep}{path}" if path else str(home))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop's folder, which is the current one."""
    for name, text in SHOP.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def onepath(capfd: pytest.CaptureFixture[str]) -> Run:
    """`onepath("lint", "--format", "json")` in the current folder."""

    def ran(*arguments: str) -> Ran:
        capfd.readouterr()
        code = run([*arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def git(shop: Path) -> Callable[..., None]:
    """git in the shop, which is a repository with one commit."""

    def ran(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=shop, check=True, capture_output=True)

    ran("init", "-q")
    ran("add", ".")
    ran("commit", "-q", "-m", "first")
    return ran
