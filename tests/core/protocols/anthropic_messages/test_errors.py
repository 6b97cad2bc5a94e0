"""Errors both ways, and token counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.protocols.contract import Notes
from tests.core.protocols.anthropic_messages.builders import CODEC, conversation, read, target


@pytest.mark.parametrize(
    ("kind", "status", "wire_type"),
    [
        (ErrorKind.INVALID_REQUEST, 400, "invalid_request_error"),
        (ErrorKind.AUTHENTICATION, 401, "authentication_error"),
        (ErrorKind.BILLING, 402, "billing_error"),
        (ErrorKind.PERMISSION, 403, "permission_error"),
        (ErrorKind.NOT_FOUND, 404, "not_found_error"),
        (ErrorKind.CONFLICT, 409, "conflict_error"),
        (ErrorKind.TOO_LARGE, 413, "request_too_large"),
        (ErrorKind.RATE_LIMIT, 429, "rate_limit_error"),
        (ErrorKind.CANCELLED, 499, "api_error"),
        (ErrorKind.INTERNAL, 500, "api_error"),
        (ErrorKind.UPSTREAM, 502, "api_error"),
        (ErrorKind.OVERLOADED, 529, "overloaded_error"),
        (ErrorKind.TIMEOUT, 504, "timeout_error"),
    ],
)
def test_mp15_envelope_and_status_of_every_kind(kind: ErrorKind, status: int, wire_type: str) -> None:
    reply = CODEC.write_error(GatewayError(kind, "some_code", "It broke.", next_step="Fix it."), "req_1")
    assert reply.status == status
    assert json.loads(reply.body) == {
        "type": "error",
        "error": {"type": wire_type, "message": "It broke. Fix it.", "details": {"error_code": "some_code"}},
        "request_id": "req_1",
    }


def test_mp15_param_and_retry_after_are_kept() -> None:
    error = invalid("No.", param="messages.0")
    error.retry_after = 1.2
    reply = CODEC.write_error(error, "req_1")
    assert json.loads(reply.body)["error"]["details"]["param"] == "messages.0"
    assert reply.headers["retry-after"] == "2"


def envelope(wire_type: str, **members: Any) -> bytes:
    return json.dumps({"type": "error", "error": {"type": wire_type, "message": "why", **members}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, envelope("invalid_request_error"), ErrorKind.INVALID_REQUEST),
        (400, envelope("rate_limit_error"), ErrorKind.INVALID_REQUEST),
        (400, envelope("overloaded_error"), ErrorKind.INVALID_REQUEST),
        (400, envelope("billing_error"), ErrorKind.BILLING),
        (401, envelope("authentication_error"), ErrorKind.AUTHENTICATION),
        (403, envelope("permission_error"), ErrorKind.PERMISSION),
        (404, envelope("not_found_error"), ErrorKind.NOT_FOUND),
        (413, b"<html>too large</html>", ErrorKind.TOO_LARGE),
        (429, envelope("rate_limit_error"), ErrorKind.RATE_LIMIT),
        (429, b"", ErrorKind.RATE_LIMIT),
        (500, envelope("api_error"), ErrorKind.UPSTREAM),
        (500, envelope("overloaded_error"), ErrorKind.OVERLOADED),
        (503, b'{"error": "down"}', ErrorKind.OVERLOADED),
        (504, envelope("timeout_error"), ErrorKind.TIMEOUT),
        (529, envelope("overloaded_error"), ErrorKind.OVERLOADED),
        (502, b"\xff\x00", ErrorKind.UPSTREAM),
        (400, b'{"error": {"message": "why", "type": "x", "code": 7}}', ErrorKind.INVALID_REQUEST),
        (400, b"[]", ErrorKind.INVALID_REQUEST),
        (400, b'{"error": {"message": {"a": 1}, "details": []}}', ErrorKind.INVALID_REQUEST),
    ],
)
def test_mp15_upstream_failures_are_judged_by_status_type_and_code(status: int, body: bytes, kind: ErrorKind) -> None:
    error = CODEC.read_error(status, {}, body)
    assert (error.kind, error.status, error.layer, error.vendor_body) == (kind, status, Layer.UPSTREAM, body)
    assert error.message


def test_the_vendors_words_are_kept() -> None:
    error = CODEC.read_error(400, {}, envelope("invalid_request_error", details={"error_code": "prefill"}))
    assert (error.message, error.vendor_type, error.vendor_code, error.code) == (
        "why",
        "invalid_request_error",
        "prefill",
        "prefill",
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({}, None),
    ],
)
def test_mp15_retry_after_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert CODEC.read_error(429, headers, b"{}").retry_after == seconds


# --- counting ------------------------------------------------------------------------------------------


def test_mp29_the_counting_call_has_only_what_the_endpoint_takes() -> None:
    subject = read(stream=True, metadata={"user_id": "u"}, temperature=1, system="s", service_tier="auto")
    request = CODEC.count_request(subject, target("claude-haiku-4-5"), Notes())
    assert request is not None
    assert request.path == "/v1/messages/count_tokens"
    assert set(request.body) == {"model", "messages", "system"}
    assert request.headers["anthropic-version"] == "2023-06-01"


def test_mp29_an_upstream_without_counting_is_not_asked() -> None:
    assert CODEC.count_request(conversation(), target(count_tokens=False), Notes()) is None


def test_mp29_counts_are_read_and_written_and_estimates_flagged() -> None:
    assert CODEC.read_count({"input_tokens": 12}) == 12
    assert json.loads(CODEC.write_count(12, False)) == {"input_tokens": 12}
    assert json.loads(CODEC.write_count(12, True)) == {"input_tokens": 12, "estimated": True}


@pytest.mark.parametrize("body", [{}, {"input_tokens": None}, {"input_tokens": "12"}, {"input_tokens": -1}])
def test_a_count_without_a_number_is_the_upstreams_fault(body: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.read_count(body)
    assert caught.value.kind is ErrorKind.UPSTREAM
