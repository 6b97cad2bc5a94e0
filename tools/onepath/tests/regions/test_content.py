"""ARCH and CALLGRAPH say what is so: rooms with their first sentence, the drawn way, the proof, who uses what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from onepath.config import Independent, Sealed
from onepath.graph import Carrying, Edge
from onepath.regions.arch import arch
from onepath.regions.callgraph import callgraph
from onepath.regions.content import TemplateFault, bodies
from onepath.regions.docstrings import first_sentence
from onepath.regions.material import Material, Page
from onepath.rules.contract import Finding

ROOT = Page("README.md")
INNER = Page("src/README.md")


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("One. Two.", "One."),
        ("One line\nand its rest.\n\nMore.", "One line and its rest."),
        ("Reads files, e.g. TOML files. Then more.", "Reads files, e.g. TOML files."),
        ("Version 1.2 of it. More", "Version 1.2 of it."),
        ("Is it? Yes.", "Is it?"),
        ("Two shapes (pattern no. 12). More.", "Two shapes (pattern no. 12)."),
        ("No full stop", "No full stop"),
        ("", ""),
    ],
)
def test_the_first_sentence_ends_where_a_reader_would_stop(docstring: str, sentence: str) -> None:
    assert first_sentence(docstring) == sentence


def test_rooms_are_listed_with_sentence_link_and_what_they_may_import(material: Material) -> None:
    lines = arch(material, ROOT, short=True).splitlines()
    assert "| [`core/`](src/core/) | The shared part: no I/O \\| at all. | standard library, msgspec |" in lines
    assert "| ├&nbsp;[`app/`](src/shop/app/) | Orchestrates; wires `blocks`. | blocks, bank, core |" in lines
    assert "| └&nbsp;[`blocks/`](src/shop/blocks/) | – | bank, core |" in lines


def test_the_short_form_has_rooms_only_and_the_long_form_every_module(material: Material) -> None:
    assert "flow.py" not in arch(material, INNER, short=True)
    long = arch(material, INNER, short=False)
    assert "[`flow.py`](shop/app/flow.py) | The flow. |" in long
    assert "[`stock/`](shop/blocks/stock/) | What is there? |" in long


def test_the_short_form_opens_the_capabilities(material: Material) -> None:
    assert "[`stock/`](src/shop/blocks/stock/) | What is there? |   |" in arch(material, ROOT, short=True)


def test_a_module_says_nothing_of_imports_where_its_room_does(material: Material) -> None:
    long = arch(material, INNER, short=False)
    assert "[`flow.py`](shop/app/flow.py) | The flow. |   |" in long
    assert "what holds for the room around it holds" in long


def test_links_are_relative_to_the_page(material: Material) -> None:
    assert "](../src/core/)" in arch(material, Page("docs/architecture.md"), short=True)


def test_the_way_is_drawn_from_faces_over_what_is_mandated_to_the_outside(material: Material) -> None:
    drawn = callgraph(material, ROOT, short=True).split("```")[1]
    assert drawn.startswith("mermaid\nflowchart TB\n")
    assert 'subgraph g0["faces"]' in drawn
    assert 'n_shop_cli["cli<br/>1 entry"]' in drawn
    assert 'n_shop_web["web<br/>2 entries"]' in drawn
    assert 'n_Flow_run[["Flow.run"]]' in drawn
    assert 'subgraph g3["the one way out"]' in drawn or '"the one way out"' in drawn
    assert "n_shop_web --> n_Flow_run" in drawn
    assert "n_shop_cli --> n_app_kernel" in drawn
    assert 'n_Flow_run -->|"send"| n_bank_send' in drawn
    assert 'n_Flow_run -->|"checked"| n_orders_checked' in drawn
    assert 'n_orders_checked -.->|"order"| n_Flow_run' in drawn
    assert "n_bank_send --> n_shop_wire" in drawn
    assert "n_shop_wire --> n_the_outside" in drawn
    assert 'n_the_outside(("network"))' in drawn


def test_what_goes_nowhere_is_not_drawn_as_going_out(material: Material) -> None:
    program = material.model.program
    edges = tuple(edge for edge in program.edges if edge.callee != "socket.create_connection")
    model = msgspec.structs.replace(material.model, program=msgspec.structs.replace(program, edges=edges))
    drawn = callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True).split("```")[1]
    assert "--> n_the_outside" not in drawn


def test_a_drawing_has_at_most_25_boxes(material: Material) -> None:
    program = material.model.program
    extra = {
        f"shop.m{number}.f": msgspec.structs.replace(
            program.functions["shop.wire.connect"], name=f"shop.m{number}.f", module=f"shop.m{number}"
        )
        for number in range(60)
    }
    edge = next(edge for edge in program.edges if edge.callee == "socket.create_connection")
    edges = tuple(msgspec.structs.replace(edge, caller=name) for name in extra) + tuple(
        msgspec.structs.replace(edge, caller="shop.bank.send", callee=name) for name in extra
    )
    crowded = msgspec.structs.replace(
        program,
        functions={**program.functions, **extra},
        modules={**program.modules, **{f"shop.m{number}": f"src/shop/m{number}.py" for number in range(60)}},
        edges=(*program.edges, *edges),
    )
    model = msgspec.structs.replace(material.model, program=crowded)
    drawn = callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True).split("```")[1]
    assert 20 <= sum(line.strip().startswith("n_") and "->" not in line for line in drawn.splitlines()) <= 25


def test_the_proof_is_told_with_its_ways_out(material: Material) -> None:
    text = callgraph(material, ROOT, short=True)
    assert "**Single path: proved** · From 3 entries nothing reaches the network except through `Flow.run`." in text
    assert "Other lawful ways out: [`cli.client`](src/shop/cli.py) → own daemon." in text
    assert "Waived: nothing." in text


def test_the_proof_names_functions_shortly_and_links_their_files(material: Material) -> None:
    proof = msgspec.structs.replace(
        material.proofs[0], sentences=("Nothing, except through `shop.app.flow.Flow.run`.",)
    )
    text = callgraph(msgspec.structs.replace(material, proofs=(proof,)), INNER, short=True)
    assert "Nothing, except through [`Flow.run`](shop/app/flow.py)." in text


def test_a_waived_finding_is_told_with_the_proof(material: Material) -> None:
    finding = Finding("OP003", "single-path", "x calls eval", "shop.web.buy", None)
    assert "Waived: 1." in callgraph(msgspec.structs.replace(material, waived=(finding,)), ROOT, short=True)


def test_entries_are_drawn_by_what_the_contract_calls_them(material: Material) -> None:
    drawn = _drawn_with(material, called={"@route": "endpoint", "@command": "command"})
    assert '"web<br/>2 endpoints"' in drawn
    assert '"cli<br/>1 command"' in drawn


def test_what_is_carried_is_drawn_by_its_type_and_whether_that_is_sealed(material: Material) -> None:
    carried = Carrying("shop.bank.send", "order", "core.orders.checked", "core.orders.Order", None)
    program = msgspec.structs.replace(material.model.program, carried=(carried,))
    open_model = msgspec.structs.replace(material.model, program=program)
    assert '-.->|"Order"| n_Flow_run' in callgraph(
        msgspec.structs.replace(material, model=open_model), ROOT, short=True
    )
    sealed = (Sealed(name="Order", type="core.orders.Order", owners=("core",)),)
    configuration = msgspec.structs.replace(open_model.configuration, sealed=sealed)
    model = msgspec.structs.replace(open_model, configuration=configuration)
    text = callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True)
    assert '-.->|"Order (sealed)"| n_Flow_run' in text


def test_a_way_that_runs_into_another_face_is_drawn_up_to_there(material: Material) -> None:
    program = material.model.program
    edges = tuple(
        msgspec.structs.replace(edge, callee="shop.web.buy") if edge.caller == "shop.app.kernel.start" else edge
        for edge in program.edges
    )
    model = msgspec.structs.replace(material.model, program=msgspec.structs.replace(program, edges=edges))
    drawn = callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True)
    assert "n_app_kernel --> n_shop_web" in drawn
    assert "n_app_kernel --> n_Flow_run" not in drawn


def test_steps_within_a_room_are_not_drawn(material: Material) -> None:
    program = material.model.program
    inner = msgspec.structs.replace(
        program.functions["shop.app.kernel.start"], name="shop.app.steps.step", module="shop.app.steps"
    )
    place = next(edge.place for edge in program.edges if edge.callee == "shop.bank.send")
    edges = tuple(edge for edge in program.edges if edge.callee != "shop.bank.send")
    changed = msgspec.structs.replace(
        program,
        modules={**program.modules, "shop.app.steps": "src/shop/app/steps.py"},
        functions={**program.functions, inner.name: inner},
        edges=(
            *edges,
            Edge("shop.app.flow.Flow.run", inner.name, "call", place),
            Edge(inner.name, "shop.bank.send", "call", place),
        ),
    )
    model = msgspec.structs.replace(material.model, program=changed)
    drawn = callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True).split("```")[1]
    assert "app_steps" not in drawn
    assert 'n_Flow_run -->|"send"| n_bank_send' in drawn


def test_rooms_that_may_not_import_each_other_are_told(material: Material) -> None:
    apart = (Independent(name="apart", modules=("shop.blocks.*",)),)
    configuration = msgspec.structs.replace(material.model.configuration, independent=apart)
    model = msgspec.structs.replace(material.model, configuration=configuration)
    assert "| bank, core; not each other |" in arch(msgspec.structs.replace(material, model=model), ROOT, short=True)


def test_the_outside_is_called_what_the_configuration_calls_it(material: Material) -> None:
    docs = msgspec.structs.replace(material.model.configuration.docs, outside="the bank")
    configuration = msgspec.structs.replace(material.model.configuration, docs=docs)
    model = msgspec.structs.replace(material.model, configuration=configuration)
    assert '(("the bank"))' in callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True)


def _drawn_with(material: Material, **changes: Any) -> str:
    """The drawing under a changed path contract."""
    configuration = material.model.configuration
    path = tuple(msgspec.structs.replace(one, **changes) for one in configuration.path)
    model = msgspec.structs.replace(material.model, configuration=msgspec.structs.replace(configuration, path=path))
    return callgraph(msgspec.structs.replace(material, model=model), ROOT, short=True).split("```")[1]


def test_a_broken_proof_is_never_told_as_one(material: Material) -> None:
    finding = Finding("OP001", "single-path", "x reaches y", "shop.web.buy", None)
    text = callgraph(msgspec.structs.replace(material, findings=(finding,)), ROOT, short=True)
    assert "**Single path: not proved**" in text
    assert "proved** · From" not in text


def test_the_table_tells_which_app_uses_which_operation_of_a_block(material: Material) -> None:
    assert "| `flow` | `stock` | `Stock`, `take` | [`Flow.run`](src/shop/app/flow.py) |" in callgraph(
        material, ROOT, short=True
    )


def test_nothing_depends_on_lines_or_on_the_order_of_facts(material: Material) -> None:
    program = material.model.program
    moved = msgspec.structs.replace(
        program,
        edges=tuple(
            msgspec.structs.replace(edge, place=msgspec.structs.replace(edge.place, line=edge.place.line + 7))
            for edge in reversed(program.edges)
        ),
    )
    other = msgspec.structs.replace(material, model=msgspec.structs.replace(material.model, program=moved))
    for short in (True, False):
        assert arch(other, ROOT, short=short) == arch(material, ROOT, short=short)
        assert callgraph(other, ROOT, short=short) == callgraph(material, ROOT, short=short)


def test_a_template_gets_modules_and_ways_to_write_markdown(material: Material, tmp_path: Path) -> None:
    template = tmp_path / "list.md.j2"
    template.write_text(
        "{% for one in modules if one.summary %}\n- {{ one.name|code }}: {{ one.summary|prose }}\n{% endfor %}"
    )
    made = bodies(material, {"README.md": {"LIST": "template:list.md.j2"}})
    assert "- `shop.app`: Orchestrates; wires `blocks`.\n" in made["README.md"]["LIST"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% if %}", r"t\.j2:1: "),
        ("{{ gone }}", "'gone' is undefined"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused(
    material: Material, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "t.j2").write_text(text)
    with pytest.raises(TemplateFault, match=message):
        bodies(material, {"README.md": {"LIST": "template:t.j2"}})


def test_a_template_outside_the_project_is_refused(material: Material) -> None:
    with pytest.raises(TemplateFault, match="is not in the project"):
        bodies(material, {"README.md": {"LIST": "template:../../etc/passwd"}})
