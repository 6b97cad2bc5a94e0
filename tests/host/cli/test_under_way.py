"""A gateway that is not done yet: the command line asks again, under the same id, until there is a receipt."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests.host.cli.conftest import CONFIG, Cli


class NotDoneYet(BaseHTTPRequestHandler):
    """Answers the first commands as the workers do while the supervisor goes on, the next one with `last`."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    last: ClassVar[tuple[int, dict[str, Any]]]

    def do_GET(self) -> None:
        self.answer(200, {"status": "ok", "switches": {}})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, given))
        receipt = {"command": "x", "id": given.get("id", "made up"), "state": "accepted", "code": "under_way"}
        told = {"reason": "The command is still being carried out.", "nextStep": "Send it again."}
        self.answer(*self.last if len(self.asked) > 2 else (202, {**receipt, **told}))

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def busy(cli: Cli) -> Iterator[Cli]:
    NotDoneYet.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), NotDoneYet) as server:
        cli.write(CONFIG.format(port=server.server_address[1]))
        (cli.home / "run").mkdir(parents=True)
        (cli.home / "run" / "admin-token").write_text("a token that is long enough\n")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield cli
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("words", "path", "arguments"),
    [
        (("server", "restart"), "/daemon/server/restart", {}),
        (("config", "apply", "--restart"), "/daemon/config/apply", {"restart": True}),
    ],
)
def test_a_command_under_way_is_asked_for_until_it_is_done(
    words: tuple[str, ...], path: str, arguments: dict[str, Any], busy: Cli
) -> None:
    NotDoneYet.last = (200, {"command": "x", "id": "made up", "state": "done", "result": {"replaced": 3}})
    done = busy(*words, "--json")

    assert done.code == 0, done
    assert done.json["state"] == "done"
    assert NotDoneYet.asked == [(path, arguments), *[(path, {**arguments, "id": "made up"})] * 2]


def test_what_it_came_to_in_the_end_is_told(busy: Cli) -> None:
    why = "A new worker did not come up."
    NotDoneYet.last = (500, {"command": "x", "id": "made up", "state": "refused", "code": "boot_failed", "reason": why})
    done = busy("server", "restart")

    assert done.code == 70
    assert why in done.err


def test_a_rollback_under_way_is_waited_for(busy: Cli) -> None:
    result = {"verified": True, "totalMs": 3.0, "steps": []}
    NotDoneYet.last = (200, {"command": "x", "id": "made up", "state": "done", "result": result})
    done = busy("rollback", "--all")

    assert done.code == 0, done
    assert "verified" in done.out
    assert [given.get("id") for _, given in NotDoneYet.asked] == [None, "made up", "made up"]
