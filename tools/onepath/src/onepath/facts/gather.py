"""Facts of many files: from the cache where they are known, else extracted, in several processes on a cold run.

The cache is keyed by what facts depend on: content, module name, package flag, extractor and Python.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from onepath.discover import Module
from onepath.facts.model import EXTRACTOR, ModuleFacts
from onepath.garbage import not_collecting
from onepath.keeping import read_entry, write_entry
from onepath.looking import Looked

Progress = Callable[[str, int, int], None]
_FEW: Final = 60
"""Files below which a pool costs more than it saves."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ModuleFacts)


class Source(msgspec.Struct, frozen=True):
    """One file to read."""

    module: Module
    content: bytes
    key: str


def read_sources(modules: Sequence[Module], looked: Looked) -> tuple[list[Source], list[ModuleFacts]]:
    """The files' bytes with their cache keys, and faults for those that cannot be read."""
    salt = _salt()
    sources: list[Source] = []
    faults: list[ModuleFacts] = []
    for module in modules:
        try:
            content = looked.content(module.path)
        except OSError as error:
            reason = f"cannot be opened: {error.strerror}"
            faults.append(ModuleFacts(module.name, module.file, module.is_package, fault=reason, fault_line=1))
            continue
        digest = hashlib.sha256(salt)
        for part in (module.name, module.file, str(module.is_package)):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(looked.digest(module.path).encode())
        sources.append(Source(module, content, digest.hexdigest()))
    return sources, faults


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


def _salt() -> bytes:
    """Each Python reads another syntax, and says other things of where it stands."""
    return f"{EXTRACTOR}\0{sys.version_info.major}.{sys.version_info.minor}\0".encode()


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
