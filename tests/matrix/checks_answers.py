"""What the client is told: usage, finish reasons, errors, signatures: MP-07, MP-08, MP-12, MP-13, MP-15."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
from google.genai import errors

from tests.fake_upstream import (
    ErrorStatus,
    Finish,
    MidStreamError,
    Refusal,
    Script,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.fake_upstream.script import Step

from .bench import Bench, Reply
from .cases import Cell
from .checks import proves
from .checks_tools import TOOLS
from .dialects import Ask, Call, Result, Say, Think, assistant, request, user
from .gateway import target
from .sdk import Answer

ASK = Ask(tools=TOOLS, thinking=True)


# --- MP-07, MP-08


def replay(answer: Answer, protocol: str) -> tuple[Any, ...]:
    """The assistant's turn as a client of that protocol sends it back: whole, as it got it."""
    parts: list[Any] = [Think(wire=t) for t in answer.thoughts]
    if protocol == "openai-chat" and answer.thinking:
        parts.append(Think(answer.thinking))
    for call, wire in zip(answer.calls, answer.call_parts, strict=True):
        signature = wire.get("thoughtSignature") if protocol == "gemini" else None
        parts.append(Call(call.id, call.name, _dumps(call.arguments), signature))
    return tuple(parts)


def _dumps(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def signatures(protocol: str, body: Any) -> list[str]:
    """Every opaque token in an upstream body."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("signature", "encrypted_content", "thoughtSignature") or (
                    key == "data" and value.get("type") == "redacted_thinking"
                ):
                    found.append(str(inner))
                else:
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(body)
    return found


def _turns(answer: Answer, cell: Cell) -> tuple[Any, ...]:
    results = tuple(Result(c.id, (Say("18"),), name=c.name) for c in answer.calls)
    return (user("Think, then look."), assistant(*replay(answer, cell.inbound)), user(*results))


@proves("MP-07")
def signatures_go_home(bench: Bench, cell: Cell) -> None:
    """Replayed to the provider and model that issued them they arrive unchanged: the strict upstream checks them."""
    bench.script(Thinking("A deep thought."), ToolCall("get_weather", '{"city": "Rom"}'))
    first = bench.ask(cell, ASK).answer()
    issued = dict(bench.up.upstream.ids.issued)
    assert issued, "the upstream signed nothing"
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(_turns(first, cell), tools=TOOLS, thinking=True))
    reply.answer()
    bench.legal()
    sent = [s for s in signatures(cell.outbound, reply.upstream[-1].body) if s]
    if cell.outbound == "gemini":
        sent = [s.replace("-", "+").replace("_", "/") for s in sent]
    assert sent, "the signature did not come home"
    assert set(sent) <= set(issued), sent


@proves("MP-07")
def signatures_do_not_travel(bench: Bench, cell: Cell) -> None:
    """The same history sent to another provider, of each protocol: none of the tokens goes along."""
    bench.script(Thinking("A deep thought."), ToolCall("get_weather", '{"city": "Rom"}'))
    first = bench.ask(cell, ASK).answer()
    tokens = {s.replace("-", "+").replace("_", "/").rstrip("=") for s in first.signatures}
    for other in ("openai-chat", "openai-responses", "anthropic-messages", "gemini"):
        provider = {"openai-chat": "chat-b", "openai-responses": "responses-b", "anthropic-messages": "messages-b"}
        away = target(other, provider=provider.get(other, "gemini-b"))
        bench.script(Text("fine"))
        # Without thinking: M demands the block it can no longer be given.
        reply = bench.ask(cell, Ask(_turns(first, cell), tools=TOOLS), model=away)
        reply.answer()
        bench.legal()
        sent = {s.replace("-", "+").replace("_", "/").rstrip("=") for s in signatures(other, reply.upstream[-1].body)}
        assert not sent & tokens, f"a token went to a foreign provider that speaks {other}"
        assert [json_free(c) for c in reply.asked.calls] == ["get_weather"]


def json_free(call: Call) -> str:
    """The call's name."""
    return call.name


@proves("MP-07")
def redacted_and_bare_thoughts_survive(bench: Bench, cell: Cell) -> None:
    """redacted_thinking, a signature without text, a thoughtSignature without a thought."""
    steps: tuple[Step, ...] = (Thinking(redacted=""), ToolCall("get_weather", '{"city": "Rom"}'))
    if cell.outbound != "anthropic-messages":
        steps = (Thinking(""), ToolCall("get_weather", '{"city": "Rom"}'))
    bench.script(*steps)
    reply = bench.ask(cell, ASK)
    first = reply.answer()
    assert [c.name for c in first.calls] == ["get_weather"]
    if cell.pair == "GM":
        # G has no part that is nothing but a foreign vendor's sealed data: dropped, and told where the head still can.
        assert first.signatures == []
        assert cell.stream or reply.notes.get("thinking.redacted") == "dropped"
        return
    issued = set(bench.up.upstream.ids.issued)
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(_turns(first, cell), tools=TOOLS, thinking=True))
    reply.answer()
    bench.legal()
    sent = [s for s in signatures(cell.outbound, reply.upstream[-1].body) if s]
    if cell.outbound == "gemini":
        sent = [s.replace("-", "+").replace("_", "/") for s in sent]
    assert sent, "the bare token did not come home"
    assert set(sent) <= issued


@proves("MP-08")
def reasoning_goes_back_where_it_is_demanded(bench: Bench, cell: Cell) -> None:
    """DeepSeek wants `reasoning_content` on the assistant message whose tools were called."""
    bench.relax("unknown_parameter")  # DeepSeek's own words, to a fake that speaks OpenAI's
    bench.script(Thinking("First look, then talk."), ToolCall("get_weather", '{"city": "Rom"}'))
    model = target("openai-chat", provider="deepseek")
    first = bench.ask(cell, ASK, model=model).answer()
    assert first.thinking == "First look, then talk."
    bench.script(Text("fine"))
    reply = bench.ask(cell, Ask(_turns(first, cell), tools=TOOLS, thinking=True), model=model)
    reply.answer()
    said = [m for m in reply.upstream[-1].body["messages"] if m.get("tool_calls")]
    assert [m.get("reasoning_content") for m in said] == ["First look, then talk."]


# --- MP-12


COUNTS = Usage(input=100, output=20, cache_read=30, cache_write=7, reasoning=5)


def expect_usage(reply: Reply, cell: Cell, counts: Usage = COUNTS) -> None:
    """The upstream's final numbers in the client's arithmetic."""
    usage = reply.answer().usage
    assert usage is not None, "no usage"
    # G has no number for what was written to a cache: it is part of the prompt.
    assert usage.input == counts.input + counts.cache_read + counts.cache_write
    assert usage.cache_read == counts.cache_read
    assert usage.output == counts.output + counts.reasoning
    assert usage.reasoning in (counts.reasoning, None)
    if usage.reasoning is None:
        assert cell.inbound == "anthropic-messages"
    if cell.outbound == "anthropic-messages" and cell.inbound in ("anthropic-messages", "openai-responses"):
        assert usage.cache_write == counts.cache_write
    if cell.outbound == "gemini" and usage.cache_write is not None:
        assert usage.cache_write == 0


@proves("MP-12")
def usage_is_the_upstreams(bench: Bench, cell: Cell) -> None:
    """Complete, cut off by length, ended by a call: the same numbers, once."""
    endings: tuple[tuple[Step, ...], ...] = (
        (Text("hi"),),
        (Thinking("hm"), Text("hi"), Finish("length")),
        (ToolCall("run", "{}"),),
    )
    for steps in endings:
        bench.script(*steps, COUNTS)
        reply = bench.ask(cell, ASK)
        expect_usage(reply, cell)
        if cell.stream:
            final = reply.trace().usages
            if cell.inbound in ("openai-chat", "openai-responses"):
                assert len(final) == 1, f"usage {len(final)} times"
    bench.legal()


@proves("MP-12")
def c_usage_only_if_asked_for(bench: Bench, cell: Cell) -> None:
    """Always requested upstream, shown to a C client only on request."""
    if cell.stream:
        bench.script(Text("hi"), COUNTS)
        body = dict(request(cell.inbound, ASK, target(cell.outbound), stream=True).body)
        if cell.inbound == "openai-chat":
            del body["stream_options"]
        reply = bench.ask(cell, body)
        if cell.outbound == "openai-chat":
            assert reply.upstream[-1].body["stream_options"] == {"include_usage": True}
        if cell.inbound == "openai-chat":
            trace = reply.trace()
            assert trace.complete
            assert trace.usages == []
            assert '"choices":[]' not in reply.body.decode()
    bench.script(Text("hi"), COUNTS)
    expect_usage(bench.ask(cell, ASK), cell)


@proves("MP-12")
def usage_of_servers_with_their_own_habits(bench: Bench, cell: Cell) -> None:
    """C servers that put usage on the chunk with the finish reason."""
    from tests.fake_upstream import Framing

    framing = Framing(usage_on_finish=True) if cell.outbound == "openai-chat" else Framing()
    bench.script(Script.of(Text("hi"), COUNTS, framing=framing))
    expect_usage(bench.ask(cell, ASK), cell)


# --- MP-13

FINISHES: tuple[tuple[tuple[Step, ...], dict[str, tuple[str, ...]]], ...] = (
    (
        (Text("hi"),),
        {"C": ("stop",), "R": ("completed",), "M": ("end_turn",), "G": ("STOP",)},
    ),
    (
        (Text("hi"), ToolCall("run", "{}")),
        {"C": ("tool_calls",), "R": ("completed",), "M": ("tool_use",), "G": ("STOP",)},
    ),
    (
        (Text("hi"), Finish("length")),
        {"C": ("length",), "R": ("max_output_tokens",), "M": ("max_tokens",), "G": ("MAX_TOKENS",)},
    ),
    (
        (Text("hi"), Finish("content_filter")),
        {"C": ("content_filter",), "R": ("content_filter", "completed"), "M": ("refusal",), "G": ("SAFETY",)},
    ),
)


@proves("MP-13")
def reasons_are_translated(bench: Bench, cell: Cell) -> None:
    """Stop, call, length, filter: exactly one, the last."""
    for steps, wanted in FINISHES:
        bench.script(*steps)
        reply = bench.ask(cell, ASK)
        answer = reply.answer()
        assert answer.finish in wanted[cell.pair[0]], f"{steps}: {answer.finish}"
        if cell.stream:
            trace = reply.trace()
            assert len(trace.finishes) == 1, trace.finishes
            assert trace.complete
    bench.legal()


@proves("MP-13")
def a_call_is_told_even_where_the_upstream_forgets(bench: Bench, cell: Cell) -> None:
    """Upstreams that say `stop` after a tool call (G always does)."""
    if cell.same:
        bench.script(ToolCall("run", "{}"), Finish("tool"))
    else:
        bench.script(ToolCall("run", "{}"), Finish("stop"))
    answer = bench.ask(cell, ASK).answer()
    wanted = {"C": "tool_calls", "R": "completed", "M": "tool_use", "G": "STOP"}
    assert answer.finish == wanted[cell.pair[0]]


@proves("MP-13")
def refusals_and_pauses_are_told(bench: Bench, cell: Cell) -> None:
    """The refusal's text reaches the client; a pause is no failure."""
    bench.script(Refusal("I will not."))
    reply = bench.ask(cell, ASK)
    answer = reply.answer()
    if cell.pair == "GG":
        # google-genai leaves finishMessage out; the bytes are the upstream's.
        assert b'"finishMessage":"I will not."' in reply.body
    else:
        assert "I will not." in answer.refusal + answer.text
    if cell.outbound == "anthropic-messages":
        bench.script(Text("to be continued"), Finish("pause"))
        answer = bench.ask(cell, ASK).answer()
        assert answer.text == "to be continued"
        assert answer.finish == {"C": "stop", "R": "completed", "M": "pause_turn", "G": "STOP"}[cell.pair[0]]


@proves("MP-13")
def unknown_reasons_end_the_answer(bench: Bench, cell: Cell) -> None:
    """A reason nobody knows is an end all the same; the same protocol keeps its spelling."""
    raw = {
        "openai-chat": "eos_token",
        "openai-responses": "too_bored",
        "anthropic-messages": "bored",
        "gemini": "BORED",
    }
    bench.script(Text("hi"), Finish("stop", raw=raw[cell.outbound]))
    reply = bench.ask(cell, ASK)
    if cell.pair == "GG":
        # google-genai turns an unknown enum value into a warning; the bytes are what counts.
        assert b"BORED" in reply.body
        return
    answer = reply.answer()
    assert answer.text == "hi"
    assert answer.finish
    if cell.same:
        assert answer.finish == raw[cell.outbound]
    if cell.stream:
        assert len(reply.trace().finishes) == 1


# --- MP-15

STATUSES = (400, 401, 403, 404, 413, 429, 500, 503)
CLASSES: dict[str, dict[int, type[Exception] | tuple[type[Exception], ...]]] = {
    "openai": {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        413: openai.APIStatusError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        503: openai.InternalServerError,
    },
    "anthropic-messages": {
        400: anthropic.BadRequestError,
        401: anthropic.AuthenticationError,
        403: anthropic.PermissionDeniedError,
        404: anthropic.NotFoundError,
        413: anthropic.APIStatusError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
        503: anthropic.InternalServerError,
        529: anthropic.InternalServerError,
    },
    "gemini": dict.fromkeys((400, 401, 403, 404, 413, 429), errors.ClientError)
    | dict.fromkeys((500, 503), errors.ServerError),
}
M_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
G_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@proves("MP-15")
def statuses_and_envelopes(bench: Bench, cell: Cell) -> None:
    """The upstream's status in the client's envelope; M has 529 for an overload; `retry-after` is kept."""
    for status in STATUSES:
        bench.reset()
        headers = (("retry-after", "7"),) if status in (429, 503) else ()
        bench.script(ErrorStatus(status, f"because of {status}", headers=headers), times=3)
        reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
        shown = 529 if status == 503 and cell.inbound == "anthropic-messages" and not cell.same else status
        if status == 500 and not cell.same:
            assert reply.status in (500, 502), reply.status
            shown = reply.status
        assert reply.status == shown, f"{status} became {reply.status}: {reply.body[:200]!r}"
        assert f"because of {status}" in reply.body.decode()
        if headers:
            assert reply.headers.get("retry-after") == "7", f"{status} lost its retry-after"
        expect_envelope(reply, shown)


def expect_envelope(reply: Reply, status: int) -> None:
    """The vendor's error object, and the exception its SDK raises for it."""
    raised = reply.failure()
    known = CLASSES["openai" if reply.protocol.startswith("openai") else reply.protocol]
    if status in known:
        assert isinstance(raised, known[status]), repr(raised)
    body = reply.json
    if reply.protocol == "anthropic-messages":
        assert body["type"] == "error"
        assert set(body["error"]) >= {"type", "message"}
        if not reply.same and status in M_TYPES:
            assert body["error"]["type"] == M_TYPES[status]
    elif reply.protocol == "gemini":
        assert body["error"]["code"] == status
        if not reply.same and status in G_STATUS:
            assert body["error"]["status"] == G_STATUS[status]
    else:
        assert set(body["error"]) >= {"message", "type", "param", "code"}


@proves("MP-15")
def the_gateways_own_refusals(bench: Bench, cell: Cell) -> None:
    """A body that is no JSON, a request without turns, a model nobody has: the client's envelope, no upstream call."""
    bad = bench.ask(cell, b'{"model": ')
    assert bad.status == 400
    expect_envelope(bad, 400)
    assert bad.upstream == []
    wrong = bench.ask(cell, {"messages": 7, "input": 7, "contents": 7, "max_tokens": 5})
    assert wrong.status == 400
    expect_envelope(wrong, 400)
    assert wrong.upstream == []


@proves("MP-12")
def usage_after_a_failure_is_not_doubled(bench: Bench, cell: Cell) -> None:
    """A failed stream shows usage at most once, and never a made-up one after its error."""
    if not cell.stream:
        return
    bench.script(Text("hi"), MidStreamError(500, "fell over"))
    reply = bench.ask(cell, ASK, model=bench.fresh_key(cell.outbound))
    trace = reply.trace()
    assert trace.error is not None
    finals = [u for u in trace.usages if u.get("completion_tokens") or u.get("total_tokens")]
    assert len(finals) <= 1
