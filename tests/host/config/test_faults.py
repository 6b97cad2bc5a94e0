"""Every fault is named, all of them at once, each with its JSON-path, its line and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from routecodex.config.faults import did_you_mean, json_path, nearest
from tests.host.config.fault_table import BROKEN, Broken
from tests.host.config.texts import SECRET, SMALLEST, faults


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_a_broken_configuration_is_told_with_path_line_and_next_step(case: Broken) -> None:
    found = faults(case.text, case.environ, path=Path("config" + case.suffix))

    told = [(json_path(fault.path), fault.line, fault.code) for fault in found]
    assert sorted(told, key=str) == sorted([expected[:3] for expected in case.expected], key=str)
    for path, line, code, words in case.expected:
        matching = [
            fault
            for fault in found
            if (json_path(fault.path), fault.line, fault.code) == (path, line, code) and words in fault.text
        ]
        assert matching, (words, [fault.text for fault in found])


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_no_fault_repeats_a_value_that_may_be_secret(case: Broken) -> None:
    for fault in faults(case.text, case.environ, path=Path("config" + case.suffix)):
        for secret in ("sk-literal-1234567890", SECRET):
            assert secret not in fault.text
            assert secret not in str(fault.as_json())


def test_a_sound_configuration_has_no_faults() -> None:
    assert faults(SMALLEST) == []


def test_the_origin_of_an_override_is_its_variable() -> None:
    environ = {"ACME_API_KEY": "x", "ROUTECODEX_SERVER__PORT": "high"}

    assert [fault.origin for fault in faults(SMALLEST, environ)] == ["ROUTECODEX_SERVER__PORT"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (("server", "port"), "$.server.port"),
        (("a", 0, "b-c"), "$.a[0].b-c"),
        (("aliases", 'g"p\\t*'), '$.aliases["g\\"p\\\\t*"]'),
    ],
)
def test_places_are_written_as_json_paths(path: tuple[str | int, ...], text: str) -> None:
    assert json_path(path) == text


def test_the_nearest_key_is_found_whatever_its_case() -> None:
    assert nearest("BASE_URL", ["baseUrl", "keys"]) == "baseUrl"
    assert nearest("zzz", ["baseUrl", "keys"]) is None
    assert did_you_mean("zzz", ["b", "a"]) == "Known: a, b."
