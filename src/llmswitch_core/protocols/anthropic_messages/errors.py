"""Failures, both ways: the error envelope and its types and statuses (platform.claude.com: "Errors").

An upstream's failure is judged by status, error type and code, never by the words of its message. Bodies of other
shapes are read too: plenty of servers that speak Messages answer errors in OpenAI's envelope, as text or as HTML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import DEFAULT_STATUS, ErrorKind, GatewayError, Layer, kind_of_status
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.contract import ErrorReply
from llmswitch_core.protocols.retry_after import retry_after

_TYPES: Final[dict[ErrorKind, str]] = {
    ErrorKind.INVALID_REQUEST: "invalid_request_error",
    ErrorKind.AUTHENTICATION: "authentication_error",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.BILLING: "billing_error",
    ErrorKind.NOT_FOUND: "not_found_error",
    ErrorKind.CONFLICT: "conflict_error",
    ErrorKind.TOO_LARGE: "request_too_large",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.OVERLOADED: "overloaded_error",
    ErrorKind.UPSTREAM: "api_error",
    ErrorKind.INTERNAL: "api_error",
    ErrorKind.CANCELLED: "api_error",
}

_KINDS: Final[dict[str, ErrorKind]] = {
    **{wire: kind for kind, wire in _TYPES.items() if wire != "api_error"},
    "api_error": ErrorKind.UPSTREAM,
    "gateway_timeout_error": ErrorKind.TIMEOUT,
    # OpenAI's words, in the mouths of compatible servers.
    "insufficient_quota": ErrorKind.BILLING,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "context_length_exceeded": ErrorKind.INVALID_REQUEST,
    "server_error": ErrorKind.UPSTREAM,
}
"""Error type (or code) -> kind."""

_LOOSE: Final = frozenset({400, 409, 422})
"""Client-fault statuses that a server may use for several kinds; the others say theirs themselves."""
_NOT_A_400: Final = frozenset({ErrorKind.RATE_LIMIT, ErrorKind.OVERLOADED, ErrorKind.UPSTREAM, ErrorKind.TIMEOUT})
"""Kinds that a 400 is never taken for, whatever its type says: they would be retried, and it would fail again."""

_STATUS_OF: Final[dict[ErrorKind, int]] = {**DEFAULT_STATUS, ErrorKind.OVERLOADED: 529}


def write_error(error: GatewayError, request_id: str) -> ErrorReply:
    """The envelope, and the status this protocol uses (an overloaded upstream is 529, not 503)."""
    headers = {"request-id": request_id}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(0, math.ceil(error.retry_after)))
    return ErrorReply(status_of(error), jsonio.encode({**envelope(error), "request_id": request_id}), headers)


def status_of(error: GatewayError) -> int:
    """The HTTP status for an error."""
    if error.kind is ErrorKind.OVERLOADED and error.status in (503, 529):
        return 529
    return error.status if 400 <= error.status <= 599 else _STATUS_OF[error.kind]


def envelope(error: GatewayError) -> dict[str, JsonValue]:
    """`{"type": "error", "error": …}`. The code goes where the vendor's SDKs look for it, `details.error_code`."""
    details = {"error_code": error.code}
    if error.param is not None:
        details["param"] = error.param
    return {"type": "error", "error": {"type": _TYPES[error.kind], "message": error.text, "details": details}}


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream's HTTP failure."""
    try:
        tree = jsonio.decode(body) if body.strip() else None
    except ValueError:
        tree = None
    error = _failure(tree, status, _excerpt(body) if tree is None else "")
    error.retry_after = retry_after(headers)
    error.vendor_body = body
    return error


def failure_in(tree: JsonValue) -> GatewayError | None:
    """The error in a stream event or a 200 body; None where there is none (MP-16)."""
    if not isinstance(tree, dict):
        return None
    if tree.get("type") == "error" or (tree.get("error") and "content" not in tree):
        return _failure(tree, None, "")
    return None


def bad_frame(what: str) -> GatewayError:
    """The upstream sent something that is no event of this protocol."""
    return GatewayError(
        ErrorKind.UPSTREAM,
        "bad_frame",
        f"The upstream's answer cannot be read: {what}.",
        next_step="Retry the request.",
        layer=Layer.UPSTREAM,
    )


def truncated() -> GatewayError:
    """The upstream's stream ended before its answer did."""
    return GatewayError(
        ErrorKind.UPSTREAM,
        "truncated_stream",
        "The upstream's answer ended before it was complete.",
        next_step="Retry the request.",
        layer=Layer.UPSTREAM,
    )


def _failure(tree: JsonValue, status: int | None, excerpt: str) -> GatewayError:
    inner = tree.get("error") if isinstance(tree, dict) else None
    members = inner if isinstance(inner, dict) else tree if isinstance(tree, dict) else {}
    vendor_type = _word(members.get("type"))
    vendor_code = _code(members)
    message = inner if isinstance(inner, str) else _word(members.get("message")) or _word(members.get("detail"))
    kind = _kind(status, vendor_type, vendor_code)
    return GatewayError(
        kind,
        vendor_code or vendor_type or f"upstream_{kind.value}",
        message or excerpt or "The upstream failed without saying why.",
        status=_STATUS_OF[kind] if status is None else status,
        param=_word(members.get("param")),
        layer=Layer.UPSTREAM,
        vendor_type=vendor_type,
        vendor_code=vendor_code,
        vendor_body=None if status is not None else jsonio.encode(tree),
    )


def _kind(status: int | None, vendor_type: str | None, vendor_code: str | None) -> ErrorKind:
    said = _KINDS.get(vendor_code or "") or _KINDS.get(vendor_type or "")
    if status is None:
        return said or ErrorKind.UPSTREAM
    if status in _LOOSE:
        return said if said is not None and said not in _NOT_A_400 else kind_of_status(status)
    if 400 <= status < 500:
        return kind_of_status(status)
    if status in (503, 504, 529):
        return kind_of_status(status)
    return said if said in (ErrorKind.OVERLOADED, ErrorKind.TIMEOUT, ErrorKind.RATE_LIMIT) else kind_of_status(status)


def _code(members: Mapping[str, JsonValue]) -> str | None:
    details = members.get("details")
    inner = details.get("error_code") if isinstance(details, dict) else None
    return _word(inner) or _word(members.get("code"))


def _word(value: JsonValue) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _excerpt(body: bytes) -> str:
    return " ".join(body[:400].decode("utf-8", "replace").split())
