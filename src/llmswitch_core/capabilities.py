"""What this version of the shared module can do: asked once by the host before it trusts it with requests.

A version number and names only. A host and a shared module of different releases find out here, at start, and not in
the middle of a request.
"""

from __future__ import annotations

from typing import Final

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.compat import BUILT_IN
from llmswitch_core.protocols.registry import CODECS

API: Final = 1
"""Rises when a function or type the host uses changes its meaning."""

SEAMS: Final = frozenset({"admit", "plan", "respond", "recover", "failure"})
"""Operations of the Hub Pipeline a host may call."""


class Capabilities(msgspec.Struct, frozen=True):
    """One release's abilities."""

    api: int
    protocols: frozenset[str]
    """Wire protocols it reads and writes."""
    profiles: frozenset[str]
    """Built-in compat profiles."""
    seams: frozenset[str]


def capabilities() -> Capabilities:
    """Of this release."""
    return Capabilities(API, frozenset(protocol.value for protocol in CODECS), frozenset(BUILT_IN), SEAMS)


def missing(found: Capabilities, api: int, protocols: frozenset[str] = frozenset(Protocol)) -> str:
    """Why a host written for `api` and these protocols cannot use it; empty if it can."""
    if found.api != api:
        return f"The host needs llmswitch_core API {api}, and this is {found.api}: install both from one release."
    absent = sorted(protocols - found.protocols)
    if absent:
        return f"llmswitch_core lacks {', '.join(absent)}: install the host and the shared module from one release."
    return ""
