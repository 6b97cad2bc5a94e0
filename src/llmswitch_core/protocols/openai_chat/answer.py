"""Whole answers: the fold of a stream as one `chat.completion`, and back.

Reading goes through the stream reader's state machine, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.events import StreamEvent
from llmswitch_core.canonical.ids import portable
from llmswitch_core.canonical.model import (
    Answer,
    FinishReason,
    JsonValue,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from llmswitch_core.protocols.contract import Scope
from llmswitch_core.protocols.openai_chat import answer_parts
from llmswitch_core.protocols.openai_chat.finish import finish_word
from llmswitch_core.protocols.openai_chat.reasoning_details import write_details
from llmswitch_core.protocols.openai_chat.stream_reader import ChatStreamReader
from llmswitch_core.protocols.openai_chat.usage import write_usage


def read_answer(body: Mapping[str, JsonValue], scope: Scope) -> Sequence[StreamEvent]:
    """The events a stream of the same answer would give."""
    return ChatStreamReader(scope).whole(body)


def write_answer(answer: Answer, scope: Scope) -> bytes:
    """A `chat.completion` body."""
    message = _message(answer, scope)
    legacy = answer_parts.is_legacy(scope)
    word = finish_word(
        answer.finish or FinishReason.STOP,
        answer.finish_wire,
        called="tool_calls" in message or "function_call" in message,
        refused=message["refusal"] is not None,
        legacy=legacy,
    )
    body: dict[str, Any] = {
        "id": answer.id or scope.new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": answer.created if answer.created is not None else scope.created,
        "model": scope.model or answer.model or scope.conversation.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": word}],
    }
    if answer.usage is not None:
        body["usage"] = write_usage(answer.usage)
    if answer.service_tier is not None:
        body["service_tier"] = answer.service_tier
    return jsonio.encode(body)


def _message(answer: Answer, scope: Scope) -> dict[str, Any]:
    texts: list[str] = []
    refusals: list[str] = []
    thinking: list[Thinking] = []
    calls: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    rest: dict[str, Any] = {}
    for part in answer.parts:
        if isinstance(part, Text):
            texts.append(part.text)
            annotations += _annotations(part, scope)
            if part.signature is not None:
                scope.notes.dropped("text.signature")
        elif isinstance(part, Thinking):
            thinking.append(part)
        elif isinstance(part, ToolCall):
            calls.append(_call(part))
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        else:
            _merge(rest, answer_parts.whole_part(part, scope.notes))
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) or None,
        "refusal": "".join(refusals) or None,
    }
    plain = "".join(part.text for part in thinking)
    if plain:
        message["reasoning_content"] = plain
    details = write_details(thinking)
    if details:
        message["reasoning_details"] = details
    if annotations:
        message["annotations"] = annotations
    message.update(rest)
    if calls and answer_parts.is_legacy(scope):
        message["function_call"] = calls[0].get("function")
        if len(calls) > 1:
            scope.notes.dropped("parallel_tool_calls")
    elif calls:
        message["tool_calls"] = calls
    return message


def _call(part: ToolCall) -> dict[str, Any]:
    name = answer_parts.flat_name(part.name, part.namespace)
    call: dict[str, Any] = {"id": portable(part.id), "type": part.kind}
    if part.kind == "custom":
        call["custom"] = {"name": name, "input": part.arguments}
    else:
        call["function"] = {"name": name, "arguments": part.arguments}
    if part.signature is not None:
        call["extra_content"] = answer_parts.google_extra(part.signature)
    return call


def _annotations(part: Text, scope: Scope) -> list[dict[str, Any]]:
    out = [answer_parts.annotation(citation) for citation in part.citations or ()]
    if None in out:
        scope.notes.dropped("text.citations")
    return [item for item in out if item is not None]


def _merge(message: dict[str, Any], members: dict[str, Any]) -> None:
    """Add what a whole part brings: lists grow, audio pieces join (transcript and data are concatenations)."""
    for name, value in members.items():
        known = message.get(name)
        if isinstance(known, list):
            known.extend(value)
        elif isinstance(known, dict):
            for key, piece in value.items():
                old = known.get(key)
                known[key] = old + piece if key in {"data", "transcript"} and isinstance(old, str) else piece
        else:
            message[name] = dict(value) if isinstance(value, dict) else list(value)
