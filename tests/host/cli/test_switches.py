"""`switch list | show | explain` and the sentinel without a gateway: values, sources, words, and what is refused."""

from __future__ import annotations

import json
import os
import resource
import stat
from typing import Any

import pytest

from routecodex.app.switches import BY_KEY, COMBINATIONS, SWITCHES
from routecodex.cli.failures import CommandError
from routecodex.cli.sentinel import forced, put
from tests.host.cli.conftest import CONFIG, Cli
from tests.sides import LIVE, written

ARCHITECTURE = '\n[architecture]\ncontrolWs.mode = "observe"\n'


@pytest.fixture
def configured(cli: Cli) -> Cli:
    cli.write(CONFIG.format(port=1) + ARCHITECTURE)
    return cli


def rows(cli: Cli, **environ: str) -> dict[str, dict[str, Any]]:
    found = cli("switch", "list", "--json", environ=environ).json
    assert found["origin"] == "configuration"
    assert found["place"] == str(cli.config)
    return {row["key"]: row for row in found["switches"]}


def test_every_row_is_listed_with_its_value_and_its_source(configured: Cli) -> None:
    found = rows(configured, ROUTECODEX_ARCHITECTURE__CONTROLBUS="v1")

    assert list(found) == [row.key for row in SWITCHES]
    assert (found["controlWs.mode"]["value"], found["controlWs.mode"]["source"]) == ("observe", "file")
    assert (found["controlBus"]["value"], found["controlBus"]["source"]) == ("v1", "environment")
    assert (found["controlWs.enabled"]["value"], found["controlWs.enabled"]["source"]) == (False, "default")
    for row in SWITCHES:
        told = found[row.key]
        assert (told["scope"], told["effect"]) == (row.scope, row.effect)
        assert [side["description"] for side in told["sides"]] == list(row.sides.values())
        assert told["pending"] == ("" if row.has_both_sides else row.pending)
        rules = [rule.explanation for rule in COMBINATIONS if row.key in (rule.key, rule.needs_key)]
        assert told["combinations"] == rules


def test_the_list_says_that_it_is_the_configurations(configured: Cli) -> None:
    shown = configured("switch", "list")

    assert shown.code == 0
    assert f"Of {configured.config} (no gateway runs):" in shown.out
    assert all(row.key in shown.out for row in SWITCHES)


def test_show_says_what_changing_it_takes_under_this_kernel(configured: Cli) -> None:
    kernel = configured("switch", "show", "appKernel").out
    bus = configured("switch", "show", "controlBus").out

    assert "appKernel = v1" in kernel
    assert "set by     nobody: the default" in kernel
    assert "restart: a new worker on the same listener" in kernel
    assert "drain: under appKernel v1 every change takes a new worker" in bus


@pytest.mark.parametrize("row", SWITCHES, ids=lambda row: row.key)
def test_explain_has_each_side_each_rule_and_how_to_set_it(configured: Cli, row: Any) -> None:
    shown = configured("switch", "explain", row.key)

    assert shown.code == 0
    assert row.description in shown.out
    assert all(told in shown.out for told in row.sides.values())
    assert all(rule.explanation in shown.out for rule in COMBINATIONS if row.key in (rule.key, rule.needs_key))
    assert ("lands with" in shown.out) is not row.has_both_sides
    assert "ROUTECODEX_ARCHITECTURE__" + row.key.replace(".", "__").upper() in shown.out
    assert f"routecodex rollback {row.key}" in shown.out


def test_the_line_explain_gives_for_the_file_is_taken(configured: Cli) -> None:
    for row in SWITCHES:
        line = next(line for line in configured("switch", "explain", row.key).out.splitlines() if "in the file" in line)
        _, _, rest = line.partition("[architecture")
        table, _, setting = rest.partition("]")
        text = CONFIG.format(port=1) + f"\n[architecture{table}]\n{setting.strip()}\n"
        configured.config.write_text(text)
        told = configured("config", "check", "--json").json
        refused = [fault for fault in told["faults"] if fault["code"] != "refused_switch"]
        assert refused == [], (row.key, told)


@pytest.mark.parametrize("command", ["show", "explain", "set"])
def test_an_unknown_switch_is_refused_with_the_nearest_name(configured: Cli, command: str) -> None:
    done = configured("switch", command, "hostBlocks.controlPlan", *(["v1"] if command == "set" else []))

    assert done.code == 78
    assert 'Did you mean "hostBlocks.controlPlane"?' in done.err


def test_a_value_that_is_none_of_the_rows_is_refused_before_anybody_is_asked(configured: Cli) -> None:
    done = configured("switch", "set", "controlBus", "v3", "--json")

    assert done.code == 78
    assert (done.json["error"]["code"], done.json["error"]["nextStep"]) == ("bad_value", "It takes v1 or v2.")


@pytest.mark.parametrize(
    "arguments",
    [
        ("switch", "set", "controlBus", "v1"),
        ("switch", "clear", "controlBus"),
        ("rollback", "--all"),
        ("config", "apply"),
    ],
)
def test_what_changes_a_running_gateway_needs_one(configured: Cli, arguments: tuple[str, ...]) -> None:
    done = configured(*arguments)

    assert done.code == 75
    assert "Nothing answers" in done.err
    if arguments[0] == "rollback":
        assert "routecodex rollback --all --offline" in done.err


def test_a_port_on_which_nothing_runs_is_not_answered_from_the_configuration(configured: Cli) -> None:
    done = configured("switch", "list", "--port", "2")

    assert done.code == 75
    assert "No gateway runs on port 2" in done.err


# --- the sentinel ----------------------------------------------------------------------------------------


def sentinel(cli: Cli) -> Any:
    return cli.home / "run" / "force_stable"


def test_an_offline_rollback_writes_the_sentinel_and_the_matrix_shows_it(configured: Cli) -> None:
    done = configured("rollback", "controlBus", "--offline", "--json")

    assert done.code == 0
    assert done.json["forced"] == ["controlBus"]
    assert sentinel(configured).read_text() == "controlBus\n"
    assert stat.S_IMODE(sentinel(configured).stat().st_mode) == 0o600
    found = rows(configured)
    assert found["controlBus"]["source"] == "force_stable"
    assert found["controlWs.mode"]["source"] == "file"


def test_offline_rollbacks_add_up_and_all_is_a_star(configured: Cli) -> None:
    configured("rollback", "controlBus", "--offline")
    configured("rollback", "controlWs.mode", "--offline")
    both = sentinel(configured).read_text()
    configured("rollback", "--all", "--offline")

    assert both.split() == ["controlBus", "controlWs.mode"]
    assert sentinel(configured).read_text() == "*\n"
    assert {row["source"] for row in rows(configured).values()} == {"force_stable"}


def test_a_full_disk_takes_a_sentinel_for_everything_and_is_told_for_one_switch(configured: Cli) -> None:
    sentinel(configured).parent.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(CommandError) as one:
            put(sentinel(configured).parent, ["controlBus"])
        left = list(sentinel(configured).parent.iterdir())
        everything = put(sentinel(configured).parent, [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "rollback --all --offline" in one.value.next_step
    assert left == []
    assert everything == set(BY_KEY) == forced(sentinel(configured).parent, {})
    assert [path.name for path in sentinel(configured).parent.iterdir()] == ["force_stable"]


def test_a_sentinel_that_is_a_pipe_forces_everything_and_holds_no_command_up(configured: Cli) -> None:
    sentinel(configured).parent.mkdir()
    os.mkfifo(sentinel(configured))

    assert forced(sentinel(configured).parent, {}) == set(BY_KEY)


def test_the_sentinel_is_taken_away_key_by_key_or_whole(configured: Cli) -> None:
    configured("rollback", "--all", "--offline")
    some = configured("switch", "clear", "controlBus", "--forced", "--json").json
    left = sentinel(configured).read_text().split()
    whole = configured("switch", "clear", "--all", "--forced")
    again = configured("switch", "clear", "--all", "--forced", "--json").json

    assert some["found"] is True
    assert "controlBus" not in left
    assert len(left) == len(SWITCHES) - 1
    assert "is removed" in whole.out
    assert not sentinel(configured).exists()
    assert again == {"sentinel": str(sentinel(configured)), "found": False, "forced": []}


def test_a_sentinel_somebody_wrote_by_hand_is_read_as_the_workers_read_it(configured: Cli) -> None:
    sentinel(configured).parent.mkdir()
    sentinel(configured).write_text("appKernle")

    assert {row["source"] for row in rows(configured).values()} == {"force_stable"}
    assert configured("switch", "clear", "controlBus", "--forced").code == 0
    assert len(sentinel(configured).read_text().split()) == len(SWITCHES) - 1


def test_the_variable_is_told_because_no_command_can_take_it_back(configured: Cli) -> None:
    done = configured("switch", "clear", "--all", "--forced", environ={"ROUTECODEX_FORCE_STABLE": "1"})

    assert done.code == 0
    assert "ROUTECODEX_FORCE_STABLE is set" in done.err


@pytest.mark.parametrize("arguments", [("rollback",), ("rollback", "controlBus", "--all"), ("switch", "clear")])
def test_a_command_without_its_switch_says_so(configured: Cli, arguments: tuple[str, ...]) -> None:
    done = configured(*arguments)

    assert done.code == 78
    assert "?" in done.err


def test_an_offline_rollback_needs_no_configuration(cli: Cli) -> None:
    done = cli("rollback", "--all", "--offline")

    assert done.code == 0
    assert sentinel(cli).read_text() == "*\n"
    assert "switch clear --all --forced" in done.out


def test_json_answers_are_one_document(configured: Cli) -> None:
    for arguments in (("list",), ("show", "controlBus"), ("explain", "controlBus"), ("clear", "--all", "--forced")):
        assert json.loads(configured("switch", *arguments, "--json").out)


def test_an_override_that_was_not_cleared_is_what_a_start_would_take(cli: Cli) -> None:
    from routecodex.blocks.ledger import Ledger

    one, other = LIVE[:2]
    cli.write(CONFIG.format(port=1) + "\n" + written({"appKernel": "v2", other: "v2"}))
    ledger = Ledger(cli.home / "control" / "1")
    override = {"value": "v2", "configured": "v1"}
    gone = {"value": "v1", "configured": "v1"}
    body = {"overrides": {one: override, other: gone}}
    ledger.append("transaction.commit", "cli:alice", "c1", body)
    ledger.close()
    found = rows(cli)

    kept, ended = found[one], found[other]
    assert (kept["value"], kept["source"]) == ("v2", "ledger")
    assert (ended["value"], ended["source"]) == ("v2", "file")
