"""What a protocol codec is: the one interface the Hub Pipeline uses to speak any wire protocol.

A codec is stateless; per-stream state lives in the readers and writers it makes. Bytes in, canonical events
out, and the other way round. It knows one wire format and nothing of routing, vendors' quirks (compat) or I/O.
Ids, clock readings and seeds come in through `Scope`.

Two things every reader must do: accept what real peers send (missing optional members, nulls, unknown members
and events, numbers for strings) without an exception other than `GatewayError`, and never invent a clean end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.model import Answer, Conversation, JsonValue, Protocol
from llmswitch_core.protocols.losses import Loss


class Notes:
    """What could not be carried, by the names of losses.py, for `x-routecodex-notes`: in order, once, at most 64."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def dropped(self, loss: Loss) -> None:
        """It could not be sent; weighs more than what was said of the same name before."""
        if loss in self._names:
            self._names[loss] = "dropped"
        self._add(loss, "dropped")

    def mapped(self, loss: Loss) -> None:
        """It was sent in another form than an equal one."""
        self._add(loss, "mapped")

    def repaired(self, loss: Loss) -> None:
        """An invariant of the target was restored (an orphan result, an unanswered call)."""
        self._add(loss, "repaired")

    def _add(self, loss: Loss, how: str) -> None:
        if len(self._names) < 64:
            self._names.setdefault(loss, how)

    def items(self) -> Sequence[tuple[str, str]]:
        return tuple(self._names.items())

    def header(self) -> str:
        """`field;how, field;how`, ASCII, safe as a header value, at most 1 KiB; empty if nothing was noted."""
        if not self._names:
            return ""
        text = ", ".join(f"{name};{how}" for name, how in self._names.items())
        return text.encode("ascii", "replace").decode()[:1024]


class RequestHead(msgspec.Struct, frozen=True):
    """The part of an HTTP request outside its body that has meaning for the protocol.

    `path` as received without the query, `query` decoded single values, `headers` lower-case names.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class Scope(msgspec.Struct, frozen=True):
    """What a reader or writer may use of the outside world: all of it deterministic.

    `new_id(prefix)` gives a fresh id such as `msg_…` (24 hex after the prefix); `created` unix seconds; `model` the
    model name the client sees in the answer; `conversation` the inbound request (tool kinds, namespaces,
    include_usage, echo fields of R); `done_marker` whether R streams end in `data: [DONE]`; `notes` where
    answer-side losses are told.
    """

    new_id: Callable[[str], str]
    created: int
    conversation: Conversation
    notes: Notes
    model: str | None = None
    """None: keep the upstream's model name."""
    done_marker: bool = False
    request_wire: JsonValue = None
    """The decoded inbound body (R echoes members of it in its answers)."""


class WireTarget(msgspec.Struct, frozen=True):
    """What a request writer needs to know of the target: the model, and what the compat profile says it can take.

    `features` are the profile's facts with the codec's own defaults for a missing key, e.g. for G
    `tool_schema: "parametersJsonSchema" | "parameters"`, for C `max_tokens_field`, `reasoning_content`,
    `stream_usage`, `developer_role`; for M `default_max_tokens`, `mid_system`.
    """

    model: str
    stream: bool
    same_vendor: bool
    """The target belongs to the vendor whose protocol the client speaks."""
    features: Mapping[str, Any] = {}


class WireRequest(msgspec.Struct):
    """An upstream request without transport: method, path relative to the provider's base URL, body as a JSON tree."""

    path: str
    body: dict[str, JsonValue]
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    method: str = "POST"


class SseFrame(msgspec.Struct, frozen=True, gc=False):
    """One server-sent event: `event` name or "", `data` (lines joined by LF), and `raw`: the bytes as received."""

    event: str
    data: bytes
    raw: bytes


class StreamReader(Interface):
    """Upstream stream -> canonical events. One per upstream attempt."""

    def feed(self, frame: SseFrame) -> Sequence[StreamEvent]:
        """Events this frame completes. After `Finish` or `Failed` the reader answers () to everything."""
        ...

    def end(self) -> Sequence[StreamEvent]:
        """The upstream's stream has ended: the held-back `Finish`, or `Failed` if it never finished.

        () after a terminal event."""
        ...


class StreamWriter(Interface):
    """Canonical events -> client bytes. One per client request; survives failover.

    A second `Start` (another attempt) is ignored if the first was already written. Interleaved parts are put
    into the order the protocol demands. After the terminal bytes everything yields b"".
    """

    def write(self, event: StreamEvent) -> bytes:
        """Frames for this event, possibly b""."""
        ...

    def keepalive(self) -> bytes:
        """Bytes the client counts as activity but not as content (MP-26); b"" where the protocol has none.

        They may open the stream, with the gateway's own ids."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """The protocol's terminal error event. b"" if the stream already ended."""
        ...


class ErrorReply(msgspec.Struct, frozen=True):
    """An error as an HTTP answer: status, JSON body, extra headers (`retry-after`); the host adds `content-type`."""

    status: int
    body: bytes
    headers: dict[str, str] = {}


class Codec(Interface):
    """One wire protocol, both directions."""

    protocol: Protocol

    # client side ---------------------------------------------------------------------------------
    def read_request(self, head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
        """Inbound body -> Conversation. Raises GatewayError(INVALID_REQUEST, param=path) for what makes no sense."""
        ...

    def stream_writer(self, scope: Scope) -> StreamWriter: ...

    def write_answer(self, answer: Answer, scope: Scope) -> bytes:
        """Non-streamed answer body."""
        ...

    def write_error(self, error: GatewayError, request_id: str) -> ErrorReply:
        """Any failure in this protocol's envelope, with the status this protocol uses for it (MP-15)."""
        ...

    # upstream side -------------------------------------------------------------------------------
    def write_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
        """Conversation -> upstream body, from scratch. Raises GatewayError for what must be refused (MP-23)."""
        ...

    def stream_reader(self, scope: Scope) -> StreamReader: ...

    def read_answer(self, body: Mapping[str, JsonValue], scope: Scope) -> Iterable[StreamEvent]:
        """A whole 200 body as the events a stream would give; `Failed` if it is an error in disguise (MP-16)."""
        ...

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
        """An upstream failure, layer UPSTREAM: kind from status, error type and code, never from words of the message.

        `retry_after` from headers or the body (G RetryInfo); vendor_type, vendor_code and vendor_body are kept."""
        ...

    # token counting ------------------------------------------------------------------------------
    def count_request(self, conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
        """The upstream's token counting call, or None where the protocol has none (then the host estimates)."""
        ...

    def read_count(self, body: Mapping[str, JsonValue]) -> int: ...

    def write_count(self, tokens: int, estimated: bool) -> bytes: ...
