"""The providerErrorCenter: the one place where outcomes of upstream attempts enter.

It updates health and quota (router/health.py owns the rules, the host the state) and logs failures. Every attempt is
reported here exactly once, so that half-open probes are given back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.hub.exchange import Plan
from llmswitch_core.router.health import note_quota
from llmswitch_core.router.quota_headers import quota_of_headers
from llmswitch_core.router.state import RouterState
from routecodex.app.generation import Generation


class ProviderErrorCenter:
    """Takes in how attempts ended. `now` in Unix seconds, the clock the router decides by."""

    def __init__(
        self, state: RouterState, now: Callable[[], float], log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._state = state
        self._now = now
        self._log = log

    def failed(self, generation: Generation, plan: Plan, error: GatewayError, request_id: str) -> None:
        """The attempt failed; the client's own fault changes no health, the router sees to that."""
        if plan.decision is not None:
            generation.artifacts.router.report(self._state, plan.decision, error, self._now())
        self._log.warning(
            "provider.error",
            request_id=request_id,
            provider_key=plan.target.provider_key if plan.target is not None else "",
            layer=error.layer.value,
            kind=error.kind.value,
            code=error.code,
            vendor_code=error.vendor_code,
            status=error.status,
            retry_after=error.retry_after,
            message=error.message,
        )

    def heard(self, plan: Plan, headers: Mapping[str, str]) -> None:
        """An upstream's head came, whatever its status: it may say what is left of the quota."""
        if plan.target is None:
            return
        readings = quota_of_headers(headers, self._now())
        if readings:
            note_quota(self._state, plan.target.provider_key, readings)

    def succeeded(self, generation: Generation, plan: Plan) -> None:
        """The attempt gave the client its answer."""
        if plan.decision is not None:
            generation.artifacts.router.report(self._state, plan.decision, "ok", self._now())

    def cancelled(self, generation: Generation, plan: Plan) -> None:
        """The client left, or the gateway is stopping: says nothing of the provider."""
        if plan.decision is not None:
            generation.artifacts.router.report(self._state, plan.decision, "cancelled", self._now())
