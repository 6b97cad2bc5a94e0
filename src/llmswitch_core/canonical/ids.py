"""Tool-call ids that every protocol accepts: a reversible, deterministic escape (MP-06).

Anthropic demands `^[a-zA-Z0-9_-]+$`, OpenAI at most 64 characters; vendors issue ids such as `functions.exec:0`.
A legal id is itself. An illegal one becomes `rcx_` + its characters, each illegal one and every `_` that would be
ambiguous written as `_XX` per UTF-8 byte; one that is still too long becomes `rcxh_` + a hash, which is stable but
has no inverse (the state's id map has it).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

MAX_LENGTH: Final = 64
_LEGAL: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_ESCAPED: Final = "rcx_"
_HASHED: Final = "rcxh_"
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def portable(call_id: str) -> str:
    """`call_id` as every wire accepts it; the identity for legal ids."""
    if _LEGAL.match(call_id) and not call_id.startswith(_ESCAPED):
        return call_id
    raw = call_id.encode("utf-8", "surrogatepass")
    if len(raw) <= MAX_LENGTH:
        escaped = _ESCAPED + "".join(chr(byte) if byte in _PLAIN else f"_{byte:02x}" for byte in raw)
        if len(escaped) <= MAX_LENGTH:
            return escaped
    return _HASHED + hashlib.blake2s(raw, digest_size=24).hexdigest()


def original(call_id: str) -> str:
    """Undo `portable`; the identity for every id it did not escape (hashed ones included)."""
    if not call_id.startswith(_ESCAPED):
        return call_id
    out = bytearray()
    position = len(_ESCAPED)
    while position < len(call_id):
        char = call_id[position]
        if char == "_":
            try:
                out.append(int(call_id[position + 1 : position + 3], 16))
            except ValueError:
                return call_id
            position += 3
        elif ord(char) in _PLAIN:
            out.append(ord(char))
            position += 1
        else:
            return call_id
    try:
        restored = out.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return call_id
    return restored if portable(restored) == call_id else call_id


def is_hashed(call_id: str) -> bool:
    """True for an id whose original only the state's id map knows."""
    return call_id.startswith(_HASHED)
