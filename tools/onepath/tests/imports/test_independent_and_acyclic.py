"""OP007 and OP008: modules that stay apart, and imports that form no circle."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from onepath.graph import Import, Place
from onepath.rules.acyclic import RULE as ACYCLIC
from onepath.rules.acyclic import Graph, circles
from onepath.rules.contract import Model
from onepath.rules.independent import RULE as INDEPENDENT

Draw = Callable[..., Model]
APART = """
[[independent]]
name = "blocks"
modules = ["host.blocks.*"]
"""
ROUND = """
[[acyclic]]
name = "no circles"
"""


def apart(model: Model) -> list[str]:
    return [finding.message for finding in INDEPENDENT.check(model).findings]


def rounds(model: Model) -> list[str]:
    return [finding.message for finding in ACYCLIC.check(model).findings]


def test_blocks_that_use_what_is_below_are_independent(draw: Draw) -> None:
    assert apart(draw("host.blocks.a -> host.low\nhost.blocks.b -> host.low\nhost.app -> host.blocks.a", APART)) == []


def test_a_block_that_imports_another_is_found(draw: Draw) -> None:
    assert apart(draw("host.blocks.a.v1 -> host.blocks.b.contract\nhost.blocks.b", APART)) == [
        "host.blocks.a.v1 imports host.blocks.b.contract; both are independent"
    ]


def test_over_a_module_between_it_is_found_too(draw: Draw) -> None:
    picture = "host.blocks.a -> host.low\nhost.low -> host.blocks.b"
    assert apart(draw(picture, APART)) == ["host.blocks.a imports host.blocks.b over host.low; both are independent"]
    assert apart(draw(picture, APART + "indirect = false\n")) == []


def test_a_contract_with_one_module_is_a_fault(draw: Draw) -> None:
    assert "one module is always independent" in INDEPENDENT.check(draw("host.blocks.a", APART)).faults[0].message


def test_a_contract_with_no_module_is_a_fault(draw: Draw) -> None:
    assert "matches no module" in INDEPENDENT.check(draw("host.other", APART)).faults[0].message


def test_a_tree_has_no_circle(draw: Draw) -> None:
    assert rounds(draw("a.x -> a.y\na.y -> a.z\na.x -> a.z", ROUND)) == []


def test_a_circle_is_told_with_every_import_on_it(draw: Draw) -> None:
    (finding,) = ACYCLIC.check(draw("a.x -> a.y\na.y -> a.z\na.z -> a.x", ROUND)).findings
    assert finding.message == "import circle: a.x → a.y → a.z → a.x"
    assert [str(hop.place) for hop in finding.evidence[:-1]] == ["a/x.py:1", "a/y.py:2", "a/z.py:3"]


def test_all_circles_are_told_in_one_run(draw: Draw) -> None:
    assert sorted(rounds(draw("a.x -> a.y\na.y -> a.x\na.y -> a.z\na.z -> a.y\nb.p -> b.q\nb.q -> b.p", ROUND))) == [
        "import circle: a.x → a.y → a.x",
        "import circle: a.y → a.z → a.y",
        "import circle: b.p → b.q → b.p",
    ]


def test_imports_that_run_late_or_never_break_a_circle(draw: Draw) -> None:
    assert rounds(draw("a.x -> a.y\na.y -> a.x (late)\na.p -> a.q\na.q -> a.p (typing)", ROUND)) == []
    assert len(rounds(draw("a.x -> a.y\na.y -> a.x (late)", ROUND + "functions = true\n"))) == 1


def test_siblings_form_a_circle_where_their_modules_do_not(draw: Draw) -> None:
    picture = "a.p.one -> a.q.two\na.q.three -> a.p.four"
    assert rounds(draw(picture, ROUND)) == []
    assert rounds(draw(picture, ROUND + 'between = "siblings"\n')) == ["import circle: a.p → a.q → a.p"]


def test_only_what_lies_within_is_looked_at(draw: Draw) -> None:
    assert rounds(draw("a.x -> a.y\na.y -> a.x\nb.z", ROUND + 'within = ["b"]\n')) == []


@settings(deadline=None, max_examples=150)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_when_the_circles_found_are_cut_none_is_left(pairs: set[tuple[int, int]]) -> None:
    graph: Graph = {str(node): {} for node in range(8)}
    for one, two in sorted(pairs):
        if one != two:
            place = Place("x.py", 1)
            graph[str(one)][str(two)] = Import(str(one), str(two), "", place, str(one), False, True, str(two))
    before = {(node, other) for node, others in graph.items() for other in others}
    found = list(circles(graph))
    edges = [(names[index][0], names[(index + 1) % len(names)][0]) for names in found for index in range(len(names))]
    assert len(edges) == len(set(edges))
    assert set(edges) <= before
    left = {node: set(others) for node, others in graph.items()}
    while left:
        ends = [node for node, others in left.items() if not others & left.keys()]
        assert ends, "a circle was left"
        for node in ends:
            del left[node]
