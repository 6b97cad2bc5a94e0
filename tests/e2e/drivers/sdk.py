"""The vendors' SDKs, each in a small program of its own: both modes, streamed and whole, in one process."""

from __future__ import annotations

import json
import sys

from tests.e2e import pins
from tests.e2e.catalogue import Cell
from tests.e2e.scenarios import Scenario

from .process import Place, Ran, Said, execute

_PROGRAMS = {
    "openai-python": "openai_python",
    "anthropic-python": "anthropic_python",
    "google-genai-python": "google_genai_python",
    "openai-js": "openai_js.mjs",
    "anthropic-js": "anthropic_js.mjs",
}


async def run(cell: Cell, scenario: Scenario, place: Place) -> Ran:
    """One program. It always ends with 0; what happened stands in its JSON line."""
    order = {
        "url": place.url,
        "key": place.key,
        "model": cell.model,
        "surface": cell.client.surface,
        "prompt": scenario.prompt,
        "image": str(place.workspace / "red.png") if scenario.picture == "attached" else "",
    }
    program = _PROGRAMS[cell.client.name.split()[0]]
    if program.endswith(".mjs"):
        command = ["node", str(pins.HERE / "programs" / program), json.dumps(order)]
        environment = {"E2E_MODULES": str(pins.FOLDER / "node_modules")}
    else:
        command = [sys.executable, "-m", f"tests.e2e.programs.{program}", json.dumps(order)]
        environment = {"PYTHONPATH": str(pins.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = await execute(command, place, environment)
    ran.said = _read(ran.stdout)
    return ran


def _read(stdout: str) -> dict[str, Said]:
    lines = stdout.splitlines()
    try:
        result = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {mode: Said(error="no JSON result") for mode in ("streamed", "whole")}
    said = {}
    for mode, found in result.items():
        error = found.get("error")
        if error:
            said[mode] = Said(error=f"{', '.join(error['types'])} {error['status']}: {error['message']}")
        else:
            said[mode] = Said(text=found["text"])
    return said
