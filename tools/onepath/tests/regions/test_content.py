"""ARCH and CALLGRAPH say what is so: rooms with their first sentence, the drawn way, the proof, who uses what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

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
    assert "| ├ [`app/`](src/shop/app/) | Orchestrates; wires `blocks`. | blocks, bank, core |" in lines
    assert "| └ [`blocks/`](src/shop/blocks/) | – | bank, core |" in lines


def test_the_short_form_has_rooms_only_and_the_long_form_every_module(material: Material) -> None:
    assert "flow.py" not in arch(material, INNER, short=True)
    long = arch(material, INNER, short=False)
    assert "[`flow.py`](shop/app/flow.py) | The flow. |" in long
    assert "[`stock/`](shop/blocks/stock/) | What is there? |" in long


def test_links_are_relative_to_the_page(material: Material) -> None:
    assert "](../src/core/)" in arch(material, Page("docs/architecture.md"), short=True)


def test_the_way_is_drawn_from_faces_over_what_is_mandated_to_the_outside(material: Material) -> None:
    drawn = callgraph(material, ROOT, short=True).split("```")[1]
    assert 'subgraph g0["faces"]' in drawn
    assert 'n_shop_cli["cli<br/>1 entry"]' in drawn
    assert 'n_shop_web["web<br/>2 entries"]' in drawn
    assert 'n_Flow_run[["Flow.run"]]' in drawn
    assert 'subgraph g3["the one way out"]' in drawn or '"the one way out"' in drawn
    assert "n_shop_web --> n_Flow_run" in drawn
    assert "n_shop_cli --> n_app_kernel" in drawn
    assert 'n_Flow_run -->|"send"| n_bank_send' in drawn
    assert 'n_Flow_run -->|"checked"| n_orders_checked' in drawn
    assert 'n_orders_checked -.->|"order"| n_bank_send' in drawn
    assert "n_bank_send --> n_shop_wire" in drawn
    assert 'n_the_outside(("network"))' in drawn


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
    assert "Other lawful ways out: `cli.client` → own daemon." in text


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
