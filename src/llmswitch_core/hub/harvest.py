"""What an answer leaves behind: usage, finish reason, opaque tokens' issuers, and the Responses record.

It watches the same events the judge watches and keeps only facts; it never changes what the client sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmswitch_core.canonical import ids
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import Finish, PartStart, SignatureDelta, Start, StreamEvent, UsageSeen
from llmswitch_core.canonical.model import FinishReason, Issuer, Protocol, Thinking, Usage
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Plan, StateDelta
from llmswitch_core.hub.invariants import AnswerJudge
from llmswitch_core.hub.tokens import call_signed, id_hashed, issued
from llmswitch_core.protocols.contract import SseFrame


class Harvest:
    """Collects one attempt's facts."""

    __slots__ = ("_delta", "_exchange", "_finish", "_issuer", "_model", "_names_calls", "_usage")

    def __init__(self, exchange: Exchange, plan: Plan) -> None:
        target = plan.target
        self._exchange = exchange
        self._issuer = Issuer("") if target is None else Issuer(target.vendor, target.runtime_key, target.model)
        self._delta = StateDelta()
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._model = ""
        self._names_calls = exchange.inbound.protocol is not Protocol.GEMINI

    def see(self, event: StreamEvent, frame: SseFrame | None) -> None:
        """Take one judged event in."""
        if isinstance(event, UsageSeen):
            self._usage = event.usage
        elif isinstance(event, Start):
            self._model = event.model
            if event.usage is not None:
                self._usage = event.usage
        elif isinstance(event, Finish):
            self._finish = event.reason
        elif isinstance(event, SignatureDelta):
            self._token(event.signature)
        elif isinstance(event, PartStart):
            self._part(event)

    def _part(self, event: PartStart) -> None:
        if event.kind == "tool_call":
            if event.signature is not None:
                self._token(event.signature)
                if self._names_calls:
                    key, value = call_signed(event.id, event.signature, self._issuer)
                    self._delta.tokens[key] = value
            portable = ids.portable(event.id)
            if ids.is_hashed(portable):
                key, value = id_hashed(portable, event.id)
                self._delta.tokens[key] = value
        elif event.signature is not None:
            self._token(event.signature)
        if isinstance(event.part, Thinking):
            token = event.part.redacted or event.part.signature
            if token is not None:
                self._token(token)

    def _token(self, token: str) -> None:
        key, value = issued(token, self._issuer)
        self._delta.tokens[key] = value

    def body(self, tree: Mapping[str, Any]) -> None:
        """The upstream's whole answer, where it was one."""

    def rendered(self, body: bytes) -> None:
        """The client's whole answer, where the gateway wrote it."""

    def outcome(self, failure: GatewayError | None, judge: AnswerJudge) -> AttemptOutcome:
        return AttemptOutcome(
            failure=failure,
            finish=self._finish,
            usage=self._usage,
            model=self._model,
            introduced=tuple(judge.violations),
            delta=self._delta,
            tool_calls=judge.calls,
        )
