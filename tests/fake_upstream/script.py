"""What an answer says and how it travels: the vocabulary of the fake upstream.

Knows neither the wire formats (the renderers do) nor sockets (the wire does). A script is an ordered list
of protocol-neutral steps; framing and delivery are orthogonal to what is said. All of it is frozen data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

ToolChunks = Literal["split", "whole", "start_event", "done_only", "late_name", "empty"]
ToolKind = Literal["function", "custom", "tool_search"]
How = Literal["fin", "rst"]


# --- what is said -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Visible text. Adjacent Text steps are one block or item, unless `new_block`.

    `pieces` fixes the deltas; without it the text is cut into pieces of `size` characters.
    """

    text: str
    pieces: tuple[str, ...] | None = None
    size: int = 12
    new_block: bool = False


@dataclass(frozen=True)
class Thinking:
    """Reasoning. `signature=None` issues one, `signature=""` sends none; `redacted` replaces text by data.

    On C it is `reasoning_content` (see Framing.reasoning_field); on R a summary, or with `raw` reasoning_text;
    on G a thought part, whose signature rides on the next call or on the last, empty, text part.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    raw: bool = False
    size: int = 16


@dataclass(frozen=True)
class ToolCall:
    """One call. `arguments` is JSON text (for kind `custom`: the raw input).

    chunks: split (pieces), whole (one delta), start_event (all in the opening event, no delta), done_only
    (only the closing event has them; where a protocol has no closing event: one late delta), late_name
    (C: the name comes after the first chunk), empty (no arguments at all).
    """

    name: str
    arguments: str = "{}"
    id: str | None = None
    kind: ToolKind = "function"
    namespace: str | None = None
    chunks: ToolChunks = "split"
    size: int = 8


@dataclass(frozen=True)
class Parallel:
    """Several calls of one turn; `interleave` mixes their deltas where the protocol permits it (C, R)."""

    calls: tuple[ToolCall, ...]
    interleave: bool = False


@dataclass(frozen=True)
class Refusal:
    """The model declines: refusal content (C, R), stop_reason refusal (M), SAFETY (G)."""

    text: str = "I can't help with that."


@dataclass(frozen=True)
class Usage:
    """Disjoint token counters: input excludes both caches, output excludes reasoning."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Finish:
    """Why it ended: stop, length, tool, refusal, content_filter, prompt_blocked, pause, stop_sequence,
    context, malformed.

    `raw` is sent as it is (an unknown reason); `stop_sequence` names the matched one (M).
    """

    reason: str = "stop"
    raw: str | None = None
    stop_sequence: str | None = None


# --- what goes wrong --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ErrorStatus:
    """A plain HTTP error in the vendor's shape; type and code default to what the vendor uses."""

    status: int = 500
    message: str = "scripted error"
    type: str | None = None
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class ErrorIn200:
    """Status 200, yet the first event (or the JSON body) is an error of the status given."""

    status: int = 500
    message: str = "scripted error"
    type: str | None = None
    code: str | None = None
    style: Literal["error", "failed"] = "error"


@dataclass(frozen=True)
class MidStreamError:
    """An error event after content. On R `failed` sends response.failed, `error` the bare error event."""

    status: int = 500
    message: str = "scripted error"
    type: str | None = None
    code: str | None = None
    style: Literal["error", "failed"] = "failed"


@dataclass(frozen=True)
class Cut:
    """The connection ends here, without a clean end. Without counts: at this place in the script.

    `after_events` and `after_bytes` (of the encoded body) count from the start of the body; `before_head`
    closes before any response byte.
    """

    after_events: int | None = None
    after_bytes: int | None = None
    how: How = "fin"
    before_head: bool = False


@dataclass(frozen=True)
class Slow:
    """Sleep: at this place (`here`), before the head, before the first body byte, or between all writes."""

    seconds: float
    where: Literal["here", "head", "first_byte", "between"] = "here"


@dataclass(frozen=True)
class Gate:
    """Wait at this place (or before the head) until `upstream.open_gate(name)`; tests without clocks."""

    name: str = "gate"
    where: Literal["here", "head", "first_byte"] = "here"


@dataclass(frozen=True)
class Hang:
    """Never continue (until the client leaves or the upstream stops)."""

    where: Literal["here", "head", "first_byte"] = "here"


@dataclass(frozen=True)
class Garbage:
    """Raw bytes in the body at this place."""

    data: bytes = b"<html><body>502 Bad Gateway</body></html>"


@dataclass(frozen=True)
class Comment:
    """An SSE comment frame (`: text`)."""

    text: str = "keepalive"


@dataclass(frozen=True)
class Ping:
    """A keepalive as the vendor sends it: `event: ping` on M, a comment on C and R, nothing on G."""


@dataclass(frozen=True)
class RawEvent:
    """An event nobody knows: an event name (or none) and its data, text as it is."""

    data: str
    event: str | None = None


Step = (
    Text
    | Thinking
    | ToolCall
    | Parallel
    | Refusal
    | Usage
    | Finish
    | ErrorStatus
    | ErrorIn200
    | MidStreamError
    | Cut
    | Slow
    | Gate
    | Hang
    | Garbage
    | Comment
    | Ping
    | RawEvent
)


# --- how it travels ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Framing:
    """SSE grammar variations and small vendor habits."""

    newline: str | None = None
    """None: what the vendor sends, CRLF on G and LF elsewhere."""
    space: bool = True
    """`data: x` or `data:x`."""
    multiline: bool = False
    """Break each JSON over several data lines."""
    event_lines: bool = True
    """`event:` lines on M and R."""
    terminal: Literal["once", "missing", "double"] = "once"
    """C: [DONE]; M: message_stop; R: the terminal event; G: the chunk with the finish reason."""
    done_on_responses: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)
    """Unknown fields merged into every event and body."""
    reasoning_field: str = "reasoning_content"
    """C: the delta field for Thinking; `reasoning` for OpenRouter and vLLM."""
    usage_on_finish: bool = False
    """C: some servers put usage on the chunk with the finish reason instead of one of its own."""
    obfuscation: bool = False
    """C and R: the padding field the vendor adds to deltas."""
    bom: bool = False


@dataclass(frozen=True)
class Delivery:
    """How the bytes are cut into writes, encoded and delimited."""

    chunking: Literal["one", "per_event", "bytes", "seeded"] = "per_event"
    size: int = 7
    """For `bytes`: the length of every piece."""
    seed: int = 0
    """For `seeded`: random pieces of 1 to 40 bytes, inside UTF-8 and between CR and LF too."""
    encoding: Literal["none", "gzip", "deflate", "br", "zstd"] = "none"
    transfer: Literal["chunked", "length", "close"] = "chunked"
    """Non-streamed answers use `length` unless this says `close`, or `chunked` with `force_transfer`."""
    force_transfer: bool = False
    connection: Literal["keep-alive", "close", "silent-close"] = "keep-alive"
    """`silent-close` says keep-alive and closes after the answer: a stale connection in the client's pool."""
    pause: float | None = None
    """Seconds between writes; 0 only yields to the loop and drains; None writes back to back."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Script:
    """One answer: its steps, and optionally its own framing and delivery."""

    steps: tuple[Step, ...] = ()
    framing: Framing | None = None
    delivery: Delivery | None = None
    name: str = ""

    @classmethod
    def of(
        cls, *steps: Step, framing: Framing | None = None, delivery: Delivery | None = None, name: str = ""
    ) -> Script:
        """Read as a sentence: `Script.of(Text("hi"), Usage(3, 1), Finish("length"))`."""
        return cls(tuple(steps), framing, delivery, name)

    def with_delivery(self, delivery: Delivery) -> Script:
        """The same words, travelling differently."""
        return replace(self, delivery=delivery)

    def with_framing(self, framing: Framing) -> Script:
        """The same words, framed differently."""
        return replace(self, framing=framing)


def pieces(text: str, size: int) -> list[str]:
    """The text cut into pieces of `size` characters; the empty text has no pieces."""
    return [text[i : i + size] for i in range(0, len(text), max(1, size))]
