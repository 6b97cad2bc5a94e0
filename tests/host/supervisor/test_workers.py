"""Workers of every kind behind the supervisor: those that serve, and those that hang, crash, refuse and babble."""

from __future__ import annotations

import os
import pty
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from routecodex.blocks.ledger import read
from tests.host.supervisor.supervised import ODD, Supervised, supervised, until


def pids(one: Supervised) -> list[int]:
    return [worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready"]


@pytest.mark.parametrize("count", [1, 3])
def test_workers_serve_and_end_with_the_supervisor(count: int, tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=count) as one:
        running = until("all workers", lambda: len(pids(one)) == count and pids(one))
        status = one.status
        assert one.stop() == 0

    assert status["state"] == "serving"
    assert status["hashes"]["file"] == status["hashes"]["desired"] == status["hashes"]["loaded"]
    assert [worker["number"] for worker in status["workers"]] == list(range(1, count + 1))
    for pid in running:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_killed_worker_is_replaced_and_nobody_is_refused(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=1) as one:
        one.blessed()
        (pid,) = pids(one)
        os.kill(pid, signal.SIGKILL)
        # The listener is the supervisor's: a connection that nobody takes yet waits for the next worker.
        assert one.http("GET", "/")[1]["pid"] != pid
        (lost,) = one.wait_ledger("worker.lost")

    assert lost.body["pid"] == pid
    assert "SIGKILL" in lost.body["why"]


def test_a_stopped_worker_is_ended_and_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, silence=0.6) as one:
        one.blessed()
        (pid,) = pids(one)
        os.kill(pid, signal.SIGSTOP)
        (hung,) = one.wait_logged("worker.hangs")
        assert one.http("GET", "/")[1]["pid"] != pid

    assert hung["pid"] == pid


def test_a_worker_whose_loop_stalls_is_ended_and_replaced(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, silence=0.6) as one:
        one.blessed()
        (pid,) = pids(one)
        with socket.create_connection(("127.0.0.1", one.port)) as connection:
            connection.sendall(b"GET /stall HTTP/1.1\r\n\r\n")
            assert connection.recv(1) == b""
        (lost,) = one.wait_ledger("worker.lost")
        assert one.http("GET", "/")[1]["pid"] != pid

    assert "silent for 0.6 s" in lost.body["why"]


def test_our_own_absence_is_not_held_against_the_workers(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, silence=0.5) as one:
        one.blessed()
        before = pids(one)
        one.process.send_signal(signal.SIGSTOP)
        timer = threading.Timer(1.5, one.process.send_signal, (signal.SIGCONT,))
        timer.start()
        timer.join()
        until("pinged again", lambda: one.status["workers"][0]["silentSeconds"] < 0.3)
        assert pids(one) == before
        assert one.logged("worker.hangs") == []


def test_a_worker_that_babbles_is_ended(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a", "boot": "babble"}, wait=False) as one:
        assert one.process.wait(30) == 70
        assert "its link broke" in one.wait_logged("boot.failed")[0]["why"]


@pytest.mark.parametrize(("exit_code", "boots"), [(78, 1), (70, 2), (75, 2)])
def test_what_cannot_boot_and_has_nothing_to_give_way_to_ends_with_its_exit_code(
    exit_code: int, boots: int, tmp_path: Path
) -> None:
    with supervised(tmp_path, {"boot": "fail", "exit": exit_code}, wait=False) as one:
        assert one.process.wait(30) == exit_code
        assert len(one.logged("boot.failed")) == boots
        assert "supervisor.failed" in one.kinds()


def test_a_worker_that_is_never_ready_counts_as_a_failed_boot(tmp_path: Path) -> None:
    with supervised(tmp_path, {"boot": "hang"}, wait=False, ready=0.7) as one:
        assert one.process.wait(30) == 70
        assert [told["tries"] for told in one.logged("boot.failed")] == [1, 2]


def test_a_candidate_that_fails_to_boot_twice_gives_way_to_the_last_good_one(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "good"}) as one:
        one.blessed()
        port = one.port
    with supervised(tmp_path, {"name": "bad", "boot": "crash"}, port=port) as one:
        assert one.name == "good"
        status = one.status
        assert status["origin"] == "last_good"
        assert status["file"]["state"] == "reverted"
        assert [told["tries"] for told in one.logged("boot.failed")] == [1, 2]
        (gave_way,) = one.wait_ledger("configuration.gave_way")
    assert gave_way.body["hash"] == status["hashes"]["loaded"]


def test_a_configuration_that_took_the_supervisor_down_twice_is_not_tried_a_third_time(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "good"}) as one:
        one.blessed()
        port = one.port
    for _ in range(2):
        with supervised(tmp_path, {"name": "deadly"}, port=port, watch=60) as one:
            one.process.kill()
            one.process.wait()
    with supervised(tmp_path, {"name": "deadly"}, port=port) as one:
        assert one.name == "good"
        assert one.logged("configuration.gave_way")[-1]["to"] == "last_good"


def test_stopping_in_good_order_is_no_failed_try(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "good"}) as one:
        one.blessed()
        port = one.port
    for _ in range(3):
        with supervised(tmp_path, {"name": "new"}, port=port, watch=60) as one:
            assert one.name == "new"


def test_a_last_good_that_crashes_twice_gives_way_to_safe_mode_and_there_is_a_way_out(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        one.blessed()
        for count in (1, 2):
            os.kill(pids(one)[0], signal.SIGKILL)
            one.wait_ledger("worker.lost", count)
        one.wait_ledger("safe_mode.entered")
        until("safe mode serves alone", lambda: one.only_safe_mode(2))
        status, body = one.http("POST", "/v1/chat/completions", {"model": "x"})
        messages, told = one.http("POST", "/v1/messages", {"model": "x"})
        ready = one.http("GET", "/ready")
        shown = one.status
        set_again = one.command("switch.rollback", all=True)
        left = one.command("server.restart")
        until("out of safe mode", lambda: one.name == "a")

    assert (status, messages, ready[0]) == (503, 503, 503)
    assert "safe mode" in body["error"]["message"]
    assert body["error"]["code"] == "safe_mode"
    assert told["error"]["type"] == "overloaded_error"
    assert shown["state"] == "safe_mode"
    assert "SIGKILL" in shown["safeMode"]
    assert (set_again[0], set_again[1]["result"]["noop"]) == (200, True)
    assert (left[0], left[1]["state"]) == (200, "done")


def test_a_mended_file_leads_out_of_safe_mode(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.blessed()
        for count in (1, 2):
            until("a worker", lambda: pids(one))
            os.kill(pids(one)[0], signal.SIGKILL)
            one.wait_ledger("worker.lost", count)
        until("safe mode serves alone", one.only_safe_mode)
        one.write({"name": "worse", "boot": "fail"})
        one.wait_ledger("transaction.refused")
        assert one.in_safe_mode
        one.write({"name": "mended"})
        until("out of safe mode", lambda: one.name == "mended")
        one.blessed()
        status = one.status

    assert (status["state"], status["safeMode"], status["file"]["state"]) == ("serving", None, "in force")


def test_safe_mode_asks_for_the_admin_token(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}) as one:
        one.blessed()
        for count in (1, 2):
            until("a worker", lambda: pids(one))
            os.kill(pids(one)[0], signal.SIGKILL)
            one.wait_ledger("worker.lost", count)
        until("safe mode serves alone", one.only_safe_mode)
        assert one.http("GET", "/daemon/status")[0] == 401
        assert one.http("GET", "/daemon/status", authorization="Bearer wrong")[0] == 401
        assert one.http("GET", "/health") == (200, {"status": "safe_mode"})


def test_sigterm_while_starting_ends_it(tmp_path: Path) -> None:
    with supervised(tmp_path, {"boot": "hang"}, wait=False) as one:
        one.wait_ledger("supervisor.started")
        assert one.stop() == 0


def test_a_terminal_that_is_closed_ends_a_gateway_in_the_foreground(tmp_path: Path) -> None:
    """SIGHUP reads the file again; from a terminal that is gone it means what it always meant."""
    (tmp_path / "config.json").write_text('{"name": "a"}')
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    command = [sys.executable, "-m", "routecodex.app.supervisor", "--config", str(tmp_path / "config.json")]
    command += ["--home", str(tmp_path), "--listener-descriptor", str(listener.fileno())]
    command += ["--worker", sys.executable, "--worker", str(ODD)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter
    port = listener.getsockname()[1]
    listener.close()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    os.kill(pid, signal.SIGHUP)
    control = tmp_path / "control" / str(port)
    until("read again", lambda: [entry for entry in read(control) if entry.actor == "SIGHUP"])
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_dead_supervisor_lets_its_workers_finish_and_frees_the_port(tmp_path: Path) -> None:
    with supervised(tmp_path, {"name": "a"}, workers=2) as one:
        until("both", lambda: len(pids(one)) == 2)
        one.process.kill()
        one.process.wait()

        def free() -> bool:
            with socket.create_server(("127.0.0.1", one.port)):
                return True

        until("the port is free", free)
