"""The kill sentinel: a file that forces switches to their first side as long as it is there.

It works without anybody answering: whoever can write the file can roll back. What cannot be read counts as `*`, since
in an emergency a wrong permission must not leave a canary running.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from routecodex.app.switches import BY_KEY, forced_keys

NAME: Final = "force_stable"
_LONGEST: Final = 64 * 1024


class Sentinel:
    """The file `run/force_stable` under the gateway's home."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.path = home / "run" / NAME
        self._environ = environ
        self._seen: tuple[int, int, int] | None = None
        self._keys: frozenset[str] = forced_keys(environ)

    @property
    def keys(self) -> tuple[str, ...]:
        """What file and ROUTECODEX_FORCE_STABLE force, sorted, as last looked at."""
        return tuple(sorted(self._keys))

    def look(self) -> bool:
        """Look again; whether the keys have changed."""
        before = self._keys
        try:
            state = self.path.stat()
            if not stat.S_ISREG(state.st_mode):  # reading a pipe might never end
                raise OSError(errno.EINVAL, "It is no regular file")
            seen = (state.st_mtime_ns, state.st_ino, state.st_size)
            if seen == self._seen:
                return False
            self._seen = seen
            with self.path.open("rb") as handle:
                text = handle.read(_LONGEST).decode("utf-8", "replace")
            self._keys = forced_keys(self._environ, text)
        except FileNotFoundError:
            self._seen = None
            self._keys = forced_keys(self._environ)
        except OSError:
            self._seen = None
            self._keys = frozenset(BY_KEY)
        return self._keys != before
