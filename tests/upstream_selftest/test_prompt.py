"""The prompt language: any client over any protocol can be driven by what the user says."""

from __future__ import annotations

import base64
from typing import Any

import openai
import pytest
from tests.fake_upstream import FakeUpstream
from tests.fake_upstream.prompt import Language, example, find_tool, parse
from tests.fake_upstream.script import Cut, ErrorStatus, Parallel, Text, ToolCall
from tests.fake_upstream.view import Tool, Turn, View
from tests.upstream_selftest.raw import VERSION, chat, post
from tests.upstream_selftest.sdk import PROTOCOLS, ask

each = pytest.mark.parametrize("protocol", PROTOCOLS)


def test_directives_are_read_in_order_with_brackets_in_their_json() -> None:
    found = parse(
        'a [[say one]] [[call t {"x": "]] [[", "y": [[1]]}]] [[call u raw *** text\nmore]] [[other x]] [[cut]]'
    )
    assert [(d.word, d.rest, d.name) for d in found] == [
        ("say", "one", ""),
        ("call", '{"x": "]] [[", "y": [[1]]}', "t"),
        ("call", "raw *** text\nmore", "u"),
        ("cut", "", ""),
    ]


def test_tools_are_found_under_flattened_and_namespaced_names() -> None:
    tools = [
        Tool("ns__inner", "function"),
        Tool("exec", "custom", "functions"),
        Tool("web", "hosted"),
        Tool("Bash", "function"),
    ]
    assert find_tool(tools, "inner") is tools[0]
    assert find_tool(tools, "ns.inner") is tools[0]
    assert find_tool(tools, "functions.exec") is tools[1]
    assert find_tool(tools, "functions__exec") is tools[1]
    assert find_tool(tools, "exec") is tools[1]
    assert find_tool(tools, "Bash") is tools[3]
    assert find_tool(tools, "web") is None
    assert find_tool(tools, "zz") is None


def _view(*turns: tuple[str, str], tools: tuple[Tool, ...] = ()) -> View:
    return View([Turn(kind, [text]) for kind, text in turns], list(tools))  # type: ignore[arg-type]


def test_stages_follow_the_tool_rounds() -> None:
    language, tools = Language(), (Tool("a", "function"), Tool("b", "function"))
    prompt = ("user", '[[call a {"n":1}]] [[then]] [[call b {}]] [[call a {"n":2}]] [[final All done:]]')
    turns = [prompt]

    def steps() -> Any:
        script = language.script(_view(*turns, tools=tools), "m")
        assert script is not None
        return script.steps

    assert steps() == (ToolCall("a", '{"n":1}'),)
    turns += [("assistant", ""), ("results", "r1"), ("system", "aside")]
    assert steps() == (Parallel((ToolCall("b", "{}"), ToolCall("a", '{"n":2}'))),)
    turns += [("assistant", ""), ("results", "r2")]
    assert steps() == (Text("All done: tool said: r2"),)
    turns += [("assistant", ""), ("user", "[[say anew]]")]
    assert steps() == (Text("anew"),)


def test_trouble_once_and_by_model() -> None:
    language = Language()
    view = _view(("user", "[[status 429 once model=first]] [[say ok]]"))

    def first_step(model: str) -> Any:
        script = language.script(view, model)
        assert script is not None
        return script.steps[0]

    assert first_step("second") == Text("ok")
    assert first_step("first") == ErrorStatus(429, "scripted status 429")
    assert first_step("first") == Text("ok")
    cut = language.script(_view(("user", "[[cut once]]")), "m")
    again = language.script(_view(("user", "[[cut once]]")), "m")
    assert cut is not None
    assert again is not None
    assert isinstance(cut.steps[-1], Cut)
    assert isinstance(again.steps[-1], Text)


def test_a_prompt_without_directives_says_nothing_and_missing_tools_are_named() -> None:
    language = Language()
    assert language.script(_view(("user", "plain [[text]]")), "m") is None
    script = language.script(_view(("user", "[[call zz {}]]"), tools=(Tool("a", "function"),)), "m")
    assert script is not None
    assert script.steps == (Text("missing tool: zz (offered: a)"),)


def test_raw_arguments_become_the_first_required_parameter_and_json_becomes_custom_input() -> None:
    language = Language()
    schema = {"properties": {"a": {}, "patch": {}}, "required": ["patch"]}
    tools = (Tool("f", "function", None, schema), Tool("c", "custom", "ns"))
    script = language.script(
        _view(("user", '[[call f *** Begin]] [[call c {"input": "*** Begin"}]]'), tools=tools), "m"
    )
    assert script is not None
    assert script.steps == (
        Parallel(
            (
                ToolCall("f", '{"patch": "*** Begin"}'),
                ToolCall("c", "*** Begin", kind="custom", namespace="ns"),
            )
        ),
    )


@each
@pytest.mark.parametrize("stream", [True, False])
async def test_every_protocol_can_be_prompted(protocol: str, stream: bool) -> None:
    async with FakeUpstream() as up:
        prompt = '[[think hm]] [[say Calling.]] [[call t0 {"city": "A"}]] [[call t1 {"city": "B"}]]'
        seen = await ask(protocol, up.url, prompt, stream=stream, tools=("t0", "t1"))
        assert (seen.thinking, seen.text) == ("hm", "Calling.")
        assert seen.calls == [("t0", {"city": "A"}), ("t1", {"city": "B"})]
        assert up.violations == []


HISTORIES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": "[[call t {}]]"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": f"c{n}", "type": "function", "function": {"name": "t", "arguments": "{}"}}
                        for n in range(2)
                    ],
                },
                {"role": "tool", "tool_call_id": "c0", "content": "one"},
                {"role": "tool", "tool_call_id": "c1", "content": "two"},
            ],
        },
    ),
    "openai-responses": (
        "/v1/responses",
        {
            "model": "m",
            "input": [
                {"role": "user", "content": "[[call t {}]]"},
                {"type": "custom_tool_call", "call_id": "c0", "name": "t", "input": ""},
                {"type": "function_call", "call_id": "c1", "name": "t", "arguments": "{}"},
                {"type": "custom_tool_call_output", "call_id": "c0", "output": "one"},
                {
                    "type": "function_call_output",
                    "call_id": "c1",
                    "output": [{"type": "input_text", "text": "two"}],
                },
            ],
        },
    ),
    "anthropic-messages": (
        "/v1/messages",
        {
            "model": "m",
            "max_tokens": 5,
            "messages": [
                {"role": "user", "content": "[[call t {}]]"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": f"c{n}", "name": "t", "input": {}} for n in range(2)],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "c0", "content": "one"},
                        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "two"}]},
                        {"type": "text", "text": "<system-reminder>aside</system-reminder>"},
                    ],
                },
                {"role": "system", "content": "aside"},
            ],
        },
    ),
    "gemini": (
        "/v1beta/models/gemini-2.5-pro:generateContent",
        {
            "contents": [
                {"role": "user", "parts": [{"text": "[[call t {}]]"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "t", "args": {}}}] * 2},
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "t", "response": {"output": "one"}}},
                        {"function_response": {"name": "t", "response": {"result": "two"}}},
                    ],
                },
            ]
        },
    ),
}


@each
async def test_tool_results_are_quoted(protocol: str) -> None:
    async with FakeUpstream() as up:
        path, body = HISTORIES[protocol]
        answer = await post(up.url, path, body, VERSION)
        assert answer.status == 200, answer.body
        assert b"tool said: one; two" in answer.body


async def test_images_are_seen_by_their_hash() -> None:
    import hashlib

    data = base64.b64encode(b"picture").decode()
    mark = f"image/png:{hashlib.sha256(b'picture').hexdigest()[:8]}".encode()
    text = {"type": "text", "text": "[[see]]"}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": chat(stream=False)
        | {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        text,
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
                    ],
                }
            ]
        },
        "/v1/responses": {
            "model": "m",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "[[see]]"},
                        {"type": "input_image", "image_url": f"data:image/png;base64,{data}"},
                    ],
                }
            ],
        },
        "/v1/messages": {
            "model": "m",
            "max_tokens": 5,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        text,
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": data},
                        },
                    ],
                }
            ],
        },
        "/v1/models/gemini-2.5-pro:generateContent": {
            "contents": [
                {
                    "role": "user",
                    "parts": [{"text": "[[see]]"}, {"inlineData": {"mimeType": "image/png", "data": data}}],
                }
            ]
        },
    }
    async with FakeUpstream() as up:
        for path, body in bodies.items():
            answer = await post(up.url, path, body, VERSION)
            assert b"I see 1 image(s): " + mark in answer.body, (path, answer.body)


async def test_codex_tools_are_called_in_their_own_form() -> None:
    tools: Any = [
        {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
        {
            "type": "namespace",
            "name": "mcp",
            "description": "",
            "tools": [{"type": "function", "name": "look", "parameters": {}}],
        },
        {"type": "tool_search", "execution": "client", "description": "", "parameters": {}},
    ]
    prompt = (
        "[[call apply_patch *** Begin Patch\n*** End Patch]]"
        ' [[call mcp.look {"a": 1}]] [[call tool_search {"query": "q"}]]'
    )
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client:
        for stream in (True, False):
            if stream:
                async with client.responses.stream(model="m", input=prompt, tools=tools) as events:
                    done: Any = await events.get_final_response()
            else:
                done = await client.responses.create(model="m", input=prompt, tools=tools)
            patch, look, search = done.output
            assert (patch.type, patch.input) == ("custom_tool_call", "*** Begin Patch\n*** End Patch")
            assert (look.namespace, look.name, look.arguments) == ("mcp", "look", '{"a": 1}')
            assert (search.type, search.arguments, search.execution) == ("tool_search_call", {"query": "q"}, "client")


async def test_structured_output_follows_its_schema() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"enum": ["b"]}}, "required": ["n"]}
    assert example(schema) == {"n": 1, "s": "b"}
    async with FakeUpstream() as up:
        wanted = {"type": "json_schema", "json_schema": {"name": "A", "schema": schema}}
        answer = await post(up.url, "/v1/chat/completions", chat("[[call x {}]]", stream=False, response_format=wanted))
        assert b'"content":"{\\"n\\":1,\\"s\\":\\"b\\"}"' in answer.body


async def test_a_status_prompt_carries_retry_after() -> None:
    async with FakeUpstream() as up:
        answer = await post(up.url, "/v1/chat/completions", chat("[[status 429 retry-after=3]]"))
        assert (answer.status, answer.headers["retry-after"]) == (429, "3")
