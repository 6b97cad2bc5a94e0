"""`routecodex config plan | apply | reload`: from the file to what is in force, as one transaction.

`plan` shows what would change and what each change takes; `apply` and `reload` put the file in force, `apply` with
`--restart` also what takes new workers. Without a gateway `plan --file` compares that file with the configured one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, IfMatchOption, JsonOption, PortOption, ReasonOption, RestartOption

if TYPE_CHECKING:
    from routecodex.app.applying import Candidate


def plan(
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Judge this file instead of the one in force.")
    ] = None,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what applying the file would change, and what each change takes; nothing is applied."""
    from routecodex.cli.control import LONG, ask
    from routecodex.cli.matrix import running
    from routecodex.cli.receipts import told

    target = running(config, port)
    if target is None:
        return _offline(file, config, as_json=as_json)
    arguments: dict[str, Any] = {} if file is None else {"file": str(file.expanduser().absolute())}
    receipt = ask(target, "POST", "/daemon/config/plan", arguments, timeout=LONG)
    done = _next(receipt.facts.get("changes") or ())
    told(receipt, as_json=as_json, done=done)
    return 0


def apply(
    restart: RestartOption = False,
    if_match: IfMatchOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Put the file in force. What takes a restart is applied with --restart only."""
    return _put_in_force("apply", restart, if_match, reason, config, port, as_json=as_json)


def reload(
    if_match: IfMatchOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read the file again, as SIGHUP does."""
    return _put_in_force("reload", False, if_match, reason, config, port, as_json=as_json)


def _put_in_force(
    command: str,
    restart: bool,
    if_match: str | None,
    reason: str,
    config: Path | None,
    port: int | None,
    *,
    as_json: bool,
) -> int:
    from routecodex.cli.control import LONG, ask
    from routecodex.cli.receipts import told
    from routecodex.cli.target_server import find

    arguments: dict[str, Any] = {}
    if restart:
        arguments["restart"] = True
    if reason:
        arguments["reason"] = reason
    target = find(config, port)
    receipt = ask(target, "POST", f"/daemon/config/{command}", arguments, if_match=if_match, timeout=LONG)
    return told(receipt, as_json=as_json, done="In force.")


def _next(changes: Sequence[Mapping[str, Any]]) -> str:
    """What puts these changes in force."""
    if not changes:
        return "No difference."
    option = " --restart" if any(change.get("effect") == "restart" for change in changes) else ""
    return f"Nothing was applied; `routecodex config apply{option}` does."


def _offline(file: Path | None, config: Path | None, *, as_json: bool) -> int:
    """What would change if `file` stood in the configured one's place."""
    import msgspec

    from routecodex.app.applying import changes
    from routecodex.cli.output import emit_json, say
    from routecodex.cli.receipts import changes as show_changes

    if file is None:
        raise CommandError(
            EXIT_TEMPORARY,
            "No gateway runs: nothing is in force to compare the file with.",
            "`routecodex config check` judges it; --file compares another one with it.",
            code="not_running",
        )
    before, after = _candidate(config), _candidate(file)
    found = msgspec.to_builtins(changes(before, after))
    if as_json:
        result = {"hash": after.compiled.hash, "changes": found, "comparedWith": before.compiled.source}
        emit_json({"command": "config.plan", "id": "", "state": "done", "result": result})
        return 0
    show_changes(found, title=f"From {before.compiled.source} to {after.compiled.source} (no gateway runs):")
    say("Nothing was applied.")
    return 0


def _candidate(config: Path | None) -> Candidate:
    """A configuration with every switch decided. Raises CommandError naming every fault."""
    from routecodex.app.applying import read
    from routecodex.app.supervisor.messages import Desired, Document
    from routecodex.cli.configuration import compiled

    path = compiled(config)[0].path.absolute()
    return read(Desired(Document(str(path), path.read_bytes())), os.environ)
