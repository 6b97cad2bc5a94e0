"""What the command line says before it reads a line of code: usage, configuration, rules, switches."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from onepath.cli.pages import pages
from onepath.cli.proposing import found_roots
from onepath.cli.reference import reference
from onepath.cli.revisions import checked_out


class Ran(msgspec.Struct):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]
DOCUMENTATION = Path(__file__).parents[4] / "docs" / "onepath"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("lint", "--nonsense"),
        ("graph",),
        ("why", "a"),
        ("lint", "--format", "xml"),
        ("lint", "-c", "gone"),
    ],
)
def test_a_wrong_command_line_ends_with_two(onepath: Run, shop: Path, arguments: tuple[str, ...]) -> None:
    ran = onepath(*arguments)
    assert ran.code == 2
    assert ran.err
    assert not ran.out


def test_without_a_configuration_the_way_to_one_is_told(
    onepath: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = onepath("lint")
    assert (ran.code, ran.out) == (2, "")
    assert "`onepath init` proposes one" in ran.err


def test_a_fault_of_the_configuration_is_told_with_its_line(onepath: Run, shop: Path) -> None:
    file = shop / "onepath.toml"
    file.write_text(file.read_text().replace("layers     =", "layer      ="))
    ran = onepath("lint")
    assert ran.code == 2
    assert "onepath.toml:14: layers[0].layer: is no key of onepath; did you mean `layers`?" in ran.err


def test_a_root_that_is_not_there_ends_with_two(onepath: Run, shop: Path) -> None:
    file = shop / "onepath.toml"
    file.write_text(file.read_text().replace('["shop"]\ncache', '["shoop"]\ncache'))
    ran = onepath("lint")
    assert ran.code == 2
    assert "root `shoop` does not exist" in ran.err


def test_help_and_version_end_with_zero(onepath: Run) -> None:
    assert onepath("--help").code == 0
    ran = onepath("--version")
    assert ran.code == 0
    assert ran.out.count(".") == 2


@pytest.mark.parametrize("name", ["OP001", "op001", "bypass"])
def test_a_rule_is_explained_by_id_and_by_name(onepath: Run, name: str) -> None:
    ran = onepath("explain", name)
    assert (ran.code, ran.out) == (0, pages()["OP001"])


def test_what_is_no_rule_is_told_with_those_that_are(onepath: Run, shop: Path) -> None:
    ran = onepath("explain", "nothing")
    assert ran.code == 2
    assert "OP001 (bypass)" in ran.err


def test_switches_are_written_in_every_format(onepath: Run, shop: Path) -> None:
    (shop / "shop" / "switches.py").write_text(
        'SWITCHES = [{"key": "bank", "values": ["v1", "v2"], "description": "Which bank.", "available": ["v1"]}]\n'
    )
    with (shop / "onepath.toml").open("a") as file:
        file.write('[switches]\nregistry = "shop.switches.SWITCHES"\n')
    assert "| `bank` | **v1** | v2 |" in onepath("switches").out
    assert json.loads(onepath("switches", "--format", "json").out)["rows"][0]["key"] == "bank"
    assert onepath("switches", "--format", "csv").out.splitlines()[1].startswith("bank,sides,v1,v2,")
    assert onepath("switches", "-o", "out/matrix.md").out == ""
    assert "**v1**" in (shop / "out" / "matrix.md").read_text()


def test_switches_without_a_registry_say_what_to_write(onepath: Run, shop: Path) -> None:
    ran = onepath("switches")
    assert ran.code == 2
    assert 'registry = "package.module.SWITCHES"' in ran.err


def test_the_reference_in_the_documentation_is_what_the_code_says() -> None:
    for name, text in reference().items():
        written = (DOCUMENTATION / name).read_text(encoding="utf-8")
        assert written == text, f"run `python -m onepath.cli.reference docs/onepath`: {name} is stale"


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        (["src/a/__init__.py", "src/b/__init__.py", "tests/__init__.py"], ["src/a", "src/b"]),
        (["a/__init__.py", "tests/__init__.py", "setup.py"], ["a"]),
        (["cloud/core/__init__.py", "docs/conf.py"], ["cloud"]),
        (["src/cloud/core/__init__.py", "src/b/__init__.py"], ["src/b", "src/cloud"]),
        (["tool.py"], ["."]),
        (["README.md"], []),
    ],
)
def test_roots_are_found_where_projects_put_them(tmp_path: Path, files: list[str], roots: list[str]) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    assert found_roots(tmp_path) == roots


def test_a_revision_is_read_from_blobs_and_the_files_stay_as_they_are(shop: Path, git: Callable[..., None]) -> None:
    (shop / ".gitattributes").write_text("shop/bank.py export-ignore\n")
    git("add", ".")
    git("commit", "-q", "-m", "attributes")
    (shop / "shop" / "bank.py").write_text("changed = True\n")
    (shop / "shop" / "späte datei.py").write_text("x = 1\n")
    with checked_out(shop, "HEAD", ["onepath.toml"]) as folder:
        assert "def send" in (folder / "shop" / "bank.py").read_text()
        assert not (folder / "shop" / "späte datei.py").exists()
        assert (folder / "onepath.toml").is_file()
        assert not (folder / "README.md").exists()
    assert (shop / "shop" / "bank.py").read_text() == "changed = True\n"
    git("add", ".")
    git("commit", "-q", "-m", "late")
    with checked_out(shop / "shop", "HEAD", []) as folder:
        assert (folder / "späte datei.py").read_text() == "x = 1\n"


def test_a_revision_that_is_none_is_told(onepath: Run, shop: Path, git: Callable[..., None]) -> None:
    ran = onepath("diff", "gone")
    assert ran.code == 2
    assert "`gone` is no revision" in ran.err


def test_a_revision_that_looks_like_an_option_is_no_option(onepath: Run, shop: Path, git: Callable[..., None]) -> None:
    assert onepath("diff", "--", "--output=x").code == 2
    assert not (shop / "x").exists()
