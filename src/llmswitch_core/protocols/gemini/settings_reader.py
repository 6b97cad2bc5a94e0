"""Everything of a Gemini request but its turns: tools, toolConfig, generationConfig, the rest -> Conversation.

Members without a canonical field go to `extensions` under their wire name, `generationConfig` and `toolConfig`
with what is left of them, so that the same protocol gets them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmswitch_core.canonical.errors import invalid
from llmswitch_core.canonical.model import (
    Conversation,
    FunctionTool,
    HostedTool,
    JsonValue,
    OutputFormat,
    Protocol,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
)
from llmswitch_core.protocols.gemini import wire
from llmswitch_core.protocols.gemini.schema_reading import json_schema_of

LABELS: Final[dict[str, str]] = {
    "googleSearch": "web_search",
    "googleSearchRetrieval": "web_search",
    "enterpriseWebSearch": "web_search",
    "urlContext": "web_fetch",
    "codeExecution": "code_execution",
    "computerUse": "computer_use",
    "fileSearch": "file_search",
    "mcpServers": "mcp",
}
"""Hosted tools that other vendors have too; the others keep their wire name."""

_READ: Final = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model", "generateContentRequest"}
)
_SAMPLING: Final[dict[str, tuple[str, Callable[[JsonValue, str], JsonValue]]]] = {
    "maxOutputTokens": ("max_output_tokens", wire.integer),
    "temperature": ("temperature", wire.decimal),
    "topP": ("top_p", wire.decimal),
    "topK": ("top_k", wire.integer),
    "seed": ("seed", wire.integer),
    "presencePenalty": ("presence_penalty", wire.decimal),
    "frequencyPenalty": ("frequency_penalty", wire.decimal),
    "responseLogprobs": ("logprobs", wire.flag),
    "logprobs": ("top_logprobs", wire.integer),
    "candidateCount": ("n", wire.integer),
}
"""generationConfig member -> field of Sampling and how to read it."""


def read_settings(top: dict[str, JsonValue], conversation: Conversation) -> None:
    """Fill in what `top` (camelCase keys) says beyond the turns. Raises invalid_request naming the member."""
    extensions = {key: value for key, value in top.items() if key not in _READ and value is not None}
    tier = extensions.pop("serviceTier", None)
    if isinstance(tier, str):
        conversation.service_tier = tier
    elif tier is not None:
        raise invalid("`serviceTier` must be a string.", param="serviceTier")
    if isinstance(extensions.get("store"), bool):
        conversation.store = extensions.pop("store")
    conversation.tools = _tools(top.get("tools"))
    conversation.tool_choice, left = _choice(top.get("toolConfig"))
    if left is not None:
        extensions["toolConfig"] = left
    rest = _generation_config(top.get("generationConfig"), conversation)
    if rest:
        extensions["generationConfig"] = rest
    conversation.extensions = extensions


def _tools(value: JsonValue) -> list[Tool]:
    if value is None:
        return []
    out: list[Tool] = []
    for position, raw in enumerate(value if isinstance(value, list) else [value]):
        if raw is None:
            continue
        for key, member in wire.members(raw, f"tools[{position}]").items():
            if key == "functionDeclarations":
                out.extend(_declarations(member, f"tools[{position}].functionDeclarations"))
            elif member is not None:
                out.append(HostedTool(LABELS.get(key, key), Protocol.GEMINI, {key: member}))
    return out


def _declarations(value: JsonValue, path: str) -> list[FunctionTool]:
    if value is None:
        return []
    out: list[FunctionTool] = []
    for position, raw in enumerate(value if isinstance(value, list) else [value]):
        here = f"{path}[{position}]"
        entry = wire.members(raw, here)
        name = entry.pop("name", None)
        if not isinstance(name, str) or not name:
            raise invalid(f"`{here}.name` is missing.", param=f"{here}.name")
        parameters = _schema(entry, "parametersJsonSchema", "parameters", here)
        output = _schema(entry, "responseJsonSchema", "response", here)
        description = wire.text_of(entry.pop("description", None), f"{here}.description")
        options = {key: member for key, member in entry.items() if member is not None}
        out.append(FunctionTool(name, description, parameters, output_schema=output, options=options or None))
    return out


def _schema(entry: dict[str, JsonValue], plain: str, openapi: str, path: str) -> JsonValue:
    """The JSON Schema of a declaration, from whichever of its two members is there (both are taken out)."""
    for key in (plain, openapi):
        member = entry.get(key)
        if member is not None and not isinstance(member, dict | bool):
            raise invalid(f"`{path}.{key}` must be a schema.", param=f"{path}.{key}")
    first, second = entry.pop(plain, None), entry.pop(openapi, None)
    return json_schema_of(first if first is not None else second)


def _choice(value: JsonValue) -> tuple[ToolChoice | None, dict[str, JsonValue] | None]:
    """The canonical choice, and `toolConfig` itself where it says more than that."""
    if value is None:
        return None, None
    config = wire.members(value, "toolConfig")
    calling = config.get("functionCallingConfig")
    if calling is None:
        return None, config or None
    calling = wire.members(calling, "toolConfig.functionCallingConfig")
    path = "toolConfig.functionCallingConfig"
    mode = (wire.text_of(calling.get("mode"), f"{path}.mode") or "AUTO").upper()
    names = calling.get("allowedFunctionNames") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid(f"`{path}.allowedFunctionNames` must be a list of names.", param=f"{path}.allowedFunctionNames")
    allowed = tuple(names)
    plain = len(config) == 1 and not set(calling) - {"mode", "allowedFunctionNames"} and mode != "VALIDATED"
    left = None if plain else {**config, "functionCallingConfig": calling}
    if mode == "NONE":
        return ToolChoice("none"), left
    if mode == "ANY":
        if len(allowed) == 1:
            return ToolChoice("named", name=allowed[0]), left
        return ToolChoice("required", allowed=allowed), left
    if mode in ("AUTO", "VALIDATED", "MODE_UNSPECIFIED"):
        return ToolChoice("auto", allowed=allowed), left
    raise invalid(f"`{path}.mode` {mode!r} is not known.", param=f"{path}.mode", next_step="Use AUTO, ANY or NONE.")


def _generation_config(value: JsonValue, conversation: Conversation) -> dict[str, JsonValue]:
    """Sampling, reasoning and output format; answers the members that have no canonical field."""
    if value is None:
        return {}
    config = wire.members(value, "generationConfig")
    sampling = Sampling()
    for key, (field, read) in _SAMPLING.items():
        setattr(sampling, field, read(config.pop(key, None), f"generationConfig.{key}"))
    stop = config.pop("stopSequences", None)
    if stop is not None:
        sequences = stop if isinstance(stop, list) else [stop]
        if not all(isinstance(item, str) for item in sequences):
            raise invalid("`generationConfig.stopSequences` must be strings.", param="generationConfig.stopSequences")
        sampling.stop = [item for item in sequences if item] or None
    conversation.sampling = sampling
    conversation.reasoning = _reasoning(config.pop("thinkingConfig", None))
    conversation.output = _output(config)
    return {key: member for key, member in config.items() if member is not None}


def _reasoning(value: JsonValue) -> Reasoning | None:
    """thinkingConfig: a budget of 0 is off, -1 dynamic; a level is an effort."""
    if value is None:
        return None
    path = "generationConfig.thinkingConfig"
    config = wire.members(value, path)
    budget = wire.integer(config.get("thinkingBudget"), f"{path}.thinkingBudget")
    level = wire.text_of(config.get("thinkingLevel"), f"{path}.thinkingLevel")
    visible = wire.flag(config.get("includeThoughts"), f"{path}.includeThoughts")
    effort = level.lower() if level and level.upper() != "THINKING_LEVEL_UNSPECIFIED" else None
    if budget is None and effort is None and visible is None:
        return None
    reasoning = Reasoning(effort=effort, budget_tokens=budget, visible=visible)
    if budget is not None:
        reasoning.mode = "off" if budget == 0 else "adaptive" if budget < 0 else "on"
    return reasoning


def _output(config: dict[str, JsonValue]) -> OutputFormat | None:
    """Takes responseMimeType, the schemas and responseModalities out of `config` where they have a canonical form."""
    mime = config.get("responseMimeType")
    modalities = config.get("responseModalities")
    schema = config.get("responseJsonSchema")
    if schema is None:
        schema = config.get("responseSchema")
    out = OutputFormat()
    if isinstance(modalities, list) and modalities and all(isinstance(item, str) for item in modalities):
        out.modalities = [item.lower() for item in modalities]
        del config["responseModalities"]
    if mime == "application/json":
        out.type = "json" if schema is None else "json_schema"
        out.schema = json_schema_of(schema)
        for key in ("responseMimeType", "responseJsonSchema", "responseSchema"):
            config.pop(key, None)
    elif mime == "text/plain":
        config.pop("responseMimeType")
    return out if out.type != "text" or out.modalities else None
