"""`routecodex switch list | show | explain | set | clear`: the switch matrix, and live overrides of it.

Reading works with and without a running gateway, and says which it was; `set` and `clear` need one. `clear --forced`
takes rows out of the kill sentinel that `rollback --offline` wrote, and needs nobody.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from routecodex.cli.failures import EXIT_CONFIGURATION, CommandError
from routecodex.cli.options import ConfigOption, IfMatchOption, JsonOption, PortOption, ReasonOption, RestartOption

if TYPE_CHECKING:
    from routecodex.app.switch_report import SwitchReport
    from routecodex.app.switches import Switch
    from routecodex.config.compiled import SwitchValue

Key = Annotated[str, typer.Argument(metavar="KEY", help="The switch, such as hostBlocks.httpAdapter.")]


def list_switches(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """List every switch: its value, who set it, what changing it takes."""
    import msgspec

    from routecodex.app.switch_report import shown
    from routecodex.cli.matrix import matrix
    from routecodex.cli.output import emit_json, table

    found = matrix(config, port)
    if as_json:
        emit_json(msgspec.to_builtins(found))
        return 0
    table(
        ["switch", "value", "from", "values", "scope", "effect"],
        [
            [row.key, shown(row.value), row.source, _choices(row, brief=True), row.scope, row.effect]
            for row in found.switches
        ],
        title=found.title,
    )
    return 0


def show(key: Key, config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Show one switch: its value, who set it, what it takes to change it."""
    import msgspec

    from routecodex.app.switch_report import WHO, shown
    from routecodex.cli.matrix import known, matrix
    from routecodex.cli.output import emit_json, say

    key = known(key)
    found = matrix(config, port)
    row = found.row(key)
    if as_json:
        emit_json({"origin": found.origin, "place": found.place, "switch": msgspec.to_builtins(row)})
        return 0
    say(found.title)
    say(f"{row.key} = {shown(row.value)}")
    say(f"  set by     {WHO.get(row.source, row.source)}")
    if row.configured is not None:
        say(f"  configured {shown(row.configured)}")
    if row.override is not None:
        say(f"  override   {shown(row.override)}, until `routecodex switch clear {key}`")
    if len({shown(value) for value in row.workers.values() if value is not None}) > 1:
        told = ", ".join(f"{number}: {'?' if value is None else shown(value)}" for number, value in row.workers.items())
        say(f"  workers    {told} (a change is under way)")
    say(f"  values     {_choices(row)}")
    say(f"  scope      {row.scope}")
    say(f"  to change  {row.effect}: {row.takes}")
    return 0


def explain(key: Key, config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Explain one switch: what each side is, which combinations it takes part in, how it is set and taken back."""
    import msgspec

    from routecodex.app.switch_report import WHO, shown
    from routecodex.cli.matrix import known, matrix
    from routecodex.cli.output import emit_json, say

    key = known(key)
    found = matrix(config, port)
    row = found.row(key)
    if as_json:
        emit_json({"origin": found.origin, "place": found.place, "switch": msgspec.to_builtins(row), "sources": WHO})
        return 0
    say(f"{row.key}: {row.description}")
    say(f"  {found.title} {shown(row.value)}, set by {WHO.get(row.source, row.source)}.")
    say(f"  It holds per {row.scope}. To change it: {row.takes}.")
    say()
    say("Sides:")
    for side in row.sides:
        say(f"  {side.value:<8} {side.description}" + ("" if side.available else f" (lands with {row.pending})"))
        if side.built_by:
            say(f"           built by {side.built_by}")
    if row.combinations:
        say()
        say("Combinations:")
        for rule in row.combinations:
            say(f"  {rule}")
    say()
    say("To set it:")
    *folders, name = key.split(".")
    say(f"  in the file         [{'.'.join(['architecture', *folders])}]  {name} = {_written(row)}")
    say(f"  in the environment  {row.variable}={shown(row.available[-1])}")
    say(f"  while it runs       routecodex switch set {key} {shown(row.available[-1])}")
    say(f"To take it back:      routecodex rollback {key}")
    return 0


def set_switch(
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value; names for a list: a,b.")],
    restart: RestartOption = False,
    reason: ReasonOption = "",
    if_match: IfMatchOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """Override a switch of the running gateway, until `switch clear` or until its value in the file changes."""
    from routecodex.app.switches import BY_KEY
    from routecodex.cli.control import switch_path
    from routecodex.cli.matrix import known

    key = known(key)
    arguments: dict[str, Any] = {"value": _value(BY_KEY[key], value)}
    return _changed(config, port, "PUT", switch_path(key), arguments, restart, reason, if_match, as_json=as_json)


def clear(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The switch.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every switch.")] = False,
    forced: Annotated[
        bool, typer.Option("--forced", help="Take it out of the kill sentinel run/force_stable instead.")
    ] = False,
    restart: RestartOption = False,
    reason: ReasonOption = "",
    if_match: IfMatchOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> int:
    """End a live override, or --all of them: file, environment and default decide again."""
    from routecodex.cli.control import switch_path
    from routecodex.cli.matrix import known

    if (key is None) is not everything:
        raise CommandError(EXIT_CONFIGURATION, "Clear what?", "Name one switch, or say --all.", code="no_switch")
    if forced:
        return _unforced(None if key is None else known(key), as_json=as_json)
    path = "/daemon/switches" if key is None else switch_path(known(key))
    arguments: dict[str, Any] = {"all": True} if key is None else {}
    return _changed(config, port, "DELETE", path, arguments, restart, reason, if_match, as_json=as_json)


def _changed(
    config: Any,
    port: int | None,
    method: str,
    path: str,
    arguments: dict[str, Any],
    restart: bool,
    reason: str,
    if_match: str | None,
    *,
    as_json: bool,
) -> int:
    from routecodex.cli.control import LONG, ask
    from routecodex.cli.receipts import told
    from routecodex.cli.target_server import find

    if restart:
        arguments["restart"] = True
    if reason:
        arguments["reason"] = reason
    receipt = ask(find(config, port), method, path, arguments, if_match=if_match, timeout=LONG)
    return told(receipt, as_json=as_json)


def _unforced(key: str | None, *, as_json: bool) -> int:
    from routecodex.app.switches import FORCE_STABLE_VARIABLE
    from routecodex.cli import sentinel
    from routecodex.cli.output import emit_json, note, say
    from routecodex.config.loading import gateway_home

    run = gateway_home(os.environ) / "run"
    if sentinel.content(run) is None:
        before, left = False, frozenset[str]()
    else:
        before, left = True, sentinel.take(run, [key] if key is not None else [])
    if as_json:
        emit_json({"sentinel": str(sentinel.path(run)), "found": before, "forced": sorted(left)})
    elif not before:
        say(f"There is no {sentinel.path(run)}: nothing to clear.")
    else:
        say(f"{sentinel.path(run)} " + (f"still forces {', '.join(sorted(left))}." if left else "is removed."))
    if os.environ.get(FORCE_STABLE_VARIABLE):
        note(f"{FORCE_STABLE_VARIABLE} is set here as well; what it forces ends with the process it is set for.")
    return 0


def _choices(row: SwitchReport, *, brief: bool = False) -> str:
    """What it can be; `brief` leaves out with what the missing side lands."""
    from routecodex.app.switch_report import shown

    waits = f" (lands with {row.pending})" if row.pending and not brief else " (not yet)" if row.pending else ""
    if row.default == ():
        return f"a list of names{waits}"
    missing = [shown(value) for value in row.values if value not in row.available]
    told = [shown(value) for value in row.available]
    return " | ".join([*told, *(f"{value}{waits}" for value in missing)])


def _written(row: SwitchReport) -> str:
    """The value one would set, in TOML."""
    import json

    value = row.available[-1]
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _value(row: Switch, text: str) -> SwitchValue | list[str]:
    """What was typed as the row's kind of value. Raises CommandError naming the values."""
    from routecodex.app.switch_report import shown

    if row.default == ():
        return [name.strip() for name in text.strip("[] ").split(",") if name.strip()]
    found = next((value for value in row.values if shown(value) == text.lower()), None)
    if found is None:
        raise CommandError(
            EXIT_CONFIGURATION,
            f'{row.key} cannot be "{text}".',
            f"It takes {' or '.join(shown(value) for value in row.values)}.",
            code="bad_value",
        )
    return found
