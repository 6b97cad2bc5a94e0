"""The cache: bytes under a key, in files.

An entry is written whole and moved into place, so that parallel runs do not meet half of one; a broken entry is no
entry. It does not know what is kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

_MARK: Final = b"onepath facts\n"


def read_entry(cache: Path | None, key: str) -> bytes | None:
    """What is kept under a key; None if there is nothing, or nothing whole."""
    if cache is None:
        return None
    try:
        data = (cache / key[:2] / key[2:]).read_bytes()
    except OSError:
        return None
    start = len(_MARK) + 32
    if not data.startswith(_MARK) or hashlib.sha256(data[start:]).digest() != data[len(_MARK) : start]:
        return None
    return data[start:]


def write_entry(cache: Path | None, key: str, body: bytes) -> None:
    """Keep something; a cache that cannot be written is none."""
    if cache is None:
        return
    folder = cache / key[:2]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MARK + hashlib.sha256(body).digest() + body)
            Path(temporary).replace(folder / key[2:])
        except OSError:
            Path(temporary).unlink(missing_ok=True)
    except OSError:
        return
