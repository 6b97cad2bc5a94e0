"""Tools, toolConfig, generationConfig and the rest of an upstream generateContent body, from a Conversation.

Facts about the target come from `WireTarget.features`, with defaults by model generation where vendors differ:

| feature         | values                                        | default                                        |
|-----------------|-----------------------------------------------|------------------------------------------------|
| tool_schema     | parametersJsonSchema, parameters              | parametersJsonSchema                           |
| output_schema   | responseJsonSchema, responseSchema            | responseJsonSchema                             |
| thinking_style  | level, budget, none                           | level from Gemini 3 on, budget for 2.5, else none |
| thinking_levels | list of efforts                               | by model                                       |
| mixed_tools     | true, false: hosted tools beside functions    | Gemini 3 and later                             |
| max_output_tokens | most the model takes; larger wishes are cut | 65536 from Gemini 2.5 on, 8192 before        |
| hosted_tools    | refuse, drop: hosted tools without an equal   | refuse                                         |
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.custom import custom_as_function
from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    CustomTool,
    FunctionTool,
    HostedTool,
    JsonValue,
    Protocol,
    Reasoning,
    ToolChoice,
)
from llmswitch_core.canonical.names import WireNames
from llmswitch_core.canonical.reasoning import budget_of, effort_of, nearest_effort
from llmswitch_core.protocols.contract import Notes, WireTarget
from llmswitch_core.protocols.gemini.schema_lowering import lower, lower_output
from llmswitch_core.protocols.gemini.wire import generation
from llmswitch_core.protocols.hosted import dispensable
from llmswitch_core.protocols.losses import Loss, of

_EQUALS: Final[dict[str, str]] = {
    "web_search": "googleSearch",
    "web_fetch": "urlContext",
    "url_context": "urlContext",
    "code_execution": "codeExecution",
}
_SAMPLING: Final[tuple[tuple[str, str], ...]] = (
    ("max_output_tokens", "maxOutputTokens"),
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("stop", "stopSequences"),
    ("seed", "seed"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
    ("logprobs", "responseLogprobs"),
    ("top_logprobs", "logprobs"),
    ("n", "candidateCount"),
)
MOST_STOPS: Final = 5
"""Stop sequences the API takes (ai.google.dev/api/generate-content, GenerationConfig)."""

_LEVELS: Final = ("minimal", "low", "medium", "high")
_BUDGETS: Final[tuple[tuple[str, int, int], ...]] = (
    ("flash-lite", 512, 24_576),
    ("flash", 0, 24_576),
    ("pro", 128, 32_768),
)
"""Thinking budgets of Gemini 2.5 (ai.google.dev, thinking): smallest that thinks, largest. 0 is off but on pro."""


def write_settings(
    body: dict[str, JsonValue], conversation: Conversation, target: WireTarget, names: WireNames, notes: Notes
) -> None:
    """Put everything but the turns into `body`. Raises invalid_request for what must be refused (MP-23)."""
    own = conversation.protocol is Protocol.GEMINI
    left = dict(conversation.extensions) if own else {}
    declared = _tools(body, conversation, target, names, notes)
    _tool_config(body, conversation, left.pop("toolConfig", None), declared, names, notes)
    config = _generation_config(conversation, target, notes)
    extra = left.pop("generationConfig", None)
    if isinstance(extra, dict):
        config = {**config, **extra}
    if config:
        body["generationConfig"] = config
    body.update(left)
    if own and conversation.store is not None:
        body["store"] = conversation.store
    if own and conversation.service_tier is not None:
        body["serviceTier"] = conversation.service_tier
    _note_losses(conversation, own, notes)


def _tools(
    body: dict[str, JsonValue], conversation: Conversation, target: WireTarget, names: WireNames, notes: Notes
) -> set[str]:
    """`tools`; answers the names of the functions declared."""
    own = conversation.protocol is Protocol.GEMINI
    lowered = target.features.get("tool_schema") == "parameters"
    declarations: list[JsonValue] = []
    hosted: list[JsonValue] = []
    for tool in conversation.tools:
        if isinstance(tool, HostedTool):
            entry = _hosted(tool, conversation, target, notes)
            if entry is not None and entry not in hosted:
                hosted.append(entry)
        elif isinstance(tool, CustomTool):
            notes.mapped("tool.custom")
            description, parameters = custom_as_function(tool)
            name = names.wire(tool.name, tool.namespace)
            declarations.append(_declaration(name, description, parameters, lowered))
        else:
            declarations.append(_function(tool, names, lowered, own, notes))
    if declarations and hosted and not own:
        hosted = _beside_functions(hosted, conversation, target, notes)
    entries: list[JsonValue] = [{"functionDeclarations": declarations}] if declarations else []
    if entries or hosted:
        body["tools"] = entries + hosted
    if declarations and hosted and not own:
        body["toolConfig"] = {"includeServerSideToolInvocations": True}
    return {entry["name"] for entry in declarations}


def _function(tool: FunctionTool, names: WireNames, lowered: bool, own: bool, notes: Notes) -> dict[str, JsonValue]:
    name = names.wire(tool.name, tool.namespace)
    entry = _declaration(name, tool.description, tool.parameters, lowered)
    if tool.cache is not None:
        notes.dropped("tool.cache")
    if tool.strict and not own:
        notes.dropped("tool.strict")
    if tool.output_schema is not None and not lowered:
        entry["responseJsonSchema"] = tool.output_schema
    if own and tool.options:
        entry.update(tool.options)
    elif tool.options:
        for option in tool.options:
            notes.dropped(of("tool", option))
    if tool.deferred:
        notes.mapped("tool.deferred")
    if tool.namespace_description is not None:
        notes.dropped("tool.namespace_description")
    return entry


def _declaration(name: str, description: str | None, parameters: JsonValue, lowered: bool) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {"name": name}
    if description:
        entry["description"] = description
    if lowered:
        schema = lower(parameters)
        if schema is not None:
            entry["parameters"] = schema
    elif isinstance(parameters, dict) and parameters:
        entry["parametersJsonSchema"] = parameters
    return entry


def _hosted(
    tool: HostedTool, conversation: Conversation, target: WireTarget, notes: Notes
) -> dict[str, JsonValue] | None:
    if tool.protocol is Protocol.GEMINI and isinstance(tool.wire, dict):
        return tool.wire
    equal = _EQUALS.get(tool.label)
    if equal is not None:
        notes.mapped(of("tool", tool.label))
        return {equal: {}}
    if target.features.get("hosted_tools") == "drop" or dispensable(tool, conversation.tools, conversation.tool_choice):
        notes.dropped(of("tool", tool.label))
        return None
    raise invalid(
        f"The hosted tool `{tool.label}` does not exist on Gemini ({target.model}).",
        param="tools",
        code="unsupported_hosted_tool",
        next_step="Remove the tool, or route the request to a vendor that runs it.",
    )


def _beside_functions(
    hosted: list[JsonValue], conversation: Conversation, target: WireTarget, notes: Notes
) -> list[JsonValue]:
    """Gemini 3 and later run hosted tools beside declared functions; older models refuse the request."""
    mixed = target.features.get("mixed_tools")
    if mixed is None:
        known = generation(target.model)
        mixed = known is None or known >= (3, 0)
    if mixed:
        return hosted
    labels = sorted(key for entry in hosted for key in entry)
    offered = [tool for tool in conversation.tools if isinstance(tool, HostedTool)]
    if target.features.get("hosted_tools") == "drop" or all(
        dispensable(tool, conversation.tools, conversation.tool_choice) for tool in offered
    ):
        for tool in offered:
            notes.dropped(of("tool", tool.label))
        return []
    raise invalid(
        f"{target.model} cannot use {', '.join(labels)} together with function tools.",
        param="tools",
        code="unsupported_hosted_tool",
        next_step="Remove one of the two kinds of tools, or use Gemini 3 or later.",
    )


def _tool_config(
    body: dict[str, JsonValue],
    conversation: Conversation,
    left: JsonValue,
    declared: set[str],
    names: WireNames,
    notes: Notes,
) -> None:
    """`toolConfig`: the client's own members where it speaks G, and the calling mode."""
    config: dict[str, JsonValue] = {**body.pop("toolConfig", {}), **(left if isinstance(left, dict) else {})}
    calling = config.pop("functionCallingConfig", None)
    choice = conversation.tool_choice
    if choice is not None:
        written = _calling(choice, declared, names, notes)
        if isinstance(calling, dict):
            # What G says beyond the canonical choice stays (VALIDATED, streamed arguments).
            keeps_mode = choice.mode == "auto" and calling.get("mode") == "VALIDATED"
            written = {**calling, **written, **({"mode": "VALIDATED"} if keeps_mode else {})} if written else {}
        if written:
            config["functionCallingConfig"] = written
    if conversation.parallel_tool_calls is False:
        notes.dropped("parallel_tool_calls")
    if config:
        body["toolConfig"] = config


def _calling(choice: ToolChoice, declared: set[str], names: WireNames, notes: Notes) -> dict[str, JsonValue]:
    """functionCallingConfig; {} where no function is declared, since Gemini refuses it then."""
    if choice.mode == "none":
        return {"mode": "NONE"} if declared else {}
    if choice.mode == "named" and choice.kind == "hosted":
        notes.dropped("tool_choice")
        return {}
    if not declared:
        if choice.mode != "auto":
            notes.dropped("tool_choice")
        return {}
    if choice.mode == "named":
        name = names.wire(choice.name or "", choice.namespace)
        if name not in declared:
            notes.dropped("tool_choice")
            return {"mode": "AUTO"}
        return {"mode": "ANY", "allowedFunctionNames": [name]}
    allowed = [name for name in (names.wire(item) for item in choice.allowed) if name in declared]
    if choice.mode == "required":
        return {"mode": "ANY", "allowedFunctionNames": allowed} if allowed else {"mode": "ANY"}
    return {"mode": "VALIDATED", "allowedFunctionNames": allowed} if allowed else {"mode": "AUTO"}


def _generation_config(conversation: Conversation, target: WireTarget, notes: Notes) -> dict[str, JsonValue]:
    config: dict[str, JsonValue] = {}
    own = conversation.protocol is Protocol.GEMINI
    sampling = conversation.sampling
    if (sampling.n or 1) > 1 and not own:
        raise invalid(
            "`n` above 1 cannot be carried to another protocol.",
            param="n",
            code="unsupported_n",
            next_step="Send one request for each answer.",
        )
    for field, key in _SAMPLING:
        value = getattr(sampling, field)
        if value is not None and (field != "n" or own):
            config[key] = value
    if len(sampling.stop or ()) > MOST_STOPS and not own:
        config["stopSequences"] = config["stopSequences"][:MOST_STOPS]
        notes.dropped("sampling.stop")
    wish, most = sampling.max_output_tokens, _most_output(target)
    if wish is not None and most is not None and wish > most and not own:
        # Clients built for other vendors ask for more than Gemini allows, which answers with a 400.
        config["maxOutputTokens"] = most
        notes.mapped("sampling.max_output_tokens")
    if sampling.logit_bias:
        notes.dropped("sampling.logit_bias")
    output = conversation.output
    if output is not None:
        if output.type != "text":
            config["responseMimeType"] = "application/json"
        if output.type == "json_schema" and output.schema is not None:
            if target.features.get("output_schema") == "responseSchema":
                config["responseSchema"] = lower_output(output.schema)
            else:
                config["responseJsonSchema"] = output.schema
        if output.modalities:
            config["responseModalities"] = [item.upper() for item in output.modalities]
        if output.verbosity is not None:
            notes.dropped("output.verbosity")
    if conversation.reasoning is not None:
        thinking = thinking_config(conversation.reasoning, target, own, notes)
        if thinking:
            config["thinkingConfig"] = thinking
    return config


def _most_output(target: WireTarget) -> int | None:
    """Output tokens the model can be asked for; None where nothing is known."""
    most = target.features.get("max_output_tokens")
    if isinstance(most, int):
        return most
    known = generation(target.model)
    return None if known is None else 65_536 if known >= (2, 5) else 8_192


def thinking_config(reasoning: Reasoning, target: WireTarget, own: bool, notes: Notes) -> dict[str, JsonValue]:
    """thinkingLevel or thinkingBudget by model, never both; includeThoughts where the client wants to see thoughts."""
    style = _thinking_style(target)
    if style == "none":
        if reasoning.mode is not None or reasoning.effort is not None or reasoning.budget_tokens is not None:
            notes.dropped("reasoning")
        return {}
    out: dict[str, JsonValue] = {}
    visible = reasoning.visible
    if visible is None and reasoning.summary not in (None, "none"):
        visible = True
    if visible is not None:
        out["includeThoughts"] = visible
    if style == "level":
        out.update(_level(reasoning, target, own, notes))
    else:
        out.update(_budget(reasoning, target, notes))
    return out


def _thinking_style(target: WireTarget) -> str:
    style = target.features.get("thinking_style")
    if style in ("level", "budget", "none"):
        return str(style)
    known = generation(target.model)
    if known is None:
        return "none"
    return "level" if known >= (3, 0) else "budget" if known >= (2, 5) else "none"


def _level(reasoning: Reasoning, target: WireTarget, own: bool, notes: Notes) -> dict[str, JsonValue]:
    if own and reasoning.budget_tokens is not None and reasoning.effort is None:
        return {"thinkingBudget": reasoning.budget_tokens}
    effort = reasoning.effort
    if effort is None and reasoning.mode == "off":
        effort = "none"
    if effort is None and reasoning.budget_tokens is not None:
        if reasoning.budget_tokens < 0:
            return {}
        effort = effort_of(reasoning.budget_tokens)
        notes.mapped("reasoning.budget_tokens")
    if effort is None:
        return {}
    levels = target.features.get("thinking_levels")
    allowed = tuple(str(item).lower() for item in levels) if levels else _levels_of(target.model)
    level = nearest_effort(effort, allowed)
    if level != effort:
        notes.mapped("reasoning.effort")
    return {"thinkingLevel": level.upper()}


def _levels_of(model: str) -> tuple[str, ...]:
    """Pro models know no minimal, and Gemini 3.0 Pro no medium either (ai.google.dev, thinking)."""
    if "pro" not in model:
        return _LEVELS
    return ("low", "high") if generation(model) == (3, 0) else ("low", "medium", "high")


def _budget(reasoning: Reasoning, target: WireTarget, notes: Notes) -> dict[str, JsonValue]:
    budget = reasoning.budget_tokens
    if budget is None and reasoning.mode == "off":
        budget = 0
    if budget is None and reasoning.effort is not None:
        budget = budget_of(reasoning.effort)
        notes.mapped("reasoning.effort")
    if budget is None and reasoning.mode == "adaptive":
        budget = -1
    if budget is None:
        return {}
    fitted = budget
    if budget >= 0:
        for family, least, most in _BUDGETS:
            if family in target.model:
                fitted = 0 if budget == 0 and family != "pro" else min(max(budget, least), most)
                break
    if fitted != budget:
        notes.mapped("reasoning.budget_tokens")
    return {"thinkingBudget": fitted}


def _note_losses(conversation: Conversation, own: bool, notes: Notes) -> None:
    """Name what has no place on this wire."""
    if own:
        return
    for name in conversation.extensions:
        notes.dropped(of("extensions", name))
    if conversation.store:
        notes.dropped("store")  # false needs no telling: nothing is kept here
    fields: tuple[Loss, ...] = ("user", "cache_key", "service_tier", "metadata", "cache")
    for field in fields:
        if getattr(conversation, field) is not None:
            notes.dropped(field)
