"""One request's outcome as data.

It knows the shape of a record and nothing of how one comes about (app/outcome.py).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class OutcomeClass(StrEnum):
    """How a request ended."""

    OK = "ok"
    GATEWAY_FAULT = "gateway_fault"
    UPSTREAM_FAULT = "upstream_fault"
    PROTOCOL_VIOLATION = "protocol_violation"
    TRUNCATED_STREAM = "truncated_stream"
    TIMEOUT = "timeout"
    CLIENT_FAULT = "client_fault"
    CLIENT_CANCEL = "client_cancel"
    THROTTLED = "throttled"
    AUTH = "auth"


class AttemptRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One call of an upstream. `code` "" where it succeeded."""

    provider_key: str
    status: int = 0
    """HTTP status of the upstream; 0 if it never answered."""
    code: str = ""
    layer: str = ""
    probe: bool = False


class OutcomeRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One client request. Times in milliseconds; `at` in Unix seconds; no text of the conversation."""

    event: str
    at: float
    request_id: str
    outcome: OutcomeClass
    status: int
    """What the client saw; 499 if it left before the head."""
    inbound: str
    operation: str
    layer: str = ""
    """Of the failure."""
    code: str = ""
    message: str = ""
    account: str = ""
    conversation: str = ""
    conversation_source: str = ""
    requested_model: str = ""
    route: str = ""
    provider_key: str = ""
    outbound: str = ""
    stream: bool = False
    attempts: tuple[AttemptRecord, ...] = ()
    finish: str = ""
    tool_calls: int = 0
    introduced: tuple[str, ...] = ()
    """Pairing and grammar violations in the output that were not in the input."""
    pairing: str = ""
    """Tool calls and their results: `kept`, `inherited` (the client's own history breaks the rules), `broken` (the
    gateway broke it); empty for requests that got no plan."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    notes: str = ""
    overhead_ms: float = 0.0
    """Time until the first content went out that was not spent waiting for an upstream."""
    ttft_ms: float = 0.0
    """Until the first content went out."""
    total_ms: float = 0.0
    generation: str = ""
    switches: str = ""
    """The switches not at their default, `key=value` joined by blanks."""
