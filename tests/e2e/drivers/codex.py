"""Codex CLI: `codex exec --json`, over a provider of its own (HTTP) or the built-in one (WebSocket first)."""

from __future__ import annotations

import json

from tests.e2e.catalogue import Cell
from tests.e2e.scenarios import Scenario

from .process import Place, Ran, Said, execute

_COMMON = """\
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
plugins = false
remote_plugin = false
apps = false
"""
_PROVIDER = """\
model_provider = "gateway"
{common}
[model_providers.gateway]
name = "gateway"
base_url = "{url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 2
"""


async def run(cell: Cell, scenario: Scenario, place: Place) -> Ran:
    """One `codex exec`."""
    home = place.home / ".codex"
    home.mkdir()
    environment = {"CODEX_HOME": str(home)}
    command = [*place.command("codex"), "exec", "--skip-git-repo-check", "--json", "-m", cell.model]
    if place.launcher:
        (home / "config.toml").write_text(_COMMON)
    elif cell.client.websocket:
        (home / "config.toml").write_text(_COMMON)
        environment["CODEX_API_KEY"] = place.key
        command += ["-c", f'openai_base_url="{place.url}/v1"']
    else:
        (home / "config.toml").write_text(_PROVIDER.format(common=_COMMON, url=place.url))
        environment["GATEWAY_KEY"] = place.key
    command.append(scenario.prompt)
    if scenario.picture == "attached":
        command += ["-i", str(place.workspace / "red.png")]
    ran = await execute(command, place, environment)
    ran.said = {"": _read(ran.stdout)}
    return ran


def _read(stdout: str) -> Said:
    """The last agent message of the turn; an error where the turn failed or never ended."""
    text, error, completed = "", "", False
    for line in stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        kind = event.get("type")
        item = event.get("item") or {}
        if kind == "item.completed" and item.get("type") == "agent_message":
            text = item["text"]
        elif kind == "turn.failed":
            error = str((event.get("error") or {}).get("message"))
        elif kind == "turn.completed":
            completed = True
    if not completed and not error:
        error = "the turn did not complete"
    return Said(text, error)
