"""The files that facts are read from: their bytes, and the keys their facts are kept under.

A key is made of what facts depend on: content, module name, package flag, extractor and Python.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

import msgspec

from onepath.discover import Module
from onepath.facts.model import EXTRACTOR, ModuleFacts
from onepath.looking import Looked


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


def _salt() -> bytes:
    """Each Python reads another syntax, and says other things of where it stands."""
    return f"{EXTRACTOR}\0{sys.version_info.major}.{sys.version_info.minor}\0".encode()
