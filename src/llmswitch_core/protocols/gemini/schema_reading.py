"""Gemini's Schema (an OpenAPI 3 subset with upper-case types) -> JSON Schema, the canonical form.

The identity for what is JSON Schema already, whichever member it came in: clients put upper-case types into
`responseJsonSchema` too. Values that are no schema positions (`default`, `enum`, property names) are left alone.
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.protocols.gemini.wire import camel

_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_SINGLE: Final = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_COUNTS: Final = frozenset({"maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties"})
_RENAMED: Final[dict[str, str]] = {"defs": "$defs", "ref": "$ref"}
_TYPES: Final[dict[str, str]] = {
    name.upper(): name for name in ("string", "number", "integer", "boolean", "array", "object", "null")
}
_SNAKE: Final = frozenset(
    {
        "any_of",
        "max_items",
        "min_items",
        "max_length",
        "min_length",
        "max_properties",
        "min_properties",
        "additional_properties",
        "property_ordering",
    }
)


def json_schema_of(schema: JsonValue) -> JsonValue:
    """The JSON Schema a Gemini schema means; never the same object, so that it may be edited."""
    if not isinstance(schema, dict):
        return schema
    out: dict[str, JsonValue] = {}
    for raw_key, value in schema.items():
        key = _key(raw_key)
        if key in _MAPS and isinstance(value, dict):
            out[key] = {name: json_schema_of(child) for name, child in value.items()}
        elif key in _SINGLE and not isinstance(value, list):
            out[key] = json_schema_of(value)
        elif (key in _LISTS or key == "items") and isinstance(value, list):
            out[key] = [json_schema_of(child) for child in value]
        elif key == "type":
            if value not in ("TYPE_UNSPECIFIED", None):
                out[key] = _type(value)
        elif key in _COUNTS and isinstance(value, str) and value.isdecimal():
            out[key] = int(value)
        elif key not in ("propertyOrdering", "nullable", "example") and not (key == "format" and value == "enum"):
            out[key] = value
    if "example" in schema and "examples" not in out:
        out["examples"] = [schema["example"]]
    return _nullable(out) if schema.get("nullable") is True else out


def _key(name: str) -> str:
    return camel(name) if name in _SNAKE else _RENAMED.get(name, name)


def _type(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _TYPES.get(value, value)
    if isinstance(value, list):
        return [_type(item) for item in value]
    return value


def _nullable(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema
