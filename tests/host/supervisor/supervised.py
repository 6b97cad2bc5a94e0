"""A real supervisor process on a real port, as tests speak to it: over HTTP, by signals and by what lies on disk."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from routecodex.blocks.ledger import Entry, read, verify

ODD = Path(__file__).with_name("odd_worker.py")
TIMES = {
    "ready": 20.0,
    "ping": 0.1,
    "silence": 3.0,
    "last_words": 0.2,
    "watch": 0.5,
    "lag": 5.0,
    "file": 0.05,
    "debounce": 0.05,
    "sentinel": 0.05,
    "backoff": 0.05,
}
PATIENCE = 30.0

T = TypeVar("T")


def until(what: str, look: Callable[[], T]) -> T:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            found = look()
        except (OSError, http.client.HTTPException, ValueError) as error:
            found, what = None, f"{what} (last: {error!r})"  # type: ignore[assignment]
        if found:
            return found
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@dataclass
class Supervised:
    """One supervisor."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    odd: bool
    log_file: Path
    listener: socket.socket = field(repr=False)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def control(self) -> Path:
        return self.home / "control" / str(self.port)

    @property
    def sentinel(self) -> Path:
        return self.home / "run" / "force_stable"

    # --- asking ----------------------------------------------------------------------------------------

    def http(self, method: str, path: str, body: Any = None, timeout: float = 60.0, **headers: str) -> tuple[int, Any]:
        """(status, JSON)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            content = None if body is None else json.dumps(body).encode()
            sent = {"content-type": "application/json"} if content is not None else {}
            connection.request(method, path, content, {**sent, **headers})
            answer = connection.getresponse()
            told = answer.read()
            return answer.status, json.loads(told) if told else None
        finally:
            connection.close()

    def command(self, name: str, **arguments: Any) -> tuple[int, Any]:
        """(status, receipt) over whatever worker takes it."""
        if self.odd and not self.in_safe_mode:
            return self.http("POST", f"/command/{name}", arguments)
        token = (self.home / "run" / "admin-token").read_text().strip()
        method, path = _WAYS[name]
        if "{key}" in path:
            path = path.replace("{key}", arguments.pop("key"))
        elif method == "GET" and arguments:
            path += "?" + "&".join(f"{key}={value}" for key, value in arguments.items())
        return self.http(
            method, path, arguments if method in ("POST", "PUT") else None, authorization=f"Bearer {token}"
        )

    @property
    def in_safe_mode(self) -> bool:
        return self.http("GET", "/health")[1].get("status") == "safe_mode"

    def only_safe_mode(self, workers: int = 1) -> bool:
        """Safe mode's program holds every slot, and no worker of a configuration is left, not even one that leaves.

        One that was started before safe mode was entered serves for a moment beside it.
        """
        told = self.command("server.status")[1].get("result") if self.in_safe_mode else None
        if not told:  # it was such a worker that answered
            return False
        kernels = [worker.get("status", {}).get("kernel") for worker in told["workers"]]
        return kernels == ["safe"] * workers

    @property
    def status(self) -> Any:
        return self.command("server.status")[1]["result"]

    @property
    def name(self) -> str:
        """Of the configuration that answers now (odd workers)."""
        return str(self.http("GET", "/")[1].get("name"))

    @property
    def ready(self) -> int:
        """Workers that serve; where safe mode does, all do."""
        return sum(worker["state"] == "ready" for worker in self.status["workers"])

    @property
    def ledger(self) -> list[Entry]:
        return read(self.control, limit=10_000)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.ledger]

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log_file.read_text().splitlines() if line.startswith("{")]
        return [told for told in map(json.loads, lines) if told.get("event") == event]

    # --- doing -----------------------------------------------------------------------------------------

    def write(self, content: Any) -> None:
        """Replace the configuration file by renaming another over it, as editors do."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(content if isinstance(content, str) else json.dumps(content))
        fresh.rename(self.config)

    def force(self, text: str) -> None:
        """Put this into the sentinel, whole at once: one that is still empty forces every row."""
        fresh = self.sentinel.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.sentinel)

    def wait_logged(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        return until(f"{event} in the log", lambda: (told := self.logged(event)) and len(told) >= count and told)

    def wait_ledger(self, kind: str, count: int = 1) -> list[Entry]:
        """Wait until so many entries of this kind are there."""

        def look() -> list[Entry]:
            found = [entry for entry in self.ledger if entry.kind == kind]
            return found if len(found) >= count else []

        return until(f"{kind} in the ledger, not only {self.kinds()}", look)

    def blessed(self) -> None:
        """Wait until what is in force now is blessed."""

        def look() -> bool:
            status = self.status
            good = status["lastGood"]
            return status["watch"] is None and good is not None and good["hash"] == status["hashes"]["loaded"]

        until("blessed", look)

    def stop(self) -> int:
        """End it in good order; its exit code. The ledger verifies afterwards, whatever was done to it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise


_WAYS = {
    "server.status": ("GET", "/daemon/status"),
    "switch.list": ("GET", "/daemon/switches"),
    "switch.set": ("PUT", "/daemon/switches/{key}"),
    "switch.clear": ("DELETE", "/daemon/switches/{key}"),
    "switch.rollback": ("POST", "/daemon/rollback"),
    "config.plan": ("POST", "/daemon/config/plan"),
    "config.apply": ("POST", "/daemon/config/apply"),
    "config.reload": ("POST", "/daemon/config/reload"),
    "server.restart": ("POST", "/daemon/server/restart"),
    "server.drain": ("POST", "/daemon/server/drain"),
    "server.stop": ("POST", "/daemon/server/stop"),
    "ledger.show": ("GET", "/daemon/ledger"),
}


@contextmanager
def supervised(
    folder: Path,
    config: Any,
    *,
    workers: int = 1,
    odd: bool = True,
    port: int = 0,
    wait: bool = True,
    environ: dict[str, str] | None = None,
    **times: float,
) -> Iterator[Supervised]:
    """Start a supervisor over this configuration; ended, and its ledger verified, when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "home"
    (home / "run").mkdir(parents=True, exist_ok=True, mode=0o700)
    token = home / "run" / "admin-token"
    if not token.exists():
        token.write_text("token-of-the-test-0123456789\n")
        token.chmod(0o600)
    listener = until("the port", lambda: socket.create_server(("127.0.0.1", port), backlog=1024))
    log_file = folder / "log"
    command = [sys.executable, "-m", "routecodex.app.supervisor", "--config", str(folder / "config.json")]
    command += ["--home", str(home), "--token-file", str(token), "--workers", str(workers)]
    command += ["--listener-descriptor", str(listener.fileno()), "--log-file", str(log_file)]
    if odd:
        command += ["--worker", sys.executable, "--worker", str(ODD)]
    if config is not None:
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    given = {
        **os.environ,
        "HOME": str(folder),
        "ROUTECODEX_HOME": str(home),
        "ROUTECODEX_SUPERVISOR_TIMES": json.dumps({**TIMES, **times}),
        **(environ or {}),
    }
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(listener.fileno(),)
        )
    one = Supervised(folder, listener.getsockname()[1], process, odd, log_file, listener)
    listener.close()
    try:
        if wait:
            until("all workers serve", lambda: process.poll() is not None or one.ready == workers)
        yield one
    finally:
        try:
            one.stop()
        finally:
            print(log_file.read_text()[-6000:])
    assert "supervisor.fault" not in log_file.read_text()
    assert verify(one.control).ok
