"""`routecodex stop`: end a running gateway, politely first.

It knows signals and the server's record. The server finishes its requests on SIGTERM; `--force` does not wait.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Annotated, Final

import typer

from routecodex.cli.failures import EXIT_TEMPORARY, CommandError
from routecodex.cli.options import JsonOption, PortOption

_PAUSE: Final = 0.05


def stop(
    port: PortOption = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait for running requests.")] = 40.0,
    force: Annotated[bool, typer.Option("--force", help="Kill it if it has not ended in time.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Stop the running gateway and wait until it has ended."""
    from routecodex.cli.output import emit_json, say
    from routecodex.cli.servers import chosen, read, record_path
    from routecodex.config.loading import gateway_home

    run = gateway_home(os.environ) / "run"
    record = chosen(run, port)
    if record is None:
        if as_json:
            emit_json({"stopped": False, "running": False})
        else:
            say("No gateway is running.")
        return 0
    path = record_path(run, record.port)
    _signal(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while read(path) is not None:
        if time.monotonic() > deadline:
            if not force:
                raise CommandError(
                    EXIT_TEMPORARY,
                    f"The gateway (pid {record.pid}) still has requests after {timeout:g} s.",
                    "Wait, or end them with --force.",
                    code="still_running",
                )
            _signal(record.pid, signal.SIGKILL)
            deadline = time.monotonic() + 10
        time.sleep(_PAUSE)
    if as_json:
        emit_json({"stopped": True, "pid": record.pid, "port": record.port})
    else:
        say(f"Stopped the gateway on port {record.port} (pid {record.pid}).")
    return 0


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise CommandError(
            EXIT_TEMPORARY,
            f"The gateway (pid {pid}) belongs to another user.",
            "Stop it as that user.",
            code="not_permitted",
        ) from None
