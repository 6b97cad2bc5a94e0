"""Bytes of one file in, its facts out. It never raises for what is in the file: a fault is a fact.

CPython's own parser reads first: what it refuses never reaches libcst, whose native parser has crashed on input nested
too deeply.
"""

from __future__ import annotations

import ast
import gc
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Final, TypeVar

import libcst as cst

from onepath.facts.model import NONE, ModuleFacts, StoreGlobal
from onepath.facts.module import Writer
from onepath.facts.statements import block

_DEEPEST: Final = 1500
"""Levels of syntax beyond which a file is refused; libcst's native parser needs the stack for each."""
_STACK: Final = 512 * 1024 * 1024
_RECURSION: Final = 60_000
Result = TypeVar("Result")


def extract(source: bytes, module: str, file: str, *, is_package: bool = False) -> ModuleFacts:
    """The facts of one file, read as module `module`."""
    facts = ModuleFacts(module, file, is_package)
    package = module if is_package else module.rpartition(".")[0]
    refused = _refusal(source)
    if refused is not None:
        facts.fault, facts.fault_line = refused
        return facts
    try:
        with _much_recursion():
            with _no_validation():
                tree = cst.parse_module(source)
            _write(facts, tree, package)
    except cst.ParserSyntaxError as error:
        return ModuleFacts(
            module, file, is_package, fault=f"cannot be read: {error.message}", fault_line=error.raw_line
        )
    except (RecursionError, MemoryError):
        return ModuleFacts(module, file, is_package, fault="is nested too deeply to be read", fault_line=1)
    except UnicodeDecodeError as error:
        return ModuleFacts(module, file, is_package, fault=f"cannot be decoded: {error.reason}", fault_line=1)
    return facts


def extract_text(source: str, module: str, file: str) -> ModuleFacts:
    """The facts of a piece of source known at analysis time, such as what is given to `exec`."""
    return extract(source.encode("utf-8", "surrogatepass"), module, file)


def _refusal(source: bytes) -> tuple[str, int] | None:
    """Why CPython would not run this, and where."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        return f"is no Python that this interpreter reads: {error.msg}", error.lineno or 1
    except (ValueError, RecursionError, MemoryError, LookupError, UnicodeError) as error:
        return f"cannot be parsed: {error}", 1
    return _too_deep(tree, source) if len(source) > _DEEPEST else None


def _too_deep(tree: ast.AST, source: bytes) -> tuple[str, int] | None:
    """Whether syntax is nested deeper than is safe. A level takes a byte at least, so short nodes are not entered."""
    starts = [0, *accumulate(len(line) for line in source.splitlines(keepends=True)), len(source)]
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            return "is nested too deeply to be read", getattr(level[0], "lineno", 1)
        enough = _DEEPEST - depth
        below: list[ast.AST] = []
        for node in level:
            for child in ast.iter_child_nodes(node):
                end = getattr(child, "end_lineno", None)
                if end is not None:
                    line = child.lineno  # type: ignore[attr-defined]
                    size = child.end_col_offset - child.col_offset  # type: ignore[attr-defined]
                    if (size if line == end else size + starts[end - 1] - starts[line - 1]) < enough:
                        continue
                below.append(child)
        level = below
    return None


def _write(facts: ModuleFacts, tree: cst.Module, package: str) -> None:
    writer = Writer(facts, tree, package)
    body = writer.open_scope(tree, "", "", "module", NONE, 1)
    block(writer, body, tree.body)
    for name, var in (body.now or {}).items():
        if "@" not in name:
            body.emit(StoreGlobal(name, var))
    body.finish()


@contextmanager
def _much_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        if collecting:
            gc.enable()


@contextmanager
def _no_validation() -> Iterator[None]:
    """libcst holds each node it makes against its rules; those of a parsed tree keep them (a tenth of the time)."""
    before = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = _accept  # type: ignore[method-assign]
    try:
        yield
    finally:
        cst.CSTNode.__post_init__ = before  # type: ignore[method-assign]


def _accept(self: cst.CSTNode) -> None:
    """Whatever the parser made."""


def in_deep_thread(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread whose stack is deep enough for libcst's native parser."""
    outcome: list[Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            faults.append(error)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if faults:
        raise faults[0]
    return outcome[0]
