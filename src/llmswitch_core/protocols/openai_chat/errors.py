"""Failures, both directions: OpenAI's error envelope and what its relatives make of it.

The kind comes from the status, then from a code or type that says more; never from words of a message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import DEFAULT_STATUS, ErrorKind, GatewayError, Layer, kind_of_status
from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.contract import ErrorReply
from llmswitch_core.protocols.retry_after import retry_after

_KIND_OF_CODE: Final[dict[str, ErrorKind]] = {
    "context_length_exceeded": ErrorKind.INVALID_REQUEST,
    "content_policy_violation": ErrorKind.INVALID_REQUEST,
    "content_filter": ErrorKind.INVALID_REQUEST,
    "invalid_api_key": ErrorKind.AUTHENTICATION,
    "invalid_authentication": ErrorKind.AUTHENTICATION,
    "incorrect_api_key": ErrorKind.AUTHENTICATION,
    "authentication_error": ErrorKind.AUTHENTICATION,
    "permission_denied": ErrorKind.PERMISSION,
    "permission_error": ErrorKind.PERMISSION,
    "access_denied": ErrorKind.PERMISSION,
    "insufficient_quota": ErrorKind.BILLING,
    "exceeded_current_quota_error": ErrorKind.BILLING,
    "billing_hard_limit_reached": ErrorKind.BILLING,
    "billing_not_active": ErrorKind.BILLING,
    "insufficient_balance": ErrorKind.BILLING,
    "arrearage": ErrorKind.BILLING,
    "model_not_found": ErrorKind.NOT_FOUND,
    "not_found_error": ErrorKind.NOT_FOUND,
    "resource_not_found_error": ErrorKind.NOT_FOUND,
    "request_too_large": ErrorKind.TOO_LARGE,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "rate_limit_reached_error": ErrorKind.RATE_LIMIT,
    "too_many_requests": ErrorKind.RATE_LIMIT,
    "overloaded": ErrorKind.OVERLOADED,
    "overloaded_error": ErrorKind.OVERLOADED,
    "server_overloaded": ErrorKind.OVERLOADED,
    "server_is_overloaded": ErrorKind.OVERLOADED,
    "engine_overloaded": ErrorKind.OVERLOADED,
    "engine_overloaded_error": ErrorKind.OVERLOADED,
    "service_unavailable": ErrorKind.OVERLOADED,
    "slow_down": ErrorKind.OVERLOADED,
    "timeout": ErrorKind.TIMEOUT,
    "timeout_error": ErrorKind.TIMEOUT,
}
"""Codes and types that say more than a status."""

_KIND_OF_TYPE: Final[dict[str, ErrorKind]] = {
    "invalid_request_error": ErrorKind.INVALID_REQUEST,
    "badrequesterror": ErrorKind.INVALID_REQUEST,
    "bad_request": ErrorKind.INVALID_REQUEST,
    "tokens": ErrorKind.RATE_LIMIT,
    "requests": ErrorKind.RATE_LIMIT,
    "server_error": ErrorKind.UPSTREAM,
    "internal_error": ErrorKind.UPSTREAM,
    "internal_server_error": ErrorKind.UPSTREAM,
    "api_error": ErrorKind.UPSTREAM,
}
"""Types that count only where no HTTP status says it (an error inside a stream or a 200)."""

_TYPE_OF_KIND: Final[dict[ErrorKind, str]] = {
    ErrorKind.INVALID_REQUEST: "invalid_request_error",
    ErrorKind.AUTHENTICATION: "authentication_error",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.BILLING: "insufficient_quota",
    ErrorKind.NOT_FOUND: "invalid_request_error",
    ErrorKind.CONFLICT: "invalid_request_error",
    ErrorKind.TOO_LARGE: "invalid_request_error",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.OVERLOADED: "overloaded_error",
    ErrorKind.UPSTREAM: "server_error",
    ErrorKind.INTERNAL: "server_error",
    ErrorKind.CANCELLED: "request_cancelled",
}

_STATUS_HERE: Final = {529: 503}
"""Statuses this protocol spells differently."""


# --- reading -------------------------------------------------------------------------------------------


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An HTTP failure of the upstream."""
    try:
        tree = jsonio.decode(body)
    except ValueError:
        tree = None
    error = read_error_payload(tree, status)
    error.retry_after = retry_after(headers)
    error.vendor_body = body or None
    return error


def is_error(tree: JsonValue) -> bool:
    """Whether a decoded 200 body or stream payload is a failure: an `error` member, or vLLM's `object: error`."""
    if not isinstance(tree, dict):
        return False
    return bool(tree.get("error")) or (tree.get("object") == "error" and not tree.get("choices"))


def read_error_payload(tree: JsonValue, status: int | None = None) -> GatewayError:
    """The failure a decoded payload tells. `status` None: it came inside a 200, its own code or type says which."""
    box = _error_object(tree)
    code, kind_word = _word(box.get("code")), _word(box.get("type"))
    if status is None:
        status = _status_in(box)
    named = _KIND_OF_CODE.get((code or "").lower()) or _KIND_OF_CODE.get((kind_word or "").lower())
    if named is not None:
        kind = named
    elif status is not None:
        kind = kind_of_status(status)
    else:
        kind = _KIND_OF_TYPE.get((kind_word or "").lower(), ErrorKind.UPSTREAM)
    message = _message(box) or f"The upstream failed with status {status or DEFAULT_STATUS[kind]}."
    stable = code if code is not None and not code.isdecimal() else kind_word
    param = box.get("param")
    return GatewayError(
        kind,
        stable or ("upstream_error" if kind is ErrorKind.UPSTREAM else f"upstream_{kind.value}"),
        message,
        status=status,
        param=param if isinstance(param, str) else None,
        layer=Layer.UPSTREAM,
        vendor_type=kind_word,
        vendor_code=code,
    )


def _error_object(tree: JsonValue) -> dict[str, Any]:
    """The innermost object that tells the failure: `{error: {…}}`, `{error: "…"}`, `[{…}]`, or flat members."""
    if isinstance(tree, list) and tree:
        return _error_object(tree[0])
    if not isinstance(tree, dict):
        return {}
    inner = tree.get("error")
    if isinstance(inner, dict):
        return inner
    if isinstance(inner, str) and inner:
        return {**tree, "message": inner}
    return tree


def _message(box: dict[str, Any]) -> str:
    for name in ("message", "detail", "msg", "error_msg"):
        value = box.get(name)
        if isinstance(value, str) and value:
            return value
        if value and isinstance(value, dict | list):
            return jsonio.encode(value).decode()
    return ""


def _word(value: JsonValue) -> str | None:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _status_in(box: dict[str, Any]) -> int | None:
    for name in ("status", "status_code", "code"):
        value = box.get(name)
        if isinstance(value, str) and len(value) == 3 and value.isdecimal():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
            return value
    return None


def upstream_failure(code: str, message: str, next_step: str | None = None) -> GatewayError:
    """A failure this codec itself finds in what the upstream sent."""
    return GatewayError(ErrorKind.UPSTREAM, code, message, next_step=next_step, layer=Layer.UPSTREAM)


# --- writing -------------------------------------------------------------------------------------------


def write_error(error: GatewayError, request_id: str) -> ErrorReply:
    """OpenAI's envelope with the true status; `retry-after` in whole seconds, rounded up."""
    status = _STATUS_HERE.get(error.status, error.status)
    if not 400 <= status <= 599:
        status = DEFAULT_STATUS[error.kind]
    headers = {"x-request-id": request_id} if request_id else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    return ErrorReply(status, error_payload(error), headers)


def error_payload(error: GatewayError) -> bytes:
    """`{"error": {message, type, param, code}}`."""
    box = {
        "message": error.text,
        "type": _TYPE_OF_KIND[error.kind],
        "param": error.param,
        "code": error.code,
    }
    return jsonio.encode({"error": box})
