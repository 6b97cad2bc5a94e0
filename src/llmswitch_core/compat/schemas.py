"""The `schema` action: JSON Schemas of tools and answers, cut down to what an upstream takes.

It walks subschemas, never examples or defaults, so a property that happens to be called `pattern` is safe. Shared
trees are not changed. It knows JSON Schema and no vendor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from llmswitch_core.canonical.model import JsonValue
from llmswitch_core.compat.edits import Edit, Moment, Tree
from llmswitch_core.compat.paths import MISSING, Path
from llmswitch_core.protocols.losses import in_own_words

Schema: TypeAlias = dict[str, Any]

_MAPS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE: Final = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
)
_MOST_NODES: Final = 20_000
"""Subschemas one schema may grow to when its references are written out; beyond that they become `{}`."""


class SchemaRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`drop` keywords to leave out; `inline_refs` write out `$ref`; `unanchored_patterns` what to do with a `pattern`
    that has no ^ or no $; `type_lists` `["string", "null"]` becomes `anyOf`, or its first type; `closed` sets
    `additionalProperties: false` on objects; `root_object` makes the root an object schema."""

    path: str | list[str] = "tools[*].function.parameters"
    drop: list[str] = []
    inline_refs: bool = False
    unanchored_patterns: Literal["keep", "drop"] = "keep"
    type_lists: Literal["keep", "any_of", "first"] = "keep"
    closed: bool = False
    root_object: bool = False
    note: str | None = None


def build(rule: SchemaRule) -> Edit:
    paths = [Path(text) for text in ([rule.path] if isinstance(rule.path, str) else rule.path)]
    steps = _steps(rule)
    note = rule.note or "tool.parameters"

    def change(schema: Any) -> Any:
        if schema is MISSING:
            return schema
        if rule.root_object and not isinstance(schema, dict):
            return {"type": "object", "properties": {}}
        if not isinstance(schema, dict):
            return schema
        new = inlined(schema) if rule.inline_refs else schema
        for step in steps:
            new = walked(new, step)
        return _as_object(new) if rule.root_object else new

    def edit(tree: Tree, moment: Moment) -> Tree:
        new = tree
        for path in paths:
            new = path.edit(new, change)
        if new is not tree:
            moment.notes.mapped(in_own_words(note))
        return new

    return edit


def _steps(rule: SchemaRule) -> list[Callable[[Schema], Schema]]:
    steps: list[Callable[[Schema], Schema]] = []
    if rule.drop:
        unwanted = frozenset(rule.drop)
        steps.append(lambda schema: _without(schema, unwanted & schema.keys()))
    if rule.unanchored_patterns == "drop":
        steps.append(_without_unanchored)
    if rule.type_lists != "keep":
        first = rule.type_lists == "first"
        steps.append(lambda schema: _one_type(schema, first))
    if rule.closed:
        steps.append(_closed)
    return steps


def _without(schema: Schema, names: frozenset[str]) -> Schema:
    return {name: value for name, value in schema.items() if name not in names} if names else schema


def _without_unanchored(schema: Schema) -> Schema:
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or (pattern.startswith("^") and pattern.endswith("$")):
        return schema
    return _without(schema, frozenset({"pattern"}))


def _one_type(schema: Schema, first: bool) -> Schema:
    types = schema.get("type")
    if not isinstance(types, list) or not types:
        return schema
    if len(types) == 1:
        return {**schema, "type": types[0]}
    if first:
        return {**schema, "type": next((each for each in types if each != "null"), types[0])}
    rest = {name: value for name, value in schema.items() if name not in {"type", "description", "title", "default"}}
    kept: Schema = {name: schema[name] for name in ("title", "description", "default") if name in schema}
    return {**kept, "anyOf": [{"type": each} if each == "null" else {"type": each, **rest} for each in types]}


def _closed(schema: Schema) -> Schema:
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        return {**schema, "additionalProperties": False}
    return schema


def _as_object(schema: Schema) -> Schema:
    if schema.get("type") == "object" and "properties" in schema:
        return schema
    return {**schema, "type": "object", "properties": schema.get("properties") or {}}


# --- walking -------------------------------------------------------------------------------------------


def walked(schema: Schema, step: Callable[[Schema], Schema]) -> Schema:
    """`schema` with `step` applied to it and to every subschema."""
    new = step(schema)
    for name, value in tuple(new.items()):
        if name in _MAPS and isinstance(value, dict):
            changed: JsonValue = _walked_members(value, step)
        elif name in _SINGLE or name in _LISTS:
            changed = _walked_value(value, step)
        else:
            continue
        if changed is not value:
            new = {**new, name: changed}
    return new


def _walked_members(members: Schema, step: Callable[[Schema], Schema]) -> Schema:
    """Names -> subschemas, as opposed to a schema."""
    new = {name: _walked_value(each, step) for name, each in members.items()}
    return new if any(new[name] is not members[name] for name in new) else members


def _walked_value(value: JsonValue, step: Callable[[Schema], Schema]) -> JsonValue:
    if isinstance(value, list):
        elements = [_walked_value(each, step) for each in value]
        return elements if any(new is not old for new, old in zip(elements, value, strict=True)) else value
    return walked(value, step) if isinstance(value, dict) else value


def inlined(schema: Schema) -> Schema:
    """`schema` with local references written out; one that leads into itself becomes `{}`."""
    room = [_MOST_NODES]

    def resolve(node: JsonValue, open_refs: tuple[str, ...]) -> JsonValue:
        if isinstance(node, list):
            return [resolve(each, open_refs) for each in node]
        if not isinstance(node, dict):
            return node
        room[0] -= 1
        reference = node.get("$ref")
        if isinstance(reference, str):
            rest = {name: value for name, value in node.items() if name != "$ref"}
            found = _pointed(schema, reference)
            if reference in open_refs or found is None or room[0] < 0:
                return resolve(rest, open_refs)
            return resolve({**found, **rest}, (*open_refs, reference))
        return {name: resolve(value, open_refs) for name, value in node.items() if name not in {"$defs", "definitions"}}

    if not _mentions_ref(schema):
        return schema
    resolved = resolve(schema, ())
    return resolved if isinstance(resolved, dict) else schema


def _mentions_ref(node: JsonValue) -> bool:
    if isinstance(node, dict):
        return "$ref" in node or any(_mentions_ref(value) for value in node.values())
    return isinstance(node, list) and any(_mentions_ref(value) for value in node)


def _pointed(root: Schema, reference: str) -> Schema | None:
    """The schema a `#/…` pointer names."""
    if not reference.startswith("#"):
        return None
    node: JsonValue = root
    for token in reference[1:].split("/")[1:]:
        node = node.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None
