"""What only a running server shows: failover, hang-ups, keepalives, growth, counts: MP-16, 25, 26, 28, 29."""

from __future__ import annotations

import itertools
import json
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub.exchange import Inbound, Surroundings
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.router.state import RouterState
from tests.fake_upstream import ErrorIn200, ErrorStatus, Hang, MidStreamError, Slow, Text, Usage
from tests.fake_upstream.script import Step

from .bench import HEADERS, Bench, Reply
from .cases import Cell
from .checks import proves
from .checks_requests import PIXEL
from .checks_streams import failed_visibly
from .checks_tools import TOOLS
from .dialects import Ask, Call, Media, Result, Say, Turn, assistant, request, user
from .gateway import PROVIDER, target

# --- MP-16


@proves("MP-16")
def errors_in_200_fail_over(bench: Bench, cell: Cell) -> None:
    """The first attempt's error is never seen; the client has one clean answer, the upstreams were asked twice."""
    styles = ("error", "failed") if cell.outbound == "openai-responses" else ("error",)
    for style in styles:
        bench.reset()
        bench.script(ErrorIn200(500, "broken inside", style=style))  # type: ignore[arg-type]
        bench.script(Text("second try"), Usage(5, 2))
        reply = bench.ask(cell, Ask(), model="two-" + PROVIDER[cell.outbound])
        assert reply.answer().text == "second try"
        assert b"broken inside" not in reply.body
        assert len(reply.upstream) == 2
        if cell.stream:
            trace = reply.trace()
            assert trace.complete
            assert trace.text == "second try"


@proves("MP-16")
def errors_in_200_of_the_last_target_are_told(bench: Bench, cell: Cell) -> None:
    """Nobody left: a true status where the head has not gone out, never a 200 with an answer."""
    bench.script(ErrorIn200(500, "broken inside"), times=3)
    reply = bench.ask(cell, Ask(), model=bench.fresh_key(cell.outbound))
    failed_visibly(reply, after="")
    assert len(reply.upstream) == 1


@proves("MP-16")
def nothing_is_retried_after_content(bench: Bench, cell: Cell) -> None:
    """Once the client has read a word the answer is this one, and fails as this one."""
    if not cell.stream:
        # A whole answer has no such point: the route's two targets and the default route's, then the truth.
        for said in ("first", "second", "third"):
            bench.script(ErrorStatus(500, said))
        bench.script(Text("never"))
        reply = bench.ask(cell, Ask(), model="two-" + PROVIDER[cell.outbound])
        failed_visibly(reply, after="")
        assert len(reply.upstream) == 3
        return
    bench.script(Text("a word"), MidStreamError(500, "too late"))
    bench.script(Text("never"))
    reply = bench.ask(cell, Ask(), model="two-" + PROVIDER[cell.outbound])
    failed_visibly(reply, after="a word")
    assert len(reply.upstream) == 1


# --- MP-25


def open_request(bench: Bench, cell: Cell, ask: Ask, model: str) -> socket.socket:
    """Send a request and read nothing."""
    gateway = bench.gateway()
    wanted = request(cell.inbound, ask, model, stream=cell.stream)
    raw = json.dumps(wanted.body).encode()
    query = "?" + "&".join(f"{k}={v}" for k, v in wanted.query.items()) if wanted.query else ""
    lines = [f"POST {wanted.path}{query} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{k}: {v}" for k, v in HEADERS[cell.inbound].items()] + [f"content-length: {len(raw)}", "", ""]
    client = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    client.sendall("\r\n".join(lines).encode() + raw)
    return client


STANDSTILLS: dict[str, tuple[Step, ...]] = {
    "before the head": (Hang("head"), Text("never")),
    "before the first byte": (Hang("first_byte"), Text("never")),
    "midway": (Text("a word"), Hang()),
}


@proves("MP-25")
def leaving_cancels_the_upstream(bench: Bench, cell: Cell) -> None:
    """Wherever the answer stands: the upstream sees it end, no second attempt starts, one record is written."""
    gateway = bench.gateway()
    for name, steps in STANDSTILLS.items():
        bench.reset()
        before = gateway.outcomes
        bench.script(*steps)
        bench.script(Text("a retry nobody asked for"))
        client = open_request(bench, cell, Ask(), "two-" + PROVIDER[cell.outbound])
        bench.up.run(bench.up.upstream.wait_held(1))
        if cell.stream and name == "midway":
            got = b""
            while b"a word" not in got:
                piece = client.recv(65536)
                assert piece, f"the gateway hung up first: {got!r}"
                got += piece
        client.close()
        bench.up.wait_disconnect(1, within=5)
        settled(gateway)
        assert len(bench.up.requests) == 1, f"{name}: {len(bench.up.requests)} upstream requests"
        after = gateway.outcomes
        grown = {k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k, 0)}
        assert grown == {"client_cancel": 1}, f"{name}: {grown}"
    bench.up.wait_idle()


def settled(gateway: Any, within: float = 5) -> None:
    """Until no request is under way."""
    until = time.monotonic() + within
    while gateway.running and time.monotonic() < until:
        time.sleep(0.005)
    assert gateway.running == 0, "a slot is still taken"


# --- MP-26


def keepalives(reply: Reply) -> int:
    """Events of the stream that say nothing but that somebody is there."""
    assert not any("" in f.names for f in reply.trace().frames) or reply.same
    count = 0
    for frame in reply.trace().frames:
        if frame.event == "ping":
            count += 1
        elif reply.protocol == "openai-chat" and frame.data != "[DONE]":
            chunk = json.loads(frame.data)
            deltas = [
                c for c in chunk.get("choices") or [] if not any(c["delta"].get(k) for k in ("content", "tool_calls"))
            ]
            count += bool(deltas) and deltas[0]["finish_reason"] is None
        elif frame.event == "response.in_progress":
            count += 1
        elif reply.protocol == "gemini":
            candidates = json.loads(frame.data).get("candidates") or [{}]
            parts = (candidates[0].get("content") or {}).get("parts") or []
            count += not candidates[0].get("finishReason") and not any(p.get("text") for p in parts)
    return count


@proves("MP-26")
def slow_upstreams_are_bridged(bench: Bench, cell: Cell) -> None:
    """Before the head and in the middle: the client hears something, and its SDK reads one whole answer."""
    bench.gateway("brisk", keepalive=0.1)
    quick = Text("Hello "), Text("again.")
    bench.script(*quick)
    usual = keepalives(bench.ask(cell, Ask(), gateway="brisk"))
    for steps in (
        (Slow(0.45, "head"), *quick),
        (Slow(0.45, "first_byte"), *quick),
        (quick[0], Slow(0.45), quick[1]),
    ):
        bench.script(*steps)
        reply = bench.ask(cell, Ask(), gateway="brisk")
        trace = reply.trace()
        assert trace.complete
        assert trace.text == "Hello again."
        assert reply.answer().text == "Hello again."
        assert keepalives(reply) > usual, f"nothing was heard while waiting: {steps}"
        assert len(reply.upstream) == 1
    bench.legal()


@proves("MP-26")
def keepalives_do_not_rearm_the_time_out(bench: Bench, cell: Cell) -> None:
    """The upstream falls silent for good: its idle time-out ends it, however often the client was comforted."""
    bench.gateway("impatient", keepalive=0.05, idle=0.5)
    bench.script(Text("a word"), Hang())
    reply = bench.ask(cell, Ask(), gateway="impatient")
    failed_visibly(reply, after="a word")
    assert keepalives(reply) >= 2
    bench.up.wait_disconnect(1, within=5)
    assert len(reply.upstream) == 1


# --- MP-28


def long_history(turns: int, size: int) -> tuple[Turn, ...]:
    """Tool loops: a question, a call, its result, an answer, over and over."""
    out: list[Turn] = []
    text = ("Grüße, 世界. " * (size // 12 + 1))[:size]
    for n in range(turns // 4):
        out.append(user(f"{n} {text}"))
        out.append(assistant(Call(f"call_{n}", "run", json.dumps({"n": n, "t": text[: size // 2]}))))
        out.append(user(Result(f"call_{n}", (Say(text),), name="run")))
        out.append(assistant("Done."))
    return (*out, user("Go on."))


@proves("MP-28")
def long_histories_pass(bench: Bench, cell: Cell) -> None:
    """400 KB in 500 messages, 50 images, a body of 8 MiB: legal, whole, in order."""
    bench.script(Text("fine"), times=3)
    ask = Ask(long_history(500, 1400), tools=TOOLS)
    reply = bench.ask(cell, ask)
    reply.answer()
    seen = reply.asked
    assert len(seen.calls) == len(seen.results) == 125
    assert [json.loads(c.arguments)["n"] for c in seen.calls] == list(range(125))
    assert len(reply.upstream[-1].raw) > 400_000
    pictures = [part for n in range(50) for part in (Say(f"No. {n}"), Media("image", "image/png", data=PIXEL))]
    reply = bench.ask(cell, Ask((user(*pictures),)))
    reply.answer()
    assert len([p for t in reply.asked.turns for p in t.parts if isinstance(p, Media)]) == 50
    reply = bench.ask(cell, Ask((user("x" * (8 * 1024 * 1024)),)))
    reply.answer()
    assert sum(len(t) for t in reply.asked.texts) == 8 * 1024 * 1024
    bench.legal()


@proves("MP-28")
def work_grows_with_the_length_only(bench: Bench, cell: Cell) -> None:
    """Twice the messages, about twice the calls inside the pipeline; twice the text, hardly any more calls."""
    pipeline = bench.gateway().served.generation().artifacts.pipeline
    short = calls_of(pipeline, cell, long_history(240, 200))
    double = calls_of(pipeline, cell, long_history(480, 200))
    wider = calls_of(pipeline, cell, long_history(240, 2000))
    assert double < 2.2 * short, f"{short} calls for 240 messages, {double} for 480"
    assert wider < 1.3 * short, f"{short} calls for short messages, {wider} for ten times the text"


class _NoStore:
    """Stores that know nothing."""

    def lookup(self, key: str) -> None:
        return None

    get = lookup
    response_of_item = lookup


def calls_of(pipeline: Any, cell: Cell, turns: tuple[Turn, ...]) -> int:
    """Python and C calls that admitting and planning this history takes."""
    wanted = request(cell.inbound, Ask(turns, tools=TOOLS), target(cell.outbound), stream=cell.stream)
    numbers = itertools.count()
    nothing: Any = _NoStore()
    surroundings = Surroundings(lambda: 1.0, lambda prefix: f"{prefix}{next(numbers):024x}", nothing, nothing)
    head = RequestHead("POST", wanted.path, wanted.query, HEADERS[cell.inbound])
    body = json.dumps(wanted.body).encode()
    inbound = Inbound("req_1", Protocol(cell.inbound), "generate", head, body)

    def work() -> None:
        exchange = pipeline.admit(inbound, surroundings)
        plan = pipeline.plan(exchange, RouterState(), frozenset(), 1.0)
        assert plan.upstream is not None

    return counted(work)


def counted(work: Callable[[], None]) -> int:
    """How many function calls `work` makes, those into C included."""
    calls = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


# --- MP-29


@proves("MP-29")
def tokens_are_counted_for_every_upstream(bench: Bench, cell: Cell) -> None:
    """The upstream's own number where it has one; else an estimate that says so, and grows with the text."""
    numbers = []
    for text in ("hi", "a much longer question " * 50):
        bench.reset()
        ask = Ask((user(text),), tools=TOOLS)
        wanted = request(cell.inbound, ask, target(cell.outbound), stream=False)
        body = dict(wanted.body)
        if cell.inbound == "anthropic-messages":
            del body["max_tokens"]
            path = "/v1/messages/count_tokens"
        else:
            path = wanted.path.rpartition(":")[0] + ":countTokens"
            body = {"contents": body["contents"]}
        reply = bench.post(
            cell.inbound, path, json.dumps(body).encode(), stream=False, same=cell.same, running=bench.gateway()
        )
        assert reply.status == 200, reply.body
        bench.legal()
        key = "input_tokens" if cell.inbound == "anthropic-messages" else "totalTokens"
        numbers.append(int(reply.json[key]))
        estimated = reply.headers.get("x-routecodex-estimate")
        if cell.outbound == "openai-chat":
            assert estimated == "tokens"
            assert reply.upstream == []
        else:
            assert estimated is None
            assert [r.operation for r in reply.upstream] == ["count_tokens"]
            assert numbers[-1] == max(1, len(reply.upstream[-1].raw) // 4)
    assert 0 < numbers[0] < numbers[1]
