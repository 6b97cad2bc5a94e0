"""What OP001 says when it finds nothing: how much it looked at, in the program's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

import onepath
from onepath.config import Project, parse_configuration
from onepath.rules.bypass import RULE
from onepath.rules.proving import in_words

SHOP = {
    "shop/__init__.py": "",
    "shop/web.py": """from shop.frame import route
from shop.flow import run

@route
def buy(order): return run(order)

@route
def sell(order): return run(order)
""",
    "shop/cli.py": """from shop.frame import command
from shop.flow import run

@command
def start(order): return run(order)
""",
    "shop/frame.py": """ALL = []

def route(f):
    ALL.append(f)
    return f

def command(f):
    ALL.append(f)
    return f
""",
    "shop/flow.py": """import socket

def run(order):
    socket.create_connection(('bank.example', 443)).sendall(order)
""",
}
CONTRACT = """roots = ["shop"]
cache = ""

[[path]]
name = "single-path"
entries = ["@shop.frame.command", "@shop.frame.route"]
through = ["shop.flow.run"]
sinks = ["@network"]
guarded = ["shop"]
"""
CALLED = """
[path.called]
"@shop.frame.route" = "endpoint"
"@shop.frame.command" = "command"
"""


def _written(folder: Path) -> None:
    for name, source in SHOP.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)


def _proved(folder: Path, text: str) -> tuple[str, ...]:
    _written(folder)
    outcome = RULE.check(onepath.load(Project(folder, "onepath.toml", parse_configuration(text)), jobs=1))
    assert not outcome.findings
    assert not outcome.faults
    (proof,) = outcome.proofs
    return proof.sentences


def test_a_proof_counts_what_was_entered_by_what_it_is_called(tmp_path: Path) -> None:
    first, guarded = _proved(tmp_path, CONTRACT + CALLED)
    assert first.startswith("From 2 endpoints and 1 command, nothing reaches the one upstream operation except through")
    assert guarded.startswith("In guarded code: 0 opaque calls, 0 unknown receivers")


def test_a_package_is_no_way_out(tmp_path: Path) -> None:
    text = CONTRACT + 'ways_out = [{ node = "shop", reason = "everything" }]\n'
    _written(tmp_path)
    outcome = RULE.check(onepath.load(Project(tmp_path, "onepath.toml", parse_configuration(text)), jobs=1))
    assert [fault.message for fault in outcome.faults] == ["shop is a package; name the function that goes out"]


def test_without_names_entries_are_entries(tmp_path: Path) -> None:
    assert _proved(tmp_path, CONTRACT)[0].startswith("From 3 entries, nothing")


def test_a_proof_in_which_nothing_is_reached_says_so(tmp_path: Path) -> None:
    text = CONTRACT.replace('"@shop.frame.command", "@shop.frame.route"', '"shop.frame"')
    assert _proved(tmp_path, text)[0] == (
        "From 2 entries, no upstream operation is reached at all, not even through `shop.flow.run`."
    )


@pytest.mark.parametrize(
    ("kinds", "order", "words"),
    [
        ([], (), "nothing"),
        (["entry"], (), "1 entry"),
        (["b", "a", "b"], (), "1 a and 2 bs"),
        (["b", "a", "c"], ("c", "b"), "1 c, 1 b and 1 a"),
        (["a", "a"], ("gone", "a"), "2 as"),
    ],
)
def test_kinds_are_listed_as_a_person_would(kinds: list[str], order: tuple[str, ...], words: str) -> None:
    assert in_words(kinds, order) == words
