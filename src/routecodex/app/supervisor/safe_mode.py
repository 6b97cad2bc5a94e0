"""Safe mode: a worker that needs nothing that could be broken, for when no configuration can be served.

    python -m routecodex.app.supervisor.safe_mode --listener-descriptor N --link-descriptor M --token-file PATH …

Its configuration is built in: no provider, every switch at its first side. It serves `/health`, says "not ready",
answers every request with a 503 that names safe mode, and hands `/daemon/…` to the supervisor, so that the way out is
open. It imports the standard library, msgspec and the switch table only.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from routecodex.app.supervisor.asking import Asking
from routecodex.app.supervisor.link import Link, connect
from routecodex.app.supervisor.messages import (
    Ask,
    Boot,
    Change,
    Commit,
    Down,
    Force,
    Prepare,
    Prepared,
    Published,
    Ready,
    Refusal,
    Refused,
    Stop,
    Told,
    Up,
    WorkerStatus,
)
from routecodex.app.supervisor.safe_http import Request, answer, hear_out, read_request
from routecodex.app.supervisor.settings import Settings
from routecodex.app.switches import SwitchVector

_MOST_CONNECTIONS: Final = 256
_VALUES: Final = SwitchVector().values()
_HASH: Final = hashlib.sha256(b"safe mode").hexdigest()
_OUT: Final = "Mend the configuration, then `routecodex config apply`; or try again: `routecodex server restart`."
_COMMANDS: Final[dict[tuple[str, str], str]] = {
    ("GET", "/daemon/status"): "server.status",
    ("GET", "/daemon/switches"): "switch.list",
    ("POST", "/daemon/rollback"): "switch.rollback",
    ("POST", "/daemon/config/apply"): "config.apply",
    ("POST", "/daemon/config/reload"): "config.reload",
    ("POST", "/daemon/server/restart"): "server.restart",
    ("POST", "/daemon/server/drain"): "server.drain",
    ("POST", "/daemon/server/stop"): "server.stop",
    ("GET", "/daemon/ledger"): "ledger.show",
}


def command(settings: Settings, why: str) -> Sequence[str]:
    """What starts it."""
    module = [sys.executable, "-m", "routecodex.app.supervisor.safe_mode"]
    return [*module, "--token-file", settings.token_file, "--reason", why[:500]]


class SafeWorker:
    """Answers HTTP and the link."""

    def __init__(self, link: Link[Up, Down], number: int, token: str, reason: str) -> None:
        self._link = link
        self._number = number
        self._token = token
        self._reason = reason
        self._asking = Asking(link)
        self._running = 0
        self._requests = 0
        self.stopping = asyncio.Event()

    def status(self, accepting: bool = True) -> WorkerStatus:
        return WorkerStatus(
            pid=os.getpid(),
            kernel="safe",
            config_seq=0,
            loaded_hash=_HASH,
            effective_hash=_HASH,
            switches=_VALUES,
            sources={},
            generations=(),
            running=self._running,
            accepting=accepting and not self.stopping.is_set(),
            internal_errors=0,
            requests=self._requests,
            lag=0.0,
        )

    # --- the link --------------------------------------------------------------------------------------

    async def attend(self) -> None:
        """Answer the supervisor until it says stop or goes away."""
        while (message := await self._link.read()) is not None:
            if self._asking.heard(message):
                continue
            if isinstance(message, Stop):
                self.stopping.set()
            elif isinstance(message, Ask):
                self._link.write(Told(message.id, self.status()))
            elif isinstance(message, Force):
                self._link.write(Published(message.id, self.status()))
            elif isinstance(message, Prepare):
                change = Change("*", "restart", "safe mode", "a configuration")
                self._link.write(Prepared(message.id, "", (change,), {}))
            elif isinstance(message, Commit):
                refusal = Refusal("restart_needed", "$", "Safe mode publishes nothing.", "Apply it with --restart.")
                self._link.write(Refused(message.id, (refusal,)))
        self._asking.lost()
        self.stopping.set()

    # --- HTTP ------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one answer."""
        self._running += 1
        try:
            if self._running > _MOST_CONNECTIONS:
                return
            request = await read_request(reader)
            if request is not None:
                self._requests += 1
                status, body = await self._answered(request, writer.get_extra_info("peername"))
                writer.write(answer(status, body, request.method == "HEAD"))
                writer.write_eof()
                await writer.drain()
                await hear_out(reader)
        except (ConnectionError, TimeoutError, asyncio.LimitOverrunError):
            return
        finally:
            self._running -= 1
            writer.close()

    async def _answered(self, request: Request, peer: Any) -> tuple[int, bytes]:
        if request.path == "/health":
            return 200, self._health(request)
        if request.path == "/ready":
            return 503, _json({"ready": False, "safeMode": True, "reason": self._reason})
        if request.path.startswith("/daemon/"):
            return await self._daemon(request, peer)
        return 503, _refusal(request.path, f"The gateway is in safe mode: {self._reason.rstrip('.')}.")

    def _health(self, request: Request) -> bytes:
        told: dict[str, Any] = {"status": "safe_mode"}
        if "verbose" in request.query and self._is_admin(request):
            switches = {key: {"value": value, "source": "default"} for key, value in _VALUES.items()}
            told |= {"reason": self._reason, "nextStep": _OUT, "running": self._running, "switches": switches}
        return _json(told)

    async def _daemon(self, request: Request, peer: Any) -> tuple[int, bytes]:
        if not self._is_admin(request):
            why = "The admin token is missing, or not this gateway's."
            return 401, _json(
                {"error": {"code": "unauthorized", "message": why, "nextStep": "Send it as a bearer token."}}
            )
        name = _COMMANDS.get((request.method, request.path))
        key = request.path.removeprefix("/daemon/switches/")
        arguments: dict[str, Any] = {
            name: int(value) if value.isdecimal() else value for name, value in request.query.items()
        }
        if name is None and key != request.path and request.method == "GET":
            name, arguments = "switch.list", {"key": key}
        if name is None:
            why = f"Safe mode does not carry out {request.method} {request.path[:100]}."
            return 409, _json({"error": {"code": "safe_mode", "message": why, "nextStep": _OUT}})
        try:
            given = json.loads(request.body) if request.body else {}
        except ValueError:
            given = None
        if not isinstance(given, dict):
            why = "The body is no JSON object."
            return 400, _json({"error": {"code": "bad_command", "message": why, "nextStep": "Send a JSON object."}})
        actor = request.headers.get("x-routecodex-actor", "")[:80]
        where = f"http:{peer[0]}" if isinstance(peer, tuple) else "http"
        passed_on = _json({**arguments, **given})
        return await self._asking.command(name, passed_on, f"{actor} ({where})" if actor else where)

    def _is_admin(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        return (
            bool(self._token)
            and scheme.lower() == "bearer"
            and hmac.compare_digest(token.strip().encode(), self._token.encode())
        )


def _refusal(path: str, why: str) -> bytes:
    """The 503 in the words of the client's protocol."""
    text = f"{why} {_OUT}"
    if path.startswith("/v1/messages"):
        return _json({"type": "error", "error": {"type": "overloaded_error", "message": text}})
    if path.startswith(("/v1beta/", "/v1alpha/")):
        return _json({"error": {"code": 503, "message": text, "status": "UNAVAILABLE"}})
    return _json({"error": {"message": text, "type": "server_error", "param": None, "code": "safe_mode"}})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


async def _run(options: argparse.Namespace) -> int:
    listener = socket.socket(fileno=options.listener_descriptor)
    listener.setblocking(False)
    link: Link[Up, Down] = await connect(socket.socket(fileno=options.link_descriptor), Down)
    boot = await link.read()
    if not isinstance(boot, Boot):
        return os.EX_SOFTWARE
    worker = SafeWorker(link, boot.worker, _token(options.token_file), options.reason)
    server = await asyncio.start_server(worker.serve, sock=listener, limit=64 * 1024)
    attending = asyncio.create_task(worker.attend())
    link.write(Ready(worker.status()))
    await worker.stopping.wait()
    server.close()
    while worker.status().running and not attending.done():  # noqa: ASYNC110 - a handful of answers under way
        await asyncio.sleep(0.02)
    attending.cancel()
    link.close()
    return 0


def _token(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="routecodex.app.supervisor.safe_mode")
    parser.add_argument("--listener-descriptor", type=int, required=True)
    parser.add_argument("--link-descriptor", type=int, required=True)
    parser.add_argument("--token-file", default="")
    parser.add_argument("--reason", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return asyncio.run(_run(options))


if __name__ == "__main__":
    sys.exit(main())
