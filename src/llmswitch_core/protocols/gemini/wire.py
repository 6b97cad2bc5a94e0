"""Small facts of the Gemini wire: key spelling, request paths, model generations, role and token words.

Knows how Google spells things (protobuf JSON: camelCase out, camelCase or snake_case in). Knows nothing of the
canonical model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import JsonValue

GENERATE: Final = "generateContent"
STREAM: Final = "streamGenerateContent"
COUNT: Final = "countTokens"

SKIP_SIGNATURE: Final = "skip_thought_signature_validator"
"""Documented value for function calls that Gemini did not make itself (ai.google.dev, thought signatures, FAQ);
it is what Gemini CLI sends. `context_engineering_is_the_way_to_go` is its documented synonym."""

INVENTED: Final = "rcg_"
"""Prefix of call ids this gateway made up for calls that came without one; such ids never go to a G wire."""


def camel(name: str) -> str:
    """`thinking_budget` -> `thinkingBudget`; the identity for names without an underscore inside."""
    if "_" not in name:
        return name
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def camel_keys(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The members of one object under their camelCase names (this level only); camelCase wins over snake_case."""
    out: dict[str, JsonValue] = {}
    for key, member in value.items():
        name = camel(key)
        if name == key or name not in value:
            out[name] = member
    return out


def members(value: JsonValue, path: str) -> dict[str, JsonValue]:
    """`value` as an object with camelCase keys. Raises invalid_request naming `path` for anything else."""
    if not isinstance(value, dict):
        raise invalid(f"`{path}` must be an object.", param=path)
    return camel_keys(value)


def text_of(value: JsonValue, path: str) -> str | None:
    """A string member or None. Raises invalid_request for another type."""
    if value is None or isinstance(value, str):
        return value
    raise invalid(f"`{path}` must be a string.", param=path)


def integer(value: JsonValue, path: str) -> int | None:
    """A whole number, also written as `64.0` or `"64"` (protobuf JSON writes int64 as strings)."""
    number = decimal(value, path)
    if number is None:
        return None
    if number != int(number):
        raise invalid(f"`{path}` must be a whole number.", param=path)
    return int(number)


def decimal(value: JsonValue, path: str) -> float | None:
    """A finite number, also written as a string; None for null. Ints stay ints."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value) if any(c in value for c in ".eEnN") else int(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e300:
        raise invalid(f"`{path}` must be a number.", param=path)
    return value


def flag(value: JsonValue, path: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise invalid(f"`{path}` must be true or false.", param=path)


def count(value: Any) -> int:
    """A token counter of an answer: tolerant, never negative, 0 for what is no number."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return max(int(value), 0) if abs(value) < 1e18 else 0


class Address(msgspec.Struct, frozen=True):
    """What a request path says: the model name (decoded) and the operation after the last colon."""

    model: str
    operation: str


def address(path: str) -> Address:
    """`…/models/{model}:{operation}` for the public API, Vertex and Vertex express; tuned models keep their prefix.

    Model names may contain slashes and percent escapes. Raises invalid_request for any other path.
    """
    resource, _, operation = unquote(path).rpartition(":")
    _, found, model = resource.partition("/models/")
    if not found:
        _, found, model = resource.partition("/tunedModels/")
        model = f"tunedModels/{model}"
    if not found or not model.removeprefix("tunedModels/") or not operation:
        raise invalid(
            f"The path {path} names no model and operation.",
            param="path",
            next_step="Use /v1beta/models/{model}:generateContent.",
        )
    return Address(model, operation)


def resource_path(model: str, operation: str) -> str:
    """Path of an operation relative to the API root (`…/v1beta`, or `…/publishers/google` on Vertex)."""
    name = model if model.startswith(("models/", "tunedModels/", "publishers/", "projects/")) else f"models/{model}"
    return f"/{quote(name, safe='/@:+,~')}:{operation}"


_GENERATION: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")


def generation(model: str) -> tuple[int, int] | None:
    """(3, 1) for `gemini-3.1-pro-preview`; the newest known for `gemini-flash-latest`; None for other models."""
    found = _GENERATION.search(model)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return (3, 0) if model.rpartition("/")[2].startswith("gemini-") and model.endswith("-latest") else None
