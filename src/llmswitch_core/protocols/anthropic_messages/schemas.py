"""JSON Schemas of other protocols, made acceptable to this one.

`input_schema` must be an object schema without a union at its top. `output_config.format` takes a subset of JSON
Schema: every object closed, no bounds, few string formats; what it cannot check moves into the description, where the
model still reads it (platform.claude.com: "Structured outputs", JSON Schema limitations).
"""

from __future__ import annotations

from typing import Final

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import JsonValue

Schema = dict[str, JsonValue]

_UNIONS: Final = ("anyOf", "oneOf", "allOf")


def object_schema(schema: JsonValue) -> tuple[Schema, bool]:
    """`schema` as an `input_schema`, and whether its meaning had to be loosened."""
    if not isinstance(schema, dict):
        return {"type": "object", "properties": {}}, False
    if schema.get("type") == "object" and not any(name in schema for name in _UNIONS):
        return schema, False
    out = {name: value for name, value in schema.items() if name not in _UNIONS}
    out["type"] = "object"
    properties = dict(out["properties"]) if isinstance(out.get("properties"), dict) else {}
    loosened = False
    for union in _UNIONS:
        branches = schema.get(union)
        for branch in branches if isinstance(branches, list) else ():
            loosened = True
            if isinstance(branch, dict) and isinstance(branch.get("properties"), dict):
                for name, value in branch["properties"].items():
                    properties.setdefault(name, value)
    out["properties"] = properties
    return out, loosened


_KEPT: Final = frozenset(
    {"type", "required", "enum", "const", "title", "default", "$ref", "$schema", "$id", "$comment"}
)
_MAPS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)


def output_schema(schema: JsonValue) -> tuple[JsonValue, bool]:
    """`schema` within the structured-output subset, and whether anything had to change."""
    out = _lowered(schema)
    return out, out != schema


def _lowered(schema: JsonValue) -> JsonValue:
    if not isinstance(schema, dict):
        return schema
    out: Schema = {}
    told: list[str] = []
    for name, value in schema.items():
        if name in _KEPT:
            out[name] = value
        elif name in _MAPS and isinstance(value, dict):
            out[name] = {key: _lowered(item) for key, item in value.items()}
        elif name in _LISTS and isinstance(value, list):
            out[_LISTS[name]] = [_lowered(item) for item in value]
        elif name == "items":
            out[name] = _lowered(value)
        elif (name == "format" and isinstance(value, str) and value in _FORMATS) or (
            name == "minItems" and value in (0, 1)
        ):
            out[name] = value
        elif name not in ("description", "additionalProperties"):
            told.append(f"{name}: {jsonio.encode(value).decode()}")
    description = schema.get("description")
    if told:
        hint = "{" + ", ".join(told) + "}"
        out["description"] = f"{description}\n\n{hint}" if description else hint
    elif description is not None:
        out["description"] = description
    if schema.get("type") == "object" or "properties" in schema:
        out["additionalProperties"] = False
    return out
