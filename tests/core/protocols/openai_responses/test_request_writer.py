"""What an R upstream receives from clients of other protocols, and what it is told it does not."""

from __future__ import annotations

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
    Protocol,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.contract import Notes, WireTarget
from tests.core.protocols.openai_responses.support import CODEC, conversation, read, written

C, R, M, G = (
    Protocol.OPENAI_CHAT,
    Protocol.OPENAI_RESPONSES,
    Protocol.ANTHROPIC_MESSAGES,
    Protocol.GEMINI,
)


def turn(role: Any, *parts: Any, **members: Any) -> Turn:
    return Turn(role, list(parts), **members)


def test_mp18_the_leading_system_text_is_instructions_and_later_ones_stay_in_place() -> None:
    sent, _ = written(
        conversation(
            turn("system", Text("one"), Text("two")),
            turn("user", Text("u")),
            turn("system", Text("mid"), developer=True),
            protocol=M,
        )
    )
    assert sent["instructions"] == "one\n\ntwo"
    assert [(item["role"], item["content"][0]["text"]) for item in sent["input"]] == [
        ("user", "u"),
        ("developer", "mid"),
    ]


def test_mp18_a_server_without_instructions_or_developers_gets_system_messages() -> None:
    request = conversation(turn("system", Text("s")), turn("system", Text("d"), developer=True), protocol=M)
    sent, _ = written(request, instructions=False, developer_role=False)
    assert "instructions" not in sent
    assert [item["role"] for item in sent["input"]] == ["system", "system"]


def test_mp05_results_are_one_item_each_in_order() -> None:
    sent, notes = written(
        conversation(
            turn("assistant", Text("t"), ToolCall("a", "f", '{"x":1}'), ToolCall("b.1", "g", "")),
            turn("user", ToolResult("a", [Text("1"), Text("2")]), ToolResult("b.1", [], is_error=True), Text("go")),
            protocol=M,
        )
    )
    assert [item["type"] for item in sent["input"]] == [
        "message",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
        "message",
    ]
    _, first, second, one, two, _ = sent["input"]
    assert first["arguments"] == '{"x":1}'
    assert second["arguments"] == "{}"
    assert second["call_id"] == two["call_id"] == "rcx_b_2e1"
    assert one["output"] == [{"type": "input_text", "text": "1"}, {"type": "input_text", "text": "2"}]
    assert two["output"] == "The tool failed without a message."
    assert notes == {"tool_result.is_error": "dropped"}


def test_mp17_nothing_empty_is_sent() -> None:
    sent, notes = written(
        conversation(turn("system"), turn("assistant", Text("")), turn("user", Text(""), Text("x")), protocol=M)
    )
    assert sent["input"] == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}]
    assert "instructions" not in sent
    assert notes == {}


def test_mp20_media_of_results_are_sent_inside_or_rehomed() -> None:
    image = Media("image", "image/png", "AAAA")
    request = conversation(
        turn("assistant", ToolCall("a", "f", "{}")), turn("user", ToolResult("a", [Text("see"), image])), protocol=M
    )
    sent, notes = written(request)
    assert sent["input"][1]["output"][1]["image_url"] == "data:image/png;base64,AAAA"
    assert notes == {}
    sent, notes = written(request, tool_result_media=False)
    assert sent["input"][1]["output"] == "see"
    assert sent["input"][2]["content"][0]["type"] == "input_image"
    assert notes == {"tool_result.media": "mapped"}


@pytest.mark.parametrize(
    ("media", "wire"),
    [
        (Media("image", url="https://x"), {"type": "input_image", "detail": "auto", "image_url": "https://x"}),
        (
            Media("document", "application/pdf", "AAAA"),
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AAAA"},
        ),
        (Media("document", url="https://x"), {"type": "input_file", "file_url": "https://x"}),
        (Media("document", text="plain", name="n"), {"type": "input_text", "text": "n:\nplain"}),
    ],
)
def test_mp20_media_of_the_user(media: Media, wire: dict[str, Any]) -> None:
    sent, _ = written(conversation(turn("user", media), protocol=M))
    assert sent["input"][0]["content"] == [wire]


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_what_cannot_be_heard_is_refused(kind: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        written(conversation(turn("user", Media(kind, f"{kind}/mp4", "AA")), protocol=G))
    assert caught.value.code == f"unsupported_{kind}"


def test_mp07_a_foreign_token_is_never_sent() -> None:
    request = conversation(
        turn(
            "assistant",
            Thinking("hm", signature="SIG", origin=M),
            Thinking(redacted="RED", origin=M),
            Thinking("own", signature="ENC", origin=R, id="rs_1"),
            Text("t", signature="GSIG"),
        ),
        protocol=M,
    )
    sent, notes = written(request)
    assert [item["type"] for item in sent["input"]] == ["reasoning", "message"]
    assert sent["input"][0]["encrypted_content"] == "ENC"
    assert notes == {"thinking.signature": "dropped", "thinking": "dropped", "text.signature": "dropped"}
    sent, notes = written(request, reasoning_text=True)
    assert sent["input"][0] == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}],
    }


def test_mp07_a_token_taken_away_is_not_sent_from_the_kept_wire_item() -> None:
    wire = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "SECRET"}
    sent, _ = written(conversation(turn("assistant", Thinking("s", origin=R, wire=wire), Text("t"))))
    assert "SECRET" not in str(sent)


def test_mp22_freeform_tools_stay_freeform_or_become_functions() -> None:
    tool = CustomTool("patch", "d", {"type": "grammar", "syntax": "lark", "definition": "start: x"}, namespace="ns")
    request = conversation(
        turn("assistant", ToolCall("c", "patch", "*** x", kind="custom", namespace="ns")),
        turn("user", ToolResult("c", [Text("ok")], kind="custom")),
        tools=[tool],
    )
    sent, notes = written(request)
    assert sent["tools"][0]["tools"][0]["type"] == "custom"
    assert [item["type"] for item in sent["input"]] == ["custom_tool_call", "custom_tool_call_output"]
    assert notes == {}
    sent, notes = written(request, custom_tools=False, namespaces=False)
    assert (sent["tools"][0]["type"], sent["tools"][0]["name"]) == ("function", "ns__patch")
    call, output = sent["input"]
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "ns__patch", '{"input":"*** x"}')
    assert "namespace" not in call
    assert output["type"] == "function_call_output"
    assert notes == {"tool.custom": "mapped"}


def test_mp06_names_this_wire_cannot_bear_are_flattened() -> None:
    tool = FunctionTool("mcp.server/tool" + "x" * 70)
    sent, _ = written(conversation(turn("assistant", ToolCall("c", tool.name, "{}")), tools=[tool], protocol=M))
    name = sent["tools"][0]["name"]
    assert len(name) <= 64
    assert sent["input"][0]["name"] == name


def test_a_foreign_function_is_not_made_strict() -> None:
    sent, notes = written(
        conversation(tools=[FunctionTool("f", cache=CacheControl(), deferred=True, options={"x": 1})], protocol=M)
    )
    assert sent["tools"] == [
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
    ]
    assert notes == {"tool.cache": "dropped", "tool.deferred": "mapped", "tool.x": "dropped"}


def test_mp23_hosted_tools_with_an_equal_are_mapped_and_others_refused() -> None:
    search = HostedTool("web_search", M, {"type": "web_search_20250305", "allowed_domains": ["a.b"]})
    code = HostedTool("code_execution", G, {"codeExecution": {}})
    sent, notes = written(conversation(tools=[search, code], protocol=M))
    assert sent["tools"] == [
        {"type": "web_search", "filters": {"allowed_domains": ["a.b"]}},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ]
    assert notes == {"tool.web_search": "mapped", "tool.code_execution": "mapped"}
    for tools, features in (([HostedTool("web_fetch", M, {})], {}), ([search], {"hosted_tools": False})):
        with pytest.raises(GatewayError) as caught:
            written(conversation(tools=tools, protocol=M), **features)
        assert caught.value.code == "unsupported_hosted_tool"


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("named", "f"), {"type": "function", "name": "f"}),
        (ToolChoice("named", "p", kind="custom"), {"type": "custom", "name": "p"}),
        (ToolChoice("named", "web_search", kind="hosted"), {"type": "web_search"}),
        (
            ToolChoice("required", allowed=("f", "p")),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "p"}],
            },
        ),
    ],
)
def test_mp23_tool_choice(choice: ToolChoice, wire: Any) -> None:
    tools = [FunctionTool("f"), CustomTool("p"), HostedTool("web_search", R, {"type": "web_search"})]
    sent, _ = written(conversation(tools=tools, tool_choice=choice))
    assert sent["tool_choice"] == wire


def test_mp23_a_hosted_tool_merely_offered_is_left_out_and_one_demanded_refused() -> None:
    tools = [FunctionTool("f"), HostedTool("web_fetch", M, {"type": "web_fetch_20250910"})]
    sent, notes = written(conversation(tools=tools, protocol=M))
    assert [tool["type"] for tool in sent["tools"]] == ["function"]
    assert notes == {"tool.web_fetch": "dropped"}
    with pytest.raises(GatewayError) as caught:
        written(conversation(tools=tools, tool_choice=ToolChoice("named", "web_fetch", kind="hosted"), protocol=M))
    assert caught.value.code == "unsupported_hosted_tool"
    sent, _ = written(conversation(tools=tools, tool_choice=ToolChoice("auto", allowed=("f", "web_fetch")), protocol=M))
    assert sent["tool_choice"]["tools"] == [{"type": "function", "name": "f"}]


def test_mp23_tool_choice_never_names_an_absent_tool() -> None:
    with pytest.raises(GatewayError, match="not found"):
        written(conversation(tools=[FunctionTool("f")], tool_choice=ToolChoice("named", "g")))
    sent, _ = written(conversation(tool_choice=ToolChoice("auto")))
    assert "tool_choice" not in sent


def test_settings_of_a_foreign_client() -> None:
    sent, notes = written(
        conversation(
            protocol=M,
            sampling=Sampling(max_output_tokens=90, temperature=0.2, stop=["x"], top_k=4, seed=0),
            reasoning=Reasoning(mode="on", budget_tokens=8000),
            output=OutputFormat("json_schema", {"type": "object"}, verbosity="low"),
            parallel_tool_calls=False,
            tools=[FunctionTool("f")],
            user="u" * 100,
            session="s-1",
            service_tier="standard_only",
            metadata={"user_id": "x"},
            cache=CacheControl(),
            extensions={"context_management": {}},
        ),
        stream=True,
    )
    assert sent["stream"] is True
    assert sent["store"] is False
    assert sent["parallel_tool_calls"] is False
    assert sent["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert sent["include"] == ["reasoning.encrypted_content"]
    assert sent["text"]["format"] == {"type": "json_schema", "name": "output", "schema": {"type": "object"}}
    assert sent["prompt_cache_key"] == "s-1"
    assert len(sent["safety_identifier"]) == 64
    assert notes == {
        "sampling.stop": "dropped",
        "sampling.seed": "dropped",
        "sampling.top_k": "dropped",
        "reasoning.budget_tokens": "mapped",
        "user": "mapped",
        "service_tier": "dropped",
        "metadata": "dropped",
        "cache": "dropped",
        "extensions.context_management": "dropped",
    }


def test_mp19_breakpoints_are_dropped_with_a_note_or_mapped() -> None:
    request = conversation(turn("user", Text("a", cache=CacheControl(ttl="1h"))), protocol=M)
    assert written(request)[1] == {"text.cache": "dropped"}
    sent, notes = written(request, prompt_cache_breakpoint=True)
    assert sent["input"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "30m"}
    assert notes == {"text.cache": "mapped"}


def test_several_answers_are_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        written(conversation(protocol=C, sampling=Sampling(n=2)))
    assert (caught.value.code, caught.value.param) == ("unsupported_n", "n")


def test_foreign_opaque_parts_are_dropped_with_a_note() -> None:
    opaque = Opaque(M, "server_tool_use", {"type": "server_tool_use"})
    sent, notes = written(conversation(turn("assistant", opaque, Text("t")), protocol=M))
    assert [item["type"] for item in sent["input"]] == ["message"]
    assert notes == {"opaque.server_tool_use": "dropped"}


def test_pictures_the_assistant_made_are_shown_by_the_user() -> None:
    sent, notes = written(conversation(turn("assistant", Text("t"), Media("image", "image/png", "AA")), protocol=G))
    assert [item["role"] for item in sent["input"]] == ["assistant", "user"]
    assert notes == {"assistant.media": "mapped"}


@pytest.mark.parametrize(
    "item",
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "E"},
        {"type": "item_reference", "id": "msg_1"},
        {
            "type": "local_shell_call",
            "id": "l",
            "call_id": "c",
            "status": "completed",
            "action": {"type": "exec", "command": ["ls"], "env": {}},
        },
        {"type": "shell_call", "id": "s", "call_id": "c", "status": "completed", "action": {"commands": ["ls"]}},
        {
            "type": "apply_patch_call",
            "id": "a",
            "call_id": "c",
            "status": "completed",
            "operation": {"type": "delete_file", "path": "x"},
        },
        {
            "type": "shell_call_output",
            "id": "o",
            "call_id": "c",
            "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
        {"type": "mcp_approval_response", "approval_request_id": "x", "approve": True},
        {
            "type": "message",
            "id": "msg_1",
            "role": "user",
            "content": [{"type": "input_text", "text": "t"}],
            "internal_chat_message_metadata_passthrough": {"turn_id": "t"},
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c",
            "name": "f",
            "arguments": "{}",
            "status": "completed",
            "caller": {"type": "direct"},
        },
    ],
)
def test_mp27_items_of_this_protocol_come_back_as_they_were(item: dict[str, Any]) -> None:
    typed = [{"type": "local_shell"}, {"type": "shell"}, {"type": "apply_patch"}]
    calls = [
        {"type": "shell_call", "call_id": "c", "id": "s", "status": "completed", "action": {"commands": ["ls"]}}
    ]  # an output is written as its call's type says
    items = [*calls, item] if item["type"] == "shell_call_output" else [item]
    sent, notes = written(read(input=items, tools=typed))
    assert sent["input"][-1] == item
    assert sent["tools"] == typed
    assert notes == {}


@pytest.mark.parametrize(
    "following",
    [[], [{"role": "user", "content": "u"}], [{"type": "function_call_output", "call_id": "c", "output": ""}]],
)
def test_reasoning_that_nothing_follows_is_not_sent(following: list[dict[str, Any]]) -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    sent, notes = written(read(input=[thought, call, thought, *following]))
    kinds = [item["type"] for item in sent["input"]]
    assert kinds[:2] == ["reasoning", "function_call"]
    assert "reasoning" not in kinds[2:]
    assert notes == {"thinking": "dropped"}


def test_ids_the_vendor_would_refuse_are_left_out() -> None:
    sent, _ = written(
        read(
            input=[
                {"type": "message", "id": "item-7", "role": "user", "content": "u"},
                {"type": "function_call", "id": "x" * 70, "call_id": "c", "name": "f", "arguments": "{}"},
            ]
        )
    )
    assert all("id" not in item for item in sent["input"])


def test_a_probe_for_one_token_asks_for_the_least_the_vendor_gives() -> None:
    request = conversation(protocol=M, sampling=Sampling(max_output_tokens=1))
    assert written(request)[0]["max_output_tokens"] == 16
    assert written(request)[1] == {"sampling.max_output_tokens": "mapped"}
    assert written(request, least_output_tokens=1)[0]["max_output_tokens"] == 1


def test_typed_client_tools_are_functions_where_the_server_does_not_know_them() -> None:
    request = read(
        tools=[{"type": "local_shell"}],
        input=[{"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"], "env": {}}}],
    )
    sent, _ = written(request, client_tools=False)
    assert (sent["tools"][0]["type"], sent["tools"][0]["name"]) == ("function", "local_shell")
    assert sent["input"][0]["type"] == "function_call"


def test_counting_sends_what_counts() -> None:
    request = read(instructions="i", temperature=1, stream=True, store=False)
    notes = Notes()
    wire = CODEC.count_request(request, WireTarget("m", False, True), notes)
    assert wire is not None
    assert wire.path == "/responses/input_tokens"
    assert set(wire.body) == {"model", "input", "instructions"}
    assert CODEC.count_request(request, WireTarget("m", False, True, {"input_tokens": False}), notes) is None
    assert CODEC.read_count({"object": "response.input_tokens", "input_tokens": 7}) == 7
    assert CODEC.write_count(7, True) == b'{"object":"response.input_tokens","input_tokens":7}'
