"""The vendors' error shapes: what an error of a status looks like on each wire.

Knows the shapes only. Sources: the errors documented by the vendors and parsed by their SDKs
(anthropic.types.shared.error_type, openai error bodies, google.rpc.Status).
"""

from __future__ import annotations

from typing import Any

# status -> type
ANTHROPIC_TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# status -> (type, code)
OPENAI_TYPES: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    405: ("invalid_request_error", "method_not_supported"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    502: ("server_error", None),
    503: ("server_error", "server_is_overloaded"),
    504: ("server_error", None),
    529: ("server_error", "server_is_overloaded"),
}
GOOGLE_STATUS: dict[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}


def anthropic(status: int, message: str, type_: str | None, request_id: str | None) -> dict[str, Any]:
    """`{"type":"error","error":{type,message},"request_id"}`; mid-stream without the request id."""
    body: dict[str, Any] = {
        "type": "error",
        "error": {
            "details": None,
            "type": type_ or ANTHROPIC_TYPES.get(status, "api_error"),
            "message": message,
        },
    }
    if request_id:
        body["request_id"] = request_id
    return body


def openai(status: int, message: str, type_: str | None, code: str | None, param: str | None = None) -> dict[str, Any]:
    """`{"error":{message,type,param,code}}`."""
    default_type, default_code = OPENAI_TYPES.get(status, ("server_error", None))
    return {
        "error": {
            "message": message,
            "type": type_ or default_type,
            "param": param,
            "code": code or default_code,
        }
    }


def google(status: int, message: str, type_: str | None, retry_after: str | None = None) -> dict[str, Any]:
    """google.rpc.Status; a 429 with a delay carries RetryInfo, as the vendor's does."""
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "status": type_ or GOOGLE_STATUS.get(status, "UNKNOWN"),
    }
    if retry_after is not None:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after}s"}]
    return {"error": error}


def body_for(
    protocol: str,
    status: int,
    message: str,
    *,
    type_: str | None = None,
    code: str | None = None,
    param: str | None = None,
    request_id: str | None = None,
    retry_after: str | None = None,
) -> dict[str, Any]:
    """The error body of a protocol (`anthropic-messages`, `gemini`, else OpenAI's)."""
    if protocol == "anthropic-messages":
        return anthropic(status, message, type_, request_id)
    if protocol == "gemini":
        return google(status, message, type_, retry_after)
    return openai(status, message, type_, code, param)
