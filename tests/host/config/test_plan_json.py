"""The plan's `architecture`: its keys and nesting, in both file formats and in the environment, with every value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routecodex.app.switches import BY_KEY, COMBINATIONS
from routecodex.config.compiled import Setting, SwitchValue
from tests.host.config.texts import ENVIRON, compiled, faults

PLAN: dict[str, tuple[SwitchValue, ...]] = {
    "appKernel": ("v1", "v2"),
    "controlBus": ("v1", "v2"),
    "controlWs.enabled": (False, True),
    "controlWs.mode": ("observe", "active"),
    "hostBlocks.runtimeBootstrap": ("v1", "v2"),
    "hostBlocks.providerRuntime": ("v1", "v2"),
    "hostBlocks.controlPlane": ("v1", "v2"),
    "sharedmodule.hubCompatProfile": ("stable", "canary"),
    "sharedmodule.virtualRouterPolicy": ("stable", "canary"),
}
"""Every leaf of the plan's JSON with both its values."""
PROVIDERS = {"acme": {"protocol": "openai-chat", "baseUrl": "http://127.0.0.1:1/v1", "models": ["m"]}}
LEAVES = [(key, value) for key, values in PLAN.items() for value in values]


def nested(values: Mapping[str, SwitchValue]) -> dict[str, Any]:
    """The plan's nesting of dotted keys."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        group, dot, name = key.rpartition(".")
        (tree.setdefault(group, {}) if dot else tree)[name] = value
    return tree


def as_json(architecture: Mapping[str, Any]) -> str:
    return json.dumps({"architecture": architecture, "virtualrouter": {"unknownModel": "404", "providers": PROVIDERS}})


def as_toml(architecture: Mapping[str, Any]) -> str:
    tables = {"architecture": {key: value for key, value in architecture.items() if not isinstance(value, dict)}}
    tables |= {f"architecture.{key}": value for key, value in architecture.items() if isinstance(value, dict)}
    lines = ['[virtualrouter]\nunknownModel = "404"']
    lines += ['[virtualrouter.providers.acme]\nprotocol = "openai-chat"\nbaseUrl = "http://127.0.0.1:1/v1"']
    lines += ['models = ["m"]']
    for name, values in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines)


FORMATS = {"config.json": as_json, "config.toml": as_toml}


def sensible(key: str, value: SwitchValue) -> dict[str, SwitchValue]:
    """Everything at its first value but this one, and what it needs."""
    values: dict[str, SwitchValue] = {row: choices[0] for row, choices in PLAN.items()}
    values[key] = value
    pending = [key]
    while pending:
        now = pending.pop()
        for rule in COMBINATIONS:
            if rule.key == now and values[now] == rule.value and values[rule.needs_key] != rule.needs_value:
                values[rule.needs_key] = rule.needs_value
                pending.append(rule.needs_key)
    return values


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("key", "value"), LEAVES, ids=lambda each: str(each))
def test_every_leaf_takes_both_its_values_or_names_what_is_missing(name: str, key: str, value: SwitchValue) -> None:
    values = sensible(key, value)
    text, path = FORMATS[name](nested(values)), Path(name)
    missing = {each for each, chosen in values.items() if chosen not in BY_KEY[each].available}

    if missing:
        told = {fault.path: fault.message for fault in faults(text, path=path)}
        assert {("architecture", *each.split(".")) for each in missing} <= set(told)
        assert all("is not there yet" in message for message in told.values())
    else:
        found = compiled(text, path=path).architecture
        assert {each: found[each] for each in PLAN} == {each: Setting(values[each], "file") for each in PLAN}


@pytest.mark.parametrize(("key", "value"), LEAVES, ids=lambda each: str(each))
def test_the_environment_says_the_same_by_the_same_nesting(key: str, value: SwitchValue) -> None:
    values = sensible(key, value)
    variables = {
        "ROUTECODEX_ARCHITECTURE__" + each.replace(".", "__").upper(): json.dumps(chosen).strip('"')
        for each, chosen in values.items()
    }
    text = as_json({})
    missing = [each for each, chosen in values.items() if chosen not in BY_KEY[each].available]

    if missing:
        told = faults(text, {**ENVIRON, **variables}, path=Path("config.json"))
        assert {fault.origin for fault in told} <= set(variables)
        assert len(told) == len(missing)
    else:
        found = compiled(text, {**ENVIRON, **variables}, path=Path("config.json")).architecture
        assert {each: found[each] for each in PLAN} == {each: Setting(values[each], "environment") for each in PLAN}


@pytest.mark.parametrize("name", FORMATS)
def test_a_key_that_is_not_the_plans_is_refused_with_the_nearest(name: str) -> None:
    told = faults(FORMATS[name]({"hostBlocks": {"controlPlan": "v1"}}), path=Path(name))

    assert [fault.code for fault in told] == ["unknown_key"]
    assert "controlPlane" in told[0].next_step
