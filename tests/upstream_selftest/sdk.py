"""The vendors' own SDKs as strangers that read the fake upstream: one question, one neutral reading."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types

PROTOCOLS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini")
MODEL = {
    "openai-chat": "gpt-4.1",
    "openai-responses": "gpt-4.1",
    "anthropic-messages": "claude-x",
    "gemini": "gemini-2.5-flash",
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


# One context for all clients: loading the certificates anew for each costs more than the tests themselves.
_CONTEXT = ssl.create_default_context()


@dataclass
class Seen:
    """What the SDK made of the answer."""

    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    finish: str = ""
    usage: tuple[int, int, int, int] = (0, 0, 0, 0)
    """All input, cache read, all output, reasoning."""
    raw: Any = None


@contextlib.asynccontextmanager
async def asker(protocol: str, url: str) -> AsyncIterator[Any]:
    """The SDK's client, without retries."""
    if protocol.startswith("openai"):
        async with openai.AsyncOpenAI(
            base_url=url + "/v1",
            api_key="k",
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(verify=_CONTEXT),
        ) as client:
            yield client
    elif protocol == "anthropic-messages":
        async with anthropic.AsyncAnthropic(
            base_url=url,
            api_key="k",
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(verify=_CONTEXT),
        ) as client:
            yield client
    else:
        shared = {"verify": _CONTEXT}
        options = types.HttpOptions(base_url=url, client_args=shared, async_client_args=shared)
        client = genai.Client(api_key="k", http_options=options)
        try:
            yield client
        finally:
            await client.aio.aclose()
            client.close()


async def ask(protocol: str, url: str, prompt: str = "hi", *, stream: bool, tools: tuple[str, ...] = ()) -> Seen:
    """Ask one question and read the whole answer."""
    async with asker(protocol, url) as client:
        return await _ASK[protocol](client, prompt, stream, tools)


async def _chat(client: openai.AsyncOpenAI, prompt: str, stream: bool, tools: tuple[str, ...]) -> Seen:
    options: dict[str, Any] = {
        "model": MODEL["openai-chat"],
        "messages": [{"role": "user", "content": prompt}],
    }
    if tools:
        options["tools"] = [{"type": "function", "function": {"name": t, "parameters": SCHEMA}} for t in tools]
    if stream:
        async with client.chat.completions.stream(**options, stream_options={"include_usage": True}) as events:
            async for _ in events:
                pass
            # Not get_final_completion: that one raises where the finish reason is length or content_filter.
            done = events.current_completion_snapshot
    else:
        done = await client.chat.completions.create(**options)
    message, usage = done.choices[0].message, done.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.completion_tokens_details is not None
    return Seen(
        text=message.content or "",
        thinking=(message.model_extra or {}).get("reasoning_content") or "",
        refusal=message.refusal or "",
        calls=[(c.function.name, json.loads(c.function.arguments or "{}")) for c in message.tool_calls or []],
        finish=done.choices[0].finish_reason,
        usage=(
            usage.prompt_tokens,
            usage.prompt_tokens_details.cached_tokens or 0,
            usage.completion_tokens,
            usage.completion_tokens_details.reasoning_tokens or 0,
        ),
        raw=done,
    )


async def _responses(client: openai.AsyncOpenAI, prompt: str, stream: bool, tools: tuple[str, ...]) -> Seen:
    options: dict[str, Any] = {"model": MODEL["openai-responses"], "input": prompt}
    if tools:
        options["tools"] = [{"type": "function", "name": t, "parameters": SCHEMA, "strict": False} for t in tools]
    if stream:
        done: Any = None
        async with client.responses.stream(**options) as events:
            async for event in events:
                if event.type in ("response.completed", "response.incomplete", "response.failed"):
                    done = event.response
    else:
        done = await client.responses.create(**options)
    seen = Seen(text=done.output_text, raw=done)
    for item in done.output:
        if item.type == "function_call":
            seen.calls.append((item.name, json.loads(item.arguments)))
        elif item.type == "reasoning":
            seen.thinking += "".join(s.text for s in item.summary)
        elif item.type == "message":
            seen.refusal += "".join(p.refusal for p in item.content if p.type == "refusal")
    seen.finish = done.incomplete_details.reason if done.incomplete_details else done.status
    if done.usage:
        seen.usage = (
            done.usage.input_tokens,
            done.usage.input_tokens_details.cached_tokens,
            done.usage.output_tokens,
            done.usage.output_tokens_details.reasoning_tokens,
        )
    return seen


async def _messages(client: anthropic.AsyncAnthropic, prompt: str, stream: bool, tools: tuple[str, ...]) -> Seen:
    options: dict[str, Any] = {
        "model": MODEL["anthropic-messages"],
        "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}],
    }
    if tools:
        options["tools"] = [{"name": t, "input_schema": SCHEMA} for t in tools]
    if stream:
        async with client.messages.stream(**options) as events:
            async for _ in events:
                pass
            done: Any = await events.get_final_message()
    else:
        done = await client.messages.create(**options)
    usage = done.usage
    seen = Seen(finish=done.stop_reason, raw=done)
    seen.usage = (
        usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
        usage.cache_read_input_tokens,
        usage.output_tokens,
        usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
    )
    for block in done.content:
        if block.type == "text":
            seen.text += block.text
        elif block.type == "thinking":
            seen.thinking += block.thinking
        elif block.type == "tool_use":
            seen.calls.append((block.name, block.input))
    if done.stop_details:
        seen.refusal = done.stop_details.explanation or ""
    return seen


async def _gemini(client: genai.Client, prompt: str, stream: bool, tools: tuple[str, ...]) -> Seen:
    config = types.GenerateContentConfig(
        tools=[
            types.Tool(
                function_declarations=[types.FunctionDeclaration(name=t, parameters_json_schema=SCHEMA) for t in tools]
            )
        ]
        if tools
        else None
    )
    model = MODEL["gemini"]
    chunks: list[Any] = []
    if stream:
        answer = await client.aio.models.generate_content_stream(model=model, contents=prompt, config=config)
        chunks.extend([chunk async for chunk in answer])
    else:
        chunks.append(await client.aio.models.generate_content(model=model, contents=prompt, config=config))
    seen = Seen(raw=chunks)
    for chunk in chunks:
        for candidate in chunk.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                if part.function_call:
                    seen.calls.append((part.function_call.name, part.function_call.args))
                elif part.thought:
                    seen.thinking += part.text or ""
                else:
                    seen.text += part.text or ""
            if candidate.finish_reason:
                seen.finish = candidate.finish_reason.value
            seen.refusal = candidate.finish_message or seen.refusal
        usage = chunk.usage_metadata
        thought = usage.thoughts_token_count or 0
        seen.usage = (
            usage.prompt_token_count,
            usage.cached_content_token_count or 0,
            (usage.candidates_token_count or 0) + thought,
            thought,
        )
    return seen


_ASK = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
