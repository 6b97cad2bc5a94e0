"""A copy of the tree without one row: the table, the registry, the project's file, the pages, the tests.

What goes from production code is the first side's modules, the row, and its entries where the registry names sides; a
module beside the registry that imports the first side is a fault, and told.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.converged import pages
from tools.converged.editing import Source
from tools.converged.removing import Gone, Module, tests, without_elements, without_orphans
from tools.converged.rows import Row, file_of, first_side

TABLE: Final = "src/routecodex/app/switches.py"
REGISTRY: Final = ("src/routecodex/app/sides.py", "src/routecodex/app/worker.py")
"""Which production modules may name a side."""
_WORKSHOP: Final = ("tests/", "tools/", "bench/")
_PROJECT: Final = "pyproject.toml"
_SELF: Final = "tools/converged/"
_HOST: Final = "tests/host/"
_MOST: Final = 0.15
"""The share of the host's tests that may go with one row: were it more, the row would not be what they are about."""


class ConvergenceError(Exception):
    """The row cannot go by this alone; the message says what holds it."""


@dataclass
class Removed:
    """What went."""

    files: list[str] = field(default_factory=list)
    """The first side's."""
    test_files: list[str] = field(default_factory=list)
    """Modules of tests and tools of which nothing was left."""
    tests: list[str] = field(default_factory=list)
    """`file::name`."""
    others: list[str] = field(default_factory=list)
    """Helpers, fixtures and constants of tests and tools."""
    share: float = 0.0
    """Of the host's tests."""


def copy(root: Path, target: Path) -> None:
    """Every file that is in the repository, as it stands."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)  # noqa: S607
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name, follow_symlinks=False)


def converge(root: Path, row: Row) -> Removed:
    """Take the row out of this tree. Raises ConvergenceError."""
    before = [name for name in _tests(root) if name.startswith(_HOST)]
    modules = first_side(root, row)
    removed = Removed(files=[file_of(module) for module in modules])
    for name in removed.files:
        (root / name).unlink()
    gone = Gone(row, set(modules), set(removed.files))
    _table(root, row)
    for name in REGISTRY:
        _rewrite(root / name, Module(name, (root / name).read_text(encoding="utf-8"), gone), whole=False)
    _check_production(root, gone)
    _differential(root, row, gone, removed)
    _project(root, gone)
    _workshop(root, gone, removed)
    pages.rewrite(root, row.key, removed.files)
    went = [name for name in removed.tests if name.startswith(_HOST)]
    removed.share = len(went) / len(before)
    if removed.share >= _MOST:
        raise ConvergenceError(f"{len(went)} of the host's {len(before)} tests would go: {', '.join(went)}")
    return removed


# --- production ----------------------------------------------------------------------------------------------


def _table(root: Path, row: Row) -> None:
    """Row, combinations and field."""
    path = root / TABLE
    source = Source(path.read_text(encoding="utf-8"))
    private = [node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id.startswith("_")]

    def names(node: ast.AST) -> bool:
        return any(isinstance(each, ast.Constant) and each.value == row.key for each in ast.walk(node))

    for table in ("SWITCHES", "COMBINATIONS"):
        source = without_elements(source, table, names)
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "SwitchVector":
            for member in node.body:
                if isinstance(member, ast.AnnAssign) and ast.unparse(member.target) == row.field:
                    path.write_text(
                        without_orphans(source.without_statement(member, node.body), private).text, encoding="utf-8"
                    )
                    return
    raise ConvergenceError(f"{TABLE}: SwitchVector has no field {row.field}")


def _check_production(root: Path, gone: Gone) -> None:
    """Nobody beside the registry names what is gone."""
    named = [
        path.relative_to(root).as_posix()
        for path in sorted((root / "src").rglob("*.py"))
        if Module(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"), gone).uses(
            ast.parse(path.read_text(encoding="utf-8"))
        )
    ]
    if named:
        raise ConvergenceError(f"{', '.join(named)} name the first side of {gone.row}")


def _project(root: Path, gone: Gone) -> None:
    """Lines of the project's file that name what is gone: entries of lists, settings under the row's key."""
    path = root / _PROJECT
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.lstrip().startswith("#") or not gone.told(line)]
    tomllib.loads("".join(kept))
    path.write_text("".join(kept), encoding="utf-8")


# --- tests and tools -----------------------------------------------------------------------------------------


def _differential(root: Path, row: Row, gone: Gone, removed: Removed) -> None:
    """The row's differential test goes with it, unless it is another row's too."""
    settings = tomllib.loads((root / _PROJECT).read_text(encoding="utf-8"))["tool"]["onepath"]["switches"][
        "differentials"
    ]
    name = settings.get(row.key)
    if name is None or name in [other for key, other in settings.items() if key != row.key]:
        return
    removed.tests += [f"{name}::{test}" for test in tests(ast.parse((root / name).read_text(encoding="utf-8")))]
    _delete(root, Module(name, (root / name).read_text(encoding="utf-8"), gone), gone, removed)


def _workshop(root: Path, gone: Gone, removed: Removed) -> None:
    """Tests, tools and benchmarks, until nothing changes."""
    names = [
        path.relative_to(root).as_posix() for folder in _WORKSHOP for path in sorted((root / folder).rglob("*.py"))
    ]
    modules = {
        name: Module(name, (root / name).read_text(encoding="utf-8"), gone)
        for name in names
        if not name.startswith((_SELF, "tools/onepath/tests/", "tools/onepath/src/"))
    }
    changed = True
    while changed:
        changed = False
        for name, module in list(modules.items()):
            had = not module.is_bare()
            if module.clean(whole=True):
                changed = True
                _rewrite(root / name, module, whole=True)
                if had and module.is_bare():
                    _delete(root, module, gone, removed)
                    _report(modules.pop(name), removed)
    for module in modules.values():
        _report(module, removed)


def _report(module: Module, removed: Removed) -> None:
    removed.tests += [f"{module.path}::{name}" for name in module.tests]
    removed.others += [f"{module.path}::{name}" for name in module.taken]


def _delete(root: Path, module: Module, gone: Gone, removed: Removed) -> None:
    (root / module.path).unlink()
    gone.modules.add(module.name)
    removed.test_files.append(module.path)


def _rewrite(path: Path, module: Module, *, whole: bool) -> None:
    module.clean(whole=whole)
    path.write_text(module.source.text, encoding="utf-8")


def _tests(root: Path) -> Iterator[str]:
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name in tests(ast.parse(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(root).as_posix()}::{name}"
