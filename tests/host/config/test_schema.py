"""The JSON Schema says what the models say: the examples pass it, what is refused does not."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from routecodex.app.switches import TABLE
from routecodex.cli.init import KNOWN, text
from routecodex.config.schema import json_schema
from tests.host.config.fault_table import BROKEN
from tests.host.config.test_switches import PLAN
from tests.host.config.texts import SMALLEST

VALIDATOR = Draft202012Validator(json_schema(TABLE))

EXAMPLES: dict[str, dict[str, Any]] = {
    "smallest": tomllib.loads(SMALLEST),
    "plan": PLAN,
    "empty": {},
    "init": tomllib.loads(text([(known, known.variables[0]) for known in KNOWN], 5555)),
    "init without keys": tomllib.loads(text([], 5555)),
    "overlay": {
        "virtualrouterCanary": {
            "providers": {"acme": {"weight": 2}},
            "routing": {"default": ["acme.large", {"targets": [{"target": "acme.small", "weight": 2}]}]},
        }
    },
}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema(TABLE))
    assert json_schema(TABLE)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_pass(name: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(EXAMPLES[name])] == []


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in BROKEN
        if {code for _, _, code, _ in case.expected}
        & {"unknown_key", "missing_key", "wrong_type", "out_of_range", "bad_value"}
        and case.suffix == ".toml"
        and not any(name.startswith("ROUTECODEX") for name in case.environ)
        and "less than openSeconds" not in str(case.expected)
    ],
    ids=lambda case: case.name,
)
def test_faults_of_shape_fail_the_schema_too(case: Any) -> None:
    assert list(VALIDATOR.iter_errors(tomllib.loads(case.text)))


def test_a_literal_secret_fails_the_schema() -> None:
    tree = tomllib.loads(SMALLEST.replace("${ACME_API_KEY}", "sk-literal"))

    assert list(VALIDATOR.iter_errors(tree))
