"""`failure` rules: errors that hide in a 200 answer, found by a path and a predicate, never by words of a message.

[[failure]]
path = "code"                 # where to look; the rule fits if
not_equals = [200, "200"]     # present (default) | equals | not_equals hold of what stands there
kind = "upstream"             # or by vendor code:
kinds = { "1302" = "rate_limit" }
message = "msg"               # paths to what the vendor says
code = "code"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, kind_of_status
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat.conditions import When, same
from llmswitch_core.compat.paths import MISSING, Path

Finder: TypeAlias = Callable[[Mapping[str, JsonValue]], GatewayError | None]

_LONGEST_MESSAGE: Final = 2_000


class FailureRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shape of a hidden error. Where `kinds` has no row for the code, a code that is an HTTP error status tells the
    kind, and any other leaves it at `kind`."""

    path: str
    equals: Any = MISSING
    not_equals: Any = MISSING
    kind: ErrorKind = ErrorKind.UPSTREAM
    kinds: dict[str, ErrorKind] = {}
    message: str | None = None
    code: str | None = None
    retry_after: str | None = None
    when: When | None = None


def build(rule: FailureRule) -> Finder:
    """Raises ValueError for a bad path."""
    path = Path(rule.path)
    fits = _predicate(rule)
    message, code, retry = (Path(text) if text else None for text in (rule.message, rule.code, rule.retry_after))

    def find(tree: Mapping[str, JsonValue]) -> GatewayError | None:
        if not any(fits(value) for value in path.values(tree)):
            return None
        vendor_code = _text(_at(code, tree))
        return GatewayError(
            _kind(rule, vendor_code),
            "error_in_200",
            _text(_at(message, tree)) or "The upstream answered 200 with an error inside.",
            retry_after=_seconds(_at(retry, tree)),
            layer=Layer.UPSTREAM,
            vendor_code=vendor_code,
        )

    return find


def _predicate(rule: FailureRule) -> Callable[[JsonValue], bool]:
    if rule.equals is not MISSING:
        wanted = rule.equals if isinstance(rule.equals, list) else [rule.equals]
        return lambda value: any(same(value, each) for each in wanted)
    if rule.not_equals is not MISSING:
        unwanted = rule.not_equals if isinstance(rule.not_equals, list) else [rule.not_equals]
        return lambda value: value is not None and not any(same(value, each) for each in unwanted)
    return lambda value: value is not None


def _kind(rule: FailureRule, code: str | None) -> ErrorKind:
    if code is None:
        return rule.kind
    if code in rule.kinds:
        return rule.kinds[code]
    return kind_of_status(int(code)) if code.isdecimal() and 400 <= int(code) <= 599 else rule.kind


def _at(path: Path | None, tree: Mapping[str, JsonValue]) -> Any:
    return MISSING if path is None else path.first(tree)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value[:_LONGEST_MESSAGE]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None
