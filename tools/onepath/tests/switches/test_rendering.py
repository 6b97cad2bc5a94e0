"""The matrix as people and programs get it."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources

from jsonschema import Draft202012Validator

from onepath.graph import Place
from onepath.render.switches import render_csv, render_json, render_markdown
from onepath.switches import Matrix, Refusal, Row, Side


def row(key: str, *sides: Side, **more: object) -> Row:
    parts: dict[str, object] = {
        "key": key,
        "field": key,
        "kind": "sides",
        "default": sides[0].value,
        "sides": sides,
        "scope": "request",
        "effect": "drain",
        "description": f"What {key} is.",
        "place": Place("app/switches.py", 7),
        **more,
    }
    return Row(**parts)  # type: ignore[arg-type]


OLD = Side(value="v1", text="aiohttp | one", symbol="app.v1", file="src/app/v1.py")
NEW = Side(value="v2", text="own `parser`", symbol="app.v2.New", file="src/app/v2.py")
LATER = Side(value="v2", text="a bus", available=False)
MATRIX = Matrix(
    "app.switches.SWITCHES",
    "src/app/switches.py",
    (
        row("blocks.transport", OLD, NEW, contract="app.contract.T", differential="tests/d.py"),
        row("blocks.bus", Side(value="v1", text="calls"), LATER, effect="restart", pending="phase 3"),
        row("ws.enabled", Side(value=False), Side(value=True, text="/ws"), kind="setting", effect="hot"),
        row("ws.allow", Side(value=(), text="nobody"), kind="setting"),
    ),
    (
        Refusal("blocks.transport", "v2", "kernel", "v2", "so"),
        Refusal("ws.enabled", True, "blocks.bus", "v2", "thus"),
        Refusal("blocks.bus", "v2", "kernel", "v2", "so"),
    ),
)


def written(*, fulfils: bool = True) -> str:
    return render_markdown(MATRIX, lambda file: f"../{file}", lambda _: fulfils, "app rollback KEY")


def test_a_row_links_each_side_and_names_its_proofs() -> None:
    assert (
        "| `blocks.transport` | **v1** | v2 | after drain | aiohttp \\| one · [`v1`](../src/app/v1.py) "
        "| own `parser` · [`New`](../src/app/v2.py) | contract ✓ differential ✓ |"
    ) in written()
    assert "contract ✗ differential ✓" in written(fulfils=False)


def test_a_side_that_waits_says_for_what() -> None:
    assert "| calls | a bus *(lands with phase 3)* | v1 only so far |" in written()
    short = render_markdown(MATRIX, lambda file: file, lambda _: True, short=True)
    assert "| calls | a bus | v1 only so far |" in short


def test_settings_are_shown_without_proof() -> None:
    assert "| `ws.enabled` | **false** | true | next request | What ws.enabled is. | /ws | setting |" in written()
    assert "| `ws.allow` | **\\[\\]** | – | after drain | nobody | – | setting |" in written()


def test_refused_combinations_of_a_whole_group_are_told_once() -> None:
    assert written().endswith(
        "Refused together: any `blocks.*=v2` without `kernel=v2` · `ws.enabled=true` without `blocks.bus=v2`. "
        "Back to stable: `app rollback KEY`."
    )


def test_json_fulfils_its_schema() -> None:
    document = json.loads(render_json(MATRIX))
    schema = json.loads(resources.files("onepath.render").joinpath("schemas/switches.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert document["rows"][3]["default"] == []
    assert document["refusals"][1]["value"] is True


def test_csv_has_a_line_for_each_row() -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(MATRIX))))
    assert [(line["switch"], line["default"], line["other"]) for line in lines] == [
        ("blocks.transport", "v1", "v2"),
        ("blocks.bus", "v1", "v2"),
        ("ws.enabled", "false", "true"),
        ("ws.allow", "[]", ""),
    ]
