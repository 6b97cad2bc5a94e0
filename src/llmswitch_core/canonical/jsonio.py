"""JSON at the border: msgspec first, the standard library for what msgspec refuses (lone surrogates).

Nesting is bounded before anything recurses: depth is an argument of `decode`.
"""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from llmswitch_core.canonical.model import JsonValue

MAX_DEPTH: Final = 256
"""Levels of objects and arrays a request may have."""

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
    if _may_be_deep(data, max_depth):
        _check_depth(data, max_depth)
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as first:
        try:
            tree = json.loads(data, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise TooDeepError("The JSON is nested too deeply.") from error
        except (ValueError, UnicodeDecodeError):
            raise ValueError(str(first)) from first
        return _clean(tree)


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


def _may_be_deep(data: bytes, limit: int) -> bool:
    return data.count(b"[") + data.count(b"{") > limit


_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]+|[\]}]+', re.DOTALL)


def _check_depth(data: bytes, limit: int) -> None:
    depth = 0
    for match in _STRUCTURE.finditer(data):
        head = data[match.start()]
        if head in b"[{":
            depth += match.end() - match.start()
            if depth > limit:
                raise TooDeepError(f"The JSON is nested more than {limit} levels deep.")
        elif head in b"]}":
            depth -= match.end() - match.start()


def _clean(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
