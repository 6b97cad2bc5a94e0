"""Conversation -> `POST /responses` body, from scratch.

It knows the shape of this wire: `instructions` for a leading system text, one item per call, result and reasoning,
no empty content. Legality of turns is governance's; quirks of single servers are the compat profile's, which
answers for these `features` (default in brackets):
`namespaces`, `custom_tools`, `client_tools` [true]; `hosted_tools` [true; false or a list of labels];
`instructions` [true: a leading system text goes into `instructions`]; `developer_role` [true];
`encrypted_reasoning` [true: ask for encrypted_content where the client wants reasoning]; `reasoning_text` [false:
the server takes plain reasoning text back]; `reasoning_off` [false: `effort: none` may be sent for thinking that is
switched off]; `audio_input`, `prompt_cache_breakpoint` [true for clients of this protocol]; `tool_result_media` [true];
`least_output_tokens` [16]; `input_tokens` [true: the server counts tokens].
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, OutputFormat, Protocol
from llmswitch_core.canonical.reasoning import effort_of
from llmswitch_core.protocols.contract import Notes, WireRequest, WireTarget
from llmswitch_core.protocols.losses import Loss, of
from llmswitch_core.protocols.openai_responses.item_writer import ItemWriter
from llmswitch_core.protocols.openai_responses.request_reader import ENCRYPTED, LOGPROBS
from llmswitch_core.protocols.openai_responses.tools import ToolWriter

_SERVICE_TIERS: Final = frozenset({"auto", "default", "flex", "priority", "scale", "fast", "ultrafast"})
_NO_PLACE: Final = ("stop", "seed", "top_k", "presence_penalty", "frequency_penalty", "logit_bias")
_COUNTED: Final = (
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "truncation",
    "previous_response_id",
    "conversation",
)
"""Members the counting call takes (openai SDK, InputTokenCountParams)."""


def write_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
    """The generating call. Raises GatewayError(invalid_request) for what must be refused."""
    return WireRequest("/responses", _body(conversation, target, notes))


def count_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest | None:
    """The counting call; None where the profile says the server has none (`input_tokens: false`)."""
    if target.features.get("input_tokens", True) is False:
        return None
    body = _body(conversation, target, notes)
    return WireRequest("/responses/input_tokens", {name: body[name] for name in _COUNTED if name in body})


def _body(conversation: Conversation, target: WireTarget, notes: Notes) -> dict[str, JsonValue]:
    same = conversation.protocol is Protocol.OPENAI_RESPONSES
    features = target.features
    tools = ToolWriter(conversation.tools, conversation.protocol, features, notes, conversation.tool_choice)
    body: dict[str, JsonValue] = {"model": target.model}
    if target.stream:
        body["stream"] = True
    items = ItemWriter(conversation, tools, features, notes)
    items.write()
    if items.instructions is not None:
        body["instructions"] = items.instructions
    body["input"] = items.items
    offered = tools.write(items.top_tools)
    if offered:
        body["tools"] = offered
    if conversation.tool_choice is not None and conversation.tools:
        body["tool_choice"] = tools.choice(conversation.tool_choice)
    if conversation.parallel_tool_calls is not None and conversation.tools:
        body["parallel_tool_calls"] = conversation.parallel_tool_calls
    _sampling(body, conversation, same, features, notes)
    include = _reasoning(body, conversation, features, notes)
    if conversation.sampling.logprobs or conversation.sampling.top_logprobs:
        include.append(LOGPROBS)
    if conversation.output is not None:
        _output(body, conversation.output, notes)
    _settings(body, conversation, same, notes)
    _extensions(body, conversation, same, include, notes)
    if include:
        body["include"] = include
    return body


def _sampling(
    body: dict[str, JsonValue], conversation: Conversation, same: bool, features: Mapping[str, Any], notes: Notes
) -> None:
    sampling = conversation.sampling
    if sampling.n is not None and sampling.n > 1:
        raise invalid(
            "The chosen upstream gives one answer per request, so 'n' must be 1.",
            param="n",
            code="unsupported_n",
            next_step="Send the request n times.",
        )
    for name in ("max_output_tokens", "temperature", "top_p"):
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    least = features.get("least_output_tokens", 16)
    if sampling.max_output_tokens is not None and sampling.max_output_tokens < least and not same:
        # Probes of other clients ask for one token (Claude Code's quota check); the vendor refuses less than 16.
        body["max_output_tokens"] = least
        notes.mapped("sampling.max_output_tokens")
    if sampling.top_logprobs:
        body["top_logprobs"] = sampling.top_logprobs
    for name in _NO_PLACE:
        if getattr(sampling, name) not in (None, [], {}):
            notes.dropped(of("sampling", name))


def _reasoning(
    body: dict[str, JsonValue], conversation: Conversation, features: Mapping[str, Any], notes: Notes
) -> list[JsonValue]:
    """Write `reasoning`; the answer is what must be included in the answer for it."""
    reasoning = conversation.reasoning
    if reasoning is None:
        return []
    wire: dict[str, JsonValue] = {}
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None and reasoning.mode != "off":
        effort = effort_of(reasoning.budget_tokens)
        notes.mapped("reasoning.budget_tokens")
    same = conversation.protocol is Protocol.OPENAI_RESPONSES
    if reasoning.mode == "off" and effort in (None, "none") and not same:
        # `none` is known to some models only, and a model that does not reason refuses the member.
        effort = "none" if features.get("reasoning_off", False) or effort == "none" else None
        if effort is None:
            notes.dropped("reasoning.mode")
    if effort is not None:
        wire["effort"] = effort
    thinks = reasoning.mode in ("on", "adaptive") or effort not in (None, "none")
    if reasoning.summary is not None:
        wire["summary"] = reasoning.summary
    elif not same and (reasoning.visible or (reasoning.mode in ("on", "adaptive") and reasoning.visible is None)):
        wire["summary"] = "auto"
    if wire:
        body["reasoning"] = wire
    encrypted = reasoning.encrypted or (not same and thinks)
    return [ENCRYPTED] if encrypted and features.get("encrypted_reasoning", True) is not False else []


def _output(body: dict[str, JsonValue], output: OutputFormat, notes: Notes) -> None:
    text: dict[str, JsonValue] = {}
    if output.type == "json":
        text["format"] = {"type": "json_object"}
    elif output.type == "json_schema":
        form: dict[str, JsonValue] = {"type": "json_schema", "name": output.name or "output", "schema": output.schema}
        if output.description is not None:
            form["description"] = output.description
        if output.strict is not None:
            form["strict"] = output.strict
        text["format"] = form
    if output.verbosity is not None:
        text["verbosity"] = output.verbosity
    if text:
        body["text"] = text
    if output.modalities and output.modalities != ["text"]:
        raise invalid(
            f"The chosen upstream answers in text only, not in {', '.join(output.modalities)}.",
            param="modalities",
            code="unsupported_modalities",
        )


def _settings(body: dict[str, JsonValue], conversation: Conversation, same: bool, notes: Notes) -> None:
    if conversation.store is not None:
        body["store"] = conversation.store
    elif not same:
        # Left out, it means true here: a foreign client never asked for that.
        body["store"] = False
    if conversation.previous_response_id is not None:
        body["previous_response_id"] = conversation.previous_response_id
    if conversation.user is not None:
        body["safety_identifier"] = _short(conversation.user, "user", notes)
    cache_key = conversation.cache_key or conversation.session
    if cache_key is not None:
        body["prompt_cache_key"] = _short(cache_key, "cache_key", notes)
    if conversation.service_tier is not None:
        if same or conversation.service_tier in _SERVICE_TIERS:
            body["service_tier"] = conversation.service_tier
        else:
            notes.dropped("service_tier")
    if conversation.metadata:
        if same or conversation.protocol is Protocol.OPENAI_CHAT:
            body["metadata"] = conversation.metadata
        else:
            notes.dropped("metadata")
    if conversation.cache is not None:
        notes.dropped("cache")


def _short(value: str, field: Loss, notes: Notes) -> str:
    """The vendor takes at most 64 characters here; longer values (Claude Code's user id) go as their hash."""
    if len(value) <= 64:
        return value
    notes.mapped(field)
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _extensions(
    body: dict[str, JsonValue], conversation: Conversation, same: bool, include: list[JsonValue], notes: Notes
) -> None:
    for name, value in conversation.extensions.items():
        if not same:
            notes.dropped(of("extensions", name))
        elif name == "include":
            include.extend(value)
        elif name.startswith(("reasoning.", "text.")):
            group, _, key = name.partition(".")
            body[group] = {**(body.get(group) or {}), key: value}
        else:
            body[name] = value
