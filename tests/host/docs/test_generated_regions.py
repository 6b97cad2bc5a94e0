"""The generated regions of this repository are fresh, and each way to make them stale is told with its mending.

Each case is a copy of what the regions are made from; facts of unchanged files are shared by all of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from onepath.cli import run
from tools.docs.source import ROOT

PAGES = ("README.md", "src/README.md")
MENDING = "run `python3 -m nox -s docs`"

Docs = Callable[..., tuple[int, str]]


@pytest.fixture
def copy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository as far as onepath reads it; the current folder."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "onepath-facts"
    shared.mkdir(exist_ok=True)
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "onepath").symlink_to(shared)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def docs(capfd: pytest.CaptureFixture[str]) -> Docs:
    """`onepath docs` with these options: exit code and all it said."""

    def ran(*options: str) -> tuple[int, str]:
        capfd.readouterr()
        code = run(["docs", *options])
        said = "".join(capfd.readouterr())
        assert code != 3, said  # a fault of the tool's own: its traceback
        return code, said

    return ran


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {file}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_clean_tree_is_fresh_and_renewing_it_changes_nothing(copy: Path, docs: Docs) -> None:
    before = {page: (copy / page).read_bytes() for page in PAGES}
    assert docs("--check") == (0, "onepath: every region is current\n")
    assert docs()[0] == 0
    assert {page: (copy / page).read_bytes() for page in PAGES} == before


def test_a_line_edited_inside_a_region_is_told_from_a_stale_one(copy: Path, docs: Docs) -> None:
    _edit(copy / "src/README.md", "The host: sockets", "My host: sockets")
    code, said = docs("--check")
    assert code == 1
    assert "OP011 ARCH in src/README.md was edited by hand" in said
    assert "-| [`routecodex/`](routecodex/) | My host: sockets" in said
    assert f"{MENDING}; `--force` overwrites what was written by hand" in said
    assert "is stale" not in said
    code, said = docs()
    assert code == 1
    assert "nothing was written" in said
    assert docs("--force")[0] == 0
    assert (copy / "src/README.md").read_bytes() == (ROOT / "src/README.md").read_bytes()


def test_a_new_module_makes_the_long_form_stale(copy: Path, docs: Docs) -> None:
    (copy / "src/routecodex/app/banner.py").write_text('"""What is said at the start."""\n', encoding="utf-8")
    code, said = docs("--check")
    assert code == 1
    assert "OP011 ARCH in src/README.md is stale: the program says something else now" in said
    assert "[`banner.py`](routecodex/app/banner.py) | What is said at the start. |" in said
    assert f"to mend it: {MENDING}" in said
    assert "in README.md" not in said


def test_another_default_makes_the_matrix_stale_in_both_pages(copy: Path, docs: Docs) -> None:
    table = copy / "src/routecodex/app/switches.py"
    _edit(table, '("observe", "active"),', '("active", "observe"),')
    _edit(table, '= "observe"', '= "active"')
    code, said = docs("--check")
    assert code == 1
    for page in PAGES:
        assert f"OP011 ARCH in {page} is stale: the program says something else now" in said
    assert "+| `controlWs.mode` | **active** | observe |" in said
    assert f"to mend it: {MENDING}" in said


def test_an_ordinary_edit_inside_a_function_changes_no_region(copy: Path, docs: Docs) -> None:
    _edit(
        copy / "src/routecodex/cli/client.py",
        "        names = {name.lower(): value for name, value in response.getheaders()}\n",
        "        # Names of headers are compared in lower case.\n"
        "        names = {}\n"
        "        for name, value in response.getheaders():\n"
        "            names[name.lower()] = value\n",
    )
    _edit(copy / "src/routecodex/app/server.py", "KEEP_ALIVE: Final = 75\n", "KEEP_ALIVE: Final = 90\n")
    assert docs("--check") == (0, "onepath: every region is current\n")
