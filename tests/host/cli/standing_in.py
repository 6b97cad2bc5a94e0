"""A gateway's place taken by a few answers over a real socket: for what the command line does with answers that no
healthy gateway gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests.host.cli.conftest import CONFIG, Cli


class Answering(BaseHTTPRequestHandler):
    """Shows the switches it is told to show, and closes the connection on every command."""

    values: ClassVar[dict[str, object]] = {}
    """Of switches, by key."""

    def do_GET(self) -> None:
        switches = {key: {"value": value, "source": "default"} for key, value in self.values.items()}
        self.answer(200, {"status": "ok", "switches": switches})

    def do_POST(self) -> None:
        self.take(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def take(self, given: dict[str, Any]) -> None:
        """A command has come."""
        self.close_connection = True

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing on the test's output."""


@contextmanager
def standing_in(cli: Cli, answering: type[Answering]) -> Iterator[None]:
    """It listens where the command line's configuration says, and knows its admin token."""
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        cli.write(CONFIG.format(port=server.server_address[1]))
        (cli.home / "run").mkdir(parents=True)
        (cli.home / "run" / "admin-token").write_text("a token that is long enough\n")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
