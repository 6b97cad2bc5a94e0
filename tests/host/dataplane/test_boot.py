"""The gateway as a process: started by its command, stopped by signals, its log and exit codes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from routecodex.app.admin_token import AdminTokenError, digest
from tests.fake_upstream import Finish, Gate, Hang, Script, Text, ThreadedUpstream

CONFIG = """
[server]
port = 0
drain = {drain}

[virtualrouter.providers.acme]
protocol = "openai-chat"
baseUrl = "{url}/v1"
keys = {{ main = "${{ACME_API_KEY}}" }}
models = ["fake-model"]

[virtualrouter.routing]
default = ["acme.fake-model"]
"""


@contextmanager
def started(folder: Path, url: str, drain: float = 30.0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A gateway process and its URL."""
    file = folder / "config.toml"
    file.write_text(CONFIG.format(url=url, drain=drain))
    environ = {
        **os.environ,
        "ACME_API_KEY": "secret-of-acme",
        "HOME": str(folder),
        "ROUTECODEX_HOME": str(folder / "h"),
    }
    command = [sys.executable, "-m", "routecodex.cli", "start", "--config", str(file), "--json"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "the process ended before it said where it serves"
            told += line
        yield process, json.loads(told)["url"]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def post(url: str, **more: Any) -> Any:
    body = {"model": "fake-model", "messages": [{"role": "user", "content": "hi"}], **more}
    request = urllib.request.Request(
        url + "/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    return urllib.request.urlopen(request, timeout=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_stream_finish_and_leaves_with_zero(number: signal.Signals, tmp_path: Path) -> None:
    with ThreadedUpstream() as up:
        up.do(lambda: up.upstream.script(Script.of(Text("one"), Gate(), Text(" two"), Finish())))
        with started(tmp_path, up.url) as (process, url):
            with post(url, stream=True) as answer:
                seen = answer.readline()
                process.send_signal(number)
                timer = threading.Timer(0.4, lambda: up.do(up.upstream.open_gate))
                timer.start()
                seen += answer.read()
            _, log = process.communicate(timeout=20)
            assert process.returncode == 0
    assert b"[DONE]" in seen
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    names = [event["event"] for event in events]
    assert [name for name in names if name.startswith("server.")][:1] == ["server.started"]
    assert names[-1] == "server.stopped"
    (request,) = [event for event in events if event["event"] == "request"]
    assert request["outcome"] == "ok"
    assert "secret-of-acme" not in log


def test_a_stream_past_the_drain_ends_with_an_error_and_the_process_with_zero(tmp_path: Path) -> None:
    with ThreadedUpstream() as up:
        up.do(lambda: up.upstream.script(Script.of(Text("one"), Hang())))
        with started(tmp_path, up.url, drain=0.2) as (process, url):
            with post(url, stream=True) as answer:
                seen = answer.readline()
                process.send_signal(signal.SIGTERM)
                seen += answer.read()
            process.communicate(timeout=20)
            assert process.returncode == 0
    assert b"gateway_stopping" in seen
    assert b"[DONE]" not in seen


@pytest.mark.parametrize(("number", "waits"), [(signal.SIGTERM, True), (signal.SIGINT, False)])
def test_asked_twice_only_ctrl_c_does_not_wait(number: signal.Signals, waits: bool, tmp_path: Path) -> None:
    """`routecodex stop` is given again by somebody who was told to wait."""
    with ThreadedUpstream() as up:
        up.do(lambda: up.upstream.script(Script.of(Text("one"), Gate(), Text(" two"), Finish())))
        with started(tmp_path, up.url) as (process, url):
            with post(url, stream=True) as answer:
                seen = answer.readline()
                process.send_signal(number)
                time.sleep(0.4)
                process.send_signal(number)
                timer = threading.Timer(0.4, lambda: up.do(up.upstream.open_gate))
                timer.start()
                with contextlib.suppress(http.client.IncompleteRead):
                    seen += answer.read()
            process.communicate(timeout=20)
            timer.join()
    assert (b"[DONE]" in seen) is waits


@pytest.mark.parametrize("kernel", ["v1", "v2"])
def test_a_state_file_that_cannot_be_used_is_a_configuration_fault(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTECODEX_ARCHITECTURE__APPKERNEL", kernel)
    place = tmp_path / "h" / "state.sqlite3"
    place.mkdir(parents=True)
    with started(tmp_path, "http://127.0.0.1:9") as (process, _):
        _, log = process.communicate(timeout=20)
        assert process.returncode == 78
    assert f"The state file {place} cannot be used: Is a directory." in log
    assert "Traceback" not in log


def test_a_websocket_that_is_refused_is_no_error_of_the_servers(tmp_path: Path) -> None:
    head = {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "origin": "http://elsewhere.example",
    }
    with started(tmp_path, "http://127.0.0.1:9") as (process, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        connection.request("GET", "/v1/responses", headers=head)
        answer = connection.getresponse()
        assert answer.status == 403
        assert b"foreign_origin" in answer.read()
        connection.close()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    assert "foreign_origin" in log
    assert "handshake" not in log


def test_an_admin_token_file_that_cannot_be_used_is_a_configuration_fault(tmp_path: Path) -> None:
    run = tmp_path / "h" / "run"
    run.mkdir(parents=True)
    (run / "admin-token").write_text("short")
    with started(tmp_path, "http://127.0.0.1:9") as (process, _):
        _, log = process.communicate(timeout=20)
        assert process.returncode == 78
    assert "admin-token" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("full", [True, False])
def test_a_token_that_cannot_be_written_whole_leaves_nothing_behind(full: bool, tmp_path: Path) -> None:
    file = tmp_path / "run" / "admin-token"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    try:
        if full:
            with pytest.raises(AdminTokenError, match="admin-token"):
                digest(str(file))
        else:
            assert digest(str(file)) == digest(str(file))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    left = [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in file.parent.iterdir()]
    assert left == ([] if full else [("admin-token", 0o600)])


def test_a_request_behind_an_answer_that_promised_to_keep_the_connection_is_refused_in_words(tmp_path: Path) -> None:
    with ThreadedUpstream() as up:
        up.do(lambda: up.upstream.script(Script.of(Text("one"), Gate(), Text(" two"), Finish())))
        with started(tmp_path, up.url) as (process, url):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
            head = {"content-type": "application/json"}
            body = {"model": "fake-model", "messages": [{"role": "user", "content": "hi"}]}
            connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}), head)
            first = connection.getresponse()
            assert first.readline()
            process.send_signal(signal.SIGTERM)
            until_refused(url)
            up.do(up.upstream.open_gate)
            seen = first.read()
            kept = connection.sock
            connection.request("POST", "/v1/chat/completions", json.dumps(body), head)
            second = connection.getresponse()
            again = second.read()
            same = connection.sock is kept or second.will_close
            connection.close()
            process.communicate(timeout=20)
            assert process.returncode == 0

    assert b"[DONE]" in seen
    assert first.getheader("connection") is None
    assert (second.status, second.getheader("connection"), same) == (503, "close", True)
    assert json.loads(again)["error"]["code"] == "gateway_stopping"


def until_refused(url: str) -> None:
    """Until the gateway has left its accept loop: nobody listens any more."""
    host, port = url.removeprefix("http://").split(":")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, int(port)), timeout=0.2) as probe:
                probe.settimeout(0.2)
                probe.sendall(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
                if not probe.recv(1):
                    return
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail("it goes on accepting")
