"""OP004: an arrow that points up is found, over as many modules as it takes, and named with its way."""

from __future__ import annotations

from collections.abc import Callable

from onepath.rules.contract import Model
from onepath.rules.layers import RULE

HOUSE = """
[[layers]]
name = "house"
layers = ["cli | web", "app", "blocks"]
containers = ["host"]
"""
GOOD = """
host.cli -> host.app
host.web -> host.blocks.a
host.app -> host.blocks.a
host.cli.start -> host.cli.options
"""
Draw = Callable[..., Model]


def messages(model: Model) -> list[str]:
    outcome = RULE.check(model)
    assert outcome.faults == ()
    return [finding.message for finding in outcome.findings]


def test_arrows_that_point_down_or_stay_are_lawful(draw: Draw) -> None:
    assert messages(draw(GOOD, HOUSE)) == []


def test_an_arrow_that_points_up_is_found_at_its_line(draw: Draw) -> None:
    outcome = RULE.check(draw(GOOD + "host.blocks.a -> host.app.flow:run\n", HOUSE))
    (finding,) = outcome.findings
    assert finding.message == "host.blocks.a imports host.app.flow.run: host.app is above it"
    assert str(finding.place) == "host/blocks/a.py:5"
    assert [hop.symbol for hop in finding.evidence] == ["host.blocks.a", "host.app.flow.run"]


def test_modules_of_one_layer_do_not_import_each_other(draw: Draw) -> None:
    assert messages(draw(GOOD + "host.web -> host.cli.start\n", HOUSE)) == [
        "host.web imports host.cli.start: host.cli is beside it"
    ]


def test_with_a_colon_they_may(draw: Draw) -> None:
    assert messages(draw(GOOD + "host.web -> host.cli.start\n", HOUSE.replace("|", ":"))) == []


def test_a_way_over_modules_of_no_layer_is_found_with_every_hop(draw: Draw) -> None:
    outcome = RULE.check(
        draw(GOOD + "host.blocks.a -> host.misc\nhost.misc -> host.more\nhost.more -> host.web\n", HOUSE)
    )
    (finding,) = outcome.findings
    assert finding.message == "host.blocks.a imports host.web over host.misc, host.more: host.web is above it"
    assert [str(hop.place) for hop in finding.evidence[:-1]] == [
        "host/blocks/a.py:5",
        "host/misc.py:6",
        "host/more.py:7",
    ]


def test_a_way_over_modules_of_no_layer_is_lawful_if_only_direct_ones_count(draw: Draw) -> None:
    picture = GOOD + "host.blocks.a -> host.misc\nhost.misc -> host.web\n"
    assert messages(draw(picture, HOUSE + "indirect = false\n")) == []


def test_every_first_step_of_a_forbidden_way_is_told_in_one_run(draw: Draw) -> None:
    picture = GOOD + "host.blocks.a -> host.misc\nhost.blocks.b -> host.misc\nhost.misc -> host.web\n"
    assert len(messages(draw(picture, HOUSE))) == 2


def test_an_import_in_a_function_counts_and_is_named_by_the_function(draw: Draw) -> None:
    outcome = RULE.check(draw(GOOD + "host.blocks.a -> host.app (late)\n", HOUSE))
    assert outcome.findings[0].where == "host.blocks.a.f"


def test_imports_for_types_count_unless_the_contract_says_no(draw: Draw) -> None:
    picture = GOOD + "host.blocks.a -> host.app (typing)\n"
    assert len(messages(draw(picture, HOUSE))) == 1
    assert messages(draw(picture, HOUSE + "type_checking = false\n")) == []


def test_a_layer_outside_the_container_is_a_name_of_its_own(draw: Draw) -> None:
    contract = HOUSE.replace('"blocks"]', '"blocks", "core"]')
    assert messages(draw(GOOD + "host.app -> core.hub\n", contract)) == []
    assert len(messages(draw(GOOD + "core.hub -> host.app\n", contract))) == 1


def test_a_layer_that_is_not_there_is_a_fault_of_the_contract(draw: Draw) -> None:
    outcome = RULE.check(draw(GOOD, HOUSE.replace('"app"', '"app", "absent"')))
    assert "layer `absent` is not found" in outcome.faults[0].message
    assert RULE.check(draw(GOOD, HOUSE.replace('"app"', '"app", "(absent)"'))).faults == ()


def test_a_container_that_is_not_there_is_a_fault(draw: Draw) -> None:
    faults = RULE.check(draw(GOOD, HOUSE.replace('["host"]', '["hots"]'))).faults
    assert "container `hots` is not in the roots" in faults[0].message


def test_a_child_in_no_layer_is_found_if_layers_are_exhaustive(draw: Draw) -> None:
    assert messages(draw(GOOD + "host.misc -> host.app\n", HOUSE + "exhaustive = true\n")) == [
        "host.misc is in no layer of host, whose layers are to be exhaustive"
    ]


def test_an_exception_takes_an_import_away_and_one_that_is_of_no_use_is_found(draw: Draw) -> None:
    exception = HOUSE + 'except = [{ importer = "host.blocks.a", imported = "host.app", reason = "until May" }]\n'
    assert messages(draw(GOOD + "host.blocks.a -> host.app\n", exception)) == []
    assert messages(draw(GOOD, exception)) == ["the exception for host.blocks.a importing host.app excepts nothing"]


def test_the_fingerprint_does_not_change_when_lines_move(draw: Draw) -> None:
    one = RULE.check(draw(GOOD + "host.blocks.a -> host.app\n", HOUSE)).findings[0]
    two = RULE.check(draw("\n" + GOOD + "host.x\nhost.blocks.a -> host.app\n", HOUSE)).findings[0]
    assert one.place != two.place
    assert one.fingerprint == two.fingerprint
