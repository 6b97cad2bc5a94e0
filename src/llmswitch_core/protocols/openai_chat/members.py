"""Tolerant access to members of decoded JSON, for the request side.

Real clients send nulls, numbers as strings and integral floats: those are taken. What cannot mean anything is a
400 that names the path. It knows nothing of what the members mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import JsonValue


def an_object(value: JsonValue, path: str) -> dict[str, Any]:
    """`value` as an object; 400 naming `path` otherwise."""
    if isinstance(value, dict):
        return value
    raise invalid(f"{path} must be an object, not {_kind(value)}.", param=path)


def a_list(value: JsonValue, path: str) -> list[Any]:
    """`value` as a list, null as an empty one; 400 naming `path` otherwise."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise invalid(f"{path} must be a list, not {_kind(value)}.", param=path)


def text_of(value: JsonValue, path: str) -> str:
    """`value` as a string that must be there and not be empty."""
    if isinstance(value, str) and value:
        return value
    raise invalid(f"{path} must be a string that is not empty, not {_kind(value)}.", param=path)


def word_of(value: JsonValue) -> str:
    """`value` where it is a string, else "": for words that select a way to read (roles, types)."""
    return value if isinstance(value, str) else ""


def optional_text(body: Mapping[str, JsonValue], name: str, path: str = "") -> str | None:
    """Member `name` as a string; None if absent, null or empty."""
    value = body.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise invalid(f"{path}{name} must be a string, not {_kind(value)}.", param=f"{path}{name}")


def optional_bool(body: Mapping[str, JsonValue], name: str, path: str = "") -> bool | None:
    """Member `name` as a boolean; the words `true` and `false` count."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise invalid(f"{path}{name} must be true or false, not {_kind(value)}.", param=f"{path}{name}")


def optional_float(body: Mapping[str, JsonValue], name: str, path: str = "") -> float | None:
    """Member `name` as a number; numbers written as strings count."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise invalid(f"{path}{name} must be a number, not {_kind(value)}.", param=f"{path}{name}")


def optional_int(body: Mapping[str, JsonValue], name: str, path: str = "") -> int | None:
    """Member `name` as a whole number; `1e5` and `"12"` count."""
    number = optional_float(body, name, path)
    if number is None:
        return None
    if abs(number) < 2**63 and number == int(number):
        return int(number)
    raise invalid(f"{path}{name} must be a whole number.", param=f"{path}{name}")


def json_text(value: JsonValue) -> str:
    """Tool arguments as JSON text: strings are such text already, anything else is encoded, null is empty."""
    if isinstance(value, str):
        return value
    return "" if value is None else jsonio.encode(value).decode()


def _kind(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "a number"
