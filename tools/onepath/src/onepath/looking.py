"""What a run looks at in the file system, and whether all of it is still so.

An answer may be kept for as long as everything it was made of is unchanged. Whoever reads a file on the way to an
answer reads it through a `Looked`, which notes what was seen: a digest of the very bytes, or that there was nothing.
It knows files and nothing of what is in them.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

_YOUNG: Final = 2_000_000_000
"""Nanoseconds. A file changed this shortly before it was read may change again and keep its times."""
_CHANGED: Final = "changed"
"""What is noted of a file that was seen in two states: no state is ever equal to it."""


class Sight(msgspec.Struct, frozen=True, array_like=True):
    """What was seen of one file."""

    state: str
    """`sha256:…` of what was read, `error:…` with the system's number, `file`, or `none`: whether it is a file."""
    identity: tuple[int, int, int, int, int] | None = None
    """Device, inode, size, times of change in nanoseconds; None if they do not tell one content from the next."""


class Looked:
    """Notes of what was looked at, by path; the modules that a program is made of are read through it, too."""

    def __init__(self) -> None:
        self.sights: dict[str, Sight] = {}
        self.modules = ""
        """Digest of which modules there are."""

    def content(self, path: Path) -> bytes:
        """The file's bytes. Raises OSError, which is noted."""
        name = str(path)
        identity = identity_of(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            self._note(name, Sight(_error(error)))
            raise
        self._note(name, Sight(digest_of(data), identity))
        return data

    def digest(self, path: Path) -> str:
        """Of what was last read from there as `sha256:…`."""
        return self.sights[str(path)].state

    def is_file(self, path: Path) -> bool:
        """Whether there is a file."""
        found = path.is_file()
        name = str(path)
        if name not in self.sights or not self.sights[name].state.startswith("sha256:") or not found:
            self._note(name, Sight(_whether(found)))
        return found

    @property
    def is_one_state(self) -> bool:
        """Whether nothing was seen to change while it was looked at."""
        return all(sight.state != _CHANGED for sight in self.sights.values())

    def _note(self, name: str, sight: Sight) -> None:
        before = self.sights.get(name)
        if before is not None and before.state != sight.state and before.state != _whether(True):
            sight = Sight(_CHANGED)
        self.sights[name] = sight


def seen_again(sights: Mapping[str, Sight]) -> dict[str, Sight] | None:
    """The same, with today's identities, if everything is as it was; else None. Reads what its identity cannot tell."""
    found: dict[str, Sight] = {}
    for name, sight in sights.items():
        if sight.identity is not None and identity_of(name) == sight.identity:
            found[name] = sight
            continue
        again = _look(name, sight.state)
        if again.state != sight.state:
            return None
        found[name] = again
    return found


def identity_of(name: str) -> tuple[int, int, int, int, int] | None:
    """What changes with a file's content, unless it was changed just now."""
    try:
        status = os.stat(name)  # noqa: PTH116
    except OSError:
        return None
    if max(status.st_mtime_ns, status.st_ctime_ns) > time.time_ns() - _YOUNG:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def digest_of(data: bytes) -> str:
    """`sha256:…`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _look(name: str, state: str) -> Sight:
    path = Path(name)
    if not state.startswith(("sha256:", "error:")):
        return Sight(_whether(path.is_file()))
    identity = identity_of(name)
    try:
        return Sight(digest_of(path.read_bytes()), identity)
    except OSError as error:
        return Sight(_error(error))


def _whether(is_file: bool) -> str:
    return "file" if is_file else "none"


def _error(error: OSError) -> str:
    return f"error:{error.errno}"
