"""Inbound bodies -> Conversation."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import (
    CacheControl,
    CustomTool,
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
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
)

from .support import read


def turns(*messages: dict[str, Any]) -> list[Turn]:
    return read(messages=list(messages)).turns


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_mp18_system_and_developer_stay_where_they_are() -> None:
    assert turns(
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two"}], "name": "n"},
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "mid"},
    ) == [
        Turn("system", [Text("one")]),
        Turn("system", [Text("two")], developer=True, name="n"),
        Turn("user", [Text("hi")]),
        Turn("system", [Text("mid")]),
    ]


@pytest.mark.parametrize("content", [None, "", [], [{"type": "text", "text": ""}], [{"type": "text", "text": None}]])
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_mp17_empty_content_in_every_spelling_is_no_part(role: Any, content: Any) -> None:
    assert turns({"role": role, "content": content}) == [Turn(role, [])]


def test_mp20_images_files_and_audio_are_media() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/PNG;base64,QUJD", "detail": "low"}},
        {"type": "image_url", "image_url": "https://x/y.jpg"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,REVG"}},
        {"type": "file", "file": {"filename": "a.csv", "file_data": "R0hJ"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "https://x/y.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "SktM", "format": "mp3"}},
        {"type": "video_url", "video_url": {"url": "https://x/y.mp4"}},
    ]
    assert turns({"role": "user", "content": content})[0].parts == [
        Media("image", media_type="image/png", data="QUJD", detail="low"),
        Media("image", url="https://x/y.jpg"),
        Media("document", media_type="application/pdf", data="REVG", name="a.pdf"),
        Media("document", media_type="text/csv", data="R0hJ", name="a.csv"),
        Media("document", file_id="file-1"),
        Media("document", url="https://x/y.pdf"),
        Media("audio", media_type="audio/mpeg", data="SktM"),
        Media("video", url="https://x/y.mp4"),
    ]


def test_parts_of_unknown_types_are_opaque() -> None:
    part = {"type": "novel", "x": 1}
    assert turns({"role": "user", "content": [part]})[0].parts == [Opaque(Protocol.OPENAI_CHAT, "novel", part)]


def test_assistant_messages_hold_thinking_text_refusal_and_calls_in_that_order() -> None:
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "r1"}],
        "refusal": "r2",
        "reasoning_content": "t",
        "tool_calls": [CALL],
    }
    assert turns(message) == [
        Turn("assistant", [Thinking("t"), Text("a"), Refusal("r1"), Refusal("r2"), ToolCall("c1", "f", "{}")])
    ]


def test_mp07_signed_thinking_comes_back_with_its_origin() -> None:
    details = [
        {"type": "reasoning.text", "text": "t", "signature": "S", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "G", "format": "google-gemini-v1", "id": "c1", "index": 1},
    ]
    message = {"role": "assistant", "content": None, "reasoning_details": details, "tool_calls": [CALL]}
    assert turns({**message, "reasoning_content": "t"})[0].parts == [
        Thinking("t", signature="S", origin=Protocol.ANTHROPIC_MESSAGES),
        ToolCall("c1", "f", "{}", signature="G"),
    ]


def test_tool_messages_in_a_row_are_one_user_turn_of_results() -> None:
    second = {**CALL, "id": "c2"}
    got = turns(
        {"role": "assistant", "tool_calls": [CALL, second]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "go on"},
    )
    assert got[1:] == [
        Turn("user", [ToolResult("c1", [Text("one")]), ToolResult("c2", [Text("two")])]),
        Turn("user", [Text("go on")]),
    ]


def test_mp17_a_tool_message_without_content_is_an_empty_result() -> None:
    got = turns({"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": None})
    assert got[1] == Turn("user", [ToolResult("c1", [])])


def test_mp06_escaped_ids_are_restored() -> None:
    wire = "rcx_functions_2eexec_3a0"
    got = turns(
        {"role": "assistant", "tool_calls": [{**CALL, "id": wire}]},
        {"role": "tool", "tool_call_id": wire, "content": "x"},
    )
    assert got[0].parts == [ToolCall("functions.exec:0", "f", "{}")]
    assert got[1].parts == [ToolResult("functions.exec:0", [Text("x")])]


def test_mp22_custom_calls_make_custom_results() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "free text"}}
    got = turns({"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "ok"})
    assert got[0].parts == [ToolCall("c1", "patch", "free text", kind="custom")]
    assert got[1].parts == [ToolResult("c1", [Text("ok")], kind="custom")]


def test_legacy_function_calls_get_ids_that_stay_when_the_history_grows() -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "out"},
    ]
    short = turns(*history)
    assert short[1].parts == [ToolCall("call_function_1", "f", "{}")]
    assert short[2].parts == [ToolResult("call_function_1", [Text("out")], name="f")]
    assert turns(*history, {"role": "user", "content": "more"})[:3] == short


def test_a_result_without_an_id_answers_the_first_waiting_call() -> None:
    second = {**CALL, "id": "c2"}
    got = turns(
        {"role": "assistant", "tool_calls": [CALL, second]},
        {"role": "tool", "content": "one"},
        {"role": "tool", "content": "two"},
    )
    assert [part.call_id for part in got[1].parts if isinstance(part, ToolResult)] == ["c1", "c2"]


def test_mp19_cache_breakpoints_are_read_on_parts_messages_and_tools() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    got = read(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "a", **mark}]},
            {"role": "user", "content": "b", **mark},
            {
                "role": "user",
                "content": [{"type": "text", "text": "c", "prompt_cache_breakpoint": {"mode": "explicit"}}],
            },
        ],
        tools=[{"type": "function", "function": {"name": "f"}, **mark}],
    )
    hour = CacheControl(ttl="1h")
    assert [turn.parts for turn in got.turns] == [
        [Text("a", cache=hour)],
        [Text("b", cache=hour)],
        [Text("c", cache=CacheControl())],
    ]
    assert got.tools == [FunctionTool("f", cache=hour)]


def test_tools_of_every_type_are_read() -> None:
    grammar = {"syntax": "lark", "definition": "start: x"}
    got = read(
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}, "strict": True}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": grammar}}},
            {"type": "web_search", "max": 3},
        ],
        web_search_options={"search_context_size": "low"},
    )
    assert got.tools == [
        FunctionTool("f", "d", {}, True),
        CustomTool("c", format={"type": "grammar", **grammar}),
        HostedTool("web_search", Protocol.OPENAI_CHAT, {"type": "web_search", "max": 3}),
        HostedTool("web_search", Protocol.OPENAI_CHAT, {"type": "web_search_options", "search_context_size": "low"}),
    ]


def test_legacy_functions_are_tools() -> None:
    got = read(functions=[{"name": "f", "parameters": {"type": "object"}}], function_call={"name": "f"})
    assert got.tools == [FunctionTool("f", parameters={"type": "object"})]
    assert got.tool_choice == ToolChoice("named", "f")


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice("named", "f", kind="custom")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            ToolChoice("required", allowed=("f",)),
        ),
    ],
)
def test_tool_choice_in_every_form(wire: Any, choice: ToolChoice) -> None:
    assert read(tool_choice=wire).tool_choice == choice


def test_sampling_members_are_read_also_as_strings_and_integral_floats() -> None:
    got = read(
        max_tokens=5,
        max_completion_tokens=1e2,
        temperature="0.5",
        top_p=1,
        top_k=40,
        stop="END",
        seed="7",
        logprobs=True,
        top_logprobs=2,
        n=1,
        presence_penalty=0.1,
        frequency_penalty=None,
        logit_bias={"50256": -100},
    )
    assert got.sampling == Sampling(
        max_output_tokens=100,
        temperature=0.5,
        top_p=1,
        top_k=40,
        stop=["END"],
        seed=7,
        logprobs=True,
        top_logprobs=2,
        n=1,
        presence_penalty=0.1,
        logit_bias={"50256": -100},
    )
    assert got.extensions == {}


@pytest.mark.parametrize(
    ("members", "reasoning"),
    [
        ({}, None),
        ({"reasoning_effort": "high"}, Reasoning(mode="on", effort="high")),
        ({"reasoning_effort": "none"}, Reasoning(mode="off", effort="none")),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(mode="on", effort="low", visible=False)),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(mode="on", budget_tokens=2000)),
        ({"thinking": {"type": "disabled"}}, Reasoning(mode="off")),
        ({"enable_thinking": True, "thinking_budget": 9}, Reasoning(mode="on", budget_tokens=9)),
    ],
)
def test_thinking_is_steered_in_every_dialect(members: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert read(**members).reasoning == reasoning


@pytest.mark.parametrize(
    ("members", "output"),
    [
        ({}, None),
        ({"response_format": {"type": "text"}}, OutputFormat()),
        ({"response_format": {"type": "json_object"}}, OutputFormat("json")),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": {}, "strict": True}}},
            OutputFormat("json_schema", {}, "A", strict=True),
        ),
        (
            {"verbosity": "low", "modalities": ["text", "audio"]},
            OutputFormat(verbosity="low", modalities=["text", "audio"]),
        ),
    ],
)
def test_output_settings(members: dict[str, Any], output: OutputFormat | None) -> None:
    assert read(**members).output == output


def test_identity_members_and_extensions() -> None:
    got = read(
        stream=True,
        stream_options={"include_usage": True, "include_obfuscation": False},
        safety_identifier="u-1",
        prompt_cache_key="key",
        store=False,
        metadata={"a": "b", "session_id": "s"},
        service_tier="flex",
        parallel_tool_calls=False,
        prediction={"type": "content", "content": "x"},
    )
    assert (got.stream, got.include_usage, got.store, got.parallel_tool_calls) == (True, True, False, False)
    assert (got.user, got.cache_key, got.session, got.service_tier) == ("u-1", "key", "s", "flex")
    assert got.metadata == {"a": "b", "session_id": "s"}
    assert got.extensions == {
        "safety_identifier": "u-1",
        "prediction": {"type": "content", "content": "x"},
        "stream_options": {"include_obfuscation": False},
    }


ODD: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model"),
    ({"model": 3}, "model"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": ["x"]}, "messages[0]"),
    ({"messages": [{"role": "robot"}]}, "messages[0].role"),
    ({"messages": [{"content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": ["user"]}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [3]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].image_url"),
    ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file"),
    ({"messages": [{"role": "assistant", "tool_calls": "x"}]}, "messages[0].tool_calls"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0].function"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]},
        "messages[0].tool_calls[0].id",
    ),
    ({"tools": 3}, "tools"),
    ({"tools": [3]}, "tools[0]"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [{"type": 3}]}, "tools[0].type"),
    ({"tool_choice": "sometimes"}, "tool_choice"),
    ({"tool_choice": 3}, "tool_choice"),
    ({"temperature": "hot"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"temperature": "nan"}, "temperature"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"max_tokens": 1e300}, "max_tokens"),
    ({"stop": [3]}, "stop[0]"),
    ({"stream": "maybe"}, "stream"),
    ({"stream_options": 3}, "stream_options"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"metadata": []}, "metadata"),
    ({"logit_bias": {"1": "x"}}, "logit_bias.1"),
]


@pytest.mark.parametrize(("members", "param"), ODD, ids=[param + str(n) for n, (_, param) in enumerate(ODD)])
def test_what_makes_no_sense_is_a_400_naming_its_path(members: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(**members)
    assert (caught.value.kind, caught.value.status, caught.value.param) == (ErrorKind.INVALID_REQUEST, 400, param)
