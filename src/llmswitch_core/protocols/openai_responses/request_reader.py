"""`POST /v1/responses` body -> Conversation.

It knows the members of the request and where each goes; items, content and tools have files of their own. Members
without a canonical field go to `extensions` under their wire name; single leftovers inside a known object under a
dotted name (`reasoning.context`, `text.…`).
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
    Text,
    Turn,
)
from llmswitch_core.protocols.openai_responses.fields import (
    as_list,
    as_object,
    as_text,
    bool_at,
    float_at,
    int_at,
    object_at,
    text_at,
    wrong_type,
)
from llmswitch_core.protocols.openai_responses.items import ItemReader
from llmswitch_core.protocols.openai_responses.tools import read_choice, read_tools

ENCRYPTED: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"

_KNOWN: Final = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "reasoning",
        "text",
        "store",
        "previous_response_id",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "service_tier",
        "metadata",
        "include",
        "response_format",
    }
)
_STATEFUL: Final = ("previous_response_id", "conversation", "prompt")


def read_request(body: Mapping[str, JsonValue]) -> Conversation:
    """The whole body. Raises GatewayError(invalid_request) naming the path of what makes no sense."""
    tools = read_tools(body.get("tools"), "tools")
    reader = ItemReader()
    reader.know(tools)
    _read_instructions(body.get("instructions"), reader)
    given = body.get("input")
    if given is None and not any(body.get(name) for name in _STATEFUL):
        raise invalid("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if given is not None and not isinstance(given, str | list):
        raise wrong_type("input", "a string or an array", given)
    reader.read(given, "input")
    include = _strings(body.get("include"), "include")
    extensions = _extensions(body, include)
    cache_key = text_at(body, "prompt_cache_key")
    return Conversation(
        protocol=Protocol.OPENAI_RESPONSES,
        model=_model(body),
        turns=reader.turns,
        stream=bool_at(body, "stream") or False,
        tools=tools + reader.tools,
        tool_items=reader.tool_items,
        tool_choice=read_choice(body.get("tool_choice")),
        parallel_tool_calls=bool_at(body, "parallel_tool_calls"),
        sampling=Sampling(
            max_output_tokens=int_at(body, "max_output_tokens"),
            temperature=float_at(body, "temperature"),
            top_p=float_at(body, "top_p"),
            top_logprobs=int_at(body, "top_logprobs"),
            logprobs=True if LOGPROBS in include else None,
        ),
        reasoning=_reasoning(body, include),
        output=_output(body),
        store=bool_at(body, "store"),
        previous_response_id=text_at(body, "previous_response_id"),
        user=text_at(body, "safety_identifier") or text_at(body, "user"),
        session=cache_key,
        cache_key=cache_key,
        service_tier=text_at(body, "service_tier"),
        metadata=object_at(body, "metadata"),
        extensions=extensions,
    )


def _model(body: Mapping[str, JsonValue]) -> str:
    model = text_at(body, "model")
    if model is None and not body.get("prompt"):
        raise invalid("Missing required parameter: 'model'.", param="model", code="missing_required_parameter")
    return model or ""


def _read_instructions(value: JsonValue, reader: ItemReader) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        reader.turns.append(Turn("system", [Text(value)]))
    elif isinstance(value, list):
        reader.read(value, "instructions")
    else:
        raise wrong_type("instructions", "a string or an array", value)


def _strings(value: JsonValue, path: str) -> list[str]:
    return [as_text(item, f"{path}[{index}]") for index, item in enumerate(as_list(value, path))]


def _extensions(body: Mapping[str, JsonValue], include: list[str]) -> dict[str, JsonValue]:
    extensions = {name: value for name, value in body.items() if name not in _KNOWN and value is not None}
    if extensions.get("background") is False:
        del extensions["background"]
    rest = [name for name in include if name not in (ENCRYPTED, LOGPROBS)]
    if rest:
        extensions["include"] = rest
    for name, known in (("reasoning", _REASONING), ("text", _TEXT)):
        for key, value in (object_at(body, name) or {}).items():
            if key not in known and value is not None:
                extensions[f"{name}.{key}"] = value
    return extensions


_REASONING: Final = frozenset({"effort", "summary", "generate_summary"})
_TEXT: Final = frozenset({"format", "verbosity"})


def _reasoning(body: Mapping[str, JsonValue], include: list[str]) -> Reasoning | None:
    wire = object_at(body, "reasoning")
    encrypted = ENCRYPTED in include
    if wire is None:
        return Reasoning(encrypted=True) if encrypted else None
    effort = text_at(wire, "effort", "reasoning.effort")
    summary = text_at(wire, "summary", "reasoning.summary") or text_at(
        wire, "generate_summary", "reasoning.generate_summary"
    )
    if effort is None and summary is None and not encrypted:
        return None
    return Reasoning(
        mode="off" if effort == "none" else None,
        effort=effort,
        summary=summary if summary != "none" else None,
        visible=True if summary and summary != "none" else None,
        encrypted=encrypted,
    )


def _output(body: Mapping[str, JsonValue]) -> OutputFormat | None:
    text = object_at(body, "text")
    # Some clients send Chat Completions' member; it means the same.
    chat = object_at(body, "response_format") if text is None or text.get("format") is None else None
    if text is None and chat is None:
        return None
    output = OutputFormat(verbosity=text_at(text, "verbosity", "text.verbosity") if text else None)
    form = chat if chat is not None else (text or {}).get("format")
    if form is not None:
        _read_format(as_object(form, "text.format"), output)
    return output


def _read_format(form: dict[str, Any], output: OutputFormat) -> None:
    kind = as_text(form.get("type"), "text.format.type")
    if kind == "json_object":
        output.type = "json"
    elif kind == "json_schema":
        nested = form.get("json_schema")
        inner: dict[str, Any] = nested if isinstance(nested, dict) else form
        output.type = "json_schema"
        output.schema = as_object(inner.get("schema"), "text.format.schema")
        output.name = text_at(inner, "name", "text.format.name")
        output.description = text_at(inner, "description", "text.format.description")
        strict = inner.get("strict")
        output.strict = strict if isinstance(strict, bool) else None
    elif kind not in ("text", ""):
        raise invalid(
            f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'.",
            param="text.format.type",
            code="invalid_value",
        )
