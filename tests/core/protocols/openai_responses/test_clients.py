"""What real clients sent: read whole, and through the canonical model back to the same body (MP-22, MP-27)."""

from __future__ import annotations

import pytest

from llmswitch_core.canonical.model import CustomTool, FunctionTool, HostedTool, Media, Thinking, ToolCall, ToolResult
from tests.core.protocols.openai_responses.support import CLIENTS, CODEC, HEAD, client_body, read, written

CODEX = sorted(f"codex/{path.name}" for path in (CLIENTS / "codex").glob("0*.json"))
SDKS = [f"openai-python/00{number}.json" for number in (6, 7, 8, 9)] + [
    f"openai-js/00{number}.json" for number in (4, 5)
]


def test_all_eighteen_codex_bodies_are_here() -> None:
    assert len(CODEX) == 18


@pytest.mark.parametrize("path", CODEX)
def test_mp22_a_codex_body_survives_the_canonical_model(path: str) -> None:
    body = client_body(path)
    sent, notes = written(read(**body), stream=True)
    for item in body["input"]:
        for part in item.get("content") or ():
            if part.get("type") == "output_text":
                part.pop("logprobs")  # always empty in requests
    assert sent == {**body, "model": "target-model"}
    assert notes == {}


@pytest.mark.parametrize("path", CODEX + SDKS)
def test_mp27_what_was_written_reads_as_what_was_read(path: str) -> None:
    first = read(**client_body(path))
    sent, _ = written(first, stream=first.stream)
    again = CODEC.read_request(HEAD, {**sent, "model": first.model})
    assert again == first


def test_mp22_function_tools_freeform_and_tool_search_are_told_apart() -> None:
    request = read(**client_body("codex/001.json"))
    tools = {tool.name: tool for tool in request.tools if isinstance(tool, FunctionTool | CustomTool)}
    patch, search = tools["apply_patch"], tools["tool_search"]
    assert isinstance(patch, CustomTool)
    assert patch.format["syntax"] == "lark"
    assert isinstance(search, FunctionTool)
    assert search.parameters["required"] == ["query"]
    assert request.session == request.cache_key == "00000000-0000-4000-8000-000000000001"
    assert request.store is False
    assert request.reasoning is not None
    assert (request.reasoning.effort, request.reasoning.encrypted) == ("medium", True)
    assert request.output is not None
    assert request.output.verbosity == "low"


def test_mp22_additional_tools_become_tools_with_their_namespace() -> None:
    request = read(**client_body("codex/005.json"))
    names = {(tool.namespace, tool.name) for tool in request.tools if isinstance(tool, FunctionTool | CustomTool)}
    assert {("functions", "exec"), ("clock", "sleep"), ("collaboration", "spawn_agent")} <= names
    assert [item.count for item in request.tool_items] == [len(request.tools)]
    assert all(turn.role != "assistant" for turn in request.turns)


def test_mp22_a_namespaced_freeform_call_and_its_result_are_paired() -> None:
    *_, assistant, user = read(**client_body("codex/006.json")).turns
    thinking, call = assistant.parts
    assert isinstance(thinking, Thinking)
    assert isinstance(call, ToolCall)
    assert (call.name, call.namespace, call.kind) == ("exec", "functions", "custom")
    assert thinking.signature == "ENC229c4f82fe844afeb05c683cf50aee04"
    assert thinking.text == "**Thinking** about the mock step"
    (result,) = user.parts
    assert isinstance(result, ToolResult)
    assert (result.call_id, result.kind, len(result.content)) == (call.id, "custom", 2)


def test_mp03_parallel_calls_of_two_kinds_share_a_turn() -> None:
    *_, assistant, user = read(**client_body("codex/010.json")).turns
    assert [part.kind for part in assistant.parts if isinstance(part, ToolCall)] == ["custom", "function"]
    assert [part.kind for part in user.parts if isinstance(part, ToolResult)] == ["custom", "function"]


def test_mp20_an_image_is_media() -> None:
    request = read(**client_body("codex/011.json"))
    images = [part for turn in request.turns for part in turn.parts if isinstance(part, Media)]
    assert [(image.kind, image.media_type, image.detail) for image in images] == [("image", "image/png", "original")]
    assert request.output is not None
    assert (request.output.type, request.output.name, request.output.strict) == (
        "json_schema",
        "codex_output_schema",
        True,
    )


def test_hosted_web_search_keeps_its_wire_form() -> None:
    request = read(**client_body("codex/014.json"))
    hosted = [tool for tool in request.tools if isinstance(tool, HostedTool)]
    assert [(tool.label, tool.wire["external_web_access"]) for tool in hosted] == [("web_search", True)]
