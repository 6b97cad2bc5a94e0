"""What the supervisor shows: workers, the four hashes, switches and who set them, what it waits for; in camelCase."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from routecodex.app.supervisor.outcome import Outcome, refused
from routecodex.app.supervisor.state import State
from routecodex.app.supervisor.watch import Watch
from routecodex.app.supervisor.worker_process import WorkerProcess
from routecodex.app.switches import BY_KEY, SWITCHES, Switch


def server_status(state: State, watch: Watch, started: float) -> Mapping[str, Any]:
    """`GET /daemon/status`."""
    settings, file = state.settings, state.file
    good = state.last_good
    return {
        "pid": os.getpid(),
        "state": "safe_mode" if state.safe else state.phase,
        "safeMode": state.safe or None,
        "uptimeSeconds": round(state.now() - started, 3),
        "config": str(settings.config),
        "log": str(settings.log_file) if settings.log_file else None,
        "hashes": {
            "file": file.hash,
            "desired": state.hash or None,
            "loaded": state.loaded_hash,
            "effective": state.effective_hash,
        },
        "configSeq": state.seq,
        "origin": state.wanted.origin,
        "file": msgspec.to_builtins(file),
        "overrides": {key: override.value for key, override in state.wanted.overrides.items()},
        "forced": list(state.forced),
        "sentinel": {"path": str(state.sentinel.path), "keys": list(state.sentinel.keys)},
        "lastGood": {"hash": good.hash, "at": good.at, "onDisk": good.on_disk} if good.wanted is not None else None,
        "watch": {"secondsLeft": round(max(0.0, watch.until - asyncio.get_running_loop().time()), 1)}
        if watch.active
        else None,
        "ledger": {
            "folder": str(state.journal.folder),
            "seq": state.journal.seq,
            "waiting": state.journal.waiting,
            "broken": state.journal.broken or None,
        },
        "workers": [_worker(worker) for worker in [*state.workers.serving, *state.workers.leaving]],
        "replaced": state.workers.replaced,
    }


def _worker(worker: WorkerProcess) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": worker.number,
        "pid": worker.pid,
        "state": worker.state,
        "ageSeconds": round(worker.age, 1),
        "silentSeconds": round(worker.silence, 1),
        "forcedByEnvironment": list(worker.forced),
    }
    if worker.status is not None:
        told["status"] = msgspec.to_builtins(worker.status)
    return told


def switch_list(state: State, key: str) -> Outcome:
    """`GET /daemon/switches` and `…/{key}`."""
    if not key:
        return Outcome(state="done", result={"switches": [_switch(state, row) for row in SWITCHES]})
    row = BY_KEY.get(key)
    if row is None:
        return unknown_switch(key)
    return Outcome(state="done", result={"switch": _switch(state, row)})


def unknown_switch(key: str) -> Outcome:
    near = [known for known in BY_KEY if key.lower() and key.lower() in known.lower()]
    hint = f"Did you mean {near[0]}?" if near else "`routecodex switch list` shows them."
    return refused(404, "unknown_switch", f'There is no switch "{key[:80]}".', hint)


def _switch(state: State, row: Switch) -> dict[str, Any]:
    values: dict[str, Any] = {}
    source = "default"
    for worker in state.workers.serving:
        if worker.status is not None:
            values[str(worker.number)] = worker.status.switches.get(row.key)
            source = worker.status.sources.get(row.key, "default")
    agreed = list(dict.fromkeys(map(_plain, values.values())))
    override = state.wanted.overrides.get(row.key)
    return {
        "key": row.key,
        "value": agreed[0] if len(agreed) == 1 else None,
        "source": source,
        "default": _plain(row.default),
        "values": [_plain(value) for value in row.values],
        "available": [_plain(value) for value in row.available],
        "pending": row.pending or None,
        "scope": row.scope,
        "effect": row.effect,
        "description": row.description,
        "configured": _plain(state.configured.get(row.key)),
        "override": _plain(override.value) if override is not None else None,
        "forced": row.key in state.forced,
        "workers": {number: _plain(value) for number, value in values.items()},
        "rollback": f"routecodex rollback {row.key}",
    }


def _plain(value: Any) -> Any:
    """Lists of names as one value that compares."""
    return tuple(value) if isinstance(value, list | tuple) else value
