"""Facts of many files: from the cache where they are known, else extracted, in several processes on a cold run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from onepath.facts.model import ModuleFacts
from onepath.facts.sources import Source
from onepath.garbage import not_collecting
from onepath.keeping import read_entry, write_entry

Progress = Callable[[str, int, int], None]
_FEW: Final = 60
"""Files below which a pool costs more than it saves."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ModuleFacts)


def gather(
    sources: Sequence[Source],
    cache: Path | None,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> list[ModuleFacts]:
    """The facts of all sources, in their order. `meanwhile`: done once while other processes read."""
    found: dict[str, ModuleFacts] = {}
    missing: list[Source] = []
    with not_collecting():
        for source in sources:
            known = kept_facts(cache, source.key)
            if known is None:
                missing.append(source)
            else:
                found[source.key] = known
        if missing:
            _extract(missing, found, cache, jobs, progress, meanwhile)
    return [found[source.key] for source in sources]


def _extract(
    missing: list[Source],
    found: dict[str, ModuleFacts],
    cache: Path | None,
    jobs: int | None,
    progress: Progress | None,
    meanwhile: Callable[[], None] | None,
) -> None:
    workers = min(jobs or os.cpu_count() or 1, max(1, len(missing) // 8))
    if workers < 2 or len(missing) < _FEW:
        from onepath.facts.extract import extract

        for number, source in enumerate(missing, 1):
            module = source.module
            facts = extract(source.content, module.name, module.file, is_package=module.is_package)
            _keep(source, facts, found, cache)
            if progress is not None:
                progress("reading files", number, len(missing))
        return
    from onepath.facts.processes import in_processes

    done = 0
    for some in in_processes(missing, workers, meanwhile):
        for source, facts, encoded in some:
            _keep(source, facts, found, cache, encoded)
        done += len(some)
        if progress is not None:
            progress("reading files", done, len(missing))


# -- the cache -------------------------------------------------------------------------------------------------


def _keep(
    source: Source, facts: ModuleFacts, found: dict[str, ModuleFacts], cache: Path | None, encoded: bytes = b""
) -> None:
    found[source.key] = facts
    write_entry(cache, source.key, encoded or _encoder.encode(facts))


def kept_facts(cache: Path | None, key: str) -> ModuleFacts | None:
    """The facts that are kept under a source's key."""
    body = read_entry(cache, key)
    if body is None:
        return None
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
