"""The supervisor's own lines in the gateway's log: the workers' form, no thread, and never a wait.

A log nobody reads (a full pipe) must not stop the one who keeps the workers alive: what cannot be written at once is
dropped and counted.
"""

from __future__ import annotations

import os
import select
import time
import traceback
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

_LONGEST: Final = 3500
"""Bytes of a line: less than what a pipe takes whole."""


class Log:
    """Writes to stderr."""

    def __init__(self, form: str = "json", descriptor: int = 2) -> None:
        self._console = form == "console"
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self.lost = 0

    def info(self, event: str, **details: Any) -> None:
        self._write("info", event, details)

    def warning(self, event: str, **details: Any) -> None:
        self._write("warning", event, details)

    def error(self, event: str, error: BaseException | None = None, **details: Any) -> None:
        if error is not None:
            details["exception"] = "".join(traceback.format_exception(error))[-2000:]
        self._write("error", event, details)

    def _write(self, level: str, event: str, details: dict[str, Any]) -> None:
        line = self._line(level, event, details)
        try:
            if not self._poll.poll(0):
                self.lost += 1
                return
            os.write(self._descriptor, line)
        except OSError:
            self.lost += 1

    def _line(self, level: str, event: str, details: dict[str, Any]) -> bytes:
        if self._console:
            clock = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
            rest = " ".join(f"{key}={value}" for key, value in details.items() if value not in ("", 0, [], ()))
            text = f"{clock} {level:<7} {event} {rest}".encode("utf-8", "backslashreplace")
            return text[:_LONGEST] + b"\n"
        told = {"event": event, "at": round(time.time(), 3), "level": level, **details}
        encoded = msgspec.json.encode(told, enc_hook=str)
        if len(encoded) > _LONGEST:
            short = {key: str(value)[:300] for key, value in list(details.items())[:8]}
            encoded = msgspec.json.encode({"event": event, "at": told["at"], "level": level, **short})
        return encoded + b"\n"
