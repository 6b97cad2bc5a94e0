"""Reading what Gemini clients send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError
from llmswitch_core.canonical.model import (
    FunctionTool,
    HostedTool,
    Media,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from llmswitch_core.protocols.contract import Notes, RequestHead, WireTarget

from .support import CLIENTS, GEMINI, head, read, says

RECORDED = [
    (client, row)
    for client in ("gemini", "google-genai-python")
    for row in json.loads((CLIENTS / client / "index.json").read_text(encoding="utf-8"))
    if row["file"]
]


@pytest.mark.parametrize(
    ("client", "row"), RECORDED, ids=lambda value: value["file"] if isinstance(value, dict) else value
)
def test_requests_of_real_clients_come_back_as_they_were(client: str, row: dict[str, Any]) -> None:
    body = json.loads((CLIENTS / client / row["file"]).read_text(encoding="utf-8"))
    read_head = RequestHead(row["method"], row["path"], row["query"], {})
    notes = Notes()
    talk = GEMINI.read_request(read_head, body)
    written = GEMINI.write_request(talk, WireTarget(talk.model, talk.stream, True), notes)
    assert written.body["contents"] == body["contents"]
    assert written.path.rpartition(":")[0] == f"/models/{row['path'].rpartition('/')[2].rpartition(':')[0]}"
    assert not notes.items()
    again = GEMINI.read_request(read_head, written.body)
    assert again == talk


def test_system_prompt_of_gemini_cli_is_the_leading_turn() -> None:
    body = json.loads((CLIENTS / "gemini" / "009.json").read_text(encoding="utf-8"))
    talk = read(body)
    assert [turn.role for turn in talk.turns] == ["system", "user", "assistant", "user"]
    calls = [part for part in talk.turns[2].parts if isinstance(part, ToolCall)]
    results = [part for part in talk.turns[3].parts if isinstance(part, ToolResult)]
    assert [call.id for call in calls] == [result.call_id for result in results]
    assert calls[0].signature
    assert len(talk.tools) == 16


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", False),
        ("/v1/models/gemini-2.5-pro:streamGenerateContent", "gemini-2.5-pro", True),
        ("/v1beta1/publishers/google/models/gemini-3-flash:streamGenerateContent", "gemini-3-flash", True),
        (
            "/v1/projects/p/locations/global/publishers/google/models/gemini-3-flash:generateContent",
            "gemini-3-flash",
            False,
        ),
        ("/v1beta/models/openrouter%2Fz-ai%2Fglm-5%3Afree:generateContent", "openrouter/z-ai/glm-5:free", False),
        ("/v1beta/models/my/model:generateContent", "my/model", False),
        ("/v1beta/tunedModels/mine:generateContent", "tunedModels/mine", False),
    ],
)
def test_model_and_mode_come_from_the_path(path: str, model: str, stream: bool) -> None:
    talk = GEMINI.read_request(head(path, alt="sse"), {"contents": "hi"})
    assert (talk.model, talk.stream) == (model, stream)


@pytest.mark.parametrize("path", ["/v1beta/models", "/v1beta/models/x", "/v1beta/models/:generateContent", "/x:y"])
def test_a_path_without_model_and_operation_is_refused(path: str) -> None:
    with pytest.raises(GatewayError) as caught:
        GEMINI.read_request(head(path), {"contents": "hi"})
    assert caught.value.status == 400


def test_a_stream_without_alt_sse_is_a_json_array() -> None:
    path = "/v1beta/models/m:streamGenerateContent"
    assert GEMINI.read_request(head(path), {"contents": "x"}).framing == "json-array"
    assert GEMINI.read_request(head(path, alt="sse"), {"contents": "x"}).framing == "sse"


@pytest.mark.parametrize(
    "contents",
    [
        "hi",
        ["hi"],
        {"text": "hi"},
        [{"text": "hi"}],
        {"parts": [{"text": "hi"}]},
        [{"parts": {"text": "hi"}}],
        [{"role": None, "parts": [None, "hi"]}],
    ],
)
def test_contents_in_every_shape_are_one_user_turn(contents: Any) -> None:
    (turn,) = read({"contents": contents}).turns
    assert (turn.role, turn.parts) == ("user", [Text("hi")])


@pytest.mark.parametrize("body", [{}, {"contents": None}, {"contents": []}])
def test_a_request_without_contents_is_refused_by_that_name_and_a_count_is_not(body: dict[str, Any]) -> None:
    """An upstream of another protocol would say that its `messages` are empty."""
    with pytest.raises(GatewayError) as caught:
        read(body)
    assert (caught.value.status, caught.value.param) == (400, "contents")
    assert read(body, "/v1beta/models/m:countTokens").turns == []


@pytest.mark.parametrize(
    "system", ["be brief", {"text": "be brief"}, says({"text": "be brief"}), [{"text": "be brief"}]]
)
@pytest.mark.parametrize("key", ["systemInstruction", "system_instruction"])
def test_mp18_system_instruction_in_every_shape(system: Any, key: str) -> None:
    talk = read({"contents": "hi", key: system})
    assert (talk.turns[0].role, talk.turns[0].parts) == ("system", [Text("be brief")])


@pytest.mark.parametrize("empty", [None, "", [], {"parts": []}, {"parts": [{"text": ""}]}])
def test_mp17_an_empty_system_instruction_is_none(empty: Any) -> None:
    assert [turn.role for turn in read({"contents": "hi", "systemInstruction": empty}).turns] == ["user"]


def test_mp17_nulls_and_empty_members_are_absent() -> None:
    talk = read(
        {
            "contents": [says({"text": "hi", "thought": None, "functionCall": None}), says(role="model"), None],
            "tools": [None, {"functionDeclarations": None}],
            "toolConfig": None,
            "generationConfig": {"temperature": None, "thinkingConfig": {}},
            "safetySettings": None,
        }
    )
    assert [turn.parts for turn in talk.turns] == [[Text("hi")], []]
    assert (talk.tools, talk.tool_choice, talk.reasoning, talk.output, talk.extensions) == ([], None, None, None, {})


def test_results_without_ids_find_their_calls_by_name_and_order() -> None:
    def call(name: str, n: int) -> dict[str, Any]:
        return {"functionCall": {"name": name, "args": {"n": n}}}

    def response(name: str) -> dict[str, Any]:
        return {"functionResponse": {"name": name, "response": {"result": name}}}

    talk = read(
        {
            "contents": [
                says({"text": "go"}),
                says(call("a", 1), call("b", 2), call("a", 3), role="model"),
                says(response("b"), response("a"), response("a"), role="function"),
            ]
        }
    )
    calls = [part for part in talk.turns[1].parts if isinstance(part, ToolCall)]
    results = [part for part in talk.turns[2].parts if isinstance(part, ToolResult)]
    assert len({call.id for call in calls}) == 3
    assert [result.call_id for result in results] == [calls[1].id, calls[0].id, calls[2].id]


def test_invented_ids_stay_the_same_when_the_history_grows() -> None:
    turns = [says({"text": "go"}), says({"functionCall": {"name": "f"}}, role="model")]
    longer = [*turns, says({"functionResponse": {"name": "f", "response": {}}}), says({"text": "ok"}, role="model")]
    first, later = read({"contents": turns}).turns[1].parts[0], read({"contents": longer}).turns[1].parts[0]
    assert isinstance(first, ToolCall)
    assert first == later


def test_a_result_nobody_asked_for_keeps_its_own_id() -> None:
    talk = read({"contents": [says({"functionResponse": {"id": "x", "name": "f", "response": {"output": "1"}}})]})
    assert talk.turns[0].parts == [ToolResult("x", [Text("1")], name="f", structured={"output": "1"})]


@pytest.mark.parametrize(
    ("response", "text", "failed"),
    [
        ({"output": "done"}, "done", False),
        ({"result": {"a": 1}}, '{"a":1}', False),
        ({"error": "boom"}, "boom", True),
        ({"error": "boom", "code": 3}, '{"error":"boom","code":3}', True),
        ({"output": "x", "error": ""}, '{"output":"x","error":""}', False),
        ({"temperature": 5}, '{"temperature":5}', False),
        ({}, "", False),
        (None, "", False),
        ("plain", "plain", False),
    ],
)
def test_a_response_object_becomes_text(response: Any, text: str, failed: bool) -> None:
    talk = read({"contents": [says({"functionResponse": {"name": "f", "response": response}})]})
    (result,) = talk.turns[0].parts
    assert isinstance(result, ToolResult)
    assert (result.content, result.is_error) == ([Text(text)] if text else [], failed)


def test_mp20_media_in_turns_and_in_results() -> None:
    talk = read(
        {
            "contents": [
                says(
                    {"inline_data": {"mime_type": "image/png", "data": "AAAA"}},
                    {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/y.pdf"}},
                    {"inlineData": {"mimeType": "video/mp4", "data": "BBBB"}, "videoMetadata": {"fps": 2}},
                    {
                        "functionResponse": {
                            "name": "f",
                            "response": {"output": "see"},
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": "CCCC"}}],
                        }
                    },
                )
            ]
        }
    )
    image, document, video, result = talk.turns[0].parts
    assert image == Media("image", media_type="image/png", data="AAAA")
    assert document == Media("document", media_type="application/pdf", url="https://x/y.pdf")
    assert video == Media("video", media_type="video/mp4", data="BBBB", options={"videoMetadata": {"fps": 2}})
    assert isinstance(result, ToolResult)
    assert result.content == [Text("see"), Media("image", media_type="image/png", data="CCCC")]


def test_mp20_media_in_the_url_safe_alphabet_is_read_into_the_standard_one() -> None:
    talk = read({"contents": [says({"inlineData": {"mimeType": "image/png", "data": "-_Ab"}})]})
    assert talk.turns[0].parts == [Media("image", media_type="image/png", data="+/Ab")]


def test_mp07_signatures_stay_on_their_parts() -> None:
    talk = read(
        {
            "contents": [
                says(
                    {"text": "hm", "thought": True, "thoughtSignature": "s1"},
                    {"text": "hello", "thought_signature": "s2"},
                    {"functionCall": {"name": "f"}, "thoughtSignature": "s3"},
                    {"text": "", "thoughtSignature": "s4"},
                    {"executableCode": {"code": "1", "language": "PYTHON"}, "thoughtSignature": "s5"},
                    role="model",
                )
            ]
        }
    )
    thought, text, call, last, code = talk.turns[0].parts
    assert isinstance(thought, Thinking)
    assert isinstance(text, Text)
    assert isinstance(call, ToolCall)
    assert isinstance(code, Opaque)
    assert (thought.signature, text.signature, call.signature) == ("s1", "s2", "s3")
    assert last == Text("", signature="s4")
    assert (code.label, code.wire["thoughtSignature"]) == ("executableCode", "s5")


def test_schemas_in_googles_spelling_become_json_schema() -> None:
    parameters = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": True, "enum": ["a"], "format": "enum"},
            "any_of": {"any_of": [{"type": "INTEGER"}, {"type": "NUMBER"}], "nullable": True},
            "list": {"type": "ARRAY", "items": {"type": "BOOLEAN"}, "maxItems": "3"},
        },
        "required": ["type"],
        "propertyOrdering": ["type"],
    }
    talk = read({"contents": "x", "tools": [{"function_declarations": [{"name": "f", "parameters": parameters}]}]})
    (tool,) = talk.tools
    assert isinstance(tool, FunctionTool)
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", None]},
            "any_of": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
        "required": ["type"],
    }


def test_tools_of_one_entry_are_told_apart() -> None:
    talk = read(
        {
            "contents": "x",
            "tools": [
                {"googleSearch": {}, "functionDeclarations": [{"name": "f", "behavior": "NON_BLOCKING"}]},
                {"url_context": {}},
                {"googleMaps": {"enableWidget": True}},
            ],
        }
    )
    search, function, fetch, maps = talk.tools
    assert isinstance(function, FunctionTool)
    assert function.options == {"behavior": "NON_BLOCKING"}
    assert isinstance(search, HostedTool)
    assert isinstance(fetch, HostedTool)
    assert isinstance(maps, HostedTool)
    assert (search.label, fetch.label, maps.label) == ("web_search", "web_fetch", "googleMaps")
    assert maps.wire == {"googleMaps": {"enableWidget": True}}


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({}, ToolChoice("auto")),
        ({"mode": "any"}, ToolChoice("required")),
        ({"mode": "ANY", "allowed_function_names": ["f"]}, ToolChoice("named", name="f")),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice("required", allowed=("f", "g"))),
        ({"mode": "NONE"}, ToolChoice("none")),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice("auto", allowed=("f",))),
    ],
)
def test_mp23_function_calling_modes(calling: dict[str, Any], choice: ToolChoice) -> None:
    talk = read({"contents": "x", "tool_config": {"function_calling_config": calling}})
    assert talk.tool_choice == choice


def test_generation_config_is_read_in_full() -> None:
    talk = read(
        {
            "contents": "x",
            "generationConfig": {
                "maxOutputTokens": "64",
                "temperature": 0.5,
                "top_p": 1,
                "topK": 40.0,
                "seed": 7,
                "stopSequences": ["a", ""],
                "presencePenalty": 0.1,
                "frequency_penalty": 0.2,
                "responseLogprobs": True,
                "logprobs": 3,
                "candidateCount": 1,
                "response_mime_type": "application/json",
                "response_schema": {"type": "OBJECT"},
                "responseModalities": ["TEXT", "IMAGE"],
                "thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True},
                "speechConfig": {"x": 1},
            },
            "safetySettings": [],
            "cachedContent": "cachedContents/1",
        }
    )
    sampling = talk.sampling
    assert (sampling.max_output_tokens, sampling.temperature, sampling.top_p, sampling.top_k) == (64, 0.5, 1, 40)
    assert (sampling.seed, sampling.stop, sampling.n) == (7, ["a"], 1)
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (0.1, 0.2)
    assert (sampling.logprobs, sampling.top_logprobs) == (True, 3)
    assert talk.output is not None
    assert (talk.output.type, talk.output.schema, talk.output.modalities) == (
        "json_schema",
        {"type": "object"},
        ["text", "image"],
    )
    assert talk.reasoning is not None
    assert (talk.reasoning.mode, talk.reasoning.budget_tokens, talk.reasoning.visible) == ("adaptive", -1, True)
    assert talk.extensions == {
        "generationConfig": {"speechConfig": {"x": 1}},
        "safetySettings": [],
        "cachedContent": "cachedContents/1",
    }


def test_count_tokens_reads_both_of_its_forms() -> None:
    path = "/v1beta/models/m:countTokens"
    inner = {"contents": [says({"text": "hi"})], "systemInstruction": says({"text": "s"})}
    plain = GEMINI.read_request(head(path), inner)
    wrapped = GEMINI.read_request(head(path), {"generateContentRequest": {"model": "models/m", **inner}})
    assert plain == wrapped
    assert [turn.role for turn in plain.turns] == ["system", "user"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"contents": 7}, "contents[0]"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"role": 3, "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [7]}]}, "contents[0].parts[0]"),
        ({"contents": [says({"functionCall": []})]}, "contents[0].parts[0].functionCall"),
        ({"contents": [says({"functionCall": {}})]}, "contents[0].parts[0].functionCall.name"),
        ({"contents": [says({"functionCall": {"name": "f", "args": 1}})]}, "contents[0].parts[0].functionCall.args"),
        ({"contents": [says({"functionResponse": "x"})]}, "contents[0].parts[0].functionResponse"),
        ({"contents": "x", "tools": [3]}, "tools[0]"),
        ({"contents": "x", "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        (
            {"contents": "x", "tools": [{"functionDeclarations": [{"name": "f", "parameters": 1}]}]},
            "tools[0].functionDeclarations[0].parameters",
        ),
        ({"contents": "x", "toolConfig": 1}, "toolConfig"),
        (
            {"contents": "x", "toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
        ({"contents": "x", "generationConfig": []}, "generationConfig"),
        ({"contents": "x", "generationConfig": {"temperature": "warm"}}, "generationConfig.temperature"),
        ({"contents": "x", "generationConfig": {"maxOutputTokens": 1.5}}, "generationConfig.maxOutputTokens"),
        ({"contents": "x", "generationConfig": {"stopSequences": [1]}}, "generationConfig.stopSequences"),
        (
            {"contents": "x", "generationConfig": {"thinkingConfig": {"includeThoughts": 1}}},
            "generationConfig.thinkingConfig.includeThoughts",
        ),
    ],
)
def test_what_makes_no_sense_is_a_400_naming_the_member(body: dict[str, Any], param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        read(body)
    assert (caught.value.kind, caught.value.param) == (ErrorKind.INVALID_REQUEST, param)
