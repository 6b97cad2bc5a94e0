"""Editing a request of the same protocol without touching what is not edited (architecture.md §4, "Bytes survive").

The body is held as its top-level members in raw bytes; an edit replaces whole members, everything else keeps its
bytes, its number spelling and its escapes. Where msgspec refuses the body (a lone surrogate) the decoded tree serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import JsonValue

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Removed:
    __slots__ = ()


REMOVED: Final = _Removed()
"""Edit value that takes a member out."""


def members_of(body: bytes) -> dict[str, msgspec.Raw] | None:
    """Top-level members as bytes; None where only the standard library can read the body."""
    try:
        return _MEMBERS.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def edited(
    body: bytes,
    members: Mapping[str, msgspec.Raw] | None,
    tree: Mapping[str, JsonValue],
    edits: Mapping[str, JsonValue],
) -> bytes:
    """`body` with the top-level `edits` applied, in the members' order, new ones last; unchanged without edits."""
    if not edits:
        return body
    source: Mapping[str, JsonValue] = tree if members is None else members
    merged: dict[str, JsonValue] = {}
    for name, value in source.items():
        replacement = edits.get(name, value)
        if replacement is not REMOVED:
            merged[name] = replacement
    added = {name: value for name, value in edits.items() if name not in source and value is not REMOVED}
    merged.update(added)
    return jsonio.encode(merged)
