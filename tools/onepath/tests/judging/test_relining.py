"""After an edit that moves lines alone the program is not linked anew, and is what linking anew would give."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepath import load
from onepath.config import Project, parse_configuration
from onepath.facts.extract import extract_text
from onepath.graph import Program
from onepath.keeping import read_entry, write_entry
from onepath.loading import _linked, demands_of
from onepath.relining import moved_lines, relined

CONFIGURATION = parse_configuration(
    """
roots = ["app"]
cache = ""

[[path]]
name = "one"
entries = ["app.main.main"]
through = ["app.main.step"]
sinks = ["@network"]
guarded = ["app"]
carries = [{ into = "app.main.step", argument = "request", made_by = "app.main.make" }]

[[sealed]]
name = "sealed"
type = "app.main.Request"
owners = ["app.main"]
"""
)

MAIN = """\
import socket
from app import other
SEEN = []
class Request:
    size = 0
    def __init__(self, text, *rest):
        self.text = text
        self.rest = rest
def make(text):
    return Request(text, *SEEN)
def step(request, then=lambda one: one):
    wire = socket.create_connection(("host", 1))
    exec("import json\\nother.late(json)\\n")
    SEEN.append(request)
    return then(wire)
def main():
    request = make("a")
    for one in (request, Request("b")):
        if one:
            step(one, other.each)
    unknown.step(request)
    return getattr(other, request.text)
"""

OTHER = """\
def each(wire):
    with wire as open_wire:
        return [one for one in open_wire]
def late(module):
    return module.loads(eval(input()))
"""


def linked(main: str, other: str = OTHER) -> bytes:
    return msgspec.msgpack.encode(_program(main, other))


def _program(main: str, other: str = OTHER) -> Program:
    facts = [extract_text(main, "app.main", "app/main.py"), extract_text(other, "app.other", "app/other.py")]
    return _linked(facts, demands_of(CONFIGURATION, whole=False), ["app"])


def spread(text: str, gaps: list[int]) -> str:
    """As many blank lines and comments before each line as the gaps say."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines()):
        count = gaps[number % len(gaps)] if number else 0  # a module begins on line 1, whatever is on it
        lines.extend("" if one % 2 else "# a word" for one in range(count))
        lines.append(line)
    return "\n".join(lines) + "\n"


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 3), min_size=1, max_size=23), st.lists(st.integers(0, 3), min_size=1, max_size=7))
def test_a_program_whose_lines_moved_is_the_one_that_is_linked(main: list[int], other: list[int]) -> None:
    moves = {}
    for file, text, gaps in (("app/main.py", MAIN, main), ("app/other.py", OTHER, other)):
        name = file.removesuffix(".py").replace("/", ".")
        moved = moved_lines(extract_text(text, name, file), extract_text(spread(text, gaps), name, file))
        assert moved is not None
        moves[file] = moved
    program = relined(_program(MAIN), moves)
    assert program is not None
    assert msgspec.msgpack.encode(program) == linked(spread(MAIN, main), spread(OTHER, other))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a = f()\n", "a = g()\n", id="another name"),
        pytest.param("a = f('x')\n", "a = f('y')\n", id="another text"),
        pytest.param("f()\ng()\n", "f(); g()\n", id="two lines became one"),
        pytest.param("f(); g()\n", "f()\ng()\n", id="one line became two"),
        pytest.param("f()\n", "f()\nf()\n", id="a statement more"),
        pytest.param("def f(): ...\n", "async def f(): ...\n", id="another kind"),
        pytest.param("def f(a): ...\n", "def f(a=1): ...\n", id="a default"),
        pytest.param("def f(a: int): ...\n", "def f(a: str): ...\n", id="another annotation"),
        pytest.param("import a\n", "import a as b\n", id="another import"),
        pytest.param("a = 1\n", "a = (\n", id="no Python any more"),
    ],
)
def test_whatever_else_changes_is_linked_anew(before: str, after: str) -> None:
    assert moved_lines(extract_text(before, "m", "m.py"), extract_text(after, "m", "m.py")) is None


def test_a_place_on_a_line_that_is_not_known_is_linked_anew() -> None:
    program = _program(MAIN)
    assert relined(program, {"app/main.py": {1: 2}}) is None
    assert relined(program, {"elsewhere.py": {1: 2}}) == program


def test_what_was_linked_last_is_used_again_where_only_lines_moved_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    for name, text in (("main", MAIN), ("other", OTHER)):
        (tmp_path / "app" / f"{name}.py").write_text(text)
    project = Project(tmp_path, "", msgspec.structs.replace(CONFIGURATION, cache="kept"))
    first = load(project, jobs=1).program
    for file in (tmp_path / "kept").rglob("*"):
        if file.is_file():
            key = file.parent.name + file.name
            if (body := read_entry(tmp_path / "kept", key)) == msgspec.msgpack.encode(first):
                marked = msgspec.structs.replace(first, uses={"marked": ()})
                write_entry(tmp_path / "kept", key, msgspec.msgpack.encode(marked))
                assert body != msgspec.msgpack.encode(marked)
    (tmp_path / "app" / "other.py").write_text(spread(OTHER, [0, 1]))
    assert load(project, jobs=1).program.uses == {"marked": ()}
    (tmp_path / "app" / "other.py").write_text(spread(OTHER, [0, 2]) + "late = each\n")
    assert load(project, jobs=1).program.uses == first.uses
