"""Reading source text: docstrings of attributes, calls that name an error, constants. Nothing is imported here.

It knows Python's syntax tree. What a finding means is the page's that asked.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


@cache
def modules() -> dict[str, ast.Module]:
    """Path below `src/` -> tree, in a stable order."""
    found = sorted(SRC.rglob("*.py"), key=lambda path: path.relative_to(SRC).as_posix())
    return {path.relative_to(SRC).as_posix(): ast.parse(path.read_bytes()) for path in found}


def module_doc(path: str) -> str:
    """The docstring of a module below `src/`, unindented."""
    return ast.get_docstring(modules()[path]) or ""


def attribute_docs(path: str, name: str) -> dict[str, str]:
    """Field -> the string literal below it, for class `name` of the module at `path`."""
    for node in modules()[path].body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return dict(_documented(node.body))
    raise KeyError(f"{path} has no class {name}")


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, following in itertools.pairwise(body):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = following.value.value
            if isinstance(text, str):
                yield statement.target.id, inspect.cleandoc(text)


def class_doc(path: str, name: str) -> str:
    """The docstring of a class, or nothing."""
    for node in modules()[path].body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return ast.get_docstring(node) or ""
    raise KeyError(f"{path} has no class {name}")


@cache
def calls(tree: ast.AST) -> tuple[ast.Call, ...]:
    """Every call, in the order of the text."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return tuple(sorted(found, key=lambda node: (node.lineno, node.col_offset)))


def called(call: ast.Call) -> str:
    """The last name of what is called: `fault` for `self._loaded.fault(…)`."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """An argument by place or by name."""
    for given in call.keywords:
        if given.arg == keyword:
            return given.value
    plain = [value for value in call.args if not isinstance(value, ast.Starred)]
    return plain[position] if position < len(plain) and len(plain) == len(call.args) else None


def words(node: ast.expr | None) -> str | None:
    """The text of a string literal; of an f-string with `…` where a value stands. None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [piece.value if isinstance(piece, ast.Constant) else "…" for piece in node.values]
        return "".join(str(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = words(node.left), words(node.right)
        return None if left is None and right is None else f"{left or '…'}{right or '…'}"
    return None


def strings(tree: ast.AST) -> Iterator[str]:
    """Every string and bytes literal as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode("latin-1")
