"""Facts of many files, read in several processes: what a cold run does.

It knows processes, and that a file may make one die or hang. Nothing is kept in here, and few files are read without.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeAlias

import msgspec

from onepath.facts.extract import extract
from onepath.facts.model import ModuleFacts
from onepath.facts.sources import Source

_CHUNK: Final = 24
_PATIENCE: Final = 20.0
"""Seconds for one file, when a pool broke and each is tried alone."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ModuleFacts)

Read: TypeAlias = tuple[Source, ModuleFacts, bytes]
"""A source, its facts, and these encoded; empty if they are not."""


def in_processes(sources: Sequence[Source], workers: int, meanwhile: Callable[[], None] | None) -> Iterator[list[Read]]:
    """The facts of all sources, some at a time, in any order. `meanwhile`: done once while the others read."""
    ordered = sorted(sources, key=lambda one: -len(one.content))
    count = max(workers * 4, len(ordered) // _CHUNK)
    chunks = [ordered[start::count] for start in range(count)]
    broken: list[Source] = []
    with ProcessPoolExecutor(workers, mp_context=_context()) as pool:
        futures: list[tuple[Future[list[bytes]], list[Source]]] = [
            (pool.submit(_extracted, chunk), chunk) for chunk in chunks if chunk
        ]
        if meanwhile is not None:
            meanwhile()
        for future, chunk in futures:
            try:
                results = future.result()
            except BrokenProcessPool:
                broken.extend(chunk)
                continue
            yield [(source, _decoder.decode(encoded), encoded) for source, encoded in zip(chunk, results, strict=True)]
    for source in broken:
        yield [(source, _alone(source), b"")]


def _extracted(sources: list[Source]) -> list[bytes]:
    return [
        _encoder.encode(extract(one.content, one.module.name, one.module.file, is_package=one.module.is_package))
        for one in sources
    ]


def _alone(source: Source) -> ModuleFacts:
    """One file in a process of its own: if that dies or hangs, the file is at fault."""
    module = source.module
    pool = ProcessPoolExecutor(1, mp_context=_context())
    try:
        return _decoder.decode(pool.submit(_extracted, [source]).result(timeout=_PATIENCE)[0])
    except BrokenProcessPool:
        reason = "makes the parser crash"
    except TimeoutError:
        reason = f"takes the parser more than {_PATIENCE:.0f} s"
    finally:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
    return ModuleFacts(module.name, module.file, module.is_package, fault=reason, fault_line=1)


def _context() -> multiprocessing.context.BaseContext:
    can_fork = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if can_fork else "spawn")
