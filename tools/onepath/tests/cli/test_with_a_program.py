"""The commands on a program that is read, linked and judged, from its files to what is printed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator


class Ran(msgspec.Struct):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def validate(text: str, name: str) -> None:
    schema = json.loads(resources.files("onepath.render").joinpath(f"schemas/{name}.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(text))


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


@pytest.fixture
def clean(onepath: Run, shop: Path) -> Path:
    """The shop, its regions generated: nothing is wrong with it."""
    ran = onepath("docs")
    assert ran.code == 0, ran.err
    return shop


def test_a_clean_program_ends_with_zero_and_its_proof(onepath: Run, clean: Path) -> None:
    ran = onepath("lint")
    assert ran.code == 0, ran.out + ran.err
    assert "✓ OP001 bypass · single-path" in ran.out
    assert ran.out.splitlines()[-1] == "no findings"


def test_a_bypass_ends_with_one_and_its_line(onepath: Run, clean: Path) -> None:
    edit(clean / "shop" / "web.py", "return flow.run(request)", "from shop import bank\n    return bank.send(request)")
    ran = onepath("lint")
    assert ran.code == 1
    assert "OP001 bypass · single-path" in ran.out
    assert "shop/web.py:9" in ran.out


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_every_format_tells_the_bypass(onepath: Run, clean: Path, form: str) -> None:
    edit(clean / "shop" / "web.py", "return flow.run(request)", "from shop import bank\n    return bank.send(request)")
    ran = onepath("lint", "--format", form)
    assert ran.code == 1
    assert "OP001" in ran.out
    if form == "json":
        validate(ran.out, "report")


@pytest.mark.parametrize("form", ["sarif", "github"])
def test_services_that_show_code_are_told_files_from_the_root_of_the_checkout(
    onepath: Run, clean: Path, tmp_path: Path, form: str
) -> None:
    edit(clean / "shop" / "web.py", "return flow.run(request)", "from shop import bank\n    return bank.send(request)")
    project = tmp_path / "checkout" / "parts" / "till"
    shutil.copytree(clean, project)
    lint = ("lint", "--config", str(project / "onepath.toml"), "--format")
    alone = onepath(*lint, form).out
    (tmp_path / "checkout" / ".git").mkdir()
    shown = onepath(*lint, form).out
    begins = '"uri": "' if form == "sarif" else "::error file="
    assert alone.count(f"{begins}shop/") > 0
    assert shown.count(f"{begins}parts/till/shop/") == alone.count(f"{begins}shop/")
    assert shown.count(f"{begins}shop/") == alone.count(f"{begins}parts/") == 0
    assert "parts/till/" not in onepath(*lint, "json").out


def test_a_contract_that_speaks_of_nothing_ends_with_two(onepath: Run, clean: Path) -> None:
    edit(clean / "onepath.toml", "@shop.framework.route", "@shop.framework.rout")
    ran = onepath("lint")
    assert ran.code == 2
    assert "single-path" in ran.out


def test_a_finding_is_explained_by_its_id(onepath: Run, clean: Path) -> None:
    edit(clean / "shop" / "bank.py", "import socket", "import socket\nfrom shop import web")
    found = json.loads(onepath("lint", "--format", "json").out)["findings"]
    layers = next(finding for finding in found if finding["rule"] == "OP004")
    ran = onepath("explain", layers["fingerprint"][:8])
    assert ran.code == 0
    assert "shop.bank imports shop.web" in ran.out
    assert "## How to fix" in ran.out
    assert onepath("explain", "0123456789abcdef").code == 2


def test_why_shows_the_way_with_its_lines(onepath: Run, shop: Path) -> None:
    ran = onepath("why", "shop.web.buy", "socket.create_connection")
    assert ran.code == 0, ran.err
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "shop/web.py:8",
        "shop/app/flow.py:6",
        "shop/bank.py:6",
        "3",
    ]
    validate(onepath("why", "shop.web.buy", "shop.bank.send", "--format", "json").out, "why")


def test_why_without_a_way_ends_with_one_and_without_a_symbol_with_two(onepath: Run, shop: Path) -> None:
    assert onepath("why", "shop.bank.send", "shop.web.buy").code == 1
    ran = onepath("why", "shop.web.by", "shop.bank.send")
    assert ran.code == 2
    assert "shop.web.by" in ran.err


@pytest.mark.parametrize("kind", ["calls", "imports"])
@pytest.mark.parametrize("form", ["text", "mermaid", "json", "html"])
def test_graphs_are_written_in_every_format(onepath: Run, shop: Path, kind: str, form: str) -> None:
    ran = onepath("graph", kind, "--format", form)
    assert ran.code == 0, ran.err
    assert "shop.bank" in ran.out
    if form == "json":
        validate(ran.out, "graph")


def test_a_graph_needs_no_configuration(onepath: Run, shop: Path) -> None:
    (shop / "onepath.toml").unlink()
    ran = onepath("graph", "calls", "--roots", "shop", "--format", "pycg-json")
    assert ran.code == 0, ran.err
    assert "shop.bank.send" in json.loads(ran.out)["shop.app.flow.run"]
    assert onepath("graph", "calls", "--roots", "shop", "--from", "shop.web", "--format", "pycg-json").code == 2


def test_what_is_not_known_is_listed(onepath: Run, shop: Path) -> None:
    (shop / "shop" / "odd.py").write_text("def f(x, name):\n    return x.go(), eval(name)\n")
    validate(onepath("graph", "calls", "--unknown", "--format", "json").out, "unknown")
    assert "shop/odd.py:2  shop.odd.f: eval" in onepath("graph", "calls", "--unknown").out
    assert onepath("graph", "calls", "--unknown", "--format", "html").code == 2


def test_docs_write_every_region_once(onepath: Run, shop: Path) -> None:
    first = onepath("docs")
    assert first.code == 0, first.err
    text = (shop / "README.md").read_text()
    assert "[`app/`](shop/app/) | Orchestrates. | bank |" in text
    assert "**Single path: proved**" in text
    assert "```mermaid" in text
    again = onepath("docs")
    assert "every region is current" in again.err
    assert (shop / "README.md").read_text() == text
    assert onepath("docs", "--check").code == 0


def test_a_hand_edit_makes_check_fail_with_the_right_reason(onepath: Run, clean: Path) -> None:
    edit(clean / "README.md", "Orchestrates.", "Orchestrates well.")
    ran = onepath("docs", "--check")
    assert ran.code == 1
    assert "README.md:3: OP011 ARCH in README.md was edited by hand" in ran.out
    assert "&nbsp;[`app/`](shop/app/) | Orchestrates well." in ran.out
    assert "run `make docs`; `--force` overwrites" in ran.out
    before = (clean / "README.md").read_bytes()
    assert onepath("docs").code == 1
    assert (clean / "README.md").read_bytes() == before
    forced = onepath("docs", "--force")
    assert forced.code == 0
    assert "Orchestrates well." in forced.out
    assert onepath("docs", "--check").code == 0


def test_a_new_module_makes_check_fail_as_stale(onepath: Run, clean: Path) -> None:
    (clean / "shop" / "extra").mkdir()
    (clean / "shop" / "extra" / "__init__.py").write_text('"""Something new."""\n')
    ran = onepath("docs", "--check")
    assert ran.code == 1
    assert "ARCH in README.md is stale" in ran.out
    assert "+| " in ran.out
    assert "to mend it: run `make docs`" in ran.out


def test_an_ordinary_edit_inside_a_function_changes_no_region(onepath: Run, clean: Path) -> None:
    edit(
        clean / "shop" / "app" / "flow.py",
        "    return bank",
        "    text = str(request)\n    assert text\n    return bank",
    )
    ran = onepath("docs", "--check")
    assert ran.code == 0, ran.out


def test_broken_markers_write_nothing_anywhere(onepath: Run, shop: Path) -> None:
    (shop / "OTHER.md").write_text("<!-- AUTO:ARCH:BEGIN -->\n")
    edit(shop / "onepath.toml", "[docs]", '"OTHER.md" = { ARCH = "long" }\n\n[docs]')
    before = (shop / "README.md").read_bytes()
    ran = onepath("docs")
    assert ran.code == 2
    assert "OTHER.md:1: ARCH has no END" in ran.err
    assert (shop / "README.md").read_bytes() == before


def test_a_difference_tells_reviewers_what_is_new(onepath: Run, shop: Path, git: Callable[..., None]) -> None:
    assert "the architecture is the same" in onepath("diff", "HEAD").out
    (shop / "shop" / "audit.py").write_text('"""Audits."""\nimport json\nfrom shop.app import flow\n')
    edit(shop / "onepath.toml", '["web", "app", "bank"]', '["web", "app", "bank", "(audit)"]')
    ran = onepath("diff", "HEAD")
    assert ran.code == 0, ran.err
    assert "  + shop.audit" in ran.out
    assert "  + shop → json  (shop/audit.py:2)" in ran.out
    assert "  ~ layers house" in ran.out
    assert "operations on the outside" not in ran.out
    edit(shop / "shop" / "audit.py", "import json\n", "import json, os\nos.system('date')\n")
    assert "operations on the outside\n  + shop → os.system  (shop/audit.py:3)" in onepath("diff", "HEAD").out
    validate(onepath("diff", "HEAD", "--format", "json").out, "diff")
    assert "| + | `shop.audit` |" in onepath("diff", "HEAD", "--format", "md").out
    git("add", ".")
    git("commit", "-q", "-m", "audit")
    assert "  - shop.audit" in onepath("diff", "HEAD", "HEAD~1").out


def test_init_proposes_what_holds_today(onepath: Run, shop: Path) -> None:
    (shop / "onepath.toml").unlink()
    ran = onepath("init")
    assert ran.code == 0, ran.err
    assert 'roots = ["shop"]' in ran.out
    assert 'layers = ["web", "app | framework", "bank"]' in ran.out
    assert '"README.md" = { ARCH = "short", CALLGRAPH = "short" }' in ran.out
    assert onepath("init", "--write").code == 0
    assert onepath("docs").code == 0
    linted = onepath("lint")
    assert linted.code == 0, linted.out
    refused = onepath("init", "--write")
    assert refused.code == 2
    assert "has a configuration already" in refused.err


def test_init_appends_to_a_pyproject_that_is_there(onepath: Run, shop: Path) -> None:
    (shop / "onepath.toml").unlink()
    (shop / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    assert onepath("init", "--write").code == 0
    text = (shop / "pyproject.toml").read_text()
    assert text.startswith('[project]\nname = "shop"\n')
    assert "[[tool.onepath.layers]]" in text
    assert onepath("docs").code == 0
    assert onepath("lint").code == 0


def test_what_does_not_hold_today_is_proposed_as_a_comment(onepath: Run, shop: Path) -> None:
    (shop / "onepath.toml").unlink()
    edit(shop / "shop" / "bank.py", "import socket", "import socket\nfrom shop import web")
    proposed = onepath("init").out
    assert "# In no layer of shop, for they import each other in circles: app, bank, web.\n" in proposed
    assert "# There is 1 circle of imports today" in proposed
    assert "\n# [[acyclic]]\n" in proposed
    assert onepath("init", "--write").code == 0
    assert onepath("docs").code == 0
    assert onepath("lint").code == 0


def test_init_takes_the_commands_of_a_project_as_entries(onepath: Run, shop: Path) -> None:
    scripts = 'buy = "shop.web:buy"\ngone = "shop.web:gone"\nother = "else.where:main"\n'
    (shop / "onepath.toml").unlink()
    (shop / "pyproject.toml").write_text(f'[project]\nname = "shop"\n[project.scripts]\n{scripts}')
    assert '# entries = ["shop.web.buy"]' in onepath("init").out


def test_layers_are_proposed_below_a_namespace_of_one_package(
    onepath: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"core/__init__.py": "", "core/a.py": "from cloud.core import b", "core/b.py": ""}.items():
        (tmp_path / "n" / "cloud" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "n" / "cloud" / name).write_text(text)
    monkeypatch.chdir(tmp_path / "n")
    proposed = onepath("init").out
    assert 'roots = ["cloud"]' in proposed
    assert 'containers = ["cloud.core"]\nlayers = ["a", "b"]' in proposed


def test_init_says_where_it_cannot_write(onepath: Run, shop: Path) -> None:
    (shop / "onepath.toml").unlink()
    (shop / "onepath.toml").mkdir()
    ran = onepath("init", "--write")
    assert ran.code == 2
    assert "onepath.toml: Is a directory; nothing was written" in ran.err


def test_a_root_that_is_not_there_is_told_with_the_configuration_that_names_it(
    onepath: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(shop / "onepath.toml", 'roots = ["shop"]', 'roots = ["shoop"]')
    monkeypatch.chdir(shop / "shop")
    for command in (["lint"], ["graph", "calls"]):
        ran = onepath(*command)
        assert ran.code == 2
        assert f"{shop / 'onepath.toml'}: root `shoop` does not exist" in ran.err


def test_a_page_that_is_not_there_is_no_fault_of_its_markers(onepath: Run, shop: Path) -> None:
    (shop / "README.md").unlink()
    ran = onepath("lint")
    assert ran.code == 1
    assert "instead: write the page with its markers, or take it out of `regions`" in ran.out


def test_an_entry_may_have_any_part_between_its_dots(onepath: Run, shop: Path) -> None:
    (shop / "shop" / "desk.py").write_text(
        "import socket\n\n\nclass Clerk:\n    def buy(self, request):\n        socket.create_connection(request)\n"
    )
    for pattern, found in (("shop.*.buy", False), ("shop.*.Clerk.buy", True), ("shop.*.*.buy", True)):
        text = (shop / "onepath.toml").read_text()
        (shop / "onepath.toml").write_text(text.replace('"@shop.framework.route"', f'"{pattern}"'))
        told = onepath("lint").out
        assert "nothing that runs" not in told
        assert ("shop.desk.Clerk.buy reaches socket.create_connection" in told) is found
        (shop / "onepath.toml").write_text(text)


def test_an_entry_that_names_no_parameter_is_a_fault(onepath: Run, shop: Path) -> None:
    edit(shop / "onepath.toml", '["@shop.framework.route"]', '["@shop.framework.route", "arg:foo", "shop.nobody"]')
    ran = onepath("lint")
    assert ran.code == 2
    assert "entries[1]: arg:foo names no parameter; write `arg:package.function.parameter`" in ran.out
    assert ran.out.count("shop.nobody") == 1


def test_a_baseline_lets_an_old_program_start(onepath: Run, clean: Path) -> None:
    edit(clean / "shop" / "bank.py", "import socket", "import socket\nfrom shop import web")
    assert onepath("lint", "--update-baseline").code == 2
    edit(clean / "onepath.toml", "cache =", 'baseline = "known.json"\ncache =')
    assert onepath("lint").code == 1
    assert onepath("lint", "--update-baseline").code == 0
    assert "in the baseline" in onepath("lint").out


def test_a_file_that_is_no_python_is_told_and_the_rest_is_judged(onepath: Run, clean: Path) -> None:
    (clean / "shop" / "broken.py").write_text("def f(:\n")
    ran = onepath("lint")
    assert "Traceback" not in ran.err
    assert "shop/broken.py:1" in ran.out


def test_output_goes_to_a_file(onepath: Run, clean: Path) -> None:
    assert onepath("lint", "--format", "json", "-o", "out/report.json").out == ""
    validate((clean / "out" / "report.json").read_text(), "report")
