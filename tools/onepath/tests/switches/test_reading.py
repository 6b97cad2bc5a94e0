"""A registry of any shape gives the same rows, and none of it is run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onepath.switches import Matrix, RegistryError, Row, shown

Read = Callable[..., Matrix]

STRUCT = """
import msgspec
from typing import Final, Literal, Mapping

class Switch(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    values: tuple
    scope: str = "process"
    effect: str = "hot"
    description: str = ""
    sides: Mapping = {}
    symbols: Mapping = {}
    available: tuple
    pending: str = ""

    @property
    def default(self):
        return self.values[0]
"""
FILES = {"app/v1.py": "class Old: ...\n", "app/v2.py": "class New: ...\n", "app/__init__.py": ""}
SIDED = (
    STRUCT
    + """
SWITCHES: Final = (
    Switch(
        key="hostBlocks.transport",
        values=("v1", "v2"),
        scope="request",
        effect="drain",
        description="Which transport carries requests.",
        sides={"v1": "aiohttp", "v2": "own"},
        symbols={"v1": "app.v1:Old", "v2": "app.v2"},
        available=("v1", "v2"),
    ),
)
"""
)


def row(matrix: Matrix, key: str) -> Row:
    return next(row for row in matrix.rows if row.key == key)


def sides(one: Row) -> list[tuple[str, str, str, bool]]:
    return [(shown(side.value), side.text, side.symbol or side.file, side.available) for side in one.sides]


def test_a_sequence_of_structs_gives_its_rows(read: Read) -> None:
    (one,) = read(SIDED, FILES).rows
    assert (one.key, one.kind, one.default, one.scope, one.effect) == (
        "hostBlocks.transport",
        "sides",
        "v1",
        "request",
        "drain",
    )
    assert sides(one) == [("v1", "aiohttp", "app.v1.Old", True), ("v2", "own", "app.v2", True)]
    assert [side.file for side in one.sides] == ["app/v1.py", "app/v2.py"]
    assert (one.place.file, one.place.line) == ("app/switches.py", 21)


def test_rows_made_by_a_function_are_found_at_their_own_lines(read: Read) -> None:
    text = (
        STRUCT
        + """
def _row(key, values, *words, first="", **more):
    symbols = {values[0]: first} if first else {}
    if not words:
        words = ("no", "words")
    return Switch(key=key, values=values, sides=dict(zip(values, words, strict=True)), symbols=symbols,
                  available=values[:1], **more)

SWITCHES = (
    _row("a", ("v1", "v2"), "old", "new", first="app.v1", description="A.", pending="May"),
    _row("b", (False, True), description=f"B{'.'}"),
)
"""
    )
    matrix = read(text, FILES)
    assert sides(row(matrix, "a")) == [("v1", "old", "app.v1", True), ("v2", "new", "", False)]
    assert row(matrix, "a").pending == "May"
    assert row(matrix, "b").description == "B."
    assert [one.place.line for one in matrix.rows] == [28, 29]


EVERY_KIND = (
    STRUCT
    + """
SWITCHES = [
    Switch(key="appKernel", values=("v1", "v2"), effect="restart", description="d", available=("v1",),
           sides={"v1": "boot", "v2": "kernel"}, symbols={"v1": "app.v1"}, pending="phase 1"),
    Switch(key="controlWs.enabled", values=(False, True), description="d", available=(False, True),
           sides={False: "polling", True: "/ws"}),
    Switch(key="controlWs.mode", values=("observe", "active"), scope="connection", description="d",
           available=("observe", "active"), sides={"observe": "pushes", "active": "accepts"}),
    Switch(key="controlWs.allow", values=((),), description="d", available=((),),
           sides={(): "nobody", "names": "list"}),
    Switch(key="sharedmodule.compat", values=("stable", "canary"), description="d", available=("stable", "canary"),
           sides={"stable": "s", "canary": "c"}, symbols={"stable": "data/stable.toml", "canary": "data/canary.toml"}),
    Switch(key="limit", values=(3,), description="d", available=(3,)),
]
"""
)


def test_every_kind_of_row_is_understood(read: Read) -> None:
    matrix = read(EVERY_KIND, {**FILES, "data/stable.toml": "", "data/canary.toml": ""}, settings=("controlWs.mode",))
    assert [(one.key, one.kind, shown(one.default)) for one in matrix.rows] == [
        ("appKernel", "sides", "v1"),
        ("controlWs.enabled", "setting", "false"),
        ("controlWs.mode", "setting", "observe"),
        ("controlWs.allow", "setting", "[]"),
        ("sharedmodule.compat", "sides", "stable"),
        ("limit", "setting", "3"),
    ]
    assert sides(row(matrix, "sharedmodule.compat"))[1] == ("canary", "c", "data/canary.toml", True)


def test_words_choose_code_unless_the_configuration_says_no(read: Read) -> None:
    assert row(read(EVERY_KIND, FILES), "controlWs.mode").kind == "sides"


def test_a_mapping_by_key_and_plain_dicts_are_rows_too(read: Read) -> None:
    text = """
from app.v1 import Old
from app import v2
SWITCHES = {
    "transport": {"values": ["v1", "v2"], "help": "Which.", "sides": {"v1": Old, "v2": v2}},
}
"""
    (one,) = read(text, FILES).rows
    assert (one.key, one.description) == ("transport", "Which.")
    assert [side.symbol for side in one.sides] == ["app.v1.Old", "app.v2"]


def test_a_dataclass_with_defaults_positions_and_an_enum_is_read(read: Read) -> None:
    text = """
import dataclasses, enum

class Kernel(str, enum.Enum):
    OLD = "v1"
    NEW = "v2"

@dataclasses.dataclass(frozen=True)
class Base:
    key: str
    values: tuple = (Kernel.OLD, Kernel.NEW)
    description: str = dataclasses.field(default="inherited")

@dataclasses.dataclass(frozen=True)
class Switch(Base):
    sides: dict = dataclasses.field(default_factory=dict)

SWITCHES = (Switch("kernel", sides={Kernel.OLD: "old", Kernel.NEW: "new"}), Switch("other", (True, False), "own"))
"""
    matrix = read(text)
    assert sides(row(matrix, "kernel")) == [("v1", "old", "", True), ("v2", "new", "", True)]
    assert row(matrix, "kernel").description == "inherited"
    assert (row(matrix, "other").default, row(matrix, "other").description) == (True, "own")


def test_a_configuration_model_is_a_registry(read: Read) -> None:
    text = '''
from typing import Annotated, Literal
from pydantic import BaseModel, Field

Version = Literal["v1", "v2"]

class Ws(BaseModel):
    enabled: bool = False
    """Whether it is served."""
    allow: list[str] = Field(default_factory=list, description="Who may.")

class SWITCHES(BaseModel):
    kernel: Version = "v1"
    """Who builds the parts."""
    policy: Annotated[Literal["stable", "canary"], 1] = Field("stable", description="Which policy.")
    ws: Ws = Ws()
'''
    matrix = read(text)
    assert [(one.key, shown(one.default), one.description) for one in matrix.rows] == [
        ("kernel", "v1", "Who builds the parts."),
        ("policy", "stable", "Which policy."),
        ("ws.enabled", "false", "Whether it is served."),
        ("ws.allow", "[]", "Who may."),
    ]
    assert [shown(side.value) for side in row(matrix, "policy").sides] == ["stable", "canary"]


def test_a_class_whose_attributes_are_rows_is_a_registry(read: Read) -> None:
    text = STRUCT + 'class SWITCHES:\n    kernel = Switch(key="app.kernel", values=("v1", "v2"), available=("v1",))\n'
    assert [one.key for one in read(text).rows] == ["app.kernel"]


def test_rows_spread_over_modules_and_computed_are_followed(read: Read) -> None:
    text = """
from .rows import BASE as _BASE, PREFIX
from types import MappingProxyType
SWITCHES = MappingProxyType({
    **{row["key"]: row for row in _BASE if not row["key"].endswith("old")},
    PREFIX + "extra": {"values": ("v1", "v2") if len(_BASE) > 1 else ("v1",)},
})
"""
    rows = 'PREFIX = "host."\nBASE = [{"key": f"{PREFIX}{name}", "values": ["v1", "v2"]} for name in ("a", "b_old")]\n'
    matrix = read(text, {"app/rows.py": rows, "app/__init__.py": ""})
    assert [(one.key, len(one.sides)) for one in matrix.rows] == [("host.a", 2), ("host.extra", 2)]


def test_parts_may_have_other_names(read: Read) -> None:
    text = 'SWITCHES = [{"flag": "a", "modes": ["x", "y"], "why": "Because."}]'
    (one,) = read(text, fields={"key": "flag", "values": "modes", "description": "why"}).rows
    assert (one.key, one.default, one.description) == ("a", "x", "Because.")


def test_sides_may_be_fields_named_like_the_values(read: Read) -> None:
    text = 'SWITCHES = [{"key": "a", "values": ["stable", "canary"], "stable": "the old", "canary": "the new"}]'
    assert [side.text for side in read(text).rows[0].sides] == ["the old", "the new"]


def test_combinations_are_read_as_structs_and_as_tuples(read: Read) -> None:
    text = (
        STRUCT
        + """
class Combination(msgspec.Struct):
    key: str
    value: object
    needs_key: str
    needs_value: object
    reason: str

SWITCHES = (
    Switch(key="a", values=("v1", "v2"), available=("v1",)),
    Switch(key="b", values=(False, True), available=()),
)
COMBINATIONS = (
    Combination("b", True, "a", "v2", "so"),
    *((row.key, row.default, "b", False, "thus") for row in SWITCHES[:1]),
)
"""
    )
    matrix = read(text, combinations="app.switches.COMBINATIONS")
    assert [(one.key, one.value, one.needs_key, one.needs_value, one.reason) for one in matrix.refusals] == [
        ("b", True, "a", "v2", "so"),
        ("a", "v1", "b", False, "thus"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nSWITCHES = [{'key': os.environ['K'], 'values': ['a']}]", "a row has no key"),
        ("SWITCHES = load()\n", "neither a sequence nor a mapping"),
        ("import json\nSWITCHES = [json.loads(x) for x in open('f')]", "app/switches.py:2: "),
        ("SWITCHES = [1, 2]", "neither a struct nor a dict"),
        ("SWITCHES = []", "has no rows"),
        ("OTHER = 1", "has no `SWITCHES`"),
        ("SWITCHES = [SWITCHES]", "needs itself"),
        ("def f():\n    return f()\nSWITCHES = f()", "app/switches.py"),
        ("def f():\n    while True:\n        pass\nSWITCHES = f()", "app/switches.py:2: `while True:`"),
        ("SWITCHES = [{'key': 'a', 'values': [1 / 0]}]", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_told_without_running_is_an_error_with_its_place(read: Read, text: str, message: str) -> None:
    with pytest.raises(RegistryError) as caught:
        read(text)
    assert message in str(caught.value)


def test_a_registry_outside_the_roots_is_an_error(read: Read) -> None:
    with pytest.raises(RegistryError, match="is no name in the roots"):
        read("SWITCHES = []", registry="elsewhere.SWITCHES")
