"""JSON at the border: msgspec first, the standard library for what msgspec refuses (lone surrogates).

Nesting is bounded: both decoders stop by themselves before the stack ends, and `decode` refuses what is past its limit.
"""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from llmswitch_core.canonical.model import JsonValue

MAX_DEPTH: Final = 256
"""Levels of objects and arrays a request may have."""

_SHORT: Final = 4096
"""Bytes up to which counting brackets is cheaper than looking at the tree."""

_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class TooDeepError(ValueError):
    """Nesting past the limit."""


def decode(data: bytes | str, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Decoded JSON. Lone surrogates become U+FFFD, a leading BOM is skipped, later duplicate keys win.

    Raises ValueError for what is no JSON and TooDeepError for nesting past `max_depth`.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    try:
        tree = _DECODER.decode(data)
    except RecursionError as error:
        raise TooDeepError(_too_deep(max_depth)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as first:
        try:
            tree = _clean(json.loads(data, parse_constant=_refuse_constant))
        except RecursionError as error:
            raise TooDeepError(_too_deep(max_depth)) from error
        except (ValueError, UnicodeDecodeError):
            raise ValueError(str(first)) from first
    if len(data) > 2 * max_depth and _may_be_deep(data, max_depth) and _deeper(tree, max_depth):
        raise TooDeepError(_too_deep(max_depth))
    return tree


def encode(value: JsonValue) -> bytes:
    """Compact JSON bytes; lone surrogates become U+FFFD."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(value))


def clean_text(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON.")


def _too_deep(limit: int) -> str:
    return f"The JSON is nested more than {limit} levels deep."


def _may_be_deep(data: bytes, limit: int) -> bool:
    return len(data) > _SHORT or data.count(b"[") + data.count(b"{") > limit


def _deeper(tree: JsonValue, limit: int) -> bool:
    """True where containers nest more than `limit` levels; goes level by level, never recurses."""
    level = [tree] if isinstance(tree, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)


def _clean(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
