"""Errors, both ways: HTTP envelopes, `error` events and the error inside `response.failed`.

Kinds come from status, type and code, never from the words of a message. The codes of stream errors are those Codex
tells apart (`context_length_exceeded`, `insufficient_quota`, `rate_limit_exceeded`, `server_is_overloaded`,
`invalid_prompt`); it reads the delay of a rate limit out of the message, so the message says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import DEFAULT_STATUS, ErrorKind, GatewayError, Layer, kind_of_status
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.contract import ErrorReply
from llmswitch_core.protocols.retry_after import retry_after

_KIND_OF_CODE: Final[Mapping[str, ErrorKind]] = {
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "too_many_requests": ErrorKind.RATE_LIMIT,
    "insufficient_quota": ErrorKind.BILLING,
    "billing_hard_limit_reached": ErrorKind.BILLING,
    "usage_limit_reached": ErrorKind.BILLING,
    "usage_not_included": ErrorKind.BILLING,
    "server_is_overloaded": ErrorKind.OVERLOADED,
    "slow_down": ErrorKind.OVERLOADED,
    "overloaded_error": ErrorKind.OVERLOADED,
    "service_unavailable_error": ErrorKind.OVERLOADED,
    "context_length_exceeded": ErrorKind.INVALID_REQUEST,
    "invalid_prompt": ErrorKind.INVALID_REQUEST,
    "invalid_request_error": ErrorKind.INVALID_REQUEST,
    "invalid_api_key": ErrorKind.AUTHENTICATION,
    "authentication_error": ErrorKind.AUTHENTICATION,
    "permission_error": ErrorKind.PERMISSION,
    "model_not_found": ErrorKind.NOT_FOUND,
    "not_found_error": ErrorKind.NOT_FOUND,
    "previous_response_not_found": ErrorKind.NOT_FOUND,
    "server_error": ErrorKind.UPSTREAM,
}
"""What a code or type means where no HTTP status tells (errors inside streams)."""

_REFINES: Final[Mapping[tuple[int, str], ErrorKind]] = {
    (429, "insufficient_quota"): ErrorKind.BILLING,
    (429, "billing_hard_limit_reached"): ErrorKind.BILLING,
    (429, "usage_limit_reached"): ErrorKind.BILLING,
    (429, "usage_not_included"): ErrorKind.BILLING,
    (429, "slow_down"): ErrorKind.OVERLOADED,
    (429, "server_is_overloaded"): ErrorKind.OVERLOADED,
    (500, "server_is_overloaded"): ErrorKind.OVERLOADED,
    (502, "server_is_overloaded"): ErrorKind.OVERLOADED,
    (400, "invalid_api_key"): ErrorKind.AUTHENTICATION,
    (400, "model_not_found"): ErrorKind.NOT_FOUND,
}
"""Where a code says more than the status. A status is never turned into another class of failure than it can be."""

_TYPES: Final[Mapping[ErrorKind, tuple[str, str | None]]] = {
    ErrorKind.INVALID_REQUEST: ("invalid_request_error", None),
    ErrorKind.AUTHENTICATION: ("authentication_error", "invalid_api_key"),
    ErrorKind.PERMISSION: ("permission_error", None),
    ErrorKind.BILLING: ("insufficient_quota", "insufficient_quota"),
    ErrorKind.NOT_FOUND: ("invalid_request_error", None),
    ErrorKind.CONFLICT: ("invalid_request_error", None),
    ErrorKind.TOO_LARGE: ("invalid_request_error", None),
    ErrorKind.RATE_LIMIT: ("rate_limit_error", "rate_limit_exceeded"),
    ErrorKind.TIMEOUT: ("timeout_error", "timeout"),
    ErrorKind.OVERLOADED: ("service_unavailable_error", "server_is_overloaded"),
    ErrorKind.UPSTREAM: ("server_error", "server_error"),
    ErrorKind.INTERNAL: ("server_error", "server_error"),
    ErrorKind.CANCELLED: ("invalid_request_error", "request_cancelled"),
}
"""Kind -> wire type and, where the vendor has one, its code."""

_STREAM_CODES: Final[Mapping[ErrorKind, str]] = {
    ErrorKind.INVALID_REQUEST: "invalid_prompt",
    ErrorKind.TOO_LARGE: "invalid_prompt",
    ErrorKind.BILLING: "insufficient_quota",
    ErrorKind.RATE_LIMIT: "rate_limit_exceeded",
    ErrorKind.OVERLOADED: "server_is_overloaded",
}
"""Codes inside `response.failed`; every other kind is `server_error`, which clients retry."""

_OWN_CODES: Final = frozenset({"context_length_exceeded", "insufficient_quota", "usage_not_included", "cyber_policy"})


def write_error(error: GatewayError, request_id: str) -> ErrorReply:
    """The HTTP answer: envelope, status, `retry-after` and request id."""
    headers = {"x-request-id": request_id} if request_id else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(0, -(-int(error.retry_after * 1000) // 1000)))
    status = error.status if 400 <= error.status <= 599 else DEFAULT_STATUS[error.kind]
    return ErrorReply(503 if status == 529 else status, jsonio.encode({"error": error_object(error)}), headers)


def error_object(error: GatewayError) -> dict[str, Any]:
    """The `error` member of an envelope: message, type, param, code."""
    kind, code = _TYPES[error.kind]
    return {"message": error.text, "type": kind, "param": error.param, "code": _code(error, code)}


def _code(error: GatewayError, ours: str | None) -> str | None:
    """The upstream's code if this wire knows it, else the vendor's for the kind; its own for a gateway error."""
    if error.vendor_code is not None and (error.vendor_code in _KIND_OF_CODE or ours is None):
        return error.vendor_code
    return ours if error.layer is Layer.UPSTREAM and ours is not None else error.code


def stream_error(error: GatewayError) -> dict[str, Any]:
    """`response.error` of a failed response: code, message."""
    code = next((c for c in (error.vendor_code, error.code) if c in _OWN_CODES), None)
    message = error.text
    if code is None:
        code = _STREAM_CODES.get(error.kind, "server_error")
        if code == "rate_limit_exceeded" and error.retry_after is not None and "try again in" not in message.lower():
            message = f"{message} Please try again in {error.retry_after:g}s."
    return {"code": code, "message": message}


# --- reading -------------------------------------------------------------------------------------------------


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream's HTTP failure."""
    try:
        tree: JsonValue = jsonio.decode(body) if body.strip() else None
    except ValueError:
        tree = None
    error = error_of(tree, status)
    if error is None:
        text = body[:500].decode("utf-8", "replace").strip() if tree is None else ""
        message = f"The upstream answered with status {status}" + (f": {text}" if text else ".")
        error = GatewayError(kind_of_status(status), "upstream_error", message, status=status, layer=Layer.UPSTREAM)
    error.retry_after = retry_after(headers)
    error.vendor_body = body
    return error


def error_of(tree: JsonValue, status: int | None) -> GatewayError | None:
    """The error a decoded body or event holds; None if it is none. `status` None: the wire told no HTTP status."""
    if not isinstance(tree, dict):
        return None
    inner = tree.get("error")
    if isinstance(inner, str) and inner:
        inner = {"message": inner}
    if not isinstance(inner, dict):
        inner = _bare(tree)
        if inner is None:
            return None
    code, kind_word, param = inner.get("code"), inner.get("type"), inner.get("param")
    message = inner.get("message")
    words = [str(word) for word in (code, kind_word) if isinstance(word, str | int) and word not in ("", "error")]
    if status is None:
        told = inner.get("status", tree.get("status"))
        if not isinstance(told, int) and isinstance(code, int):
            told = code
        status = told if isinstance(told, int) and 400 <= told <= 599 else None
    kind = _kind(status, words)
    return GatewayError(
        kind,
        "upstream_error",
        message if isinstance(message, str) and message else "The upstream reported an error without a message.",
        status=status,
        param=param if isinstance(param, str) else None,
        layer=Layer.UPSTREAM,
        vendor_type=kind_word if isinstance(kind_word, str) else None,
        vendor_code=code if isinstance(code, str) and code else None,
    )


def _bare(tree: Mapping[str, JsonValue]) -> dict[str, Any] | None:
    """Envelopes without `error`: the `error` event of this wire, {"detail": …}, {"message": …}."""
    if tree.get("type") == "error":
        return dict(tree)
    detail = tree.get("detail")
    if isinstance(detail, str) and detail:
        return {"message": detail}
    if isinstance(detail, list | dict) and detail:
        return {"message": jsonio.encode(detail).decode()}
    if isinstance(tree.get("message"), str) and "output" not in tree:
        return dict(tree)
    return None


def _kind(status: int | None, words: list[str]) -> ErrorKind:
    if status is None:
        return next((_KIND_OF_CODE[word] for word in words if word in _KIND_OF_CODE), ErrorKind.UPSTREAM)
    for word in words:
        refined = _REFINES.get((status, word))
        if refined is not None:
            return refined
    return kind_of_status(status)
