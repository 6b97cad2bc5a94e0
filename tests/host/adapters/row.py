"""The adapters that are compared with each other: both sides of `hostBlocks.httpAdapter`."""

from __future__ import annotations

from routecodex.app import sides
from routecodex.app.switches import BY_KEY

FIRST, SECOND = (sides.http_adapters()[value] for value in BY_KEY["hostBlocks.httpAdapter"].values)
