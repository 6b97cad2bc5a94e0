"""Tolerance and refusals of the request reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import (
    CacheControl,
    FunctionTool,
    Media,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tests.core.protocols.openai_responses.support import CODEC, HEAD, read, written

R = Protocol.OPENAI_RESPONSES


def parts(*items: dict[str, Any]) -> list[Any]:
    return [part for turn in read(input=list(items)).turns for part in turn.parts]


def test_a_string_is_one_user_message() -> None:
    assert read(input="hello").turns == [Turn("user", [Text("hello")])]


def test_mp18_instructions_come_first_and_messages_keep_their_place() -> None:
    turns = read(
        instructions="be brief",
        input=[
            {"role": "developer", "content": "d"},
            {"role": "user", "content": [{"type": "input_text", "text": "u"}]},
            {"role": "system", "content": "mid"},
            {"role": "assistant", "content": "a"},
        ],
    ).turns
    assert [(turn.role, turn.developer) for turn in turns] == [
        ("system", False),
        ("system", True),
        ("user", False),
        ("system", False),
        ("assistant", False),
    ]


def test_instructions_may_be_a_list_of_items() -> None:
    assert read(instructions=[{"role": "developer", "content": "x"}]).turns[0].developer


@pytest.mark.parametrize("content", [None, [], ""])
def test_mp17_messages_without_content_are_read(content: Any) -> None:
    request = read(input=[{"role": "assistant", "content": content}, {"role": "user", "content": "hi"}])
    sent, _ = written(request)
    assert [item["role"] for item in sent["input"]] == ["user"]


def test_one_assistant_turn_holds_reasoning_message_and_calls() -> None:
    (turn,) = read(
        input=[
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}], "content": None},
            {"type": "message", "id": "msg_1", "role": "assistant", "phase": "commentary", "content": "say"},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        ]
    ).turns
    assert [type(part) for part in turn.parts] == [Thinking, Text, ToolCall]
    assert (turn.phase, turn.item_id) == ("commentary", "msg_1")


def test_two_messages_in_a_row_are_two_turns_with_their_phases() -> None:
    request = read(
        input=[
            {"type": "message", "id": "msg_1", "role": "assistant", "phase": "commentary", "content": "a"},
            {"type": "message", "id": "msg_2", "role": "assistant", "phase": "final_answer", "content": "b"},
        ]
    )
    assert [(turn.item_id, turn.phase) for turn in request.turns] == [
        ("msg_1", "commentary"),
        ("msg_2", "final_answer"),
    ]


def test_mp04_a_message_between_parallel_calls_does_not_part_them_from_their_results() -> None:
    call = {"type": "function_call", "name": "f", "arguments": "{}"}
    request = read(
        input=[
            {"role": "assistant", "content": "a"},
            {**call, "call_id": "c1"},
            {"role": "assistant", "content": "b"},
            {**call, "call_id": "c2"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"type": "function_call_output", "call_id": "c2", "output": "2"},
        ]
    )
    assert [turn.role for turn in request.turns] == ["assistant", "user"]
    assert [part.call_id for part in request.turns[1].parts if isinstance(part, ToolResult)] == ["c1", "c2"]


def test_mp20_outputs_may_hold_images_and_files() -> None:
    (result,) = parts(
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,BBBB", "filename": "a.pdf"},
            ],
        }
    )
    text, image, document = result.content
    assert text == Text("see")
    assert (image.kind, image.data, image.media_type) == ("image", "AAAA", "image/png")
    assert (document.kind, document.data, document.name) == ("document", "BBBB", "a.pdf")


@pytest.mark.parametrize(
    ("wire", "media"),
    [
        ({"type": "input_image", "image_url": "https://x/y.png"}, Media("image", url="https://x/y.png")),
        (
            {"type": "input_image", "image_url": {"url": "https://x", "detail": "low"}},
            Media("image", url="https://x", detail="low"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, Media("image", file_id="file-1")),
        ({"type": "input_file", "file_url": "https://x/y.pdf"}, Media("document", url="https://x/y.pdf")),
        (
            {"type": "input_file", "file_data": "AAAA", "filename": "n.csv"},
            Media("document", "text/csv", "AAAA", name="n.csv"),
        ),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}, Media("audio", "audio/mpeg", "AA")),
    ],
)
def test_mp20_media_in_every_spelling(wire: dict[str, Any], media: Media) -> None:
    assert parts({"role": "user", "content": [wire]}) == [media]


def test_unknown_parts_and_items_are_opaque() -> None:
    content, item, output = parts(
        {"role": "user", "content": [{"type": "input_hologram", "x": 1}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "computer_call_output", "call_id": "c", "output": {}},
    )
    assert content == Opaque(R, "input_hologram", {"type": "input_hologram", "x": 1})
    assert (item.label, output.label) == ("web_search_call", "computer_call_output")


def test_refusals_and_annotations_are_kept() -> None:
    refusal, text = parts(
        {
            "role": "assistant",
            "content": [
                {"type": "refusal", "refusal": "no"},
                {"type": "output_text", "text": "t", "annotations": [{"type": "url_citation", "url": "u"}]},
            ],
        }
    )
    assert refusal == Refusal("no")
    assert text.citations == [{"type": "url_citation", "url": "u"}]


def test_mp19_cache_control_of_a_client_that_knows_its_upstream_is_read() -> None:
    (text, other) = parts(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
                {"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
            ],
        }
    )
    assert text.cache == CacheControl("ephemeral", "5m")
    assert other.cache == CacheControl("ephemeral", "1h")


def test_numbers_in_strings_and_whole_decimals_count() -> None:
    sampling = read(max_output_tokens="100", temperature="0.5", top_p=1, top_logprobs=2.0).sampling
    assert (sampling.max_output_tokens, sampling.temperature, sampling.top_p, sampling.top_logprobs) == (100, 0.5, 1, 2)


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", "f")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "custom", "name": "p"}, ToolChoice("named", "p", kind="custom")),
        ({"type": "web_search_preview"}, ToolChoice("named", "web_search", kind="hosted")),
        ({"type": "code_interpreter"}, ToolChoice("named", "code_execution", kind="hosted")),
        ({"type": "apply_patch"}, ToolChoice("named", "apply_patch")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}],
            },
            ToolChoice("required", allowed=("f", "mcp")),
        ),
    ],
)
def test_mp23_tool_choice_in_every_form(wire: Any, choice: ToolChoice) -> None:
    assert read(tool_choice=wire).tool_choice == choice


def test_members_without_a_place_are_kept_by_name() -> None:
    extensions = read(
        truncation="auto",
        background=True,
        conversation="conv_1",
        max_tool_calls=3,
        include=["reasoning.encrypted_content", "file_search_call.results"],
        reasoning={"effort": "low", "context": "all_turns"},
        client_metadata={"a": "b"},
    ).extensions
    assert extensions == {
        "truncation": "auto",
        "background": True,
        "conversation": "conv_1",
        "max_tool_calls": 3,
        "include": ["file_search_call.results"],
        "reasoning.context": "all_turns",
        "client_metadata": {"a": "b"},
    }


def test_mp22_tools_a_search_found_can_be_called() -> None:
    found = {"type": "namespace", "name": "ns", "description": "d", "tools": [{"type": "function", "name": "f"}]}
    request = read(
        tools=[{"type": "tool_search", "execution": "client"}],
        input=[
            {"type": "tool_search_call", "call_id": "c1", "execution": "client", "arguments": {"query": "q"}},
            {
                "type": "tool_search_output",
                "call_id": "c1",
                "execution": "client",
                "status": "completed",
                "tools": [found],
            },
        ],
    )
    assert [(tool.namespace, tool.name) for tool in request.tools if isinstance(tool, FunctionTool)] == [
        (None, "tool_search"),
        ("ns", "f"),
    ]
    call, result = (turn.parts[0] for turn in request.turns)
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("tool_search", '{"query":"q"}')
    assert isinstance(result, ToolResult)
    sent, notes = written(request)
    assert sent["tools"] == [{"type": "tool_search", "execution": "client"}]
    assert sent["input"][1]["tools"] == [found]
    assert notes == {}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [5]}]}, "input[0].content[0]"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "reasoning", "summary": [7]}]}, "input[0].summary[0]"),
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}]}, "tools[0].tools[0].name"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"temperature": "warm"}, "temperature"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"text": {"format": {"type": "poem"}}}, "text.format.type"),
        ({"metadata": []}, "metadata"),
        ({"model": None}, "model"),
        ({"instructions": 3}, "instructions"),
        ({"include": "all"}, "include"),
        ({"reasoning": "high"}, "reasoning"),
    ],
)
def test_what_makes_no_sense_is_a_400_that_names_the_path(body: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.read_request(HEAD, {"model": "m", "input": "hi", **body})
    assert (caught.value.kind, caught.value.status, caught.value.param) == (ErrorKind.INVALID_REQUEST, 400, param)


def test_input_may_be_missing_only_where_the_state_has_it() -> None:
    with pytest.raises(GatewayError):
        CODEC.read_request(HEAD, {"model": "m"})
    assert CODEC.read_request(HEAD, {"model": "m", "previous_response_id": "resp_1"}).turns == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    [
        "type",
        "role",
        "content",
        "id",
        "call_id",
        "name",
        "arguments",
        "input",
        "output",
        "summary",
        "tools",
        "text",
        "image_url",
        "action",
        "namespace",
        "encrypted_content",
        "status",
        "execution",
        "format",
        "annotations",
    ]
)
words = st.sampled_from(
    [
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "tool_search_output",
        "user",
        "additional_tools",
        "local_shell_call",
        "shell_call_output",
        "item_reference",
        "assistant",
        "input_text",
        "input_image",
        "input_file",
        "input_audio",
        "namespace",
        "custom",
        "function",
        "rcx1.gn.x",
        "rcx1.gp.y",
    ]
)
likely = st.recursive(
    words | json_values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
members = st.sampled_from(
    [
        "input",
        "tools",
        "tool_choice",
        "instructions",
        "text",
        "reasoning",
        "include",
        "metadata",
        "temperature",
        "max_output_tokens",
        "stream",
        "store",
        "user",
        "prompt_cache_key",
        "previous_response_id",
        "parallel_tool_calls",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(members, likely, max_size=5), st.lists(st.dictionaries(names, likely, max_size=6), max_size=5))
def test_wrong_types_everywhere_end_in_a_request_or_a_400(body: dict[str, Any], items: list[Any]) -> None:
    status = 200
    try:
        written(CODEC.read_request(HEAD, {"model": "m", "input": items, **body}))
    except GatewayError as error:
        status = error.status
    assert status in (200, 400)
