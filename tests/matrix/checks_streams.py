"""The shape of streams: MP-09 to MP-11 and MP-14."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from tests.fake_upstream import (
    Comment,
    Cut,
    Delivery,
    Finish,
    Framing,
    Garbage,
    MidStreamError,
    Parallel,
    Ping,
    RawEvent,
    Refusal,
    Script,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.fake_upstream.script import Step

from . import grammar
from .bench import Bench, Reply
from .cases import Cell
from .checks import proves
from .checks_tools import TOOLS
from .dialects import Ask
from .inprocess import InProcess

RICH: tuple[Step, ...] = (
    Thinking("Let me think about Zürich 🌍."),
    Text("Grüße! ", size=3),
    Parallel((ToolCall("get_weather", '{"city": "Zürich"}', size=3), ToolCall("get_time", '{"city": "東京"}')), True),
    Usage(100, 20, 30, 0, 5),
)
ASK = Ask(tools=TOOLS, thinking=True)


def expect_rich(reply: Reply) -> None:
    """The answer of RICH, by the SDK."""
    answer = reply.answer()
    assert answer.text == "Grüße! "
    assert answer.thinking == "Let me think about Zürich 🌍."
    assert [(c.name, c.arguments) for c in answer.calls] == [
        ("get_weather", {"city": "Zürich"}),
        ("get_time", {"city": "東京"}),
    ]
    assert answer.order[:2] == ["thinking", "text"]


@proves("MP-09")
def one_block_at_a_time(bench: Bench, cell: Cell) -> None:
    """Whatever the upstream interleaves: starts, deltas of the open block, stops; then the end, and nothing more."""
    answers: tuple[tuple[Step, ...], ...] = (
        RICH,
        (Text("plain"),),
        (Thinking("only a thought"), ToolCall("run", "{}")),
        (Text("a"), ToolCall("run", "{}"), Text("b"), ToolCall("run", '{"x": 1}'), Thinking("late"), Text("c")),
        (Refusal("No."),),
        (Text("cut short"), Finish("length")),
        (ToolCall("run", chunks="empty"), ToolCall("get_time", '{"city": "x"}', chunks="done_only")),
        (Text("one", new_block=True), Text("two", new_block=True)),
    )
    for steps in answers:
        bench.script(*steps)
        reply = bench.ask(cell, ASK)
        trace = reply.trace()
        assert trace.complete, f"no clean end for {steps}"
        assert trace.frames[0].event == "message_start"
        assert trace.frames[-1].event == "message_stop"
        reply.answer()
    bench.legal()


@proves("MP-09")
def terminals_do_not_double(bench: Bench, cell: Cell) -> None:
    """An upstream that ends twice, or keeps talking after its end."""
    framing = Framing(terminal="double")
    bench.script(Script.of(Text("hello"), framing=framing))
    reply = bench.ask(cell, ASK)
    kinds = [f.event for f in reply.trace().frames]
    assert kinds.count("message_stop") == 1
    assert kinds.count("message_start") == 1


FRAMINGS: dict[str, Framing] = {
    "no space after data:": Framing(space=False),
    "CRLF": Framing(newline="\r\n"),
    "LF": Framing(newline="\n"),
    "multi-line data": Framing(multiline=True),
    "unknown fields": Framing(extra={"x_unknown": {"deep": [1, None]}}),
    "a BOM first": Framing(bom=True),
    "obfuscation": Framing(obfuscation=True),
    "no event lines": Framing(event_lines=False),
}


@proves("MP-10")
def every_legal_framing_is_read(bench: Bench, cell: Cell) -> None:
    """The same answer in other spellings of SSE."""
    for name, framing in FRAMINGS.items():
        bench.script(Script.of(*RICH, framing=framing, name=name))
        reply = bench.ask(cell, ASK)
        if cell.same and name == "no event lines" and cell.inbound == "anthropic-messages":
            # Forwarded as the upstream spelled it, which Anthropic's SDK does not read: the trace must.
            assert reply.trace().complete
            continue
        if cell.pair == "GG" and name == "no space after data:":
            # google-genai itself wants the space; the bytes are the upstream's.
            assert reply.trace().complete
            continue
        expect_rich(reply)
        assert reply.trace().complete, name


@proves("MP-10")
def comments_pings_and_unknown_events_do_no_harm(bench: Bench, cell: Cell) -> None:
    """Between any two events; G's clients must not see a comment."""
    steps: tuple[Step, ...] = (Text("Hel"), Ping(), Text("lo"))
    if cell.outbound != "gemini":
        steps = (Comment("hi"), *steps, Comment("there"))
    if cell.outbound in ("anthropic-messages", "openai-responses") and not cell.same:
        event = "x.unknown" if cell.outbound == "openai-responses" else "x_unknown"
        steps = (Text("Hel"), RawEvent(json.dumps({"type": event, "sequence_number": 0}), event), *steps[2:])
        steps = (steps[0], steps[1], Text("lo"))
    bench.script(*steps)
    reply = bench.ask(cell, ASK)
    trace = reply.trace()
    assert trace.complete
    assert trace.text == "Hello"
    if cell.inbound == "gemini":
        assert all("" not in f.names for f in trace.frames)


@proves("MP-10")
def ends_are_spelled_as_the_protocol_does(bench: Bench, cell: Cell) -> None:
    """`[DONE]` last on C and nowhere else, rising numbers on R, event lines on M and R, also where the upstream
    leaves its own end marker out."""
    framings = [Framing()]
    if cell.outbound == "openai-chat":
        framings.append(Framing(terminal="missing"))
    if cell.outbound == "openai-responses" and not cell.same:
        framings.append(Framing(done_on_responses=True))
    for framing in framings:
        bench.script(Script.of(*RICH, framing=framing))
        reply = bench.ask(cell, ASK)
        trace = reply.trace()
        assert trace.complete
        marked = [f for f in trace.frames if f.data == "[DONE]"]
        assert len(marked) == (1 if cell.inbound == "openai-chat" else 0)
        if cell.inbound in ("anthropic-messages", "openai-responses"):
            assert all(f.event for f in trace.frames)
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert "content-length" not in reply.headers


@proves("MP-11")
def any_split_gives_the_same(bench: Bench, cell: Cell) -> None:
    """Single bytes, seeded pieces inside UTF-8 and between CR and LF."""
    deliveries = [Delivery("one"), Delivery("bytes", size=1), Delivery("seeded", seed=7), Delivery("bytes", size=13)]
    if cell.stream:
        deliveries.append(Delivery("seeded", seed=23))
    for delivery in deliveries:
        framing = Framing(newline="\r\n") if delivery.seed == 23 else Framing()
        bench.script(Script(RICH, framing, delivery))
        reply = bench.ask(cell, ASK)
        expect_rich(reply)
        if cell.stream:
            assert reply.trace().complete


@proves("MP-11")
def every_cut_gives_the_same_bytes(bench: Bench, cell: Cell) -> None:
    """Without sockets, which join what was written apart: each single byte, each pair, and cuts at every place."""
    inside = InProcess()
    for newline in ("\n", "\r\n"):
        got: set[bytes] = set()
        for cuts in (None, range(1, 10_000), range(2, 10_000, 2), range(1, 10_000, 7), random.Random(5)):
            inside.reset()
            inside.fake.script(Script(RICH, Framing(newline=newline)))
            passed = inside.ask(cell, ASK, cuts=cuts)
            assert passed.failure is None, passed.failure
            got.add(passed.reply.body)
        assert len(got) == 1, f"{len(got)} different answers to one upstream answer"
        passed.reply.status = 200
        expect_rich(passed.reply)


@proves("MP-11")
def encodings_are_undone(bench: Bench, cell: Cell) -> None:
    """gzip, br, zstd and deflate; the client gets identity and no stale header."""
    for encoding in ("gzip", "br", "zstd", "deflate"):
        bench.script(Script(RICH, None, Delivery("seeded", seed=3, encoding=encoding)))  # type: ignore[arg-type]
        reply = bench.ask(cell, ASK)
        assert "content-encoding" not in reply.headers, encoding
        if not cell.stream:
            assert int(reply.headers["content-length"]) == len(reply.body)
        expect_rich(reply)


# --- failures on the way


def failed_visibly(reply: Reply, *, after: str) -> None:
    """What came is kept, the SDK raises or the stream shows no end, and nothing looks like a clean one."""
    if not reply.stream:
        assert reply.status >= 400, f"a failure became {reply.status}: {reply.body[:200]!r}"
        reply.failure()
        return
    assert reply.status == 200 or reply.status >= 400
    if reply.status >= 400:
        reply.failure()
        return
    trace = grammar.check(reply.protocol, _whole_frames(reply), forwarded=reply.same)
    assert trace.text == after, f"the text before the failure: {trace.text!r}"
    assert not trace.complete, "a failure that ends cleanly"
    assert "end_turn" not in trace.finishes
    assert "stop" not in trace.finishes
    assert "STOP" not in trace.finishes
    assert trace.error is not None or reply.broken, "the stream just ends"
    assert trace.error is not None, "the failure is not told in the client's protocol"
    reply.failure()


def _whole_frames(reply: Reply) -> bytes:
    """The body up to its last blank line: an upstream's half frame, forwarded, is no frame."""
    if reply.body.endswith((b"\n\n", b"\r\n\r\n")) or reply.protocol == "gemini":
        return reply.body
    assert not reply.body or reply.broken, f"a frame without an end: {reply.body[-80:]!r}"
    return reply.body[: reply.body.rfind(b"\n\n") + 2]


TROUBLE: dict[str, Callable[[Cell], tuple[Step, ...]]] = {
    "cut": lambda cell: (Cut(),),
    "reset": lambda cell: (Cut(how="rst"),),
    "error event": lambda cell: (MidStreamError(500, "the model fell over"),),
    "overload event": lambda cell: (MidStreamError(529 if cell.outbound == "anthropic-messages" else 503),),
}


@proves("MP-14")
def failures_midway_are_told(bench: Bench, cell: Cell) -> None:
    """Cut by FIN and by RST, error events of the vendor, after content."""
    for name, trouble in TROUBLE.items():
        bench.reset()
        bench.script(Text("This much."), *trouble(cell))
        reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
        failed_visibly(reply, after="This much.")
        attempts = len(reply.upstream)
        assert attempts == 1 if cell.stream else attempts >= 1, f"{name}: {attempts} attempts"


@proves("MP-14")
def a_stream_without_an_end_is_cut(bench: Bench, cell: Cell) -> None:
    """The connection closes where HTTP/1.0 would end a body; the protocol's own end is missing."""
    if not cell.stream:
        bench.script(Garbage(b'{"id": "x", "choices": ['))
        reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
        assert reply.status >= 500
        reply.failure()
        return
    bench.script(Script.of(Text("This much."), Cut(), delivery=Delivery(transfer="close")))
    reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
    failed_visibly(reply, after="This much.")


@proves("MP-14")
def garbage_is_a_failure(bench: Bench, cell: Cell) -> None:
    """A proxy's HTML page in the middle of the stream, or in place of the JSON."""
    bench.script(*((Text("This much."),) if cell.stream else ()), Garbage(b"data: <html>bad gateway\n\n"), Finish())
    reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
    failed_visibly(reply, after="This much.")


__all__ = ["ASK", "RICH", "Any"]
