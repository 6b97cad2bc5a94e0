"""The configuration that is known to serve: written after it was watched, read when another one fails.

The file is replaced whole. It is kept in memory too, so that a deleted file costs nothing while the supervisor lives.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from routecodex.app.supervisor import durable
from routecodex.app.supervisor.desired import Override, Wanted
from routecodex.app.supervisor.messages import Document

_MOST: Final = 8 * 1024 * 1024


class _File(msgspec.Struct, frozen=True):
    path: str
    content: str
    """Base64 of the configuration file's bytes; secrets are references in it."""
    overrides: Mapping[str, Override]
    hash: str
    """Of the configuration as the workers read it."""
    at: float
    """Unix seconds."""


class LastGood:
    """The blessed configuration of one file, in `last_good.json`; that of another file is none."""

    def __init__(self, path: Path, config: Path) -> None:
        self._path = path
        self._wanted: Wanted | None = None
        self.hash = ""
        self.at = 0.0
        self.unreadable = False
        """There was a file, and it made no sense."""
        content = durable.read(path, _MOST)
        if content is None:
            return
        try:
            kept = msgspec.json.decode(content, type=_File)
            document = Document(kept.path, base64.b64decode(kept.content, validate=True))
        except (msgspec.DecodeError, ValueError):
            self.unreadable = True
            return
        if document.path != str(config):
            return
        self._wanted = Wanted(document, kept.overrides, "last_good")
        self.hash, self.at = kept.hash, kept.at

    @property
    def wanted(self) -> Wanted | None:
        return self._wanted

    def is_this(self, wanted: Wanted) -> bool:
        """Whether `wanted` is the blessed configuration."""
        return self._wanted is not None and self._wanted.fingerprint == wanted.fingerprint

    def bless(self, wanted: Wanted, config_hash: str, at: float) -> str:
        """From here on it is this one; why it could not be written, or empty."""
        self._wanted = msgspec.structs.replace(wanted, origin="last_good")
        self.hash, self.at = config_hash, at
        return self.keep()

    def keep(self) -> str:
        """Write the file (again); why it could not be written, or empty."""
        if self._wanted is None:
            return ""
        document = self._wanted.document
        content = base64.b64encode(document.content).decode("ascii")
        kept = _File(document.path, content, self._wanted.overrides, self.hash, self.at)
        try:
            durable.write(self._path, msgspec.json.encode(kept))
        except OSError as error:
            return error.strerror or type(error).__name__
        return ""

    @property
    def on_disk(self) -> bool:
        return self._path.is_file()
