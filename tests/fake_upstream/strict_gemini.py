"""What Google's generateContent refuses, in its words. Knows that request format only.

Both spellings of a field (camelCase and snake_case) are read, as the vendor's JSON parser does.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from .records import RecordedRequest, Violation
from .strict import Judge, words
from .view import either

NAME = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$")
FIELDS = words(
    """contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels model
    modelArmorConfig serviceTier store generateContentRequest"""
)
CONFIG_FIELDS = words(
    """candidateCount stopSequences maxOutputTokens temperature topP topK seed presencePenalty
    frequencyPenalty responseMimeType responseSchema responseJsonSchema responseFormat responseModalities
    responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig thinkingConfig mediaResolution
    imageConfig audioTimestamp routingConfig modelConfig enableAffectiveDialog"""
)
SCHEMA_FIELDS = words(
    """type format title description nullable enum items maxItems minItems properties required minProperties
    maxProperties minLength maxLength pattern example anyOf propertyOrdering default minimum
    maximum"""
)
TYPES = {"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "TYPE_UNSPECIFIED"}
DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
# the vendor's documented stand-ins for a signature that is not its own
SKIP_SIGNATURES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


def _v(rule: str, message: str) -> Violation:
    return Violation("gemini", rule, message)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def validate(request: RecordedRequest, judge: Judge) -> Iterator[Violation]:
    """All violations: first what the JSON parser refuses, then what the service does."""
    body = request.body
    wrapped = body.get("generateContentRequest")
    if request.operation == "count_tokens" and isinstance(wrapped, dict):
        body = wrapped
    for key in body:
        if _camel(key) not in FIELDS:
            yield _unknown(key, "")
    config = either(body, "generationConfig") or {}
    for key in config:
        if _camel(key) not in CONFIG_FIELDS:
            yield _unknown(key, "generation_config")
    limit = either(config, "maxOutputTokens")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        yield _v("max_output_tokens", "max_output_tokens must be positive.")
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        yield _v("contents", "* GenerateContentRequest.contents: contents is not specified\n")
        return
    for index, content in enumerate(contents):
        yield from _content(index, content, judge)
    yield from _turns(contents)
    yield from _signatures(contents, request.model)
    yield from _tools(body)


def _unknown(key: str, at: str) -> Violation:
    where = f" at '{at}'" if at else ""
    return _v(
        "unknown_parameter",
        f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.',
    )


def _content(index: int, content: Any, judge: Judge) -> Iterator[Violation]:
    role = content.get("role")
    if role not in (None, "user", "model", "function"):
        yield _v("role", "Please use a valid role: user, model.")
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts:
        yield _v(
            "empty_parts",
            f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n",
        )
        return
    for number, part in enumerate(parts):
        yield from _part(f"contents[{index}].parts[{number}]", part, judge)


def _part(at: str, part: dict[str, Any], judge: Judge) -> Iterator[Violation]:
    present = [d for d in DATA if either(part, d) is not None]
    signature = either(part, "thoughtSignature")
    if not present:
        yield _v(
            "part_data",
            f"* GenerateContentRequest.{at}.data: required oneof field 'data' must have one initialized field\n",
        )
    elif len(present) > 1:
        yield _v("part_data", f"Invalid value at '{at}' (oneof), oneof field 'data' is already set.")
    if present == ["text"] and part.get("text") == "" and signature is None:
        yield _v("empty_text", "Unable to submit request because it must have a text parameter.")
    if signature is not None and not _accepted(signature, judge):
        yield _v("signature", f"Thought signature is not valid. ({at})")
    call = either(part, "functionCall")
    if isinstance(call, dict):
        if not NAME.match(str(call.get("name", ""))):
            yield _v("call_name", f"* GenerateContentRequest.{at}.function_call.name: Name cannot be empty.\n")
        if call.get("args") is not None and not isinstance(call["args"], dict):
            yield _v("call_arguments", f"Invalid value at '{at}.function_call.args' (type.googleapis.com/Struct)")
    answer = either(part, "functionResponse")
    if isinstance(answer, dict):
        if not answer.get("name"):
            yield _v("response_name", f"* GenerateContentRequest.{at}.function_response.name: Name cannot be empty.\n")
        if not isinstance(answer.get("response"), dict):
            yield _v(
                "response_type",
                f"Invalid value at '{at}.function_response.response' (type.googleapis.com/google.protobuf.Struct)",
            )


def _accepted(signature: Any, judge: Judge) -> bool:
    if judge.owns("gemini", signature):
        return True
    accepted = set(SKIP_SIGNATURES) | {base64.b64encode(s.encode()).decode() for s in SKIP_SIGNATURES}
    return signature in accepted


def _calls(content: dict[str, Any], field: str) -> list[dict[str, Any]]:
    parts = content.get("parts")
    found = [either(p, field) for p in parts] if isinstance(parts, list) else []
    return [f for f in found if isinstance(f, dict)]


def _turns(contents: list[dict[str, Any]]) -> Iterator[Violation]:
    """A turn of calls is answered by the very next content, by as many responses, of the same names."""
    for index, content in enumerate(contents):
        calls = _calls(content, "functionCall")
        answers = _calls(content, "functionResponse")
        before = contents[index - 1] if index else {}
        after = contents[index + 1] if index + 1 < len(contents) else {}
        if calls and (content.get("role") != "model" or index == 0 or before.get("role") == "model"):
            yield _v(
                "call_turn",
                "Please ensure that function call turn comes immediately after a user turn or after a function"
                " response turn.",
            )
        if calls and len(_calls(after, "functionResponse")) != len(calls):
            yield _v(
                "response_count",
                "Please ensure that the number of function response parts is equal to the number of function"
                " call parts of the function call turn.",
            )
        if answers and not _calls(before, "functionCall"):
            yield _v(
                "orphan_result",
                "Please ensure that function response turn comes immediately after a function call turn.",
            )
        elif answers:
            asked = sorted(str(c.get("name")) for c in _calls(before, "functionCall"))
            if sorted(str(a.get("name")) for a in answers) != asked:
                yield _v(
                    "response_name",
                    "Please ensure that the function response name matches the function call name.",
                )
    if contents[-1].get("role") == "model":
        yield _v(
            "last_role", "Please ensure that single turn requests end with a user role or the role field is empty."
        )


def _signatures(contents: list[dict[str, Any]], model: str) -> Iterator[Violation]:
    """Gemini 3 demands a signature on the first call of every step of the current turn."""
    if not model.startswith("gemini-3"):
        return
    start = 0
    for index, content in enumerate(contents):
        if content.get("role") != "model" and not _calls(content, "functionResponse"):
            start = index
    for index, content in enumerate(contents[start:], start):
        parts = content.get("parts")
        if content.get("role") != "model" or not isinstance(parts, list):
            continue
        first = next((p for p in parts if either(p, "functionCall") is not None), None)
        if first is not None and either(first, "thoughtSignature") is None:
            name = either(first, "functionCall").get("name")
            yield _v(
                "missing_signature",
                "Function call is missing a thought_signature in functionCall parts. This is required for tools"
                " to work correctly, and missing thought_signature may lead to degraded model performance."
                f" Additional data, function call `default_api:{name}` , position {index + 1}.",
            )


def _tools(body: dict[str, Any]) -> Iterator[Violation]:
    names: set[str] = set()
    for index, tool in enumerate(body.get("tools") or []):
        for number, spec in enumerate(either(tool, "functionDeclarations") or []):
            at = f"tools[{index}].function_declarations[{number}]"
            name = str(spec.get("name") or "")
            if not NAME.match(name):
                yield _v(
                    "tool_name",
                    f"* GenerateContentRequest.{at}.name: Invalid function name. Must start with a letter or an"
                    " underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or"
                    " dashes (-), with a maximum length of 64.\n",
                )
            if name in names:
                yield _v("tool_name", f"Duplicate function declaration found: {name}")
            names.add(name)
            lowered, full = spec.get("parameters"), either(spec, "parametersJsonSchema")
            if lowered is not None and full is not None:
                yield _v("tool_schema", f"{at}: parameters and parameters_json_schema are mutually exclusive.")
            if lowered is not None:
                yield from _schema(f"{at}.parameters", lowered)
    config = either(either(body, "toolConfig") or {}, "functionCallingConfig") or {}
    mode = str(config.get("mode", "AUTO")).upper()
    allowed = either(config, "allowedFunctionNames") or []
    if mode not in ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"):
        yield _v("tool_choice", f"Invalid value at 'tool_config.function_calling_config.mode': \"{mode}\"")
    if allowed and mode not in ("ANY", "VALIDATED"):
        yield _v(
            "tool_choice",
            "Function calling config: allowed_function_names should be set only when the mode is ANY.",
        )
    for name in allowed:
        if name not in names:
            yield _v("tool_choice", f"allowed_function_names: {name} is not among the function declarations.")
    if mode == "ANY" and not names:
        yield _v("tool_choice", "Function calling mode ANY needs function_declarations.")


def _schema(at: str, schema: Any) -> Iterator[Violation]:
    if not isinstance(schema, dict):
        yield _v("tool_schema", f"Invalid value at '{at}'")
        return
    for key in schema:
        if _camel(key) not in SCHEMA_FIELDS:
            yield _v(
                "tool_schema",
                f"Invalid JSON payload received. Unknown name \"{key}\" at '{at}': Cannot find field.",
            )
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.upper() not in TYPES):
        yield _v("tool_schema", f"Invalid value at '{at}.type' (type.googleapis.com/Type), {kind!r}")
        return
    if any(not isinstance(v, str) for v in schema.get("enum") or []):
        yield _v("tool_schema", f"Invalid value at '{at}.enum' (TYPE_STRING)")
    properties = schema.get("properties") or {}
    for name, inner in properties.items():
        yield from _schema(f"{at}.properties[{name}]", inner)
    for number, name in enumerate(schema.get("required") or []):
        if name not in properties:
            yield _v(
                "tool_schema",
                f"* GenerateContentRequest.{at}.required[{number}]: property is not defined\n",
            )
    if str(kind).upper() == "ARRAY" and "items" not in schema:
        yield _v("tool_schema", f"* GenerateContentRequest.{at}.items: missing field.\n")
    if "items" in schema:
        yield from _schema(f"{at}.items", schema["items"])
    for number, inner in enumerate(either(schema, "anyOf") or []):
        yield from _schema(f"{at}.any_of[{number}]", inner)
