"""OP005 and OP006: who must not import what, by module and by symbol, own and foreign."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onepath.rules.contract import Model
from onepath.rules.forbidden import RULE as FORBIDDEN
from onepath.rules.protected import RULE as PROTECTED

Draw = Callable[..., Model]
TO = """
[[forbidden]]
name = "no web"
from = ["core"]
to = ["Flask", "host", "Json.loads"]
"""
ONLY = """
[[forbidden]]
name = "pure"
from = ["core"]
only = ["@stdlib", "Msgspec"]
"""


def forbidden(model: Model) -> list[str]:
    return [finding.message for finding in FORBIDDEN.check(model).findings]


def protected(model: Model) -> list[str]:
    return [finding.message for finding in PROTECTED.check(model).findings]


def test_a_foreign_package_is_forbidden_with_all_below_it(draw: Draw) -> None:
    assert forbidden(draw("core.a -> Flask.json\nhost.a -> Flask", TO)) == [
        "core.a imports Flask.json, which is forbidden to it"
    ]


def test_an_own_package_is_forbidden_over_other_modules_too(draw: Draw) -> None:
    assert forbidden(draw("core.a -> shared.x\nshared.x -> host.a", TO)) == [
        "core.a imports host.a over shared.x, which is forbidden to it"
    ]


def test_a_symbol_is_forbidden_and_its_module_is_not(draw: Draw) -> None:
    assert forbidden(draw("core.a -> Json:dumps\ncore.b -> Json:loads\nhost.a", TO)) == [
        "core.b imports Json.loads, which is forbidden to it"
    ]


def test_a_star_takes_the_symbol_with_it(draw: Draw) -> None:
    assert forbidden(draw("core.a -> Json:*\nhost.a", TO)) == ["core.a imports Json, which is forbidden to it"]


def test_what_is_not_on_the_list_is_found(draw: Draw) -> None:
    model = draw("core.a -> Msgspec.json\ncore.a -> core.b\ncore.b -> Requests\ncore.b -> host.x", ONLY)
    assert forbidden(model) == [
        "core.b imports Requests; it may import only @stdlib, Msgspec",
        "core.b imports host.x; it may import only @stdlib, Msgspec",
    ]


def test_the_standard_library_is_one_word() -> None:
    from pathlib import Path

    from onepath.config import parse_configuration
    from onepath.graph import Import, Place, Program

    one = Import(
        "core.a", "urllib.request", "urlopen", Place("a.py", 1), "core.a", False, False, "urllib.request.urlopen"
    )
    program = Program(modules={"core.a": "a.py"}, packages=(), functions={}, edges=(), imports=(one,), symbols={})
    assert forbidden(Model(Path(), parse_configuration(ONLY), program)) == []
    assert len(forbidden(Model(Path(), parse_configuration(ONLY.replace('"@stdlib", ', "")), program))) == 1


def test_the_contracts_own_advice_is_shown(draw: Draw) -> None:
    finding = FORBIDDEN.check(draw("core.a -> Flask\nhost.a", TO + 'instead = "return data"\n')).findings[0]
    assert finding.instead == "return data"


@pytest.mark.parametrize("broken", ["from = ['cores']", "to = ['host.gone']"])
def test_a_pattern_that_means_nothing_is_a_fault_of_the_contract(draw: Draw, broken: str) -> None:
    key = broken.split(" ")[0]
    text = "\n".join(broken if line.startswith(key) else line for line in TO.splitlines())
    assert FORBIDDEN.check(draw("core.a -> Flask\nhost.a", text)).faults


PROTECT = """
[[protected]]
name = "one provider"
protected = ["host.providers", "host.flow.send"]
importers = ["host.app"]
"""
HOUSE = """
host.app -> host.providers.http:Provider
host.app -> host.flow:send
host.providers.http -> host.providers.errors
kind host.providers.errors:Refused = exception
kind host.providers.http:LIMIT = constant
kind host.providers.http:Provider = class
"""


def test_those_who_may_import_and_the_protected_itself_are_silent(draw: Draw) -> None:
    assert protected(draw(HOUSE, PROTECT)) == []


def test_another_importer_is_found(draw: Draw) -> None:
    assert protected(draw(HOUSE + "host.web -> host.providers.http:Provider", PROTECT)) == [
        "host.web imports host.providers.http.Provider; host.providers is for host.app only"
    ]


def test_an_exception_type_or_a_constant_is_no_bypass(draw: Draw) -> None:
    picture = HOUSE + "host.web -> host.providers.errors:Refused\nhost.web -> host.providers.http:LIMIT"
    assert protected(draw(picture, PROTECT)) == []
    assert len(protected(draw(picture, PROTECT + "harmless = []\n"))) == 2


def test_a_symbol_is_protected_and_its_neighbours_are_not(draw: Draw) -> None:
    assert protected(draw(HOUSE + "host.web -> host.flow:other\nhost.cli -> host.flow:send", PROTECT)) == [
        "host.cli imports host.flow.send; host.flow.send is for host.app only"
    ]


def test_a_symbol_over_a_re_export_is_the_same_symbol(draw: Draw) -> None:
    picture = HOUSE + "alias host:send = host.flow:send\nhost.web -> host:send"
    assert protected(draw(picture, PROTECT)) == ["host.web imports host.send; host.flow.send is for host.app only"]


def test_a_call_through_the_module_is_found(draw: Draw) -> None:
    picture = HOUSE + "host.web -> host.flow\ncall host.web.index -> host.flow.send\ncall host.app -> host.flow.send"
    assert protected(draw(picture, PROTECT)) == [
        "host.web.index calls host.flow.send; host.flow.send is for host.app only"
    ]


def test_a_protected_name_that_is_not_there_is_a_fault(draw: Draw) -> None:
    assert PROTECTED.check(draw(HOUSE, PROTECT.replace("host.flow.send", "host.flow.gone"))).faults
