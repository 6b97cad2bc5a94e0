"""Where commands get the configuration from: found, read, and for those that run it, compiled.

Composes the configuration room with the switch table and the shared module's profiles. A configuration that cannot
be used becomes a CommandError with every fault in it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from routecodex.app.switches import TABLE
from routecodex.cli.failures import EXIT_CONFIGURATION, CommandError
from routecodex.config.compiled import CompiledConfig
from routecodex.config.compiling import compile_config
from routecodex.config.faults import ConfigError, Fault
from routecodex.config.loading import Loaded, config_path, gateway_home, load


def read(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """The configuration as far as it can be read; its faults are in it."""
    return load(config_path(explicit, environ, gateway_home(environ)), environ, TABLE)


def shaped(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Loaded:
    """A configuration that is well-formed; references to secrets are not looked up. Raises CommandError."""
    loaded = read(explicit, environ)
    if loaded.model is None:
        raise refused(loaded.path, loaded.faults)
    return loaded


def compiled(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> tuple[Loaded, CompiledConfig]:
    """A configuration that can be run. Raises CommandError naming every fault."""
    loaded = read(explicit, environ)
    try:
        return loaded, compile_config(loaded, environ)
    except ConfigError as error:
        raise refused(loaded.path, list(error.faults)) from None


def refused(path: Path, faults: list[Fault]) -> CommandError:
    """The failure of a configuration with faults."""
    errors = sum(fault.severity == "error" for fault in faults)
    if len(faults) == 1 and faults[0].code == "missing_file" and not faults[0].path:
        return CommandError(EXIT_CONFIGURATION, faults[0].message, faults[0].next_step, code="missing_file")
    return CommandError(
        EXIT_CONFIGURATION,
        f"{path} has {errors} fault{'s' if errors != 1 else ''}.",
        f"Mend {'it' if len(faults) == 1 else 'them'}; `routecodex config check` looks again.",
        code="bad_configuration",
        faults=faults,
    )
