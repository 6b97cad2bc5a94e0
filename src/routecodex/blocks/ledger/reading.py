"""What lies on disk: segments in order, their entries, and the first one that is wrong. Takes no lock.

`ledger.jsonl` is written to; `ledger-<first seq>.jsonl` are the full ones before it. Memory is bounded by one line.
A last line that is not whole is torn: a write that a crash cut short, or one that is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from routecodex.blocks.ledger.entry import MAX_ENTRY, START, Entry, NoEntryError, decoded, follows

ACTIVE: Final = "ledger.jsonl"
MOST_READ: Final = 10_000
"""Entries one call gives at most."""


class Line(msgspec.Struct, frozen=True):
    """One line and where it stands."""

    file: Path
    number: int
    offset: int
    content: bytes
    """Without the line's end."""
    whole: bool
    """It is not the file's unfinished end."""


class Verdict(msgspec.Struct, frozen=True, rename="camel"):
    """What became of checking the whole chain."""

    ok: bool
    entries: int
    """That are right, up to the first that is not."""
    last_seq: int
    last_hash: str
    bad_seq: int | None = None
    """The first bad entry, as counted; None if all are right."""
    place: str = ""
    """File and line of it."""
    why: str = ""
    torn: int = 0
    """Bytes of an unfinished last line."""


def segments(folder: Path) -> list[Path]:
    """The ledger's files in the order of their entries."""
    full = sorted(path for path in folder.glob("ledger-*.jsonl") if path.stem.removeprefix("ledger-").isdigit())
    active = folder / ACTIVE
    return [*full, active] if active.is_file() else full


def lines(file: Path) -> Iterator[Line]:
    """Every line of one segment; an overlong one is cut at the bound, and what follows is lines of nonsense."""
    with file.open("rb") as handle:
        offset, number = 0, 0
        while content := handle.readline(MAX_ENTRY + 1):
            number += 1
            whole = content.endswith(b"\n") or len(content) > MAX_ENTRY
            yield Line(file, number, offset, content.removesuffix(b"\n"), whole)
            offset += len(content)


def verify(folder: Path) -> Verdict:
    """Walk the whole chain. A folder without a ledger is an empty one, which is right."""
    count, seq, prev = 0, 0, START
    files = segments(folder)
    for file in files:
        for line in lines(file):
            entry, why = _judged(line, seq, prev)
            if entry is None:
                torn = not line.whole and file is files[-1]
                if torn:
                    return Verdict(True, count, seq, prev, torn=len(line.content))
                return Verdict(False, count, seq, prev, seq + 1, f"{file.name}:{line.number}", why)
            count, seq, prev = count + 1, entry.seq, entry.hash
    return Verdict(True, count, seq, prev)


def _judged(line: Line, seq: int, prev: str) -> tuple[Entry | None, str]:
    try:
        entry = decoded(line.content)
    except NoEntryError as error:
        return None, str(error)
    why = follows(entry, seq, prev)
    return (None, why) if why else (entry, "")


def entries(file: Path) -> Iterator[Entry]:
    """The entries of one segment; lines that are none are passed over."""
    for line in lines(file):
        try:
            yield decoded(line.content)
        except NoEntryError:
            continue


def read(folder: Path, since: int = 0, limit: int = 1000) -> list[Entry]:
    """Entries with `seq > since`, oldest first, at most `limit` (and MOST_READ)."""
    found: list[Entry] = []
    files = segments(folder)
    starts = [_first_seq(file) for file in files]
    for index, file in enumerate(files):
        after = starts[index + 1] if index + 1 < len(files) else None
        if after is not None and after <= since + 1:
            continue
        for entry in entries(file):
            if entry.seq > since:
                found.append(entry)
                if len(found) >= min(limit, MOST_READ):
                    return found
    return found


def tail(folder: Path, count: int) -> list[Entry]:
    """The last entries, oldest first; at most those of the two newest segments."""
    kept: deque[Entry] = deque(maxlen=min(count, MOST_READ))
    for file in segments(folder)[-2:]:
        kept.extend(entries(file))
    return list(kept)


def _first_seq(file: Path) -> int:
    if file.name != ACTIVE:
        return int(file.stem.removeprefix("ledger-"))
    return next((entry.seq for entry in entries(file)), 1)
