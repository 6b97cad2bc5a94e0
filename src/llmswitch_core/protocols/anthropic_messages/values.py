"""Tolerant reading of single JSON members: what real clients send, or a 400 that names the path.

It knows JSON types and nothing of what a member means.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import CacheControl, JsonValue


def obj(value: JsonValue, path: str) -> dict[str, JsonValue]:
    """A JSON object; null counts as an empty one."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise invalid(f"{path} must be an object, not {_kind(value)}.", param=path)


def array(value: JsonValue, path: str) -> list[JsonValue]:
    """A JSON array; null counts as an empty one."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise invalid(f"{path} must be an array, not {_kind(value)}.", param=path)


def string(value: JsonValue, path: str) -> str | None:
    """A string, or None for null. Numbers and booleans are refused: an id 7 is not the id "7"."""
    if value is None or isinstance(value, str):
        return value
    raise invalid(f"{path} must be a string, not {_kind(value)}.", param=path)


def required_string(members: Mapping[str, JsonValue], name: str, path: str) -> str:
    """A non-empty string member."""
    value = string(members.get(name), f"{path}{name}")
    if not value:
        raise invalid(f"{path}{name} is required.", param=f"{path}{name}")
    return value


def integer(value: JsonValue, path: str) -> int | None:
    """An integer, also spelled as an integral float or a numeric string."""
    number_value = number(value, path)
    if number_value is None:
        return None
    if number_value != int(number_value):
        raise invalid(f"{path} must be an integer.", param=path)
    return int(number_value)


def number(value: JsonValue, path: str) -> float | None:
    """A finite number, also spelled as a string."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise invalid(f"{path} must be a number.", param=path) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{path} must be a number, not {_kind(value)}.", param=path)
    if value != value or value in (float("inf"), float("-inf")):
        raise invalid(f"{path} must be a finite number.", param=path)
    return value


def boolean(value: JsonValue, path: str) -> bool | None:
    """A boolean, also spelled as "true" or "false"."""
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise invalid(f"{path} must be a boolean, not {_kind(value)}.", param=path)


def count(value: JsonValue) -> int:
    """A token count an upstream reports: anything that is no non-negative number counts as 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value < 0:
        return 0
    return 0 if value == float("inf") else int(value)


def cache_control(value: JsonValue, path: str) -> CacheControl | None:
    """A `cache_control` member."""
    if value is None:
        return None
    members = obj(value, path)
    return CacheControl(
        type=string(members.get("type"), f"{path}.type") or "ephemeral",
        ttl=string(members.get("ttl"), f"{path}.ttl"),
    )


def cache_wire(cache: CacheControl) -> dict[str, JsonValue]:
    """The wire form of a breakpoint."""
    return {"type": cache.type} if cache.ttl is None else {"type": cache.type, "ttl": cache.ttl}


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return "a string" if isinstance(value, str) else "a number" if value is not None else "null"
