"""Conversation -> upstream body: top-level members and settings.

Members every relative takes go out always; what is OpenAI's own goes out where the client or the target is OpenAI's
(`Features.sends`), and is noted as dropped elsewhere.
"""

from __future__ import annotations

from typing import Any, Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import Conversation, JsonValue, OutputFormat, Reasoning, Sampling
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.canonical.reasoning import EFFORTS, budget_of, effort_of, nearest_effort
from llmswitch_core.protocols.contract import Notes, WireRequest, WireTarget
from llmswitch_core.protocols.losses import Loss, of
from llmswitch_core.protocols.openai_chat.features import Features
from llmswitch_core.protocols.openai_chat.messages_writer import write_messages
from llmswitch_core.protocols.openai_chat.tools import write_tools

PATH: Final = "/chat/completions"

_PLAIN_SAMPLING: Final = (
    *("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"),
    *("logprobs", "top_logprobs", "logit_bias"),
)
"""Sampling fields that have the same name here and need no thought."""

_USER_LIMIT: Final = 64
"""Characters OpenAI allows in `user`; other protocols' user ids may be longer."""

_TIERS: Final = {"standard_only": "default", "standard": "default"}
"""Service tiers of other protocols in this one's words."""


def write_request(conversation: Conversation, target: WireTarget, notes: Notes) -> WireRequest:
    """The whole request. Raises GatewayError (invalid_request) for what must be refused rather than dropped."""
    features = Features(conversation, target)
    _refuse(conversation, features)
    names = WireNames(conversation.tools)
    body: dict[str, JsonValue] = {
        "model": target.model,
        "messages": write_messages(conversation, names, features, notes),
    }
    write_tools(conversation, names, features, body, notes)
    _write_sampling(conversation.sampling, features, body, notes)
    if conversation.reasoning is not None:
        _write_reasoning(conversation.reasoning, features, body, notes)
    if conversation.output is not None:
        _write_output(conversation.output, features, body, notes)
    _write_extras(conversation, features, body, notes)
    if conversation.cache is not None:
        notes.dropped("cache")
    if features.own_protocol:
        for name, value in conversation.extensions.items():
            if name != "stream_options":
                body.setdefault(name, value)
    else:
        for name in conversation.extensions:
            notes.dropped(of("extensions", name))
    if target.stream:
        _write_stream(conversation, features, body)
    return WireRequest(path=PATH, body=body)


def _refuse(conversation: Conversation, features: Features) -> None:
    count = conversation.sampling.n
    if count is not None and count > 1 and not features.own_protocol:
        raise invalid(
            f"The request asks for {count} answers; one is possible when the target speaks another protocol.",
            code="unsupported_n",
            param="n",
            next_step="Ask for one answer, or send several requests.",
        )
    modalities = conversation.output.modalities if conversation.output is not None else None
    for modality in modalities or () if not features.own_protocol else ():
        word = modality.lower()
        if word != "text" and not (word == "image" and features.flag("image_output", False)):
            raise invalid(
                f"An openai-chat upstream cannot answer with {word} for this client.",
                code=f"unsupported_{word}",
                param="modalities",
                next_step="Ask for text, or choose a target that speaks your client's protocol.",
            )


def _write_stream(conversation: Conversation, features: Features, body: dict[str, JsonValue]) -> None:
    body["stream"] = True
    own = conversation.extensions.get("stream_options") if features.own_protocol else None
    options: dict[str, Any] = dict(own) if isinstance(own, dict) else {}
    if features.flag("stream_usage", True):
        options["include_usage"] = True
    if options:
        body["stream_options"] = options


def _write_sampling(sampling: Sampling, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    if sampling.max_output_tokens is not None:
        body[str(features.get("max_tokens_field", "max_tokens"))] = sampling.max_output_tokens
    for name in _PLAIN_SAMPLING:
        value = getattr(sampling, name)
        if value is not None:
            body[name] = value
    if sampling.top_k is not None:
        if features.flag("top_k", features.own_protocol):
            body["top_k"] = sampling.top_k
        else:
            notes.dropped("sampling.top_k")
    if sampling.stop:
        limit = features.get("max_stop", None)
        body["stop"] = sampling.stop if limit is None else sampling.stop[:limit]
        if limit is not None and len(sampling.stop) > limit:
            notes.dropped("sampling.stop")
    if sampling.n is not None and features.own_protocol:
        body["n"] = sampling.n


# --- reasoning -----------------------------------------------------------------------------------------


def _write_reasoning(reasoning: Reasoning, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    dialect = features.get("reasoning_field", "reasoning_effort")
    writer = _REASONING_DIALECTS.get(dialect)
    if writer is None:
        if reasoning.mode is not None or reasoning.effort is not None:
            notes.dropped("reasoning")
    else:
        writer(reasoning, features, body, notes)
    if reasoning.summary is not None:
        notes.dropped("reasoning.summary")
    if reasoning.encrypted:
        notes.dropped("reasoning.encrypted")


def _effort(reasoning: Reasoning, features: Features, notes: Notes) -> str | None:
    """The effort word to send: the client's, or its budget's, as near as the target knows it."""
    word = reasoning.effort
    if reasoning.mode == "off":
        word = "none"
    elif word is None and reasoning.budget_tokens is not None:
        word = effort_of(reasoning.budget_tokens)
        notes.mapped("reasoning.budget_tokens")
    if word is None:
        return None
    allowed = tuple(features.get("reasoning_efforts", EFFORTS if features.own_vendor else ("low", "medium", "high")))
    if word == "none" and word not in allowed:
        notes.dropped("reasoning.mode")
        return None
    if word in allowed or features.own_protocol:
        return word
    notes.mapped("reasoning.effort")
    return nearest_effort(word, allowed)


def _as_effort(reasoning: Reasoning, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    word = _effort(reasoning, features, notes)
    if word is not None:
        body["reasoning_effort"] = word


def _as_object(reasoning: Reasoning, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    """OpenRouter: `reasoning: {effort | max_tokens | enabled, exclude}`."""
    box: dict[str, Any] = {}
    if reasoning.mode == "off":
        box["enabled"] = False
    elif reasoning.effort is not None:
        box["effort"] = _effort(reasoning, features, notes)
    elif reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
        box["max_tokens"] = reasoning.budget_tokens
    elif reasoning.mode is not None:
        box["enabled"] = True
    if reasoning.visible is False:
        box["exclude"] = True
    if box:
        body["reasoning"] = box


def _as_thinking(reasoning: Reasoning, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    """GLM, DeepSeek, Kimi: `thinking: {type: enabled | disabled}`, an effort word only where the target knows some."""
    if reasoning.mode is not None:
        body["thinking"] = {"type": "disabled" if reasoning.mode == "off" else "enabled"}
    if reasoning.mode == "off":
        return
    if features.get("reasoning_efforts", None):
        _as_effort(reasoning, features, body, notes)
    elif reasoning.effort is not None or reasoning.budget_tokens is not None:
        notes.dropped("reasoning.effort" if reasoning.effort is not None else "reasoning.budget_tokens")


def _as_switch(reasoning: Reasoning, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    """Qwen: `enable_thinking` and `thinking_budget`."""
    if reasoning.mode is not None:
        body["enable_thinking"] = reasoning.mode != "off"
    if reasoning.mode == "off":
        return
    if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
        body["thinking_budget"] = reasoning.budget_tokens
    elif reasoning.effort is not None:
        body["thinking_budget"] = budget_of(reasoning.effort)
        notes.mapped("reasoning.effort")


_REASONING_DIALECTS: Final = {
    "reasoning_effort": _as_effort,
    "reasoning": _as_object,
    "thinking": _as_thinking,
    "enable_thinking": _as_switch,
}


# --- output and OpenAI's own members -------------------------------------------------------------------


def _write_output(output: OutputFormat, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    if output.type == "json":
        body["response_format"] = {"type": "json_object"}
    elif output.type == "json_schema":
        if features.flag("json_schema", True):
            box: dict[str, Any] = {"name": output.name or "answer"}
            if output.description is not None:
                box["description"] = output.description
            if output.schema is not None:
                box["schema"] = output.schema
            if output.strict is not None:
                box["strict"] = output.strict
            body["response_format"] = {"type": "json_schema", "json_schema": box}
        else:
            notes.mapped("output.schema")
            body["response_format"] = {"type": "json_object"}
    if output.verbosity is not None:
        if features.sends("verbosity"):
            body["verbosity"] = output.verbosity
        else:
            notes.dropped("output.verbosity")
    if output.modalities and (features.own_protocol or [word.lower() for word in output.modalities] != ["text"]):
        body["modalities"] = [word.lower() for word in output.modalities]


def _write_extras(conversation: Conversation, features: Features, body: dict[str, JsonValue], notes: Notes) -> None:
    tier = conversation.service_tier
    user = conversation.user
    if user is not None and conversation.extensions.get("safety_identifier") == user and features.own_protocol:
        user = None  # goes out under its own name with the extensions
    values: tuple[tuple[str, Loss, JsonValue], ...] = (
        ("user", "user", user),
        ("store", "store", conversation.store),
        ("metadata", "metadata", conversation.metadata),
        ("prompt_cache_key", "cache_key", conversation.cache_key),
        ("service_tier", "service_tier", _TIERS.get(tier, tier) if tier is not None else None),
    )
    for name, field, value in values:
        if value is None:
            continue
        too_long = name == "user" and not features.own_protocol and len(value) > _USER_LIMIT
        if features.sends(name) and not too_long:
            body[name] = value
        elif not (name == "store" and value is False):
            notes.dropped(field)
