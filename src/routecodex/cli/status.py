"""`routecodex status`: is a gateway running here, and how do its upstreams fare.

It asks the server (`/ready`, `/health?verbose`, `/v1/models`) and lays out what it says.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption

if TYPE_CHECKING:
    from routecodex.cli.contract import ServerHealth
    from routecodex.cli.target_server import TargetServer


def status(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Show the running gateway: address, readiness, targets and their health."""
    from routecodex.cli.output import emit_json
    from routecodex.cli.target_server import find

    target = find(config, port)
    server = target.connect()
    ready = server.get("/ready")
    if ready.status not in (200, 503):
        raise CommandError(
            EXIT_TEMPORARY,
            f"What answers at {target.url} is no RouteCodex gateway (GET /ready: {ready.status}).",
            "Free the port, or name another with --port.",
            code="foreign_server",
        )
    detail = health_of(target)
    if as_json:
        emit_json(_as_json(target, ready.status == 200, detail))
    else:
        _show(target, ready.status == 200, detail)
    return 0 if ready.status == 200 else EXIT_TEMPORARY


def health_of(target: TargetServer) -> ServerHealth | None:
    """What the server says about itself behind the admin token; None if it does not tell us."""
    import msgspec

    from routecodex.cli.contract import ServerHealth

    answer = target.connect().get("/health?verbose", admin=True)
    if answer.status != 200:
        return None
    try:
        return msgspec.json.decode(answer.body, type=ServerHealth)
    except msgspec.DecodeError:
        return None


def _as_json(target: TargetServer, ready: bool, detail: ServerHealth | None) -> dict[str, Any]:
    import msgspec

    record = target.record
    return {
        "url": target.url,
        "ready": ready,
        "pid": record.pid if record else None,
        "config": record.config if record else None,
        "log": record.log if record else None,
        "health": msgspec.to_builtins(detail) if detail is not None else None,
    }


def _show(target: TargetServer, ready: bool, detail: ServerHealth | None) -> None:
    from routecodex.cli.output import note, say, table

    say(f"{target.url}: {'ready' if ready else 'not ready'}")
    if target.record is not None:
        say(f"  pid {target.record.pid}, version {target.record.version}, configuration {target.record.config}")
        if target.record.log:
            say(f"  log {target.record.log}")
    if detail is None:
        note(f"  No details: the admin token in {_short(target.token_file)} is missing, or not this server's.")
        return
    if detail.uptime_seconds is not None:
        say(f"  up {_duration(detail.uptime_seconds)}, generation {detail.generation}")
    counts = [f"{detail.running} running", *(f"{count} {name}" for name, count in detail.requests.items())]
    say(f"  requests: {', '.join(counts)}")
    table(
        ["target", "state", "for", "reason"],
        [
            [
                each.provider_key,
                each.state,
                _duration(each.cooldown_seconds) if each.cooldown_seconds else "",
                each.reason or each.last_error,
            ]
            for each in detail.targets
        ],
        title="Targets:",
    )
    changed = {key: state for key, state in detail.switches.items() if state.source != "default"}
    if changed:
        rows = [[key, str(state.value), state.source] for key, state in changed.items()]
        table(["switch", "value", "from"], rows, title="Switches not at their default:")


def _short(path: str) -> str:
    home = os.environ.get("HOME", "")
    return "~" + path.removeprefix(home) if home and path.startswith(home + "/") else path


def _duration(seconds: float) -> str:
    """`2 h 5 min`, `3 min 20 s`, `12 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole} s"
