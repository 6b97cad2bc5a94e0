"""The data of one client request on its way through the Hub Pipeline: what comes in, what was decided, what came out.

An `Exchange` lives as long as the client request and survives failover; a `Plan` is one attempt. Both are plain
holders: the pipeline fills them, the request flow reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import Conversation, FinishReason, JsonValue, Protocol, Usage
from llmswitch_core.hub.responses_state import Expansion, ResponseStore, StoredResponse
from llmswitch_core.hub.tokens import TokenStore
from llmswitch_core.hub.trail import Trail
from llmswitch_core.hub.upstream import Operation, UpstreamRequest
from llmswitch_core.hub.wire_edit import members_of
from llmswitch_core.protocols.contract import Notes, RequestHead, StreamWriter
from llmswitch_core.router.contract import Decision, Features, Target


class Inbound(msgspec.Struct, frozen=True):
    """One client request as the HTTP adapter hands it over.

    `body` is the request body after content-decoding (b"" for GET/DELETE); `account` the name of the api key's owner;
    `hint` the value of `x-routecodex-route`; `conversation` that of `x-routecodex-conversation`; `response_id` the path
    parameter of the Responses state endpoints (operation `forward`).
    """

    request_id: str
    protocol: Protocol
    operation: Operation
    head: RequestHead
    body: bytes
    account: str = ""
    hint: str | None = None
    conversation: str | None = None
    response_id: str | None = None


class Surroundings(msgspec.Struct, frozen=True):
    """All the outside world a request may use: clock reading, id factory and the two stores."""

    now: Callable[[], float]
    """Unix seconds."""
    new_id: Callable[[str], str]
    tokens: TokenStore
    responses: ResponseStore


class Exchange:
    """One client request, from admission to its record. What not every request needs is made when first asked for."""

    __slots__ = (
        "_features",
        "_members",
        "attempts",
        "conversation",
        "conversation_key",
        "conversation_source",
        "estimates",
        "expanded",
        "gone",
        "history",
        "inbound",
        "measure",
        "notes",
        "opened",
        "stream",
        "surroundings",
        "trail",
        "tree",
        "violations_in",
        "writer",
    )

    def __init__(self, inbound: Inbound, surroundings: Surroundings) -> None:
        self.inbound = inbound
        self.surroundings = surroundings
        self.estimates = False
        """Token counts are estimated: the target turned out to have no counting call."""
        self.tree: dict[str, JsonValue] = {}
        """The decoded body."""
        self._members: dict[str, msgspec.Raw] | Literal[False] | None = False
        self.conversation: Conversation
        self.measure: Callable[[Conversation], Features]
        """How the features come about."""
        self._features: Features | None = None
        self.conversation_key: str = ""
        self.conversation_source: str = ""
        self.notes = Notes()
        self.stream: bool = False
        """The client wants a stream."""
        self.writer: StreamWriter | None = None
        """The client's stream, made when first needed; survives failover."""
        self.opened: bool = False
        """Something (a keepalive) was already written to the client by the gateway itself."""
        self.trail: Trail | None = None
        """The client's stream is made of an upstream's own frames."""
        self.expanded: dict[str, JsonValue] | None = None
        """The body with the history behind it as its input (R)."""
        self.history: Expansion | None = None
        """What the request goes on from (R)."""
        self.gone = False
        """The response a DELETE names turned out to be unknown to the upstream that issued it (R)."""
        self.violations_in: tuple[str, ...] | None = None
        """The conversation's own violations; None until a translation had to be compared with them."""
        self.attempts: list[Plan] = []

    def features(self) -> Features:
        """What routing looks at. A request that names its target has no need of them."""
        if self._features is None:
            self._features = self.measure(self.conversation)
        return self._features

    def members(self) -> dict[str, msgspec.Raw] | None:
        """The body's top-level members as bytes; None where nobody can tell them apart. Only edits need them."""
        if self._members is False:
            self._members = members_of(self.inbound.body)
        return self._members


class Plan(msgspec.Struct, frozen=True):
    """One attempt: the sealed request, the target and why; `answer` for `upstream` where no call is needed."""

    upstream: UpstreamRequest | None
    target: Target | None
    decision: Decision | None
    same_protocol: bool
    answer: bytes | None = None
    answer_headers: Mapping[str, str] = {}


class Way(Interface):
    """The way back of one attempt: upstream bytes in, client bytes out. Its methods never raise."""

    failure: GatewayError | None
    """The upstream's answer was judged a failure; with `content` still False the attempt may be replaced."""
    judged: bool
    """The first upstream event was judged: the upstream answers, and not with an error."""
    content: bool
    """Content was released: failover is over."""
    finished: bool
    """The answer is complete and was handed out."""

    def feed(self, chunk: bytes) -> bytes:
        """Client bytes, possibly b""."""
        ...

    def end(self) -> bytes:
        """The upstream's body has ended; for a client that does not stream, the whole answer."""
        ...

    def outcome(self) -> AttemptOutcome: ...


class StateDelta(msgspec.Struct):
    """What an answer changes in the stores; the host applies it once the answer is whole."""

    tokens: dict[str, bytes] = {}
    response: StoredResponse | None = None
    deleted: str = ""
    """Id of a stored response that is gone everywhere else."""

    def __bool__(self) -> bool:
        return bool(self.tokens) or self.response is not None or bool(self.deleted)


class AttemptOutcome(msgspec.Struct, frozen=True):
    """What one attempt came to: failure or finish reason, usage, introduced violations, state to keep."""

    failure: GatewayError | None
    finish: FinishReason | None
    usage: Usage | None
    model: str
    introduced: tuple[str, ...]
    delta: StateDelta
    tool_calls: int = 0
