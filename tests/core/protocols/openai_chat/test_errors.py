"""Failures, both directions (MP-15), and usage arithmetic (MP-12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.canonical.model import Usage
from llmswitch_core.protocols.openai_chat.usage import read_usage, write_usage

from .support import CODEC, conversation, written


def failure(status: int, tree: Any, **headers: str) -> GatewayError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CODEC.read_error(status, named, tree if isinstance(tree, bytes) else json.dumps(tree).encode())


def envelope(**members: Any) -> dict[str, Any]:
    return {"error": {"message": "words", **members}}


@pytest.mark.parametrize(
    ("status", "tree", "kind", "code"),
    [
        (400, envelope(type="invalid_request_error", code=None), ErrorKind.INVALID_REQUEST, "invalid_request_error"),
        (400, envelope(code="context_length_exceeded"), ErrorKind.INVALID_REQUEST, "context_length_exceeded"),
        (401, envelope(code="invalid_api_key"), ErrorKind.AUTHENTICATION, "invalid_api_key"),
        (402, envelope(), ErrorKind.BILLING, "upstream_billing"),
        (403, envelope(), ErrorKind.PERMISSION, "upstream_permission"),
        (404, envelope(code="model_not_found"), ErrorKind.NOT_FOUND, "model_not_found"),
        (413, b"<html>", ErrorKind.TOO_LARGE, "upstream_too_large"),
        (422, {"detail": [{"loc": ["body"]}]}, ErrorKind.INVALID_REQUEST, "upstream_invalid_request"),
        (429, envelope(type="requests", code="rate_limit_exceeded"), ErrorKind.RATE_LIMIT, "rate_limit_exceeded"),
        (429, envelope(type="insufficient_quota", code="insufficient_quota"), ErrorKind.BILLING, "insufficient_quota"),
        (429, envelope(code="1302"), ErrorKind.RATE_LIMIT, "upstream_rate_limit"),
        (500, b"", ErrorKind.UPSTREAM, "upstream_error"),
        (503, envelope(type="server_error"), ErrorKind.OVERLOADED, "server_error"),
        (500, envelope(type="overloaded_error"), ErrorKind.OVERLOADED, "overloaded_error"),
        (529, [envelope(code=529)], ErrorKind.OVERLOADED, "upstream_overloaded"),
        (418, envelope(code="²²²"), ErrorKind.INVALID_REQUEST, "²²²"),
        (400, {"error": "plain words"}, ErrorKind.INVALID_REQUEST, "upstream_invalid_request"),
        (400, {"message": "rate limit reached", "code": 400}, ErrorKind.INVALID_REQUEST, "upstream_invalid_request"),
    ],
)
def test_mp15_failures_are_classed_by_status_and_code_never_by_words(
    status: int, tree: Any, kind: ErrorKind, code: str
) -> None:
    error = failure(status, tree)
    assert (error.kind, error.code, error.status, error.layer) == (kind, code, status, Layer.UPSTREAM)


def test_what_the_vendor_said_is_kept() -> None:
    raw = json.dumps(envelope(type="t", code=7, param="messages")).encode()
    error = failure(400, raw)
    assert (error.message, error.param, error.vendor_type, error.vendor_code, error.vendor_body) == (
        "words",
        "messages",
        "t",
        "7",
        raw,
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "inf"}, None),
        ({}, None),
    ],
)
def test_mp15_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert failure(429, envelope(), **headers).retry_after == seconds


@pytest.mark.parametrize(
    ("kind", "status", "written_status", "word"),
    [
        (ErrorKind.INVALID_REQUEST, 400, 400, "invalid_request_error"),
        (ErrorKind.AUTHENTICATION, 401, 401, "authentication_error"),
        (ErrorKind.PERMISSION, 403, 403, "permission_error"),
        (ErrorKind.NOT_FOUND, 404, 404, "invalid_request_error"),
        (ErrorKind.TOO_LARGE, 413, 413, "invalid_request_error"),
        (ErrorKind.RATE_LIMIT, 429, 429, "rate_limit_error"),
        (ErrorKind.BILLING, 429, 429, "insufficient_quota"),
        (ErrorKind.INTERNAL, 500, 500, "server_error"),
        (ErrorKind.OVERLOADED, 503, 503, "overloaded_error"),
        (ErrorKind.OVERLOADED, 529, 503, "overloaded_error"),
        (ErrorKind.CANCELLED, 499, 499, "request_cancelled"),
        (ErrorKind.UPSTREAM, 200, 502, "server_error"),
    ],
)
def test_mp15_errors_are_written_in_openais_envelope(
    kind: ErrorKind, status: int, written_status: int, word: str
) -> None:
    error = GatewayError(kind, "some_code", "Cause.", next_step="Step.", status=status, param="p", retry_after=1.2)
    reply = CODEC.write_error(error, "req_1")
    assert reply.status == written_status
    assert json.loads(reply.body) == {
        "error": {"message": "Cause. Step.", "type": word, "param": "p", "code": "some_code"}
    }
    assert reply.headers == {"x-request-id": "req_1", "retry-after": "2"}


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 4}, Usage(10, 4)),
        (
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 1}},
            Usage(3, 0, 6, 1),
        ),
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4}, Usage(4, 0, 6)),
        ({"prompt_tokens": 10, "cached_tokens": 2}, Usage(8, 0, 2)),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 5}}, Usage(0, 9, reasoning=5)),
        ({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 5}}, Usage(0, 0, 1)),
        ({"prompt_tokens": None, "completion_tokens": "4", "prompt_tokens_details": 3}, Usage()),
        ({"prompt_tokens": -3, "completion_tokens": True}, Usage()),
    ],
)
def test_mp12_totals_are_read_as_disjoint_counters(wire: dict[str, Any], usage: Usage) -> None:
    got = read_usage(wire)
    assert (got.input, got.output, got.cache_read, got.cache_write, got.reasoning) == (
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.reasoning,
    )
    again = read_usage(write_usage(got))
    assert (again.input, again.output, again.cache_read, again.cache_write, again.reasoning) == (
        got.input,
        got.output,
        got.cache_read,
        got.cache_write,
        got.reasoning,
    )


def test_mp12_counters_beyond_the_model_survive_on_the_same_wire_only() -> None:
    wire = {"prompt_tokens": 1, "completion_tokens_details": {"audio_tokens": 3}, "cost": 0.5}
    got = write_usage(read_usage(wire))
    assert (got["cost"], got["completion_tokens_details"]) == (0.5, {"audio_tokens": 3, "reasoning_tokens": 0})
    foreign = write_usage(Usage(input=1, wire={"input_tokens": 1, "server_tool_use": {}}))
    assert "server_tool_use" not in foreign


def test_mp29_this_protocol_has_no_counting_call() -> None:
    body, _ = written(conversation())
    assert body
    from llmswitch_core.protocols.contract import Notes, WireTarget

    assert CODEC.count_request(conversation(), WireTarget("m", False, False), Notes()) is None
    assert CODEC.read_count({"usage": {"prompt_tokens": 5}}) == 5
    assert CODEC.read_count({}) == 0
    assert json.loads(CODEC.write_count(5, True)) == {"usage": {"prompt_tokens": 5}, "estimated": True}
