"""The shared module is pure: it imports the standard library's harmless part and msgspec, and nothing that does I/O."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import llmswitch_core

ROOT = Path(llmswitch_core.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

FORBIDDEN = frozenset(
    {
        "asyncio",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    }
)


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 40


def test_it_imports_only_the_standard_library_msgspec_and_itself() -> None:
    foreign = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in FILES
        for name in imports(path)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "msgspec", "llmswitch_core"}
    }
    assert foreign == set()


def test_it_imports_nothing_that_reads_clocks_files_sockets_or_randomness() -> None:
    impure = {
        (path.relative_to(ROOT).as_posix(), name) for path in FILES for name in imports(path) if name in FORBIDDEN
    }
    assert impure == set()


def test_it_reads_no_clock_through_datetime() -> None:
    calls = {
        (path.relative_to(ROOT).as_posix(), node.func.attr)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        and not (
            isinstance(node.func.value, ast.Attribute) and node.func.value.attr in {"_surroundings", "surroundings"}
        )
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "surroundings")
    }
    assert calls == set()


def test_it_calls_neither_open_nor_print() -> None:
    calls = {
        (path.relative_to(ROOT).as_posix(), node.func.id)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}
    }
    assert calls == set()


def test_importing_it_opens_no_socket_and_loads_no_event_loop() -> None:
    modules = [
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__") for path in FILES
    ]
    code = (
        "import sys\n"
        + "".join(f"import {module}\n" for module in modules)
        + "print(sorted({'socket', 'asyncio', 'ssl', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
