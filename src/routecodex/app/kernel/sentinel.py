"""Looks at `run/force_stable` four times a second and on SIGUSR2, in the worker itself: it needs nobody else.

Its presence forces rows to their first side: the keys it lists, or all of them. It knows the file and nothing of what
forcing does.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from routecodex.app.switches import forced_keys

FILE: Final = "force_stable"
_LOOKS: Final = 0.25
_MOST: Final = 4096
"""Bytes of the file that are read."""


class SentinelWatch:
    """Tells `say` the forced keys whenever they change."""

    def __init__(
        self, run: str, say: Callable[[frozenset[str]], None], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._file = Path(run) / FILE
        self._say = say
        self._log = log
        self._seen: tuple[int, int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._handles_signal = False

    def start(self) -> None:
        """Look now and from now on."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():  # elsewhere no signal ever arrives
            loop.add_signal_handler(signal.SIGUSR2, self.look)
            self._handles_signal = True
        self._tick(loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._handles_signal:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR2)

    def look(self) -> None:
        """Read the file if it is not the one seen last."""
        seen, text = self._read()
        if seen == self._seen:
            return
        self._seen = seen
        keys = forced_keys({}, text)
        self._log.warning("sentinel.changed", forced=sorted(keys))
        self._say(keys)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.look()
        self._timer = loop.call_later(_LOOKS, self._tick, loop)

    def _read(self) -> tuple[tuple[int, int, int] | None, str | None]:
        try:
            state = self._file.stat()
            if not stat.S_ISREG(state.st_mode):  # reading a pipe might never end
                raise OSError(errno.EINVAL, "It is no regular file")
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen == self._seen:
                return seen, None
            with self._file.open("rb") as handle:
                return seen, handle.read(_MOST).decode("utf-8", "replace")
        except FileNotFoundError:
            return None, None
        except OSError as error:
            # A sentinel that is there and cannot be read means all: in an emergency nothing must stay on by a mode bit.
            self._log.error("sentinel.unreadable", file=str(self._file), cause=error.strerror)
            return (0, 0, 0), ""
