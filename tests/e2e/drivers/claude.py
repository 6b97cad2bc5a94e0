"""Claude Code: `claude -p … --output-format json`."""

from __future__ import annotations

import json

from tests.e2e.catalogue import Cell
from tests.e2e.scenarios import Scenario

from .process import Place, Ran, Said, execute


async def run(cell: Cell, scenario: Scenario, place: Place) -> Ran:
    """One headless run without retries of an answered error where the case is about errors."""
    retries = {"429-one": "1", "429-two": "0", "cut-always": "1"}
    environment = {
        "IS_SANDBOX": "1",
        "CLAUDE_CODE_MAX_RETRIES": retries.get(cell.case, "3"),
    }
    if not place.launcher:
        environment |= {
            "ANTHROPIC_BASE_URL": place.url,
            "ANTHROPIC_API_KEY": place.key,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
    command = [
        *place.command("claude"), "-p", scenario.prompt, "--model", cell.model, "--output-format", "json",
        "--dangerously-skip-permissions", "--no-session-persistence",
    ]  # fmt: skip
    ran = await execute(command, place, environment)
    ran.said = {"": _read(ran.stdout)}
    return ran


def _read(stdout: str) -> Said:
    try:
        result = json.loads(stdout)
    except ValueError:
        return Said(error="no JSON result")
    if result.get("is_error") or result.get("subtype") != "success":
        return Said(error=str(result.get("result")))
    return Said(text=str(result.get("result")))
