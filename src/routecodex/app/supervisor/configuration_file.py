"""The configuration file as bytes: read whole, and watched without asking the kernel to tell us.

A look once a second at what the path leads to (a new file renamed over the old one, a link turned elsewhere, an edit in
place), then quiet for a moment before it is read. It knows nothing of what is in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from routecodex.app.supervisor.messages import Document

MOST_BYTES: Final = 1024 * 1024

Sight = tuple[int, int, int, int]


class UnreadableError(Exception):
    """The file cannot be read; the message says why."""


def read(path: Path) -> Document:
    """All of it. Raises UnreadableError; a pipe or a device is refused, since reading it might never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            kind = os.fstat(descriptor).st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                raise UnreadableError(f"{path} is no regular file.")
            with open(descriptor, "rb", closefd=False) as handle:
                content = handle.read(MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"{path} is larger than {MOST_BYTES // 1024} KiB.")
    return Document(str(path), content)


def digest(document: Document) -> str:
    """sha256 (hex) of the bytes."""
    return hashlib.sha256(document.content).hexdigest()


def sight(path: Path) -> Sight | None:
    """What tells one state of the file from another; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


async def watch(
    path: Path, seen: Sight | None, every: float, quiet: float, changed: Callable[[], Awaitable[None]]
) -> None:
    """Call `changed` after each change since `seen` that has been quiet for a while, for ever."""
    while True:
        await asyncio.sleep(every)
        now = sight(path)
        if now == seen:
            continue
        while True:
            await asyncio.sleep(quiet)
            later = sight(path)
            if later == now:
                break
            now = later
        seen = now
        await changed()
