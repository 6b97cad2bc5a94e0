"""What a kernel is given to serve with."""

from __future__ import annotations

import socket

import msgspec
import structlog

from routecodex.app.applying import Candidate
from routecodex.app.desk import Desk
from routecodex.app.supervisor.messages import Boot
from routecodex.blocks.telemetry import LogWriter


class CannotServeError(Exception):
    """The configuration is readable and cannot be served; the message names the cause and the next step."""


class WorkerStart(msgspec.Struct, frozen=True):
    """A worker's surroundings. The listener listens; the desk is not attended yet."""

    boot: Boot
    candidate: Candidate
    listener: socket.socket
    desk: Desk
    writer: LogWriter
    log: structlog.typing.FilteringBoundLogger
