"""The vendors' own SDKs as judges: an answer's bytes through their accumulators, models and exceptions.

The bytes were received from the gateway over a socket; here a transport hands them to the SDK. One client per SDK and
process: making one costs more than a cell.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from google.genai import errors, types

from .dialects import Json

# What an SDK raises for an answer that is not one.
FAILURES = (openai.OpenAIError, anthropic.AnthropicError, errors.APIError, genai.errors.UnknownApiResponseError)


@dataclass
class Usage:
    """Token counts in words all vendors share: totals that include their details."""

    input: int = 0
    cache_read: int = 0
    cache_write: int | None = None
    """None where the protocol has no number for it."""
    output: int = 0
    reasoning: int | None = None


@dataclass
class Call:
    """A tool call as the SDK shows it."""

    id: str
    name: str
    arguments: Any
    """Parsed."""
    raw: str | None = None
    """The argument text, where the protocol has text."""
    kind: str = "function"
    namespace: str | None = None


@dataclass
class Answer:
    """What the SDK made of the answer."""

    id: str = ""
    model: str = ""
    text: str = ""
    thinking: str = ""
    refusal: str = ""
    signatures: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    finish: str = ""
    usage: Usage | None = None
    thoughts: list[Any] = field(default_factory=list)
    """Thinking blocks, items or parts as wire objects, for replay."""
    call_parts: list[Json] = field(default_factory=list)
    """The calls as wire objects, for replay."""
    order: list[str] = field(default_factory=list)
    """thinking, text, refusal, call: as they follow each other."""

    def say(self, what: str) -> None:
        """Note what comes next."""
        if not self.order or self.order[-1] != what or what == "call":
            self.order.append(what)


class _Bytes:
    """A transport that answers every request with the bytes it was given."""

    def __init__(self) -> None:
        self.answer = httpx2.Response(200)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        return self.answer


@functools.cache
def _client(vendor: str) -> tuple[Any, _Bytes]:
    source = _Bytes()
    transport = httpx2.Client(transport=httpx2.MockTransport(source))
    if vendor == "openai":
        return openai.OpenAI(api_key="k", base_url="http://g/v1", max_retries=0, http_client=transport), source
    if vendor == "anthropic":
        return anthropic.Anthropic(api_key="k", base_url="http://g", max_retries=0, http_client=transport), source
    options = types.HttpOptions(base_url="http://g", httpx_client=transport)
    return genai.Client(api_key="k", http_options=options), source


def read(protocol: str, status: int, headers: dict[str, str], body: bytes, *, stream: bool) -> Answer:
    """The SDK's final message; raises the SDK's own exception where it sees a failure."""
    vendor = {"anthropic-messages": "anthropic", "gemini": "gemini"}.get(protocol, "openai")
    client, source = _client(vendor)
    kept = {k: v for k, v in headers.items() if k not in ("transfer-encoding", "content-length", "connection")}
    source.answer = httpx2.Response(status, headers=kept, content=body)
    return _READ[protocol](client, stream)


def _chat(client: openai.OpenAI, stream: bool) -> Answer:
    question: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    done: Any
    if stream:
        with client.chat.completions.stream(**question, stream_options={"include_usage": True}) as events:
            for _ in events:
                pass
            done = events.current_completion_snapshot
    else:
        done = client.chat.completions.create(**question)
    answer = Answer(id=done.id, model=done.model, finish=done.choices[0].finish_reason or "")
    message = done.choices[0].message
    extra = message.model_extra or {}
    answer.thinking = extra.get("reasoning_content") or extra.get("reasoning") or ""
    answer.text, answer.refusal = message.content or "", message.refusal or ""
    for what in ("thinking", "text", "refusal"):
        if getattr(answer, what):
            answer.say(what)
    for call in message.tool_calls or []:
        answer.say("call")
        box = call.function if call.type == "function" else call.custom
        raw = box.arguments if call.type == "function" else box.input
        parsed = _parsed(raw) if call.type == "function" else raw
        answer.calls.append(Call(call.id, box.name, parsed, raw, call.type))
        answer.call_parts.append(call.model_dump(exclude_none=True))
    if done.usage:
        prompt, out = done.usage.prompt_tokens_details, done.usage.completion_tokens_details
        answer.usage = Usage(
            done.usage.prompt_tokens,
            (prompt and prompt.cached_tokens) or 0,
            (
                prompt
                and (prompt.model_extra or {}).get("cache_write_tokens", getattr(prompt, "cache_write_tokens", None))
            ),
            done.usage.completion_tokens,
            (out and out.reasoning_tokens) or 0,
        )
    return answer


def _parsed(raw: str) -> Any:
    return json.loads(raw) if raw.strip() else {}


def _responses(client: openai.OpenAI, stream: bool) -> Answer:
    done: Any = None
    if stream:
        with client.responses.stream(model="m", input="hi") as events:
            for event in events:
                if event.type == "error":
                    raise openai.APIError(event.message, request=httpx2.Request("POST", "http://g"), body=None)
                if event.type in ("response.completed", "response.incomplete", "response.failed"):
                    done = event.response
        if done is None:
            raise openai.OpenAIError("the stream ended without a terminal event")
    else:
        done = client.responses.create(model="m", input="hi")
    if done.status == "failed":
        raise openai.APIError(
            done.error.message if done.error else "failed", request=httpx2.Request("POST", "http://g"), body=None
        )
    answer = Answer(id=done.id, model=done.model)
    answer.finish = (done.incomplete_details and done.incomplete_details.reason) or done.status
    for item in done.output:
        if item.type == "message":
            for part in item.content:
                if part.type == "output_text":
                    answer.say("text")
                    answer.text += part.text
                else:
                    answer.say("refusal")
                    answer.refusal += part.refusal
        elif item.type == "reasoning":
            answer.say("thinking")
            answer.thinking += "".join(s.text for s in item.summary)
            answer.thinking += "".join(s.text for s in item.content or [])
            answer.thoughts.append(item.model_dump(exclude_none=True))
            if item.encrypted_content:
                answer.signatures.append(item.encrypted_content)
        elif item.type in ("function_call", "custom_tool_call"):
            answer.say("call")
            raw = item.arguments if item.type == "function_call" else item.input
            parsed = _parsed(raw) if item.type == "function_call" else raw
            kind = "function" if item.type == "function_call" else "custom"
            namespace = getattr(item, "namespace", None)
            answer.calls.append(Call(item.call_id, item.name, parsed, raw, kind, namespace))
            answer.call_parts.append(item.model_dump(exclude_none=True))
        else:
            answer.say(item.type)
            answer.call_parts.append(item.model_dump(exclude_none=True))
    if done.usage:
        details = done.usage.input_tokens_details
        answer.usage = Usage(
            done.usage.input_tokens,
            details.cached_tokens or 0,
            getattr(details, "cache_write_tokens", None),
            done.usage.output_tokens,
            done.usage.output_tokens_details.reasoning_tokens or 0,
        )
    return answer


def _messages(client: anthropic.Anthropic, stream: bool) -> Answer:
    question: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    done: Any
    if stream:
        with client.messages.stream(**question) as events:
            for _ in events:
                pass
            done = events.get_final_message()
    else:
        done = client.messages.create(**question)
    answer = Answer(id=done.id, model=done.model, finish=done.stop_reason or "")
    for block in done.content:
        if block.type == "text":
            answer.say("text")
            answer.text += block.text
        elif block.type in ("thinking", "redacted_thinking"):
            answer.say("thinking")
            answer.thinking += getattr(block, "thinking", "")
            answer.thoughts.append(block.model_dump(exclude_none=True))
            token = getattr(block, "signature", None) or getattr(block, "data", None)
            if token:
                answer.signatures.append(token)
        elif block.type == "tool_use":
            answer.say("call")
            answer.calls.append(Call(block.id, block.name, block.input))
            answer.call_parts.append(block.model_dump(exclude_none=True))
    if done.stop_details:
        answer.refusal = done.stop_details.explanation or ""
    usage = done.usage
    read_, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    details = getattr(usage, "output_tokens_details", None)
    reasoning = details.thinking_tokens if details else None
    answer.usage = Usage(usage.input_tokens + read_ + written, read_, written, usage.output_tokens, reasoning)
    return answer


def _gemini(client: genai.Client, stream: bool) -> Answer:
    if stream:
        chunks = list(client.models.generate_content_stream(model="m", contents="hi"))
        if not any(c.finish_reason for chunk in chunks for c in chunk.candidates or []) and not any(
            chunk.prompt_feedback for chunk in chunks
        ):
            raise errors.UnknownApiResponseError("the stream ended without a finish reason")
    else:
        chunks = [client.models.generate_content(model="m", contents="hi")]
    answer = Answer()
    for chunk in chunks:
        answer.id, answer.model = chunk.response_id or answer.id, chunk.model_version or answer.model
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            answer.finish = chunk.prompt_feedback.block_reason.value
        for candidate in chunk.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                _gemini_part(answer, part)
            if candidate.finish_reason:
                answer.finish = candidate.finish_reason.value
            answer.refusal = candidate.finish_message or answer.refusal
        usage = chunk.usage_metadata
        if usage:
            thought = usage.thoughts_token_count or 0
            answer.usage = Usage(
                usage.prompt_token_count or 0,
                usage.cached_content_token_count or 0,
                None,
                (usage.candidates_token_count or 0) + thought,
                thought,
            )
    return answer


def _gemini_part(answer: Answer, part: types.Part) -> None:
    wire = part.model_dump(mode="json", exclude_none=True, by_alias=True)
    if part.thought_signature:
        answer.signatures.append(wire["thoughtSignature"])
    if part.function_call:
        answer.say("call")
        call = part.function_call
        answer.calls.append(Call(call.id or "", call.name or "", call.args or {}))
        answer.call_parts.append(wire)
    elif part.thought:
        answer.say("thinking")
        answer.thinking += part.text or ""
        answer.thoughts.append(wire)
    elif part.text:
        answer.say("text")
        answer.text += part.text
    elif part.thought_signature:
        answer.thoughts.append(wire)


_READ: dict[str, Callable[[Any, bool], Answer]] = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
