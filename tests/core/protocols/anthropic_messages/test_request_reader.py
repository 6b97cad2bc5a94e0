"""Reading requests: every block and setting of the protocol, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from llmswitch_core.canonical.errors import GatewayError
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    CacheControl,
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
    Reasoning,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.core.protocols.anthropic_messages.builders import CODEC, G, M, R, head, read


def parts_of(*content: Any, role: str = "user") -> list[Any]:
    return read(messages=[{"role": role, "content": list(content)}]).turns[0].parts


@pytest.mark.parametrize("content", [None, "", []])
def test_mp17_empty_content_is_a_turn_without_parts(content: Any) -> None:
    assert read(messages=[{"role": "assistant", "content": content}]).turns[0].parts == []


@pytest.mark.parametrize("system", [None, "", []])
def test_mp17_empty_system_is_no_turn(system: Any) -> None:
    assert [turn.role for turn in read(system=system).turns] == ["user"]


def test_mp18_system_blocks_keep_order_and_breakpoints() -> None:
    system = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
    assert read(system=system).turns[0].parts == [Text("a"), Text("b", cache=CacheControl(ttl="1h"))]


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        ({"type": "base64", "media_type": "image/gif", "data": "AA=="}, "data", "AA=="),
        ({"type": "url", "url": "https://x.example/i.png"}, "url", "https://x.example/i.png"),
        ({"type": "file", "file_id": "file_1"}, "file_id", "file_1"),
    ],
)
def test_mp20_image_sources(source: dict[str, str], field: str, value: str) -> None:
    (media,) = parts_of({"type": "image", "source": source})
    assert isinstance(media, Media)
    assert media.kind == "image"
    assert getattr(media, field) == value


def test_mp20_document_sources() -> None:
    pdf, url, text, content, file = parts_of(
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            "title": "T",
            "context": "C",
            "citations": {"enabled": True},
        },
        {"type": "document", "source": {"type": "url", "url": "https://x.example/d.pdf"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
    )
    assert (pdf.name, pdf.data, pdf.options) == ("T", "AA==", {"context": "C", "citations": {"enabled": True}})
    assert (url.url, url.media_type) == ("https://x.example/d.pdf", "application/pdf")
    assert (text.text, text.media_type) == ("plain", "text/plain")
    assert content.text == "inner"
    assert file.file_id == "f"


def test_a_search_result_is_a_text_document_for_everybody_else() -> None:
    (media,) = parts_of(
        {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "found"}]}
    )
    assert (media.kind, media.name, media.text) == ("document", "T", "found")


def test_mp07_thinking_keeps_its_signature_and_redacted_data() -> None:
    parts = parts_of(
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "zz"},
        role="assistant",
    )
    assert parts == [Thinking("hm", signature="EqQB", origin=M), Thinking(redacted="zz", origin=M)]


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (None, Thinking("hm")),
        ("", Thinking("hm")),
        ("routecodex.unsigned", Thinking("hm")),
        ("routecodex.gemini.tok.en", Thinking("hm", signature="tok.en", origin=G)),
        ("routecodex.responses.enc", Thinking("hm", signature="enc", origin=R, summary=True)),
        ("routecodex.responses-raw.enc", Thinking("hm", signature="enc", origin=R)),
        ("routecodex.who.tok", Thinking("hm", signature="routecodex.who.tok", origin=M)),
    ],
)
def test_mp07_foreign_tokens_come_out_of_their_envelope(signature: str | None, expected: Thinking) -> None:
    (part,) = parts_of({"type": "thinking", "thinking": "hm", "signature": signature}, role="assistant")
    assert part == expected


def test_mp06_escaped_ids_are_restored() -> None:
    odd = "functions.exec:0"
    subject = read(
        messages=[
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": portable(odd), "name": "exec", "input": {"a": 1}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": portable(odd), "content": "ok"}]},
        ]
    )
    assert subject.turns[0].parts == [ToolCall(odd, "exec", '{"a":1}')]
    assert subject.turns[1].parts == [ToolResult(odd, [Text("ok")])]


@pytest.mark.parametrize(("content", "expected"), [(None, []), ("", []), ([], []), ("x", [Text("x")])])
def test_mp17_tool_result_content_may_be_missing(content: Any, expected: list[Text]) -> None:
    (result,) = parts_of({"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": True})
    assert result == ToolResult("t", expected, is_error=True)


def test_unknown_blocks_are_opaque() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    assert parts_of(block) == [Opaque(M, "server_tool_use", block)]


def test_tools_of_every_family() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    tools = read(
        tools=[
            {"name": "f", "description": "d", "input_schema": schema, "strict": True, "defer_loading": True},
            {"type": "custom", "name": "g", "input_schema": schema, "input_examples": [{"a": "b"}]},
            {"type": "bash_20250124", "name": "bash"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
            {"type": "browser_toolset_20260801", "name": "browser"},
        ]
    ).tools
    assert tools[0] == FunctionTool("f", description="d", parameters=schema, strict=True, deferred=True)
    assert isinstance(tools[1], FunctionTool)
    assert tools[1].options == {"input_examples": [{"a": "b"}]}
    assert isinstance(tools[2], FunctionTool)
    assert tools[2].parameters["properties"]["command"]["type"] == "string"
    assert isinstance(tools[3], FunctionTool)
    labels = [tool.label for tool in tools[4:] if isinstance(tool, HostedTool)]
    assert labels == ["web_search", "code_execution", "tool_search", "browser_toolset_20260801"]


@pytest.mark.parametrize(
    ("choice", "mode", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": False}, "named", True),
        ("auto", "auto", None),
    ],
)
def test_mp03_tool_choice_and_parallel_use(choice: Any, mode: str, parallel: bool | None) -> None:
    subject = read(tools=[{"name": "f"}], tool_choice=choice)
    assert subject.tool_choice is not None
    assert subject.tool_choice.mode == mode
    assert subject.parallel_tool_calls is parallel


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning("on", budget_tokens=2048)),
        ({"thinking": {"type": "disabled"}}, Reasoning("off")),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning("adaptive", visible=False)),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, Reasoning("adaptive", visible=True)),
        ({"output_config": {"effort": "high"}}, Reasoning(effort="high")),
        ({"thinking": {"type": "between_tools"}}, None),
        ({}, None),
    ],
)
def test_thinking_settings(members: dict[str, Any], expected: Reasoning | None) -> None:
    assert read(**members).reasoning == expected


def test_structured_output_and_the_rest_of_output_config() -> None:
    schema = {"type": "object"}
    config = {"format": {"type": "json_schema", "schema": schema}, "task_budget": {"type": "tokens", "total": 9}}
    subject = read(output_config=config)
    assert subject.output is not None
    assert (subject.output.type, subject.output.schema) == ("json_schema", schema)
    assert subject.extensions == {"output_config": {"task_budget": {"type": "tokens", "total": 9}}}


def test_members_without_a_field_are_extensions() -> None:
    subject = read(mcp_servers=[{"name": "x"}], container="c", inference_geo="us", diagnostics=None)
    assert subject.extensions == {"mcp_servers": [{"name": "x"}], "container": "c", "inference_geo": "us"}


def test_numbers_may_be_strings_or_integral_floats() -> None:
    sampling = read(max_tokens="100", top_k=5.0, temperature="0.5", stop_sequences="END").sampling
    assert (sampling.max_output_tokens, sampling.top_k, sampling.temperature) == (100, 5, 0.5)
    assert sampling.stop == ["END"]


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}, "messages.0.content.0.text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "ftp"}}]}]},
            "messages.0.content.0.source.type",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": ""}]}]},
            "messages.0.content.0.name",
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "n", "input": []}]}
                ]
            },
            "messages.0.content.0.input",
        ),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"temperature": True}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{}]}, "tools.0.name"),
        ({"tools": {"name": "x"}}, "tools"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": "on"}, "thinking"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"metadata": {"user_id": 7}}, "metadata.user_id"),
        ({"cache_control": True}, "cache_control"),
    ],
)
def test_what_makes_no_sense_is_a_400_naming_the_member(members: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(**members)
    assert caught.value.status == 400
    assert caught.value.param == param


def test_a_count_request_needs_no_max_tokens() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": []}
    assert CODEC.read_request(head(), body).sampling.max_output_tokens is None
