"""Line numbers: every key and item of a TOML or JSON text is found where a person would look for it."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.config.faults import Path
from routecodex.config.positions import json_positions, toml_positions

TOML = """\
# a comment with [brackets] and "quotes"
title = "x = 1 # no comment"
a.b."c.d" = 1
text = \"\"\"
[not.a.table]
key = "no" \\"\"\" ""\"\"\"
list = [ 1, # one ]
  { k = "]", inner = [1,
    2] },
]
[t . "a b".'q']  # header
k = 'v # no comment'
[[p.arr]]
n = 1
[p.arr.sub]
m = 2
[[p.arr]]
n = { x = 1, y.z = 2 }
[[p.arr.inner]]
when = 2024-01-01 00:00:00
esc = "\\u0041\\t"
["\\u0041"]
last = '''
x'''
"""


def test_toml_keys_tables_and_items_have_their_lines() -> None:
    tomllib.loads(TOML)
    lines = toml_positions(TOML).lines

    expected: dict[Path, int] = {
        ("title",): 2,
        ("a",): 3,
        ("a", "b", "c.d"): 3,
        ("text",): 4,
        ("list",): 7,
        ("list", 0): 7,
        ("list", 1): 8,
        ("list", 1, "k"): 8,
        ("list", 1, "inner", 1): 9,
        ("t", "a b", "q"): 11,
        ("t", "a b", "q", "k"): 12,
        ("p", "arr"): 13,
        ("p", "arr", 0): 13,
        ("p", "arr", 0, "n"): 14,
        ("p", "arr", 0, "sub"): 15,
        ("p", "arr", 0, "sub", "m"): 16,
        ("p", "arr", 1): 17,
        ("p", "arr", 1, "n"): 18,
        ("p", "arr", 1, "n", "x"): 18,
        ("p", "arr", 1, "n", "y", "z"): 18,
        ("p", "arr", 1, "inner", 0): 19,
        ("p", "arr", 1, "inner", 0, "when"): 20,
        ("p", "arr", 1, "inner", 0, "esc"): 21,
        ("A",): 22,
        ("A", "last"): 23,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert ("not",) not in lines
    assert set(lines) == _paths(tomllib.loads(TOML))


def test_windows_line_ends_count_once() -> None:
    text = "a = 1\r\nb = [\r\n 1,\r\n 2\r\n]\r\nc = 3\r\n"

    assert toml_positions(text).lines[("b", 1)] == 4
    assert toml_positions(text).lines[("c",)] == 6


def test_a_missing_key_is_told_at_its_table() -> None:
    assert toml_positions("[a]\nb = 1\n[c]\n").line(("c", "missing", 3)) == 3
    assert toml_positions("").line(("c",)) is None


def test_json_members_written_twice_are_found() -> None:
    found = json_positions('{\n"a": 1,\n"b": {"a": 2,\n "a": [{"x": 1, "x": 2}]}\n}')

    assert found.duplicates == [(("b", "a"), 4), (("b", "a", 0, "x"), 4)]


_KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
_TREES = st.recursive(
    _SCALARS,
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(_KEYS, children, max_size=3)),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(_KEYS, _TREES, max_size=4), st.integers(0, 3) | st.none())
def test_every_path_of_any_json_text_has_a_line_that_holds_it(tree: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=False)
    lines = json_positions(text).lines

    assert set(lines) == _paths(tree) | {()}
    _each_key_is_on_its_line(text, lines, lambda key: json.dumps(key, ensure_ascii=False))


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(_KEYS, _TREES, max_size=4), st.booleans())
def test_every_path_of_any_toml_text_has_a_line_that_holds_it(tree: dict[str, Any], inline: bool) -> None:
    text = "\n# start\n" + _toml(tree, (), inline)
    assert tomllib.loads(text) == tree
    lines = toml_positions(text).lines

    assert set(lines) == _paths(tree)
    _each_key_is_on_its_line(text, lines, _toml_string)


def _paths(tree: object, path: Path = ()) -> set[Path]:
    own: set[Path] = {path} if path else set()
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return own.union(*(_paths(child, (*path, step)) for step, child in children))


def _each_key_is_on_its_line(text: str, lines: dict[Path, int], written: Any) -> None:
    split = text.split("\n")
    for path, line in lines.items():
        if path and isinstance(path[-1], str):
            assert written(path[-1]) in split[line - 1]


def _toml(table: dict[str, Any], path: tuple[str, ...], inline: bool) -> str:
    """A TOML text: tables as headers, or inline; arrays over several lines; arrays of tables where they can be."""
    scalars, tables = [], []
    for key, value in table.items():
        is_tables = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        if not inline and isinstance(value, dict):
            header = ".".join(_toml_string(step) for step in (*path, key))
            tables.append(f"[ {header} ] # [x]\n" + _toml(value, (*path, key), inline))
        elif not inline and is_tables:
            header = ".".join(_toml_string(step) for step in (*path, key))
            tables.extend(f"[[{header}]]\n" + _toml(item, (*path, key), inline) for item in value)
        else:
            scalars.append(f"{_toml_string(key)} = {_toml_value(value)} # = [\n")
    return "".join(scalars + tables)


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_string(key)} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"\n  {_toml_value(item)}, # ]" for item in value) + "\n]"
    if isinstance(value, str):
        return _toml_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if "e" not in repr(value) or "." in repr(value) else repr(value).replace("e", ".0e")


def _toml_string(text: str) -> str:
    escaped = "".join(
        {"\\": "\\\\", '"': '\\"'}.get(char, char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}")
        for char in text
    )
    return f'"{escaped}"'


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# comments", "\ufeff".strip("\ufeff")])
def test_texts_without_keys_have_no_positions(text: str) -> None:
    assert toml_positions(text).lines == {}
