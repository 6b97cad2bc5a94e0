"""The admin token: made at the first start, kept in a file only its owner can read.

The CLI reads the file by itself; the server keeps the token's digest only.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from routecodex.blocks.http_adapter.policy import token_digest


class AdminTokenError(Exception):
    """The token's file cannot be used; the message names it and says why."""


def digest(path: str) -> bytes:
    """The digest of the token in this file; the file is made if there is none. Raises AdminTokenError."""
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            _make(file)
        token = file.read_text(encoding="ascii").strip()
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise AdminTokenError(f"The admin token file {file} cannot be used: {error}.") from error
    if len(token) < 16:
        raise AdminTokenError(f"The admin token file {file} holds no usable token. Delete it to have one made.")
    return token_digest(token)


def _make(file: Path) -> None:
    """A new token, under its name only once it is whole: a full disk or a kill leaves no half of one behind."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_urlsafe(32) + "\n")
            handle.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):  # another process was quicker: its token holds
            os.link(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
