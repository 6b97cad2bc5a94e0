"""The stream reader over what upstreams of this wire really send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.events import (
    ArgumentsDelta,
    CitationDelta,
    Failed,
    Finish,
    PartStart,
    PartStop,
    Ping,
    SignatureDelta,
    Start,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    CustomTool,
    FinishReason,
    FunctionTool,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from llmswitch_core.protocols.contract import SseFrame
from tests.core.protocols.openai_responses.support import (
    CODEC,
    CREATED,
    completed,
    feed,
    read,
    scope,
    stream,
    wire_events,
)

MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f"}


def event(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **members}


def text_item(text: str, **members: Any) -> dict[str, Any]:
    return {**MESSAGE, "content": [{"type": "output_text", "text": text, "annotations": []}], **members}


def reader() -> Any:
    return CODEC.stream_reader(scope())


def parts(*events: dict[str, Any], using: Any = None) -> list[Any]:
    return fold(feed(using or reader(), CREATED, *events)).parts


def test_text_streams_as_it_comes() -> None:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = feed(
        reader(),
        CREATED,
        event("output_item.added", output_index=0, item={**MESSAGE, "content": []}),
        event("content_part.added", **at, part={"type": "output_text", "text": ""}),
        event("output_text.delta", **at, delta="He"),
        event("output_text.delta", **at, delta="llo"),
        event("output_text.done", **at, text="Hello"),
        event("content_part.done", **at, part={"type": "output_text", "text": "Hello"}),
        event("output_item.done", output_index=0, item=text_item("Hello")),
        completed(
            text_item("Hello"),
            usage={
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens": 3,
                "output_tokens_details": {"reasoning_tokens": 1},
            },
        ),
    )
    assert isinstance(events[0], Start)
    assert (events[0].id, events[0].model, events[0].created) == ("resp_1", "m-1", 5)
    assert [one.text for one in events if isinstance(one, TextDelta)] == ["He", "llo"]
    answer = fold(events)
    assert answer.parts == [Text("Hello")]
    assert answer.finish is FinishReason.STOP
    usage = answer.usage
    assert usage is not None
    assert (usage.input, usage.cache_read, usage.output, usage.reasoning) == (6, 4, 3, 1)


def test_llama_cpp_names_no_places() -> None:
    """No output_index, no sequence_number, no item ids, text only as deltas."""
    assert parts(
        event("output_item.added", item={"type": "reasoning", "id": "rs_a", "summary": [], "content": []}),
        event("reasoning_text.delta", delta="think", item_id="rs_a"),
        event(
            "output_item.done",
            item={
                "type": "reasoning",
                "id": "rs_a",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "think"}],
            },
        ),
        event("output_item.added", item={"type": "message", "content": []}),
        event("content_part.added", part={"type": "output_text", "text": ""}),
        event("output_text.delta", delta="a"),
        event("output_text.delta", delta="b"),
        event("output_text.done", text="ab"),
        event("output_item.done", item={"type": "message", "content": [{"type": "output_text", "text": "ab"}]}),
        event("output_item.added", item={"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}),
        event("function_call_arguments.delta", delta='{"x"'),
        event("function_call_arguments.delta", delta=":1}"),
        event("output_item.done", item={"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"x":1}'}),
        completed({"type": "message", "content": [{"type": "output_text", "text": "ab"}]}),
    )[1:] == [Text("ab"), ToolCall("c", "f", '{"x":1}')]


@pytest.mark.parametrize(
    "events",
    [
        [
            event("output_item.added", output_index=0, item={**CALL, "arguments": ""}),
            event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta='{"a":'),
            event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta="1}"),
            event("function_call_arguments.done", item_id="fc_1", output_index=0, arguments='{"a":1}'),
            event("output_item.done", output_index=0, item={**CALL, "arguments": '{"a":1}'}),
        ],
        [
            event("output_item.added", output_index=0, item={**CALL, "arguments": ""}),
            event("function_call_arguments.done", item_id="fc_1", output_index=0, arguments='{"a":1}'),
            event("output_item.done", output_index=0, item={**CALL, "arguments": '{"a":1}'}),
        ],
        [
            event("output_item.added", output_index=0, item={**CALL, "arguments": '{"a":1}'}),
            event("output_item.done", output_index=0, item=CALL),
        ],
        [event("output_item.done", output_index=0, item={**CALL, "arguments": '{"a":1}'})],
        [event("output_item.done", item={**CALL, "arguments": {"a": 1}})],
        [
            event("output_item.added", item={"type": "function_call", "id": "fc_1"}),
            event("function_call_arguments.done", item_id="fc_1", arguments='{"a":1}'),
            event("output_item.done", item={**CALL, "arguments": '{"a":1}'}),
        ],
        [],
    ],
)
def test_mp01_arguments_are_said_once_however_they_come(events: list[dict[str, Any]]) -> None:
    (call,) = parts(*events, completed({**CALL, "arguments": '{"a":1}'}))
    assert (call.id, call.name, call.arguments) == ("call_1", "f", '{"a":1}')


def test_mp03_interleaved_calls_keep_their_arguments() -> None:
    def call(number: int, **members: Any) -> dict[str, Any]:
        return {"type": "function_call", "id": f"fc_{number}", "call_id": f"c{number}", "name": f"f{number}", **members}

    def delta(number: int, text: str) -> dict[str, Any]:
        return event("function_call_arguments.delta", item_id=f"fc_{number}", output_index=number, delta=text)

    both = parts(
        event("output_item.added", output_index=0, item=call(0, arguments="")),
        event("output_item.added", output_index=1, item=call(1, arguments="")),
        delta(0, '{"a"'),
        delta(1, '{"b"'),
        delta(0, ":0}"),
        delta(1, ":1}"),
        event("output_item.done", output_index=1, item=call(1, arguments='{"b":1}')),
        event("output_item.done", output_index=0, item=call(0, arguments='{"a":0}')),
        completed(call(0), call(1)),
    )
    assert [(one.id, one.name, one.arguments) for one in both] == [("c0", "f0", '{"a":0}'), ("c1", "f1", '{"b":1}')]


def test_items_the_stream_never_showed_are_taken_from_the_end() -> None:
    assert parts(
        event("output_item.done", output_index=0, item=text_item("a")),
        completed(
            text_item("a", id="msg_other"),
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}]},
            text_item("b", id="msg_2"),
        ),
    )[0::2] == [Text("a"), Text("b")]


def test_an_item_left_open_is_finished_from_the_end() -> None:
    assert parts(
        event("output_item.added", output_index=0, item={**MESSAGE, "content": []}),
        completed(text_item("whole")),
    ) == [Text("whole")]


def test_an_empty_final_output_does_not_hide_what_was_streamed() -> None:
    machine = reader()
    feed(machine, CREATED, event("output_item.done", output_index=0, item=text_item("a")), completed())
    assert machine.response["output"] == [text_item("a")]


def test_reasoning_summaries_are_one_thought_with_its_token() -> None:
    at = {"item_id": "rs_1", "output_index": 0}
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
        "encrypted_content": "ENC",
    }
    (thought,) = parts(
        event("output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []}),
        event("reasoning_summary_part.added", **at, summary_index=0, part={}),
        event("reasoning_summary_text.delta", **at, summary_index=0, delta="one"),
        event("reasoning_summary_text.done", **at, summary_index=0, text="one"),
        event("reasoning_summary_text.done", **at, summary_index=1, text="two"),
        event("output_item.done", output_index=0, item=item),
        completed(item),
    )
    assert isinstance(thought, Thinking)
    assert (thought.text, thought.signature, thought.summary, thought.id) == ("one\n\ntwo", "ENC", True, "rs_1")


def test_raw_reasoning_is_not_a_summary() -> None:
    (thought,) = parts(
        event("reasoning_text.delta", item_id="rs_1", output_index=0, content_index=0, delta="raw"), completed()
    )
    assert (thought.text, thought.summary) == ("raw", False)


def test_mp13_refusals() -> None:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    answer = fold(feed(reader(), CREATED, event("refusal.delta", **at, delta="no"), completed()))
    assert answer.parts == [Refusal("no")]
    assert answer.finish is FinishReason.REFUSAL


@pytest.mark.parametrize(
    ("reason", "finish", "wire"),
    [
        ("max_output_tokens", FinishReason.LENGTH, "max_output_tokens"),
        ("content_filter", FinishReason.CONTENT_FILTER, "content_filter"),
        ("lunch", FinishReason.OTHER, "incomplete:lunch"),
    ],
)
def test_mp13_incomplete_answers_say_why(reason: str, finish: FinishReason, wire: str) -> None:
    end = completed(
        text_item("a"),
        status="incomplete",
        incomplete_details={"reason": reason},
        usage={"input_tokens": 1, "output_tokens": 2},
    )
    events = feed(reader(), CREATED, end)
    assert events[-1] == Finish(finish, wire)
    assert any(isinstance(one, UsageSeen) for one in events)


def test_mp22_freeform_namespaced_and_typed_calls() -> None:
    request = read(
        tools=[
            {"type": "namespace", "name": "ns", "description": "", "tools": [{"type": "custom", "name": "exec"}]},
            {"type": "tool_search", "execution": "client"},
        ]
    )
    custom = {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "c1",
        "name": "exec",
        "namespace": "ns",
        "input": "x()",
    }
    search = {
        "type": "tool_search_call",
        "id": "tsc_1",
        "call_id": "c2",
        "execution": "client",
        "arguments": {"query": "q"},
    }
    first, second = parts(
        event("output_item.added", output_index=0, item={**custom, "input": ""}),
        event("custom_tool_call_input.delta", item_id="ctc_1", output_index=0, delta="x()"),
        event("output_item.done", output_index=0, item=custom),
        event("output_item.added", output_index=1, item={**search, "arguments": {}}),
        event("output_item.done", output_index=1, item=search),
        completed(custom, search),
        using=CODEC.stream_reader(scope(request)),
    )
    assert (first.kind, first.namespace, first.arguments) == ("custom", "ns", "x()")
    assert (second.name, second.arguments, second.id) == ("tool_search", '{"query":"q"}', "c2")


def test_mp22_a_freeform_tool_sent_as_a_function_comes_back_freeform() -> None:
    request = scope(tools=[CustomTool("patch", namespace="ns"), FunctionTool("f")])
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "ns__patch"}
    (part,) = parts(
        event("output_item.added", output_index=0, item={**call, "arguments": ""}),
        event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta='{"inp'),
        event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta='ut":"a\\n'),
        event("function_call_arguments.delta", item_id="fc_1", output_index=0, delta='b"}'),
        event("output_item.done", output_index=0, item={**call, "arguments": '{"input":"a\\nb"}'}),
        completed(),
        using=CODEC.stream_reader(request),
    )
    assert (part.name, part.namespace, part.kind, part.arguments) == ("patch", "ns", "custom", "a\nb")


def test_hosted_items_are_whole_and_their_progress_is_a_sign_of_life() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    events = feed(
        reader(),
        CREATED,
        event("output_item.added", output_index=0, item=item),
        event("web_search_call.searching", output_index=0, item_id="ws_1"),
        event("output_item.done", output_index=0, item=item),
        completed(item),
    )
    assert any(isinstance(one, Ping) for one in events)
    (part,) = fold(events).parts
    assert isinstance(part, Opaque)
    assert part.wire == item


def test_annotations_streamed_or_not_are_cited_once() -> None:
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    item = {**MESSAGE, "content": [{"type": "output_text", "text": "a", "annotations": [note]}]}
    for streamed in ([event("output_text.annotation.added", **at, annotation=note)], []):
        (part,) = parts(
            event("output_text.delta", **at, delta="a"),
            *streamed,
            event("output_item.done", output_index=0, item=item),
            completed(item),
        )
        assert part.citations == [note]


@pytest.mark.parametrize("tail", [[], [SseFrame("", b"[DONE]", b"")]])
def test_mp14_an_end_without_completion_is_a_truncated_stream(tail: list[SseFrame]) -> None:
    machine = reader()
    events: list[StreamEvent] = list(machine.feed(SseFrame("", json.dumps(CREATED).encode(), b"")))
    for frame in tail:
        events += machine.feed(frame)
    events += machine.end()
    assert [type(one) for one in events] == [Start, Failed]
    assert isinstance(events[-1], Failed)
    assert events[-1].error.code == "truncated_stream"


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"nonsense"])
def test_mp14_a_frame_that_is_no_object_fails_the_stream(data: bytes) -> None:
    (failed,) = reader().feed(SseFrame("", data, b""))
    assert isinstance(failed, Failed)
    assert failed.error.code == "bad_frame"


def test_nothing_follows_the_end() -> None:
    machine = reader()
    feed(machine, CREATED, completed(text_item("a")))
    assert machine.feed(SseFrame("", b'{"type":"error"}', b"")) == ()
    assert machine.end() == ()


def test_mp31_a_lone_surrogate_becomes_a_replacement() -> None:
    machine = reader()
    machine.feed(SseFrame("", json.dumps(CREATED).encode(), b""))
    data = b'{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"a\\ud83d"}'
    events = machine.feed(SseFrame("", data, b""))
    assert [one.text for one in events if isinstance(one, TextDelta)] == ["a\ufffd"]


def test_the_whole_answer_reads_as_its_stream() -> None:
    body = completed(text_item("a"), {**CALL, "arguments": "{}"}, usage={"input_tokens": 3, "output_tokens": 1})[
        "response"
    ]
    answer = fold(CODEC.read_answer(body, scope()))
    assert [type(part) for part in answer.parts] == [Text, ToolCall]
    assert answer.finish is FinishReason.TOOL_CALLS
    assert answer.usage == Usage(3, 1, wire=body["usage"])


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            "",
            "x",
            "msg_1",
            "fc_1",
            "message",
            "function_call",
            "reasoning",
            "output_text",
            "custom_tool_call",
            "tool_search_call",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "id",
                    "call_id",
                    "name",
                    "arguments",
                    "input",
                    "content",
                    "text",
                    "summary",
                    "encrypted_content",
                    "output",
                    "error",
                    "usage",
                    "status",
                    "annotations",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)
kinds = st.sampled_from(
    [
        "created",
        "in_progress",
        "output_item.added",
        "output_item.done",
        "content_part.added",
        "content_part.done",
        "output_text.delta",
        "output_text.done",
        "output_text.annotation.added",
        "refusal.delta",
        "refusal.done",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_text.delta",
        "reasoning_text.done",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "completed",
        "incomplete",
        "failed",
        "web_search_call.searching",
    ]
)
members = st.sampled_from(
    [
        "response",
        "item",
        "part",
        "delta",
        "text",
        "item_id",
        "output_index",
        "content_index",
        "summary_index",
        "arguments",
        "input",
        "annotation",
        "refusal",
        "logprobs",
        "error",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(kinds, st.dictionaries(members, values, max_size=6)), max_size=12))
def test_garbage_of_the_right_shape_never_raises_and_keeps_the_grammar(
    garbage: list[tuple[str, dict[str, Any]]],
) -> None:
    events = feed(reader(), *(event(kind, **fields) for kind, fields in garbage))
    terminal = [index for index, one in enumerate(events) if isinstance(one, Finish | Failed)]
    assert terminal == [len(events) - 1]
    started = 0
    open_parts: set[int] = set()
    for one in events:
        if isinstance(one, PartStart):
            assert one.index == started
            started += 1
            open_parts.add(one.index)
        elif isinstance(one, PartStop):
            open_parts.remove(one.index)
        elif isinstance(one, TextDelta | ArgumentsDelta | SignatureDelta | CitationDelta):
            assert one.index in open_parts
    assert not open_parts or isinstance(events[-1], Failed)
    sent = wire_events(stream(CODEC.stream_writer(scope()), events))
    assert sent[-1]["type"] in {"response.completed", "response.incomplete", "response.failed", "error"}
