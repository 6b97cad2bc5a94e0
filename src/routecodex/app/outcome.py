"""What a request came to, as one record: the classes of rollout.md §1 by a table of error kinds.

Pure: facts in, record out. The flow collects the facts, telemetry keeps the record.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Inbound, Plan
from routecodex.blocks.telemetry import AttemptRecord, OutcomeClass, OutcomeRecord

CANCELLED_STATUS: Final = 499

_BY_KIND: Final[dict[ErrorKind, OutcomeClass]] = {
    ErrorKind.AUTHENTICATION: OutcomeClass.AUTH,
    ErrorKind.PERMISSION: OutcomeClass.AUTH,
    ErrorKind.BILLING: OutcomeClass.THROTTLED,
    ErrorKind.RATE_LIMIT: OutcomeClass.THROTTLED,
    ErrorKind.TIMEOUT: OutcomeClass.TIMEOUT,
    ErrorKind.CANCELLED: OutcomeClass.CLIENT_CANCEL,
    ErrorKind.OVERLOADED: OutcomeClass.UPSTREAM_FAULT,
    ErrorKind.UPSTREAM: OutcomeClass.UPSTREAM_FAULT,
    ErrorKind.INTERNAL: OutcomeClass.GATEWAY_FAULT,
}
"""What is not in here is the client's fault: requests that are wrong, too large, or name what does not exist."""

_TRUNCATED: Final = frozenset({"truncated_stream"})
_VIOLATIONS: Final = frozenset({"bad_frame", "bad_upstream_body", "sse_frame_too_large", "upstream_protocol_error"})


def class_of(error: GatewayError) -> OutcomeClass:
    """The class of a failed request."""
    if error.code in _TRUNCATED:
        return OutcomeClass.TRUNCATED_STREAM
    if error.code in _VIOLATIONS:
        return OutcomeClass.PROTOCOL_VIOLATION
    if error.kind is ErrorKind.INTERNAL and error.layer is Layer.UPSTREAM:
        return OutcomeClass.UPSTREAM_FAULT
    return _BY_KIND.get(error.kind, OutcomeClass.CLIENT_FAULT)


def attempt(plan: Plan, status: int, error: GatewayError | None) -> AttemptRecord:
    """One attempt for the record."""
    return AttemptRecord(
        provider_key=plan.target.provider_key if plan.target is not None else "",
        status=status,
        code=error.code if error is not None else "",
        layer=error.layer.value if error is not None else "",
        probe=plan.decision is not None and plan.decision.probe,
    )


class Facts:
    """What the flow learns about one request while it runs. Times on the loop's clock, in seconds."""

    __slots__ = (
        "attempts",
        "complete",
        "content_at",
        "error",
        "exchange",
        "plan",
        "result",
        "started",
        "status",
        "waited",
    )

    def __init__(self, started: float) -> None:
        self.started = started
        self.complete = False
        """The whole answer is with the client's connection."""
        self.content_at = 0.0
        self.waited = 0.0
        """Spent waiting for upstreams before the first content."""
        self.status = CANCELLED_STATUS
        self.error: GatewayError | None = None
        self.exchange: Exchange | None = None
        self.plan: Plan | None = None
        self.result: AttemptOutcome | None = None
        self.attempts: list[AttemptRecord] = []


def record(facts: Facts, inbound: Inbound, at: float, now: float, generation: str) -> OutcomeRecord:
    """The record of one request; `at` Unix seconds, `now` on the loop's clock.

    `str` of an enum's member, here and in the metrics, because `.value` is a Python property: three times as slow.
    """
    error, exchange, plan, result = facts.error, facts.exchange, facts.plan, facts.result
    introduced = result.introduced if result is not None else ()
    if error is not None:
        outcome = class_of(error)
    else:
        outcome = OutcomeClass.PROTOCOL_VIOLATION if introduced else OutcomeClass.OK
    usage = result.usage if result is not None else None
    decision = plan.decision if plan is not None else None
    target = plan.target if plan is not None else None
    content_at = facts.content_at
    return OutcomeRecord(
        event="request",
        at=round(at, 3),
        request_id=inbound.request_id,
        outcome=outcome,
        status=facts.status,
        inbound=str(inbound.protocol),
        operation=inbound.operation,
        layer=error.layer.value if error is not None else "",
        code=error.code if error is not None else "",
        message=error.message if error is not None else "",
        account=inbound.account,
        conversation=exchange.conversation_key if exchange is not None else "",
        conversation_source=exchange.conversation_source if exchange is not None else "",
        requested_model=decision.requested_model if decision is not None else "",
        route=decision.route if decision is not None else "",
        provider_key=target.provider_key if target is not None else "",
        outbound=str(target.protocol) if target is not None else "",
        stream=exchange.stream if exchange is not None else False,
        attempts=tuple(facts.attempts),
        finish=str(result.finish) if result is not None and result.finish is not None else "",
        tool_calls=result.tool_calls if result is not None else 0,
        introduced=introduced,
        input_tokens=(usage.input or 0) if usage is not None else 0,
        output_tokens=(usage.output or 0) if usage is not None else 0,
        cached_tokens=(usage.cache_read or 0) if usage is not None else 0,
        notes=exchange.notes.header() if exchange is not None else "",
        overhead_ms=round((content_at - facts.started - facts.waited) * 1000, 3) if content_at else 0.0,
        ttft_ms=round((content_at - facts.started) * 1000, 3) if content_at else 0.0,
        total_ms=round((now - facts.started) * 1000, 3),
        generation=generation,
    )
