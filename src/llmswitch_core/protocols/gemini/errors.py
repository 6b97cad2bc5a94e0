"""google.rpc.Status, both ways: `{"error": {code, message, status, details}}` and GatewayError.

Kinds come from the HTTP status, the status word and the reason of an ErrorInfo detail, never from the message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import (
    DEFAULT_STATUS,
    ErrorKind,
    GatewayError,
    Layer,
    kind_of_status,
)
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.contract import ErrorReply

_WORDS: Final[dict[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_KINDS: Final[dict[str, tuple[ErrorKind, int]]] = {
    "INVALID_ARGUMENT": (ErrorKind.INVALID_REQUEST, 400),
    "FAILED_PRECONDITION": (ErrorKind.INVALID_REQUEST, 400),
    "OUT_OF_RANGE": (ErrorKind.INVALID_REQUEST, 400),
    "UNAUTHENTICATED": (ErrorKind.AUTHENTICATION, 401),
    "PERMISSION_DENIED": (ErrorKind.PERMISSION, 403),
    "NOT_FOUND": (ErrorKind.NOT_FOUND, 404),
    "ALREADY_EXISTS": (ErrorKind.CONFLICT, 409),
    "ABORTED": (ErrorKind.CONFLICT, 409),
    "RESOURCE_EXHAUSTED": (ErrorKind.RATE_LIMIT, 429),
    "CANCELLED": (ErrorKind.UPSTREAM, 502),
    "UNKNOWN": (ErrorKind.UPSTREAM, 500),
    "INTERNAL": (ErrorKind.UPSTREAM, 500),
    "DATA_LOSS": (ErrorKind.UPSTREAM, 500),
    "UNIMPLEMENTED": (ErrorKind.INVALID_REQUEST, 501),
    "UNAVAILABLE": (ErrorKind.OVERLOADED, 503),
    "DEADLINE_EXCEEDED": (ErrorKind.TIMEOUT, 504),
}
_REASONS: Final[dict[str, tuple[ErrorKind, int]]] = {
    "API_KEY_INVALID": (ErrorKind.AUTHENTICATION, 401),
    "API_KEY_EXPIRED": (ErrorKind.AUTHENTICATION, 401),
    "ACCESS_TOKEN_EXPIRED": (ErrorKind.AUTHENTICATION, 401),
    "CREDENTIALS_MISSING": (ErrorKind.AUTHENTICATION, 401),
    "BILLING_DISABLED": (ErrorKind.BILLING, 402),
}
"""google.rpc.ErrorInfo reasons that say more than the status (an invalid key comes as a 400)."""

_PREFIX: Final = "type.googleapis.com/google.rpc."


def write_error(error: GatewayError, request_id: str) -> ErrorReply:
    """The vendor's envelope; `code` and the HTTP status are the same number.

    `retry-after` is in whole seconds (RFC 9110 10.2.3); RetryInfo has the fraction.
    """
    status = 503 if error.status == 529 else error.status
    headers = {} if error.retry_after is None else {"retry-after": str(max(0, math.ceil(error.retry_after)))}
    return ErrorReply(status, jsonio.encode({"error": error_object(error, status, request_id)}), headers)


def error_object(error: GatewayError, status: int, request_id: str = "") -> dict[str, JsonValue]:
    """The `error` member. The upstream's own status word is kept where it is one of Google's."""
    word = _WORDS.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    if error.vendor_type in _KINDS and _KINDS[error.vendor_type][0] is error.kind:
        word = error.vendor_type
    metadata = {"requestId": request_id, "param": error.param}
    info: dict[str, JsonValue] = {
        "@type": f"{_PREFIX}ErrorInfo",
        "reason": error.code.upper(),
        "domain": "routecodex",
        "metadata": {key: value for key, value in metadata.items() if value},
    }
    details: list[JsonValue] = [info]
    if error.retry_after is not None:
        details.append({"@type": f"{_PREFIX}RetryInfo", "retryDelay": f"{_seconds(error.retry_after)}s"})
    return {"code": status, "message": error.text, "status": word, "details": details}


def _seconds(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream failure as received; any body is taken, JSON or not."""
    try:
        tree = jsonio.decode(body)
    except ValueError:
        tree = None
    error = error_of(tree, status, headers)
    error.vendor_body = body
    return error


def error_of(tree: JsonValue, status: int | None, headers: Mapping[str, str] | None = None) -> GatewayError:
    """The failure a decoded body or stream payload tells; `status` None where it came under a 200."""
    if isinstance(tree, list) and tree:
        tree = tree[0]
    found = tree.get("error") if isinstance(tree, dict) else None
    body: dict[str, Any] = found if isinstance(found, dict) else {}
    code = body.get("code")
    word = body.get("status")
    word = word if isinstance(word, str) else None
    message = body.get("message") if isinstance(body.get("message"), str) else None
    if message is None and isinstance(found, str):
        message = found
    infos = _details(body.get("details"))
    reason = infos.get("ErrorInfo", {}).get("reason")
    if status is None:
        status = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599 else None
    kind, shown = _classify(status, word, reason if isinstance(reason, str) else None)
    return GatewayError(
        kind,
        reason.lower() if isinstance(reason, str) and reason else kind.value,
        message or f"The upstream answered with status {shown} and no message.",
        status=shown,
        retry_after=_retry_after(headers or {}, infos.get("RetryInfo", {}).get("retryDelay")),
        layer=Layer.UPSTREAM,
        vendor_type=word,
        vendor_code=reason if isinstance(reason, str) else str(code) if code is not None else None,
    )


def _classify(status: int | None, word: str | None, reason: str | None) -> tuple[ErrorKind, int]:
    """Kind and status: the reason first, then the HTTP status; the word decides where that says nothing special."""
    if reason in _REASONS and status in (None, 400, 401, 403):
        return _REASONS[reason]
    by_word = _KINDS.get(word or "")
    if status is None:
        return by_word or (ErrorKind.UPSTREAM, DEFAULT_STATUS[ErrorKind.UPSTREAM])
    kind = kind_of_status(status)
    if kind is ErrorKind.CANCELLED:
        return ErrorKind.UPSTREAM, DEFAULT_STATUS[ErrorKind.UPSTREAM]
    if by_word is not None and kind in (ErrorKind.INVALID_REQUEST, ErrorKind.UPSTREAM):
        same_class = by_word[1] // 100 == status // 100
        if same_class and by_word[0] is not ErrorKind.RATE_LIMIT:
            return by_word[0], status
    return kind, status


def _details(value: JsonValue) -> dict[str, dict[str, Any]]:
    """The details by their short type name; the first of each."""
    out: dict[str, dict[str, Any]] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict) and isinstance(item.get("@type"), str):
            out.setdefault(item["@type"].rpartition(".")[2], item)
    return out


def _retry_after(headers: Mapping[str, str], delay: JsonValue) -> float | None:
    """Seconds from `retry-after-ms`, `retry-after` (seconds) or RetryInfo (`"34.5s"`); None if unknown or absurd."""
    for text, scale in (
        (headers.get("retry-after-ms"), 0.001),
        (headers.get("retry-after"), 1.0),
        (delay.removesuffix("s") if isinstance(delay, str) else None, 1.0),
    ):
        try:
            seconds = float(text) * scale if text is not None else -1.0
        except ValueError:
            continue
        if 0.0 <= seconds < 1e9:
            return seconds
    return None
