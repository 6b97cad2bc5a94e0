"""What goes with a row's first side, and what stays: pieces of modules, and the whole tree's listing."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest
from tools.converged.editing import Source, items
from tools.converged.pages import without_settings
from tools.converged.removing import Gone, Module
from tools.converged.rows import Row, by_key, first_side, rows

from routecodex.app.switches import SWITCHES

ROOT = Path(__file__).parents[3]
ROW = Row("hostBlocks.carrier", "carrier", "v1", "v2", "shop.carrier.v1")


def left(text: str, path: str = "tests/test_it.py", *, gone: Gone | None = None) -> str:
    """A module of the tests without the row, as it is written by the tree's own rules."""
    module = Module(path, dedent(text), gone or Gone(ROW, {ROW.module}, {"src/shop/carrier/v1.py"}))
    module.clean(whole=True)
    return ast.unparse(ast.parse(module.source.text))


def same(one: str, other: str) -> bool:
    return one == ast.unparse(ast.parse(dedent(other)))


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("x = {'a': 1, 'b': 2}", 0, "x = {'b': 2}"),
        ("x = {'a': 1, 'b': (2,\n 3),\n}", 1, "x = {'a': 1}"),
        ("x = {**y, 'b': 2}", 0, "x = {'b': 2}"),
        ("x = {'a'}", 0, "x = set()"),
        ("x = [1, ('two, '\n 'three'), 4]", 1, "x = [1, 4]"),
        ("x = (1, 2)", 0, "x = (2,)"),
        ("x = (1, 2)", 1, "x = (1,)"),
        ("x = (1,)", 0, "x = ()"),
        ("x = f(1, *b, c='ö, ', **d)", 2, "x = f(1, *b, **d)"),
        ("x = f(f'{a, 1}', b)", 1, "x = f(f'{(a, 1)}')"),
    ],
)
def test_an_item_goes_with_its_comma(text: str, index: int, expected: str) -> None:
    source = Source(text)
    value = source.tree.body[0].value  # type: ignore[attr-defined]
    assert len(items(value)) > index
    assert same(source.without_item(value, index).text, expected) or same(
        ast.unparse(source.without_item(value, index).tree), expected
    )


def test_entries_under_the_key_go_and_the_rest_of_the_table_stays() -> None:
    text = """
    ALL = {"hostBlocks.carrier": "v1", "hostBlocks.other": "v1"}
    PLAN = {"architecture": {"hostBlocks": {"carrier": "v1", "other": "v1"}}}
    BOTH = {"hostBlocks.carrier", "hostBlocks.other"}
    """
    expected = """
    ALL = {"hostBlocks.other": "v1"}
    PLAN = {"architecture": {"hostBlocks": {"other": "v1"}}}
    BOTH = {"hostBlocks.other"}
    """
    assert same(left(text), expected)


def test_a_test_that_only_sets_the_second_side_stays_and_one_over_the_first_goes() -> None:
    text = """
    def test_new():
        assert serves({"hostBlocks.carrier": "v2", "other": "x"})

    def test_old():
        assert serves({"hostBlocks.carrier": "v1"})

    def test_told():
        assert "hostBlocks.carrier = v2" in shown()

    def test_other():
        assert "hostBlocks.carriers" in shown()
    """
    expected = """
    def test_new():
        assert serves({"other": "x"})

    def test_other():
        assert "hostBlocks.carriers" in shown()
    """
    assert same(left(text), expected)


def test_cases_of_the_first_side_go_and_the_test_stays_over_the_second() -> None:
    text = """
    SIDES = pytest.mark.parametrize(("name", "over"), [("old", {"hostBlocks.carrier": "v1"}), ("new", {"hostBlocks.carrier": "v2"})])

    @SIDES
    def test_it(name, over):
        assert serves(over)
    """  # noqa: E501 - a text
    expected = """
    SIDES = pytest.mark.parametrize(("name", "over"), [("new", {})])

    @SIDES
    def test_it(name, over):
        assert serves(over)
    """
    assert same(left(text), expected)


def test_a_line_of_a_configuration_goes_with_the_second_side() -> None:
    text = '''
    CONFIG = """
    [architecture]
    hostBlocks.carrier = "v2"
    hostBlocks.other = "v2"
    """
    SHORT = '[architecture]\\nhostBlocks.carrier = "v2"\\n'
    '''
    found: dict[str, str] = {}
    exec(left(dedent(text).replace("    ", "")), found)  # noqa: S102 - what was written above
    assert "carrier" not in found["CONFIG"]
    assert 'hostBlocks.other = "v2"' in found["CONFIG"]


def test_names_take_their_users_along_but_not_what_only_has_the_same_name() -> None:
    text = """
    from shop.carrier.v1 import Carrier, build
    from shop.other import build as other

    KEY = "hostBlocks.carrier"
    \"\"\"The row.\"\"\"
    TABLE = {"old": build, "new": other}

    @pytest.fixture
    def carrier():
        return Carrier()

    def test_with_it(carrier):
        assert carrier

    def test_of_the_row():
        assert shown(KEY)

    def test_beside(other_carrier):
        Carrier = other()
        assert Carrier
    """
    expected = """
    from shop.other import build as other

    TABLE = {"new": other}

    def test_beside(other_carrier):
        Carrier = other()
        assert Carrier
    """
    assert same(left(text), expected)


def test_a_helper_that_goes_takes_users_in_other_modules_along() -> None:
    gone = Gone(ROW, {ROW.module}, set())
    left("from shop.carrier import v1\n\ndef old():\n    return v1.build()\n", "tests/helping.py", gone=gone)
    text = """
    from tests import helping

    def test_old():
        assert helping.old()

    def test_new():
        assert helping.new()
    """
    expected = """
    from tests import helping

    def test_new():
        assert helping.new()
    """
    assert ("tests.helping", "old") in gone.names
    assert same(left(text, gone=gone), expected)


def test_choosing_a_side_is_answered_by_what_is_left() -> None:
    text = """
    def serve(vector):
        return sides.chosen(vector, "hostBlocks.carrier", _ALL)
    """
    assert same(left(text), text)


def test_every_row_with_two_sides_is_found_with_its_modules() -> None:
    assert [row.key for row in rows()] == [row.key for row in SWITCHES if row.has_both_sides]
    for row in rows():
        assert first_side(ROOT, row)[0] == row.module
    with pytest.raises(LookupError, match="no row with two sides"):
        by_key(["controlBus"])


def test_a_setting_goes_from_the_configurations_of_pages_and_prose_stays() -> None:
    page = """
carrier = "v1" is prose.
```toml
[architecture]
"hostBlocks.carrier" = "v2"
controlBus = "v1"

[architecture.hostBlocks]
carrier = "v2"
other = "v2"

[server]
carrier = 1
```
carrier = "v1"
"""
    gone = without_settings(page, "hostBlocks.carrier")
    lines = [line for line in page.splitlines() if line not in ('"hostBlocks.carrier" = "v2"', 'carrier = "v2"')]
    assert gone.splitlines() == lines
