"""Bytes of one file in, its facts out. It never raises for what is in the file: a fault is a fact.

CPython's own parser reads: what it refuses is no program. What is nested deeper than it reads is refused by it, too;
what it has read may be as deep as that, so everything from here on recurses in Python frames alone, which need none of
the machine's stack.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from onepath.facts.blocks import block
from onepath.facts.model import NONE, ModuleFacts, StoreGlobal
from onepath.facts.module import Writer
from onepath.garbage import not_collecting

_PARSING: Final = 1000
"""Calls that the parser may nest, as CPython counts them. It uses the machine's stack, and it has its limit by this."""
_WRITING: Final = 60_000
"""Frames: several for each level of syntax that the parser reads."""


def extract(source: bytes, module: str, file: str, *, is_package: bool = False) -> ModuleFacts:
    """The facts of one file, read as module `module`."""
    facts = ModuleFacts(module, file, is_package)
    with warnings.catch_warnings(), not_collecting():
        warnings.simplefilter("ignore")
        try:
            depth = _depth()
            tree = _parsed(source, depth)
            with _recursion(max(depth + _WRITING, sys.getrecursionlimit())):
                _write(facts, tree, source, module if is_package else module.rpartition(".")[0])
        except _RefusedError as refused:
            return ModuleFacts(module, file, is_package, fault=refused.reason, fault_line=refused.line)
        except (RecursionError, MemoryError):
            return ModuleFacts(module, file, is_package, fault="is nested too deeply to be read", fault_line=1)
    return facts


def extract_text(source: str, module: str, file: str) -> ModuleFacts:
    """The facts of a piece of source known at analysis time, such as what is given to `exec`."""
    return extract(source.encode("utf-8", "surrogatepass"), module, file)


class _RefusedError(Exception):
    """CPython would not run this."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def _parsed(source: bytes, depth: int) -> ast.Module:
    try:
        with _recursion(min(depth + _PARSING, sys.getrecursionlimit())):
            return ast.parse(source)
    except SyntaxError as error:
        raise _RefusedError(f"is no Python that this interpreter reads: {error.msg}", error.lineno or 1) from error
    except (ValueError, LookupError) as error:
        raise _RefusedError(f"cannot be parsed: {error}") from error


def _write(facts: ModuleFacts, tree: ast.Module, source: bytes, package: str) -> None:
    writer = Writer(facts, tree, source, package)
    body = writer.open_scope(tree, "", "", "module", NONE, 1)
    block(writer, body, tree.body)
    for name, var in (body.now or {}).items():
        if "@" not in name:
            body.emit(StoreGlobal(name, var))
    body.finish()
    writer.survey.forget()


def _depth() -> int:
    """How deep in calls we are: text is read in the midst of linking, which goes deep."""
    frame, depth = sys._getframe().f_back, 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


@contextmanager
def _recursion(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
