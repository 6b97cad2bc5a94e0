"""`routecodex run codex|claude|gemini -- …`: start a client against the running gateway.

It sets the client's environment, flags and, where needed, a settings file that lives as long as the client. It
changes nothing in the user's own configuration of the client and passes its exit code through.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from routecodex.cli.clients import CLIENTS, NO_KEY, Client, filled
from routecodex.cli.failures import EXIT_NOT_FOUND, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, PortOption


class ProgramName(StrEnum):
    """Clients that can be started."""

    CODEX = "codex"
    CLAUDE = "claude"
    GEMINI = "gemini"


def run(
    context: typer.Context,
    client: Annotated[ProgramName, typer.Argument(help="Which client.")],
    config: ConfigOption = None,
    port: PortOption = None,
) -> int:
    """Start a client against the gateway; its own arguments follow after --."""
    from routecodex.cli.target_server import find

    chosen = CLIENTS[client.value]
    program = shutil.which(chosen.program or "")
    if program is None:
        raise CommandError(
            EXIT_NOT_FOUND,
            f"{chosen.program} is not installed, or not on PATH.",
            f"Install it: {chosen.install}",
            code="client_missing",
        )
    target = find(config, port)
    if not target.connect(timeout=5.0).is_up():
        raise CommandError(
            EXIT_TEMPORARY,
            f"No gateway answers at {target.url}.",
            "Start it with `routecodex start --daemon`.",
            code="not_running",
        )
    key = target.api_key() or NO_KEY
    flags = [filled(flag, target.url, key) for flag in chosen.flags]
    with _environment(chosen, target.url, key, os.environ) as environment:
        return _wait([program, *flags, *context.args], environment)


@contextmanager
def _environment(client: Client, url: str, key: str, inherited: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The client's environment; its settings file is removed afterwards."""
    environment = {name: value for name, value in inherited.items() if name not in client.unset}
    environment.update({name: filled(value, url, key) for name, value in client.environment.items()})
    if client.settings is None:
        yield environment
        return
    settings = _merged(_existing(inherited.get(client.settings_variable)), client.settings)
    with tempfile.TemporaryDirectory(prefix="routecodex-") as folder:
        file = Path(folder) / "settings.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        environment[client.settings_variable] = str(file)
        yield environment


def _existing(path: str | None) -> dict[str, Any]:
    """Settings the user already has in the place that ours take; CommandError if they cannot be kept."""
    if not path or not Path(path).is_file():
        return {}
    try:
        settings = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = None
    if not isinstance(settings, dict):
        raise CommandError(
            EXIT_TEMPORARY,
            f"The client's settings in {path} cannot be read as JSON, so they cannot be kept.",
            "Mend the file, or unset the variable that names it.",
            code="unreadable_settings",
        )
    return settings


def _merged(base: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in ours.items():
        standing = merged.get(name)
        merged[name] = _merged(standing, value) if isinstance(value, dict) and isinstance(standing, dict) else value
    return merged


def _wait(command: list[str], environment: dict[str, str]) -> int:
    """Run the client to its end; Ctrl-C is the client's to handle. Its exit code, 128 + n for signal n."""
    with subprocess.Popen(command, env=environment) as process:
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # after the start: an ignored signal is inherited
        try:
            code = process.wait()
        finally:
            signal.signal(signal.SIGINT, previous)
    return code if code >= 0 else 128 - code
