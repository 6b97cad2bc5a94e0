"""The requests beside generation: token counts, embeddings, compaction. They take the same path (architecture.md §1).

They are answered whole, in the client's own dialect: embeddings and compaction are forwarded, a count is read and
written. What a target's protocol cannot do at all is refused here, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError, Layer, invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, Protocol
from llmswitch_core.hub.exchange import AttemptOutcome, Exchange, Inbound, Plan, StateDelta
from llmswitch_core.protocols.contract import Codec
from llmswitch_core.router.contract import Features

OPERATIONS: Final = frozenset({"embed", "compact"})
"""Operations whose body is forwarded without being read as a conversation."""

MAX_BODY: Final = 64 * 1024 * 1024

_DIALECTS: Final[Mapping[Protocol, frozenset[Protocol]]] = {
    Protocol.OPENAI_CHAT: frozenset({Protocol.OPENAI_CHAT, Protocol.OPENAI_RESPONSES}),
    Protocol.OPENAI_RESPONSES: frozenset({Protocol.OPENAI_CHAT, Protocol.OPENAI_RESPONSES}),
    Protocol.ANTHROPIC_MESSAGES: frozenset(),
    Protocol.GEMINI: frozenset({Protocol.GEMINI}),
}
"""Which targets speak the embeddings dialect of a client."""


def targets_of(operation: str, protocol: Protocol) -> frozenset[Protocol] | None:
    """Protocols a target may have for this operation; None = any."""
    if operation == "embed":
        return _DIALECTS[protocol]
    if operation == "compact":
        return frozenset({Protocol.OPENAI_RESPONSES})
    return None


def admit(exchange: Exchange) -> None:
    """Read what routing needs: the model's name."""
    inbound = exchange.inbound
    model = exchange.tree.get("model")
    if inbound.protocol is Protocol.GEMINI:
        model = inbound.head.path.rpartition("/models/")[2].rpartition(":")[0]
    if not isinstance(model, str) or not model:
        raise invalid("The request names no model.", param="model", next_step="Set `model` to a string.")
    exchange.conversation = Conversation(inbound.protocol, model, [])
    exchange.measure = lambda conversation: _features(conversation.model, len(inbound.body))
    exchange.conversation_key, exchange.conversation_source = inbound.request_id, "request_id"


def _features(model: str, size: int) -> Features:
    """Of a body that is not read as a conversation and has `size` bytes."""
    return Features(
        model=model,
        estimated_tokens=size // 4,
        latest_text="",
        latest_media=(),
        has_media=False,
        tool_names=(),
        last_tool=None,
        last_tool_category=None,
        hosted_tools=(),
        thinking=False,
        has_tools=False,
    )


def inner_model(tree: Mapping[str, JsonValue], model: str) -> dict[str, JsonValue]:
    """Edits for the places where a Gemini body names the model of its path once more: the vendor refuses another."""
    name = f"models/{model}"
    edits: dict[str, JsonValue] = {}
    if isinstance(tree.get("model"), str) and tree["model"] != name:
        edits["model"] = name
    counted = tree.get("generateContentRequest")
    if isinstance(counted, dict) and counted.get("model", name) != name:
        edits["generateContentRequest"] = {**counted, "model": name}
    batch = tree.get("requests")
    if isinstance(batch, list) and any(isinstance(one, dict) and one.get("model", name) != name for one in batch):
        edits["requests"] = [{**one, "model": name} if isinstance(one, dict) else one for one in batch]
    return edits


def no_speaker(inbound: Inbound) -> GatewayError:
    """No target of this model's speaks what the operation needs."""
    if inbound.operation == "compact":
        return GatewayError(
            ErrorKind.NOT_FOUND,
            "not_found",
            "No target of this model serves /v1/responses/compact: only openai-responses upstreams can.",
            next_step="Route the model to an openai-responses provider, or let the client compact by itself.",
            layer=Layer.PROVIDER,
        )
    return invalid(
        "No target of this model speaks the client's embeddings dialect.",
        param="model",
        code="unsupported_embeddings",
        next_step="Name a model of a provider whose protocol is the client's.",
    )


class WholeAnswer:
    """The way back of an auxiliary request: collects the upstream's body and hands it on."""

    def __init__(self, plan: Plan, inbound: Codec, outbound: Codec, counting: bool) -> None:
        self._plan = plan
        self._inbound = inbound
        self._outbound = outbound
        self._counting = counting
        self._buffer: list[bytes] = []
        self._size = 0
        self.failure: GatewayError | None = None
        self.judged = False
        self.content = False
        self.finished = False

    def feed(self, chunk: bytes) -> bytes:
        """Nothing goes out before the whole answer is there."""
        self._size += len(chunk)
        if self._size > MAX_BODY:
            self.failure = _bad(f"The upstream's answer has more than {MAX_BODY} bytes.")
        elif self.failure is None:
            self._buffer.append(chunk)
        return b""

    def end(self) -> bytes:
        """The client's whole answer."""
        if self.failure is not None:
            return b""
        self.judged = True
        body = b"".join(self._buffer)
        try:
            tree = jsonio.decode(body)
        except ValueError as error:
            self.failure = _bad(f"The upstream's answer is no JSON: {error}")
            return b""
        if not isinstance(tree, dict):
            self.failure = _bad("The upstream's answer is JSON, but no object.")
            return b""
        if self._counting and not self._plan.same_protocol:
            try:
                body = self._inbound.write_count(self._outbound.read_count(tree), estimated=False)
            except GatewayError as error:
                self.failure = error
                return b""
        self.content = self.finished = True
        return body

    def outcome(self) -> AttemptOutcome:
        """Counts and embeddings leave nothing behind."""
        return AttemptOutcome(self.failure, None, None, "", (), StateDelta())


def _bad(message: str) -> GatewayError:
    return GatewayError(ErrorKind.UPSTREAM, "bad_upstream_body", message, layer=Layer.UPSTREAM)
