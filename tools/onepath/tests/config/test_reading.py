"""The configuration is read strictly: what is wrong is named with its key, its line and the nearest right word."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from onepath.config import Configuration, ConfigurationError, Layers, find_project, parse_configuration, read_project

FULL = """
roots = ["src/core", "src/host"]
cache = ".cache/onepath"
exclude = ["**/vendored/**"]

[[path]]
name     = "single-path"
entries  = ["arg:starlette.routing.Route.endpoint", "@typer.Typer.command"]
through  = ["host.flow.run", "host.provider.send"]
carries  = [{ into = "host.provider.send", argument = "request", made_by = "core.plan" }]
sinks    = ["@network", "@process"]
guarded  = ["host", "core"]
ways_out = [{ node = "host.auth.fetch", reason = "OAuth token endpoint" }]

[[layers]]
name   = "house"
layers = ["cli | web", "app", "blocks"]
containers = ["host"]

[[forbidden]]
name = "pure core"
from = ["core"]
only = ["@stdlib", "msgspec"]
except = [{ importer = "core.x", imported = "host.y", reason = "until March" }]

[switches]
registry = "host.switches.SWITCHES"

[regions]
"README.md" = { ARCH = "short", NOTES = "template:docs/notes.md.j2" }

[[waivers]]
rule = "OP005"
where = "host.x.f"
reason = "moves next week"
owner = "ann"
expires = 2027-01-31
"""


def faults(text: str, file: str = "onepath.toml") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(text, file)
    return [str(fault) for fault in caught.value.faults]


def test_every_kind_of_table_becomes_a_struct() -> None:
    read = parse_configuration(FULL)
    assert read.roots == ("src/core", "src/host")
    assert read.path[0].carries[0].argument == "request"
    assert read.layers == (Layers(name="house", layers=("cli | web", "app", "blocks"), containers=("host",)),)
    assert read.forbidden[0].from_ == ("core",)
    assert read.forbidden[0].except_[0].reason == "until March"
    assert read.regions["README.md"]["NOTES"] == "template:docs/notes.md.j2"
    assert read.waivers[0].expires == datetime.date(2027, 1, 31)


def test_pyproject_holds_the_same_keys_under_its_table() -> None:
    assert parse_configuration('[tool.onepath]\nroots = ["a"]\n', "pyproject.toml") == parse_configuration(
        'roots = ["a"]'
    )


def test_pyproject_without_the_table_says_so() -> None:
    assert "has no [tool.onepath]" in faults("[project]\nname = 'x'\n", "pyproject.toml")[0]


def test_an_unknown_key_is_refused_with_the_nearest_known_and_its_line() -> None:
    assert faults('roots = ["a"]\nexcludes = ["b"]\n') == [
        "onepath.toml:2: excludes: is no key of onepath; did you mean `exclude`?"
    ]


def test_an_unknown_key_in_the_second_contract_is_found_there() -> None:
    text = '[[layers]]\nname = "a"\nlayers = ["x"]\n\n[[layers]]\nname = "b"\nlayer = ["x"]\n'
    assert faults(text) == ["onepath.toml:7: layers[1].layer: is no key of onepath; did you mean `layers`?"]


def test_a_key_like_no_other_gets_the_list_of_known_ones() -> None:
    assert "known are `rule`, `where`" in faults("[[waivers]]\nzzzzqqqq = 1\n")[0]


def test_all_unknown_keys_are_told_at_once() -> None:
    assert len(faults("rooots = []\ncash = 1\n[switches]\nregister = 'x'\n")) == 3


def test_an_unknown_key_in_an_inline_table_is_found() -> None:
    way_out = '{ node = "x", because = "y" }'
    text = f'[[path]]\nname = "p"\nentries = ["a"]\nthrough = ["b"]\nsinks = ["c"]\nways_out = [{way_out}]\n'
    assert faults(text)[0].startswith("onepath.toml:6: path[0].ways_out[0].because: is no key")


def test_a_wrong_type_is_told_with_its_place() -> None:
    assert faults('roots = ["a"]\ncache = 3\n') == ["onepath.toml:2: cache: expected `str`, got `int`"]


def test_a_missing_key_is_told() -> None:
    assert "missing required field `layers`" in faults('[[layers]]\nname = "a"\n')[0]


def test_no_toml_is_told_with_its_line() -> None:
    assert faults("roots = [\n\n= 3")[0].startswith("onepath.toml:3: is no TOML")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[path]]\nname="p"\nentries=[]\nthrough=["a"]\nsinks=["b"]', "a check on zero cases proves nothing"),
        (
            '[[path]]\nname="p"\nentries=["e"]\nthrough=["a"]\nsinks=["b"]\ncalled={ f = "command" }',
            "is none of the contract's `entries`",
        ),
        ('[[forbidden]]\nname="f"\nfrom=["a"]', "needs either `to`"),
        ('[[forbidden]]\nname="f"\nfrom=["a"]\nto=["b"]\nonly=["c"]', "needs either `to`"),
        ('[[acyclic]]\nname="a"\nbetween="files"', "known are `modules`, `siblings`"),
        ('[[protected]]\nname="p"\nprotected=["a"]\nimporters=["b"]\nharmless=["functions"]', "is no kind of symbol"),
        ('[regions]\n"R.md" = { ARCH = "huge" }', "known are `short`, `long`"),
        ('[regions]\n"R.md" = { OTHER = "short" }', "has no built-in content"),
        ('[[waivers]]\nrule="OP005"\nwhere="a.b"\nreason=" "\nowner="x"\nexpires=2027-01-01', "who will mend it"),
        ('[[acyclic]]\nname="a"\n[[acyclic]]\nname="a"', "names two contracts"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    assert any(message in fault for fault in faults(text))


def test_the_nearest_configuration_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.onepath]\nroots = ['pkg']\n")
    inner = tmp_path / "pkg" / "deep"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text("[project]\nname = 'not of onepath'\n")
    project = find_project(inner)
    assert project is not None
    assert (project.folder, project.file, project.configuration.roots) == (tmp_path, "pyproject.toml", ("pkg",))


def test_the_search_ends_at_the_repositorys_top(tmp_path: Path) -> None:
    (tmp_path / "onepath.toml").write_text("roots = ['elsewhere']\n")
    (tmp_path / "repository" / "inner").mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    assert find_project(tmp_path / "repository" / "inner") is None


def test_a_file_of_its_own_wins_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.onepath]\nroots = ['a']\n")
    (tmp_path / "onepath.toml").write_text("roots = ['b']\n")
    project = find_project(tmp_path)
    assert project is not None
    assert project.configuration.roots == ("b",)


def test_a_broken_pyproject_that_speaks_of_onepath_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.onepath]\nroots = [\n")
    with pytest.raises(ConfigurationError, match="is no TOML"):
        find_project(tmp_path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "onepath.toml"
    file.write_bytes(b"\xef\xbb\xbfroots = ['a']\n")
    assert read_project(file).configuration == Configuration(roots=("a",))


def test_a_linked_configuration_speaks_of_the_folder_it_stands_in(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "copy").mkdir()
    (tmp_path / "kept" / "onepath.toml").write_text("roots = ['pkg']\n")
    (tmp_path / "copy" / "onepath.toml").symlink_to(tmp_path / "kept" / "onepath.toml")
    found = find_project(tmp_path / "copy")
    assert found is not None
    assert found.folder == (tmp_path / "copy").resolve()
