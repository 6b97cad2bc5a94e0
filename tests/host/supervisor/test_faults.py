"""The fault table: whatever goes wrong, what serves afterwards is v1/stable or the last good configuration.

Each fault happens to a real gateway in front of a real upstream with a stream open; each prints its line. The stream
ends as its protocol has it, and the ledger verifies.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from routecodex.blocks.ledger import verify
from tests.fake_upstream import Finish, Gate, Script, Text, ThreadedUpstream
from tests.host.supervisor.supervised import Supervised, supervised, until
from tests.sides import LIVE, nested

PLANTED = Path(__file__).with_name("planted")
ROWS = {"appKernel": "v2", **dict.fromkeys(LIVE, "v2")}
FIRST = {"appKernel": "v1", **dict.fromkeys(LIVE, "v1")}
Say = Callable[[str, str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a fault's line, whatever pytest captures."""

    def line(fault: str, outcome: str) -> None:
        with capsys.disabled():
            print(f"\n  fault: {fault:<44} -> {outcome}", flush=True)

    return line


@pytest.fixture
def up() -> Iterator[ThreadedUpstream]:
    with ThreadedUpstream() as upstream:
        yield upstream


class Real:
    """A real gateway: kernel v2, all blocks at their second side, one provider."""

    def __init__(self, folder: Path, up: ThreadedUpstream) -> None:
        self.folder = folder
        self.up = up

    def config(self, provider: str = "acme", **more: Any) -> dict[str, Any]:
        return {
            "server": {"port": 0, "drain": 20, **more.pop("server", {})},
            "virtualrouter": {
                "providers": {
                    provider: {
                        "protocol": "openai-chat",
                        "baseUrl": f"{self.up.url}/v1",
                        "keys": {"main": "${ACME_API_KEY}"},
                        "models": ["fake-model"],
                    }
                },
                "routing": {"default": [f"{provider}.fake-model"]},
            },
            "architecture": nested(ROWS),
            **more,
        }

    @contextmanager
    def started(
        self, config: Any = None, *, environ: dict[str, str] | None = None, **options: Any
    ) -> Iterator[Supervised]:
        given = {"ACME_API_KEY": "secret-of-acme", **(environ or {})}
        if config is None and options.get("port") is None:
            config = self.config()
        options = {"silence": 5.0, **options}
        with supervised(self.folder, config, odd=False, environ=given, **options) as one:
            yield one
        assert "secret-of-acme" not in one.log_file.read_text()


@pytest.fixture
def real(tmp_path: Path, up: ThreadedUpstream) -> Real:
    return Real(tmp_path, up)


def ask(one: Supervised) -> int:
    """One small request; its status."""
    body = {"model": "fake-model", "messages": [{"role": "user", "content": "hi"}]}
    return one.http("POST", "/v1/chat/completions", body)[0]


@contextmanager
def streaming(one: Supervised, up: ThreadedUpstream) -> Iterator[Callable[[], bytes]]:
    """A stream that is open; what is yielded lets it go on and gives all of it."""
    up.do(lambda: up.upstream.close_gate())
    up.script(Script.of(Text("one"), Gate(), Text(" two"), Finish()))
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=60)
    body = {"model": "fake-model", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200
    seen = answer.readline()

    def rest() -> bytes:
        up.do(up.upstream.open_gate)
        return seen + answer.read()

    try:
        yield rest
    finally:
        up.do(up.upstream.open_gate)
        connection.close()


def whole(stream: bytes) -> bool:
    return b"two" in stream and stream.endswith(b"data: [DONE]\n\n")


def effective(one: Supervised) -> dict[str, Any]:
    """Switch values of the workers that serve; empty while they differ."""
    found = [worker["status"]["switches"] for worker in one.status["workers"] if worker["state"] == "ready"]
    return {key: found[0][key] for key in FIRST if found and all(values == found[0] for values in found)}


def good(one: Supervised) -> str:
    return str(one.status["lastGood"]["hash"])


def in_force(one: Supervised) -> str | None:
    loaded = one.status["hashes"]["loaded"]
    return None if loaded is None else str(loaded)


def test_invalid_file(real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started(workers=2) as one:
        one.blessed()
        before = in_force(one)
        with streaming(one, up) as rest:
            one.write('{"server": {"port": "none"}, "virtualrouter"')
            until("refused", lambda: one.status["file"]["state"] == "refused")
            refusal = one.status["file"]["refusals"][0]
            assert whole(rest())
        assert in_force(one) == before == good(one)
        assert ask(one) == 200
    say("invalid file", f"refused (line {refusal['line']}: {refusal['message']}), last_good serves")


def test_valid_file_that_fails_to_build(real: Real, up: ThreadedUpstream, say: Say, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("short")
    with real.started(workers=2) as one:
        one.blessed()
        before = in_force(one)
        with streaming(one, up) as rest:
            one.write(real.config(server={"admin": {"tokenFile": str(token)}}))
            until("refused", lambda: one.status["file"]["state"] == "refused")
            assert "admin token" in one.status["file"]["reason"]
            assert whole(rest())
        assert in_force(one) == before == good(one)
        port = one.port
    # And at a start, where there is no generation to go on with.
    with real.started(real.config(server={"admin": {"tokenFile": str(token)}}), port=port) as one:
        assert one.status["origin"] == "last_good"
        assert in_force(one) == before
        assert ask(one) == 200
    say("valid file that fails to build", "refused before it is published; at start last_good serves")


def test_builds_but_throws_on_its_first_request(real: Real, up: ThreadedUpstream, say: Say) -> None:
    environ = {"PLANTED_POISON": "poison", "PYTHONPATH": f"{PLANTED}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    with real.started(workers=2, environ=environ, watch=3.0) as one:
        one.blessed()
        before = in_force(one)
        with streaming(one, up) as rest:
            one.write(real.config("poison"))
            until("the poison is in force", lambda: in_force(one) not in (before, None))
            assert ask(one) == 500
            (breach,) = one.wait_ledger("watch.breached")
            until("back", lambda: in_force(one) == before)
            assert whole(rest())
        assert ask(one) == 200
        assert in_force(one) == good(one)
        assert one.status["file"]["state"] == "reverted"
    say("builds but throws on its first request", f"taken back ({breach.body['why'][:44]} ...), last_good serves")


def test_port_taken(real: Real, up: ThreadedUpstream, say: Say, tmp_path: Path) -> None:
    with real.started() as one:
        one.blessed()
        config = tmp_path / "second.json"
        config.write_text(json.dumps(real.config(server={"port": one.port})))
        environ = {**os.environ, "HOME": str(tmp_path), "ROUTECODEX_HOME": str(one.home), "ACME_API_KEY": "x"}
        command = [sys.executable, "-m", "routecodex.cli", "start", "--config", str(config)]
        with streaming(one, up) as rest:
            done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=60)
            one.write(real.config(server={"port": one.port + 1 if one.port < 65535 else 1}))
            until("told", lambda: one.status["file"]["state"] == "pending")
            assert whole(rest())
        assert "listener" in one.status["file"]["reason"]
        assert in_force(one) == good(one)
    assert done.returncode == 75
    assert "in use" in done.stderr
    say("port taken", "exit 75 names the port; the gateway that has it serves on")


def test_disk_full_at_the_ledger(real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started() as one:
        one.blessed()
        port, before = one.port, in_force(one)
    ledger = one.control / "ledger.jsonl"
    ledger.rename(ledger.with_name("kept"))
    ledger.symlink_to("/dev/full")
    with real.started(port=port, file=3600) as one:
        with streaming(one, up) as rest:
            one.write(real.config("other"))
            refused = one.command("config.apply")
            assert in_force(one) == before
            rolled = one.command("switch.rollback", all=True)
            assert effective(one) == FIRST
            assert whole(rest())
        assert ask(one) == 200
        ledger.unlink()
        ledger.with_name("kept").rename(ledger)
    assert (refused[0], refused[1]["code"]) == (503, "ledger_unwritable")
    assert (rolled[0], rolled[1]["result"]["verified"]) == (200, True)
    say("disk full at the ledger", "apply refused, rollback done and verified, receipt says what is not written")


@pytest.mark.parametrize("victim", ["supervisor", "worker"])
def test_kill_9_during_publish(victim: str, real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started(workers=2, file=3600) as one:
        one.blessed()
        before, port = in_force(one), one.port
        serving = {worker["pid"] for worker in one.status["workers"]}
        one.write(real.config(server={"accessLog": False}))
        applying = threading.Thread(target=lambda: _quietly(one, "config.apply", restart=True), daemon=True)
        with streaming(one, up) as rest:
            applying.start()
            one.wait_ledger("transaction.commit")
            if victim == "supervisor":
                one.process.kill()
                one.process.wait()
            else:
                fresh = until("a new worker", lambda: _children(one) - serving)
                for pid in fresh:
                    os.kill(pid, signal.SIGKILL)
            assert whole(rest())
        applying.join(60)
        if victim == "worker":
            until(
                "all of one mind",
                lambda: in_force(one) is not None and one.status["hashes"]["desired"] == in_force(one),
            )
            assert in_force(one) == before == good(one)
            assert ask(one) == 200
    assert verify(one.control).ok
    if victim == "supervisor":
        with real.started(port=port) as one:
            one.blessed()
            assert in_force(one) == good(one)
            assert ask(one) == 200
    say(f"kill -9 of the {victim} during publish", "streams end whole, last_good serves")


def _quietly(one: Supervised, name: str, **arguments: Any) -> None:
    try:
        one.command(name, **arguments)
    except (OSError, http.client.HTTPException):
        return


def _children(one: Supervised) -> set[int]:
    """Processes of the supervisor."""
    tasks = Path(f"/proc/{one.process.pid}/task").glob("*/children")
    return {int(pid) for children in tasks for pid in children.read_text().split()}


def test_worker_hang(real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started(workers=2, silence=1.0) as one, ExitStack() as stack:
        one.blessed()
        rest = stack.enter_context(streaming(one, up))
        (holding,) = until("the stream is seen", lambda: streams(one))
        victim = next(worker["pid"] for worker in one.status["workers"] if worker["pid"] != holding)
        os.kill(victim, signal.SIGSTOP)
        (hung,) = one.wait_logged("worker.hangs")
        until("replaced", lambda: one.ready == 2)
        assert whole(rest())
        assert in_force(one) == good(one)
        assert ask(one) == 200
    assert hung["pid"] == victim
    say("worker hang", "ended after its silence and replaced; the other's streams end whole")


@pytest.mark.parametrize("rows", [FIRST, ROWS], ids=["v1", "v2"])
def test_restart_that_outlives_the_drain(rows: dict[str, Any], real: Real, say: Say) -> None:
    """Workers are replaced one after another and may not wait for the last: the receipt is found by its id."""
    config = real.config(server={"drain": 0}, architecture=nested(rows))
    with real.started(config, workers=3) as one:
        one.blessed()
        before = {worker["pid"] for worker in one.status["workers"]}
        answers = [one.command("server.restart", id="rolling")]
        while answers[-1][0] == 202:
            assert answers[-1][1]["code"] == "under_way"
            assert answers[-1][1]["id"] == "rolling"
            answers.append(one.command("server.restart", id="rolling"))
        assert answers[-1][0] == 200
        assert answers[-1][1]["result"] == {"replaced": 3}
        assert before.isdisjoint(worker["pid"] for worker in one.status["workers"] if worker["state"] == "ready")
        assert [entry.body["id"] for entry in one.ledger if entry.kind == "command"].count("rolling") == 1
    say("restart outlives the drain", "told as under way, its receipt found by its id, done once")


def streams(one: Supervised) -> list[int]:
    """Workers with a request under way (control commands are none)."""
    return [worker["pid"] for worker in one.status["workers"] if worker["status"]["running"]]


@pytest.mark.parametrize("how", ["SIGSTOP", "SIGKILL"])
def test_dead_control_plane(how: str, real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started(workers=2) as one:
        one.blessed()
        port = one.port
        with streaming(one, up) as rest:
            one.process.send_signal(getattr(signal, how))
            if how == "SIGSTOP":
                one.force("*")
                until("workers obey by themselves", lambda: _obeyed(one))
                assert ask(one) == 200
            assert whole(rest())
        if how == "SIGSTOP":
            one.process.send_signal(signal.SIGCONT)
            until("verified", lambda: effective(one) == FIRST)
            assert ask(one) == 200
        else:
            one.process.wait()
            (one.home / "run" / "force_stable").write_text("*")
    if how == "SIGKILL":
        with real.started(port=port) as one:
            assert effective(one) == FIRST
            assert ask(one) == 200
    say(f"dead control plane ({how})", "streams end whole; the sentinel brings v1/stable")


def _obeyed(one: Supervised) -> bool:
    """Both workers say so themselves, as /health does: nobody above them answers."""
    token = (one.home / "run" / "admin-token").read_text().strip()
    seen = [one.http("GET", "/health?verbose", authorization=f"Bearer {token}")[1] for _ in range(8)]
    return all(told["switches"][LIVE[0]]["value"] == "v1" for told in seen)


def test_last_good_deleted(real: Real, up: ThreadedUpstream, say: Say) -> None:
    with real.started() as one:
        one.blessed()
        before = in_force(one)
        (one.control / "last_good.json").unlink()
        with streaming(one, up) as rest:
            one.write(real.config(server={"limits": {"maxJsonDepth": 0}}))
            until("refused", lambda: one.status["file"]["state"] == "refused")
            one.write(real.config("other"))
            until("in force", lambda: in_force(one) not in (before, None))
            one.blessed()
            assert whole(rest())
        assert one.status["lastGood"]["onDisk"]
        port, now = one.port, in_force(one)
        (one.control / "last_good.json").unlink()
    with real.started(port=port) as one:
        assert in_force(one) == now
        one.blessed()
        assert one.status["lastGood"]["onDisk"]
    say("last_good deleted", "kept in memory, written anew with the next blessing")


def test_clock_jump(real: Real, up: ThreadedUpstream, say: Say, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    environ = {"PLANTED_CLOCK": str(clock), "PYTHONPATH": f"{PLANTED}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    with real.started(environ=environ) as one:
        one.blessed()
        with streaming(one, up) as rest:
            for number, offset in enumerate((-86_400, 10 * 86_400, -400 * 86_400)):
                fresh = clock.with_suffix(".new")
                fresh.write_text(str(offset))
                fresh.rename(clock)
                seq = one.status["configSeq"]
                one.write(real.config(f"provider{number}"))
                until("applied", lambda seq=seq: one.status["configSeq"] > seq)  # type: ignore[misc]
                one.blessed()
            (worker,) = one.status["workers"]
            rolled = one.command("switch.rollback", all=True)
            assert whole(rest())
        times = [entry.at for entry in one.ledger]
        assert effective(one) == FIRST
    assert rolled[1]["result"]["verified"]
    assert times != sorted(times)
    assert [entry.seq for entry in one.ledger] == list(range(1, len(one.ledger) + 1))
    assert worker["pid"]
    say("clock jump (a day, ten days, a year)", "applied, blessed and rolled back as ever; ledger numbers only rise")


def test_a_connection_waits_while_no_worker_lives(real: Real, say: Say) -> None:
    """The listener is the supervisor's: who comes while nobody accepts waits for the next worker."""
    with real.started() as one:
        one.blessed()
        os.kill(one.status["workers"][0]["pid"], signal.SIGKILL)
        with socket.create_connection(("127.0.0.1", one.port), timeout=30):
            assert ask(one) == 200
    say("the only worker killed", "replaced; no connection refused")
