"""Errors, both ways (MP-14, MP-15, MP-16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.events import Failed, Start, UsageSeen
from llmswitch_core.canonical.model import Usage
from tests.core.protocols.openai_responses.support import CODEC, completed, feed, scope, stream, wire_events

K = ErrorKind


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"type": "invalid_request_error"}, K.INVALID_REQUEST),
        (400, {"code": "rate_limit_exceeded"}, K.INVALID_REQUEST),
        (401, {}, K.AUTHENTICATION),
        (403, {}, K.PERMISSION),
        (404, {"code": "model_not_found"}, K.NOT_FOUND),
        (413, {}, K.TOO_LARGE),
        (429, {"type": "tokens", "code": "rate_limit_exceeded"}, K.RATE_LIMIT),
        (429, {"code": "insufficient_quota"}, K.BILLING),
        (500, {"type": "server_error"}, K.UPSTREAM),
        (503, {"code": "server_is_overloaded"}, K.OVERLOADED),
    ],
)
def test_mp15_an_http_error_is_classified_by_status_type_and_code(status: int, error: Any, kind: ErrorKind) -> None:
    body = json.dumps({"error": {"message": "rate limit overloaded quota", "param": "p", **error}}).encode()
    read = CODEC.read_error(status, {"retry-after": "7"}, body)
    assert (read.kind, read.status, read.retry_after, read.param) == (kind, status, 7.0, "p")
    assert read.vendor_body == body
    assert read.layer is Layer.UPSTREAM


@pytest.mark.parametrize(
    "body", [b"", b"<html>busy</html>", b"[]", b'{"detail":"x"}', b'{"error":"x"}', b'{"error":{}}']
)
def test_mp15_any_body_is_an_error(body: bytes) -> None:
    error = CODEC.read_error(502, {}, body)
    assert (error.kind, error.status) == (K.UPSTREAM, 502)
    assert error.message


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (K.INVALID_REQUEST, 400, "own"),
        (K.AUTHENTICATION, 401, "invalid_api_key"),
        (K.RATE_LIMIT, 429, "rate_limit_exceeded"),
        (K.OVERLOADED, 503, "server_is_overloaded"),
        (K.UPSTREAM, 502, "server_error"),
    ],
)
def test_mp15_the_envelope(kind: ErrorKind, status: int, code: str) -> None:
    error = GatewayError(kind, "own", "Why.", next_step="Do.", param="p", retry_after=1.2, layer=Layer.UPSTREAM)
    reply = CODEC.write_error(error, "req_1")
    assert reply.status == status
    assert reply.headers == {"x-request-id": "req_1", "retry-after": "2"}
    wire = json.loads(reply.body)["error"]
    assert set(wire) == {"message", "type", "param", "code"}
    assert (wire["message"], wire["param"], wire["code"]) == ("Why. Do.", "p", code)


def test_mp15_an_overloaded_anthropic_is_a_503_here() -> None:
    error = GatewayError(K.OVERLOADED, "x", "m", status=529, layer=Layer.UPSTREAM, vendor_type="overloaded_error")
    assert CODEC.write_error(error, "").status == 503


def test_the_gateways_own_errors_keep_their_code() -> None:
    error = GatewayError(K.NOT_FOUND, "previous_response_not_found", "m", param="previous_response_id")
    reply = CODEC.write_error(error, "")
    assert reply.status == 404
    assert json.loads(reply.body)["error"]["code"] == "previous_response_not_found"


def test_mp14_a_failure_before_anything_is_an_error_event() -> None:
    writer = CODEC.stream_writer(scope())
    (event,) = wire_events(writer.fail(GatewayError(K.UPSTREAM, "gone", "It broke.", layer=Layer.UPSTREAM)))
    assert event == {
        "type": "error",
        "code": "server_error",
        "message": "It broke.",
        "param": None,
        "sequence_number": 0,
    }
    assert writer.fail(GatewayError(K.UPSTREAM, "again", "x")) == b""
    assert writer.keepalive() == b""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatewayError(K.RATE_LIMIT, "x", "Slow.", retry_after=1.5), "rate_limit_exceeded"),
        (GatewayError(K.OVERLOADED, "x", "m"), "server_is_overloaded"),
        (GatewayError(K.BILLING, "x", "m"), "insufficient_quota"),
        (GatewayError(K.INVALID_REQUEST, "x", "m", vendor_code="context_length_exceeded"), "context_length_exceeded"),
        (GatewayError(K.INVALID_REQUEST, "x", "m"), "invalid_prompt"),
        (GatewayError(K.UPSTREAM, "truncated_stream", "m"), "server_error"),
    ],
)
def test_mp14_a_failure_in_the_stream_is_response_failed_with_a_code_codex_knows(
    error: GatewayError, code: str
) -> None:
    writer = CODEC.stream_writer(scope())
    data = stream(writer, [Start("resp_1", "m"), UsageSeen(Usage(1, 2)), Failed(error)])
    *_, last = wire_events(data)
    assert last["type"] == "response.failed"
    assert last["response"]["status"] == "failed"
    assert last["response"]["error"]["code"] == code
    assert last["response"]["usage"]["total_tokens"] == 3  # MP-12: also after a failure
    if code == "rate_limit_exceeded":
        assert last["response"]["error"]["message"] == "Slow. Please try again in 1.5s."
    assert b"[DONE]" not in data


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "m"}, K.RATE_LIMIT),
        ({"type": "error", "error": {"type": "server_error", "message": "m"}}, K.UPSTREAM),
        ({"type": "error", "status": 401, "error": {"message": "m"}}, K.AUTHENTICATION),
        ({"error": {"message": "m", "code": 429}}, K.RATE_LIMIT),
        ({"error": "broken"}, K.UPSTREAM),
        (
            {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_is_overloaded"}}},
            K.OVERLOADED,
        ),
        ({"type": "response.failed"}, K.UPSTREAM),
        (
            {"type": "response.created", "response": {"error": {"code": "insufficient_quota", "message": "m"}}},
            K.BILLING,
        ),
        (completed(status="failed"), K.UPSTREAM),
        ({"type": "response.cancelled", "response": {"status": "cancelled"}}, K.UPSTREAM),
    ],
)
def test_mp16_every_spelling_of_a_failure_in_a_stream(event: dict[str, Any], kind: ErrorKind) -> None:
    events = feed(CODEC.stream_reader(scope()), event)
    assert isinstance(events[-1], Failed)
    assert sum(isinstance(one, Failed) for one in events) == 1
    assert events[-1].error.kind is kind


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "m", "type": "server_error"}},
        {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "m"}, "output": []},
        {"id": "resp_1", "status": "in_progress", "output": []},
        {"object": "chat.completion", "choices": []},
        {},
    ],
)
def test_mp16_an_error_in_a_200_body_is_a_failure(body: dict[str, Any]) -> None:
    events = list(CODEC.read_answer(body, scope()))
    assert isinstance(events[-1], Failed)
