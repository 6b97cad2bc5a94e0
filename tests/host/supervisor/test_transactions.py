"""Applying a configuration: all workers or none, effects told honestly, watched, blessed or taken back."""

from __future__ import annotations

import json
import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.host.supervisor.supervised import supervised, until
from tests.sides import LIVE


def names(one: Any) -> set[str]:
    """What the workers answer, asked often enough to meet all of them."""
    return {one.name for _ in range(12)}


def test_a_changed_file_is_applied_by_itself_watched_and_blessed(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        one.blessed()
        before = one.status
        one.write({"name": "b"})
        until("b serves", lambda: names(one) == {"b"})
        one.blessed()
        after = one.status
        kinds = one.kinds()

    assert after["configSeq"] == before["configSeq"] + 1
    assert after["hashes"]["loaded"] != before["hashes"]["loaded"]
    assert {worker["pid"] for worker in after["workers"]} == {worker["pid"] for worker in before["workers"]}
    assert after["file"]["state"] == "in force"
    assert [kind for kind in kinds if kind.startswith(("command", "transaction", "receipt", "blessed"))] == [
        "blessed",
        "command",
        "transaction.commit",
        "transaction.done",
        "receipt",
        "blessed",
    ]


def test_a_file_edited_in_place_and_one_behind_a_turned_link_are_seen(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.config.write_text(json.dumps({"name": "in place"}))
        until("the edit", lambda: one.name == "in place")
        other = tmp_path / "other.json"
        other.write_text(json.dumps({"name": "linked"}))
        link = tmp_path / "link"
        link.symlink_to(other)
        link.rename(one.config)
        until("the link", lambda: one.name == "linked")


def test_sighup_reads_the_file_again(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.write({"name": "b"})
        assert one.name == "a"
        one.process.send_signal(signal.SIGHUP)
        until("b serves", lambda: one.name == "b")
        assert one.wait_ledger("command")[0].actor == "SIGHUP"


def test_one_refusal_aborts_all(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=3) as one:
        one.blessed()
        one.write({"name": "b", "refuse": True})
        (refused,) = one.wait_ledger("transaction.refused")
        status = one.status
        assert names(one) == {"a"}

    assert refused.body["refusals"][0]["message"] == "It says so itself."
    assert (status["file"]["state"], status["file"]["hash"]) == ("refused", None)
    assert status["file"]["refusals"][0]["line"] == 1


@pytest.mark.parametrize("how", ["hang", "crash"])
def test_a_worker_that_does_not_survive_preparing_keeps_all_from_it(how: str, tmp_path: Path) -> None:
    bad = {"name": "b", "crash_at_prepare": True} if how == "crash" else {"name": "b"}
    good = {"name": "a"} if how == "crash" else {"name": "a", "prepare": "hang"}
    with supervised(tmp_path, good, workers=2, file=3600, prepare=0.5) as one:
        one.blessed()
        one.write(bad)
        status, receipt = one.command("config.apply") if how == "hang" else (0, None)
        if how == "crash":
            one.process.send_signal(signal.SIGHUP)
            one.wait_ledger("transaction.refused")
        else:
            assert (status, receipt["state"]) == (503, "refused")
        until("both are back", lambda: names(one) == {"a"} and len(one.status["workers"]) == 2)
        kinds = one.kinds()

    assert kinds.count("worker.lost") == (2 if how == "crash" else 0)
    assert "safe_mode.entered" not in kinds, "what was tried fell, not what is in force"


def test_what_was_given_up_for_a_rollback_excuses_no_later_crash(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2, file=3600, prepare=30) as one:
        one.blessed()
        assert one.command("switch.set", key=LIVE[0], value="v2")[0] == 200
        one.write({"name": "b", "silent_at_prepare": True})
        one.process.send_signal(signal.SIGHUP)
        one.wait_ledger("command", 2)
        status, receipt = one.command("switch.rollback", key=LIVE[0])
        for count in (1, 2):
            os.kill(
                next(worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready"), signal.SIGKILL
            )
            one.wait_ledger("worker.lost", count)
        one.wait_ledger("safe_mode.entered")

    assert (status, receipt["state"]) == (200, "done")


def test_workers_that_read_different_things_are_not_mixed(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "prepare": "lie"}, workers=2, file=3600) as one:
        one.blessed()
        one.write({"name": "b"})
        status, receipt = one.command("config.apply")

    assert (status, receipt["code"]) == (409, "changing")


def test_if_match_guards_against_a_change_in_between(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.blessed()
        seen = one.status["hashes"]["loaded"]
        one.write({"name": "b"})
        assert one.command("config.apply", ifMatch=seen)[0] == 200
        one.write({"name": "c"})
        status, receipt = one.command("config.apply", ifMatch=seen)
        assert one.name == "b"

    assert (status, receipt["state"], receipt["code"]) == (409, "refused", "if_match")


def test_a_restart_class_change_waits_until_it_is_allowed(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2, file=3600) as one:
        one.blessed()
        before = {worker["pid"] for worker in one.status["workers"]}
        one.write({"name": "b", "effect": "restart"})
        pending = one.command("config.apply")
        during = one.status
        assert names(one) == {"a"}
        done = one.command("config.apply", restart=True)
        assert names(one) == {"b"}
        one.blessed()
        after = {worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready"}

    assert (pending[0], pending[1]["state"]) == (202, "pending")
    assert "--restart" in pending[1]["nextStep"]
    assert {change["effect"] for change in pending[1]["result"]["changes"]} == {"restart"}
    assert during["file"]["state"] == "pending"
    assert during["hashes"]["file"] != during["hashes"]["loaded"]
    assert (done[0], done[1]["result"]["replaced"]) == (200, 2)
    assert not before & after


def test_what_belongs_to_the_listener_is_never_applied(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.write({"name": "b", "server.port": 1, "effect": "restart"})
        status, receipt = one.command("config.apply", restart=True)
        assert one.name == "a"

    assert (status, receipt["state"]) == (202, "pending")
    assert "routecodex stop" in receipt["nextStep"]


def test_new_workers_that_do_not_come_up_leave_the_old_ones_in_place(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=3, file=3600) as one:
        one.blessed()
        one.write({"name": "b", "effect": "restart", "boot": "fail", "only": [2]})
        status, receipt = one.command("config.apply", restart=True)
        until("all a again", lambda: names(one) == {"a"})
        assert one.status["hashes"]["desired"] == one.status["hashes"]["loaded"]

    assert (status, receipt["code"]) == (422, "boot_failed")
    assert receipt["result"]["refusals"][0]["message"] == "It cannot be built."


def test_a_plan_tells_and_changes_nothing(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.write({"name": "b", "effect": "hot"})
        before = one.kinds()
        status, receipt = one.command("config.plan")
        assert one.kinds() == before
        assert one.name == "a"

    assert status == 200
    assert [change["path"] for change in receipt["result"]["changes"]] == ["effect", "name"]
    assert receipt["result"]["effect"] == "hot"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"faults": 1}, "1 internal errors in 1 requests"),
        ({"lag": 9.0}, "event loop was 9.0 s late"),
        ({"probe": "nothing is routed"}, "the probe failed: nothing is routed"),
        ({"crash_after": 0.05}, "SIGKILL"),
    ],
)
def test_harm_after_a_publication_takes_it_back(bad: dict[str, Any], why: str, tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        one.blessed()
        good = one.status["hashes"]["loaded"]
        one.write({"name": "b", **bad})
        (breach,) = one.wait_ledger("watch.breached")
        until("a is back", lambda: names(one) == {"a"})
        until("in force", lambda: one.status["hashes"]["loaded"] == good)
        status = one.status

    assert why in breach.body["why"]
    assert status["file"]["state"] == "reverted"
    assert why in status["file"]["reason"]
    assert status["lastGood"]["hash"] == good


@pytest.mark.parametrize("how", ["refuse", "hang"])
def test_who_does_not_publish_what_was_decided_is_replaced(how: str, tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "commit": how}, workers=2, file=3600, commit=0.5) as one:
        one.blessed()
        one.write({"name": "b"})
        one.process.send_signal(signal.SIGHUP)
        (done,) = one.wait_ledger("transaction.done")
        until("b everywhere", lambda: names(one) == {"b"})

    assert len(done.body["failures"]) == 2


def test_failures_of_subscribers_are_all_told(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2, file=3600) as one:
        until("both", lambda: len(one.status["workers"]) == 2)
        one.write({"name": "b", "failures": ["the log", "the store"]})
        status, receipt = one.command("config.apply")

    assert status == 200
    assert len(receipt["result"]["failures"]) == 4


def test_a_full_disk_refuses_a_configuration_and_does_not_stop_what_runs(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.blessed()
        port = one.port
    ledger = tmp_path / "home" / "control" / str(port) / "ledger.jsonl"
    kept = ledger.rename(ledger.with_name("kept"))
    ledger.symlink_to("/dev/full")
    with supervised(tmp_path, {"name": "a"}, file=3600, port=port) as one:
        one.write({"name": "b"})
        status, receipt = one.command("config.apply")
        assert one.name == "a"
        assert one.status["ledger"]["waiting"] > 0
    ledger.unlink()
    kept.rename(ledger)

    assert (status, receipt["code"]) == (503, "ledger_unwritable")


def test_a_file_saved_while_the_disk_is_full_is_applied_once_there_is_room(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.blessed()
        _, most = resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (16, most))
        one.write({"name": "b"})
        until("told", lambda: one.status["file"]["state"] == "waiting")
        told = one.status
        assert one.name == "a"
        resource.prlimit(one.process.pid, resource.RLIMIT_FSIZE, (most, most))
        until("applied", lambda: one.name == "b")
        until("told", lambda: one.status["file"]["state"] == "in force")
        one.wait_ledger("configuration.waits")

    assert (told["hashes"]["file"], told["ledger"]["waiting"]) == (None, 1)
    assert "cannot be written" in told["file"]["reason"]


def test_a_pipe_in_the_files_place_is_told_and_holds_nobody_up(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.blessed()
        aside = one.config.rename(one.config.with_name("aside"))
        os.mkfifo(one.config)
        until("told", lambda: one.status["file"]["state"] == "unreadable")
        status, receipt = one.command("config.plan", file=str(one.config))
        assert one.name == "a"
        aside.rename(one.config)
        until("the same file is back", lambda: one.status["file"]["state"] == "in force")

    assert (status, receipt["code"]) == (404, "unreadable_file")


# --- commands ------------------------------------------------------------------------------------------


def test_a_command_is_carried_out_once_however_often_it_is_sent(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.write({"name": "b"})
        first = one.command("config.reload", id="once")
        again = one.command("config.reload", id="once")
        other = one.command("server.restart", id="once")
        seq = one.status["configSeq"]
        commands = [entry for entry in one.ledger if entry.kind == "command"]

    assert first == again
    assert seq == 1
    assert len(commands) == 1
    assert (other[0], other[1]["code"]) == (409, "id_in_use")


def test_a_command_under_way_is_waited_for_by_all_who_send_it_and_never_forgotten(tmp_path: Path) -> None:
    """Its id stays known until it has ended, however many commands come meanwhile."""
    with (
        supervised(tmp_path, {"name": "a", "prepare": "hang"}, file=3600, prepare=6.0) as one,
        ThreadPoolExecutor(8) as pool,
    ):
        first = pool.submit(one.command, "config.reload", id="once")
        one.wait_ledger("command")
        for _ in pool.map(lambda _: one.command("server.status"), range(600)):
            pass
        assert not first.done(), "the machine is too slow for this test"
        again = pool.submit(one.command, "config.reload", id="once")
        assert first.result() == again.result()
        assert first.result()[1]["id"] == "once"
        assert [entry.body["id"] for entry in one.ledger if entry.kind == "command"] == ["once"]


def test_a_live_override_is_set_shown_kept_over_a_restart_and_cleared(tmp_path: Path) -> None:
    key = LIVE[0]
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        one.blessed()
        done = one.command("switch.set", key=key, value="v2")
        shown = one.command("switch.list", key=key)[1]["result"]["switch"]
        port = one.port
    with supervised(tmp_path, {"name": "a"}, workers=2, port=port) as one:
        until("both", lambda: len(one.status["workers"]) == 2)
        kept = one.command("switch.list", key=key)[1]["result"]["switch"]
        cleared = one.command("switch.clear", key=key)
        gone = one.command("switch.list", key=key)[1]["result"]["switch"]

    assert (done[0], done[1]["state"]) == (200, "done")
    assert (shown["value"], shown["override"], shown["configured"]) == ("v2", "v2", "v1")
    assert (kept["value"], kept["workers"]) == ("v2", {"1": "v2", "2": "v2"})
    assert cleared[0] == 200
    assert (gone["value"], gone["override"]) == ("v1", None)


def test_a_live_override_ends_when_the_file_says_something_new(tmp_path: Path) -> None:
    key = LIVE[1]
    with supervised(tmp_path, {"name": "a", "switches": {key: "v2"}}) as one:
        one.blessed()
        assert one.command("switch.set", key=key, value="v1")[0] == 200
        one.write({"name": "b", "switches": {key: "v2"}})
        until("b serves", lambda: one.name == "b")
        assert one.status["overrides"] == {key: "v1"}
        one.write({"name": "b", "switches": {key: "v1"}})
        (over,) = one.wait_ledger("override.ended")
        until("ended", lambda: one.status["overrides"] == {})

    assert over.body["keys"] == [key]


def test_a_live_override_ends_when_the_file_changed_while_nobody_looked(tmp_path: Path) -> None:
    key = LIVE[0]
    with supervised(tmp_path, {"name": "a", "switches": {key: "v2"}}) as one:
        one.blessed()
        assert one.command("switch.set", key=key, value="v1")[0] == 200
        port = one.port
    with supervised(tmp_path, {"name": "a", "switches": {key: "v1"}}, port=port) as one:
        one.wait_ledger("override.ended")
        until("ended", lambda: one.status["overrides"] == {})
    with supervised(tmp_path, {"name": "a", "switches": {key: "v2"}}, port=port) as one:
        assert one.status["overrides"] == {}
        assert one.command("switch.list", key=key)[1]["result"]["switch"]["value"] == "v2"


@pytest.mark.parametrize(
    ("name", "arguments", "status", "code"),
    [
        ("switch.set", {"key": "hostBlocks.provider", "value": "v2"}, 404, "unknown_switch"),
        ("switch.set", {"key": "controlBus", "value": "v3"}, 422, "bad_value"),
        ("switch.rollback", {}, 400, "bad_command"),
        ("switch.rollback", {"key": "nothing"}, 404, "unknown_switch"),
        ("what.ever", {}, 404, "unknown_command"),
        ("config.plan", {"file": "relative.toml"}, 400, "bad_command"),
        ("config.plan", {"file": "/does/not/exist.toml"}, 404, "unreadable_file"),
    ],
)
def test_commands_that_make_no_sense_are_refused(
    name: str, arguments: dict[str, Any], status: int, code: str, tmp_path: Path
) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        answered, receipt = one.command(name, **arguments)

    assert (answered, receipt["state"], receipt["code"]) == (status, "refused", code)


def test_the_ledger_is_shown_from_a_number_on_and_by_kind(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, file=3600) as one:
        one.blessed()
        one.command("config.reload")
        everything = one.command("ledger.show")[1]["result"]["entries"]
        later = one.command("ledger.show", since=2)[1]["result"]["entries"]
        commands = one.command("ledger.show", kind="command", limit=1)[1]["result"]["entries"]

    assert everything[0]["seq"] == 1
    assert later == everything[1:]
    assert [entry["kind"] for entry in commands] == ["command"]


@pytest.mark.parametrize("name", ["server.stop", "server.drain"])
def test_the_gateway_ends_by_command(name: str, tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        status, receipt = one.command(name)
        assert one.process.wait(30) == 0

    assert (status, receipt["state"]) == (202, "accepted")


def test_workers_are_replaced_by_command(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        until("both", lambda: len(one.status["workers"]) == 2)
        before = {worker["pid"] for worker in one.status["workers"]}
        status, receipt = one.command("server.restart")
        after = {worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready"}

    assert (status, receipt["result"]["replaced"]) == (200, 2)
    assert len(after - before) == 2


def test_a_deleted_file_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.config.unlink()
        until("told", lambda: one.status["file"]["state"] == "unreadable")
        assert one.name == "a"
        os.kill(one.status["workers"][0]["pid"], signal.SIGKILL)
        until("a is back without its file", lambda: one.name == "a")
