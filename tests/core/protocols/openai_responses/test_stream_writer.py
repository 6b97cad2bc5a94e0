"""The event stream a client of this wire receives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
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
from llmswitch_core.canonical.model import FinishReason, Media, Opaque, Protocol, Text, Thinking, ToolCall, Usage
from llmswitch_core.protocols.openai_responses.tokens import without_foreign
from llmswitch_core.protocols.sse import SseParser
from tests.core.protocols.openai_responses.support import CODEC, read, scope, stream, wire_events

C, R, M, G = (
    Protocol.OPENAI_CHAT,
    Protocol.OPENAI_RESPONSES,
    Protocol.ANTHROPIC_MESSAGES,
    Protocol.GEMINI,
)
STOP = Finish(FinishReason.STOP)


def text(index: int, *pieces: str, kind: Any = "text", **members: Any) -> list[StreamEvent]:
    return [PartStart(index, kind, **members), *(TextDelta(index, piece) for piece in pieces), PartStop(index)]


def call(index: int, arguments: str, **members: Any) -> list[StreamEvent]:
    members = {"id": f"c{index}", "name": "f", **members}
    deltas: list[StreamEvent] = [ArgumentsDelta(index, arguments)] if arguments else []
    return [PartStart(index, "tool_call", **members), *deltas, PartStop(index)]


def written(*events: StreamEvent, finish: StreamEvent | None = STOP, **members: Any) -> list[dict[str, Any]]:
    ends = [] if finish is None else [finish]
    return wire_events(stream(CODEC.stream_writer(scope(**members)), [Start("up-1", "m-1"), *events, *ends]))


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def output(*events: StreamEvent, **members: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = written(*events, **members)[-1]["response"]["output"]
    return items


def test_a_text_answer_has_the_whole_lifecycle() -> None:
    events = written(*text(0, "He", "llo"))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events[0]["response"]["id"].startswith("resp_")
    assert len({event["response"]["id"] for event in events if "response" in event}) == 1
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hello"


def test_mp10_numbers_only_rise() -> None:
    events = written(
        PartStart(0, "tool_call", id="a", name="f"),
        PartStart(1, "tool_call", id="b", name="g"),
        ArgumentsDelta(1, "{"),
        ArgumentsDelta(0, "["),
        ArgumentsDelta(1, "}"),
        ArgumentsDelta(0, "]"),
        PartStop(1),
        PartStop(0),
    )
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    places = [event["output_index"] for event in events if "output_index" in event]
    assert places == sorted(places)
    assert [item["arguments"] for item in events[-1]["response"]["output"]] == ["[]", "{}"]


@pytest.mark.parametrize("marker", [False, True])
def test_mp10_done_is_a_setting(marker: bool) -> None:
    data = stream(CODEC.stream_writer(scope(done_marker=marker)), [Start("r", "m"), STOP])
    assert data.endswith(b"data: [DONE]\n\n") is marker


def test_adjacent_texts_and_refusals_share_a_message_and_other_items_part_them() -> None:
    items = output(*text(0, "a"), *text(1, "b", kind="refusal"), *call(2, "{}"), *text(3, "c"))
    assert [item["type"] for item in items] == ["message", "function_call", "message"]
    assert [part["type"] for part in items[0]["content"]] == ["output_text", "refusal"]


def test_messages_the_upstream_kept_apart_stay_apart_with_their_phase() -> None:
    events: list[StreamEvent] = []
    for index, phase in enumerate(("commentary", "final_answer")):
        wire = {"type": "message", "id": f"msg_{index}", "phase": phase}
        events += [PartStart(index, "text", item_id=f"msg_{index}"), TextDelta(index, "x"), PartStop(index, wire=wire)]
    assert [(item["id"], item["phase"]) for item in output(*events)] == [
        ("msg_0", "commentary"),
        ("msg_1", "final_answer"),
    ]


def test_mp17_empty_parts_open_nothing() -> None:
    (item,) = output(*text(0), *text(1, ""), *text(2, "", kind="thinking"), *text(3, "x"))
    assert [part["text"] for part in item["content"]] == ["x"]


def test_mp07_thinking_is_a_reasoning_item_whose_token_comes_back() -> None:
    events = written(PartStart(0, "thinking", origin=M), TextDelta(0, "hm"), SignatureDelta(0, "SIG"), PartStop(0))
    (item,) = events[-1]["response"]["output"]
    assert item["summary"] == [{"type": "summary_text", "text": "hm"}]
    (part,) = read(input=[item]).turns[0].parts
    assert isinstance(part, Thinking)
    assert (part.text, part.signature, part.origin, part.wire) == ("hm", "SIG", M, None)


@pytest.mark.parametrize("origin", [C, M, G])
def test_mp07_redacted_thinking_survives(origin: Protocol) -> None:
    whole = Thinking(redacted="DATA", origin=origin)
    (item,) = output(PartStart(0, "whole", part=whole), PartStop(0))
    (part,) = read(input=[item]).turns[0].parts
    assert isinstance(part, Thinking)
    assert (part.redacted, part.origin, part.text) == ("DATA", origin, "")


def test_mp07_gemini_signatures_of_calls_and_text_survive() -> None:
    items = output(
        PartStart(0, "text"),
        TextDelta(0, "t"),
        SignatureDelta(0, "T"),
        PartStop(0),
        *call(1, "{}", signature="A"),
        *call(2, "{}"),
        PartStart(3, "tool_call", id="c3", name="f"),
        SignatureDelta(3, "B"),
        PartStop(3),
    )
    first, second, third, fourth = read(input=items).turns[0].parts
    assert isinstance(first, Text)
    assert first.signature == "T"
    assert [part.signature for part in (second, third, fourth) if isinstance(part, ToolCall)] == ["A", None, "B"]


def test_mp08_plain_reasoning_comes_back_as_plain_reasoning() -> None:
    (item,) = output(*text(0, "hm", kind="thinking"))
    assert read(input=[item]).turns[0].parts == [Thinking("hm")]


def test_mp30_a_responses_upstream_is_spared_reasoning_it_never_issued() -> None:
    foreign = output(
        *text(0, "plain", kind="thinking"),
        PartStart(1, "thinking", origin=M),
        SignatureDelta(1, "SIG"),
        PartStop(1),
        *call(2, "{}", signature="G"),
    )
    own = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ENC"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "rcx1.r.rcx1.m.SIG"},
    ]
    assert without_foreign([*foreign, *own]) == [foreign[-1], *own]
    assert without_foreign(own) is None
    assert without_foreign("hi") is None


def test_mp07_the_vendors_own_token_is_not_wrapped_but_a_foreign_gateways_is_left_whole() -> None:
    for token in ("ENC", "rcx1.m.SIG"):
        (item,) = output(PartStart(0, "thinking", origin=R, summary=True), SignatureDelta(0, token), PartStop(0))
        (part,) = read(input=[item]).turns[0].parts
        assert isinstance(part, Thinking)
        assert (part.signature, part.origin) == (token, R)


def test_raw_reasoning_of_this_wire_stays_raw() -> None:
    events = written(*text(0, "raw", kind="thinking", origin=R))
    assert "reasoning_text.delta" in kinds(events)
    assert events[-1]["response"]["output"][0]["content"] == [{"type": "reasoning_text", "text": "raw"}]


def test_mp22_calls_come_back_as_their_client_declared_them() -> None:
    request = read(
        tools=[
            {"type": "namespace", "name": "ns", "description": "", "tools": [{"type": "custom", "name": "exec"}]},
            {"type": "tool_search", "execution": "client"},
            {"type": "local_shell"},
        ]
    )
    events = written(
        *call(0, "run()", name="exec", namespace="ns", call_kind="custom"),
        *call(1, '{"query":"q"}', name="tool_search"),
        *call(2, '{"type":"exec","command":["ls"],"env":{}}', name="local_shell"),
        request=request,
    )
    custom, search, shell = events[-1]["response"]["output"]
    assert (custom["type"], custom["name"], custom["namespace"], custom["input"]) == (
        "custom_tool_call",
        "exec",
        "ns",
        "run()",
    )
    assert (search["type"], search["execution"], search["arguments"]) == ("tool_search_call", "client", {"query": "q"})
    assert (shell["type"], shell["action"]["command"]) == ("local_shell_call", ["ls"])
    assert "custom_tool_call_input.delta" in kinds(events)
    assert "function_call_arguments.delta" not in kinds(events)


def test_a_function_that_happens_to_be_called_like_a_typed_tool_stays_one() -> None:
    request = read(tools=[{"type": "function", "name": "tool_search"}])
    (item,) = output(*call(0, "{}", name="tool_search"), request=request)
    assert item["type"] == "function_call"


def test_mp01_deltas_join_to_the_arguments_also_when_there_are_none() -> None:
    for arguments in ('{"a":1}', ""):
        events = written(*call(0, arguments))
        joined = "".join(one["delta"] for one in events if one["type"].endswith("arguments.delta"))
        assert joined == events[-1]["response"]["output"][0]["arguments"] == (arguments or "{}")


def test_mp06_call_ids_are_legal() -> None:
    (item,) = output(*call(0, "{}", id="functions.f:0"))
    assert item["call_id"] == "rcx_functions_2ef_3a0"


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (Finish(FinishReason.STOP), "completed", None),
        (Finish(FinishReason.TOOL_CALLS), "completed", None),
        (Finish(FinishReason.STOP_SEQUENCE), "completed", None),
        (Finish(FinishReason.PAUSE), "completed", None),
        (Finish(FinishReason.LENGTH), "incomplete", "max_output_tokens"),
        (Finish(FinishReason.CONTEXT_WINDOW), "incomplete", "max_output_tokens"),
        (Finish(FinishReason.CONTENT_FILTER), "incomplete", "content_filter"),
        (Finish(FinishReason.REFUSAL), "incomplete", "content_filter"),
        (Finish(FinishReason.OTHER, "eos"), "completed", None),
        (Finish(FinishReason.OTHER, "incomplete:lunch"), "incomplete", "lunch"),
    ],
)
def test_mp13_how_an_answer_ends(finish: Finish, status: str, reason: str | None) -> None:
    last = written(*text(0, "x"), finish=finish)[-1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert (last["response"]["incomplete_details"] or {}).get("reason") == reason
    assert last["response"]["output"][0]["status"] == status


def test_mp13_a_refusal_in_words_is_a_complete_answer() -> None:
    last = written(*text(0, "no", kind="refusal"), finish=Finish(FinishReason.REFUSAL))[-1]
    assert last["type"] == "response.completed"


def test_mp12_totals_include_what_was_cached() -> None:
    last = written(UsageSeen(Usage(1, 2)), UsageSeen(Usage(10, 20, 3, 4, 5)))[-1]
    assert last["response"]["usage"] == {
        "input_tokens": 17,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 4},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 37,
    }


def test_the_response_echoes_the_request() -> None:
    wire = {
        "model": "x",
        "tools": [{"type": "function", "name": "f"}],
        "instructions": "i",
        "store": False,
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "low"},
        "previous_response_id": "resp_0",
        "max_output_tokens": 9,
    }
    for event in written(request_wire=wire):
        response = event["response"]
        assert response["object"] == "response"
        assert response["model"] == "m-1"
        assert response["tools"] == wire["tools"]
        assert (response["instructions"], response["store"], response["temperature"]) == ("i", False, 0.5)
        assert response["reasoning"] == {"effort": "low", "summary": None}
        assert (response["parallel_tool_calls"], response["truncation"], response["tool_choice"]) == (
            True,
            "disabled",
            "auto",
        )
        assert (response["previous_response_id"], response["metadata"]) == ("resp_0", {"a": "b"})


def test_the_client_may_be_shown_the_model_it_asked_for() -> None:
    assert written(model="alias")[0]["response"]["model"] == "alias"


def test_mp26_a_keepalive_is_a_real_event_and_opens_the_stream_once() -> None:
    writer = CODEC.stream_writer(scope())
    first = wire_events(writer.keepalive())
    assert kinds(first) == ["created", "in_progress"]
    second = wire_events(writer.keepalive())
    assert kinds(second) == ["in_progress"]
    rest = wire_events(stream(writer, [Start("resp_up", "m"), Ping(), *text(0, "x"), STOP]))
    assert kinds(rest)[0] == "output_item.added"
    everything = first + second + rest
    assert [event["sequence_number"] for event in everything] == list(range(len(everything)))
    assert len({event["response"]["id"] for event in everything if "response" in event}) == 1


def test_a_second_start_is_ignored_and_nothing_follows_the_end() -> None:
    writer = CODEC.stream_writer(scope())
    data = stream(writer, [Start("resp_a", "m"), Start("resp_b", "m"), STOP, STOP, *text(0, "x")])
    assert [event["response"]["id"] for event in wire_events(data)] == ["resp_a"] * 3
    assert writer.fail(GatewayError(ErrorKind.UPSTREAM, "x", "y")) == b""


def test_mp14_an_open_part_is_not_claimed_complete_by_a_failure() -> None:
    error = GatewayError(ErrorKind.UPSTREAM, "truncated_stream", "cut")
    events = written(PartStart(0, "text"), TextDelta(0, "half"), finish=Failed(error))
    assert kinds(events)[-2:] == ["output_text.delta", "failed"]
    assert events[-1]["response"]["output"] == []


def test_citations_of_every_origin_become_annotations_or_are_noted() -> None:
    own = {"type": "url_citation", "url": "r", "title": "", "start_index": 0, "end_index": 1}
    used = scope()
    writer = CODEC.stream_writer(used)
    data = stream(
        writer,
        [
            Start("r", "m"),
            PartStart(0, "text"),
            TextDelta(0, "abc"),
            CitationDelta(0, own, R),
            CitationDelta(
                0, {"type": "url_citation", "url_citation": {"url": "c", "start_index": 1, "end_index": 2}}, C
            ),
            CitationDelta(0, {"type": "web_search_result_location", "url": "m", "title": "T"}, M),
            CitationDelta(0, {"type": "page_location", "document_index": 0}, M),
            PartStop(0),
            STOP,
        ],
    )
    (item,) = wire_events(data)[-1]["response"]["output"]
    assert [one["url"] for one in item["content"][0]["annotations"]] == ["r", "c", "m"]
    assert dict(used.notes.items()) == {"text.citations": "dropped"}


def test_whole_items() -> None:
    used = scope()
    writer = CODEC.stream_writer(used)
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    whole: list[Any] = [
        Opaque(R, "web_search_call", search),
        Media("image", "image/webp", "AAAA"),
        Opaque(M, "server_tool_use", {}),
        ToolCall("c", "f", '{"a":1}'),
        Text("t"),
    ]
    events: list[StreamEvent] = [Start("r", "m")]
    for index, part in enumerate(whole):
        events += [PartStart(index, "whole", part=part), PartStop(index)]
    items = wire_events(stream(writer, [*events, STOP]))[-1]["response"]["output"]
    assert [item["type"] for item in items] == ["web_search_call", "image_generation_call", "function_call", "message"]
    assert items[0] == search
    assert (items[1]["result"], items[1]["output_format"]) == ("AAAA", "webp")
    assert dict(used.notes.items()) == {"opaque.server_tool_use": "dropped"}


def test_logprobs_ride_along() -> None:
    probs = [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]
    events = written(PartStart(0, "text"), TextDelta(0, "a", logprobs=probs), PartStop(0))
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == probs


def test_mp31_lone_surrogates_are_replaced() -> None:
    assert output(*text(0, "a\ud83d"))[0]["content"][0]["text"] == "a\ufffd"


def test_the_whole_answer_is_the_streams_last_response() -> None:
    events = [
        Start("resp_1", "m"),
        *text(0, "x"),
        *call(1, "{}"),
        UsageSeen(Usage(1, 2)),
        Finish(FinishReason.TOOL_CALLS),
    ]
    streamed = wire_events(stream(CODEC.stream_writer(scope()), events))[-1]["response"]
    assert json.loads(CODEC.write_answer(fold(events), scope())) == streamed


def test_the_hot_path_is_one_frame_a_delta() -> None:
    writer = CODEC.stream_writer(scope())
    stream(writer, [Start("r", "m"), PartStart(0, "text"), TextDelta(0, "first")])
    data = writer.write(TextDelta(0, 'quo"te\n'))
    (frame,) = SseParser().feed(data)
    assert json.loads(frame.data)["delta"] == 'quo"te\n'
