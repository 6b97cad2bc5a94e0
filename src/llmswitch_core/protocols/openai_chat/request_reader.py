"""Inbound body -> Conversation: the top-level members and settings.

`_CONSUMED` is the list of members with a canonical field; every other member ends in `extensions`. Relatives' ways to
steer thinking (`reasoning`, `thinking`, `enable_thinking`) are read as well as OpenAI's `reasoning_effort`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    JsonValue,
    OutputFormat,
    Protocol,
    Reasoning,
    Sampling,
)
from llmswitch_core.protocols.contract import RequestHead
from llmswitch_core.protocols.openai_chat.members import (
    a_list,
    an_object,
    optional_bool,
    optional_float,
    optional_int,
    optional_text,
    text_of,
    word_of,
)
from llmswitch_core.protocols.openai_chat.messages_reader import read_messages
from llmswitch_core.protocols.openai_chat.tools import read_tool_choice, read_tools

_CONSUMED: Final = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "tools", "functions", "tool_choice", "function_call"),
        *("parallel_tool_calls", "web_search_options", "max_tokens", "max_completion_tokens", "temperature"),
        *("top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"),
        *("n", "logit_bias", "reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget"),
        *("response_format", "verbosity", "modalities", "store", "user", "prompt_cache_key", "service_tier"),
        *("metadata",),
    }
)

_SESSION_MEMBERS: Final = ("session_id", "conversation_id", "thread_id")

_OF_REASONING: Final = frozenset({"reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget"})
_OF_OUTPUT: Final = frozenset({"verbosity", "modalities", "response_format"})
_OF_SAMPLING: Final = frozenset(
    {
        *("max_completion_tokens", "temperature", "top_p", "top_k", "stop", "seed", "presence_penalty"),
        *("frequency_penalty", "logprobs", "top_logprobs", "n", "logit_bias"),
    }
)
"""What each part of the settings is read from: most requests have nothing of most of them."""


def read_request(head: RequestHead, body: Mapping[str, JsonValue]) -> Conversation:
    """Raises GatewayError (400, param = path) for what makes no sense."""
    stream_options = _members(body, "stream_options")
    cache_key = optional_text(body, "prompt_cache_key")
    metadata = _members(body, "metadata")
    safety_identifier = optional_text(body, "safety_identifier")
    conversation = Conversation(
        protocol=Protocol.OPENAI_CHAT,
        model=text_of(body.get("model"), "model"),
        turns=read_messages(body.get("messages")),
        stream=optional_bool(body, "stream") or False,
        tools=read_tools(body),
        tool_choice=read_tool_choice(body),
        parallel_tool_calls=optional_bool(body, "parallel_tool_calls"),
        sampling=_read_sampling(body),
        reasoning=_read_reasoning(body),
        output=_read_output(body),
        include_usage=optional_bool(stream_options, "include_usage", "stream_options.") or False,
        store=optional_bool(body, "store"),
        user=optional_text(body, "user") or safety_identifier,
        session=_session(body, metadata) or cache_key,
        cache_key=cache_key,
        service_tier=optional_text(body, "service_tier"),
        metadata=metadata or None,
        extensions={name: value for name, value in body.items() if name not in _CONSUMED},
    )
    rest = {name: value for name, value in stream_options.items() if name != "include_usage"}
    if rest:
        conversation.extensions["stream_options"] = rest
    return conversation


def _members(body: Mapping[str, JsonValue], name: str) -> dict[str, Any]:
    value = body.get(name)
    return {} if value is None else an_object(value, name)


def _session(body: Mapping[str, JsonValue], metadata: Mapping[str, JsonValue]) -> str | None:
    for holder in (metadata, body):
        for name in _SESSION_MEMBERS:
            value = holder.get(name)
            if isinstance(value, str) and value:
                return value
    return None


def _read_sampling(body: Mapping[str, JsonValue]) -> Sampling:
    if _OF_SAMPLING.isdisjoint(body):
        return Sampling(max_output_tokens=optional_int(body, "max_tokens"))
    limit = optional_int(body, "max_completion_tokens")
    logit_bias = _members(body, "logit_bias")
    return Sampling(
        max_output_tokens=limit if limit is not None else optional_int(body, "max_tokens"),
        temperature=optional_float(body, "temperature"),
        top_p=optional_float(body, "top_p"),
        top_k=optional_int(body, "top_k"),
        stop=_read_stop(body.get("stop")),
        seed=optional_int(body, "seed"),
        presence_penalty=optional_float(body, "presence_penalty"),
        frequency_penalty=optional_float(body, "frequency_penalty"),
        logprobs=optional_bool(body, "logprobs"),
        top_logprobs=optional_int(body, "top_logprobs"),
        n=optional_int(body, "n"),
        logit_bias={token: optional_float(logit_bias, token, "logit_bias.") or 0.0 for token in logit_bias} or None,
    )


def _read_stop(value: JsonValue) -> list[str] | None:
    if value is None or value == "":
        return None
    words = [value] if isinstance(value, str) else a_list(value, "stop")
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise invalid(f"stop[{index}] must be a string.", param=f"stop[{index}]")
    return [word for word in words if word] or None


def _read_reasoning(body: Mapping[str, JsonValue]) -> Reasoning | None:
    if _OF_REASONING.isdisjoint(body):
        return None
    nested = body.get("reasoning")
    box = nested if isinstance(nested, dict) else {}
    effort = optional_text(body, "reasoning_effort") or optional_text(box, "effort", "reasoning.")
    reasoning = Reasoning(
        effort=effort,
        budget_tokens=optional_int(box, "max_tokens", "reasoning."),
        summary=optional_text(box, "summary", "reasoning."),
    )
    if optional_bool(box, "exclude", "reasoning."):
        reasoning.visible = False
    thinking = body.get("thinking")
    if isinstance(thinking, dict):
        kind = word_of(thinking.get("type"))
        reasoning.mode = "off" if kind == "disabled" else "adaptive" if kind in {"adaptive", "auto"} else "on"
        reasoning.budget_tokens = optional_int(thinking, "budget_tokens", "thinking.") or reasoning.budget_tokens
    enabled = optional_bool(body, "enable_thinking")
    if enabled is None:
        enabled = optional_bool(box, "enabled", "reasoning.")
    reasoning.budget_tokens = optional_int(body, "thinking_budget") or reasoning.budget_tokens
    if enabled is not None:
        reasoning.mode = "on" if enabled else "off"
    if reasoning == Reasoning():
        return None
    if reasoning.mode is None and (effort is not None or reasoning.budget_tokens is not None):
        reasoning.mode = "off" if effort == "none" else "on"
    return reasoning


def _read_output(body: Mapping[str, JsonValue]) -> OutputFormat | None:
    if _OF_OUTPUT.isdisjoint(body):
        return None
    output = OutputFormat(verbosity=optional_text(body, "verbosity"))
    modalities = a_list(body.get("modalities"), "modalities")
    output.modalities = [str(item) for item in modalities] or None
    form = _members(body, "response_format")
    kind = form.get("type")
    if kind == "json_object":
        output.type = "json"
    elif kind == "json_schema":
        box = an_object(form.get("json_schema"), "response_format.json_schema")
        path = "response_format.json_schema."
        output.type = "json_schema"
        output.schema = box.get("schema")
        output.name = optional_text(box, "name", path)
        output.description = optional_text(box, "description", path)
        output.strict = optional_bool(box, "strict", path)
    elif form and kind != "text":
        raise invalid(
            "response_format.type must be text, json_object or json_schema.",
            param="response_format.type",
        )
    return None if output == OutputFormat() and not form else output
