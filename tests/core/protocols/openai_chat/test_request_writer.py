"""Conversation -> upstream body: settings, tools, and what is told as dropped, mapped or refused."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.model import (
    CacheControl,
    CustomTool,
    FunctionTool,
    HostedTool,
    OutputFormat,
    Protocol,
    Reasoning,
    Sampling,
    ToolChoice,
)

from .support import conversation, read, written

M = Protocol.ANTHROPIC_MESSAGES
R = Protocol.OPENAI_RESPONSES


def test_path_and_model() -> None:
    body, _ = written(conversation())
    assert body == {"model": "target-model", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_output_limit_goes_out_under_the_name_the_target_knows(field: str) -> None:
    request = conversation(sampling=Sampling(max_output_tokens=9))
    assert written(request, max_tokens_field=field)[0][field] == 9
    assert written(request)[0]["max_tokens"] == 9


def test_mp12_usage_is_always_asked_for_in_streams() -> None:
    assert written(conversation(protocol=M), stream=True)[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in written(conversation(), stream=True, stream_usage=False)[0]
    assert "stream" not in written(conversation(stream=True))[0]


def test_own_members_of_the_same_protocol_are_kept() -> None:
    members: dict[str, Any] = {
        "temperature": 0.5,
        "top_k": 4,
        "n": 2,
        "stop": ["a"],
        "logit_bias": {"1": 2.0},
        "reasoning_effort": "xhigh",
        "response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": {"type": "object"}}},
        "verbosity": "low",
        "modalities": ["text", "audio"],
        "audio": {"voice": "x", "format": "wav"},
        "store": True,
        "user": "u",
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "metadata": {"a": "b"},
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {"search_context_size": "low"},
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}},
            {
                "type": "custom",
                "custom": {
                    "name": "c",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
                },
            },
            {"type": "novel", "x": 1},
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "custom", "custom": {"name": "c"}}]},
        },
        "parallel_tool_calls": False,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    }
    body, notes = written(read(**members, stream=True), stream=True)
    assert {name: body.get(name) for name in members} == members
    assert notes == {}


def test_members_of_openais_own_are_dropped_with_notes_for_foreign_clients_and_vendors() -> None:
    request = conversation(
        protocol=R,
        output=OutputFormat(verbosity="low"),
        store=True,
        metadata={"a": "b"},
        cache_key="k",
        service_tier="flex",
        user="u",
        cache=CacheControl(),
        extensions={"client_metadata": {}},
        sampling=Sampling(top_k=3),
        reasoning=Reasoning(mode="on", effort="high", summary="auto", encrypted=True),
    )
    body, notes = written(request)
    assert set(body) == {"model", "messages", "reasoning_effort"}
    assert notes == dict.fromkeys(
        [
            *("sampling.top_k", "reasoning.summary", "reasoning.encrypted", "output.verbosity", "user", "store"),
            *("metadata", "cache_key", "service_tier", "cache", "extensions.client_metadata"),
        ],
        "dropped",
    )
    body, notes = written(request, same_vendor=True)
    assert (body["verbosity"], body["store"], body["prompt_cache_key"]) == ("low", True, "k")
    assert "extensions.client_metadata" in notes


def test_a_long_foreign_user_id_is_not_sent() -> None:
    request = conversation(protocol=M, user="x" * 65)
    body, notes = written(request, openai_extras=True)
    assert "user" not in body
    assert notes == {"user": "dropped"}


@pytest.mark.parametrize(
    ("reasoning", "features", "expected", "noted"),
    [
        (Reasoning(mode="on", effort="high"), {}, {"reasoning_effort": "high"}, {}),
        (Reasoning(mode="on", effort="xhigh"), {}, {"reasoning_effort": "high"}, {"reasoning.effort": "mapped"}),
        (
            Reasoning(mode="on", budget_tokens=1000),
            {},
            {"reasoning_effort": "low"},
            {"reasoning.budget_tokens": "mapped"},
        ),
        (Reasoning(mode="off"), {}, {}, {"reasoning.mode": "dropped"}),
        (Reasoning(mode="off"), {"reasoning_efforts": ["none", "low"]}, {"reasoning_effort": "none"}, {}),
        (Reasoning(mode="adaptive"), {}, {}, {}),
        (Reasoning(mode="on", effort="low"), {"reasoning_field": False}, {}, {"reasoning": "dropped"}),
        (Reasoning(mode="on", budget_tokens=5), {"reasoning_field": "reasoning"}, {"reasoning": {"max_tokens": 5}}, {}),
        (Reasoning(mode="off"), {"reasoning_field": "reasoning"}, {"reasoning": {"enabled": False}}, {}),
        (Reasoning(mode="off"), {"reasoning_field": "thinking"}, {"thinking": {"type": "disabled"}}, {}),
        (
            Reasoning(mode="on", effort="low"),
            {"reasoning_field": "thinking"},
            {"thinking": {"type": "enabled"}},
            {"reasoning.effort": "dropped"},
        ),
        (
            Reasoning(mode="on", effort="max"),
            {"reasoning_field": "thinking", "reasoning_efforts": ["high", "max"]},
            {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
            {},
        ),
        (
            Reasoning(mode="on", budget_tokens=5),
            {"reasoning_field": "enable_thinking"},
            {"enable_thinking": True, "thinking_budget": 5},
            {},
        ),
    ],
)
def test_thinking_in_the_targets_dialect(
    reasoning: Reasoning, features: dict[str, Any], expected: dict[str, Any], noted: dict[str, str]
) -> None:
    body, notes = written(conversation(protocol=M, reasoning=reasoning), **features)
    assert {name: value for name, value in body.items() if name not in {"model", "messages"}} == expected
    assert notes == noted


def test_structured_output_falls_back_where_the_target_has_no_schemas() -> None:
    request = conversation(protocol=M, output=OutputFormat("json_schema", {"type": "object"}))
    assert written(request)[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}},
    }
    body, notes = written(request, json_schema=False)
    assert (body["response_format"], notes) == ({"type": "json_object"}, {"output.schema": "mapped"})


def test_mp23_stop_sequences_past_the_targets_limit_are_noted() -> None:
    request = conversation(protocol=M, sampling=Sampling(stop=["a", "b", "c"]))
    assert written(request)[0]["stop"] == ["a", "b", "c"]
    body, notes = written(request, max_stop=2)
    assert (body["stop"], notes) == (["a", "b"], {"sampling.stop": "dropped"})


# --- tools ---------------------------------------------------------------------------------------------

F = FunctionTool("f", "d", {"type": "object"})


def test_mp06_mp22_namespaces_and_odd_names_go_out_flat() -> None:
    tools = [FunctionTool("spawn", namespace="agents"), FunctionTool("mcp.server/tool")]
    body, _ = written(conversation(protocol=R, tools=tools, tool_choice=ToolChoice("named", "spawn", "agents")))
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names == ["agents__spawn", "mcp_server_tool"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "agents__spawn"}}


def test_a_tool_without_parameters_gets_an_empty_schema_across_protocols() -> None:
    body, _ = written(conversation(protocol=M, tools=[FunctionTool("f")]))
    assert body["tools"][0]["function"] == {"name": "f", "parameters": {"type": "object", "properties": {}}}


def test_mp22_custom_tools_are_wrapped_unless_the_target_knows_them() -> None:
    request = conversation(
        protocol=R,
        tools=[CustomTool("p", "d", {"type": "grammar", "syntax": "lark", "definition": "start: x"})],
        tool_choice=ToolChoice("named", "p", kind="custom"),
    )
    body, notes = written(request)
    function = body["tools"][0]["function"]
    assert function["parameters"]["required"] == ["input"]
    assert "start: x" in function["description"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "p"}}
    assert notes == {"tool.custom": "mapped"}
    body, notes = written(request, custom_tools=True)
    assert body["tools"][0]["custom"]["format"] == {
        "type": "grammar",
        "grammar": {"syntax": "lark", "definition": "start: x"},
    }
    assert body["tool_choice"] == {"type": "custom", "custom": {"name": "p"}}
    assert notes == {}


def test_mp19_cache_on_tools_is_carried_or_noted() -> None:
    request = conversation(protocol=M, tools=[FunctionTool("f", cache=CacheControl(ttl="1h"))])
    body, notes = written(request, cache_control=True)
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert notes == {}
    assert written(request)[1] == {"tool.cache": "dropped"}


def test_foreign_tool_options_are_noted() -> None:
    tool = FunctionTool("f", options={"input_examples": []}, output_schema={}, deferred=True)
    assert written(conversation(protocol=M, tools=[tool]))[1] == {
        "tool.deferred": "mapped",
        "tool.output_schema": "dropped",
        "tool.input_examples": "dropped",
    }


def search(label: str = "web_search") -> HostedTool:
    return HostedTool(
        label,
        R,
        {"type": label, "search_context_size": "low", "user_location": {"type": "approximate", "city": "Oslo"}},
    )


def test_mp23_hosted_tools_without_an_equal_are_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        written(conversation(protocol=R, tools=[search()]))
    assert (caught.value.code, caught.value.status, caught.value.param) == ("unsupported_hosted_tool", 400, "tools")


def test_mp23_hosted_tools_follow_the_targets_features() -> None:
    request = conversation(protocol=R, tools=[search(), F])
    body, notes = written(request, hosted_tools={"web_search": "web_search_options"})
    assert body["web_search_options"] == {
        "search_context_size": "low",
        "user_location": {"type": "approximate", "approximate": {"city": "Oslo"}},
    }
    assert len(body["tools"]) == 1
    assert notes == {"tool.web_search": "mapped"}
    own = {"type": "web_search", "web_search": {"enable": True}}
    assert written(request, hosted_tools={"web_search": own})[0]["tools"][0] == own
    for form in ("drop", {"*": "drop"}):
        body, notes = written(request, hosted_tools=form)
        assert (len(body["tools"]), notes) == (1, {"tool.web_search": "dropped"})


def test_a_hosted_search_for_tools_is_not_missed_because_all_tools_are_offered() -> None:
    body, notes = written(conversation(protocol=M, tools=[search("tool_search"), F]))
    assert len(body["tools"]) == 1
    assert notes == {"tool.tool_search": "dropped"}


def test_mp23_tool_choice_never_names_an_absent_tool() -> None:
    body, notes = written(conversation(protocol=M, tools=[F], tool_choice=ToolChoice("named", "gone")))
    assert (body["tool_choice"], notes) == ("auto", {"tool_choice": "dropped"})
    body, notes = written(conversation(protocol=M, tool_choice=ToolChoice("required")))
    assert "tool_choice" not in body
    assert notes == {"tool_choice": "dropped"}
    body, notes = written(conversation(protocol=M, tool_choice=ToolChoice("auto"), parallel_tool_calls=True))
    assert set(body) == {"model", "messages"}
    assert notes == {}


def test_allowed_tools_cut_the_list_down_where_the_target_has_no_such_choice() -> None:
    request = conversation(protocol=R, tools=[F, FunctionTool("g")], tool_choice=ToolChoice("required", allowed=("g",)))
    body, notes = written(request)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == "required"
    assert notes == {"tool_choice.allowed": "mapped"}
    body, _ = written(request, allowed_tools=True)
    assert len(body["tools"]) == 2
    assert body["tool_choice"]["allowed_tools"]["tools"] == [{"type": "function", "function": {"name": "g"}}]


def test_mp03_parallel_tool_calls_are_carried_or_noted() -> None:
    request = conversation(protocol=M, tools=[F], parallel_tool_calls=False)
    assert written(request)[0]["parallel_tool_calls"] is False
    body, notes = written(request, parallel_tool_calls=False)
    assert "parallel_tool_calls" not in body
    assert notes == {"parallel_tool_calls": "dropped"}


# --- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"sampling": Sampling(n=2)}, "unsupported_n"),
        ({"output": OutputFormat(modalities=["TEXT", "AUDIO"])}, "unsupported_audio"),
        ({"output": OutputFormat(modalities=["IMAGE"])}, "unsupported_image"),
    ],
)
def test_what_would_change_the_meaning_is_refused(members: dict[str, Any], code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        written(conversation(protocol=Protocol.GEMINI, **members))
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_image_answers_are_asked_for_where_the_target_makes_them() -> None:
    request = conversation(protocol=Protocol.GEMINI, output=OutputFormat(modalities=["TEXT", "IMAGE"]))
    assert written(request, image_output=True)[0]["modalities"] == ["text", "image"]
