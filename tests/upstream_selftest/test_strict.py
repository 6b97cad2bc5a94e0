"""The fake upstream refuses what the vendors refuse, in their words, and nothing that real clients send."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from tests.fake_upstream import FakeUpstream, RecordedRequest, Text, Thinking, ToolCall, routes
from tests.fake_upstream.ids import Ids
from tests.fake_upstream.strict import Judge, check

CLIENTS = Path(__file__).parent.parent / "data" / "clients"
# What the recording server of the client bodies signed with: signatures of a vendor, as far as we know.
TRUSTED = ("SIG", "ENC", "U0lH", "c2ln")


def judged(protocol: str, body: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    """(rule, message) of every violation of a body."""
    headers = [("anthropic-version", "2023-06-01")]
    request = RecordedRequest(0, 0, 0, "POST", "/", {}, headers, body=body, protocol=protocol)
    request.operation = options.pop("operation", "generate")
    request.model = options.pop("model", str(body.get("model", "")))
    judge = Judge(options.pop("ids", Ids()), **options)
    return [(v.rule, v.message) for v in check(request, judge, frozenset())]


CALL = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
USER = {"role": "user", "content": "x"}
ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOOL = {"role": "tool", "tool_call_id": "c1", "content": "r"}
TOOLS = [{"type": "function", "function": {"name": "t", "parameters": {"type": "object", "properties": {}}}}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def c(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **more}


CHAT_CASES: list[tuple[str | None, dict[str, Any], str]] = [
    (None, c(USER, ASSISTANT, TOOL, tools=TOOLS, tool_choice="auto"), ""),
    (None, c({"role": "developer", "content": "d"}, USER, {"role": "assistant", "content": "a"}), ""),
    ("orphan_result", c(USER, TOOL), "must be a response to a preceeding message with 'tool_calls'"),
    ("orphan_result", c(USER, ASSISTANT, {**TOOL, "tool_call_id": "zz"}, TOOL), "'zz' not found in 'tool_calls'"),
    ("unanswered_call", c(USER, ASSISTANT, USER), "did not have response messages: c1"),
    ("unanswered_call", c(USER, ASSISTANT), "did not have response messages: c1"),
    ("duplicate_result", c(USER, ASSISTANT, TOOL, TOOL), "Duplicate value"),
    ("empty_array", c({"role": "user", "content": []}), "empty array"),
    ("content_null", c({"role": "user", "content": None}), "expected a string, got null"),
    ("content_null", c(USER, {"role": "assistant", "content": None}), "expected a string, got null"),
    ("role", c({"role": "model", "content": "x"}), "Invalid value: 'model'"),
    ("part_type", c(USER, ASSISTANT, {**TOOL, "content": [PICTURE]}), "only allowed for messages with role 'user'"),
    ("part_type", c({"role": "user", "content": [{"type": "image", "source": {}}]}), "'image'"),
    ("tool_calls", c(USER, {"role": "assistant", "content": "a", "tool_calls": []}), "empty array"),
    ("call_id", c(USER, {**ASSISTANT, "tool_calls": [{**CALL, "id": ""}]}, {**TOOL, "tool_call_id": ""}), ".id'"),
    (
        "call_name",
        c(USER, {**ASSISTANT, "tool_calls": [{**CALL, "function": {"name": "a.b", "arguments": ""}}]}, TOOL),
        "does not match pattern",
    ),
    (
        "call_arguments",
        c(USER, {**ASSISTANT, "tool_calls": [{**CALL, "function": {"name": "t", "arguments": {}}}]}, TOOL),
        "expected a string",
    ),
    ("tools", c(USER, tools=[]), "empty array"),
    ("tool_choice", c(USER, tool_choice="auto"), "only allowed when 'tools' are specified"),
    (
        "tool_choice",
        c(USER, tools=TOOLS, tool_choice={"type": "function", "function": {"name": "zz"}}),
        "'zz'",
    ),
    ("parallel_tool_calls", c(USER, parallel_tool_calls=True), "only allowed when 'tools'"),
    ("max_tokens", c(USER, max_tokens="5"), "expected an integer"),
    ("max_tokens", c(USER, max_completion_tokens=0), ">= 1"),
    ("max_tokens_reasoning", {**c(USER, max_tokens=5), "model": "gpt-5.5"}, "max_completion_tokens"),
    ("stream_options", c(USER, stream_options={"include_usage": True}), "only allowed when 'stream'"),
    ("unknown_parameter", c(USER, thinking={}), "Unrecognized request argument supplied: thinking"),
    ("messages", c(), "empty array"),
]

FC = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "t", "arguments": "{}"}
FCO = {"type": "function_call_output", "call_id": "c1", "output": "r"}
IN = {"role": "user", "content": [{"type": "input_text", "text": "x"}]}
OUT = {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
RS = {"type": "reasoning", "id": "rs_1", "summary": []}


def r(*items: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": list(items), **more}


RESPONSES_CASES: list[tuple[str | None, dict[str, Any], str]] = [
    (None, r(IN, RS, FC, FCO, OUT, IN), ""),
    (None, {"model": "m", "input": "x"}, ""),
    ("orphan_result", r(IN, FCO), "No tool call found for function call output with call_id c1."),
    ("unanswered_call", r(IN, FC, IN), "No tool output found for function call c1."),
    (
        "orphan_result",
        r(IN, FC, {**FCO, "type": "custom_tool_call_output"}),
        "No tool call found for custom tool call output with call_id c1.",
    ),
    ("duplicate_result", r(IN, FC, FCO, FCO), "Duplicate"),
    ("item_id", r(IN, {**FC, "id": "call_1"}, FCO), "begins with 'fc'"),
    ("item_id", r({**IN, "type": "message", "id": "x" * 70}), "begins with 'msg'"),
    ("encrypted_content", r(IN, {**RS, "encrypted_content": "gAAAforeign"}, OUT), "could not be verified"),
    ("reasoning_following", r(IN, RS, IN), "without its required following item"),
    ("part_type", r({"role": "user", "content": [{"type": "text", "text": "x"}]}), "Invalid value: 'text'"),
    ("part_type", r({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}), "'output_text'"),
    ("unknown_parameter", r(IN, max_tokens=5), "Unknown parameter: 'max_tokens'."),
    ("max_output_tokens", r(IN, max_output_tokens=5), ">= 16"),
    ("call_name", r(IN, {**FC, "name": "a b"}, FCO), "pattern"),
    ("tool_choice", r(IN, tool_choice={"type": "function", "name": "zz"}), "'zz' not found"),
    ("tool_name", r(IN, tools=[{"type": "function", "function": {"name": "t"}}]), "'tools[0].name'"),
    ("input", {"model": "m"}, "Missing required parameter: 'input'."),
]

USE = {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}
MTOOLS = [{"name": "t", "input_schema": {"type": "object"}}]
THINK = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}


def m(*turns: Any, **more: Any) -> dict[str, Any]:
    messages = [{"role": "assistant" if n % 2 else "user", "content": t} for n, t in enumerate(turns)]
    return {"model": "m", "max_tokens": 10, "messages": messages, **more}


CACHED = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
MESSAGES_CASES: list[tuple[str | None, dict[str, Any], str]] = [
    (None, m("x", [USE], [RESULT], tools=MTOOLS), ""),
    (None, m("x", [USE], [RESULT, {"type": "text", "text": "and"}]), ""),
    ("max_tokens", {k: v for k, v in m("x").items() if k != "max_tokens"}, "max_tokens: Field required"),
    ("unanswered_call", m("x", [USE], "y"), "messages.1: `tool_use` ids were found without `tool_result` blocks"),
    ("unanswered_call", m("x", [USE], [{"type": "text", "text": "and"}, RESULT]), "immediately after: toolu_1"),
    ("orphan_result", m([RESULT]), "messages.0.content.0: unexpected `tool_use_id` found"),
    ("duplicate_result", m("x", [USE], [RESULT, RESULT]), "must have a single result"),
    ("duplicate_call", m("x", [USE], [RESULT], [USE], [RESULT]), "must be unique"),
    ("call_id", m("x", [{**USE, "id": "a.b"}], [{**RESULT, "tool_use_id": "a.b"}]), "should match pattern"),
    ("call_arguments", m("x", [{**USE, "input": "{}"}], [RESULT]), "valid dictionary"),
    ("empty_text", m([{"type": "text", "text": ""}]), "must be non-empty"),
    ("empty_text", m([{"type": "text", "text": " \n"}]), "non-whitespace"),
    ("empty_text", m("x", system=[{"type": "text", "text": ""}]), "system: text content blocks must be non-empty"),
    ("empty_content", m("x", "", "y"), "messages.1: all messages must have non-empty content"),
    ("trailing_space", m("x", "prefill "), "trailing whitespace"),
    ("first_role", {**m("x"), "messages": [{"role": "assistant", "content": "a"}, USER]}, "first message"),
    ("role", {**m("x"), "messages": [{"role": "tool", "content": "a"}]}, "messages.0.role"),
    ("signature", m("x", [{"type": "thinking", "thinking": "t", "signature": "foreign"}], "y"), "Invalid `signature`"),
    ("signature", m("x", [{"type": "thinking", "thinking": "t"}], "y"), "thinking.signature: Field required"),
    ("signature", m("x", [{"type": "redacted_thinking", "data": "no"}], "y"), "Invalid `data`"),
    ("thinking_first", m("x", [USE], [RESULT], **THINK), "Expected `thinking` or `redacted_thinking`"),
    ("thinking_budget", m("x", **{**THINK, "max_tokens": 1000}), "greater than `thinking.budget_tokens`"),
    ("thinking_tool_choice", m("x", tools=MTOOLS, tool_choice={"type": "any"}, **THINK), "forces tool use"),
    ("thinking_temperature", m("x", temperature=0.2, **THINK), "may only be set to 1"),
    (
        "cache_control",
        m(CACHED * 3, system=CACHED * 2),
        "maximum of 4 blocks with cache_control may be provided. Found 5",
    ),
    ("tool_choice", m("x", tools=MTOOLS, tool_choice={"type": "tool", "name": "zz"}), "'zz' not found"),
    ("tool_choice", m("x", tool_choice={"type": "auto"}), "while providing tools"),
    ("tool_schema", m("x", tools=[{"name": "t"}]), "input_schema: Field required"),
    ("tool_name", m("x", tools=[{"name": "a.b", "input_schema": {"type": "object"}}]), "should match pattern"),
    ("unknown_parameter", m("x", stop=["a"]), "stop: Extra inputs are not permitted"),
    ("unknown_parameter", m([{"type": "text", "text": "x", "id": "1"}]), "text.id: Extra inputs"),
    ("block_type", m([{"type": "image_url", "image_url": {}}]), "'image_url'"),
    (
        "image_source",
        m([{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": ""}}]),
        "media_type",
    ),
]

FCALL = {"functionCall": {"name": "t", "args": {}}}
FRESP = {"functionResponse": {"name": "t", "response": {"output": "r"}}}


def g(*contents: Any, **more: Any) -> dict[str, Any]:
    turns = [{"role": "model" if n % 2 else "user", "parts": parts} for n, parts in enumerate(contents)]
    return {"contents": turns, **more}


def declared(**spec: Any) -> dict[str, Any]:
    return g([{"text": "x"}], tools=[{"functionDeclarations": [{"name": "t", **spec}]}])


GEMINI_CASES: list[tuple[str | None, dict[str, Any], str]] = [
    (None, g([{"text": "x"}], [FCALL, FCALL], [FRESP, FRESP]), ""),
    (None, declared(parametersJsonSchema={"$ref": "#/$defs/a", "$defs": {"a": {}}}), ""),
    (None, declared(parameters={"type": "object", "properties": {"a": {"type": "STRING", "nullable": True}}}), ""),
    ("response_count", g([{"text": "x"}], [FCALL, FCALL], [FRESP]), "number of function response parts is equal"),
    ("orphan_result", g([{"text": "x"}], [{"text": "y"}], [FRESP]), "immediately after a function call turn"),
    ("call_turn", g([FCALL]), "immediately after a user turn"),
    ("role", {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
    ("empty_parts", g([]), "must not be empty"),
    ("part_data", g([{}]), "required oneof field 'data'"),
    ("empty_text", g([{"text": ""}]), "must have a text parameter"),
    ("contents", {"contents": []}, "contents is not specified"),
    ("last_role", g([{"text": "x"}], [{"text": "y"}]), "end with a user role"),
    ("signature", g([{"text": "x"}], [{**FCALL, "thoughtSignature": "Zm9yZWlnbg=="}], [FRESP]), "not valid"),
    ("response_name", g([{"text": "x"}], [FCALL], [{"functionResponse": {"name": "u", "response": {}}}]), "match"),
    ("response_type", g([{"text": "x"}], [FCALL], [{"functionResponse": {"name": "t", "response": "r"}}]), "Struct"),
    ("unknown_parameter", g([{"text": "x"}], messages=[]), 'Unknown name "messages"'),
    ("unknown_parameter", g([{"text": "x"}], generationConfig={"max_tokens": 4}), 'Unknown name "max_tokens"'),
    ("tool_name", g([{"text": "x"}], tools=[{"functionDeclarations": [{"name": "1 t"}]}]), "Invalid function name"),
    ("tool_schema", declared(parameters={"type": "object"}, parametersJsonSchema={}), "mutually exclusive"),
    *(
        ("tool_schema", declared(parameters={"type": "object", "properties": {"a": bad}}), "")
        for bad in (
            {"$ref": "#/x"},
            {"const": 1},
            {"type": ["string", "null"]},
            {"type": "object", "additionalProperties": False},
            {"type": "integer", "exclusiveMinimum": 0},
            {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
            {"type": "array"},
            {"type": "object", "required": ["zz"]},
            {"type": "integer", "enum": [1, 2]},
        )
    ),
    (
        "tool_choice",
        {
            **declared(),
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["zz"]}},
        },
        "zz",
    ),
]


def _ids(cases: list[tuple[str | None, dict[str, Any], str]]) -> list[str]:
    return [f"{n}-{rule}" for n, (rule, _, _) in enumerate(cases)]


def _assert(protocol: str, rule: str | None, body: dict[str, Any], words: str) -> None:
    found = judged(protocol, copy.deepcopy(body))
    if rule is None:
        assert found == []
    else:
        assert any(r == rule and words in text for r, text in found), found


@pytest.mark.parametrize(("rule", "body", "words"), CHAT_CASES, ids=_ids(CHAT_CASES))
def test_chat_rules(rule: str | None, body: dict[str, Any], words: str) -> None:
    _assert("openai-chat", rule, body, words)


@pytest.mark.parametrize(("rule", "body", "words"), RESPONSES_CASES, ids=_ids(RESPONSES_CASES))
def test_responses_rules(rule: str | None, body: dict[str, Any], words: str) -> None:
    _assert("openai-responses", rule, body, words)


@pytest.mark.parametrize(("rule", "body", "words"), MESSAGES_CASES, ids=_ids(MESSAGES_CASES))
def test_messages_rules(rule: str | None, body: dict[str, Any], words: str) -> None:
    _assert("anthropic-messages", rule, body, words)


@pytest.mark.parametrize(("rule", "body", "words"), GEMINI_CASES, ids=_ids(GEMINI_CASES))
def test_gemini_rules(rule: str | None, body: dict[str, Any], words: str) -> None:
    _assert("gemini", rule, body, words)


def test_call_ids_have_a_longest_length() -> None:
    long = "x" * 64
    body = c(USER, {**ASSISTANT, "tool_calls": [{**CALL, "id": long}]}, {**TOOL, "tool_call_id": long})
    assert judged("openai-chat", body) == []
    assert [rule for rule, _ in judged("openai-chat", body, call_id_length=40)] == ["call_id_length"]


def test_gemini_3_demands_a_signature_on_the_first_call_of_the_turn() -> None:
    ids = Ids()
    bare = g([{"text": "x"}], [FCALL, FCALL], [FRESP, FRESP])
    assert [rule for rule, _ in judged("gemini", bare, model="gemini-3-pro")] == ["missing_signature"]
    for signature in (ids.sign("gemini"), "skip_thought_signature_validator"):
        good = g([{"text": "x"}], [{**FCALL, "thoughtSignature": signature}, FCALL], [FRESP, FRESP])
        assert judged("gemini", good, model="gemini-3-pro", ids=ids) == []
    earlier = {
        "contents": [*bare["contents"], {"role": "model", "parts": [{"text": "ok"}]}, *g([{"text": "y"}])["contents"]]
    }
    assert judged("gemini", earlier, model="gemini-3-pro") == []


def _client_bodies() -> list[Any]:
    rows = []
    for folder in sorted(CLIENTS.iterdir()):
        for row in json.loads((folder / "index.json").read_bytes()):
            # A continuation is judged with its previous response, which these files do not hold.
            if row["file"] and row["method"] == "POST":
                body = json.loads((folder / row["file"]).read_bytes())
                if "previous_response_id" not in body:
                    rows.append(pytest.param(row, body, id=f"{folder.name}-{row['file'][:3]}"))
    return rows


@pytest.mark.parametrize(("row", "body"), _client_bodies())
def test_real_clients_break_no_rule(row: dict[str, Any], body: dict[str, Any]) -> None:
    route = routes.find(row["method"], row["path"])
    assert isinstance(route, routes.Route)
    found = judged(route.protocol, body, operation=route.operation, model=route.name or body["model"], trusted=TRUSTED)
    assert found == []


async def test_a_violation_is_answered_as_the_vendor_does_and_recorded() -> None:
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client:
        with pytest.raises(openai.BadRequestError, match="must be a response to a preceeding message") as caught:
            await client.chat.completions.create(model="m", messages=[USER, TOOL])  # type: ignore[list-item]
        assert caught.value.param == "messages.[1].role"
        assert [v.rule for v in up.violations] == ["orphan_result"]
        assert up.last.violations == up.violations


async def test_rules_can_be_relaxed_or_switched_off() -> None:
    async with (
        FakeUpstream(relaxed=["unknown_parameter"]) as up,
        openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client,
    ):
        await client.chat.completions.create(model="m", messages=[USER], extra_body={"zz": 1})  # type: ignore[list-item]
        assert up.violations == []
    async with FakeUpstream(strict=False) as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client:
        await client.chat.completions.create(model="m", messages=[TOOL])  # type: ignore[list-item]


async def test_own_thinking_is_accepted_changed_or_foreign_is_not() -> None:
    async with FakeUpstream(realm="a") as up, FakeUpstream(realm="b") as other:
        up.always(Thinking("deep"), Text("ok"))
        client = anthropic.AsyncAnthropic(base_url=up.url, api_key="k", max_retries=0)
        foreign = anthropic.AsyncAnthropic(base_url=other.url, api_key="k", max_retries=0)
        first = await client.messages.create(model="m", max_tokens=9, messages=[USER])  # type: ignore[list-item]
        blocks = [b.model_dump(exclude_none=True) for b in first.content]
        history: list[Any] = [USER, {"role": "assistant", "content": blocks}, USER]
        await client.messages.create(model="m", max_tokens=9, messages=history)
        with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
            await foreign.messages.create(model="m", max_tokens=9, messages=history)
        blocks[0]["thinking"] = "shallow"
        with pytest.raises(anthropic.BadRequestError, match="cannot be modified"):
            await client.messages.create(model="m", max_tokens=9, messages=history)
        await client.close()
        await foreign.close()


async def test_wrong_types_everywhere_are_refused_not_crashed_on() -> None:
    async with FakeUpstream() as up:
        from tests.upstream_selftest.raw import VERSION, post

        wrong: list[Any] = [None, 1, "x", [], {}, [1], [None], {"a": 1}, True]
        targets = {
            "/v1/chat/completions": ("messages", "tools", "tool_choice"),
            "/v1/responses": ("input", "tools", "tool_choice"),
            "/v1/messages": ("messages", "tools", "system", "thinking"),
            "/v1beta/models/g:generateContent": ("contents", "tools", "generationConfig"),
        }
        for path, keys in targets.items():
            for key in keys:
                for value in wrong:
                    answer = await post(up.url, path, {"model": "m", "max_tokens": 5, key: value}, VERSION)
                    assert answer.status in (200, 400), (path, key, value)


async def test_responses_state_is_judged_with_its_history() -> None:
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k", max_retries=0) as client:
        tools: Any = [{"type": "function", "name": "t", "parameters": {}, "strict": False}]
        up.script(ToolCall("t", "{}", id="call_9"))
        first = await client.responses.create(model="m", input="x", tools=tools)
        with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_9"):
            await client.responses.create(model="m", input="y", previous_response_id=first.id, tools=tools)
        answer: Any = {"type": "function_call_output", "call_id": "call_9", "output": "42"}
        second = await client.responses.create(model="m", input=[answer], previous_response_id=first.id, tools=tools)
        assert second.output_text == "tool said: 42"
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="m", input="y", previous_response_id="resp_unknown")
        assert caught.value.code == "previous_response_not_found"
