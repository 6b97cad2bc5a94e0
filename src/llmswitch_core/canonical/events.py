"""Canonical streaming events: one upstream answer as a sequence, whatever protocol it came in.

Grammar: `Start (PartStart delta* PartStop | UsageSeen)* Finish` or, at any point, `Failed`, which is last.
Parts are numbered from 0 in the order in which they start; deltas of different parts may interleave (parallel
tool calls of Chat Completions do), `PartStop` ends one part. A reader emits `PartStart` for a tool call only once
the name is known (MP-02). `UsageSeen` may come several times, each replaces the former; the last is the truth.
`Finish` is emitted once, when the upstream's *final* word is in (so that usage that arrives after the finish
reason precedes it): Chat Completions hold it back until `[DONE]`/end of stream. A stream that ends without it has
been cut: the reader's `end()` says so with `Failed` (MP-14).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import FinishReason, JsonValue, Part, Protocol, Usage


class Start(msgspec.Struct, frozen=True):
    """The upstream accepted the request. Content-free: may be held back while failover is possible."""

    id: str
    model: str
    usage: Usage | None = None
    created: int | None = None
    service_tier: str | None = None


PartKind: TypeAlias = Literal["text", "thinking", "tool_call", "refusal", "whole"]


class PartStart(msgspec.Struct, frozen=True):
    """Part `index` begins. For kind `tool_call`: id, name (final), call_kind, namespace.

    `whole` carries a complete part in `part` (redacted thinking, media, opaque items) and takes no deltas.
    """

    index: int
    kind: PartKind
    id: str = ""
    name: str = ""
    call_kind: Literal["function", "custom"] = "function"
    namespace: str | None = None
    item_id: str | None = None
    signature: str | None = None
    """tool_call: Gemini thoughtSignature."""
    summary: bool = False
    """thinking: the text is a summary (R)."""
    origin: Protocol | None = None
    """thinking: protocol whose token form the signature has; None = plain reasoning_content."""
    part: Part | None = None


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """More text of part `index`, whose kind is text, thinking or refusal."""

    index: int
    text: str
    logprobs: JsonValue = None


class ArgumentsDelta(msgspec.Struct, frozen=True, gc=False):
    """More of a tool call's arguments (JSON text, or free text for a custom tool)."""

    index: int
    text: str


class SignatureDelta(msgspec.Struct, frozen=True):
    """The opaque token of a thinking (or text, tool_call) part: whole, replaces an earlier one."""

    index: int
    signature: str


class CitationDelta(msgspec.Struct, frozen=True):
    """One citation/annotation of a text part, as its origin protocol's wire object."""

    index: int
    citation: JsonValue
    protocol: Protocol


class PartStop(msgspec.Struct, frozen=True):
    """Part `index` is complete. `wire` may hold the origin's final item (R output item) for same-protocol writers."""

    index: int
    wire: JsonValue = None


class UsageSeen(msgspec.Struct, frozen=True):
    """Token counts so far; the last one seen is final."""

    usage: Usage


class Finish(msgspec.Struct, frozen=True):
    """The answer is complete. `wire` is the upstream's own word for the reason."""

    reason: FinishReason
    wire: str | None = None
    stop_sequence: str | None = None


class Ping(msgspec.Struct, frozen=True):
    """The upstream is alive and has nothing to say."""


class Failed(msgspec.Struct, frozen=True):
    """The answer failed; nothing follows. `error.kind` and status as if it had been an HTTP answer."""

    error: GatewayError


StreamEvent: TypeAlias = (
    Start
    | PartStart
    | TextDelta
    | ArgumentsDelta
    | SignatureDelta
    | CitationDelta
    | PartStop
    | UsageSeen
    | Finish
    | Ping
    | Failed
)

CONTENT_EVENTS = (TextDelta, ArgumentsDelta, SignatureDelta, CitationDelta, PartStop, Finish)
"""Events after which failover is over: something of the answer itself has been said (with some kinds of PartStart)."""


def is_content(event: StreamEvent) -> bool:
    """True from the first event on that shows part of the answer (architecture.md §4, "When failover ends")."""
    if isinstance(event, PartStart):
        return event.kind in {"whole", "tool_call"}
    return isinstance(event, CONTENT_EVENTS)
