"""`routecodex rollback`: one switch, or all of them, back to the first side; each step is printed with its time.

Asks the running gateway, which forces, verifies and if need be replaces its workers. `--offline` asks nobody: it writes
the kill sentinel `run/force_stable`, which every worker looks at four times a second and every start reads; it works
with the control plane dead and without a gateway. The sentinel stays until `routecodex switch clear --all --forced`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, EXIT_INTERNAL, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption, ReasonOption

if TYPE_CHECKING:
    from routecodex.cli.control import Receipt
    from routecodex.cli.target_server import TargetServer

PATIENCE: Final = 12.0
"""Seconds a running gateway gets to show that the sentinel is obeyed: a forced restart may take ten."""
_PAUSE: Final = 0.05


def rollback(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The switch to roll back.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every switch.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: write the kill sentinel run/force_stable.")
    ] = False,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Roll one switch, or --all of them, back to v1/stable."""
    from routecodex.cli.matrix import known

    if (key is None) is not everything:
        raise CommandError(EXIT_CONFIGURATION, "Roll back what?", "Name one switch, or say --all.", code="no_switch")
    keys = [] if key is None else [known(key)]
    if offline:
        return _offline(keys, config, port, as_json=as_json)
    return _asked(keys, reason, config, port, as_json=as_json)


def _asked(keys: list[str], reason: str, config: Path | None, port: int | None, *, as_json: bool) -> int:
    from routecodex.cli.control import LONG, ask
    from routecodex.cli.target_server import find

    target = find(config, port)
    arguments: dict[str, Any] = {"key": keys[0]} if keys else {"all": True}
    if reason:
        arguments["reason"] = reason
    began = time.monotonic()
    try:
        receipt = ask(target, "POST", "/daemon/rollback", arguments, timeout=LONG)
    except CommandError as error:
        if error.code == "connection_lost":
            return _after_the_answer_was_lost(target, keys, began, as_json=as_json)
        if error.code in ("not_running", "no_supervisor"):
            error.next_step = _hint(keys)
        raise
    return _told(receipt, round((time.monotonic() - began) * 1000, 1), as_json=as_json)


def _told(receipt: Receipt, elapsed: float, *, as_json: bool) -> int:
    import msgspec

    from routecodex.cli.output import emit_json, note, say

    facts = receipt.facts
    if as_json:
        emit_json({**msgspec.to_builtins(receipt), "ms": elapsed})
    else:
        for step in facts.get("steps") or ():
            say(_line(step))
        for line in _ends(receipt, facts):
            say(line)
        if receipt.next_step:
            note(f"  {receipt.next_step}")
    if receipt.state == "accepted":
        return EXIT_TEMPORARY
    if not facts.get("verified", receipt.state == "done"):
        return EXIT_INTERNAL
    return EXIT_TEMPORARY if facts.get("safeMode") else 0


def _ends(receipt: Receipt, facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("safeMode"):
        yield f"SAFE MODE: {receipt.reason or 'the configuration could not be served on the first sides'}"
        yield "The gateway lives on a built-in minimal configuration; `routecodex config apply` leaves it."
    elif facts.get("verified"):
        yield f"Rolled back and verified on every worker in {facts.get('totalMs', 0.0):.1f} ms."
    else:
        yield receipt.reason or "Rolled back."
    bundle = facts.get("bundle")
    if isinstance(bundle, dict) and bundle.get("path"):
        yield f"  snapshot {bundle['path']}"


def _line(step: Mapping[str, Any]) -> str:
    """`R1      12.3 ms  force map in memory of all workers`."""
    mark = "" if step.get("ok", True) else ": not done"
    why = f" ({step['note']})" if step.get("note") else ""
    return f"{step.get('step', ''):<5} {step.get('ms', 0.0):>9.1f} ms  {step.get('what', '')}{mark}{why}"


def _after_the_answer_was_lost(target: TargetServer, keys: list[str], began: float, *, as_json: bool) -> int:
    """The worker that took the command was replaced before it could answer: look at what came of it."""
    from routecodex.cli.output import emit_json, say

    if not _obeyed(target, keys, PATIENCE):
        raise CommandError(
            EXIT_TEMPORARY,
            "The gateway took the command and broke off; the switches are not seen at v1/stable.",
            _hint(keys),
            code="connection_lost",
        )
    elapsed = round((time.monotonic() - began) * 1000, 1)
    if as_json:
        emit_json({"command": "switch.rollback", "state": "done", "ms": elapsed, "result": {"steps": []}})
    else:
        say(f"The worker that took the command was replaced before it could answer; {elapsed:.1f} ms later the")
        say("switches are at v1/stable. `routecodex ledger show` has the steps.")
    return 0


def _offline(keys: list[str], config: Path | None, port: int | None, *, as_json: bool) -> int:
    from routecodex.cli import sentinel
    from routecodex.cli.matrix import running
    from routecodex.cli.output import emit_json, say
    from routecodex.config.loading import gateway_home

    run = gateway_home(os.environ) / "run"
    began = time.monotonic()
    forced = sentinel.put(run, keys)
    written = round((time.monotonic() - began) * 1000, 1)
    try:
        target = running(config, port)
    except CommandError:  # several run: all of them read the same sentinel
        target = None
    seen = _obeyed(target, keys, PATIENCE) if target is not None else None
    elapsed = round((time.monotonic() - began) * 1000, 1)
    if as_json:
        told: dict[str, Any] = {"sentinel": str(sentinel.path(run)), "forced": sorted(forced), "ms": written}
        emit_json({**told, "gateway": target.url if target else None, "obeyed": seen, "obeyedMs": elapsed})
    else:
        say(f"{written:>9.1f} ms  {sentinel.path(run)} forces {_names(forced)}")
        if seen:
            say(f"{elapsed:>9.1f} ms  the gateway at {target.url if target else ''} serves v1/stable")
        elif seen is None:
            say("No gateway was asked: workers see it within a quarter of a second, and every start reads it.")
        say("It stays until `routecodex switch clear --all --forced`.")
    if seen is False:
        raise CommandError(
            EXIT_TEMPORARY,
            "The gateway does not show yet that it obeys the sentinel.",
            "Under appKernel v1 a worker reads it when it starts: `routecodex stop`, then `routecodex start`.",
            code="not_obeyed",
        )
    return 0


def _obeyed(target: TargetServer, keys: Collection[str], patience: float) -> bool:
    """Whether the gateway shows these rows (empty: all) at their first side within `patience` seconds."""
    from routecodex.app.switches import BY_KEY
    from routecodex.cli.status import health_of

    deadline = time.monotonic() + patience
    while True:
        try:
            health = health_of(target)
        except CommandError:
            health = None
        if health is not None and health.switches:
            rows = [BY_KEY[key] for key in keys or BY_KEY]
            if all(_plain(health.switches[row.key].value) == row.default for row in rows if row.key in health.switches):
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)


def _plain(value: bool | str | list[str]) -> bool | str | tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else value


def _names(forced: Collection[str]) -> str:
    from routecodex.app.switches import BY_KEY

    return "everything" if len(forced) == len(BY_KEY) else ", ".join(key for key in BY_KEY if key in forced)


def _hint(keys: list[str]) -> str:
    return f"Force it without asking: `routecodex rollback {keys[0] if keys else '--all'} --offline`."
