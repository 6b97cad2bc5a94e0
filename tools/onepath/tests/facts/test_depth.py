"""What is nested deeply is read as deep as CPython reads it; beyond that it is a finding, never a crash."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from onepath.facts.extract import extract_text

READ = {
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls of calls": lambda n: "x = f" + "()" * n,
    "items": lambda n: "x = a" + "[0]" * n,
    "not": lambda n: "x = " + "not " * n + "a",
    "signs": lambda n: "x = " + "-" * n + "a",
    "choices": lambda n: "x = " + "1 if a else " * n + "2",
    "lambdas": lambda n: "x = " + "lambda: " * n + "2",
    "powers": lambda n: "x = " + "a ** " * n + "2",
    "sums": lambda n: "x = " + "a + " * n + "a",
    "texts": lambda n: "x = " + '"a" + ' * n + '"a"',
    "unions": lambda n: "def f(x: " + "A | " * n + "A): pass",
    "ladder": lambda n: "if a:\n    x = 1\n" + "elif b:\n    x = 2\n" * n + "else:\n    x = 3\n",
}
"""A level of syntax each; CPython's limit is near 3000 of them on 3.11."""
FLAT = {
    "and": lambda n: "x = " + "a and " * n + "a",
    "comparisons": lambda n: "x = " + "a < " * n + "a",
    "texts beside each other": lambda n: "x = " + '"a" ' * n,
    "formatted texts beside each other": lambda n: "x = " + 'f"{a}" ' * n,
    "targets": lambda n: "x = " * n + "a",
    "alternatives": lambda n: "match a:\n    case " + "1 | " * n + "2: pass\n",
    "decorators": lambda n: "@a\n" * n + "def f(): pass",
}
REFUSED = {
    "parentheses": lambda n: "x = " + "(" * n + "a" + ")" * n,
    "lists": lambda n: "x = " + "[" * n + "a" + "]" * n,
    "calls in calls": lambda n: "x = " + "f(" * n + ")" * n,
    "walruses": lambda n: "x = " + "(y := " * n + "a" + ")" * n,
}
"""CPython's own limit is 200."""


@pytest.mark.parametrize("nested", READ.values(), ids=READ)
def test_fifteen_hundred_levels_are_read(nested: Callable[[int], str]) -> None:
    facts = extract_text(nested(1500), "m", "m.py")
    assert not facts.fault
    assert facts.scopes


@pytest.mark.parametrize("nested", FLAT.values(), ids=FLAT)
def test_what_is_long_and_flat_is_read(nested: Callable[[int], str]) -> None:
    assert not extract_text(nested(2000), "m", "m.py").fault


@pytest.mark.parametrize("nested", READ.values(), ids=READ)
def test_beyond_every_limit_it_is_a_finding(nested: Callable[[int], str]) -> None:
    facts = extract_text(nested(100_000), "m", "m.py")
    assert (facts.fault, facts.fault_line, facts.scopes) == ("is nested too deeply to be read", 1, [])


@pytest.mark.parametrize("nested", REFUSED.values(), ids=REFUSED)
def test_brackets_in_brackets_are_refused_where_cpython_refuses_them(nested: Callable[[int], str]) -> None:
    assert not extract_text(nested(150), "m", "m.py").fault
    assert extract_text(nested(1500), "m", "m.py").fault.startswith("is no Python that this interpreter reads")


@pytest.mark.parametrize("calls", [0, 20_000])
def test_text_that_is_read_in_the_midst_of_linking_is_no_crash_either(calls: int) -> None:
    """There many frames are allowed; CPython's parser would take the machine's stack for each."""

    def below(left: int) -> str:
        return extract_text("a" + ".b" * 300_000, "m", "m.py").fault if not left else below(left - 1)

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    try:
        assert below(calls) == "is nested too deeply to be read"
        assert sys.getrecursionlimit() == 50_000
    finally:
        sys.setrecursionlimit(before)


def test_a_string_that_is_too_deep_is_no_annotation() -> None:
    for text in ("a" + ".b" * 100_000, "-" * 4_000 + "a"):
        facts = extract_text(f"def f(x: '{text}'): pass", "m", "m.py")
        assert not facts.fault
        assert facts.annotations == []
