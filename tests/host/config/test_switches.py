"""The switch table: its rows, who wins, what is refused, and the schema made from it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routecodex.app.switches import (
    BY_KEY,
    COMBINATIONS,
    SWITCHES,
    TABLE,
    Switch,
    SwitchVector,
    forced_keys,
    resolve,
)
from routecodex.config.compiled import Setting, SwitchValue
from routecodex.config.schema import json_schema
from tests.host.config.texts import ENVIRON, SMALLEST, compiled, faults

THE_TABLE = {
    "appKernel": (("v1", "v2"), "process", "restart"),
    "controlBus": (("v1", "v2"), "process", "drain"),
    "controlWs.enabled": ((False, True), "process", "hot"),
    "controlWs.mode": (("observe", "active"), "connection", "hot"),
    "controlWs.allow": (((),), "connection", "hot"),
    "hostBlocks.runtimeBootstrap": (("v1", "v2"), "process", "drain"),
    "hostBlocks.providerRuntime": (("v1", "v2"), "request", "hot"),
    "hostBlocks.controlPlane": (("v1", "v2"), "command", "hot"),
    "hostBlocks.httpAdapter": (("v1", "v2"), "process", "drain"),
    "sharedmodule.hubCompatProfile": (("stable", "canary"), "request", "hot"),
    "sharedmodule.virtualRouterPolicy": (("stable", "canary"), "request", "hot"),
}

PLAN = {
    "architecture": {
        "appKernel": "v1",
        "controlBus": "v1",
        "controlWs": {"enabled": False, "mode": "observe"},
        "hostBlocks": {"runtimeBootstrap": "v1", "providerRuntime": "v1", "controlPlane": "v1"},
        "sharedmodule": {"hubCompatProfile": "stable", "virtualRouterPolicy": "stable"},
    }
}
"""The plan's skeleton, with exactly its keys."""


def test_the_rows_are_those_of_the_design() -> None:
    assert {row.key: (row.values, row.scope, row.effect) for row in SWITCHES} == THE_TABLE


def test_every_row_says_what_each_side_is_and_what_is_missing() -> None:
    for row in SWITCHES:
        assert row.description
        assert all(row.sides.values())
        assert len(row.sides) == 2
        if row.pending:
            assert row.available == row.values[:1]
        else:
            assert row.available == row.values
            assert set(row.symbols) == set(row.values)


def test_the_rows_of_the_host_blocks_and_the_kernel_have_both_sides() -> None:
    both = {row.key for row in SWITCHES if row.has_both_sides}
    assert both == {
        "appKernel",
        "hostBlocks.runtimeBootstrap",
        "hostBlocks.providerRuntime",
        "hostBlocks.httpAdapter",
    }


def test_the_vector_has_one_typed_field_per_row() -> None:
    fields = set(SwitchVector.__struct_fields__) - {"sources"}

    assert fields == {row.field for row in SWITCHES}
    assert all(getattr(SwitchVector(), row.field) == row.default for row in SWITCHES)
    assert set(get_type_hints(SwitchVector)) == fields | {"sources"}


def test_every_side_that_is_available_can_be_imported() -> None:
    for row in SWITCHES:
        for value, symbol in row.symbols.items():
            module, _, attribute = symbol.partition(":")
            found = importlib.import_module(module)
            assert value in row.available
            assert not attribute or callable(getattr(found, attribute))


def test_the_plans_skeleton_is_accepted_as_it_is() -> None:
    text = json.dumps({**PLAN, "virtualrouter": {"unknownModel": "404", "providers": _PROVIDERS}})
    found = compiled(text, path=Path("config.json"))

    assert {setting.value for setting in found.architecture.values()} == {"v1", False, "observe", (), "stable"}
    assert found.architecture["controlWs.allow"] == Setting((), "default")
    assert found.architecture["controlWs.mode"] == Setting("observe", "file")


_PROVIDERS = {"acme": {"protocol": "openai-chat", "baseUrl": "http://127.0.0.1:1/v1", "models": ["m"]}}


@pytest.mark.parametrize(
    "row", [row for row in SWITCHES if len(row.values) > 1 and row.pending], ids=lambda row: row.key
)
def test_a_second_side_that_is_not_there_is_refused_by_name(row: Switch) -> None:
    key, second = row.key, row.values[1]
    variable = "ROUTECODEX_ARCHITECTURE__" + key.replace(".", "__").upper()
    told = faults(SMALLEST, {**ENVIRON, variable: second if isinstance(second, str) else json.dumps(second)})

    assert any(
        fault.code == "refused_switch" and f"lands with {BY_KEY[key].pending}" in fault.message for fault in told
    )
    assert {fault.origin for fault in told} == {variable}


def test_every_senseless_combination_is_refused_with_its_reason() -> None:
    for rule in COMBINATIONS:
        values: dict[str, SwitchValue] = {row.key: row.default for row in SWITCHES}
        values[rule.key] = rule.value
        reasons = [reason for key, reason in TABLE.refusals(values) if key == rule.key]
        values[rule.needs_key] = rule.needs_value
        sensible = [reason for key, reason in TABLE.refusals(values) if key == rule.key]

        assert rule.explanation in reasons
        assert rule.reason in rule.explanation
        assert rule.explanation not in sensible


def test_the_three_rules_of_the_design_are_there() -> None:
    rules = {(rule.key, rule.value, rule.needs_key, rule.needs_value) for rule in COMBINATIONS}
    blocks = {key for key in THE_TABLE if key.startswith("hostBlocks.")}

    assert rules == {
        ("controlWs.enabled", True, "controlBus", "v2"),
        ("hostBlocks.controlPlane", "v2", "controlBus", "v2"),
        *((key, "v2", "appKernel", "v2") for key in blocks),
    }


def test_the_strongest_source_wins_and_is_recorded() -> None:
    configured = {
        "controlWs.enabled": Setting(True, "file"),
        "controlBus": Setting("v2", "environment"),
        "hostBlocks.controlPlane": Setting("v1", "default"),
        "sharedmodule.hubCompatProfile": Setting("canary", "file"),
    }
    ledger: dict[str, SwitchValue] = {"controlBus": "v1", "hostBlocks.controlPlane": "v2"}

    vector = resolve(configured, ledger=ledger, forced={"sharedmodule.hubCompatProfile"})

    assert (vector.control_ws_enabled, vector.source("controlWs.enabled")) == (True, "file")
    assert (vector.control_bus, vector.source("controlBus")) == ("v1", "ledger")
    assert (vector.control_plane, vector.source("hostBlocks.controlPlane")) == ("v2", "ledger")
    assert (vector.hub_compat_profile, vector.source("sharedmodule.hubCompatProfile")) == ("stable", "force_stable")
    assert vector.source("controlWs.mode") == "default"


def test_the_environment_beats_the_file() -> None:
    found = compiled(SMALLEST, {**ENVIRON, "ROUTECODEX_ARCHITECTURE__CONTROLBUS": "v1"})

    assert found.architecture["controlBus"] == Setting("v1", "environment")
    assert compiled(SMALLEST).architecture["controlBus"] == Setting("v1", "file")


def test_forcing_a_row_takes_what_depends_on_it() -> None:
    configured = {row.key: Setting(row.values[-1], "file") for row in SWITCHES}

    vector = resolve(configured, forced={"controlBus"})

    assert vector.control_ws_enabled is False
    assert vector.control_plane == "v1"
    taken = {"controlBus", "controlWs.enabled", "hostBlocks.controlPlane"}
    assert all(vector.value(row.key) == row.values[-1] for row in SWITCHES if row.key not in taken)


_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        row.key: st.builds(
            Setting,
            st.sampled_from(row.values) if row.values != ((),) else st.just(("dev",)),
            st.sampled_from(["default", "file", "environment"]),
        )
        for row in SWITCHES
    },
)


@settings(deadline=None, max_examples=200)
@given(_SETTINGS, st.sets(st.sampled_from(sorted(BY_KEY))))
def test_what_is_forced_is_on_its_first_side_and_leaves_no_new_senseless_combination(
    configured: dict[str, Setting], forced: set[str]
) -> None:
    before = {rule.explanation for rule in COMBINATIONS} & {
        reason for _, reason in TABLE.refusals(resolve(configured).values())
    }
    vector = resolve(configured, forced=forced)
    after = {rule.explanation for rule in COMBINATIONS} & {reason for _, reason in TABLE.refusals(vector.values())}

    assert all(vector.value(key) == BY_KEY[key].default for key in forced)
    assert after <= before


@pytest.mark.parametrize(
    ("variable", "sentinel", "expected"),
    [
        (None, None, set()),
        ("", None, set()),
        ("0", None, set()),
        ("1", None, set(BY_KEY)),
        ("*", None, set(BY_KEY)),
        ("controlBus, controlWs.mode", None, {"controlBus", "controlWs.mode"}),
        ("controlBuss", None, set(BY_KEY)),
        (None, "", set(BY_KEY)),
        (None, "*\n", set(BY_KEY)),
        (None, "controlBus\n", {"controlBus"}),
        ("controlWs.mode", "controlBus", {"controlBus", "controlWs.mode"}),
    ],
)
def test_what_forces_the_first_side(variable: str | None, sentinel: str | None, expected: set[str]) -> None:
    environ = {} if variable is None else {"ROUTECODEX_FORCE_STABLE": variable}

    assert forced_keys(environ, sentinel) == expected


def test_the_schema_of_architecture_comes_from_the_rows() -> None:
    schema = json_schema(TABLE)
    for row in SWITCHES:
        node = schema["properties"]["architecture"]
        for step in row.key.split("."):
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]["properties"][step]
        assert node["description"] == row.description
        if isinstance(row.default, str):
            assert node["enum"] == list(row.values)


def test_the_vector_is_frozen_data() -> None:
    with pytest.raises(AttributeError):
        SwitchVector().control_bus = "v2"  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(SwitchVector()), type=SwitchVector) == SwitchVector()
