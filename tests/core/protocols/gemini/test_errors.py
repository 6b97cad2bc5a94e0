"""google.rpc.Status, both ways (MP-15), and token counts (MP-29)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid

from .support import GEMINI

RPC = "type.googleapis.com/google.rpc."


def rpc(code: int, status: str, *details: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": "m", "status": status, "details": list(details)}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "shown"),
    [
        (400, rpc(400, "INVALID_ARGUMENT"), ErrorKind.INVALID_REQUEST, 400),
        (400, rpc(400, "RESOURCE_EXHAUSTED"), ErrorKind.INVALID_REQUEST, 400),
        (
            400,
            rpc(400, "INVALID_ARGUMENT", {"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID"}),
            ErrorKind.AUTHENTICATION,
            401,
        ),
        (401, rpc(401, "UNAUTHENTICATED"), ErrorKind.AUTHENTICATION, 401),
        (403, rpc(403, "PERMISSION_DENIED"), ErrorKind.PERMISSION, 403),
        (
            403,
            rpc(403, "PERMISSION_DENIED", {"@type": f"{RPC}ErrorInfo", "reason": "BILLING_DISABLED"}),
            ErrorKind.BILLING,
            402,
        ),
        (404, rpc(404, "NOT_FOUND"), ErrorKind.NOT_FOUND, 404),
        (413, b"<html>too large</html>", ErrorKind.TOO_LARGE, 413),
        (429, rpc(429, "RESOURCE_EXHAUSTED"), ErrorKind.RATE_LIMIT, 429),
        (499, rpc(499, "CANCELLED"), ErrorKind.UPSTREAM, 502),
        (500, rpc(500, "INTERNAL"), ErrorKind.UPSTREAM, 500),
        (502, b"", ErrorKind.UPSTREAM, 502),
        (503, rpc(503, "UNAVAILABLE"), ErrorKind.OVERLOADED, 503),
        (504, rpc(504, "DEADLINE_EXCEEDED"), ErrorKind.TIMEOUT, 504),
        (500, rpc(500, "UNAVAILABLE"), ErrorKind.OVERLOADED, 500),
        (400, b'[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]', ErrorKind.INVALID_REQUEST, 400),
        (418, b'{"error":"short and stout"}', ErrorKind.INVALID_REQUEST, 418),
        (500, b'{"error":{"code":"x","message":7,"status":[],"details":{"a":1}}}', ErrorKind.UPSTREAM, 500),
    ],
)
def test_mp15_upstream_errors_are_classified_by_status_and_reason(
    status: int, body: bytes, kind: ErrorKind, shown: int
) -> None:
    error = GEMINI.read_error(status, {}, body)
    assert (error.kind, error.status, error.layer, error.vendor_body) == (kind, shown, Layer.UPSTREAM, body)
    assert error.message


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "7"}, [], 7.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, [], 1.5),
        ({}, [{"@type": f"{RPC}RetryInfo", "retryDelay": "34.5s"}], 34.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, [{"@type": f"{RPC}RetryInfo", "retryDelay": "2s"}], 2.0),
        ({"retry-after": "-3"}, [], None),
        ({"retry-after": "inf"}, [{"@type": f"{RPC}RetryInfo", "retryDelay": 3}], None),
        ({}, [], None),
    ],
)
def test_mp15_retry_after_from_headers_or_retry_info(
    headers: dict[str, str], details: list[Any], seconds: float | None
) -> None:
    assert GEMINI.read_error(429, headers, rpc(429, "RESOURCE_EXHAUSTED", *details)).retry_after == seconds


@pytest.mark.parametrize(
    ("kind", "status", "shown", "word"),
    [
        (ErrorKind.INVALID_REQUEST, None, 400, "INVALID_ARGUMENT"),
        (ErrorKind.AUTHENTICATION, None, 401, "UNAUTHENTICATED"),
        (ErrorKind.PERMISSION, None, 403, "PERMISSION_DENIED"),
        (ErrorKind.NOT_FOUND, None, 404, "NOT_FOUND"),
        (ErrorKind.TOO_LARGE, None, 413, "INVALID_ARGUMENT"),
        (ErrorKind.RATE_LIMIT, None, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind.INTERNAL, None, 500, "INTERNAL"),
        (ErrorKind.UPSTREAM, None, 502, "UNAVAILABLE"),
        (ErrorKind.OVERLOADED, 529, 503, "UNAVAILABLE"),
        (ErrorKind.TIMEOUT, None, 504, "DEADLINE_EXCEEDED"),
        (ErrorKind.INVALID_REQUEST, 422, 422, "INVALID_ARGUMENT"),
        (ErrorKind.UPSTREAM, 520, 520, "INTERNAL"),
    ],
)
def test_mp15_envelope_and_status(kind: ErrorKind, status: int | None, shown: int, word: str) -> None:
    reply = GEMINI.write_error(GatewayError(kind, "some_code", "What.", next_step="Do this.", status=status), "req_1")
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"], error["status"], error["message"]) == (shown, shown, word, "What. Do this.")
    assert error["details"] == [
        {"@type": f"{RPC}ErrorInfo", "reason": "SOME_CODE", "domain": "routecodex", "metadata": {"requestId": "req_1"}}
    ]


def test_mp15_retry_after_leaves_as_header_and_retry_info() -> None:
    reply = GEMINI.write_error(GatewayError(ErrorKind.RATE_LIMIT, "quota", "Slow.", retry_after=2.5), "r")
    assert reply.headers == {"retry-after": "3"}  # whole seconds, RFC 9110 10.2.3
    assert json.loads(reply.body)["error"]["details"][1] == {"@type": f"{RPC}RetryInfo", "retryDelay": "2.500s"}
    assert GEMINI.read_error(429, {}, reply.body).retry_after == 2.5


def test_the_faulty_field_is_named() -> None:
    reply = GEMINI.write_error(invalid("bad", param="contents[0].role"), "")
    assert json.loads(reply.body)["error"]["details"][0]["metadata"] == {"param": "contents[0].role"}


def test_googles_own_status_word_survives() -> None:
    error = GEMINI.read_error(400, {}, rpc(400, "FAILED_PRECONDITION"))
    assert json.loads(GEMINI.write_error(error, "").body)["error"]["status"] == "FAILED_PRECONDITION"


def test_mp29_counts_are_read_and_written() -> None:
    assert GEMINI.read_count({"totalTokens": 12}) == 12
    assert GEMINI.read_count({"total_tokens": "12"}) == 12
    assert json.loads(GEMINI.write_count(12, True)) == {"totalTokens": 12}
    assert json.loads(GEMINI.write_count(12, False))["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": 12}]


@pytest.mark.parametrize("body", [{}, {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}])
def test_mp29_an_answer_without_a_count_is_an_error(body: Any) -> None:
    with pytest.raises(GatewayError):
        GEMINI.read_count(body)
