"""`/daemon/…`: control commands over HTTP, written once for both sides of `hostBlocks.httpAdapter`.

A table of routes and one ASGI application that judges who asks (admin token always, own Host and Origin only), reads
the arguments and hands the command to the control plane. It knows no command's meaning. Answers are receipts; what
fails before there is a command is answered as `{"error": {"code", "message", "nextStep"}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Protocol
from routecodex.blocks.http_adapter import body
from routecodex.blocks.http_adapter.contract import ControlPlane
from routecodex.blocks.http_adapter.data_plane import DataPlane
from routecodex.blocks.http_adapter.headers import decoded
from routecodex.blocks.http_adapter.patience import Patience

PREFIX: Final = "/daemon/"
MAX_BODY: Final = 1024 * 1024
ACTOR: Final = "x-routecodex-actor"
_LONGEST_ACTOR: Final = 80
_NOT_JSON: Final = "Send a JSON object."


class Command(msgspec.Struct, frozen=True):
    """One route: what asks for which command, and where its arguments come from."""

    method: str
    path: str
    """`{key}` stands for one segment, which becomes that argument."""
    name: str
    """Of the command."""
    description: str
    query: tuple[str, ...] = ()
    """Arguments the query may hold."""
    body: bool = False
    """The body holds arguments, as a JSON object; it may be empty."""
    if_match: bool = False
    """The header `If-Match` is the argument `ifMatch`."""


COMMANDS: Final = (
    Command("GET", "/daemon/status", "server.status", "workers, generations, the four hashes, switches"),
    Command("GET", "/daemon/switches", "switch.list", "every switch: value, source, effect, sides"),
    Command("GET", "/daemon/switches/{key}", "switch.list", "one switch"),
    Command(
        "PUT", "/daemon/switches/{key}", "switch.set", 'override a switch: `{"value": …}`', body=True, if_match=True
    ),
    Command("DELETE", "/daemon/switches/{key}", "switch.clear", "end the override", body=True, if_match=True),
    Command(
        "DELETE", "/daemon/switches", "switch.clear", 'end all overrides: `{"all": true}`', body=True, if_match=True
    ),
    Command("POST", "/daemon/rollback", "switch.rollback", '`{"key": …}` or `{"all": true}`, `reason`', body=True),
    Command("POST", "/daemon/config/plan", "config.plan", "what applying the file would change", body=True),
    Command(
        "POST", "/daemon/config/apply", "config.apply", "put the file in force: `restart`", body=True, if_match=True
    ),
    Command("POST", "/daemon/config/reload", "config.reload", "read the file again", body=True, if_match=True),
    Command(
        "GET",
        "/daemon/ledger",
        "ledger.show",
        "control-plane changes from `since` on",
        query=("since", "kind", "limit"),
    ),
    Command("POST", "/daemon/snapshots", "snapshot.export", "write a bundle of what is in force", body=True),
    Command("POST", "/daemon/server/restart", "server.restart", "replace every worker", body=True),
    Command("POST", "/daemon/server/drain", "server.drain", "take on no new requests", body=True),
    Command("POST", "/daemon/server/stop", "server.stop", "end the gateway", body=True),
)


class Daemon:
    """The ASGI application below `/daemon/`."""

    def __init__(self, plane: DataPlane, control: ControlPlane) -> None:
        self._patience = Patience(body.SILENCE)
        self._plane = plane
        self._control = control

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = self._plane.new_id("req_")
        headers = decoded(scope["headers"])
        try:
            self._plane.policy.check_source(headers)
            self._plane.policy.check_admin(headers)
            command, arguments = _found(scope["method"], scope["path"])
            for name, value in (await self._given(command, scope, receive, headers)).items():
                if arguments.setdefault(name, value) != value:
                    raise _wrong(f"The path and the body differ in {name!r}.")
            status, content = await self._control.command(command.name, arguments, _actor(headers, scope))
        except body.ClientGone:
            return
        except GatewayError as error:
            await self._refuse(send, error, request_id)
            return
        await _answer(send, status, content, request_id)

    async def _given(
        self, command: Command, scope: Mapping[str, Any], receive: Any, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """The arguments of query, body and `If-Match`."""
        given: dict[str, Any] = {}
        for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
            if name not in command.query:
                raise _wrong(f"The command takes no {name[:80]!r} in its query.")
            given[name] = int(value) if value.isdecimal() and len(value) < 16 else value
        content = await _body(receive, headers, self._patience)
        if content:
            if not command.body:
                raise _wrong("The command takes no body.")
            self._plane.policy.check_content_type(headers)
            given.update(_object(content))
        if command.if_match and (tag := headers.get("if-match")) is not None:
            tag = tag.strip().removeprefix("W/").strip('"')
            if given.setdefault("ifMatch", tag) != tag:
                raise _wrong("If-Match and ifMatch differ.")
        return given

    async def _refuse(self, send: Any, error: GatewayError, request_id: str) -> None:
        """Told like every failure, but in the words of the control plane."""
        reply = self._plane.flow.refuse(Protocol.OPENAI_CHAT, error, request_id)
        told = {"code": error.code, "message": error.message, "nextStep": error.next_step or ""}
        extra: list[tuple[bytes, bytes]] = []
        if error.code == "method_not_allowed" and error.param is not None:
            extra.append((b"allow", error.param.encode("ascii")))
        if reply.status == 401:
            extra.append((b"www-authenticate", b'Bearer realm="routecodex"'))
        await _answer(send, reply.status, msgspec.json.encode({"error": told}), request_id, extra)


def _found(method: str, path: str) -> tuple[Command, dict[str, Any]]:
    """The command of this method and path, with the path's arguments. Raises a 404 or 405."""
    allowed: list[str] = []
    for command in COMMANDS:
        arguments = _matched(command.path, path)
        if arguments is not None:
            if command.method == method:
                return command, arguments
            allowed.append(command.method)
    if not allowed:
        raise GatewayError(
            ErrorKind.NOT_FOUND,
            "unknown_command",
            f"There is no control command at {path[:200]}.",
            next_step="docs/reference/http.md lists them.",
            layer=Layer.CLIENT,
        )
    methods = ", ".join(allowed)
    raise GatewayError(
        ErrorKind.INVALID_REQUEST,
        "method_not_allowed",
        f"The method {method} is not allowed here.",
        status=405,
        param=methods,
        next_step=f"Use {methods}.",
        layer=Layer.CLIENT,
    )


def _matched(pattern: str, path: str) -> dict[str, Any] | None:
    """The arguments a path gives this pattern; None if it is another's."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        return {} if path == pattern else None
    value = path.removeprefix(before)
    if not path.startswith(before) or not value or "/" in value:
        return None
    return {rest.removesuffix("}"): value}


async def _body(receive: Any, headers: Mapping[str, str], patience: Patience) -> bytes:
    try:
        return await body.read(receive, headers, MAX_BODY, patience)
    except GatewayError as error:
        if error.kind is ErrorKind.TOO_LARGE:
            error.next_step = "A command's arguments are a few lines of JSON."
        raise


def _object(content: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _wrong(f"The body is no JSON object: {error}.", _NOT_JSON) from error
    return found


def _actor(headers: Mapping[str, str], scope: Mapping[str, Any]) -> str:
    """Who asks, for the ledger: as they call themselves, and from where. All hold the same token."""
    client = scope.get("client")
    where = f"http:{client[0]}" if client else "http"
    named = "".join(letter for letter in headers.get(ACTOR, "") if letter.isprintable())[:_LONGEST_ACTOR]
    return f"{named} ({where})" if named else where


def _wrong(message: str, next_step: str = "docs/reference/http.md lists what each command takes.") -> GatewayError:
    return GatewayError(ErrorKind.INVALID_REQUEST, "bad_command", message, next_step=next_step, layer=Layer.CLIENT)


async def _answer(
    send: Any, status: int, content: bytes, request_id: str, extra: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
        (b"x-routecodex-request-id", request_id.encode("ascii")),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
