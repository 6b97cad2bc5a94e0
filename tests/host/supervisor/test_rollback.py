"""Rollback: what the receipt says happened, happened; whatever the workers do."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.host.supervisor.supervised import Supervised, supervised, until
from tests.sides import LIVE

KEY, OTHER = LIVE[-2:]
OUT = {"appKernel": "v2", KEY: "v2", OTHER: "v2"}


def steps(receipt: Any) -> dict[str, Any]:
    return {step["step"]: step for step in receipt["result"]["steps"]}


def serving(one: Supervised, key: str) -> set[Any]:
    return {worker["status"]["switches"][key] for worker in one.status["workers"] if worker["state"] == "ready"}


@pytest.mark.parametrize("count", [1, 3])
def test_a_hot_row_is_forced_reloaded_and_verified_without_new_workers(count: int, tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}, workers=count) as one:
        until("all", lambda: len(one.status["workers"]) == count)
        one.blessed()
        before = {worker["pid"] for worker in one.status["workers"]}
        status, receipt = one.command("switch.rollback", key=KEY, reason="p95")
        after = {worker["pid"] for worker in one.status["workers"]}
        values = serving(one, KEY)
        other = serving(one, OTHER)
        overrides, forced = one.status["overrides"], one.status["forced"]
        entries = {entry.kind: entry for entry in one.ledger}

    assert (status, receipt["state"], receipt["result"]["verified"]) == (200, "done", True)
    assert [step["step"] for step in receipt["result"]["steps"]] == ["R0", "R1", "R2", "R3", "R6"]
    assert all(step["ok"] for step in receipt["result"]["steps"])
    assert receipt["result"]["effective"] == {str(number): {KEY: "v1"} for number in range(1, count + 1)}
    assert (values, other) == ({"v1"}, {"v2"})
    assert before == after
    assert (overrides, forced) == ({KEY: "v1"}, [])
    assert entries["rollback.intent"].body["overrides"][KEY]["value"] == "v1"
    assert entries["rollback.intent"].seq < entries["rollback.done"].seq


def test_it_stays_rolled_back_over_restarts_and_crashes(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}) as one:
        one.blessed()
        one.command("switch.rollback", key=KEY)
        os.kill(one.status["workers"][0]["pid"], signal.SIGKILL)
        until("replaced", lambda: serving(one, KEY) == {"v1"})
        port = one.port
        one.process.kill()
        one.process.wait()
    with supervised(tmp_path, {"name": "a", "switches": OUT}, port=port) as one:
        assert serving(one, KEY) == {"v1"}


def test_rolling_back_what_is_not_rolled_out_succeeds_and_does_nothing(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.blessed()
        first = one.command("switch.rollback", key=KEY)
        everything = one.command("switch.rollback", all=True)
        assert one.status["overrides"] == {}

    for status, receipt in (first, everything):
        assert (status, receipt["state"], receipt["result"]["noop"]) == (200, "done", True)


def test_dependants_go_first_and_a_restart_row_takes_new_workers(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT, "stubborn": "env"}, workers=2) as one:
        one.blessed()
        until("both", lambda: len(one.status["workers"]) == 2)
        before = {worker["pid"] for worker in one.status["workers"]}
        status, receipt = one.command("switch.rollback", key="appKernel")
        after = {worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready"}

    assert receipt["result"]["keys"] == [KEY, OTHER, "appKernel"]
    assert (status, receipt["result"]["verified"]) == (200, True)
    assert steps(receipt)["R4"]["ok"]
    assert steps(receipt)["R5"]["ok"]
    assert not before & after


def test_all_rows_at_once(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}, workers=2) as one:
        one.blessed()
        status, _ = one.command("switch.rollback", all=True, reason="drill")
        values = one.status["workers"][0]["status"]["switches"]

    assert status == 200
    assert {key for key, value in values.items() if value in ("v2", "canary", True)} == set()


def test_kernel_v1_starts_with_new_workers(tmp_path: Path) -> None:
    plan = {"name": "a", "kernel": "v1", "switches": {"sharedmodule.hubCompatProfile": "canary"}, "stubborn": "env"}
    with supervised(tmp_path, plan) as one:
        one.blessed()
        status, receipt = one.command("switch.rollback", key="sharedmodule.hubCompatProfile")

    assert (status, receipt["result"]["verified"]) == (200, True)
    assert "R1-R3" in steps(receipt)
    assert "R1" not in steps(receipt)
    assert steps(receipt)["R4"]["ok"]


@pytest.mark.parametrize("how", ["force", "ask"])
def test_a_worker_that_does_not_answer_is_replaced(how: str, tmp_path: Path) -> None:
    """It hangs where it matters most: at the force map, or when asked what it serves."""
    plan = {"name": "a", "switches": {"appKernel": "v2", KEY: "v2"}, "stubborn": "env"}
    with supervised(tmp_path, plan, workers=2, file=3600, verify=0.6, force=0.3, silence=60) as one:
        one.blessed()
        victim = one.status["workers"][1]["pid"]
        os.kill(victim, signal.SIGSTOP)
        status, receipt = until("an answer", lambda: one.command("switch.rollback", key=KEY, id=how))
        values = serving(one, KEY)
        until("the hung one is gone", lambda: not Path(f"/proc/{victim}").exists())

    assert (status, receipt["result"]["verified"], values) == (200, True, {"v1"})
    assert not steps(receipt)["R1"]["ok"]
    assert steps(receipt)["R4"]["ok"]


def test_what_cannot_be_brought_back_ends_in_safe_mode(tmp_path: Path) -> None:
    plan = {"name": "a", "switches": {"appKernel": "v2", KEY: "v2"}, "stubborn": "always"}
    with supervised(tmp_path, plan, file=3600) as one:
        one.blessed()
        status, receipt = one.command("switch.rollback", key=KEY)
        until("safe mode serves alone", one.only_safe_mode)
        shown = one.status

    assert (status, receipt["result"]["safeMode"], receipt["result"]["verified"]) == (200, True, True)
    assert "Safe mode" in receipt["reason"]
    assert not steps(receipt)["R5"]["ok"]
    assert steps(receipt)["R5 safe mode"]["ok"]
    assert shown["state"] == "safe_mode"


def test_a_full_disk_does_not_hold_it_up_and_the_receipt_says_so(tmp_path: Path) -> None:
    plan = {"name": "a", "switches": OUT}
    with supervised(tmp_path, plan) as one:
        one.blessed()
        port = one.port
    ledger = tmp_path / "home" / "control" / str(port) / "ledger.jsonl"
    ledger.rename(ledger.with_name("kept"))
    ledger.symlink_to("/dev/full")
    with supervised(tmp_path, plan, port=port) as one:
        status, receipt = one.command("switch.rollback", key=KEY)
        values = serving(one, KEY)
        ledger.unlink()
        ledger.with_name("kept").rename(ledger)

    assert (status, receipt["result"]["verified"], values) == (200, True, {"v1"})
    assert not steps(receipt)["R0"]["ok"]
    assert "cannot be written" in receipt["result"]["ledger"]


def test_the_last_blessed_configuration_comes_back_with_it(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "good", "switches": OUT}, watch=60, file=3600) as one:
        assert one.stop() == 0
        port = one.port
    with supervised(tmp_path, {"name": "good", "switches": OUT}, port=port, file=3600) as one:
        one.blessed()
    with supervised(tmp_path, {"name": "good", "switches": OUT}, port=port, watch=60, file=3600) as one:
        one.write({"name": "new", "switches": OUT})
        assert one.command("config.apply")[0] == 200
        assert one.name == "new"
        _, receipt = one.command("switch.rollback", key=KEY)
        assert one.name == "good"

    assert receipt["result"]["verified"]


def test_a_transaction_under_way_gives_way(tmp_path: Path) -> None:
    import threading

    plan = {"name": "a", "switches": OUT}
    with supervised(tmp_path, plan, workers=2, file=3600) as one:
        one.blessed()
        one.write({"name": "b", "effect": "restart", "boot": "hang", "switches": OUT})
        answers: list[Any] = []
        applying = threading.Thread(target=lambda: answers.append(one.command("config.apply", restart=True)))
        applying.start()
        one.wait_ledger("transaction.commit")
        status, receipt = one.command("switch.rollback", key=KEY)
        applying.join(30)
        assert one.name == "a"

    assert (status, receipt["result"]["verified"]) == (200, True)
    assert (answers[0][0], answers[0][1]["code"]) == (409, "preempted")


# --- the sentinel ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rolled"), [(KEY, {KEY}), ("*", set(OUT)), ("", set(OUT)), ("a typing error", set(OUT))]
)
def test_the_sentinel_forces_and_lets_go(text: str, rolled: set[str], tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}, workers=2) as one:
        one.blessed()
        one.force(text)
        until("forced", lambda: all(serving(one, key) == {"v1"} for key in rolled))
        one.wait_ledger("rollback.done")
        assert all(serving(one, key) == {"v2"} for key in set(OUT) - rolled)
        assert one.status["overrides"] == {}
        one.sentinel.unlink()
        until("let go", lambda: all(serving(one, key) == {"v2"} for key in OUT))
        one.wait_ledger("sentinel.released")


def test_sigusr2_looks_at_the_sentinel_at_once(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}, sentinel=3600) as one:
        one.blessed()
        one.force(KEY)
        one.process.send_signal(signal.SIGUSR2)
        until("forced", lambda: serving(one, KEY) == {"v1"})


def test_a_sentinel_that_lies_there_at_the_start_holds_from_the_first_request(tmp_path: Path) -> None:
    home = tmp_path / "home" / "run"
    home.mkdir(parents=True)
    (home / "force_stable").write_text("*")
    with supervised(tmp_path, {"name": "a", "switches": OUT}) as one:
        assert all(serving(one, key) == {"v1"} for key in OUT)
        refused = one.command("switch.set", key=KEY, value="v2")

    assert (refused[0], refused[1]["code"]) == (409, "forced")


def test_the_environment_forces_too(tmp_path: Path) -> None:
    environ = {"ROUTECODEX_FORCE_STABLE": KEY}
    with supervised(tmp_path, {"name": "a", "switches": OUT}, environ=environ) as one:
        assert serving(one, KEY) == {"v1"}
        assert serving(one, OTHER) == {"v2"}


# --- the bundle ------------------------------------------------------------------------------------------


def test_the_bundle_says_what_was_there_before_and_after(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}) as one:
        one.blessed()
        _, receipt = one.command("switch.rollback", key=KEY, reason="too slow")
    told = receipt["result"]["bundle"]
    path = Path(told["path"])
    with tarfile.open(path) as tar:
        parts = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    manifest = json.loads(parts["manifest.json"])
    decision = json.loads(parts["decision.json"])
    switches = json.loads(parts["switches.json"])

    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == told["bytes"] < 20_000_000
    for part in manifest["parts"]:
        assert hashlib.sha256(parts[part["name"]]).hexdigest() == part["sha256"]
    assert (decision["reason"], decision["keys"]) == ("too slow", [KEY])
    assert [step["step"] for step in decision["timeline"]] == ["R0", "R1", "R2", "R3"]
    assert switches["before"]["1"]["values"][KEY] == "v2"
    assert switches["after"]["1"]["values"][KEY] == "v1"
    assert json.loads(parts["configuration-before.json"])["name"] == "a"
    assert b"rollback.intent" in parts["ledger.jsonl"]
    assert {"workers.json", "in-flight.json", "log-tail.jsonl", "configuration-after.json"} <= set(parts)


def test_a_bundle_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "switches": OUT}) as one:
        one.blessed()
        (one.control / "bundles").write_text("in the way")
        status, receipt = one.command("switch.rollback", key=KEY)

    assert (status, receipt["result"]["verified"]) == (200, True)
    assert "error" in receipt["result"]["bundle"]
    assert not steps(receipt)["R6"]["ok"]
