"""What makes classes runs what Python runs, and nothing of what it is only given."""

from __future__ import annotations

from pathlib import Path

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules.bypass import RULE

CONTRACT = """roots = ["app.py"]
cache = ""

[[path]]
name = "one way"
entries = ["app.start"]
through = ["app.send"]
sinks = ["@network"]
"""
APP = """import asyncio
import socket


class Meta(type):
    @classmethod
    def __prepare__(metacls, name, bases, **options):
        return super().__prepare__(metacls, name, bases, **options)


class Base(asyncio.Protocol):
    def data_received(self, data):
        socket.create_connection(data)


def send(data):
    socket.create_connection(data)


def start(data):
    class Own(Base, metaclass=Meta):
        pass

    send(data)
"""


def test_preparing_a_class_runs_nothing_of_its_bases(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    outcome = RULE.check(onepath.load(Project(tmp_path, "onepath.toml", parse_configuration(CONTRACT)), jobs=1))
    assert outcome.faults == ()
    assert outcome.findings == ()
