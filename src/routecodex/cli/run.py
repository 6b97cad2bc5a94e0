"""`routecodex run codex|claude|gemini -- …`: start a client against the running gateway.

It sets the client's environment, flags and, where a setting has no variable, a home of its own under the gateway's:
the user's settings with ours merged over them, links to everything else the user has. It changes nothing in the user's
own configuration of the client and passes its exit code through.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from routecodex.cli.clients import CLIENTS, NO_KEY, Client, filled
from routecodex.cli.failures import EXIT_NOT_FOUND, EXIT_TEMPORARY, CommandError
from routecodex.cli.options import ConfigOption, PortOption

_GIVEN: Final = "settings-given.json"
"""In a client's home: the settings it was given last, as they were before it ran."""
_STRING_OR_COMMENT: Final = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


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
    return _wait([program, *flags, *context.args], _environment(chosen, target.url, key, os.environ))


def _environment(client: Client, url: str, key: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The client's environment. A client that needs a setting gets a home that has it."""
    environment = {name: value for name, value in inherited.items() if name not in client.unset}
    environment.update({name: filled(value, url, key) for name, value in client.environment.items()})
    if client.settings is not None:
        environment[client.home_variable] = str(_home(client, client.settings, inherited))
    return environment


def _home(client: Client, settings: Mapping[str, Any], inherited: Mapping[str, str]) -> Path:
    """A home under the gateway's own, made or brought up to date.

    What the client leaves there stays for next time, its settings too, until the user's own settings change: clients
    that run already read that file, and may be writing it.
    """
    from routecodex.config.loading import gateway_home

    home = gateway_home(inherited) / "clients" / client.name
    file = home / client.settings_file
    for folder in (home.parent, home, file.parent):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    theirs = Path(inherited.get(client.home_variable) or inherited.get("HOME") or Path.home()) / client.settings_file
    if theirs.parent.resolve() != file.parent.resolve():
        _link(theirs.parent, file.parent, {file.name})
    text = json.dumps(_merged(_existing(theirs), settings))
    given = home / _GIVEN
    if not (given.is_file() and given.read_text(encoding="utf-8") == text and _has(file, settings)):
        _put(file, text)
        _put(given, text)
    return home


def _put(file: Path, text: str) -> None:
    """The whole file or none of it, whoever reads it meanwhile; private, as a user's settings may hold keys."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    unfinished.replace(file)


def _has(file: Path, settings: Mapping[str, Any]) -> bool:
    """Whether a client has left its settings readable, with ours among them."""
    try:
        standing = _existing(file)
    except CommandError:
        return False
    return _merged(standing, settings) == standing


def _link(source: Path, folder: Path, without: set[str]) -> None:
    """Links in `folder` to everything in `source` that has no entry there yet; links that lead nowhere go."""
    for entry in list(folder.iterdir()):
        if entry.is_symlink() and not entry.exists():
            entry.unlink()
    for entry in sorted(source.iterdir()) if source.is_dir() else []:
        if entry.name not in without and not os.path.lexists(folder / entry.name):
            (folder / entry.name).symlink_to(entry.absolute())


def _existing(file: Path) -> dict[str, Any]:
    """Settings the user already has; CommandError if they cannot be kept."""
    if not file.is_file():
        return {}
    try:
        settings = json.loads(_without_comments(file.read_text(encoding="utf-8-sig")) or "{}")
    except (OSError, ValueError):
        settings = None
    if not isinstance(settings, dict):
        raise CommandError(
            EXIT_TEMPORARY,
            f"The client's settings in {file} cannot be read as JSON, so they cannot be kept.",
            "Mend the file.",
            code="unreadable_settings",
        )
    return settings


def _without_comments(text: str) -> str:
    """JSON without the `//` and `/* */` comments that clients allow in their settings; strings stay as they are."""
    return _STRING_OR_COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text).strip()


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
