"""What an answer leaves behind: usage, finish reason, opaque tokens' issuers, and the Responses record.

It watches the same events the judge watches and keeps only facts; it never changes what the client sees.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmswitch_core.canonical import ids, jsonio
from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import Finish, PartStart, SignatureDelta, Start, StreamEvent, UsageSeen
from llmswitch_core.canonical.model import FinishReason, Issuer, JsonValue, Protocol, Thinking, Usage
from llmswitch_core.hub import responses
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Plan, StateDelta
from llmswitch_core.hub.invariants import AnswerJudge
from llmswitch_core.hub.tokens import call_signed, id_hashed, issued
from llmswitch_core.protocols.contract import SseFrame


class Harvest:
    """Collects one attempt's facts."""

    __slots__ = (
        "_delta",
        "_exchange",
        "_finish",
        "_issuer",
        "_model",
        "_names_calls",
        "_records",
        "_target",
        "_upstream_id",
        "_usage",
    )

    def __init__(self, exchange: Exchange, plan: Plan) -> None:
        target = plan.target
        self._exchange = exchange
        self._target = target
        self._records = responses.wants_record(exchange)
        self._upstream_id = ""
        self._issuer = Issuer("") if target is None else Issuer(target.vendor, target.runtime_key, target.model)
        self._delta = StateDelta()
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._model = ""
        self._names_calls = exchange.inbound.protocol is not Protocol.GEMINI

    def see(self, event: StreamEvent) -> None:
        """Take one judged event in."""
        if isinstance(event, UsageSeen):
            self._usage = event.usage
        elif isinstance(event, Start):
            self._model = event.model
            self._upstream_id = event.id
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
            portable = ids.portable(event.id)
            if event.signature is not None:
                self._token(event.signature)
                if self._names_calls:
                    # A hash has no inverse: the client may come back with either form of the id.
                    for name in {event.id, portable if ids.is_hashed(portable) else event.id}:
                        key, value = call_signed(name, event.signature, self._issuer)
                        self._delta.tokens[key] = value
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

    def response(self, tree: JsonValue) -> None:
        """The final response object the client got (R), for the store; what is no object is not kept."""
        if not isinstance(tree, Mapping) or self._target is None or not self._records:
            return
        own = self._target.protocol is Protocol.OPENAI_RESPONSES
        self._delta.response = responses.record(
            self._exchange, tree, self._target, self._upstream_id or None if own else None
        )

    def rendered(self, body: bytes) -> None:
        """The whole answer the gateway wrote."""
        if self._records:
            self.response(jsonio.decode(body))

    def final_frame(self, frame: SseFrame) -> None:
        """A forwarded stream's last event (R), which holds the response object."""
        if self._records:
            tree = jsonio.decode(frame.data)
            self.response(tree.get("response") if isinstance(tree, dict) else None)

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
