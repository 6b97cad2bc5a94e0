"""`routecodex config check | show | schema`: what the configuration says, what is wrong with it, what it may say.

It shows references, never what they refer to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from routecodex.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from routecodex.config.faults import Path
    from routecodex.config.loading import Loaded


def check(config: ConfigOption = None, as_json: JsonOption = False) -> int:
    """Name every fault of the configuration with its path and line."""
    from routecodex.cli.configuration import compiled
    from routecodex.cli.failures import CommandError
    from routecodex.cli.output import emit_json, say

    try:
        loaded, result = compiled(config)
    except CommandError as error:
        if not as_json:
            raise
        emit_json({"ok": False, "message": error.cause, "faults": [fault.as_json() for fault in error.faults]})
        return error.exit_code
    if as_json:
        warnings = [fault.as_json() for fault in loaded.faults]
        emit_json({"ok": True, "config": str(loaded.path), "hash": result.hash, "faults": warnings})
        return 0
    for fault in loaded.faults:
        say(f"{fault.severity}: {fault.text}")
    targets = len(result.routing.targets)
    say(
        f"{loaded.path} is sound: {len(result.providers)} provider{_s(len(result.providers))}, "
        f"{targets} target{_s(targets)}, {len(result.routing.routes)} route{_s(len(result.routing.routes))}."
    )
    return 0


def show(config: ConfigOption = None, as_json: JsonOption = False) -> int:
    """Show the effective configuration and who set each value; secrets as references."""
    from routecodex.cli.configuration import shaped
    from routecodex.cli.output import emit_json, say
    from routecodex.config.faults import json_path

    loaded = shaped(config)
    values = list(_leaves(loaded.effective, ()))
    if as_json:
        sources = {json_path(path): _origin(loaded, path) for path, _ in values}
        emit_json({"hash": loaded.hash, "config": loaded.effective, "sources": sources})
        return 0
    shown = [(json_path(path), json.dumps(value, ensure_ascii=False), path) for path, value in values]
    for place, value, path in shown:
        say(f"{place} = {value}   # {_origin(loaded, path)}")
    return 0


def schema() -> int:
    """Print the configuration's JSON Schema (2020-12)."""
    from routecodex.app.switches import TABLE
    from routecodex.cli.output import emit_json
    from routecodex.config.schema import json_schema

    emit_json(json_schema(TABLE))
    return 0


def _leaves(value: object, path: Path) -> list[tuple[Path, Any]]:
    """Every value that is no table, and empty tables, with its path; unset ones are left out."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*path, index))]
    return [] if value is None else [(path, value)]


def _origin(loaded: Loaded, path: Path) -> str:
    """`default`, `config.toml:12`, or the environment variable."""
    variable = loaded.overrides.variable(path)
    if variable is not None:
        return variable
    written = loaded.tidied.written.get(path)
    if written is None and len(path) > 1 and isinstance(path[-2], int):
        written = loaded.tidied.written.get(path[:-1]) if _is_bare(loaded, path[:-1]) else None
    if written is None or loaded.document is None:
        return "default"
    return f"{loaded.path.name}:{loaded.document.positions.line(written)}"


def _is_bare(loaded: Loaded, path: Path) -> bool:
    """Whether an item that may be a table was written as a bare text."""
    value: Any = loaded.tidied.tree
    for step in path:
        value = value[step]
    return isinstance(value, str)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
