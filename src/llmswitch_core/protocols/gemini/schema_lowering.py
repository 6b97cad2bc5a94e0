"""JSON Schema -> Gemini's `parameters` Schema (an OpenAPI 3 subset),
for targets without `parametersJsonSchema` (MP-24).

What the subset cannot say is said as nearly as it can, or left out; nothing here ever fails. The table:

| JSON Schema                          | becomes                                                        |
|--------------------------------------|----------------------------------------------------------------|
| `$ref`                               | the referred schema in place; a recursion ends as a plain type |
| `allOf`                              | merged into one schema                                         |
| `anyOf`/`oneOf`, lists in `type`     | `anyOf`, each branch complete; a null branch is `nullable`     |
| `const`, string `enum`               | `enum`                                                         |
| `enum` of numbers or booleans        | the type, and the values in the description                    |
| exclusive bounds                     | inclusive ones (integers: moved by one)                        |
| `prefixItems`, `items` lists         | `items` that allow any of them                                 |
| `true`, `{}` and schemas without type| any of string, number, boolean, object                         |
| `format` other than Gemini's         | nothing                                                        |
| `required` of unknown properties     | nothing                                                        |
| everything else Gemini does not know | nothing (`additionalProperties`, `uniqueItems`, `not`, …)      |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from llmswitch_core.canonical import jsonio
from llmswitch_core.canonical.model import JsonValue

Schema = dict[str, JsonValue]

MAX_NODES: Final = 20_000
"""Schemas one lowering may produce: references that fan out end there as plain objects."""
MAX_NESTING: Final = 64
"""Levels a lowered schema may have; deeper ones are plain objects."""

_FORMATS: Final[dict[str, frozenset[str]]] = {
    "STRING": frozenset({"date-time", "enum"}),
    "NUMBER": frozenset({"float", "double"}),
    "INTEGER": frozenset({"int32", "int64"}),
}
_ANNOTATIONS: Final = ("title", "description", "default")
_LIMITS: Final[dict[str, tuple[str, ...]]] = {
    "STRING": ("minLength", "maxLength", "pattern"),
    "ARRAY": ("minItems", "maxItems"),
    "OBJECT": ("minProperties", "maxProperties"),
    "NUMBER": ("minimum", "maximum"),
    "INTEGER": ("minimum", "maximum"),
}
_TYPES: Final[dict[str, str]] = {
    name: name.upper() for name in ("string", "number", "integer", "boolean", "array", "object")
}
_SHAPING: Final = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf"})
_COMBINATORS: Final = frozenset({"anyOf", "oneOf", "allOf"})
_MERGED_MAPS: Final = ("properties", "$defs", "definitions")


def lower(schema: JsonValue) -> Schema | None:
    """The `parameters` of a function; None where there is nothing to pass (Gemini refuses an empty object there)."""
    if not isinstance(schema, dict):
        return None
    lowered = _Lowering(schema).lower(schema if schema.keys() & _SHAPING else {"type": "object", **schema}, (), 0)
    if "anyOf" in lowered:
        lowered = _united(_leaves(lowered))
    return lowered if lowered.get("type") == "OBJECT" and lowered.get("properties") else None


def lower_output(schema: JsonValue) -> Schema:
    """The `responseSchema` of a structured output."""
    root = schema if isinstance(schema, dict) else {}
    return _Lowering(root).lower(root, (), 0)


class _Lowering:
    """One schema on its way down; `root` resolves references, `_left` bounds the work."""

    __slots__ = ("_left", "_root")

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = MAX_NODES

    def lower(self, value: JsonValue, trail: tuple[str, ...], depth: int) -> Schema:
        """One schema. `trail` holds the references being resolved around it."""
        self._left -= 1
        if self._left < 0 or depth > MAX_NESTING:
            return {"type": "OBJECT"}
        schema, trail, recursive = self._resolved(value, trail)
        if recursive:
            kind = schema.get("type")
            out: Schema = {"type": _TYPES.get(kind, "OBJECT") if isinstance(kind, str) else "OBJECT"}
            if out["type"] == "ARRAY":
                out["items"] = {"type": "OBJECT"}
            return {**_annotations(schema), **out}
        branches = self._branches(schema)
        if branches is None:
            return self._plain(schema, trail, depth)
        return self._union(schema, branches, trail, depth)

    def _resolved(self, value: JsonValue, trail: tuple[str, ...]) -> tuple[Schema, tuple[str, ...], bool]:
        """`value` without `$ref` and `allOf` at its top; the third member tells that it refers to itself."""
        schema: Schema = dict(value) if isinstance(value, dict) else {}
        for _ in range(MAX_NESTING):
            reference = schema.pop("$ref", None)
            if isinstance(reference, str):
                found = self._find(reference)
                if reference in trail:
                    return {**_type_only(found), **_annotations(schema)}, trail, True
                trail = (*trail, reference)
                schema = _merged(found, schema)
                continue
            every = schema.pop("allOf", None)
            if not isinstance(every, list):
                break
            for part in every:
                inner, trail, recursive = self._resolved(part, trail)
                if not recursive:
                    schema = _merged(inner, schema)
        return schema, trail, False

    def _find(self, reference: str) -> Schema:
        """A JSON pointer into the root (`#`, `#/$defs/Name`); {} for what is elsewhere."""
        node: JsonValue = self._root
        for step in unquote(reference.removeprefix("#")).split("/")[1:] if reference.startswith("#") else [""]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                return {}
        return node if isinstance(node, dict) else {}

    def _branches(self, schema: Schema) -> list[JsonValue] | None:
        """The alternatives of a schema, whichever way it lists them; None for a schema that has one form."""
        for key in ("anyOf", "oneOf"):
            alternatives = schema.get(key)
            if isinstance(alternatives, list) and alternatives:
                return alternatives
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return [{"type": kind} for kind in kinds if isinstance(kind, str)]
        return None

    def _union(self, schema: Schema, branches: list[JsonValue], trail: tuple[str, ...], depth: int) -> Schema:
        """`anyOf` of complete branches: Gemini wants nothing beside it, so the rest goes into every branch."""
        base = {key: value for key, value in schema.items() if key not in _COMBINATORS}
        if isinstance(base.get("type"), list):
            del base["type"]
        notes = _annotations(base)
        nullable = base.get("nullable") is True
        lowered: list[Schema] = []
        for branch in branches:
            resolved, inner_trail, recursive = self._resolved(branch, trail)
            if resolved.get("type") == "null" or resolved.get("const", 0) is None or resolved.get("enum") == [None]:
                nullable = True
                continue
            merged = _merged({key: value for key, value in base.items() if key not in notes}, resolved)
            item = self.lower(merged, inner_trail, depth + 1) if not recursive else {"type": "OBJECT"}
            if item not in lowered:
                lowered.append(item)
        if not lowered:
            lowered = [{"type": "STRING"}]
        if nullable:
            for item in lowered:
                for leaf in _leaves(item):
                    leaf["nullable"] = True
        flat = [leaf for item in lowered for leaf in _leaves(item)]
        if len(flat) == 1:
            return {**flat[0], **notes}
        if "description" in notes and not any("description" in leaf for leaf in flat):
            flat[0] = {**flat[0], "description": notes["description"]}
        return {"anyOf": flat}

    def _plain(self, schema: Schema, trail: tuple[str, ...], depth: int) -> Schema:
        """A schema of one type."""
        kind = _kind(schema)
        if kind is None:
            notes = _annotations(schema)
            any_value: list[Schema] = [{"type": name} for name in ("STRING", "NUMBER", "BOOLEAN", "OBJECT")]
            return {"anyOf": [{**any_value[0], **notes}, *any_value[1:]]}
        out: Schema = {"type": kind, **_annotations(schema)}
        if schema.get("nullable") is True:
            out["nullable"] = True
        _enumerate(schema, out)
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS.get(kind, ()):
            out["format"] = form
        for key in _LIMITS.get(kind, ()):
            limit = schema.get(key)
            if isinstance(limit, str if key == "pattern" else int | float) and not isinstance(limit, bool):
                out[key] = limit
        if kind in ("NUMBER", "INTEGER"):
            _exclusive(schema, out)
        elif kind == "ARRAY":
            out["items"] = self._items(schema, trail, depth)
        elif kind == "OBJECT":
            self._properties(schema, out, trail, depth)
        return out

    def _items(self, schema: Schema, trail: tuple[str, ...], depth: int) -> Schema:
        listed = schema.get("prefixItems")
        items = schema.get("items")
        if isinstance(items, list):
            listed, items = items, schema.get("additionalItems")
        if isinstance(listed, list) and listed:
            choices = [*listed, items] if isinstance(items, dict) else list(listed)
            return self.lower({"anyOf": choices}, trail, depth + 1)
        return self.lower(items if isinstance(items, dict) else {}, trail, depth + 1)

    def _properties(self, schema: Schema, out: Schema, trail: tuple[str, ...], depth: int) -> None:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            return
        out["properties"] = {name: self.lower(child, trail, depth + 1) for name, child in properties.items()}
        required = schema.get("required")
        if isinstance(required, list):
            known = [name for name in dict.fromkeys(_strings(required)) if name in properties]
            if known:
                out["required"] = known


def _leaves(schema: Schema) -> list[Schema]:
    """The branches of a lowered union, else the schema itself."""
    branches = schema.get("anyOf")
    return branches if isinstance(branches, list) else [schema]


def _united(branches: list[Schema]) -> Schema:
    """Parameters that may take several forms, as one object: every property, required only what all forms require."""
    objects = [branch for branch in branches if branch.get("type") == "OBJECT"]
    properties: dict[str, Schema] = {}
    for branch in objects:
        for name, schema in branch.get("properties", {}).items():
            properties[name] = _either(properties[name], schema) if name in properties else schema
    first, *others = [branch.get("required", []) for branch in objects] or [[]]
    required = [name for name in first if all(name in other for other in others)]
    out: Schema = {"type": "OBJECT", "properties": properties}
    if required:
        out["required"] = required
    return out


def _either(first: Schema, second: Schema) -> Schema:
    """A property that two forms describe: the words of both where both are words, else any of the two."""
    if "enum" in first and "enum" in second:
        return {**first, "enum": list(dict.fromkeys([*first["enum"], *second["enum"]]))}
    branches = list(_leaves(first))
    branches += [branch for branch in _leaves(second) if branch not in branches]
    return first if len(branches) == len(_leaves(first)) else {"anyOf": branches}


def _strings(values: Iterable[JsonValue]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _annotations(schema: Mapping[str, JsonValue]) -> Schema:
    return {
        key: schema[key]
        for key in _ANNOTATIONS
        if key in schema and (key == "default" or isinstance(schema[key], str)) and schema[key] is not None
    }


def _type_only(schema: Schema) -> Schema:
    return {**_annotations(schema), "type": schema.get("type", "object")}


def _merged(base: Schema, over: Schema) -> Schema:
    """Both schemas at once: `over` wins, properties and required lists are united."""
    out = {**base, **over}
    for key in _MERGED_MAPS:
        first, second = base.get(key), over.get(key)
        if isinstance(first, dict) and isinstance(second, dict):
            out[key] = {**first, **second}
    first, second = base.get("required"), over.get("required")
    if isinstance(first, list) and isinstance(second, list):
        out["required"] = list(dict.fromkeys(_strings([*first, *second])))
    return out


def _kind(schema: Schema) -> str | None:
    """Gemini's type name, inferred from other keywords or values where `type` is missing; None for any type."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return _TYPES.get(kind.lower(), "STRING" if kind.lower() == "null" else None)
    if "properties" in schema or "required" in schema:
        return "OBJECT"
    if "items" in schema or "prefixItems" in schema:
        return "ARRAY"
    values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema.get("const")]
    present = [value for value in values if value is not None]
    for types, name in (((str,), "STRING"), ((bool,), "BOOLEAN"), ((int,), "INTEGER"), ((int, float), "NUMBER")):
        if present and all(isinstance(v, types) and (bool in types or not isinstance(v, bool)) for v in present):
            return name
    if "pattern" in schema or "minLength" in schema or "maxLength" in schema:
        return "STRING"
    return "NUMBER" if "minimum" in schema or "maximum" in schema else "STRING" if present else None


def _enumerate(schema: Schema, out: Schema) -> None:
    """`enum` and `const`: Gemini's enum holds strings only; other values go into the description."""
    values = schema.get("enum")
    if "const" in schema:
        values = [schema["const"]]
    if not isinstance(values, list) or not values:
        return
    if None in values:
        out["nullable"] = True
    present = [value for value in values if value is not None]
    if out["type"] == "STRING":
        texts = list(dict.fromkeys(_strings(present)))
        if texts and "" not in texts:
            out["enum"] = texts
            out["format"] = "enum"
        return
    if present:
        allowed = f"Allowed values: {', '.join(jsonio.encode(value).decode() for value in present)}."
        out["description"] = f"{out['description']} {allowed}" if out.get("description") else allowed


def _exclusive(schema: Schema, out: Schema) -> None:
    """Exclusive bounds, as numbers (draft 6 and later) or as flags beside the bound (draft 4)."""
    for key, bound, step, nearer in (
        ("exclusiveMinimum", "minimum", 1, max),
        ("exclusiveMaximum", "maximum", -1, min),
    ):
        limit = schema.get(key)
        if limit is True:
            limit = out.get(bound)
            out.pop(bound, None)
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            continue
        if out["type"] == "INTEGER" and float(limit).is_integer():
            limit = int(limit) + step
        out[bound] = nearer(limit, out[bound]) if bound in out else limit
