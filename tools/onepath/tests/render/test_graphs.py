"""What part of a program is shown, and how each format draws it."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from onepath.graph import Program
from onepath.render import html, json_graph, mermaid, pycg_json
from onepath.render.mermaid import Box, Frame, Line
from onepath.render.view import NoSuchSymbolError, calls, imports, shortest_way


def validate(text: str, name: str) -> None:
    schema = json.loads(resources.files("onepath.render").joinpath(f"schemas/{name}").read_text())
    Draft202012Validator(schema).validate(json.loads(text))


def test_all_calls_are_shown_with_all_their_places(program: Program) -> None:
    view = calls(program)
    assert len(view.nodes) == 7
    link = next(link for link in view.links if link.target == "host.flow.run")
    assert [str(place) for place in link.places] == ["src/host/web.py:12", "src/host/web.py:14"]


def test_from_shows_what_is_reached_and_to_what_reaches(program: Program) -> None:
    assert [node.name for node in calls(program, ["host.flow"]).nodes] == ["host.flow.run", "socket.create_connection"]
    assert [node.name for node in calls(program, (), ["builtins.print"]).nodes] == [
        "builtins.print",
        "host.web.index",
        "host.web.index.<lambda1>",
    ]
    both = calls(program, ["host.web"], ["socket"])
    assert [link.source for link in both.links] == ["host.flow.run", "host.web.index"]


def test_a_re_exported_name_is_understood(program: Program) -> None:
    assert "socket.create_connection" in [node.name for node in calls(program, ["host.run"]).nodes]


def test_a_name_that_means_nothing_is_told_with_names_alike(program: Program) -> None:
    with pytest.raises(NoSuchSymbolError, match=r"did you mean `host\.flow\.run`"):
        calls(program, ["host.web.run"])


def test_the_shortest_way_is_found_with_its_places(program: Program) -> None:
    way = shortest_way(program, "host.web.index", "socket.create_connection")
    assert way is not None
    assert [(edge.caller, str(edge.place)) for edge in way] == [
        ("host.web.index", "src/host/web.py:12"),
        ("host.flow.run", "src/host/flow.py:7"),
    ]


def test_where_no_way_leads_there_is_none(program: Program) -> None:
    assert shortest_way(program, "host.flow.run", "host.web.index") is None
    assert shortest_way(program, "host.flow.run", "host.flow.run") is None


def test_imports_are_shown_by_module(program: Program) -> None:
    view = imports(program, ["host.web"])
    assert [(link.source, link.target) for link in view.links] == [("host.flow", "socket"), ("host.web", "host.flow")]


def test_json_fulfils_its_schema(program: Program) -> None:
    validate(json_graph.render(calls(program)), "graph.schema.json")
    validate(json_graph.render(imports(program)), "graph.schema.json")
    validate(json_graph.render_unknown(program), "unknown.schema.json")


def test_pycg_json_lists_call_edges_and_every_function(program: Program) -> None:
    assert json.loads(pycg_json.render(program)) == {
        "<builtin>.print": [],
        "host.flow.idle": [],
        "host.flow.run": ["socket.create_connection"],
        "host.web": [],
        "host.web.index": ["host.flow.run"],
        "host.web.index.<lambda1>": ["<builtin>.print"],
        "socket.create_connection": [],
    }


def test_mermaid_frames_modules_and_dashes_what_may_be_called(program: Program) -> None:
    drawn = mermaid.render(calls(program))
    assert drawn.startswith("flowchart LR\n")
    assert 'subgraph g1["host.flow"]' in drawn
    assert 'n_index_lambda1["index.#lt;lambda1#gt;"]' in drawn
    assert "n_web_index -.-> n_index_lambda1" in drawn
    assert "n_flow_run --> n_socket_create_connection" in drawn


def test_mermaid_labels_cannot_end_themselves() -> None:
    frame = Frame('a "quoted" <frame>', (Box("end", 'x"] --> y["'), Box("end!", "`b`\n&c", "mandated")))
    drawn = mermaid.draw([frame], [Line("end", "end!", "value", 'says "so"')])
    assert 'subgraph g0["a #quot;quoted#quot; #lt;frame#gt;"]' in drawn
    assert 'n_end["x#quot;] --#gt; y[#quot;"]' in drawn
    assert 'n_end_2[["#96;b#96;<br/>#amp;c"]]' in drawn
    assert 'n_end -.->|"says #quot;so#quot;"| n_end_2' in drawn


def test_html_is_one_file_whose_data_cannot_end_its_script(program: Program) -> None:
    page = html.render(calls(program), "a <title>", program)
    assert page.count("</script>") == 2
    assert not re.search(r"(src|href)=\"https?:", page)
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert len(data["nodes"]) == 7
    assert data["unknown"] == [["host.flow.run", "send</script>", "src/host/flow.py:9"]]
    assert "<title>a &lt;title&gt;</title>" in page
