"""`routecodex status`: is a gateway running here, what is in force, and how do its workers and upstreams fare.

It asks the server (`/ready`, `/health?verbose`, `/daemon/status`) and lays out what it says. The four hashes tell the
configuration file, what should be in force, what is, and what is effective with every switch, from one another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, JsonOption, PortOption

if TYPE_CHECKING:
    from routecodex.cli.contract import FileTold, LedgerTold, ServerHealth, SupervisorStatus, SwitchState, WorkerTold
    from routecodex.cli.target_server import TargetServer

SAFE_MODE_ASK: Final = (
    "Mend the cause, then `routecodex config apply`; or try again as it is: `routecodex server restart`."
)
_FILE_ASK: Final[Mapping[str, str]] = {
    "refused": "`routecodex config check` says where.",
    "unreadable": "`routecodex config check` says why.",
    "waiting": "It is applied by itself as soon as the disk takes entries again.",
    "pending": "`routecodex config plan` shows what it would change.",
}
"""What became of the configuration file -> whom to ask more."""


def status(config: ConfigOption = None, port: PortOption = None, as_json: JsonOption = False) -> int:
    """Show the running gateway: readiness, workers, what is in force, targets and their health."""
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
    control = control_of(target) if detail is not None else None
    if as_json:
        emit_json(_as_json(target, ready.status == 200, detail, control))
    else:
        _show(target, ready.status == 200, detail, control)
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


def control_of(target: TargetServer) -> SupervisorStatus | None:
    """What the supervisor says about itself and its workers; None where there is none to ask."""
    import msgspec

    from routecodex.cli.contract import SupervisorStatus
    from routecodex.cli.control import ask

    try:
        return msgspec.convert(ask(target, "GET", "/daemon/status").result, SupervisorStatus)
    except (CommandError, msgspec.ValidationError):
        return None


def _as_json(
    target: TargetServer, ready: bool, detail: ServerHealth | None, control: SupervisorStatus | None
) -> dict[str, Any]:
    import msgspec

    record = target.record
    return {
        "url": target.url,
        "ready": ready,
        "pid": record.pid if record else None,
        "config": record.config if record else None,
        "log": record.log if record else None,
        "health": msgspec.to_builtins(detail) if detail is not None else None,
        "control": msgspec.to_builtins(control) if control is not None else None,
    }


def _show(target: TargetServer, ready: bool, detail: ServerHealth | None, control: SupervisorStatus | None) -> None:
    from routecodex.app.switch_report import shown
    from routecodex.cli.output import note, say, table

    say(f"{target.url}: {'ready' if ready else 'not ready'}")
    if target.record is not None:
        say(f"  pid {target.record.pid}, version {target.record.version}, configuration {target.record.config}")
        if target.record.log:
            say(f"  log {target.record.log}")
    if detail is None:
        note(f"  No details: the admin token in {_short(target.token_file)} is missing, or not this server's.")
        return
    uptime = control.uptime_seconds if control is not None else detail.uptime_seconds
    if uptime is not None:
        say(f"  up {_duration(uptime)}, generation {detail.generation or '–'}")
    if control is not None:
        _show_control(control)
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
    chosen = {key: state for key, state in detail.switches.items() if state.source != "default"}
    rows = [[key, shown(state.value), state.source] for key, state in chosen.items() if not _is_default(key, state)]
    if rows:
        table(["switch", "value", "from"], rows, title="Switches not at their default:")
    held: dict[str, list[str]] = {}
    for key, state in chosen.items():
        if _is_default(key, state):
            held.setdefault(state.source, []).append(key)
    if control is not None and control.forced:
        held.pop("force_stable", None)  # told above
    for source, keys in held.items():
        say(f"Held at their default by {source}: {', '.join(keys)}")


def _is_default(key: str, state: SwitchState) -> bool:
    from routecodex.app.switches import BY_KEY

    row = BY_KEY.get(key)
    value = tuple(state.value) if isinstance(state.value, list) else state.value
    return row is not None and value == row.default


def _show_control(control: SupervisorStatus) -> None:
    from routecodex.cli.output import say, table

    if control.safe_mode:
        say(f"  SAFE MODE: {control.safe_mode}")
        say(f"    {SAFE_MODE_ASK}")
    hashes = control.hashes
    same = hashes.file == hashes.desired == hashes.loaded and hashes.loaded is not None
    told = (
        f"file = desired = loaded {_hash(hashes.loaded)}"
        if same
        else ", ".join(
            f"{name} {_hash(value)}"
            for name, value in (("file", hashes.file), ("desired", hashes.desired), ("loaded", hashes.loaded))
        )
    )
    say(f"  hashes: {told}, effective {_hash(hashes.effective)}; change number {control.config_seq}")
    if control.file.state not in ("", "in force"):
        say(f"  the file is {control.file.state}: {control.file.reason}")
        if ask := file_ask(control.file):
            say(f"    {ask}")
    for cause, ask in ledger_troubles(control.ledger):
        say(f"  {cause}")
        say(f"    {ask}")
    if control.forced:
        say(f"  forced to the first side: {', '.join(control.forced)}")
    table(
        ["worker", "pid", "state", "kernel", "change", "running", "generations (requests that hold them)"],
        [_worker_row(worker) for worker in control.workers],
        title="Workers:",
    )


def file_ask(file: FileTold) -> str:
    """Whom to ask more about what became of the configuration file; empty where nobody knows more."""
    return _FILE_ASK.get(file.state, "")


def ledger_troubles(ledger: LedgerTold) -> list[tuple[str, str]]:
    """What is wrong with the ledger, each with what to do."""
    troubles = []
    if ledger.broken:
        why = f"the ledger is broken: {ledger.broken}"
        troubles.append((why, "Keep its files; `routecodex ledger verify` says where."))
    if ledger.waiting:
        why = f"the ledger cannot be written: {ledger.waiting} waiting; changes are refused, rollbacks are not"
        troubles.append((why, "Make room on the disk, or the folder writable."))
    return troubles


def _worker_row(worker: WorkerTold) -> list[str]:
    status = worker.status
    first = [str(worker.number), str(worker.pid), worker.state]
    if status is None:
        return [*first, "", "", "", ""]
    generations = [
        f"{'*' if each.current else ''}{each.id[:12]}#{each.seq} ({each.held})" for each in status.generations
    ]
    return [*first, status.kernel, str(status.config_seq), str(status.running), ", ".join(generations)]


def _hash(value: str | None) -> str:
    return value[:12] if value else "–"


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
