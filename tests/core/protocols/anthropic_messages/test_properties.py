"""Round trips of generated conversations and answers: nothing is lost, whatever the chunking."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import (
    Answer,
    CacheControl,
    Conversation,
    CustomTool,
    FinishReason,
    FunctionTool,
    Media,
    OutputFormat,
    Part,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)
from llmswitch_core.protocols.contract import Notes
from tests.core.protocols.anthropic_messages.builders import (
    CODEC,
    G,
    M,
    R,
    assert_grammar,
    frames,
    head,
    heard,
    payloads,
    said,
    scope,
    target,
    wire,
)

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
_CACHE = st.none() | st.builds(CacheControl, ttl=st.none() | st.sampled_from(["5m", "1h"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_OBJECT = st.dictionaries(_TEXT, _JSON, max_size=3)
_ID = st.text(st.characters(codec="ascii"), min_size=1, max_size=12)
_NAME = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1, max_size=12)

_TEXT_PART = st.builds(Text, _TEXT, cache=_CACHE)
_IMAGE = st.builds(
    lambda data, cache: Media("image", media_type="image/png", data=data, cache=cache),
    st.sampled_from(["iVBORw0KGgo=", "AAAA"]),
    _CACHE,
) | st.builds(lambda cache: Media("image", url="https://x.example/a.png", cache=cache), _CACHE)
_DOCUMENT = st.builds(
    lambda name, text, cache: Media("document", media_type="text/plain", text=text, name=name, cache=cache),
    st.none() | _TEXT,
    _TEXT,
    _CACHE,
)
_THOUGHT = st.builds(
    Thinking,
    text=st.text("abc ", max_size=5),
    signature=st.text("ABCabc123=/+", min_size=1, max_size=20),
    origin=st.just(M),
) | st.builds(Thinking, redacted=st.text("xyz", min_size=1, max_size=9), origin=st.just(M))


@st.composite
def _turns(draw: st.DrawFn) -> list[Turn]:
    turns: list[Turn] = []
    if draw(st.booleans()):
        turns.append(Turn("system", draw(st.lists(_TEXT_PART, min_size=1, max_size=3))))
    turns.append(Turn("user", draw(st.lists(_TEXT_PART | _IMAGE | _DOCUMENT, min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        ids = draw(st.lists(_ID, max_size=3, unique=True))
        calls: list[Part] = [
            ToolCall(
                call_id,
                draw(_NAME),
                msgspec.json.encode(draw(_OBJECT)).decode(),
                cache=draw(_CACHE),
            )
            for call_id in ids
        ]
        said_parts = draw(st.lists(_THOUGHT | _TEXT_PART, min_size=0 if calls else 1, max_size=2))
        turns.append(Turn("assistant", [*said_parts, *calls]))
        results: list[Part] = [
            ToolResult(
                call_id,
                draw(st.lists(_TEXT_PART | _IMAGE, max_size=2)),
                is_error=draw(st.booleans()),
                cache=draw(_CACHE),
            )
            for call_id in ids
        ]
        turns.append(Turn("user", [*results, *draw(st.lists(_TEXT_PART, min_size=0 if results else 1, max_size=2))]))
        if draw(st.booleans()):
            turns.append(Turn("system", draw(st.lists(_TEXT_PART, min_size=1, max_size=2))))
            turns.append(Turn("user", draw(st.lists(_TEXT_PART, min_size=1, max_size=2))))
    return turns


_REASONING = st.none() | st.builds(
    Reasoning,
    mode=st.sampled_from(["off", "adaptive"]),
    effort=st.none() | st.sampled_from(["low", "medium", "high", "xhigh", "max"]),
    visible=st.none(),
)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    names = draw(st.lists(_NAME, max_size=3, unique=True))
    tools = [
        FunctionTool(
            name,
            description=draw(st.none() | _TEXT),
            parameters={"type": "object", "properties": draw(st.dictionaries(_NAME, st.just({"type": "string"})))},
            strict=draw(st.none() | st.booleans()),
            deferred=draw(st.booleans()),
            cache=draw(_CACHE),
        )
        for name in names
    ]
    choice = draw(st.none() | st.sampled_from(["auto", "none", "required", "named"])) if tools else None
    return Conversation(
        protocol=M,
        model="claude-opus-5-5",
        turns=draw(_turns()),
        tools=list(tools),
        tool_choice=ToolChoice(choice, name=names[0] if choice == "named" else None) if choice else None,
        parallel_tool_calls=draw(st.none() | st.booleans()) if choice and choice != "none" else None,
        sampling=Sampling(
            max_output_tokens=draw(st.integers(1, 64000)),
            stop=draw(st.none() | st.lists(_TEXT, min_size=1, max_size=2)),
        ),
        reasoning=draw(_REASONING),
        output=draw(st.none() | st.just(OutputFormat("json_schema", schema={"type": "object", "properties": {}}))),
        user=draw(st.none() | _TEXT),
        cache=draw(_CACHE),
        service_tier=draw(st.none() | st.sampled_from(["auto", "standard_only"])),
        extensions=draw(st.sampled_from([{}, {"context_management": {"edits": []}}, {"container": "c_1"}])),
    )


@settings(max_examples=120, deadline=None)
@given(conversations())
def test_a_written_request_reads_back_as_the_same_conversation(subject: Conversation) -> None:
    before = msgspec.json.encode(subject)
    request = CODEC.write_request(subject, target(), Notes())
    assert msgspec.json.encode(subject) == before, "the writer changed what it was given"
    again = CODEC.read_request(head(), json.loads(json.dumps(request.body)))
    again.session = None
    assert again == subject


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_mp05_a_foreign_conversation_has_results_first_and_alternates(subject: Conversation) -> None:
    foreign = msgspec.structs.replace(subject, protocol=G, extensions={})
    messages = CODEC.write_request(foreign, target(mid_system="user"), Notes()).body["messages"]
    roles = [message["role"] for message in messages]
    assert roles[0] == "user"
    assert all(one != two for one, two in itertools.pairwise(roles))
    for message in messages:
        kinds = [block["type"] == "tool_result" for block in message["content"]]
        assert kinds == sorted(kinds, reverse=True)
        assert message["content"]


# --- answers -------------------------------------------------------------------------------------------

_FINISHES = st.sampled_from(
    [
        FinishReason.LENGTH,
        FinishReason.REFUSAL,
        FinishReason.PAUSE,
        FinishReason.CONTEXT_WINDOW,
        FinishReason.STOP_SEQUENCE,
    ]
)
_WORDS = {
    FinishReason.STOP: "end_turn",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.REFUSAL: "refusal",
    FinishReason.PAUSE: "pause_turn",
    FinishReason.CONTEXT_WINDOW: "model_context_window_exceeded",
    FinishReason.STOP_SEQUENCE: "stop_sequence",
}
_TOOLS = [FunctionTool("run"), FunctionTool("read"), CustomTool("patch")]

_ANSWER_PART = st.one_of(
    st.builds(Text, _TEXT),
    st.builds(Thinking, text=_TEXT, signature=st.text("ABC=", min_size=1), origin=st.sampled_from([M, G])),
    st.builds(Thinking, text=st.just(""), signature=st.text("ABC=", min_size=1), origin=st.just(M)),
    st.builds(Thinking, text=_TEXT, signature=st.text("ABC=", min_size=1), origin=st.just(R), summary=st.booleans()),
    st.builds(Thinking, redacted=st.text("xyz", min_size=1), origin=st.just(M)),
    st.builds(
        ToolCall,
        id=_NAME,
        name=st.sampled_from(["run", "read"]),
        arguments=_OBJECT.map(lambda value: msgspec.json.encode(value).decode()),
    ),
    st.builds(ToolCall, id=_NAME, name=st.just("patch"), arguments=_TEXT, kind=st.just("custom")),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    parts = draw(st.lists(_ANSWER_PART, max_size=5))
    called = any(isinstance(part, ToolCall) for part in parts)
    finish = draw(st.just(FinishReason.TOOL_CALLS if called else FinishReason.STOP) | _FINISHES)
    return Answer(
        id="msg_1",
        model="claude-opus-5-5",
        parts=parts,
        finish=finish,
        finish_wire=_WORDS[finish],
        stop_sequence="END" if finish is FinishReason.STOP_SEQUENCE else None,
        usage=Usage(*draw(st.tuples(*[st.integers(0, 10**6)] * 4)), reasoning=draw(st.integers(0, 99))),
    )


def _comparable(answer: Answer) -> dict[str, Any]:
    out = msgspec.to_builtins(answer)
    (out["usage"] or {}).pop("wire", None)
    for part in out["parts"]:
        # Foreign thinking comes back from a Messages *client*, so its origin is read off the next request, not here.
        if part["type"] == "thinking":
            part.pop("origin", None)
            part.pop("summary", None)
            part.pop("signature", None)
    return dict(out)


@settings(max_examples=150, deadline=None)
@given(answers(), st.integers(1, 40))
def test_mp11_an_answer_survives_writing_chunking_and_reading(answer: Answer, size: int) -> None:
    data = said(unfold(answer), scope(_TOOLS))
    assert_grammar(data)
    again = fold(heard(frames(data, size), scope(_TOOLS)))
    assert _comparable(again) == _comparable(answer)


@settings(max_examples=100, deadline=None)
@given(answers())
def test_mp12_a_json_answer_equals_the_fold_of_its_stream(answer: Answer) -> None:
    streamed = fold(heard(frames(said(unfold(answer), scope(_TOOLS))), scope(_TOOLS)))
    body = json.loads(CODEC.write_answer(answer, scope(_TOOLS)))
    plain = fold(CODEC.read_answer(body, scope(_TOOLS)))
    assert _normal_arguments(_comparable(plain)) == _normal_arguments(_comparable(streamed))


def _normal_arguments(answer: dict[str, Any]) -> dict[str, Any]:
    for part in answer["parts"]:
        if part["type"] == "tool_call" and part["kind"] == "function":
            part["arguments"] = json.loads(part["arguments"])
    return answer


@settings(max_examples=60, deadline=None)
@given(answers())
def test_mp07_thinking_returns_from_the_client_with_its_own_token_and_origin(answer: Answer) -> None:
    body = json.loads(CODEC.write_answer(answer, scope(_TOOLS)))
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": body["content"]}]
    conversation = CODEC.read_request(head(), {"model": "m", "max_tokens": 1, "messages": messages})
    thoughts = [part for part in conversation.turns[1].parts if isinstance(part, Thinking)]
    assert thoughts == [part for part in answer.parts if isinstance(part, Thinking)]


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[StreamEvent], list[ToolCall]]:
    """Parallel calls whose argument deltas arrive in any order, as Chat Completions may send them."""
    calls = [
        ToolCall(f"call_{i}", draw(st.sampled_from(["run", "read"])), draw(_OBJECT.map(json.dumps)))
        for i in range(draw(st.integers(2, 4)))
    ]
    queues: list[list[StreamEvent]] = []
    for index, call in enumerate(calls):
        cut = draw(st.integers(0, len(call.arguments)))
        pieces = [call.arguments[:cut], call.arguments[cut:]]
        queues.append([*(ArgumentsDelta(index, piece) for piece in pieces if piece), PartStop(index)])
    events: list[StreamEvent] = [Start("id", "m")]
    events += [PartStart(i, "tool_call", id=call.id, name=call.name) for i, call in enumerate(calls)]
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    return [*events, UsageSeen(Usage(1, 2)), Finish(FinishReason.TOOL_CALLS)], calls


@settings(max_examples=80, deadline=None)
@given(interleaved())
def test_mp03_interleaved_parallel_calls_come_out_one_after_the_other(
    case: tuple[list[StreamEvent], list[ToolCall]],
) -> None:
    events, calls = case
    data = said(events, scope(_TOOLS))
    assert_grammar(data)
    got = [part for part in fold(heard(frames(data), scope(_TOOLS))).parts if isinstance(part, ToolCall)]
    assert [(part.id, part.name, part.arguments) for part in got] == [
        (call.id, call.name, call.arguments) for call in calls
    ]


@settings(max_examples=60, deadline=None)
@given(_JSON | st.dictionaries(st.sampled_from(["model", "messages", "system", "tools", "thinking"]), _JSON))
def test_hostile_bodies_are_read_or_refused_with_a_400_naming_a_member(value: Any) -> None:
    body = value if isinstance(value, dict) else {"model": "m", "messages": value}
    outcome = _outcome(body)
    assert outcome is None or (outcome.status == 400 and outcome.param)


def _outcome(body: dict[str, Any]) -> GatewayError | None:
    try:
        CODEC.read_request(head(), body)
    except GatewayError as error:
        return error
    return None


_WORD = st.sampled_from(["text", "thinking", "tool_use", "server_tool_use", "redacted_thinking", "compaction", "x"])
_ODD_BLOCK = st.dictionaries(
    st.sampled_from(["text", "thinking", "signature", "id", "name", "input", "data", "citations", "content"]), _JSON
).flatmap(lambda block: _WORD.map(lambda kind: {**block, "type": kind}))
_ODD_DELTA = st.dictionaries(
    st.sampled_from(["text", "thinking", "partial_json", "signature", "citation", "content", "stop_reason"]), _JSON
).flatmap(
    lambda delta: st.sampled_from(
        ["text_delta", "thinking_delta", "input_json_delta", "signature_delta", "citations_delta", "compaction_delta"]
    ).map(lambda kind: {**delta, "type": kind})
)
_ODD_EVENT = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
                "ping",
            ]
        )
    },
    optional={
        "index": st.integers(0, 2) | _JSON,
        "message": _JSON | st.fixed_dictionaries({"usage": _JSON, "id": _JSON}),
        "content_block": _ODD_BLOCK | _JSON,
        "delta": _ODD_DELTA | _JSON,
        "usage": _JSON | st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), _JSON),
    },
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_ODD_EVENT, max_size=12))
def test_events_with_members_of_any_type_never_raise_and_can_be_written_again(events: list[dict[str, Any]]) -> None:
    got = heard(wire(*events), scope(_TOOLS))
    assert isinstance(got[-1], Finish | Failed)
    data = said(got, scope(_TOOLS))
    if any(isinstance(event, Start) for event in got):
        assert_grammar(data)
    else:
        assert {event["type"] for event in payloads(data)} <= {"ping", "error"}


@settings(max_examples=80, deadline=None)
@given(st.lists(_JSON, max_size=6))
def test_garbage_frames_never_raise_and_end_in_failure(values: list[Any]) -> None:
    events = heard(frames(b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)))
    assert type(events[-1]).__name__ == "Failed"
    assert not any(isinstance(event, SignatureDelta | TextDelta) for event in events)
