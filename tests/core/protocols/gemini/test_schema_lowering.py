"""MP-24: JSON Schema in Gemini's OpenAPI subset."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmswitch_core.protocols.gemini.schema_lowering import lower, lower_output
from llmswitch_core.protocols.gemini.schema_reading import json_schema_of

ANY = {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}, {"type": "BOOLEAN"}, {"type": "OBJECT"}]}
KNOWN = {
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "anyOf", "default", "items", "minimum",
    "maximum",
}  # fmt: skip


def of(schema: Any, **root: Any) -> Any:
    """`schema` lowered as the property `x` of an object."""
    lowered = lower({"type": "object", "properties": {"x": schema}, **root})
    assert lowered is not None
    return lowered["properties"]["x"]


@pytest.mark.parametrize(
    ("schema", "lowered"),
    [
        ({"type": "string"}, {"type": "STRING"}),
        ({"type": ["string", "null"]}, {"type": "STRING", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}),
        (
            {"type": ["string", "integer", "null"], "description": "d"},
            {
                "anyOf": [
                    {"type": "STRING", "nullable": True, "description": "d"},
                    {"type": "INTEGER", "nullable": True},
                ]
            },
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t"},
            {"type": "STRING", "nullable": True, "title": "t"},
        ),
        ({"oneOf": [{"type": "string"}, {"const": 1}]}, {
            "anyOf": [{"type": "STRING"}, {"type": "INTEGER", "description": "Allowed values: 1."}]
        }),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"], "format": "enum"}),
        ({"enum": ["a", "b", None]}, {"type": "STRING", "nullable": True, "enum": ["a", "b"], "format": "enum"}),
        ({"enum": [1, 2], "description": "d."}, {"type": "INTEGER", "description": "d. Allowed values: 1, 2."}),
        ({"const": True}, {"type": "BOOLEAN", "description": "Allowed values: true."}),
        ({"type": "string", "enum": ["", "a"]}, {"type": "STRING"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "INTEGER", "minimum": 1}),
        ({"type": "number", "exclusiveMaximum": 1.5}, {"type": "NUMBER", "maximum": 1.5}),
        ({"type": "integer", "minimum": 3, "exclusiveMinimum": True}, {"type": "INTEGER", "minimum": 4}),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": 1}, {"type": "INTEGER", "minimum": 5}),
        ({"type": "string", "format": "uri", "minLength": 1}, {"type": "STRING", "minLength": 1}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": "integer", "format": "int64"}, {"type": "INTEGER", "format": "int64"}),
        (
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1, "contains": {}},
            {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": 1},
        ),
        ({"type": "array"}, {"type": "ARRAY", "items": ANY}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]},
            {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]}},
        ),
        ({"type": "array", "items": [{"type": "string"}]}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        (True, ANY),
        ({}, ANY),
        ({"description": "d"}, {"anyOf": [{"type": "STRING", "description": "d"}, *ANY["anyOf"][1:]]}),
        (
            {"type": "object", "additionalProperties": False, "patternProperties": {"x": {}}, "required": ["gone"]},
            {"type": "OBJECT"},
        ),
        (
            {"properties": {"a": {"type": "boolean"}}, "required": ["a", "a", "b", 3]},
            {"type": "OBJECT", "properties": {"a": {"type": "BOOLEAN"}}, "required": ["a"]},
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": True}}]},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": ANY}, "required": ["a"]},
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            },
            {
                "anyOf": [
                    {
                        "type": "OBJECT",
                        "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
                        "required": [name],
                    }
                    for name in ("a", "b")
                ]
            },
        ),
    ],
)  # fmt: skip
def test_mp24_each_row_of_the_table(schema: Any, lowered: Any) -> None:
    assert of(schema) == lowered


def test_mp24_references_are_put_in_place_with_what_stands_beside_them() -> None:
    defs = {"A": {"type": "string", "description": "inner"}, "B": {"$ref": "#/$defs/A"}}
    assert of({"$ref": "#/$defs/B", "description": "outer"}, **{"$defs": defs}) == {
        "type": "STRING",
        "description": "outer",
    }
    assert of({"$ref": "#/definitions/a~1b"}, definitions={"a/b": {"type": "integer"}}) == {"type": "INTEGER"}
    assert of({"$ref": "other.json#/x"}) == ANY


def test_mp24_recursion_ends() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
    }
    lowered = of({"$ref": "#/$defs/Node"}, **{"$defs": {"Node": node}})
    assert lowered["properties"]["children"] == {"type": "ARRAY", "items": {"type": "OBJECT"}}
    assert lower({"$ref": "#"}) is None


def test_mp24_a_fan_of_references_stays_small() -> None:
    defs: dict[str, Any] = {"L0": {"type": "string"}}
    for level in range(1, 40):
        ref = {"$ref": f"#/$defs/L{level - 1}"}
        defs[f"L{level}"] = {"type": "object", "properties": {"a": ref, "b": ref, "c": ref}}
    assert len(str(of({"$ref": "#/$defs/L39"}, **{"$defs": defs}))) < 3_000_000


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}, True, "x"])
def test_mp24_nothing_to_pass_is_nothing(schema: Any) -> None:
    assert lower(schema) is None


def test_mp24_parameters_of_several_forms_are_one_object() -> None:
    form = {"type": "object", "properties": {"a": {"const": "x"}, "c": {"type": "string"}}, "required": ["a"]}
    other = {
        "type": "object",
        "properties": {"a": {"const": "y"}, "b": {"type": "integer"}, "c": {"type": "number"}},
        "required": ["b", "a"],
    }
    assert lower({"oneOf": [form, other, {"type": "null"}]}) == {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "enum": ["x", "y"], "format": "enum"},
            "c": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]},
            "b": {"type": "INTEGER"},
        },
        "required": ["a"],
    }


NAMES = st.sampled_from(["a", "b", "type", "$ref", "items"])
LEAVES = st.one_of(
    st.sampled_from([True, False, {}, {"$ref": "#/$defs/D"}, {"$ref": "#"}, {"type": "null"}, {"const": None}]),
    st.builds(lambda t: {"type": t}, st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])),
    st.builds(lambda v: {"enum": v}, st.lists(st.one_of(st.text(max_size=3), st.integers(), st.none()), max_size=3)),
    st.builds(lambda f: {"type": "string", "format": f, "uniqueItems": True}, st.text(max_size=4)),
)


def _wider(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(
            lambda p, r: {"type": "object", "properties": p, "required": r, "additionalProperties": False},
            st.dictionaries(NAMES, children, max_size=3),
            st.lists(NAMES, max_size=3),
        ),
        st.builds(lambda i: {"type": "array", "items": i}, children),
        st.builds(
            lambda k, b: {k: b, "description": "d"},
            st.sampled_from(["anyOf", "oneOf", "allOf", "prefixItems"]),
            st.lists(children, min_size=1, max_size=3),
        ),
    )


def _check(schema: Any) -> None:
    assert set(schema) <= KNOWN
    assert ("anyOf" in schema) != ("type" in schema)
    if "anyOf" in schema:
        assert set(schema) == {"anyOf"}
        assert len(schema["anyOf"]) > 1
    if schema.get("type") == "ARRAY":
        _check(schema["items"])
    assert set(schema.get("required", ())) <= set(schema.get("properties", ()))
    for value in schema.get("enum", ()):
        assert isinstance(value, str)
        assert value
    for child in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        _check(child)


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, _wider, max_leaves=12), LEAVES)
def test_mp24_whatever_comes_out_is_geminis_subset(schema: Any, definition: Any) -> None:
    _check(lower_output({"type": "object", "properties": {"x": schema}, "$defs": {"D": definition}}))


@settings(max_examples=100, deadline=None)
@given(st.recursive(LEAVES, _wider, max_leaves=12))
def test_reading_is_the_identity_on_json_schema(schema: Any) -> None:
    assert json_schema_of(schema) == schema
