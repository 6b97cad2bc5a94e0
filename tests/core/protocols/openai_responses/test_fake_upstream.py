"""The codec against the fake upstream's own idea of this wire: its renderer's events and its strict validator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from llmswitch_core.canonical.events import Failed, StreamEvent
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    Conversation,
    FinishReason,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from llmswitch_core.protocols.contract import SseFrame
from tests.core.protocols.openai_responses.support import CODEC, client_body, conversation, read, scope, written
from tests.core.protocols.openai_responses.test_properties import conversations
from tests.fake_upstream import script as say
from tests.fake_upstream.ids import Ids
from tests.fake_upstream.records import RecordedRequest
from tests.fake_upstream.render import Context, Event
from tests.fake_upstream.render_responses import ResponsesRenderer
from tests.fake_upstream.strict import Judge, check

INCLUDE = {"include": ["reasoning.encrypted_content"]}
CLIENT_TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "patch"},
    {"type": "tool_search", "execution": "client"},
]


def render(*steps: Any, framing: Any = None) -> ResponsesRenderer:
    context = Context(dict(INCLUDE), "m-1", Ids(), framing or say.Framing(), 1_700_000_000)
    renderer = ResponsesRenderer(context)
    renderer.run(tuple(steps))
    return renderer


def streamed(*steps: Any, framing: Any = None, named: bool = True) -> list[StreamEvent]:
    reader = CODEC.stream_reader(scope(read(tools=CLIENT_TOOLS)))
    out: list[StreamEvent] = []
    for op in render(*steps, framing=framing).ops:
        if isinstance(op, Event):
            data = op.data if isinstance(op.data, str) else json.dumps(op.data)
            out += reader.feed(SseFrame((op.name or "") if named else "", data.encode(), b""))
    return [*out, *reader.end()]


@pytest.mark.parametrize("kind", ["function", "custom", "tool_search"])
@pytest.mark.parametrize("chunks", ["split", "whole", "start_event", "done_only", "empty"])
def test_mp01_every_way_to_send_arguments(kind: Any, chunks: Any) -> None:
    name = {"function": "f", "custom": "patch", "tool_search": "tool_search"}[kind]
    arguments = '{"query": "né\\n"}'
    (call,) = fold(streamed(say.ToolCall(name, arguments, kind=kind, chunks=chunks))).parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.kind) == (name, "custom" if kind == "custom" else "function")
    if chunks == "empty":
        assert call.arguments == ("" if kind == "custom" else "{}")
    elif kind == "tool_search":
        assert json.loads(call.arguments) == json.loads(arguments)
    else:
        assert call.arguments == arguments


@pytest.mark.parametrize("interleave", [False, True])
def test_mp03_parallel_calls(interleave: bool) -> None:
    calls = tuple(say.ToolCall("f", json.dumps({"n": number})) for number in range(4))
    parts = fold(streamed(say.Text("so"), say.Parallel(calls, interleave=interleave))).parts
    assert [json.loads(part.arguments)["n"] for part in parts if isinstance(part, ToolCall)] == [0, 1, 2, 3]
    assert len({part.id for part in parts if isinstance(part, ToolCall)}) == 4


@pytest.mark.parametrize("raw", [False, True])
def test_mp07_thinking(raw: bool) -> None:
    thought, text = fold(streamed(say.Thinking("let me think about it", raw=raw), say.Text("x"))).parts
    assert isinstance(thought, Thinking)
    assert (thought.text, thought.summary) == ("let me think about it", not raw)
    assert thought.signature
    assert text == Text("x")


def test_reasoning_without_text_and_token_stays_the_upstreams() -> None:
    opaque, text = fold(streamed(say.Thinking("", signature=""), say.Text("x"))).parts
    assert isinstance(opaque, Opaque)
    assert opaque.label == "reasoning"
    assert text == Text("x")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("context", FinishReason.LENGTH),
    ],
)
def test_mp12_mp13_finish_and_usage(reason: str, finish: FinishReason) -> None:
    answer = fold(streamed(say.Text("x"), say.Finish(reason), say.Usage(10, 20, 30, 40, 5)))
    assert answer.finish is finish
    usage = answer.usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning) == (10, 25, 30, 40, 5)


def test_mp13_refusal() -> None:
    answer = fold(streamed(say.Refusal("no")))
    assert (answer.parts, answer.finish) == ([Refusal("no")], FinishReason.REFUSAL)


FRAMINGS = [
    say.Framing(),
    say.Framing(done_on_responses=True),
    say.Framing(terminal="double"),
    say.Framing(extra={"unknown": {"x": 1}}),
    say.Framing(obfuscation=True),
]
STEPS = (
    say.Thinking("why"),
    say.Text("one "),
    say.Text("two", new_block=True),
    say.Refusal("no"),
    say.Parallel((say.ToolCall("f", '{"a":1}'), say.ToolCall("patch", "p", kind="custom")), interleave=True),
)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_mp10_framing_changes_nothing(framing: Any, named: bool) -> None:
    plain, other = fold(streamed(*STEPS)), fold(streamed(*STEPS, framing=framing, named=named))
    assert [(type(part), getattr(part, "text", "")) for part in other.parts] == [
        (type(part), getattr(part, "text", "")) for part in plain.parts
    ]
    assert other.finish is plain.finish is FinishReason.TOOL_CALLS


def test_the_whole_body_folds_to_what_the_stream_folds_to() -> None:
    body = render(*STEPS).json_body
    whole = fold(CODEC.read_answer(body, scope(read(tools=CLIENT_TOOLS))))
    live = fold(streamed(*STEPS))
    assert (whole.parts, whole.finish, whole.usage) == (live.parts, live.finish, live.usage)


@pytest.mark.parametrize("style", ["error", "failed"])
@pytest.mark.parametrize("step", [say.ErrorIn200, say.MidStreamError])
def test_mp14_mp16_errors_in_streams(step: Any, style: Any) -> None:
    before = [] if step is say.ErrorIn200 else [say.Text("half")]
    events = streamed(*before, step(429, "slow", code="rate_limit_exceeded", style=style))
    assert isinstance(events[-1], Failed)
    assert events[-1].error.vendor_code == "rate_limit_exceeded"
    assert sum(isinstance(event, Failed) for event in events) == 1


def test_mp14_a_missing_end_is_a_failure() -> None:
    events = streamed(say.Text("x"), framing=say.Framing(terminal="missing"))
    assert isinstance(events[-1], Failed)


def violations(request: Conversation) -> list[str]:
    body, _ = written(request)
    body["max_output_tokens"] = max(16, body.get("max_output_tokens", 16))
    recorded = RecordedRequest(0, 0, 0, "POST", "/v1/responses", {}, [], body=body, protocol="openai-responses")
    judge = Judge(Ids(), trusted=("",))
    return [f"{one.rule}: {one.message}" for one in check(recorded, judge, frozenset())]


@settings(max_examples=40, deadline=None)
@given(conversations())
def test_what_is_written_is_legal_for_the_vendor(request: Conversation) -> None:
    assert violations(request) == []


@pytest.mark.parametrize("name", [f"codex/{number:03}.json" for number in range(1, 16)])
def test_codex_requests_are_legal_after_the_canonical_model(name: str) -> None:
    assert violations(read(**client_body(name))) == []


def test_the_validator_does_refuse() -> None:
    """The two tests above could fail: an orphan result does not pass."""
    orphan = read(input=[{"type": "function_call_output", "call_id": "c", "output": "x"}])
    assert any(one.startswith("orphan_result") for one in violations(orphan))
    assert violations(conversation(protocol=Protocol.ANTHROPIC_MESSAGES)) == []
