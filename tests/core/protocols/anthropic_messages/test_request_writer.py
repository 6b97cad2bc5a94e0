"""Writing requests for foreign clients: placement, parts, tools, and what is refused or told in the notes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import (
    CacheControl,
    CustomTool,
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
    OutputFormat,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tests.core.protocols.anthropic_messages.builders import C, G, M, R, body_of, conversation, read, write


def user(*parts: Part | str) -> Turn:
    return Turn("user", [Text(part) if isinstance(part, str) else part for part in parts])


def assistant(*parts: Part | str) -> Turn:
    return Turn("assistant", [Text(part) if isinstance(part, str) else part for part in parts])


def system(*texts: str) -> Turn:
    return Turn("system", [Text(text) for text in texts])


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"] for block in message["content"] if block["type"] == "text"]


# --- placement -----------------------------------------------------------------------------------------


def test_mp18_leading_system_turns_are_the_system_prompt_in_order() -> None:
    body = body_of(conversation(system("a", "b"), system("c"), user("hi")))
    assert [block["text"] for block in body["system"]] == ["a", "b", "c"]
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_mp18_later_system_turns_are_system_messages_where_the_model_takes_them() -> None:
    subject = conversation(user("hi"), system("new rule"), user("go"))
    assert [message["role"] for message in body_of(subject)["messages"]] == ["user", "system", "user"]


@pytest.mark.parametrize(("model", "features"), [("claude-sonnet-4-5", {}), ("claude-opus-5", {"mid_system": "user"})])
def test_mp18_else_they_are_marked_user_text(model: str, features: dict[str, Any]) -> None:
    request, notes = write(conversation(user("hi"), system("new rule"), user("go")), model, **features)
    (message,) = request.body["messages"]
    assert texts(message) == ["hi", "<system-reminder>\nnew rule\n</system-reminder>", "go"]
    assert ("system", "mapped") in notes.items()


def test_mp18_a_breakpoint_in_a_later_system_turn_survives_the_wrapping() -> None:
    turn = Turn("system", [Text("rule", cache=CacheControl(ttl="1h"))])
    body = body_of(conversation(user("hi"), turn, protocol=M), "claude-sonnet-4-5")
    assert body["messages"][0]["content"][1]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_mp05_adjacent_turns_are_one_message_with_results_first() -> None:
    subject = conversation(
        user("go"),
        assistant(ToolCall("a", "run", "{}"), ToolCall("b", "run", "{}")),
        user(ToolResult("a", [Text("1")])),
        user("and then"),
        user(ToolResult("b", [Text("2")])),
    )
    last = body_of(subject)["messages"][-1]
    assert [block["type"] for block in last["content"]] == ["tool_result", "tool_result", "text"]
    assert [block.get("tool_use_id") for block in last["content"]] == ["a", "b", None]


def test_mp17_empty_and_blank_texts_and_empty_turns_are_left_out() -> None:
    subject = conversation(system(""), user("", "hi"), assistant("", " \n"), user("there"))
    body = body_of(subject)
    assert "system" not in body
    assert [texts(message) for message in body["messages"]] == [["hi", "there"]]


def test_a_history_that_begins_with_the_assistant_gets_a_user_message_in_front() -> None:
    request, notes = write(conversation(assistant("hello"), user("hi")))
    assert [message["role"] for message in request.body["messages"]] == ["user", "assistant", "user"]
    assert ("messages", "repaired") in notes.items()


def test_a_final_assistant_text_does_not_end_in_white_space() -> None:
    assert texts(body_of(conversation(user("q"), assistant("The answer is \n")))["messages"][-1]) == ["The answer is"]


def test_a_request_of_system_text_alone_asks_with_its_last_block() -> None:
    body = body_of(conversation(system("rule", "say hi")))
    assert [block["text"] for block in body["system"]] == ["rule"]
    assert texts(body["messages"][0]) == ["say hi"]


def test_a_conversation_without_content_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(user("")))
    assert caught.value.param == "messages"


# --- parts ---------------------------------------------------------------------------------------------


def test_mp06_ids_and_names_are_legal_on_the_wire_and_match() -> None:
    tools = [FunctionTool("do.it", namespace="ns"), FunctionTool("x" * 80)]
    subject = conversation(
        user("go"),
        assistant(ToolCall("functions.exec:0", "do.it", "{}", namespace="ns"), ToolCall("b", "x" * 80, "{}")),
        user(ToolResult("functions.exec:0", []), ToolResult("b", [])),
        tools=tools,
    )
    body = body_of(subject)
    calls = body["messages"][1]["content"]
    legal = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
    assert all(legal.match(call["id"]) and legal.match(call["name"]) for call in calls)
    assert [call["name"] for call in calls] == [tool["name"] for tool in body["tools"]]
    assert [item["tool_use_id"] for item in body["messages"][2]["content"]] == [call["id"] for call in calls]


@pytest.mark.parametrize(
    ("arguments", "expected", "repaired"),
    [
        ("", {}, False),
        ('{"a": 1}', {"a": 1}, False),
        ('{"a": ', {"arguments": '{"a": '}, True),
        ("[1]", {"arguments": [1]}, True),
    ],
)
def test_mp01_tool_input_is_always_an_object(arguments: str, expected: dict[str, Any], repaired: bool) -> None:
    request, notes = write(conversation(user("go"), assistant(ToolCall("a", "run", arguments)), user("x")))
    assert request.body["messages"][1]["content"][0]["input"] == expected
    assert (("tool_call.arguments", "repaired") in notes.items()) is repaired


def test_mp22_freeform_tools_and_calls_are_functions() -> None:
    subject = conversation(
        user("go"),
        assistant(ToolCall("a", "patch", "*** Begin", kind="custom")),
        user(ToolResult("a", [Text("done")], kind="custom")),
        tools=[CustomTool("patch", description="Edit.", format={"syntax": "lark", "definition": "start: X"})],
    )
    request, notes = write(subject)
    assert request.body["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    assert request.body["tools"][0]["input_schema"]["required"] == ["input"]
    assert "start: X" in request.body["tools"][0]["description"]
    assert ("tool.custom", "mapped") in notes.items()


def test_mp07_only_anthropic_signatures_go_to_a_claude_model() -> None:
    subject = conversation(
        user("go"),
        assistant(
            Thinking("own", signature="Eq", origin=M),
            Thinking(redacted="zz", origin=M),
            Thinking("foreign", signature="tok", origin=G),
            Thinking("plain"),
            "said",
        ),
        user("more"),
    )
    request, notes = write(subject)
    assert request.body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "own", "signature": "Eq"},
        {"type": "redacted_thinking", "data": "zz"},
        {"type": "text", "text": "said"},
    ]
    assert {("thinking.signature", "dropped"), ("thinking", "dropped")} <= set(notes.items())


def test_mp07_a_gemini_client_replays_an_anthropic_signature_in_its_own_slot() -> None:
    subject = conversation(user("go"), assistant(Thinking("own", signature="Eq", origin=G)), user("x"), protocol=G)
    block = {"type": "thinking", "thinking": "own", "signature": "Eq"}
    assert body_of(subject)["messages"][1]["content"] == [block]


def test_mp07_a_thought_a_gemini_client_replays_in_pieces_is_sent_whole() -> None:
    pieces = [Thinking(text, origin=G) for text in ("one ", "two ")]
    subject = conversation(
        user("go"),
        assistant(*pieces, Thinking("", signature="Ea", origin=G), Thinking("three", signature="Eb", origin=G)),
        user("x"),
        protocol=G,
    )
    assert body_of(subject)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "one two ", "signature": "Ea"},
        {"type": "thinking", "thinking": "three", "signature": "Eb"},
    ]


def test_mp07_a_signature_that_comes_back_url_safe_is_sent_in_the_alphabet_it_was_issued_in() -> None:
    subject = conversation(user("go"), assistant(Thinking("own", signature="E-_q", origin=G)), user("x"), protocol=G)
    (block,) = body_of(subject)["messages"][1]["content"]
    assert block["signature"] == "E+/q"


def test_mp08_a_foreign_model_behind_this_protocol_gets_its_plain_reasoning_back() -> None:
    subject = conversation(
        user("go"), assistant(Thinking("plain"), ToolCall("a", "f", "{}")), user(ToolResult("a", []))
    )
    content = body_of(subject, "deepseek-reasoner")["messages"][1]["content"]
    assert content[0] == {"type": "thinking", "thinking": "plain", "signature": ""}


def test_mp20_images_and_documents_in_user_turns_and_tool_results() -> None:
    subject = conversation(
        user(
            "look",
            Media("image", media_type="image/png", data="AA=="),
            Media("image", url="https://x.example/i.png"),
            Media("document", media_type="application/pdf", data="AA==", name="doc.pdf"),
            Media("document", media_type="text/markdown", data="IyBIaQ=="),
        ),
        assistant(ToolCall("a", "f", "{}")),
        user(ToolResult("a", [Text("seen"), Media("image", media_type="image/png", data="BB==")])),
    )
    body = body_of(subject)
    first, result = body["messages"][0]["content"], body["messages"][2]["content"][0]
    assert [block["type"] for block in first] == ["text", "image", "image", "document", "document"]
    assert first[3]["title"] == "doc.pdf"
    assert first[4]["source"] == {"type": "text", "media_type": "text/plain", "data": "# Hi"}
    assert [block["type"] for block in result["content"]] == ["text", "image"]


@pytest.mark.parametrize(
    ("media", "code"),
    [
        (Media("audio", media_type="audio/wav", data="AA=="), "unsupported_audio"),
        (Media("video", url="https://x.example/v.mp4"), "unsupported_video"),
        (Media("image", file_id="file-1"), "unsupported_media"),
        (Media("document", media_type="application/zip", data="AA=="), "unsupported_media"),
        (Media("image", url="gs://bucket/i.png"), "unsupported_media"),
    ],
)
def test_mp20_media_the_protocol_cannot_carry_is_refused(media: Media, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(user(media)))
    assert (caught.value.status, caught.value.code) == (400, code)


def test_mp20_a_data_url_is_inline_data() -> None:
    (block,) = body_of(conversation(user(Media("image", url="data:image/webp;base64,AA=="))))["messages"][0]["content"]
    assert block["source"] == {"type": "base64", "media_type": "image/webp", "data": "AA=="}


def test_structured_results_and_failures_without_text_have_content() -> None:
    subject = conversation(
        user("go"),
        assistant(ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}")),
        user(ToolResult("a", [], structured={"output": 1}), ToolResult("b", [], is_error=True)),
    )
    structured, failed = body_of(subject)["messages"][2]["content"]
    assert structured["content"] == '{"output":1}'
    assert failed["is_error"] is True
    assert failed["content"]


def test_refusals_are_text_and_foreign_opaque_parts_are_told() -> None:
    subject = conversation(user("q", Opaque(R, "item_reference", {})), assistant(Refusal("no")), user("why"))
    request, notes = write(subject)
    assert texts(request.body["messages"][1]) == ["no"]
    assert ("opaque.item_reference", "dropped") in notes.items()


# --- tools ---------------------------------------------------------------------------------------------


def test_foreign_schemas_become_object_schemas() -> None:
    union = {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "null"}]}
    request, notes = write(conversation(tools=[FunctionTool("f"), FunctionTool("g", parameters=union)]))
    bare, merged = request.body["tools"]
    assert bare["input_schema"] == {"type": "object", "properties": {}}
    assert merged["input_schema"] == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert ("tool.parameters", "mapped") in notes.items()


def test_mp23_hosted_tools_become_the_server_tool_that_does_the_same() -> None:
    tools = [
        HostedTool(
            "web_search",
            R,
            {
                "type": "web_search",
                "filters": {"allowed_domains": ["a.example"]},
                "user_location": {"type": "approximate", "country": "NO", "city": None},
            },
        ),
        HostedTool("url_context", G, {"urlContext": {}}),
        HostedTool("code_execution", R, {"type": "code_interpreter"}),
    ]
    choice = ToolChoice("named", name="web_search", kind="hosted")
    body = body_of(conversation(tools=list(tools), tool_choice=choice))
    assert body["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.example"],
            "user_location": {"type": "approximate", "country": "NO"},
        },
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"type": "code_execution_20250825", "name": "code_execution"},
    ]
    assert body["tool_choice"] == {"type": "tool", "name": "web_search"}


@pytest.mark.parametrize(
    ("label", "features"),
    [
        ("image_generation", {}),
        ("web_search", {"hosted_tools": False}),
        ("web_search", {"hosted_tools": ["web_fetch"]}),
    ],
)
def test_mp23_hosted_tools_without_an_equal_are_refused(label: str, features: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(tools=[HostedTool(label, R, {"type": label})]), **features)
    assert (caught.value.code, caught.value.param) == ("unsupported_hosted_tool", "tools.0")


def test_mp23_a_profile_may_have_hosted_tools_dropped_with_a_note() -> None:
    request, notes = write(conversation(tools=[HostedTool("web_search", R, {})]), hosted_tools="drop")
    assert "tools" not in request.body
    assert ("tool.web_search", "dropped") in notes.items()


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("named", name="f"), None, {"type": "tool", "name": "f"}),
        (ToolChoice("required", allowed=("g",)), None, {"type": "tool", "name": "g"}),
    ],
)
def test_mp03_tool_choice_and_parallel_calls(choice: Any, parallel: Any, expected: Any) -> None:
    tools = [FunctionTool("f"), FunctionTool("g")]
    body = body_of(conversation(tools=list(tools), tool_choice=choice, parallel_tool_calls=parallel))
    assert body.get("tool_choice") == expected


def test_mp23_several_allowed_tools_are_the_only_ones_offered() -> None:
    tools = [FunctionTool(name) for name in "abc"]
    body = body_of(conversation(tools=list(tools), tool_choice=ToolChoice("required", allowed=("a", "c"))))
    assert [tool["name"] for tool in body["tools"]] == ["a", "c"]
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("tools", [[], [FunctionTool("g")]])
def test_mp23_tool_choice_never_names_an_absent_tool(tools: list[Any]) -> None:
    with pytest.raises(GatewayError) as caught:
        body_of(conversation(tools=tools, tool_choice=ToolChoice("named", name="f")))
    assert caught.value.status == 400


def test_a_messages_clients_choice_may_name_what_its_tool_list_does_not_show() -> None:
    choice = {"type": "tool", "name": "left_click"}
    subject = read(tools=[{"type": "computer_toolset_20260801", "name": "computer"}], tool_choice=choice)
    assert body_of(subject)["tool_choice"] == choice


def test_typed_client_tools_go_back_to_a_messages_upstream_as_they_came() -> None:
    tool = {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}}
    assert body_of(read(tools=[tool]))["tools"] == [tool]


# --- the rest ------------------------------------------------------------------------------------------


def test_mp19_no_breakpoints_are_invented_unless_the_profile_asks() -> None:
    subject = conversation(system("s"), user("hi"))
    assert "cache_control" not in str(body_of(subject))
    assert body_of(subject, auto_cache=True)["cache_control"] == {"type": "ephemeral"}
    own = read(cache_control={"type": "ephemeral", "ttl": "1h"})
    assert body_of(own, auto_cache=True)["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_foreign_members_without_a_slot_are_told() -> None:
    subject = conversation(
        extensions={"prediction": {}},
        metadata={"a": "b"},
        cache_key="k",
        service_tier="flex",
        output=OutputFormat(verbosity="low"),
    )
    notes = dict(write(subject)[1].items())
    expected = ("extensions.prediction", "metadata", "cache_key", "service_tier", "output.verbosity")
    assert notes == dict.fromkeys(expected, "dropped")


def test_user_and_tier_are_carried() -> None:
    body = body_of(conversation(user="u1", service_tier="default"))
    assert (body["metadata"], body["service_tier"]) == ({"user_id": "u1"}, "standard_only")


def test_the_version_header_is_always_sent_and_betas_only_where_needed() -> None:
    assert write(conversation())[0].headers == {"anthropic-version": "2023-06-01"}
    request, _ = write(
        read(
            mcp_servers=[{}],
            messages=[{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}],
        )
    )
    assert request.headers["anthropic-beta"] == "files-api-2025-04-14,mcp-client-2025-11-20"


def test_the_path_follows_the_vendors_base_url() -> None:
    request, _ = write(conversation(protocol=C))
    assert (request.method, request.path, "stream" in request.body) == ("POST", "/v1/messages", False)
