"""Structured logs: one JSON object per line, written by a thread in batches.

structlog makes the events of the application, requests leave finished records; both meet in one queue. What is not
urgent waits a fifth of a second so that the thread is not woken per request. It knows no event by name.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import msgspec
import structlog

_LINGER: Final = 0.2
"""Seconds a record may wait for others."""
_BATCH: Final = 4096
MOST_WAITING: Final = 16_384
"""Lines kept for a stream that takes none (a full pipe nobody reads); what comes after is lost, counted and told."""
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class LogWriter:
    """The only one who writes to the log's stream. Records are structs, events are dicts."""

    def __init__(self, stream: TextIO | None = None, form: Literal["json", "console"] = "json") -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._line: Callable[[Any], str] = _json_line if form == "json" else _console_line
        self._queue: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        self._waiting: list[Any] = []
        self._timer: asyncio.TimerHandle | None = None
        self._lock = threading.Lock()
        self._handed_over = 0
        self.lost = 0
        """Lines that could not be written (a full disk, a closed pipe, a pipe nobody reads)."""
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()

    def record(self, record: msgspec.Struct) -> None:
        """From the event loop's thread: written soon."""
        waiting = self._waiting
        waiting.append(record)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LINGER, self._flush)
        elif len(waiting) >= _BATCH:
            self._timer.cancel()
            self._flush()

    def event(self, event: dict[str, Any]) -> None:
        """From any thread: written at once."""
        self._hand_over([event])

    def flush(self) -> None:
        """Hand over the records that wait, so that what is told next stands behind them. From the loop's thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        batch, self._waiting = self._waiting, []
        self._hand_over(batch)

    def _hand_over(self, batch: list[Any]) -> None:
        with self._lock:
            if self._handed_over + len(batch) > MOST_WAITING:
                self.lost += len(batch)
                return
            self._handed_over += len(batch)
        self._queue.put(batch)

    def close(self) -> None:
        """Write what is there and end the thread."""
        self.flush()
        self._queue.put(None)
        self._thread.join(timeout=5.0)

    def _write(self) -> None:
        told = 0
        while (batch := self._queue.get()) is not None:
            lines = [self._line(item) for item in batch]
            lost = self.lost
            if lost > told:
                lines.append(self._line({"event": "log.lost", "at": round(time.time(), 3), "lines": lost - told}))
            try:
                self._stream.write("".join(lines))
                self._stream.flush()
                told = lost
            except (OSError, ValueError):
                with self._lock:
                    self.lost += len(batch)
            with self._lock:
                self._handed_over -= len(batch)


def _json_line(item: Any) -> str:
    return msgspec.json.encode(item, enc_hook=str).decode() + "\n"


def _console_line(item: Any) -> str:
    data = item if isinstance(item, dict) else msgspec.to_builtins(item, enc_hook=str)
    at = datetime.fromtimestamp(data.pop("at", time.time()), UTC).strftime("%H:%M:%S.%f")[:-3]
    level = data.pop("level", "info")
    name = data.pop("event", "")
    rest = " ".join(f"{key}={value}" for key, value in data.items() if value not in ("", 0, [], ()))
    return f"{at} {level:<7} {name} {rest}\n"


class _Handler(logging.Handler):
    """What libraries log through the standard library, into the same queue."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {
            "event": "library",
            "at": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = logging.Formatter().formatException(record.exc_info)
        self._writer.event(event)


def configure(writer: LogWriter, level: str) -> structlog.typing.FilteringBoundLogger:
    """Send structlog's and the libraries' events to this writer; returns the application's logger."""

    def stamp(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"event": event.pop("event"), "at": round(time.time(), 3), **event}

    def hand_over(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        writer.event(dict(event))
        raise structlog.DropEvent

    number = _LEVELS[level]
    handler = _Handler(writer)
    for name, least in (("uvicorn", logging.WARNING), ("aiohttp", logging.WARNING), ("asyncio", logging.WARNING)):
        library = logging.getLogger(name)
        library.handlers = [handler]
        library.propagate = False
        library.setLevel(max(least, number))
    return structlog.wrap_logger(  # type: ignore[no-any-return]
        None,
        processors=[structlog.processors.add_log_level, stamp, structlog.processors.format_exc_info, hand_over],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
