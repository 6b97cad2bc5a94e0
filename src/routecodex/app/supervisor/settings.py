"""What a supervisor is started with, and the times it keeps. Data and its reading only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

TIMES_VARIABLE: Final = "ROUTECODEX_SUPERVISOR_TIMES"
"""JSON object of `Times`, for tests and for machines that are slower than any we know."""


WORKER: Final = (sys.executable, "-m", "routecodex.app.worker")


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds."""

    ready: float = 30.0
    """From the start of a worker to its first request."""
    ping: float = 1.0
    silence: float = 10.0
    """After which a worker that says nothing is ended and replaced."""
    last_words: float = 1.0
    """From SIGABRT to SIGKILL."""
    prepare: float = 20.0
    commit: float = 5.0
    verify: float = 2.0
    """For every worker to report the side it was told to take."""
    force: float = 1.0
    """For the force map to be answered by every worker; who is later is verified like the rest."""
    watch: float = 30.0
    """How long a publication is watched before it is blessed."""
    lag: float = 2.0
    """Lateness of a worker's event loop that ends a watch badly."""
    file: float = 1.0
    debounce: float = 0.3
    sentinel: float = 0.25
    backoff: float = 0.5
    """Before a crashed worker's second replacement; doubled from one to the next."""
    most_backoff: float = 30.0
    steady: float = 60.0
    """Of life after which a worker's next crash is replaced at once again."""
    crashes: float = 300.0
    """Window in which a second crash of a blessed configuration leads to safe mode."""
    leave: float = 3600.0
    """`server.drain`: how long requests may still run."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One supervisor's surroundings."""

    listener: int
    """Descriptor of the listening socket."""
    record: int | None
    """Descriptor of the locked server record; the lock lives as long as the process."""
    record_path: Path | None
    config: Path
    """Absolute."""
    home: Path
    token_file: str
    """Of the admin surface, for safe mode."""
    workers: int
    log_file: Path | None
    log_format: str
    worker: tuple[str, ...]
    """The program a worker is; it is given the listener's and the link's descriptor."""
    times: Times


def settings_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line of `python -m routecodex.app.supervisor`. Raises SystemExit, msgspec.ValidationError."""
    parser = argparse.ArgumentParser(prog="routecodex.app.supervisor")
    parser.add_argument("--listener-descriptor", type=int, required=True)
    parser.add_argument("--record-descriptor", type=int)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--token-file", default="")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--log-file", type=Path)
    parser.add_argument("--log-format", choices=("json", "console"), default="json")
    parser.add_argument("--worker", action="append", help="a word of another worker's command line")
    given = parser.parse_args(arguments)
    times = environ.get(TIMES_VARIABLE)
    return Settings(
        listener=given.listener_descriptor,
        record=given.record_descriptor,
        record_path=given.record,
        config=given.config.absolute(),
        home=given.home.absolute(),
        token_file=given.token_file,
        workers=max(1, given.workers),
        log_file=given.log_file,
        log_format=given.log_format,
        worker=tuple(given.worker or WORKER),
        times=msgspec.json.decode(times, type=Times) if times else Times(),
    )
