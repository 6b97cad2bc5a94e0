"""One entry and its place in the chain: a line of canonical JSON that names the hash of the line before.

Pure: bytes in, entries out. A line is an entry only if encoding it again gives the same bytes, so no byte of it can be
changed without its hash telling.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

START: Final = "0" * 64
"""`prev` of the first entry."""
MAX_ENTRY: Final = 1024 * 1024
"""Bytes of a line; more is refused when written and not read."""


class NoEntryError(ValueError):
    """These bytes are no entry; the message says why."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    seq: int
    """From 1, without gaps."""
    at: float
    """Unix seconds by the writer's clock: may go back, `seq` never does."""
    kind: str
    actor: str
    """Who wanted it: a face and a name, or the part of the gateway that acted by itself."""
    correlation: str
    """The same for everything that belongs to one command."""
    body: dict[str, Any]
    prev: str
    """Hash of the entry before, `START` for the first."""
    hash: str = ""
    """sha256 (hex) over the canonical JSON of everything above."""

    @property
    def line(self) -> bytes:
        """As it stands in the file."""
        return _ENCODER.encode(self) + b"\n"

    @property
    def expected_hash(self) -> str:
        content = msgspec.structs.asdict(self)
        del content["hash"]
        return hashlib.sha256(_ENCODER.encode(content)).hexdigest()


_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(Entry)


def chained(seq: int, at: float, kind: str, actor: str, correlation: str, body: Mapping[str, Any], prev: str) -> Entry:
    """The next entry. Raises NoEntryError for a body that is no JSON, or too much of it."""
    try:
        plain = msgspec.json.decode(_ENCODER.encode(body), type=dict[str, Any])
        entry = Entry(seq, at, kind, actor, correlation, plain, prev)
        entry = msgspec.structs.replace(entry, hash=entry.expected_hash)
        decoded(entry.line.rstrip(b"\n"))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise NoEntryError(f"The entry cannot be written: {error}.") from error
    return entry


def decoded(line: bytes) -> Entry:
    """The entry a line (without its end) holds. Raises NoEntryError."""
    if len(line) > MAX_ENTRY:
        raise NoEntryError(f"the line is longer than {MAX_ENTRY} bytes")
    try:
        entry = _DECODER.decode(line)
        if entry.line[:-1] != line:
            raise NoEntryError("the line is not in canonical form")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError) as error:
        raise NoEntryError(f"the line is no entry: {error}") from None
    if entry.hash != entry.expected_hash:
        raise NoEntryError("its hash does not fit its content")
    return entry


def follows(entry: Entry, seq: int, prev: str) -> str:
    """Why `entry` cannot come after the entry `seq` with hash `prev`; empty if it can."""
    if entry.seq != seq + 1:
        return f"entry {seq + 1} is missing: {entry.seq} follows {seq}"
    if entry.prev != prev:
        return "it does not name the hash of the entry before it"
    return ""
