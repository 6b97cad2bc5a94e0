"""Counts boots and crashes, across restarts of the supervisor too: a configuration that kills us must not do so
forever.

A try is noted before it is made and struck out when the configuration is blessed or stopped in good order, so that what
ends the whole machine counts as well. Clocks may jump: an age that cannot be is taken for "just now".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from routecodex.app.supervisor import durable

TRIES: Final = 2
"""Failed boots within the window after which a configuration gives way."""
CRASHES: Final = 2
"""Crashes of a blessed configuration, within the window, after which it gives way to safe mode."""
_MOST: Final = 1024 * 1024
_KEPT: Final = 32


class _File(msgspec.Struct):
    """Times in Unix seconds."""

    tries: dict[str, list[float]] = {}
    crashes: list[float] = []


class Boots:
    """The counts, kept in `boots.json`; a disk that takes nothing makes them last as long as the process."""

    def __init__(
        self,
        path: Path,
        window: float,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._window = window
        self._now = now
        self._clock = clock
        content = durable.read(path, _MOST)
        try:
            self._file = msgspec.json.decode(content, type=_File) if content else _File()
        except msgspec.DecodeError:
            self._file = _File()
        self._crashes = [clock() - max(0.0, now() - at) for at in self._file.crashes]
        """By the clock that does not jump."""

    def tries(self, fingerprint: str) -> int:
        """How often, within the window, this configuration was started and neither blessed nor left in good order."""
        return sum(max(0.0, self._now() - at) < self._window for at in self._file.tries.get(fingerprint, ()))

    def trying(self, fingerprint: str) -> None:
        """It is about to be started."""
        self._file.tries.setdefault(fingerprint, []).append(self._now())
        for old in list(self._file.tries)[:-_KEPT]:
            del self._file.tries[old]
        del self._file.tries[fingerprint][:-_KEPT]
        self._keep()

    def settled(self, fingerprint: str) -> None:
        """It was blessed, or left in good order."""
        if self._file.tries.pop(fingerprint, None) is not None:
            self._keep()

    def crashed(self) -> int:
        """A worker of a blessed configuration crashed; crashes within the window, this one included."""
        self._crashes = [at for at in self._crashes if self._clock() - at < self._window]
        self._crashes.append(self._clock())
        self._file.crashes = [self._now() - (self._clock() - at) for at in self._crashes[-_KEPT:]]
        self._keep()
        return len(self._crashes)

    def forget_crashes(self) -> None:
        """Another configuration is in force, or somebody asked to try again."""
        if self._crashes or self._file.crashes:
            self._crashes, self._file.crashes = [], []
            self._keep()

    def _keep(self) -> None:
        try:
            durable.write(self._path, msgspec.json.encode(self._file))
        except OSError:
            return
