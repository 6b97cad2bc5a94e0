"""Editing a request of the same protocol without touching what is not edited (architecture.md §4, "Bytes survive").

The body is held as its top-level members in raw bytes; an edit replaces whole members, everything else keeps its
bytes, its number spelling and its escapes. Where msgspec refuses the body (a lone surrogate) the standard library
finds the members' ends, so that these bytes are kept too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import JsonValue

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Removed:
    __slots__ = ()


REMOVED: Final = _Removed()
"""Edit value that takes a member out."""


def members_of(body: bytes) -> dict[str, msgspec.Raw] | None:
    """Top-level members as bytes; None where nobody can tell them apart."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return _MEMBERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return _found_by_scanning(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None


def _found_by_scanning(text: str) -> dict[str, msgspec.Raw]:
    """The members of an object that is known to be JSON. Raises ValueError where it is no object after all."""
    scan, blank = json.JSONDecoder().raw_decode, _BLANK.match
    members: dict[str, msgspec.Raw] = {}
    at = _end(blank(text, 0))
    if text[at : at + 1] != "{":
        raise ValueError("no object")
    at = _end(blank(text, at + 1))
    while text[at : at + 1] != "}":
        name, at = scan(text, at)
        at = _end(blank(text, _end(blank(text, at)) + 1))  # over the colon
        start = at
        _, at = scan(text, at)
        members[name] = msgspec.Raw(text[start:at].encode("utf-8", "surrogatepass"))
        at = _end(blank(text, at))
        if text[at : at + 1] == ",":
            at = _end(blank(text, at + 1))
    return members


def _end(found: re.Match[str] | None) -> int:
    return found.end() if found is not None else 0


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
