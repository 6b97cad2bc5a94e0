"""OP010: what a complete matrix is, what a side owes its contract, and who may read a switch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onepath.rules.contract import Model
from onepath.rules.switch import RULE

Make = Callable[..., Model]

PROTOCOL = """
from typing import Protocol

class Transport(Protocol):
    name: str
    async def send(self, request: bytes, *, timeout: float) -> bytes: ...
    def close(self) -> None: ...
"""
GOOD = """
class Old:
    def __init__(self):
        self.name = "old"
    async def send(self, request, *, timeout):
        return request
    def close(self, hard=False):
        pass
"""
REGISTRY = """
SWITCHES = [
    {"key": "transport", "values": ["v1", "v2"], "description": "Which.", "sides": {"v1": "old", "v2": "new"},
     "symbols": {"v1": "app.v1", "v2": "app.v2"}},
]
"""
FILES = {
    "app/__init__.py": "",
    "app/switches.py": REGISTRY,
    "app/contract.py": PROTOCOL,
    "app/v1.py": GOOD,
    "app/v2.py": GOOD.replace("Old", "New"),
}
CONTRACTS = {"transport": "app.contract.Transport"}


def messages(model: Model) -> list[str]:
    outcome = RULE.check(model)
    assert outcome.faults == ()
    return [finding.message for finding in outcome.findings]


def registry(**changes: object) -> dict[str, str]:
    row: dict[str, object] = {
        "key": "transport",
        "values": ["v1", "v2"],
        "description": "Which.",
        "sides": {"v1": "old", "v2": "new"},
        "symbols": {"v1": "app.v1", "v2": "app.v2"},
    }
    row.update(changes)
    return {**FILES, "app/switches.py": f"SWITCHES = [{row!r}]\n"}


def test_a_complete_matrix_is_silent(model: Make) -> None:
    assert messages(model(FILES, contracts=CONTRACTS)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"description": ""}, "switch `transport`: has no description"),
        ({"sides": {"v1": "old"}}, "switch `transport`: side `v2` is not described"),
        ({"symbols": {"v1": "app.v1"}}, "`v2` names neither symbol nor data file"),
        ({"symbols": {"v1": "app.v1", "v2": "app.v3"}}, "`app.v3` of side `v2` is not in the roots"),
        ({"symbols": {"v1": "app.v1:Old", "v2": "app.v2:Gone"}}, "`app.v2.Gone` of side `v2` is not in the roots"),
        ({"symbols": {"v1": "app.v1", "v2": "data/x.toml"}}, "`data/x.toml` of side `v2` is no file"),
        (
            {"available": ["v1"], "symbols": {"v1": "app.v1"}},
            "`v2` is not available, and nothing says what it waits for",
        ),
        ({"values": ["v1"], "sides": {"v1": "old"}}, "switch `transport`: has one value"),
    ],
)
def test_an_incomplete_row_is_found(model: Make, changes: dict[str, object], message: str) -> None:
    assert any(message in one for one in messages(model(registry(**changes))))


def test_a_row_whose_second_side_waits_is_silent(model: Make) -> None:
    files = registry(available=["v1"], symbols={"v1": "app.v1"}, pending="phase 2")
    assert messages(model(files, contracts=CONTRACTS)) == []


def test_a_setting_needs_a_description_only(model: Make) -> None:
    files = {**FILES, "app/switches.py": 'SWITCHES = [{"key": "allow", "values": [[]], "description": "Who."}]'}
    assert messages(model(files)) == []
    files["app/switches.py"] = 'SWITCHES = [{"key": "allow", "values": [[]]}]'
    assert messages(model(files)) == ["switch `allow`: has no description"]


def test_two_rows_of_one_key_are_found(model: Make) -> None:
    files = {**FILES, "app/switches.py": REGISTRY + "SWITCHES = SWITCHES_ + SWITCHES_\n"}
    files["app/switches.py"] = files["app/switches.py"].replace("SWITCHES = [", "SWITCHES_ = [")
    assert "switch `transport`: has two rows" in messages(model(files))


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("def close(self, hard=False)", "def shut(self)", "it has no `close`"),
        (
            "def close(self, hard=False)",
            "def close(self, hard)",
            "`close` demands `hard`, which the contract does not give",
        ),
        ("send(self, request, *, timeout)", "send(self, req, *, timeout)", "`send` calls its parameter `req`"),
        ("send(self, request, *, timeout)", "send(self, request)", "`send` does not take `timeout`"),
        ("send(self, request, *, timeout)", "send(self)", "`send` does not take `request`"),
        ("async def send", "def send", "`send` is not awaited, in the contract it is"),
        ("def close", "async def close", "`close` is awaited, in the contract it is not"),
        ('self.name = "old"', "pass", "it has no `name`"),
        ('self.name = "old"', "pass\n    def name(self): ...", "`name` is a method, in the contract it is a value"),
    ],
)
def test_a_side_that_does_not_fulfil_its_contract_is_found(model: Make, before: str, after: str, problem: str) -> None:
    files = {**FILES, "app/v2.py": GOOD.replace("Old", "New").replace(before, after)}
    (message,) = messages(model(files, contracts=CONTRACTS))
    assert message.startswith("switch `transport`: side `v2` (app.v2.New) does not fulfil `app.contract.Transport`")
    assert problem in message


@pytest.mark.parametrize(
    "side",
    [
        "from app.v1 import Old\nclass New(Old):\n    pass\n",
        "from foreign import Base\nclass New(Base):\n    pass\n",
        "class New:\n    name = 'x'\n    async def send(self, *args, **named): ...\n    def close(self): ...\n",
        (
            "class New:\n    name: str\n    def send(self, request, *, timeout) -> Awaitable[bytes]: ...\n"
            "    def close(self): ...\n"
        ),
        "name = 'x'\nclass Other: ...\n" + GOOD,
    ],
    ids=["inherited", "foreign base", "star arguments", "returns an awaitable", "the best class of the module"],
)
def test_lawful_ways_to_fulfil_a_contract_are_silent(model: Make, side: str) -> None:
    assert messages(model({**FILES, "app/v2.py": side}, contracts=CONTRACTS)) == []


def test_a_function_fulfils_a_contract_by_what_it_returns_or_as_a_callable(model: Make) -> None:
    files = registry(symbols={"v1": "app.v1:make", "v2": "app.v2:make"})
    files["app/v1.py"] += "\ndef make() -> Old:\n    return Old()\n"
    files["app/v2.py"] += "\ndef make() -> New:\n    return New()\n"
    assert messages(model(files, contracts=CONTRACTS)) == []
    files["app/contract.py"] = "class Make:\n    def __call__(self, folder): ...\n"
    found = messages(model(files, contracts={"transport": "app.contract.Make"}))
    assert "`__call__` does not take `folder`" in found[0]


def test_the_struct_that_holds_the_values_agrees_with_the_rows(model: Make) -> None:
    vector = 'from typing import Literal\nclass Vector:\n    transport: Literal["v1", "v2"] = "v1"\n'
    files = {**FILES, "app/vector.py": vector}
    assert messages(model(files, model="app.vector.Vector")) == []
    files["app/vector.py"] = vector.replace('= "v1"', '= "v2"')
    assert messages(model(files, model="app.vector.Vector")) == [
        "switch `transport`: its default is `v1`, in `app.vector.Vector.transport` it is `v2`"
    ]
    files["app/vector.py"] = vector.replace('"v1", "v2"]', '"v1"]')
    assert "allows v1" in messages(model(files, model="app.vector.Vector"))[0]
    files["app/vector.py"] = vector.replace("transport", "other")
    assert "has no field `transport`" in messages(model(files, model="app.vector.Vector"))[0]


def test_code_that_names_a_side_is_found(model: Make) -> None:
    files = {**FILES, "app/boot.py": "", "app/v1_more.py": ""}
    imports = (("app.boot", "app.v2.New"), ("app.switches", "app.v1"), ("app.v2", "app.v2"))
    assert messages(model(files, imports)) == ["app.boot names app.v2, a side of switch `transport`"]
    assert messages(model(files, imports, readers=("app.boot",))) == []


@pytest.mark.parametrize(
    "code",
    [
        'if vector.transport == "v2":\n        pass',
        'if "v1" != vector.transport:\n        pass',
        "match vector.transport:\n        case 'v1': pass",
        "return {'v1': 1}[vector.transport]",
        'if vector.value("transport") == "v2":\n        pass',
        'return 1 if vector["transport"] == "v1" else 2',
        "if vector.transport:\n        pass",
        "while not vector.transport:\n        pass",
        "if (vector.\n            transport) == 'v2':\n        pass",
        "if (vector.  # the one in force\n            transport) == 'v2':\n        pass",
        'if vector["\\\ntransport"] == "v2":\n        pass',
        "import app.transport; return {'v1': 1}[vector.transport]",
        "import app.transport\n    if vector.transport == 'v2':\n        pass",
        "if vector.transport_of.x and vector.transport:\n        pass\n    if vector.transport== 'v1':\n        pass",
        "x = (yield\n    from vector.transport) if vector.transport else 1",
    ],
)
def test_code_that_decides_by_a_switch_is_found(model: Make, code: str) -> None:
    files = {**FILES, "app/use.py": f"def f(vector):\n    {code}\n"}
    assert messages(model(files)) == ["app.use.f decides by the value of switch `transport`"]


@pytest.mark.parametrize(
    "code",
    [
        "return vector.transport",
        'log("transport", vector.transport)',
        'if provider.transport == "tcp":\n        pass',
        'if text == "v2":\n        pass',
        "if vector.transport.is_open():\n        pass",
        "import app.transport\n    from app.transport.v1 import (transport, other)",
    ],
)
def test_code_that_only_passes_a_value_on_or_means_something_else_is_silent(model: Make, code: str) -> None:
    assert messages(model({**FILES, "app/use.py": f"def f(vector, provider, text):\n    {code}\n"})) == []


def test_a_combination_speaks_of_rows_and_values_that_are_there(model: Make) -> None:
    text = REGISTRY + 'COMBINATIONS = [("transport", "v3", "gone", "v2", "so")]\n'
    found = messages(model({**FILES, "app/switches.py": text}, combinations="app.switches.COMBINATIONS"))
    assert "switch `transport`: a combination speaks of its value `v3`, which it does not have" in found
    assert "the combination transport = v3 speaks of `gone`, which is no row" in found


def test_a_differential_test_is_there(model: Make) -> None:
    files = {**FILES, "tests/differential.py": "def test_transport(): ...\n"}
    assert messages(model(files, differentials={"transport": "tests/differential.py::test_transport"})) == []
    found = messages(model(files, differentials={"transport": "tests/differential.py::test_other"}))
    assert found == ["switch `transport`: its test `tests/differential.py::test_other` is not there"]


def test_what_cannot_be_read_is_a_fault_of_the_configuration(model: Make) -> None:
    outcome = RULE.check(model({**FILES, "app/switches.py": "SWITCHES = load()"}))
    assert "app/switches.py:1" in outcome.faults[0].message


def test_keys_of_the_configuration_are_rows(model: Make) -> None:
    outcome = RULE.check(model(FILES, contracts={"transprot": "app.contract.Transport"}))
    assert outcome.faults[0].message == "`transprot` is no row of the registry"
