"""Tolerant reading of single members: what may be missing, null or a number in a string, and what is a 400.

It knows JSON values and paths for error messages, nothing of what the members mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmswitch_core.canonical.errors import GatewayError, invalid
from llmswitch_core.canonical.model import JsonValue


def wrong_type(path: str, expected: str, value: JsonValue) -> GatewayError:
    """A 400 that says what was expected at `path`."""
    got = _KINDS.get(type(value), type(value).__name__)
    return invalid(
        f"Invalid type for '{path}': expected {expected}, but got {got} instead.", param=path, code="invalid_type"
    )


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    float: "a decimal",
    bool: "a boolean",
    type(None): "null",
}


def as_object(value: JsonValue, path: str) -> dict[str, Any]:
    """`value` as an object; anything else is a 400."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    return value


def as_list(value: JsonValue, path: str) -> list[Any]:
    """`value` as an array; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong_type(path, "an array", value)
    return value


def as_text(value: JsonValue, path: str) -> str:
    """`value` as text; null is empty text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    return value


def text_at(body: Mapping[str, JsonValue], key: str, path: str | None = None) -> str | None:
    """The string member `key`, None when missing, null or empty."""
    value = body.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise wrong_type(path or key, "a string", value)
    return value


def bool_at(body: Mapping[str, JsonValue], key: str) -> bool | None:
    """The boolean member `key`; `"true"` and `"false"` count."""
    value = body.get(key)
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise wrong_type(key, "a boolean", value)


def int_at(body: Mapping[str, JsonValue], key: str) -> int | None:
    """The integer member `key`; whole decimals and numbers in strings count."""
    value = float_at(body, key)
    if value is None:
        return None
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise wrong_type(key, "an integer", body[key])
    return int(value)


def float_at(body: Mapping[str, JsonValue], key: str) -> float | None:
    """The number member `key`; numbers in strings count."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong_type(key, "a number", value)
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except ValueError:
        raise wrong_type(key, "a number", value) from None


def object_at(body: Mapping[str, JsonValue], key: str) -> dict[str, Any] | None:
    """The object member `key`, None when missing or null."""
    value = body.get(key)
    return None if value is None else as_object(value, key)


def count(value: JsonValue) -> int:
    """A token count as an upstream gave it: never negative, 0 for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return max(int(value), 0) if value == value and abs(value) < 1e15 else 0
