"""What goes into a diff snapshot now: the decision, both configurations, switches, workers, the ledger's and the log's
end.

It gathers; blocks/snapshots writes. Configurations hold references, never secrets.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from routecodex.blocks.ledger.reading import tail
from routecodex.blocks.snapshots import Part, write

_ENTRIES: Final = 500
_LOG: Final = 4 * 1024 * 1024
_KEPT: Final = 20
"""Bundles kept; older ones make room."""


def export(folder: Path, ledger: Path, log_file: Path | None, decision: Mapping[str, Any]) -> dict[str, Any]:
    """Write the bundle of this decision. Raises OSError. Runs in a thread."""
    at = time.time()
    before, after = decision.get("before", {}), decision.get("after", {})
    told = {name: value for name, value in decision.items() if name not in ("before", "after")}
    parts = [
        _json("decision.json", told),
        _json("switches.json", {"before": _switches(before), "after": _switches(after)}),
        _json("workers.json", {"before": before.get("workers", []), "after": after.get("workers", [])}),
        _json("in-flight.json", {"before": _in_flight(before), "after": _in_flight(after)}),
        *_documents("before", before),
        *_documents("after", after),
        Part("ledger.jsonl", b"".join(entry.line for entry in tail(ledger, _ENTRIES)), keep_end=True),
    ]
    if log_file is not None:
        parts.append(Part("log-tail.jsonl", _end_of(log_file), keep_end=True))
    name = time.strftime("rollback-%Y%m%dT%H%M%S", time.gmtime(at)) + f"-{int(at * 1000) % 1000:03d}"
    written = write(folder, name, parts, at)
    for old in sorted(folder.glob("rollback-*.tar.gz"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    return {"path": str(written.path), "sha256": written.sha256, "bytes": written.bytes}


def _documents(when: str, picture: Mapping[str, Any]) -> list[Part]:
    document = picture.get("document", {})
    suffix = Path(document.get("path", "")).suffix or ".toml"
    laid_over = {name: picture.get(name) for name in ("origin", "overrides", "forced", "hash", "seq")}
    laid_over["path"] = document.get("path", "")
    return [
        Part(f"configuration-{when}{suffix}", document.get("content", b"")),
        _json(f"configuration-{when}-laid-over.json", laid_over),
    ]


def _switches(picture: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(worker["number"]): {"values": worker["switches"], "sources": worker["sources"]}
        for worker in picture.get("workers", [])
    }


def _in_flight(picture: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "worker": worker["number"],
            "pid": worker["pid"],
            "running": worker["running"],
            "generations": worker["generations"],
        }
        for worker in picture.get("workers", [])
    ]


def _json(name: str, value: Any) -> Part:
    return Part(name, msgspec.json.format(msgspec.json.encode(value)))


def _end_of(file: Path) -> bytes:
    """The last part of a file, from a line's beginning; empty where it cannot be read."""
    try:
        with file.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(max(0, size - _LOG))
            content = handle.read(_LOG)
    except OSError:
        return b""
    return content if size <= _LOG else content.partition(b"\n")[2]
