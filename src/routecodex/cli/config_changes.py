"""`routecodex config plan | apply | reload`: from the file to what is in force, as one transaction.

`plan` shows what would change and what each change takes; `apply` and `reload` put the file in force, `apply` with
`--restart` also what takes new workers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from routecodex.cli.options import ConfigOption, IfMatchOption, JsonOption, PortOption, ReasonOption


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
    from routecodex.cli.receipts import told
    from routecodex.cli.target_server import find

    target = find(config, port)
    arguments: dict[str, Any] = {} if file is None else {"file": str(file.expanduser().absolute())}
    receipt = ask(target, "POST", "/daemon/config/plan", arguments, timeout=LONG)
    told(receipt, as_json=as_json, done="Nothing was applied; `routecodex config apply` does.")
    return 0


def apply(
    restart: Annotated[
        bool, typer.Option("--restart", help="Replace workers where a change takes it; their streams are drained.")
    ] = False,
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
