"""Writing what Gemini upstreams take."""

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
    Refusal,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from llmswitch_core.protocols.contract import Notes, WireTarget

from .support import GEMINI, conversation, says, write

SEARCH = HostedTool("web_search", Protocol.ANTHROPIC_MESSAGES, {"type": "web_search_20250305", "name": "web_search"})
WEATHER = FunctionTool("weather", "Weather of a city", {"type": "object", "properties": {"city": {"type": "string"}}})
CALLS = Turn("assistant", [ToolCall("c1", "f", '{"n":1}'), ToolCall("c2", "g", "{}")])


def test_path_and_query_follow_mode_and_model() -> None:
    talk = conversation()
    streamed = GEMINI.write_request(talk, WireTarget("gemini-3-flash", True, False), Notes())
    assert (streamed.path, streamed.query) == ("/models/gemini-3-flash:streamGenerateContent", {"alt": "sse"})
    plain = GEMINI.write_request(talk, WireTarget("vendor/odd name?", False, False), Notes())
    assert (plain.path, plain.query) == ("/models/vendor/odd%20name%3F:generateContent", {})
    tuned = GEMINI.write_request(talk, WireTarget("tunedModels/t", False, False), Notes())
    assert tuned.path == "/tunedModels/t:generateContent"


def test_mp18_leading_system_turns_become_the_instruction_and_later_ones_stay_in_place() -> None:
    notes = Notes()
    talk = conversation(
        Turn("system", [Text("a", cache=CacheControl()), Text("")]),
        Turn("system", [Text("b")], developer=True),
        Turn("user", [Text("hi")]),
        Turn("system", [Text("now be brief")]),
        Turn("assistant", [Text("ok")]),
    )
    body = write(talk, notes=notes).body
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [says({"text": "hi"}, {"text": "now be brief"}), says({"text": "ok"}, role="model")]
    assert dict(notes.items()) == {"text.cache": "dropped", "system": "mapped"}


def test_a_request_of_nothing_but_system_is_asked_as_user() -> None:
    body = write(conversation(Turn("system", [Text("say hi")]))).body
    assert body == {"contents": [says({"text": "say hi"})]}


def test_mp05_parallel_results_of_several_turns_are_one_content_in_call_order() -> None:
    talk = conversation(
        Turn("user", [Text("go")]),
        CALLS,
        Turn("user", [ToolResult("c1", [Text("one")])]),
        Turn("user", [Text("and"), ToolResult("c2", [Text("no"), Text("way")], is_error=True)]),
    )
    contents = write(talk).body["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert contents[1]["parts"] == [
        {"functionCall": {"name": "f", "args": {"n": 1}, "id": "c1"}},
        {"functionCall": {"name": "g", "args": {}, "id": "c2"}},
    ]
    assert contents[2]["parts"] == [
        {"functionResponse": {"name": "f", "response": {"output": "one"}, "id": "c1"}},
        {"functionResponse": {"name": "g", "response": {"error": "no\nway"}, "id": "c2"}},
        {"text": "and"},
    ]


def test_ids_stay_home_where_the_upstream_refuses_them() -> None:
    talk = conversation(Turn("user", [Text("go")]), CALLS, Turn("user", [ToolResult("c1", []), ToolResult("c2", [])]))
    contents = write(talk, call_ids=False).body["contents"]
    bodies = [next(iter(part.values())) for content in contents[1:] for part in content["parts"]]
    assert len(bodies) == 4
    assert not any("id" in body for body in bodies)


def test_mp06_odd_ids_and_names_are_made_legal_and_match() -> None:
    talk = conversation(
        Turn("user", [Text("go")]),
        Turn("assistant", [ToolCall("functions.exec:0", "exec", "ls", kind="custom", namespace="shell")]),
        Turn("user", [ToolResult("functions.exec:0", [Text("x")], kind="custom")]),
        tools=[CustomTool("exec", namespace="shell")],
    )
    body = write(talk).body
    call = body["contents"][1]["parts"][0]["functionCall"]
    response = body["contents"][2]["parts"][0]["functionResponse"]
    assert (call["name"], call["args"]) == ("shell__exec", {"input": "ls"})
    assert (response["name"], response["id"]) == (call["name"], call["id"])
    assert body["tools"][0]["functionDeclarations"][0]["name"] == "shell__exec"
    assert call["id"].replace("_", "").replace("-", "").isalnum()


@pytest.mark.parametrize(
    ("arguments", "args"), [("", {}), ("[1]", {"arguments": [1]}), ("{bad", {"arguments": "{bad"})]
)
def test_arguments_that_are_no_object_are_told_all_the_same(arguments: str, args: dict[str, Any]) -> None:
    talk = conversation(Turn("user", [Text("go")]), Turn("assistant", [ToolCall("c", "f", arguments)]))
    assert write(talk).body["contents"][1]["parts"][0]["functionCall"]["args"] == args


@pytest.mark.parametrize(
    ("model", "features", "signed"),
    [
        ("gemini-3-pro-preview", {}, True),
        ("gemini-3.8-flash", {}, True),
        ("gemini-flash-latest", {}, True),
        ("gemini-2.5-pro", {}, False),
        ("other-model", {}, False),
        ("gemini-3-pro-preview", {"dummy_signature": False}, False),
    ],
)
def test_first_call_of_a_foreign_step_gets_the_documented_signature(
    model: str, features: dict[str, Any], signed: bool
) -> None:
    contents = write(conversation(Turn("user", [Text("go")]), CALLS), model, **features).body["contents"]
    first, second = contents[1]["parts"]
    assert first.get("thoughtSignature") == ("skip_thought_signature_validator" if signed else None)
    assert "thoughtSignature" not in second


def test_mp07_a_signature_other_clients_bring_back_on_the_thought_returns_to_the_call() -> None:
    talk = conversation(
        Turn("user", [Text("go")]),
        Turn(
            "assistant",
            [
                Thinking("secret plan", signature="U0lH", origin=Protocol.ANTHROPIC_MESSAGES),
                Text("ok"),
                Thinking("", signature="QUJD", origin=Protocol.ANTHROPIC_MESSAGES),
                ToolCall("c1", "f", "{}"),
            ],
        ),
    )
    assert write(talk, "gemini-3-pro").body["contents"][1]["parts"] == [
        {"text": "ok", "thoughtSignature": "U0lH"},
        {"functionCall": {"name": "f", "args": {}, "id": "c1"}, "thoughtSignature": "QUJD"},
    ]


def test_mp07_foreign_thoughts_are_not_sent() -> None:
    notes = Notes()
    talk = conversation(
        Turn("user", [Text("go")]),
        Turn("assistant", [Thinking("hm"), Thinking(redacted="xx"), Text("ok")]),
    )
    assert write(talk, notes=notes).body["contents"][1]["parts"] == [{"text": "ok"}]
    assert dict(notes.items()) == {"thinking": "dropped", "thinking.redacted": "dropped"}


def test_mp17_no_empty_part_and_no_empty_content_is_written() -> None:
    talk = conversation(
        Turn("user", [Text(""), Text("hi")]),
        Turn("assistant", [Text(""), Thinking("")]),
        Turn("user", [Text("again")]),
        Turn("assistant", [Refusal("no")]),
    )
    assert write(talk).body["contents"] == [says({"text": "hi"}, {"text": "again"}), says({"text": "no"}, role="model")]


PICTURE = Media("image", data="iVBORw0KGgo=")


@pytest.mark.parametrize("inside", [True, False])
def test_mp20_media_of_results_ride_inside_or_directly_behind_the_responses(inside: bool) -> None:
    notes = Notes()
    talk = conversation(
        Turn("user", [Text("go")]),
        CALLS,
        Turn("user", [ToolResult("c1", [Text("see"), PICTURE]), ToolResult("c2", [Text("ok")]), Text("well?")]),
    )
    parts = write(talk, notes=notes, result_parts=inside).body["contents"][2]["parts"]
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    assert parts[0]["functionResponse"].get("parts") == ([picture] if inside else None)
    assert parts[1]["functionResponse"]["name"] == "g"
    assert parts[2:] == ([] if inside else [picture]) + [{"text": "well?"}]
    assert dict(notes.items()) == ({} if inside else {"tool_result.media": "mapped"})


def test_mp20_media_of_every_source() -> None:
    talk = conversation(
        Turn(
            "user",
            [
                Media("image", url="https://x/y.jpg?z=1"),
                Media("document", media_type="text/plain", text="plain words"),
                Media("document", data="JVBERi0="),
                Media("audio", media_type="audio/mp3", data="AAAA"),
            ],
        )
    )
    assert write(talk).body["contents"][0]["parts"] == [
        {"fileData": {"fileUri": "https://x/y.jpg?z=1", "mimeType": "image/jpeg"}},
        {"text": "plain words"},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}},
    ]


def test_a_file_of_another_vendor_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        write(conversation(Turn("user", [Media("document", file_id="file-123")])))
    assert (caught.value.status, caught.value.code) == (400, "unsupported_media_source")


def test_foreign_opaque_parts_are_dropped_with_a_note_and_own_ones_kept() -> None:
    notes = Notes()
    own = Opaque(Protocol.GEMINI, "executableCode", {"executableCode": {"code": "1"}})
    foreign = Opaque(Protocol.ANTHROPIC_MESSAGES, "server_tool_use", {"type": "server_tool_use"})
    talk = conversation(Turn("user", [Text("x")]), Turn("assistant", [foreign, own]))
    assert write(talk, notes=notes).body["contents"][1]["parts"] == [own.wire]
    assert dict(notes.items()) == {"opaque.server_tool_use": "dropped"}


def test_mp24_schemas_go_as_json_schema_unless_the_profile_wants_them_lowered() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"const": "x"}}}
    talk = conversation(tools=[FunctionTool("f", "d", schema), FunctionTool("g", None, {"type": "object"})])
    first, second = write(talk).body["tools"][0]["functionDeclarations"]
    assert first == {"name": "f", "description": "d", "parametersJsonSchema": schema}
    assert second == {"name": "g", "parametersJsonSchema": {"type": "object"}}
    first, second = write(talk, tool_schema="parameters").body["tools"][0]["functionDeclarations"]
    assert first["parameters"] == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING", "enum": ["x"], "format": "enum"}},
    }
    assert second == {"name": "g"}


def test_mp24_tool_results_are_untouched() -> None:
    text = '{"$ref": "#/x", "const": 1}'
    talk = conversation(
        Turn("user", [Text("go")]),
        Turn("assistant", [ToolCall("c", "f", "{}")]),
        Turn("user", [ToolResult("c", [Text(text)])]),
    )
    contents = write(talk, tool_schema="parameters").body["contents"]
    assert contents[2]["parts"][0]["functionResponse"]["response"] == {"output": text}


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", name="weather"), {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
        (ToolChoice("named", name="absent"), {"mode": "AUTO"}),
        (ToolChoice("required", allowed=("weather", "absent")), {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
        (ToolChoice("auto", allowed=("weather",)), {"mode": "VALIDATED", "allowedFunctionNames": ["weather"]}),
    ],
)
def test_mp23_tool_choice_names_only_declared_tools(choice: ToolChoice, calling: dict[str, Any]) -> None:
    body = write(conversation(tools=[WEATHER], tool_choice=choice)).body
    assert body["toolConfig"] == {"functionCallingConfig": calling}


def test_mp23_a_choice_without_tools_is_left_out_with_a_note() -> None:
    notes = Notes()
    assert "toolConfig" not in write(conversation(tool_choice=ToolChoice("required")), notes=notes).body
    assert dict(notes.items()) == {"tool_choice": "dropped"}


def test_mp23_hosted_tools_with_an_equal_are_mapped() -> None:
    notes = Notes()
    talk = conversation(tools=[SEARCH, HostedTool("web_fetch", Protocol.ANTHROPIC_MESSAGES, {})])
    assert write(talk, notes=notes).body["tools"] == [{"googleSearch": {}}, {"urlContext": {}}]
    assert dict(notes.items()) == {"tool.web_search": "mapped", "tool.web_fetch": "mapped"}


def test_mp23_hosted_tools_without_an_equal_are_refused_unless_the_profile_drops_them() -> None:
    talk = conversation(tools=[HostedTool("image_generation", Protocol.OPENAI_RESPONSES, {"type": "image_generation"})])
    with pytest.raises(GatewayError) as caught:
        write(talk)
    assert (caught.value.code, caught.value.param) == ("unsupported_hosted_tool", "tools")
    notes = Notes()
    assert "tools" not in write(talk, notes=notes, hosted_tools="drop").body
    assert dict(notes.items()) == {"tool.image_generation": "dropped"}


def test_mp23_search_beside_functions_needs_gemini_3() -> None:
    talk = conversation(tools=[WEATHER, SEARCH])
    demanded = conversation(tools=[WEATHER, SEARCH], tool_choice=ToolChoice("named", "web_search", kind="hosted"))
    with pytest.raises(GatewayError) as caught:
        write(demanded, "gemini-2.5-pro")
    assert caught.value.code == "unsupported_hosted_tool"
    notes = Notes()
    assert [next(iter(e)) for e in write(talk, "gemini-2.5-pro", notes=notes).body["tools"]] == ["functionDeclarations"]
    assert ("tool.web_search", "dropped") in notes.items()
    body = write(talk, "gemini-3-pro").body
    assert [next(iter(entry)) for entry in body["tools"]] == ["functionDeclarations", "googleSearch"]
    assert body["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert [next(iter(e)) for e in write(talk, "gemini-2.5-pro", hosted_tools="drop").body["tools"]] == [
        "functionDeclarations"
    ]


@pytest.mark.parametrize(
    ("reasoning", "model", "config"),
    [
        (Reasoning(effort="high", visible=True), "gemini-3-flash", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        (Reasoning(effort="max"), "gemini-3-flash", {"thinkingLevel": "HIGH"}),
        (Reasoning(effort="minimal"), "gemini-3-flash", {"thinkingLevel": "MINIMAL"}),
        (Reasoning(effort="minimal"), "gemini-3.1-pro", {"thinkingLevel": "LOW"}),
        (Reasoning(mode="off"), "gemini-3-flash", {"thinkingLevel": "MINIMAL"}),
        (Reasoning(mode="on", budget_tokens=10_000), "gemini-3-flash", {"thinkingLevel": "HIGH"}),
        (Reasoning(mode="adaptive", budget_tokens=-1), "gemini-3-flash", None),
        (Reasoning(mode="adaptive", effort="medium"), "gemini-3.1-pro", {"thinkingLevel": "MEDIUM"}),
        (Reasoning(effort="medium"), "gemini-2.5-flash", {"thinkingBudget": 8192}),
        (Reasoning(mode="on", budget_tokens=10_000), "gemini-2.5-flash", {"thinkingBudget": 10_000}),
        (Reasoning(mode="on", budget_tokens=99_000), "gemini-2.5-pro", {"thinkingBudget": 32_768}),
        (Reasoning(mode="off"), "gemini-2.5-flash", {"thinkingBudget": 0}),
        (Reasoning(mode="off"), "gemini-2.5-pro", {"thinkingBudget": 128}),
        (Reasoning(mode="adaptive"), "gemini-2.5-pro", {"thinkingBudget": -1}),
        (Reasoning(effort="minimal"), "gemini-2.5-flash-lite", {"thinkingBudget": 512}),
        (Reasoning(summary="auto", effort="low"), "gemini-3-flash", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (Reasoning(effort="high"), "gemini-2.0-flash", None),
    ],
)
def test_effort_becomes_a_level_or_a_budget(reasoning: Reasoning, model: str, config: dict[str, Any] | None) -> None:
    body = write(conversation(reasoning=reasoning), model).body
    assert body.get("generationConfig", {}).get("thinkingConfig") == config


def test_thinking_style_is_the_profiles_to_say() -> None:
    talk = conversation(reasoning=Reasoning(effort="xhigh"))
    config = write(talk, "m", thinking_style="level", thinking_levels=["low", "xhigh"]).body["generationConfig"]
    assert config["thinkingConfig"] == {"thinkingLevel": "XHIGH"}
    assert "generationConfig" not in write(talk, "gemini-3-pro", thinking_style="none").body


def test_sampling_and_output_are_written_in_full() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    talk = conversation(
        sampling=Sampling(64, 0.5, 0.9, 40, ["x"], 7, 0.1, 0.2, True, 3),
        output=OutputFormat("json_schema", schema=schema, modalities=["text"]),
    )
    expected = {
        "maxOutputTokens": 64,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["x"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseMimeType": "application/json",
        "responseModalities": ["TEXT"],
    }
    assert write(talk).body["generationConfig"] == {**expected, "responseJsonSchema": schema}
    lowered = write(talk, output_schema="responseSchema").body["generationConfig"]
    assert lowered == {
        **expected,
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}},
    }


@pytest.mark.parametrize(
    ("model", "features", "sent"),
    [
        ("gemini-2.5-pro", {}, 65_536),
        ("gemini-2.0-flash", {}, 8_192),
        ("unknown", {}, 128_000),
        ("gemini-3-pro", {"max_output_tokens": 1_000}, 1_000),
    ],
)
def test_a_longer_answer_than_the_model_allows_is_not_asked_for(
    model: str, features: dict[str, Any], sent: int
) -> None:
    notes = Notes()
    body = write(conversation(sampling=Sampling(max_output_tokens=128_000)), model, notes, **features).body
    assert body["generationConfig"] == {"maxOutputTokens": sent}
    assert notes.items() == ((("sampling.max_output_tokens", "mapped"),) if sent != 128_000 else ())


def test_more_than_one_answer_is_refused_across_protocols() -> None:
    with pytest.raises(GatewayError) as caught:
        write(conversation(sampling=Sampling(n=2)))
    assert caught.value.code == "unsupported_n"


def test_what_has_no_place_is_named() -> None:
    notes = Notes()
    talk = conversation(
        parallel_tool_calls=False,
        store=True,
        user="u",
        cache_key="k",
        service_tier="flex",
        metadata={"a": 1},
        cache=CacheControl(),
        sampling=Sampling(logit_bias={"1": 2.0}),
        output=OutputFormat(verbosity="low"),
        extensions={"context_management": {}},
        tools=[FunctionTool("f", cache=CacheControl(), strict=True)],
    )
    body = write(talk, notes=notes).body
    assert set(body) == {"contents", "tools"}
    assert {name for name, how in notes.items() if how == "dropped"} == {
        "parallel_tool_calls",
        "store",
        "user",
        "cache_key",
        "service_tier",
        "metadata",
        "cache",
        "sampling.logit_bias",
        "output.verbosity",
        "extensions.context_management",
        "tool.cache",
        "tool.strict",
    }


def test_own_extensions_return_to_their_places() -> None:
    talk = conversation(
        protocol=Protocol.GEMINI,
        sampling=Sampling(temperature=1.0),
        tools=[WEATHER],
        tool_choice=ToolChoice("auto"),
        extensions={
            "safetySettings": [{"category": "X"}],
            "generationConfig": {"speechConfig": {}},
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {"a": 1}},
        },
    )
    body = write(talk).body
    assert body["safetySettings"] == [{"category": "X"}]
    assert body["generationConfig"] == {"temperature": 1.0, "speechConfig": {}}
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {"a": 1}}


def test_mp29_count_request_in_both_forms() -> None:
    talk = conversation(Turn("system", [Text("s")]), Turn("user", [Text("hi")]), tools=[WEATHER])
    full = GEMINI.count_request(talk, WireTarget("gemini-x", False, False), Notes())
    assert full is not None
    assert full.path == "/models/gemini-x:countTokens"
    assert full.body["generateContentRequest"]["model"] == "models/gemini-x"
    assert set(full.body["generateContentRequest"]) == {"model", "contents", "systemInstruction", "tools"}
    vertex = GEMINI.count_request(talk, WireTarget("m", False, False, {"count_form": "contents"}), Notes())
    assert vertex is not None
    assert set(vertex.body) == {"contents", "systemInstruction", "tools"}
    assert GEMINI.count_request(talk, WireTarget("m", False, False, {"count_form": "none"}), Notes()) is None
