"""`routecodex version`: what is installed here."""

from __future__ import annotations

import platform

from routecodex.cli.options import JsonOption


def own_version() -> str:
    """The installed version of the distribution."""
    from importlib.metadata import version as installed

    return installed("routecodex")


def version(as_json: JsonOption = False) -> int:
    """Print the version, as `routecodex --version` does."""
    from routecodex.cli.output import emit_json, say

    found = {"version": own_version(), "python": platform.python_version(), "platform": platform.platform(terse=True)}
    if as_json:
        emit_json(found)
    else:
        say(f"routecodex {found['version']} (Python {found['python']}, {found['platform']})")
    return 0
