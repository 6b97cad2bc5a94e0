"""Planted bugs: for every case at least one plausible fault, put into one function of `src/`.

A mutant says in which cells its case must catch it. Faults are put in by replacing attributes for the time of a test;
the gateway runs in this process, so they are in force on the whole path. What is planted are the field's own bugs: a
dropped id, two swapped results, a renamed finish reason, a lost signature, a doubled end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from llmswitch_core.canonical import ids, jsonio
from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Failed,
    Finish,
    PartStart,
    SignatureDelta,
    Start,
    StreamEvent,
    UsageSeen,
)
from llmswitch_core.canonical.model import Conversation, FinishReason, FunctionTool, Media, Part, Text, Turn, Usage
from llmswitch_core.canonical.names import ToolName, WireNames
from llmswitch_core.hub import governance, harvest, pipeline, responder, wire_edit
from llmswitch_core.protocols.anthropic_messages import AnthropicMessages
from llmswitch_core.protocols.anthropic_messages.stream_writer import MessagesStreamWriter
from llmswitch_core.protocols.contract import Notes
from llmswitch_core.protocols.openai_chat.features import Features
from llmswitch_core.protocols.openai_chat.stream_writer import ChatStreamWriter
from llmswitch_core.protocols.openai_responses.stream_writer import ResponsesWriter
from llmswitch_core.protocols.sse import SseParser
from routecodex.app import heads, passage, request_flow
from routecodex.app.client_side import ClientSide

from .cases import BOTH, Cell, Mode
from .planting import CODECS, Patch, change_body, change_bytes, change_conversation, change_events, change_parts

Plant = Callable[[Patch], None]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One planted bug and the cells in which its case must fail."""

    case: str
    bug: str
    plant: Plant
    cells: tuple[Cell, ...]
    stops_the_gateway: bool = False
    """It leaves requests hanging: the gateway is stopped afterwards."""

    def __str__(self) -> str:
        return f"{self.case} {self.bug}"


MUTANTS: Final[list[Mutant]] = []


def mutant(
    case: str, bug: str, *pairs: str, modes: Sequence[Mode] = BOTH, stops: bool = False
) -> Callable[[Plant], Plant]:
    """Register a planted bug of a case, to be caught over these pairs in each of these modes."""

    def register(plant: Plant) -> Plant:
        cells = tuple(Cell(case, pair, mode) for pair in pairs for mode in modes)
        MUTANTS.append(Mutant(case, bug, plant, cells, stops))
        return plant

    return register


# --- the bugs, by case


@mutant("MP-01", "arguments arrive twice", "MC", "CM", "GR", "RC")
def _arguments_twice(patch: Patch) -> None:
    change_events(patch, lambda e: (e, e) if isinstance(e, ArgumentsDelta) and e.text else (e,))


@mutant("MP-01", "arguments are parsed and printed again", "RC", "CR")
def _arguments_reprinted(patch: Patch) -> None:
    def respell(event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, ArgumentsDelta):
            return (ArgumentsDelta(event.index, event.text.replace(": ", ":")),)
        return (event,)

    change_events(patch, respell)


@mutant("MP-02", "the call starts before its name is known", "MC", "RC", "GC")
def _nameless_start(patch: Patch) -> None:
    def nameless(event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, PartStart) and event.kind == "tool_call":
            return (msgspec.structs.replace(event, name=""),)
        return (event,)

    change_events(patch, nameless)


@mutant("MP-03", "all deltas go to the last call", "MC", "RC", "CR", modes=("stream",))
def _wrong_index(patch: Patch) -> None:
    latest: dict[str, int] = {"index": 0}

    def moved(event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, PartStart):
            latest["index"] = event.index
        if isinstance(event, ArgumentsDelta):
            return (ArgumentsDelta(latest["index"], event.text),)
        return (event,)

    change_events(patch, moved)


@mutant("MP-03", "the wish for one call at a time is lost", "MC", "CR", "RM")
def _parallel_lost(patch: Patch) -> None:
    change_conversation(patch, lambda c: msgspec.structs.replace(c, parallel_tool_calls=None))


@mutant("MP-04", "broken histories go upstream as they are", "CM", "MC", "RG", "GM")
def _no_pairing(patch: Patch) -> None:
    patch.setattr(governance, "pair_tools", lambda turns, notes: turns)


@mutant("MP-04", "repairs are not told", "CM", "GC")
def _silent_repairs(patch: Patch) -> None:
    patch.setattr(Notes, "repaired", lambda self, what: None)


@mutant("MP-05", "results are put in reverse order", "MC", "CM", "RG")
def _swapped_results(patch: Patch) -> None:
    real = governance._in_call_order
    patch.setattr(governance, "_in_call_order", lambda *a: list(reversed(real(*a))))


@mutant("MP-06", "ids are sent as they are", "MC", "CM", "RM")
def _ids_untouched(patch: Patch) -> None:
    import re

    patch.setattr(ids, "_LEGAL", re.compile(r"(?s).+\Z"))


@mutant("MP-06", "a renamed tool keeps its wire name", "MC", "GC", "RG")
def _names_not_restored(patch: Patch) -> None:
    patch.setattr(WireNames, "original", lambda self, wire_name: ToolName(wire_name))


@mutant("MP-07", "tokens go to whoever asks", "MM", "GG", "RR")
def _tokens_for_all(patch: Patch) -> None:
    patch.setattr(governance, "may_see", lambda issuer, target: True)


@mutant("MP-07", "the signature is lost on the way", "MR", "RM", "GM")
def _signature_lost(patch: Patch) -> None:
    change_events(patch, lambda e: () if isinstance(e, SignatureDelta) else (e,))


@mutant("MP-08", "reasoning is never sent back", "MC", "RC")
def _no_reasoning_back(patch: Patch) -> None:
    real = Features.get
    patch.setattr(
        Features, "get", lambda self, name, default: False if name == "reasoning_content" else real(self, name, default)
    )


@mutant("MP-09", "message_stop is forgotten", "MC", "MR", "MG", modes=("stream",))
def _no_message_stop(patch: Patch) -> None:
    stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    change_bytes(patch, MessagesStreamWriter, "write", lambda out: out.replace(stop, b""))


@mutant("MP-09", "blocks are not stopped", "MC", "MG", modes=("stream",))
def _no_block_stop(patch: Patch) -> None:
    def without(out: bytes) -> bytes:
        frames = out.split(b"\n\n")
        return b"\n\n".join(f for f in frames if not f.startswith(b"event: content_block_stop"))

    change_bytes(patch, MessagesStreamWriter, "write", without)


@mutant("MP-10", "[DONE] is left out", "CM", "CG", modes=("stream",))
def _no_done(patch: Patch) -> None:
    change_bytes(patch, ChatStreamWriter, "write", lambda out: out.replace(b"data: [DONE]\n\n", b""))


@mutant("MP-10", "a missing blank after `data:` costs a character", "MC", "RG", modes=("stream",))
def _greedy_field(patch: Patch) -> None:
    real = SseParser.feed

    def feed(self: Any, chunk: bytes) -> Any:
        return [msgspec.structs.replace(f, data=f.data[1:]) if b"data:{" in f.raw else f for f in real(self, chunk)]

    patch.setattr(SseParser, "feed", feed)


@mutant("MP-10", "sequence numbers stand still", "RC", "RM", modes=("stream",))
def _no_sequence(patch: Patch) -> None:
    patch.setattr(ResponsesWriter, "_tick", lambda self: 0)


@mutant("MP-11", "each chunk is decoded by itself", "MC", "RM", "CC", "GG", modes=("stream",))
def _chunkwise(patch: Patch) -> None:
    real = SseParser.feed
    patch.setattr(SseParser, "feed", lambda self, chunk: real(self, chunk.decode("utf-8", "replace").encode("utf-8")))


@mutant("MP-11", "a stale content-encoding is passed on", "MC", "CC")
def _stale_encoding(patch: Patch) -> None:
    real = heads.answered
    patch.setattr(heads, "answered", lambda headers: [*real(headers), (b"content-encoding", b"gzip")])


@mutant("MP-12", "usage is dropped", "MC", "CM", "RG", "GR")
def _no_usage(patch: Patch) -> None:
    def without(event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, Start):
            return (msgspec.structs.replace(event, usage=None),)
        return () if isinstance(event, UsageSeen) else (event,)

    change_events(patch, without)


@mutant("MP-12", "cached tokens are counted twice", "MC", "CR", "GC")
def _doubled_cache(patch: Patch) -> None:
    def doubled(event: StreamEvent) -> Iterable[StreamEvent]:
        if isinstance(event, UsageSeen):
            usage: Usage = event.usage
            return (UsageSeen(msgspec.structs.replace(usage, input=usage.input + usage.cache_read)),)
        return (event,)

    change_events(patch, doubled)


@mutant("MP-13", "a tool call ends as an ordinary stop", "MC", "CM", "CG")
def _stop_for_all(patch: Patch) -> None:
    change_events(patch, lambda e: (Finish(FinishReason.STOP),) if isinstance(e, Finish) else (e,))


@mutant("MP-13", "length ends as stop", "RM", "GC")
def _length_forgotten(patch: Patch) -> None:
    def stopped(event: StreamEvent) -> Iterable[StreamEvent]:
        short = isinstance(event, Finish) and event.reason is FinishReason.LENGTH
        return (Finish(FinishReason.STOP),) if short else (event,)

    change_events(patch, stopped)


@mutant("MP-14", "a cut stream ends cleanly", "MC", "CM", "RG", "GR", modes=("stream",))
def _clean_cut(patch: Patch) -> None:
    change_events(patch, lambda e: (Finish(FinishReason.STOP),) if isinstance(e, Failed) else (e,))


@mutant("MP-14", "garbage is taken for an empty answer", "MC", "CG", modes=("whole",))
def _garbage_is_fine(patch: Patch) -> None:
    patch.setattr(
        responder.Responder,
        "_decoded",
        lambda self, body: {
            "choices": [{"message": {"content": "?"}, "finish_reason": "stop"}],
            "candidates": [{"content": {"parts": [{"text": "?"}]}, "finishReason": "STOP"}],
        },
    )


@mutant("MP-15", "every upstream failure becomes a 429", "MC", "CM", "GR")
def _all_429(patch: Patch) -> None:
    def failure(self: Any, plan: Any, status: int, headers: Any, body: bytes) -> GatewayError:
        return GatewayError(ErrorKind.RATE_LIMIT, "rate_limited", f"because of {status}", retry_after=7)

    patch.setattr(pipeline.HubPipeline, "failure", failure)


@mutant("MP-15", "retry-after is lost", "MC", "CM")
def _no_retry_after(patch: Patch) -> None:
    real = pipeline.HubPipeline.failure

    def failure(self: Any, *arguments: Any) -> GatewayError:
        error = real(self, *arguments)
        error.retry_after = None
        return error

    patch.setattr(pipeline.HubPipeline, "failure", failure)


@mutant("MP-16", "a failure inside a 200 is not retried", "MC", "CM", "RR", "GG")
def _no_failover(patch: Patch) -> None:
    patch.setattr(passage, "_may_fail_over", lambda error: False)


@mutant("MP-16", "an answer is begun again after content", "MC", "CR", modes=("stream",))
def _retry_after_content(patch: Patch) -> None:
    patch.setattr(request_flow, "Facts", _forgetful(request_flow.Facts))


def _forgetful(facts: Any) -> Any:
    class Forgetful(facts):  # type: ignore[misc]
        """Never remembers that content went out."""

        @property
        def content_at(self) -> float:
            return 0.0

        @content_at.setter
        def content_at(self, value: float) -> None:
            pass

    return Forgetful


@mutant("MP-17", "empty texts go upstream", "CM", "RM", "GM")
def _empty_text(patch: Patch) -> None:
    def add(body: dict[str, Any]) -> None:
        last = body["messages"][-1]
        content = last["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        last["content"] = [*blocks, {"type": "text", "text": ""}]

    change_body(patch, AnthropicMessages, add)


@mutant("MP-18", "all system text is moved to the front", "CM", "MC", "RC", "MR")
def _system_first(patch: Patch) -> None:
    def front(conversation: Conversation) -> Conversation:
        turns = sorted(conversation.turns, key=lambda t: t.role != "system")
        return msgspec.structs.replace(conversation, turns=turns)

    change_conversation(patch, front)


@mutant("MP-19", "what is dropped is not told", "MC", "MR", "MG")
def _silent_drops(patch: Patch) -> None:
    patch.setattr(Notes, "dropped", lambda self, field: None)


@mutant("MP-19", "breakpoints do not reach Messages", "CM")
def _no_breakpoints(patch: Patch) -> None:
    def bare(part: Part) -> Part:
        return msgspec.structs.replace(part, cache=None) if isinstance(part, Text) else part

    change_parts(patch, bare)


@mutant("MP-20", "an image is sent as its base64 text", "MC", "CM", "RG", "GR")
def _stringified(patch: Patch) -> None:
    change_parts(patch, lambda p: Text(p.data or p.url or "") if isinstance(p, Media) else p)


@mutant("MP-21", "answers are not kept", "RC", "RM", "RG")
def _no_record(patch: Patch) -> None:
    patch.setattr(harvest.responses, "wants_record", lambda exchange: False)


@mutant("MP-22", "a freeform tool comes back as a function", "RM", "RG")
def _custom_forgotten(patch: Patch) -> None:
    real = WireNames.original
    patch.setattr(WireNames, "original", lambda self, name: msgspec.structs.replace(real(self, name), kind="function"))


@mutant("MP-22", "the namespace is lost", "RC", "RM")
def _namespace_lost(patch: Patch) -> None:
    real = WireNames.original
    patch.setattr(WireNames, "original", lambda self, name: msgspec.structs.replace(real(self, name), namespace=None))


@mutant("MP-23", "the tool choice is dropped", "MC", "CM", "RG", "GR")
def _no_choice(patch: Patch) -> None:
    change_conversation(patch, lambda c: msgspec.structs.replace(c, tool_choice=None))


@mutant("MP-23", "stop sequences are dropped", "MC", "CM", "CG")
def _no_stops(patch: Patch) -> None:
    def without(conversation: Conversation) -> Conversation:
        sampling = msgspec.structs.replace(conversation.sampling, stop=None)
        return msgspec.structs.replace(conversation, sampling=sampling)

    change_conversation(patch, without)


@mutant("MP-24", "schemas lose what the old form could not say", "CG", "MG", "RG")
def _poorer_schemas(patch: Patch) -> None:
    def poorer(conversation: Conversation) -> Conversation:
        tools = [
            msgspec.structs.replace(t, parameters={k: v for k, v in t.parameters.items() if k != "$defs"})
            if isinstance(t, FunctionTool) and isinstance(t.parameters, dict)
            else t
            for t in conversation.tools
        ]
        return msgspec.structs.replace(conversation, tools=tools)

    change_conversation(patch, poorer)


@mutant("MP-25", "a hang-up is not noticed", "MC", modes=("stream",), stops=True)
def _deaf(patch: Patch) -> None:
    patch.setattr(ClientSide, "_hung_up", lambda self, _: None)


@mutant("MP-26", "no keepalives", "MC", "CM", "RG", modes=("stream",))
def _silent_waiting(patch: Patch) -> None:
    patch.setattr(pipeline.HubPipeline, "keepalive", lambda self, exchange: b"")


@mutant("MP-26", "a keepalive opens another stream in a forwarded one", "CC", "RR", modes=("stream",))
def _second_opening(patch: Patch) -> None:
    patch.setattr(pipeline.HubPipeline, "keepalive", lambda self, exchange: self._client_writer(exchange).keepalive())


@mutant("MP-27", "the body is parsed and printed again", "CC", "RR", "MM")
def _reprinted(patch: Patch) -> None:
    patch.setattr(pipeline, "edited", lambda body, members, tree, edits: jsonio.encode({**tree, **edits}))


@mutant("MP-27", "the client's betas are dropped", "MM", "CC", "GG")
def _no_betas(patch: Patch) -> None:
    patch.setattr(pipeline, "forwarded_headers", lambda protocol, head: {"anthropic-version": "2023-06-01"})


@mutant("MP-28", "each turn is compared with every other", "MC", "CM", "RG")
def _quadratic(patch: Patch) -> None:
    real = governance.pair_tools

    def slow(turns: list[Turn], notes: Notes) -> list[Turn]:
        for turn in turns:
            sum(isinstance(other, Turn) and other.role == turn.role for other in turns)
        return real(turns, notes)

    patch.setattr(governance, "pair_tools", slow)


@mutant("MP-29", "an upstream's own count is not used", "GM", "MM", "MG", modes=("whole",))
def _never_counts(patch: Patch) -> None:
    for codec in CODECS:
        patch.setattr(codec, "count_request", lambda self, *a: None)


@mutant("MP-30", "another vendor's tokens are replayed", "MM", "GG")
def _tokens_kept(patch: Patch) -> None:
    patch.setattr(pipeline, "keep_tokens", lambda *a: None)


@mutant("MP-31", "a lone surrogate costs the body its bytes", "CC", "RR", "MM")
def _bytes_lost(patch: Patch) -> None:
    def fails(text: str) -> dict[str, Any]:
        raise ValueError(text[:10])

    patch.setattr(wire_edit, "_found_by_scanning", fails)


@mutant("MP-31", "nesting has no limit of its own", "CC", "MC")
def _bottomless(patch: Patch) -> None:
    real = jsonio.decode
    patch.setattr(pipeline.jsonio, "decode", lambda data, *limit: real(data, 1_000_000))
