"""The command line's way to its own server: plain HTTP, one request on one connection.

One of the named network sinks beside Provider V2: it connects to the gateway itself and to nothing else, so the
address comes from a server record or the configuration's `server` section only.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class OwnServer:
    """One gateway, by base URL; `admin_token` opens its admin surface, `api_key` its data plane."""

    def __init__(
        self, url: str, *, admin_token: str | None = None, api_key: str | None = None, timeout: float = 10.0
    ) -> None:
        self.url = url
        self._admin_token = admin_token
        self._api_key = api_key
        self._timeout = timeout

    def get(self, path: str, *, admin: bool = False) -> Answer:
        """GET; raises CommandError if nothing answers."""
        return self._send("GET", path, None, self._admin_token if admin else self._api_key)

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Answer:
        """POST JSON on the data plane; raises CommandError if nothing answers."""
        return self._send("POST", path, json.dumps(body).encode(), self._api_key, headers)

    def command(
        self, method: str, path: str, arguments: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """A control command; raises CommandError if nothing answers, code `connection_lost` if it broke off midway."""
        body = None if arguments is None else json.dumps(arguments).encode()
        return self._send(method, path, body, self._admin_token, headers)

    def is_up(self) -> bool:
        """Whether a gateway answers there."""
        try:
            return self.get("/health").status == 200
        except CommandError:
            return False

    def _send(
        self, method: str, path: str, body: bytes | None, token: str | None, headers: dict[str, str] | None = None
    ) -> Answer:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self._timeout)
        sent = {"accept": "application/json", **(headers or {})}
        if body is not None:
            sent["content-type"] = "application/json"
        if token:
            sent["authorization"] = f"Bearer {token}"
        asked = False
        try:
            connection.request(method, path, body, sent)
            asked = True
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) if asked and not isinstance(error, TimeoutError) else self._silent(error) from None
        finally:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content)

    def _silent(self, error: Exception) -> CommandError:
        return CommandError(
            EXIT_TEMPORARY,
            f"Nothing answers at {self.url}: {_why(error)}.",
            "Start the gateway with `routecodex start`.",
            code="not_running",
        )

    def _lost(self, error: Exception) -> CommandError:
        return CommandError(
            EXIT_TEMPORARY,
            f"{self.url} took the request and broke off: {_why(error)}.",
            "See `routecodex status`.",
            code="connection_lost",
        )


def read_token(path: str) -> str | None:
    """The admin token the server made; None where there is none to read."""
    try:
        return Path(path).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "what answers speaks no HTTP"
