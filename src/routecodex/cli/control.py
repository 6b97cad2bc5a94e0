"""Control commands to a running gateway: one way to ask, receipts as data, refusals as failures of the command line.

It knows the paths of `/daemon/…` and the shape of receipts. What a command is for is its own module's.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_INTERNAL, EXIT_TEMPORARY, CommandError
from routecodex.cli.target_server import TargetServer

QUICK: Final = 20.0
"""Seconds for a question."""
LONG: Final = 600.0
"""Seconds for a command that may replace workers: each drains first."""

_EXIT_CODES: Final = {400: EXIT_CONFIGURATION, 404: EXIT_CONFIGURATION, 422: EXIT_CONFIGURATION, 500: EXIT_INTERNAL}
"""By HTTP status; everything else is temporary."""
UNDER_WAY: Final = "under_way"
"""The code of a receipt for what is still being carried out."""


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """What the supervisor answered."""

    command: str = ""
    id: str = ""
    state: Literal["done", "accepted", "pending", "refused"] = "done"
    code: str = ""
    """Of a refusal, or UNDER_WAY."""
    reason: str = ""
    next_step: str = ""
    result: Any = None

    @property
    def facts(self) -> dict[str, Any]:
        """The result, where it is an object."""
        return self.result if isinstance(self.result, dict) else {}


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    code: str = "refused"
    message: str = ""
    next_step: str = ""


class _Failure(msgspec.Struct, frozen=True):
    error: _Told


def ask(
    target: TargetServer,
    method: str,
    path: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    if_match: str | None = None,
    timeout: float = QUICK,
) -> Receipt:
    """The receipt of a command that was not refused. Raises CommandError with the reason and the next step.

    A command that is answered as still under way is asked for again, under its id, for `timeout` seconds in all.
    """
    headers = {"x-routecodex-actor": actor()}
    if if_match is not None:
        headers["if-match"] = f'"{if_match}"'
    deadline = time.monotonic() + timeout
    while True:
        receipt = _asked(target, method, path, arguments, headers, timeout)
        if receipt.code != UNDER_WAY or arguments is None or time.monotonic() > deadline:
            return receipt
        arguments = {**arguments, "id": receipt.id}  # the same command: whoever takes it waits for the same receipt


def _asked(
    target: TargetServer,
    method: str,
    path: str,
    arguments: Mapping[str, Any] | None,
    headers: dict[str, str],
    timeout: float,
) -> Receipt:
    answer = target.connect(timeout=timeout).command(method, path, arguments, headers)
    if answer.status == 401:
        raise CommandError(
            EXIT_TEMPORARY,
            f"The gateway at {target.url} does not take the admin token in {target.token_file}.",
            "Run this as the user who started the gateway, with its ROUTECODEX_HOME.",
            code="admin_token_required",
        )
    receipt = _decoded(answer.body)
    if isinstance(receipt, _Told):
        raise CommandError(
            _EXIT_CODES.get(answer.status, EXIT_TEMPORARY),
            receipt.message or f"The gateway at {target.url} refused ({answer.status}).",
            receipt.next_step,
            code=receipt.code,
        )
    if receipt is None:
        raise CommandError(
            EXIT_TEMPORARY,
            f"What answers at {target.url} takes no control commands ({method} {path}: {answer.status}).",
            "Free the port, or name another with --port.",
            code="foreign_server",
        )
    if receipt.state == "refused":
        notes = _refusals(receipt)
        reason = receipt.reason or "The gateway refused."
        if len(notes) == 1 and receipt.reason in notes[0]:
            reason, notes = notes[0], []
        raise CommandError(
            _EXIT_CODES.get(answer.status, EXIT_TEMPORARY),
            reason,
            receipt.next_step,
            code=receipt.code or "refused",
            notes=notes,
            details=receipt.facts,
        )
    return receipt


def switch_path(key: str) -> str:
    """Where one switch is asked for and changed."""
    return f"/daemon/switches/{quote(key, safe='')}"


def actor() -> str:
    """Who sits here, for the ledger."""
    try:
        return f"cli:{getpass.getuser()}".encode("ascii", "replace").decode()
    except (KeyError, OSError):
        return "cli"


def _refusals(receipt: Receipt) -> list[str]:
    """What is wrong with a configuration, one line each."""
    found = receipt.facts.get("refusals")
    return [
        " ".join(str(part) for part in (_place(each), each.get("message"), each.get("nextStep")) if part)
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict)
    ]


def _place(refusal: Mapping[str, Any]) -> str:
    line = refusal.get("line")
    path = refusal.get("path") or ""
    return f"line {line}: {path}:" if line else f"{path}:" if path else ""


def _decoded(body: bytes) -> Receipt | _Told | None:
    try:
        content = msgspec.json.decode(body, type=dict[str, Any])
        return msgspec.convert(content, _Failure).error if "error" in content else msgspec.convert(content, Receipt)
    except msgspec.DecodeError:  # of which a wrong shape is one kind
        return None
