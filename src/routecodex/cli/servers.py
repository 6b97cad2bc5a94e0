"""Running gateways of this machine: one locked file per server under `run/`, so that stop and status find them.

The file names pid, address and configuration; whoever serves holds an exclusive lock on it for life, so a lock that
can be taken means that nobody serves any more, whatever became of the pid. It must not talk to a server: client.py.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError

_LOCK_TRIES: Final = 10
_LOCK_PAUSE: Final = 0.05


class ServerRecord(msgspec.Struct, frozen=True, rename="camel"):
    """What a running gateway left for the command line."""

    pid: int
    host: str
    port: int
    config: str
    """Absolute path of its configuration."""
    config_hash: str
    token_file: str
    """Where its admin token is kept."""
    key_reference: str | None
    """Reference of an API key it accepts; None where it asks for none."""
    version: str
    started_at: float
    """Seconds since the epoch."""
    log: str | None = None

    @property
    def url(self) -> str:
        return base_url(self.host, self.port)


def base_url(host: str, port: int) -> str:
    """Where a client on this machine reaches a server bound to `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def record_path(run: Path, port: int) -> Path:
    return run / f"server-{port}.json"


@contextmanager
def registered(run: Path, record: ServerRecord) -> Iterator[int]:
    """Hold this server's file, locked, while the server runs; its descriptor, with which the lock can be passed on.

    Raises CommandError if another holds it.
    """
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = record_path(run, record.port)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, record.port)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, msgspec.json.encode(record), 0)
            yield descriptor
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, port: int) -> None:
    """Take the file for good; a reader may hold it for a moment."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
        else:
            return
    raise CommandError(
        EXIT_TEMPORARY,
        f"A gateway already runs on port {port}.",
        "See `routecodex status`; stop it with `routecodex stop`, or choose another --port.",
        code="already_running",
    )


def running(run: Path) -> list[ServerRecord]:
    """The gateways that are alive; files left by dead ones are passed over."""
    records = [read(path) for path in sorted(run.glob("server-*.json"))] if run.is_dir() else []
    return [record for record in records if record is not None]


def read(path: Path) -> ServerRecord | None:
    """The record in one file if its server is alive."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _decoded(os.pread(descriptor, 65_536, 0))
    finally:
        os.close(descriptor)
    return None


def _decoded(content: bytes) -> ServerRecord | None:
    """A record; None while its owner is just writing it."""
    try:
        return msgspec.json.decode(content, type=ServerRecord)
    except msgspec.DecodeError:
        return None


def chosen(run: Path, port: int | None, config: Path | None = None) -> ServerRecord | None:
    """The one running gateway, on `port` or with `config` if given. Raises CommandError where that is ambiguous."""
    alive = running(run)
    if config is not None:
        alive = [record for record in alive if Path(record.config) == config.absolute()]
    if port is not None:
        return next((record for record in alive if record.port == port), None)
    if len(alive) > 1:
        ports = ", ".join(str(record.port) for record in alive)
        raise CommandError(
            EXIT_TEMPORARY, f"Several gateways run here (ports {ports}).", "Say which: --port PORT.", code="ambiguous"
        )
    return alive[0] if alive else None
