"""Gemini CLI: `gemini --yolo -o json -p …`."""

from __future__ import annotations

import json

from tests.e2e.catalogue import Cell
from tests.e2e.scenarios import Scenario

from .process import Place, Ran, Said, execute

_SIGN_IN = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
_OWN_SETTINGS = {
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "maxAttempts": 2},
}


async def run(cell: Cell, scenario: Scenario, place: Place) -> Ran:
    """One headless run, two attempts at an answered error."""
    settings = place.home / ".gemini" / "settings.json"
    settings.parent.mkdir()
    environment: dict[str, str] = {}
    if place.launcher:
        settings.write_text(json.dumps(_OWN_SETTINGS))
    else:
        settings.write_text(json.dumps({**_OWN_SETTINGS, **_SIGN_IN}))
        environment = {
            "GOOGLE_GEMINI_BASE_URL": place.url,
            "GEMINI_API_KEY": place.key,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_CLI_NO_RELAUNCH": "true",
        }
    prompt = scenario.prompt + (" @red.png" if scenario.picture == "attached" else "")
    command = [*place.command("gemini"), "--yolo", "-o", "json", "-m", cell.model, "-p", prompt]
    ran = await execute(command, place, environment)
    ran.said = {"": _read(ran.stdout, ran.stderr)}
    return ran


def _read(stdout: str, stderr: str) -> Said:
    """The JSON result stands on stdout, that of an error at the end of stderr, after warnings and traces."""
    for stream in (stdout, stderr):
        at = ("\n" + stream).rfind("\n{\n")
        try:
            result = json.loads(stream[at:])
        except ValueError:
            continue
        error = result.get("error")
        if error:
            return Said(error=f"{error.get('type')}: {error.get('message')} ({error.get('code')})")
        return Said(text=str(result.get("response")))
    return Said(error="no JSON result")
