"""The Hub Pipeline: decode → govern → route → compat → encode, and back; pure.

`admit` reads a client request once; `plan` makes one attempt's sealed UpstreamRequest (called again, with the failed
targets excluded, for every further attempt); `respond` gives the way back. It owns the order of these steps and
nothing else: protocols, routing, governance and quirks each live in their own room.

Of a profile's features it reads some itself: `count_tokens` (false: the target's counting call does not exist, an
estimate is given), `stored_responses` (responses.py) and `incomplete_answers` (protocols whose answers the target
leaves so incomplete that they are written, not forwarded).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, Protocol
from llmswitch_core.compat.contract import CompatContext, CompatProfile
from llmswitch_core.hub import auxiliary, deletion, responses
from llmswitch_core.hub.exchange import Exchange, Inbound, Plan, Surroundings, Way
from llmswitch_core.hub.forwarding import forwarded_headers, forwarded_query, rooted, same_protocol_path
from llmswitch_core.hub.governance import NATIVE_VENDOR, governed, keep_tokens
from llmswitch_core.hub.invariants import introduced, of_conversation
from llmswitch_core.hub.responder import Responder, many_choices
from llmswitch_core.hub.tokens import TokenLedger
from llmswitch_core.hub.upstream import _SEAL, UpstreamRequest
from llmswitch_core.hub.wire_edit import REMOVED, edited
from llmswitch_core.protocols.contract import Codec, ErrorReply, Notes, Scope, StreamWriter, WireRequest, WireTarget
from llmswitch_core.protocols.registry import CODECS
from llmswitch_core.router.contract import Decision, RoutingTable, Target
from llmswitch_core.router.conversation_key import conversation_key
from llmswitch_core.router.policy import VirtualRouter
from llmswitch_core.router.state import RouterState

_HISTORY: Final[Mapping[Protocol, tuple[str, ...]]] = {
    Protocol.OPENAI_CHAT: ("messages",),
    Protocol.OPENAI_RESPONSES: ("input",),
    Protocol.ANTHROPIC_MESSAGES: ("messages", "thinking"),
    Protocol.GEMINI: ("contents",),
}
"""The top-level members that hold the turns, per protocol, and what their thinking parts allow."""


_NO_SUCH_CALL: Final = frozenset({404, 405, 501})
"""Statuses of a server that does not know a path."""


class PipelineSettings(msgspec.Struct, frozen=True):
    """What configuration says about translation itself."""

    done_marker: bool = False
    """Responses streams end in `data: [DONE]`."""
    max_depth: int = jsonio.MAX_DEPTH
    key_secret: bytes = b""
    """Keys the hash of conversation keys."""


class HubPipeline:
    """One generation's pipeline: routing table, compat profiles and settings; everything else is an argument."""

    def __init__(
        self,
        table: RoutingTable,
        profiles: Mapping[str, CompatProfile],
        settings: PipelineSettings = PipelineSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._table = table
        self._profiles = profiles
        self._settings = settings
        self._router = VirtualRouter(table)
        self._features: dict[str, Mapping[str, Any]] = {
            key: _target_features(target, profiles[target.profile]) for key, target in table.targets.items()
        }

    # --- in ------------------------------------------------------------------------------------------------

    def admit(self, inbound: Inbound, surroundings: Surroundings) -> Exchange:
        """Decode and classify one client request. Raises GatewayError for what the client did wrong."""
        exchange = Exchange(inbound, surroundings)
        if inbound.operation == "forward":
            exchange.conversation = Conversation(inbound.protocol, "", [])
            return exchange
        exchange.tree = self._decode(inbound)
        if inbound.operation in auxiliary.OPERATIONS:
            auxiliary.admit(exchange)
            return exchange
        codec = CODECS[inbound.protocol]
        if inbound.protocol is Protocol.OPENAI_RESPONSES:
            conversation = responses.read(exchange, codec)
        else:
            conversation = codec.read_request(inbound.head, exchange.tree)
        exchange.conversation = conversation
        exchange.stream = conversation.stream
        exchange.measure = self._router.features
        key = conversation_key(
            conversation,
            inbound.head.headers,
            account=inbound.account,
            api_key=inbound.account,
            request_id=inbound.request_id,
            secret=self._settings.key_secret,
            explicit=inbound.conversation,
            previous_root=exchange.history.root if exchange.history is not None else None,
        )
        exchange.conversation_key, exchange.conversation_source = key.key, key.source
        return exchange

    def _decode(self, inbound: Inbound) -> dict[str, JsonValue]:
        try:
            tree = jsonio.decode(inbound.body, self._settings.max_depth)
        except jsonio.TooDeepError as error:
            raise invalid(str(error), code="json_too_deep", next_step="Send a flatter request body.") from error
        except ValueError as error:
            raise invalid(
                f"The request body is not valid JSON: {error}.",
                code="invalid_json",
                next_step="Send a JSON object with content-type application/json.",
            ) from error
        if not isinstance(tree, dict):
            raise invalid("The request body must be a JSON object.", code="invalid_json")
        return tree

    # --- out -----------------------------------------------------------------------------------------------

    def plan(self, exchange: Exchange, state: RouterState, excluded: frozenset[str], now: float) -> Plan:
        """One attempt: choose a target and encode the request for it.

        Raises GatewayError when no target is left, or when no target can carry what was asked for.
        """
        operation = exchange.inbound.operation
        if operation == "forward":
            return self._plan_forward(exchange)
        decision = self._decide(exchange, state, excluded, now)
        target = decision.target
        profile = self._profile(target)
        # What an attempt could not carry says nothing of the next one's target.
        exchange.notes = Notes()
        same = target.protocol is exchange.inbound.protocol or operation in auxiliary.OPERATIONS
        if operation == "count_tokens":
            return self._plan_count(exchange, target, decision, profile, same)
        stream = self._upstream_stream(exchange, profile)
        if same:
            if many_choices(exchange) and self._writes_answers(exchange, target, profile, stream):
                raise invalid(
                    "The answers of this provider are written anew, one choice at a time, so `n` must be 1.",
                    param="n",
                    code="unsupported_n",
                    next_step="Send the request n times.",
                )
            wire, body = self._encode_same(exchange, target, profile, stream)
        else:
            wire, body = self._encode_foreign(exchange, target, profile, stream)
        return self._sealed(exchange, target, decision, wire, body, same, stream=stream)

    def _decide(self, exchange: Exchange, state: RouterState, excluded: frozenset[str], now: float) -> Decision:
        inbound = exchange.inbound
        speaks = auxiliary.targets_of(inbound.operation, inbound.protocol)
        passed: set[str] = set(excluded)
        while True:
            try:
                decision = self._router.route(
                    exchange.features,
                    exchange.conversation.model,
                    inbound.hint,
                    exchange.conversation_key,
                    state,
                    passed,
                    now,
                    prefer=responses.issuer_of(exchange),
                )
            except GatewayError as error:
                raise auxiliary.no_speaker(inbound) if len(passed) > len(excluded) else error from None
            if speaks is None or decision.target.protocol in speaks:
                return decision
            passed.add(decision.target.provider_key)

    def _upstream_stream(self, exchange: Exchange, profile: CompatProfile) -> bool:
        if profile.force_mode is not None and exchange.inbound.operation == "generate":
            return profile.force_mode == "stream"
        return exchange.stream

    def _plan_forward(self, exchange: Exchange) -> Plan:
        """A request on stored responses: answered from the store, or by the upstream that holds the response."""
        try:
            return Plan(None, None, None, True, responses.answer(exchange))
        except responses.Forwarded as elsewhere:
            target = self._router.holder(elsewhere.provider_key)
            if target is None or target.protocol is not Protocol.OPENAI_RESPONSES:
                raise deletion.no_holder(exchange, elsewhere.provider_key) from None
            wire = WireRequest(elsewhere.path, {}, method=elsewhere.method)
            # What became of two copies is told by the gateway; everything else is the upstream's own answer.
            return self._sealed(exchange, target, None, wire, b"", not deletion.asked(exchange))

    def _plan_count(
        self, exchange: Exchange, target: Target, decision: Decision, profile: CompatProfile, same: bool
    ) -> Plan:
        """The upstream's own count where it has one, else an estimate that says so."""
        outbound = CODECS[target.protocol]
        conversation = self._governed(exchange, target)
        wire = None
        if profile.features.get("count_tokens", True) and not exchange.estimates:
            wire = outbound.count_request(conversation, self._wire_target(exchange, target, False), exchange.notes)
        if wire is None:
            answer = CODECS[exchange.inbound.protocol].write_count(exchange.features().estimated_tokens, estimated=True)
            return Plan(None, target, decision, same, answer, {"x-routecodex-estimate": "tokens"})
        if same:
            return self._sealed(exchange, target, decision, *self._encode_same(exchange, target, profile, False), True)
        profile.request(wire.body, wire.headers, self._context(exchange, target, False), exchange.notes)
        wire.path = rooted(target.protocol, wire.path)
        return self._sealed(exchange, target, decision, wire, jsonio.encode(wire.body), False)

    def _encode_same(
        self, exchange: Exchange, target: Target, profile: CompatProfile, stream: bool
    ) -> tuple[WireRequest, bytes]:
        """Same protocol: the client's bytes, with only the edited members replaced."""
        inbound = exchange.inbound
        edits = self._same_protocol_edits(exchange, target, stream)
        headers = forwarded_headers(inbound.protocol, inbound.head)
        if profile.edits_requests and inbound.operation not in auxiliary.OPERATIONS:
            tree = {name: value for name, value in {**exchange.tree, **edits}.items() if value is not REMOVED}
            context = self._context(exchange, target, stream)
            for name in profile.request(tree, headers, context, exchange.notes):
                edits[name] = tree.get(name, REMOVED)
        path, query = same_protocol_path(inbound.protocol, inbound.operation, target.model, stream, inbound.head.path)
        query = {**forwarded_query(inbound.protocol, inbound.head), **query}
        wire = WireRequest(path, {}, query=query, headers=headers)
        return wire, edited(inbound.body, exchange.members(), exchange.tree, edits) if edits else inbound.body

    def _same_protocol_edits(self, exchange: Exchange, target: Target, stream: bool) -> dict[str, JsonValue]:
        inbound = exchange.inbound
        edits: dict[str, JsonValue] = {}
        if inbound.protocol is not Protocol.GEMINI:
            if exchange.tree.get("model") != target.model:
                edits["model"] = target.model
            if inbound.operation == "generate" and stream is not bool(exchange.tree.get("stream")):
                edits["stream"] = stream
        else:
            edits.update(auxiliary.inner_model(exchange.tree, target.model))
        if inbound.operation in auxiliary.OPERATIONS:
            return edits
        edits.update(responses.same_protocol_edits(exchange, target, self._target_features(target)))
        if inbound.protocol is Protocol.OPENAI_CHAT and stream and self._wants_usage(exchange, target):
            options = exchange.tree.get("stream_options")
            edits["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        edits.update(self._history(exchange, target, stream))
        return edits

    def _wants_usage(self, exchange: Exchange, target: Target) -> bool:
        return not exchange.conversation.include_usage and bool(self._target_features(target).get("stream_usage", True))

    def _history(self, exchange: Exchange, target: Target, stream: bool) -> dict[str, JsonValue]:
        """The members that hold the turns, written anew where a token in them must not go to this target."""
        conversation = exchange.conversation
        codec = CODECS[target.protocol]
        if responses.by_reference(exchange, target, self._target_features(target)):
            # What went before stays with the upstream: only this request's own turns go out.
            conversation = codec.read_request(exchange.inbound.head, exchange.tree)
        ledger = TokenLedger(exchange.surroundings.tokens)
        turns = keep_tokens(conversation.turns, conversation.protocol, target, ledger, exchange.notes)
        if turns is None:
            return {}
        conversation = msgspec.structs.replace(conversation, turns=turns)
        wire = codec.write_request(conversation, self._wire_target(exchange, target, stream), exchange.notes)
        names = [name for name in _HISTORY[target.protocol] if name in wire.body or name in exchange.tree]
        if _begins_with_system(exchange.tree.get("messages")) and "system" in wire.body:
            names.append("system")  # the writer took the message for a part of it
        return {name: wire.body.get(name, REMOVED) for name in names}

    def _encode_foreign(
        self, exchange: Exchange, target: Target, profile: CompatProfile, stream: bool
    ) -> tuple[WireRequest, bytes]:
        """Across protocols: the conversation, governed, written by the target's codec, mended by its profile."""
        outbound = CODECS[target.protocol]
        conversation = self._governed(exchange, target)
        wire = outbound.write_request(conversation, self._wire_target(exchange, target, stream), exchange.notes)
        profile.request(wire.body, wire.headers, self._context(exchange, target, stream), exchange.notes)
        wire.path = rooted(target.protocol, wire.path)
        return wire, jsonio.encode(wire.body)

    def _governed(self, exchange: Exchange, target: Target) -> Conversation:
        if target.protocol is exchange.inbound.protocol:
            return exchange.conversation
        ledger = TokenLedger(exchange.surroundings.tokens)
        conversation = governed(exchange.conversation, target, ledger, exchange.notes)
        if exchange.violations_in is None:
            exchange.violations_in = of_conversation(exchange.conversation)
        broken = introduced(exchange.violations_in, of_conversation(conversation))
        if broken:
            raise GatewayError(
                ErrorKind.INTERNAL,
                "introduced_violation",
                f"Translation would break the conversation ({', '.join(broken[:4])}).",
                next_step="Report it with the x-routecodex-request-id of this answer.",
            )
        return conversation

    def _wire_target(self, exchange: Exchange, target: Target, stream: bool) -> WireTarget:
        return WireTarget(
            model=target.model,
            stream=stream,
            same_vendor=NATIVE_VENDOR[exchange.inbound.protocol] == target.vendor,
            features=self._target_features(target),
        )

    def _target_features(self, target: Target) -> Mapping[str, Any]:
        known = self._features.get(target.provider_key)
        return _target_features(target, self._profile(target)) if known is None else known

    def _context(self, exchange: Exchange, target: Target, stream: bool) -> CompatContext:
        return CompatContext(
            model=target.model,
            inbound=exchange.inbound.protocol,
            outbound=target.protocol,
            stream=stream,
            options=target.options,
        )

    def _profile(self, target: Target) -> CompatProfile:
        return self._profiles[target.profile]

    def _sealed(
        self,
        exchange: Exchange,
        target: Target,
        decision: Decision | None,
        wire: WireRequest,
        body: bytes,
        same: bool,
        stream: bool = False,
    ) -> Plan:
        request = UpstreamRequest(
            _SEAL,
            request_id=exchange.inbound.request_id,
            attempt=len(exchange.attempts) + 1,
            operation=exchange.inbound.operation,
            target=target,
            method=wire.method,
            path=wire.path,
            query=wire.query,
            headers=wire.headers,
            body=body,
            stream=stream,
        )
        plan = Plan(request, target, decision, same)
        exchange.attempts.append(plan)
        return plan

    # --- back ----------------------------------------------------------------------------------------------

    def respond(self, exchange: Exchange, plan: Plan, status: int, headers: Mapping[str, str]) -> Way:
        """The way back of an attempt whose upstream answered with a status below 400."""
        target = _target_of(plan)
        if deletion.asked(exchange):
            return deletion.Deletion(exchange)
        if exchange.inbound.operation != "generate":
            counting = exchange.inbound.operation == "count_tokens"
            return auxiliary.WholeAnswer(plan, CODECS[exchange.inbound.protocol], CODECS[target.protocol], counting)
        profile = self._profile(target)
        requested = profile.model_name == "requested"
        sse = _is_stream(headers.get("content-type", ""), plan)
        # Bytes can only pass where the upstream answered in the mode the client reads.
        forward = plan.same_protocol and not self._writes_answers(exchange, target, profile, sse)
        return Responder(
            exchange,
            plan,
            CODECS[exchange.inbound.protocol],
            CODECS[target.protocol],
            profile,
            self._scope(exchange, requested),
            sse=sse,
            forward=forward,
        )

    def _writes_answers(self, exchange: Exchange, target: Target, profile: CompatProfile, stream: bool) -> bool:
        """An answer of the same protocol that comes in this mode is written by the gateway, not forwarded."""
        incomplete = target.protocol in profile.features.get("incomplete_answers", ())
        edited = profile.model_name == "requested" or profile.edits_answers or incomplete
        return edited or stream is not exchange.stream or not _frames_pass(exchange)

    def failure(self, plan: Plan, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """What an upstream answer with status >= 400 means."""
        return CODECS[_target_of(plan).protocol].read_error(status, headers, body)

    def recover(self, exchange: Exchange, plan: Plan, failure: GatewayError) -> bool:
        """True where the failure says only that this way of asking does not exist: the next plan asks in another.

        A counting call the target does not have becomes an estimate; a history the target has forgotten goes by value;
        a response the target no longer has is deleted here alone. Each happens once per request, and none is the
        target's fault: its health is not touched.
        """
        if plan.upstream is None:
            return False
        if exchange.inbound.operation == "forward":
            return deletion.take_as_gone(exchange, failure)
        if exchange.inbound.operation == "count_tokens":
            known = exchange.estimates
            exchange.estimates = True
            return not known and failure.status in _NO_SUCH_CALL
        return responses.forgotten(exchange, plan, failure)

    def told(self, exchange: Exchange, plan: Plan, error: GatewayError) -> GatewayError:
        """The request's final failure as its client is told: with what it leaves behind, where it leaves anything."""
        return error if plan.target is None else deletion.told(exchange, error, plan.target.provider_key)

    def _scope(self, exchange: Exchange, requested: bool) -> Scope:
        return Scope(
            new_id=exchange.surroundings.new_id,
            created=int(exchange.surroundings.now()),
            conversation=exchange.conversation,
            notes=exchange.notes,
            model=exchange.conversation.model if requested else None,
            done_marker=self._settings.done_marker,
            request_wire=exchange.tree,
        )

    @staticmethod
    def refuse(protocol: Protocol, error: GatewayError, request_id: str, same_protocol: bool = False) -> ErrorReply:
        """An error as the client's protocol spells it; in the same protocol the upstream's own body as it is."""
        reply = CODECS[protocol].write_error(error, request_id)
        if same_protocol and error.vendor_body is not None and error.layer is Layer.UPSTREAM:
            return msgspec.structs.replace(reply, status=error.status, body=error.vendor_body)
        return reply

    def keepalive(self, exchange: Exchange) -> bytes:
        """Bytes that show the client the gateway is alive; b"" where its protocol has none."""
        beat = exchange.trail.keepalive() if exchange.trail is not None else None
        if beat is None:
            beat = self._client_writer(exchange).keepalive()
        if beat:
            exchange.opened = True
        return beat

    def fail(self, exchange: Exchange, error: GatewayError) -> bytes:
        """The terminal error event of the client's stream."""
        last = exchange.trail.fail(error) if exchange.trail is not None else None
        return self._client_writer(exchange).fail(error) if last is None else last

    def _client_writer(self, exchange: Exchange) -> StreamWriter:
        if exchange.writer is None:
            codec: Codec = CODECS[exchange.inbound.protocol]
            target = exchange.attempts[-1].target if exchange.attempts else None
            requested = target is not None and self._profile(target).model_name == "requested"
            exchange.writer = codec.stream_writer(self._scope(exchange, requested))
        return exchange.writer

    def content_type(self, exchange: Exchange) -> str:
        """Of a successful answer to this request."""
        return "text/event-stream" if exchange.stream and _wants_sse(exchange) else "application/json"


def _target_features(target: Target, profile: CompatProfile) -> Mapping[str, Any]:
    """What the writers may know of a target: the profile's facts, then what configuration says of the model."""
    facts = dict(profile.features)
    if target.max_output_tokens is not None:
        facts["max_output_tokens"] = target.max_output_tokens
    facts.update(target.options)
    return facts


def _target_of(plan: Plan) -> Target:
    if plan.target is None:
        raise GatewayError(ErrorKind.INTERNAL, "no_target", "An upstream answer came back for a plan without a target.")
    return plan.target


def _is_stream(content_type: str, plan: Plan) -> bool:
    """What the upstream says it sends; where it says nothing, what it was asked for."""
    if "event-stream" in content_type:
        return True
    if "json" in content_type:
        return False
    return plan.upstream is not None and plan.upstream.stream


def _begins_with_system(messages: JsonValue) -> bool:
    first = messages[0] if isinstance(messages, list) and messages else None
    return isinstance(first, dict) and first.get("role") in ("system", "developer")


def _wants_sse(exchange: Exchange) -> bool:
    return exchange.conversation.framing == "sse"


def _frames_pass(exchange: Exchange) -> bool:
    """An upstream's own frames may go out as they are: the client reads SSE, and its answer needs no edit of ours."""
    return not exchange.stream or _wants_sse(exchange)
