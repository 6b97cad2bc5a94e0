"""Switches, rollback and configuration on a running gateway with two workers: what is told is what is in force."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.host.cli.conftest import CONFIG, Cli, free_port
from tests.sides import LIVE, written

KEY = LIVE[0]
NEW = {"appKernel": "v2"}
TIMES = '{"watch": 0.4, "file": 3600.0}'
"""A short watch; the file is looked at when a command says so, not by itself."""


def text(port: int, over: Mapping[str, str] = NEW) -> str:
    return CONFIG.format(port=port) + "\n" + written(over)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def live(cli: Cli, port: int) -> Cli:
    """Two workers that change while they serve."""
    cli.environ["ROUTECODEX_SUPERVISOR_TIMES"] = TIMES
    cli.write(text(port))
    started = cli("start", "--daemon", "--workers", "2", "--json")
    assert started.code == 0, started
    until(lambda: len(cli("status", "--json").json["control"]["workers"]) == 2)
    return cli


def row(cli: Cli, key: str = KEY) -> dict[str, Any]:
    found: dict[str, Any] = cli("switch", "show", key, "--json").json["switch"]
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_set_while_a_worker_still_boots_reaches_it(cli: Cli, port: int) -> None:
    """`start` returns when one worker serves; the others follow, with what is wanted by then."""
    cli.environ["ROUTECODEX_SUPERVISOR_TIMES"] = TIMES
    cli.write(text(port))
    assert cli("start", "--daemon", "--workers", "3").code == 0
    assert cli("switch", "set", KEY, "v2").code == 0

    until(lambda: row(cli)["workers"] == {"1": "v2", "2": "v2", "3": "v2"})


def blessed(cli: Cli) -> bool:
    return any(entry["kind"] == "blessed" for entry in cli("ledger", "show", "--json").json["entries"])


def test_status_shows_workers_hashes_and_what_is_not_at_its_default(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    told = live("status", "--json").json
    shown = live("status").out
    control = told["control"]

    assert [worker["number"] for worker in control["workers"]] == [1, 2]
    assert all(worker["status"]["kernel"] == "v2" for worker in control["workers"])
    assert all(worker["status"]["generations"][-1]["current"] for worker in control["workers"])
    hashes = control["hashes"]
    assert hashes["file"] == hashes["desired"] == hashes["loaded"] == told["health"]["configHash"]
    assert hashes["effective"] not in (None, hashes["loaded"])
    assert "file = desired = loaded" in shown
    assert "Switches not at their default:" in shown


def test_an_override_is_set_seen_on_every_worker_and_cleared(live: Cli) -> None:
    done = live("switch", "set", KEY, "v2", "--reason", "try it")
    after = row(live)
    listed = live("switch", "list", "--json").json
    cleared = live("switch", "clear", KEY)
    back = row(live)

    assert done.code == 0, done.err
    assert f"architecture.{KEY}: v1 -> v2" in done.out
    assert (after["value"], after["source"], after["override"], after["configured"]) == ("v2", "ledger", "v2", "v1")
    assert after["workers"] == {"1": "v2", "2": "v2"}
    assert listed["origin"] == "gateway"
    assert cleared.code == 0
    assert (back["value"], back["override"]) == ("v1", None)
    entries = live("ledger", "show", "--kind", "command", "--json").json["entries"]
    assert [entry["body"]["name"] for entry in entries] == ["switch.set", "switch.clear"]
    assert entries[0]["body"]["arguments"]["reason"] == "try it"
    assert entries[0]["actor"].startswith("cli:")


def test_all_overrides_end_at_once(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    done = live("switch", "clear", "--all")
    again = live("switch", "clear", "--all")

    assert (done.code, again.code) == (0, 0)
    assert row(live)["value"] == "v1"
    assert "There is no live override." in again.out


def test_what_makes_no_sense_is_refused_with_its_reason(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    senseless = live("switch", "set", "appKernel", "v1")

    assert senseless.code == 78
    assert f"{KEY} = v2 needs appKernel = v2" in senseless.err
    assert row(live)["value"] == "v2"


def test_an_override_that_takes_new_workers_is_asked_for_again_and_survives_them(live: Cli) -> None:
    until(lambda: blessed(live))
    waits = live("switch", "set", "appKernel", "v1")
    before = row(live, "appKernel")
    up = live("status", "--json").json["control"]["uptimeSeconds"]
    done = live("switch", "set", "appKernel", "v1", "--restart")
    after = row(live, "appKernel")
    still_up = live("status", "--json").json["control"]["uptimeSeconds"]

    assert waits.code == 75
    assert "Say it again with `--restart`" in waits.err
    assert (before["value"], before["override"]) == ("v2", None)
    assert done.code == 0, done
    assert (after["value"], after["override"]) == ("v1", "v1")
    assert still_up > up, "the gateway's age is the supervisor's, not a worker's"


def test_what_is_not_there_is_refused_with_its_reason(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    missing = live("switch", "set", "controlBus", "v2", "--json")

    assert missing.code == 78
    assert "is not there yet" in missing.json["error"]["message"]
    assert row(live)["value"] == "v2"


def test_a_rollback_prints_each_step_with_its_time_and_leaves_a_bundle(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    until(lambda: blessed(live))
    done = live("rollback", KEY, "--reason", "worse")
    after = row(live)

    assert done.code == 0, done
    steps = [line.split() for line in done.out.splitlines() if line[:1] == "R" and line[1:2].isdigit()]
    assert [step[0] for step in steps] == ["R0", "R1", "R2", "R3", "R6"]
    assert all(float(step[1]) >= 0 and step[2] == "ms" for step in steps)
    assert "verified on every worker" in done.out
    bundle = next(line.split()[-1] for line in done.out.splitlines() if "snapshot" in line and "/" in line)
    assert Path(bundle).is_file()
    assert after["workers"] == {"1": "v1", "2": "v1"}
    assert live("ledger", "verify").code == 0
    kinds = [entry["kind"] for entry in live("ledger", "show", "--kind", "rollback", "--json").json["entries"]]
    assert kinds == ["rollback.intent", "rollback.done"]


def test_after_a_rollback_the_switch_can_be_set_again(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    live("rollback", KEY)
    done = live("switch", "set", KEY, "v2")

    assert done.code == 0, done.err
    assert row(live)["value"] == "v2"


def test_what_is_held_at_its_default_is_not_called_away_from_it(live: Cli) -> None:
    live("rollback", "--all")
    shown = live("status").out
    assert "Switches not at their default:" not in shown
    assert "Held at their default by " in shown


def test_status_says_that_the_ledger_cannot_be_written(cli: Cli, port: int) -> None:
    (cli.home / "control" / str(port) / "ledger.lock").mkdir(parents=True)
    cli.write(text(port))
    assert cli("start", "--daemon").code == 0
    assert "the ledger cannot be written: " in cli("status").out
    refused = cli("switch", "set", KEY, "v2")
    assert refused.code == 75
    assert "or the folder writable" in refused.err


def test_rolling_back_everything_replaces_the_kernel_and_refuses_nobody(live: Cli) -> None:
    done = live("rollback", "--all", "--json")
    again = live("rollback", "--all")

    assert done.code == 0, done
    assert done.json["result"]["verified"] is True
    assert {step["step"] for step in done.json["result"]["steps"]} >= {"R0", "R4", "R5", "R6"}
    assert row(live, "appKernel")["workers"] == {"1": "v1", "2": "v1"}
    assert again.code == 0
    assert "Nothing of it is rolled out" in again.out


def test_the_sentinel_is_obeyed_by_a_running_gateway_and_let_go_again(live: Cli) -> None:
    live("switch", "set", KEY, "v2")
    done = live("rollback", KEY, "--offline", "--json")
    forced = row(live)
    refused = live("switch", "set", KEY, "v2")
    live("switch", "clear", KEY, "--forced")
    until(lambda: row(live)["workers"] == {"1": "v2", "2": "v2"})

    assert done.code == 0, done
    assert done.json["obeyed"] is True
    assert (forced["value"], forced["source"]) == ("v1", "force_stable")
    assert refused.code == 75
    assert "forced" in refused.err


# --- the configuration -----------------------------------------------------------------------------------


def test_a_plan_shows_what_each_change_takes_and_apply_puts_it_in_force(live: Cli, port: int) -> None:
    before = live("status", "--json").json["control"]["hashes"]["loaded"]
    live.write(text(port).replace('["acme.large"]', '["acme.small"]'))
    plan = live("config", "plan", "--json").json
    stale = live("config", "apply", "--if-match", "0" * 64)
    applied = live("config", "apply", "--if-match", before)
    after = live("status", "--json").json["control"]["hashes"]

    assert [(change["path"], change["effect"]) for change in plan["result"]["changes"]] == [
        ("virtualrouter.routing.default", "drain")
    ]
    assert stale.code == 75
    assert before[:12] in stale.err
    assert applied.code == 0, applied.err
    assert "In force." in applied.out
    assert after["loaded"] == after["file"] == plan["result"]["hash"] != before
    assert "No difference." in live("config", "plan").out


def test_another_file_can_be_judged_without_applying_it(live: Cli, port: int) -> None:
    other = live.home / "other.toml"
    other.write_text(text(port, {"appKernel": "v1"}))
    plan = live("config", "plan", "--file", str(other))

    assert plan.code == 0, plan.err
    assert "architecture.appKernel: v2 -> v1" in plan.out
    assert "restart" in plan.out
    assert row(live, "appKernel")["value"] == "v2"


def test_what_takes_a_restart_is_not_called_applied_before_it_is(live: Cli, port: int) -> None:
    live.write(text(port) + '\n[telemetry]\nlogLevel = "debug"\n')
    reloaded = live("config", "reload")
    pending = live("status", "--json").json["control"]
    applied = live("config", "apply", "--restart")
    after = live("status", "--json").json["control"]

    assert reloaded.code == 75
    assert "Pending" in reloaded.out
    assert "routecodex config apply --restart" in reloaded.err
    assert pending["hashes"]["loaded"] != pending["hashes"]["file"]
    assert applied.code == 0, applied
    assert after["hashes"]["loaded"] == after["hashes"]["file"]
    assert {worker["pid"] for worker in after["workers"] if worker["state"] == "ready"}.isdisjoint(
        worker["pid"] for worker in pending["workers"]
    )


def test_a_broken_file_is_refused_with_its_faults_and_nothing_changes(live: Cli, port: int) -> None:
    before = live("status", "--json").json["control"]["hashes"]["loaded"]
    live.write(text(port).replace("[server]\n", "[server]\nprot = 1\n"))
    done = live("config", "apply")
    as_json = live("config", "apply", "--json")

    assert done.code == 78
    assert 'Did you mean "port"?' in done.err
    assert as_json.json["error"]["details"]["refusals"][0]["line"] == 2
    assert live("status", "--json").json["control"]["hashes"]["loaded"] == before


def test_under_kernel_v1_every_change_is_told_to_take_a_restart(cli: Cli, port: int) -> None:
    cli.environ["ROUTECODEX_SUPERVISOR_TIMES"] = TIMES
    cli.write(text(port, {"appKernel": "v1"}))
    assert cli("start", "--daemon").code == 0
    cli.write(text(port, {"appKernel": "v1"}).replace('["acme.large"]', '["acme.small"]'))
    plan = cli("config", "plan")
    pending = cli("config", "apply", "--json")
    applied = cli("config", "apply", "--restart")

    assert "`routecodex config apply --restart` does" in plan.out
    assert pending.code == 75
    assert pending.json["state"] == "pending"
    assert {change["effect"] for change in pending.json["result"]["changes"]} == {"restart"}
    assert applied.code == 0, applied.err
    assert "under appKernel v1 every change takes a new worker" in cli("switch", "show", KEY).out


# --- the faces agree ---------------------------------------------------------------------------------------


def test_http_and_command_line_give_the_same_answer(live: Cli) -> None:
    token = (live.home / "run" / "admin-token").read_text().strip()
    url = live("status", "--json").json["url"]

    def asked(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            url + path,
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    over_http = asked("PUT", f"/daemon/switches/{KEY}", {"value": "v2"})
    asked("DELETE", f"/daemon/switches/{KEY}")
    over_cli = live("switch", "set", KEY, "v2", "--json").json
    listed = {each["key"]: each["value"] for each in asked("GET", "/daemon/switches")["result"]["switches"]}
    shown = {each["key"]: each["value"] for each in live("switch", "list", "--json").json["switches"]}

    assert over_http["result"]["changes"] == over_cli["result"]["changes"]
    assert (over_http["command"], over_http["state"]) == (over_cli["command"], over_cli["state"])
    assert listed == shown


def test_a_missing_token_is_told_as_what_it_is(live: Cli) -> None:
    (live.home / "run" / "admin-token").write_text("somebody else's token, long enough\n")
    done = live("switch", "set", KEY, "v2")

    assert done.code == 75
    assert "does not take the admin token" in done.err
