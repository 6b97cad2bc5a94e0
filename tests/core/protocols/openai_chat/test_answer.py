"""Whole answers, both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmswitch_core.canonical.errors import ErrorKind
from llmswitch_core.canonical.events import Failed
from llmswitch_core.canonical.fold import fold
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    FunctionTool,
    Media,
    Opaque,
    Protocol,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Usage,
)

from .support import CODEC, scope


def body(message: Any, finish: Any = "stop", **members: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 5,
        "model": "m-1",
        "choices": [choice],
        **members,
    }


def call(call_id: Any, name: str, arguments: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def read(tree: dict[str, Any]) -> Answer:
    return fold(CODEC.read_answer(tree, scope()))


def test_a_whole_answer_has_all_its_parts() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
    got = read(
        body(
            {"role": "assistant", "content": "a", "reasoning_content": "t", "tool_calls": [call("c1", "f", "{}")]},
            "tool_calls",
            usage=usage,
            service_tier="default",
        )
    )
    assert got == Answer(
        id="chatcmpl-1",
        model="m-1",
        parts=[Thinking("t"), Text("a"), ToolCall("c1", "f", "{}")],
        finish=FinishReason.TOOL_CALLS,
        finish_wire="tool_calls",
        usage=Usage(input=5, output=3, cache_read=4, wire=usage),
        created=5,
        service_tier="default",
    )


def test_mp03_calls_of_a_whole_answer_are_as_many_as_entries() -> None:
    got = read(
        body({"content": None, "tool_calls": [call("same", "f", "[1]"), call("same", "f", "[2]"), call(None, "g", {})]})
    )
    calls = [part for part in got.parts if isinstance(part, ToolCall)]
    assert [(item.name, item.arguments) for item in calls] == [("f", "[1]"), ("f", "[2]"), ("g", "{}")]
    assert len({item.id for item in calls}) == 3
    assert got.finish is FinishReason.TOOL_CALLS


@pytest.mark.parametrize("finish", [None, ""])
def test_a_whole_answer_without_a_finish_reason_is_complete(finish: Any) -> None:
    assert read(body({"content": "a"}, finish)).finish is FinishReason.STOP


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({"error": {"message": "m", "code": "model_not_found"}}, "model_not_found"),
        ({"choices": []}, "empty_answer"),
        ({"choices": None}, "empty_answer"),
        ({}, "empty_answer"),
        ({"choices": ["x"]}, "empty_answer"),
        ({"choices": [{"index": 0, "finish_reason": "stop"}]}, "empty_answer"),
        (body({"content": ""}, "network_error"), "answer_broken_off"),
    ],
)
def test_mp16_a_failure_in_a_200_is_a_failure(tree: dict[str, Any], code: str) -> None:
    got = list(CODEC.read_answer(tree, scope()))
    assert isinstance(got[-1], Failed)
    assert got[-1].error.code == code


def test_mp16_the_status_of_a_failure_in_a_200_is_its_own() -> None:
    got = list(CODEC.read_answer({"error": {"message": "m", "type": "rate_limit_error"}}, scope()))
    assert isinstance(got[-1], Failed)
    assert (got[-1].error.kind, got[-1].error.status) == (ErrorKind.RATE_LIMIT, 429)


def write(answer: Answer, **scoped: Any) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(CODEC.write_answer(answer, scope(**scoped)))
    return tree


def answer(*parts: Any, finish: FinishReason = FinishReason.STOP, **members: Any) -> Answer:
    return Answer(id="msg_1", model="m-1", parts=list(parts), finish=finish, **members)


def test_a_written_answer_is_a_chat_completion() -> None:
    got = write(answer(Thinking("t"), Text("a"), Text("b"), usage=Usage(input=1, output=2)))
    assert got == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ab", "refusal": None, "reasoning_content": "t"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_calls_refusals_images_audio_and_signatures_find_their_members() -> None:
    got = write(
        answer(
            Thinking("t", signature="S", origin=Protocol.ANTHROPIC_MESSAGES),
            Refusal("no"),
            Media("image", url="https://x/y"),
            Opaque(Protocol.OPENAI_CHAT, "audio", {"id": "a", "data": "QQ", "transcript": "he"}),
            Opaque(Protocol.OPENAI_CHAT, "audio", {"data": "Qg", "transcript": "y", "expires_at": 4}),
            ToolCall("c.1", "f", "{}", signature="G"),
            ToolCall("c2", "p", "free", kind="custom"),
            finish=FinishReason.TOOL_CALLS,
        )
    )["choices"][0]
    assert got["finish_reason"] == "tool_calls"
    message = got["message"]
    assert message["content"] is None
    assert message["refusal"] == "no"
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "https://x/y"}}]
    assert message["audio"] == {"id": "a", "data": "QQQg", "transcript": "hey", "expires_at": 4}
    assert message["reasoning_details"][0]["signature"] == "S"
    assert message["tool_calls"] == [
        {
            **call("rcx_c_2e1", "f", "{}"),
            "extra_content": {"google": {"thought_signature": "G"}},
        },
        {"id": "c2", "type": "custom", "custom": {"name": "p", "input": "free"}},
    ]


def test_a_client_that_sent_functions_gets_a_function_call() -> None:
    got = write(
        answer(ToolCall("c1", "f", "{}"), finish=FinishReason.TOOL_CALLS),
        tools=[FunctionTool("f")],
        request_wire={"functions": [{"name": "f"}]},
    )["choices"][0]
    assert got["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in got["message"]
    assert got["finish_reason"] == "function_call"


def test_an_answer_of_nothing_is_still_legal() -> None:
    got = write(answer(finish=FinishReason.LENGTH))
    assert got["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert got["choices"][0]["finish_reason"] == "length"
    assert "usage" not in got
