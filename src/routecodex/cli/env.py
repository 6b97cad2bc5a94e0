"""`routecodex env`: the exports that point a client at the gateway.

Prints shell code to be evaluated. A key is never printed: the export refers to the variable or file that holds it.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import Annotated

import typer

from routecodex.cli.clients import CLIENTS, KEY, NO_KEY, Client, filled
from routecodex.cli.options import ConfigOption, JsonOption, PortOption


class ClientName(StrEnum):
    """Clients and SDKs that `env` knows."""

    CODEX = "codex"
    CLAUDE = "claude"
    GEMINI = "gemini"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


class Shell(StrEnum):
    SH = "sh"
    FISH = "fish"


def env(
    client: Annotated[ClientName | None, typer.Argument(help="One client; all of them without it.")] = None,
    config: ConfigOption = None,
    port: PortOption = None,
    shell: Annotated[Shell, typer.Option("--shell", help="Whose syntax.")] = Shell.SH,
    as_json: JsonOption = False,
) -> int:
    """Print the exports for a client: eval "$(routecodex env claude)"."""
    from routecodex.cli.output import emit_json, say
    from routecodex.cli.target_server import find

    target = find(config, port)
    names = [client.value] if client is not None else list(CLIENTS)
    reference = target.key_reference
    if as_json:
        emit_json(
            {
                name: {
                    "environment": _values(CLIENTS[name], target.url, reference or NO_KEY),
                    "flags": [filled(flag, target.url, KEY) for flag in CLIENTS[name].flags],
                }
                for name in names
            }
        )
        return 0
    for name in names:
        say(f"# {CLIENTS[name].title}")
        for variable, template in CLIENTS[name].environment.items():
            say(_export(shell, variable, template, target.url, reference, target.folder))
        for line in _remarks(CLIENTS[name], target.url):
            say(f"# {line}")
    return 0


def _values(client: Client, url: str, key: str) -> dict[str, str]:
    return {variable: filled(template, url, key) for variable, template in client.environment.items()}


def _export(shell: Shell, variable: str, template: str, url: str, reference: str | None, folder: str) -> str:
    if template == KEY and reference is not None:
        value = _read_reference(shell, reference, folder)
    else:
        value = shlex.quote(filled(template, url, NO_KEY))
    return f"set -gx {variable} {value}" if shell is Shell.FISH else f"export {variable}={value}"


def _read_reference(shell: Shell, reference: str, folder: str) -> str:
    """Shell code that yields the value behind a reference."""
    from pathlib import Path

    from routecodex.config.references import reference_path

    if not reference.startswith("file:"):
        return f'"${reference[2:-1]}"'
    command = f"cat {shlex.quote(str(reference_path(reference, Path(folder))))}"
    return f"({command})" if shell is Shell.FISH else f'"$({command})"'


def _remarks(client: Client, url: str) -> list[str]:
    """What the environment alone does not do."""
    remarks = []
    if client.flags:
        flags = " ".join(shlex.quote(filled(flag, url, KEY)) for flag in client.flags)
        remarks.append(f"and start it as: {client.program} {flags}")
    if client.unset:
        remarks.append(f"these must not be set: {' '.join(client.unset)}")
    if client.settings is not None:
        remarks.append(f"`routecodex run {client.name}` also chooses API-key sign-in for it")
    return remarks
