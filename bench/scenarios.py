"""What is measured: five requests, each with the answer a subject must really have given before it is timed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

CHUNKS = 200
"""Content events of a streamed answer."""

ANSWER = "The quick brown fox jumps over the lazy dog."


@dataclass(frozen=True)
class Scenario:
    """One request: where a client posts it, its body, and the marks a right answer has."""

    key: str
    title: str
    path: str
    body: bytes
    marks: tuple[str, ...]
    stream: bool
    headers: dict[str, str] = field(default_factory=dict)


def _chat(model: str, stream: bool, messages: list[dict[str, Any]]) -> bytes:
    return json.dumps({"model": model, "stream": stream, "max_tokens": 256, "messages": messages}).encode()


def _history(size: int) -> list[dict[str, Any]]:
    """A coding agent's history of about `size` bytes: calls, results, code."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You are a coding agent. " * 200}]
    line = 'def handler(event):\n    return {"status": 200, "body": "a \\"quoted\\" value"}  # naïve\n'
    turn = 0
    total = 5000
    while total < size:
        call = {
            "id": f"call_{turn}",
            "type": "function",
            "function": {"name": "read_file", "arguments": json.dumps({"path": f"src/module_{turn}.py"})},
        }
        messages.append({"role": "user", "content": f"Look at module {turn}."})
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": line * 24})
        messages.append({"role": "assistant", "content": "It returns a dictionary. " * 8})
        turn += 1
        total += len(line) * 24 + 700
    messages.append({"role": "user", "content": "Now summarise."})
    return messages


_HELLO = [{"role": "user", "content": "Say a pangram."}]
_ANTHROPIC = {"anthropic-version": "2023-06-01"}


def _messages(model: str, stream: bool) -> bytes:
    return json.dumps({"model": model, "stream": stream, "max_tokens": 256, "messages": _HELLO}).encode()


SCENARIOS = (
    Scenario("small", "small JSON, C→C", "/v1/chat/completions", _chat("bench", False, _HELLO), (ANSWER,), False),
    Scenario("translated", "small JSON, M→C", "/v1/messages", _messages("bench", False), (ANSWER,), False, _ANTHROPIC),
    Scenario(
        "history",
        "400 KB body, C→C",
        "/v1/chat/completions",
        _chat("bench", False, _history(400_000)),
        (ANSWER,),
        False,
    ),
    Scenario(
        "stream",
        "200 chunks, C→C",
        "/v1/chat/completions",
        _chat("bench-stream", True, _HELLO),
        ("w199", "[DONE]"),
        True,
    ),
    Scenario(
        "stream_translated",
        "200 chunks, M→C",
        "/v1/messages",
        _messages("bench-stream", True),
        ("w199", "message_stop"),
        True,
        _ANTHROPIC,
    ),
)


def chat_answer() -> bytes:
    """The upstream's JSON answer."""
    return json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1,
            "model": "bench",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 10, "total_tokens": 22},
        }
    ).encode()


def chat_events() -> list[str]:
    """The upstream's stream, one string per separate write."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        tree = {
            "id": "chatcmpl-bench",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "bench",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            **more,
        }
        return f"data: {json.dumps(tree)}\n\n"

    usage = {"prompt_tokens": 12, "completion_tokens": CHUNKS, "total_tokens": 12 + CHUNKS}
    last = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": []}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": f" w{index}"}) for index in range(CHUNKS)),
        chunk({}, "stop"),
        f"data: {json.dumps({**last, 'usage': usage})}\n\n",
        "data: [DONE]\n\n",
    ]
