"""One bundle: a gzipped tar of named parts with a manifest of their hashes, at most 20 MB, readable by its owner only.

It is written aside and renamed, so a bundle that is there is whole. Parts come in the order of their importance: what
no longer fits is cut, the end kept for those that say so, and the manifest says what was.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

MOST_BYTES: Final = 20 * 1000 * 1000
_ENTRY: Final = 1536
"""Bytes a tar needs for a part besides its content, at most."""
_MANIFEST: Final = 256 * 1024
"""Room kept for the manifest."""


class Part(msgspec.Struct, frozen=True):
    """One file of a bundle."""

    name: str
    content: bytes
    keep_end: bool = False
    """What must be cut is cut at the beginning: for logs."""


class Bundle(msgspec.Struct, frozen=True):
    """A bundle that was written."""

    path: Path
    sha256: str
    """Of the whole file, hex."""
    bytes: int


class _Listed(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    bytes: int
    sha256: str
    cut: int = 0
    """Bytes left out."""


def write(folder: Path, name: str, parts: Sequence[Part], at: float, most: int = MOST_BYTES) -> Bundle:
    """Write `<name>.tar.gz`, its manifest first. `at`: Unix seconds, of everything in it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fitted, left = [], most - _MANIFEST
    for part in parts:
        room = max(0, left - _ENTRY)
        content = part.content[-room:] if part.keep_end and room else part.content[:room]
        left -= len(content) + _ENTRY
        fitted.append((part, content))
    listed = [
        _Listed(part.name, len(content), hashlib.sha256(content).hexdigest(), len(part.content) - len(content))
        for part, content in fitted
    ]
    manifest = msgspec.json.format(msgspec.json.encode({"bundle": name, "at": at, "parts": listed}))
    data = _archive([("manifest.json", manifest), *((part.name, content) for part, content in fitted)], at)
    path = folder / f"{name}.tar.gz"
    fresh = folder / f".{name}.tmp"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    return Bundle(path, hashlib.sha256(data).hexdigest(), len(data))


def _archive(files: Sequence[tuple[str, bytes]], at: float) -> bytes:
    """The same files at the same time give the same bytes; what does not compress grows by less than a kilobyte."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=int(at)) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o600
            entry.mtime = int(at)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
