"""Generated conversations and answers survive this wire, however the bytes are cut."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.events import Finish, PartStart, StreamEvent
from llmswitch_core.canonical.fold import fold, unfold
from llmswitch_core.canonical.model import (
    Answer,
    Conversation,
    CustomTool,
    FinishReason,
    FunctionTool,
    Media,
    OutputFormat,
    Protocol,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)
from llmswitch_core.protocols.sse import SseParser
from tests.core.protocols.openai_responses.support import CODEC, HEAD, conversation, scope, stream, written

R = Protocol.OPENAI_RESPONSES
TOOLS = [
    FunctionTool("f", "about f", {"type": "object", "properties": {}}, strict=True),
    FunctionTool(
        "g", None, {"type": "object", "properties": {}}, namespace="ns", namespace_description="n", deferred=True
    ),
    CustomTool("p", "freeform", {"type": "text"}),
    CustomTool("q", namespace="ns2", namespace_description=""),
]

plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
filled = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
texts = st.builds(Text, filled)
images = st.builds(
    Media, st.just("image"), st.sampled_from(["image/png", "image/jpeg"]), st.just("AAAA"), detail=st.just("auto")
)
files = st.builds(Media, st.just("document"), st.just("application/pdf"), st.just("BBBB"), name=st.just("a.pdf"))
arguments = st.dictionaries(st.sampled_from("abc"), plain, max_size=2).map(lambda tree: json.dumps(tree))


@st.composite
def calls(draw: st.DrawFn) -> ToolCall:
    tool = draw(st.sampled_from(TOOLS))
    custom = isinstance(tool, CustomTool)
    return ToolCall(
        draw(ids),
        tool.name,
        draw(plain if custom else arguments),
        kind="custom" if custom else "function",
        namespace=tool.namespace,
    )


def thinking(signatures: st.SearchStrategy[str]) -> st.SearchStrategy[Thinking]:
    return st.builds(Thinking, filled, signatures, summary=st.just(True), origin=st.just(R))


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[Turn]:
    """The assistant thinks, speaks, calls; the user answers the calls. Call ids differ between exchanges."""
    made = draw(st.lists(calls(), max_size=3, unique_by=lambda call: call.id))
    made = [msgspec.structs.replace(call, id=f"{call.id}.{number}") for call in made]
    # What is said after another thought is another message, hence another turn: one thought leads the turn.
    said: list[Any] = draw(st.lists(thinking(filled), max_size=1))
    said += draw(st.lists(texts | st.builds(Refusal, filled), min_size=0 if made else 1, max_size=3))
    turns = [Turn("assistant", [*said, *made])]
    if made:
        content = st.lists(texts | images | files, max_size=2)
        turns.append(Turn("user", [ToolResult(call.id, draw(content), kind=call.kind) for call in made]))
    return turns


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    turns = [Turn("system", [Text(draw(filled))])] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 3))):
        turns.append(Turn("user", draw(st.lists(texts | images | files, min_size=1, max_size=3))))
        turns += draw(exchanges(number))
    return conversation(
        *turns,
        tools=TOOLS,
        tool_choice=draw(
            st.none()
            | st.sampled_from(
                [ToolChoice("auto"), ToolChoice("named", "f"), ToolChoice("required", allowed=("f", "p"))]
            )
        ),
        parallel_tool_calls=draw(st.none() | st.booleans()),
        sampling=Sampling(
            max_output_tokens=draw(st.none() | st.integers(1, 9)), temperature=draw(st.none() | st.floats(0, 2))
        ),
        reasoning=draw(
            st.none() | st.builds(Reasoning, effort=st.sampled_from(["low", "high"]), encrypted=st.booleans())
        ),
        output=draw(
            st.none() | st.builds(OutputFormat, st.just("json_schema"), st.just({"type": "object"}), name=st.just("n"))
        ),
        store=draw(st.none() | st.booleans()),
        session="s",
        cache_key="s",
        metadata={"a": "b"},
        extensions={"truncation": "auto", "reasoning.context": "all_turns"},
    )


def comparable(request: Conversation) -> Any:
    """Without what only the wire form of a reasoning item adds."""
    tree = msgspec.to_builtins(request)
    for turn in tree["turns"]:
        for part in turn["parts"]:
            part.pop("wire", None)
    return tree


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_a_conversation_is_read_as_it_was_written(request: Conversation) -> None:
    body, notes = written(request)
    again = CODEC.read_request(HEAD, {**body, "model": request.model})
    assert comparable(again) == comparable(request)
    assert notes == {}


@settings(max_examples=30, deadline=None)
@given(conversations())
def test_mp19_the_prefix_of_a_longer_conversation_is_the_same_bytes(request: Conversation) -> None:
    last = max(index for index, turn in enumerate(request.turns) if turn.role == "user")
    shorter = msgspec.structs.replace(request, turns=request.turns[: last + 1])
    first, _ = written(shorter)
    second, _ = written(request)
    prefix = json.dumps(first["input"])[:-1]
    assert json.dumps(second["input"]).startswith(prefix)


answer_parts = st.lists(
    texts | st.builds(Refusal, filled) | thinking(filled) | calls().filter(lambda call: bool(call.arguments)),
    max_size=5,
)


@st.composite
def interleaved(draw: st.DrawFn, parts: list[Any]) -> list[StreamEvent]:
    """The events of these parts, cut small and shuffled between the parts."""
    queues: list[list[StreamEvent]] = []
    whole = unfold(Answer("resp_1", "m", parts, FinishReason.STOP, usage=Usage(1, 2, 3, 4, 1)))
    for event in whole[1:-2]:
        if isinstance(event, PartStart):
            queues.append([])
        text = getattr(event, "text", None)
        if isinstance(text, str) and len(text) > 1:
            cut = draw(st.integers(1, len(text) - 1))
            pieces = [msgspec.structs.replace(event, text=piece) for piece in (text[:cut], text[cut:])]
            queues[-1] += pieces
        else:
            queues[-1].append(event)
    out = [whole[0]]
    started = 0
    while any(queues):
        ready = [index for index, queue in enumerate(queues[: started + 1]) if queue]
        index = draw(st.sampled_from(ready)) if ready else started
        out.append(queues[index].pop(0))
        started = max(started, index + 1)
    called = any(isinstance(part, ToolCall) for part in parts)
    refused = any(isinstance(part, Refusal) for part in parts)
    finish = FinishReason.TOOL_CALLS if called else FinishReason.REFUSAL if refused else FinishReason.STOP
    return [*out, whole[-2], Finish(finish)]


def essence(answer: Answer) -> Any:
    """What of an answer is the same on both sides: not the wire items, ids and words of this protocol."""
    parts = []
    for part in answer.parts:
        tree = msgspec.to_builtins(part)
        for name in ("wire", "item_id"):
            tree.pop(name, None)
        if tree["type"] == "thinking":
            tree.pop("id")
        parts.append(tree)
    usage = answer.usage and msgspec.structs.replace(answer.usage, wire=None)
    return parts, answer.finish, usage


@settings(max_examples=80, deadline=None)
@given(st.data(), answer_parts, st.integers(1, 64))
def test_mp11_an_answer_written_and_read_in_any_chunks_is_the_answer(
    data: st.DataObject, parts: list[Any], size: int
) -> None:
    events = data.draw(interleaved(parts))
    request = conversation(tools=TOOLS)
    written_bytes = stream(CODEC.stream_writer(scope(request)), events)
    parser, reader = SseParser(), CODEC.stream_reader(scope(request))
    again: list[StreamEvent] = []
    for start in range(0, len(written_bytes), size):
        for frame in parser.feed(written_bytes[start : start + size]):
            again += reader.feed(frame)
    again += reader.end()
    expected = essence(fold(events))
    assert essence(fold(again)) == expected
    body = CODEC.write_answer(fold(events), scope(request))
    whole = fold(CODEC.read_answer(json.loads(body), scope(request)))
    assert essence(whole) == expected


@settings(max_examples=40, deadline=None)
@given(st.data(), answer_parts)
def test_mp09_items_open_and_close_once_and_never_overlap(data: st.DataObject, parts: list[Any]) -> None:
    events = data.draw(interleaved(parts))
    open_item: int | None = None
    last = -1
    for frame in SseParser().feed(stream(CODEC.stream_writer(scope(conversation(tools=TOOLS))), events)):
        event = json.loads(frame.data)
        assert event["sequence_number"] == last + 1
        last += 1
        if event["type"] == "response.output_item.added":
            assert open_item is None
            open_item = event["output_index"]
        elif event["type"] == "response.output_item.done":
            assert open_item == event["output_index"]
            open_item = None
        elif "output_index" in event:
            assert event["output_index"] == open_item
    assert open_item is None
    assert event["type"] == "response.completed"
