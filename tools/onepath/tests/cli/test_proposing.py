"""The layers that are proposed hold, whatever the imports are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from onepath.cli.proposing import layers
from onepath.config import Configuration, Layers
from onepath.graph import Import, Place, Program
from onepath.rules.contract import Model
from onepath.rules.layers import RULE


def program(pairs: set[tuple[int, int]]) -> Program:
    names = ["top", *(f"top.m{number}" for number in range(8))]
    imports = tuple(
        Import(names[one + 1], names[other + 1], "", Place("x.py", 1), names[one + 1], False, True, names[other + 1])
        for one, other in sorted(pairs)
        if one != other
    )
    modules = {name: f"{name}.py" for name in names}
    return Program(modules=modules, packages=("top",), functions={}, edges=(), imports=imports, symbols={})


@settings(deadline=None, max_examples=150)
@given(st.sets(st.tuples(st.integers(-1, 7), st.integers(-1, 7)), max_size=20))
def test_the_proposed_layers_hold_today(pairs: set[tuple[int, int]]) -> None:
    drawn = program(pairs)
    levels = layers(drawn, "top")
    if not levels:
        return
    contract = Layers(name="top", containers=("top",), layers=tuple(" | ".join(level) for level in levels))
    assert RULE.check(Model(Path(), Configuration(layers=(contract,)), drawn)).findings == ()


def test_what_nobody_imports_is_at_the_top_and_what_all_import_at_the_bottom() -> None:
    assert layers(program({(0, 1), (1, 2), (0, 3)}), "top")[0] == ["m0", "m4", "m5", "m6", "m7"]
    assert layers(program({(0, 1), (1, 2), (0, 3)}), "top")[-1] == ["m2"]


def test_children_in_a_circle_are_left_out() -> None:
    assert layers(program({(0, 1), (1, 0), (1, 2)}), "top") == [["m2", "m3", "m4", "m5", "m6", "m7"]]


def test_children_in_a_circle_over_the_package_itself_are_left_out() -> None:
    assert layers(program({(-1, 0), (0, 1), (1, -1)}), "top") == [["m2", "m3", "m4", "m5", "m6", "m7"]]
