"""`python -m routecodex.app.supervisor`: what `routecodex start` becomes."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
import sys

from routecodex.app.supervisor.settings import Settings, settings_of
from routecodex.app.supervisor.supervisor import Supervisor


def main() -> int:
    """The exit code."""
    faulthandler.enable()
    settings = settings_of(sys.argv[1:], os.environ)
    listener = socket.socket(fileno=settings.listener)
    listener.set_inheritable(False)
    if settings.record is not None:
        os.set_inheritable(settings.record, False)
    port = listener.getsockname()[1]
    try:
        return asyncio.run(_run(settings, port))
    finally:
        listener.close()


async def _run(settings: Settings, port: int) -> int:
    return await Supervisor(settings, port, os.environ).run()


if __name__ == "__main__":
    sys.exit(main())
