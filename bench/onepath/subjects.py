"""What is measured: onepath's commands, the bare parsers, and the neighbours in an environment of their own.

A subject is a name and how it runs on a tree. Neighbours are pinned here and installed on first use.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.onepath.taking import Taken, take
from bench.onepath.trees import CACHE, ROOT, Tree
from bench.processes import BenchError

_SOURCE: Final = ROOT / "tools" / "onepath" / "src"
_PEERS: Final = ("import-linter==2.16", "grimp==3.19", "pyan3==2.9.0")
_LINTED: Final = (0, 1)
"""Findings are an answer; 2 and 3 are not."""

_PARSE: Final = """
import gc, sys
gc.disable()
sys.setrecursionlimit(20000)
{prelude}
for name in open(sys.argv[1]):
    with open(name.rstrip("\\n"), "rb") as file:
        data = file.read()
    try:
        {parse}(data)
    except Exception:
        pass
"""
_GRIMP: Final = """
import sys, grimp
sys.path.insert(0, ".")
graph = grimp.build_graph(*sys.argv[1:], cache_dir=None)
print(len(graph.modules), graph.count_imports())
"""
_COUNT: Final = """
import json, sys
from pathlib import Path
import onepath
from onepath.config import read_project
program = onepath.load(read_project(Path(sys.argv[1])), jobs=1).program
kinds = [edge.kind for edge in program.edges]
print(json.dumps({
    "modules": len(program.modules), "functions": len(program.functions), "imports": len(program.imports),
    "call": kinds.count("call"), "may-call": kinds.count("may-call"), "calls": program.calls_total,
    "unknown": len(program.unknown), "opaque": len(program.opaque), "faults": len(program.faults)}))
"""


@dataclass(frozen=True)
class Subject:
    """One way to read a tree."""

    name: str
    run: Callable[[Tree], Taken]
    slow: bool = False
    """Whether one round is enough: it takes a minute and more."""


def onepath(tree: Tree, *arguments: str) -> Taken:
    """`onepath …` on a tree, in a process of its own."""
    command = [sys.executable, "-m", "onepath", *arguments, "--quiet", "--config", str(tree.config)]
    return take(command, tree.folder, environment=environment(), lawful=_LINTED)


def environment() -> Mapping[str, str]:
    """In which onepath is that of this tree, and its order the same in every run.

    Its byte code is kept as that of an installed program is, the neighbours' among them; else each run compiles it.
    """
    paths = [str(_SOURCE), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def cold(jobs: int) -> Callable[[Tree], Taken]:
    """`onepath lint` with no cache, in so many processes."""

    def run(tree: Tree) -> Taken:
        tree.forget()
        return onepath(tree, "lint", "--jobs", str(jobs))

    return run


def warm(tree: Tree) -> Taken:
    """`onepath lint` of a tree in which nothing changed."""
    return onepath(tree, "lint")


def changed(tree: Tree) -> Taken:
    """`onepath lint` after a function was added to one central file."""
    with tree.changed():
        taken = onepath(tree, "lint")
    onepath(tree, "lint")
    return taken


def counts(tree: Tree) -> dict[str, int]:
    """Sizes of the graph: edges by kind, calls, unknown receivers … Raises BenchError if there is no graph."""
    ran = take([sys.executable, "-c", _COUNT, str(tree.config)], tree.folder, environment=environment())
    if ran.failed:
        raise BenchError(f"{tree.name} was not read: {ran.failed}")
    found: dict[str, int] = json.loads(ran.output.splitlines()[-1])
    return found


def parser(prelude: str, parse: str) -> Callable[[Tree], Taken]:
    """All files through one parser, garbage collection off."""

    def run(tree: Tree) -> Taken:
        listed = CACHE / f"{tree.name.replace(' ', '-')}.files"
        listed.write_text("".join(f"{path}\n" for path in tree.files))
        return take([sys.executable, "-c", _PARSE.format(prelude=prelude, parse=parse), str(listed)], tree.folder)

    return run


def _peers() -> Path:
    """The bin folder of the neighbours' environment. Raises BenchError if they cannot be installed."""
    folder = CACHE / "peers"
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != "\n".join(_PEERS):
        venv.create(folder, with_pip=True, clear=True)
        install = [str(folder / "bin" / "pip"), "install", "-qq", *_PEERS]
        told = subprocess.run(install, capture_output=True, text=True, check=False)
        if told.returncode:
            raise BenchError(f"{', '.join(_PEERS)} cannot be installed:\n{told.stderr.strip()[-500:]}")
        stamp.write_text("\n".join(_PEERS))
    return folder / "bin"


def import_linter(tree: Tree) -> Taken:
    """`lint-imports` with one contract on circles, no cache."""
    packages = "".join(f"\n    {Path(package).name}" for package in tree.packages)
    config = CACHE / f"{tree.name.replace(' ', '-')}.importlinter"
    config.write_text(
        f"[importlinter]\nroot_packages ={packages}\n\n"
        f"[importlinter:contract:one]\nname = one\ntype = acyclic_siblings\nancestors ={packages}\n"
    )
    command = [str(_peers() / "lint-imports"), "--no-cache", "--config", str(config)]
    return take(command, tree.folder / Path(tree.packages[0]).parent, lawful=_LINTED)


def grimp(tree: Tree) -> Taken:
    """grimp's import graph, no cache."""
    folder = tree.folder / Path(tree.packages[0]).parent
    return take([str(_peers() / "python"), "-c", _GRIMP, *(Path(package).name for package in tree.packages)], folder)


def pyan3(tree: Tree) -> Taken:
    """pyan3's call graph of all files, as text for graphviz."""
    files = [str(path) for path in tree.files]
    command = [str(_peers() / "pyan3"), *files, "--uses", "--no-defines", "--dot", "--file", os.devnull]
    return take(command, tree.folder, patience=900)


COLD: Final = Subject("onepath lint, cold, 1 process", cold(1))
COLD_TWO: Final = Subject("onepath lint, cold, 2 processes", cold(2))
WARM: Final = Subject("onepath lint, warm", warm)
CHANGED: Final = Subject("onepath lint, one file changed", changed)
LIBCST: Final = Subject("libcst.parse_module, gc off", parser("import libcst", "libcst.parse_module"))
AST: Final = Subject("ast.parse, gc off", parser("import ast", "ast.parse"))
GRIMP: Final = Subject("grimp (imports only)", grimp)
IMPORT_LINTER: Final = Subject("import-linter (imports only)", import_linter)
PYAN3: Final = Subject("pyan3 (calls)", pyan3, slow=True)
