"""A gateway that takes a command and breaks off: the command line looks at what came of it, and says what it saw."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from routecodex.app.switches import SWITCHES
from tests.host.cli.conftest import CONFIG, Cli
from tests.sides import LIVE


class BreakingOff(BaseHTTPRequestHandler):
    """Closes the connection on every command; its health says what it is told to say."""

    values: ClassVar[dict[str, object]] = {}

    def do_GET(self) -> None:
        switches = {key: {"value": value, "source": "default"} for key, value in self.values.items()}
        body = json.dumps({"status": "ok", "switches": switches}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def broken(cli: Cli) -> Iterator[Cli]:
    BreakingOff.values = {row.key: row.default if row.default != () else [] for row in SWITCHES}
    with ThreadingHTTPServer(("127.0.0.1", 0), BreakingOff) as server:
        cli.write(CONFIG.format(port=server.server_address[1]))
        (cli.home / "run").mkdir(parents=True)
        (cli.home / "run" / "admin-token").write_text("a token that is long enough\n")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield cli
        server.shutdown()
        thread.join()


def test_a_rollback_whose_answer_was_lost_is_looked_up(broken: Cli) -> None:
    done = broken("rollback", "--all")
    as_json = broken("rollback", "--all", "--json")

    assert done.code == 0, done
    assert "before it could answer" in done.out
    assert as_json.json["state"] == "done"


def test_a_rollback_that_is_not_seen_is_no_success(broken: Cli) -> None:
    BreakingOff.values = {**BreakingOff.values, LIVE[0]: "v2"}
    done = broken("rollback", LIVE[0])

    assert done.code == 75
    assert f"routecodex rollback {LIVE[0]} --offline" in done.err


def test_another_command_whose_answer_was_lost_says_so(broken: Cli) -> None:
    done = broken("config", "apply", "--json")

    assert done.code == 75
    assert done.json["error"]["code"] == "connection_lost"
    assert "broke off" in done.json["error"]["message"]
