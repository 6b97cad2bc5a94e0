"""Annotations as written, with strings among them read: expressions in, small trees out.

Names stay names: what they are bound to is asked later, when all modules are known.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.util import decode_source
from typing import Final

from onepath.facts.model import Annotation
from onepath.facts.syntax import dotted

NOTHING: Final = Annotation("")
_DEEP: Final = 12
_LONG: Final = 5000
"""Characters beyond which a string is no annotation: a level of syntax takes one, and the parser has its limits."""


def annotation_of(node: ast.expr, source: bytes | str, depth: int = 0) -> Annotation:
    """The type an expression in `source` writes; the empty name where it is no type."""
    if depth > _DEEP:
        return NOTHING
    if isinstance(node, ast.Name):
        return Annotation(node.id)
    if isinstance(node, ast.Attribute):
        name = dotted(node)
        return Annotation(name) if name else NOTHING
    if isinstance(node, ast.Constant):
        return _constant(node, depth)
    if isinstance(node, ast.Subscript):
        return _subscript(node, source, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = annotation_of(node.left, source, depth + 1), annotation_of(node.right, source, depth + 1)
        return Annotation("|", (left, right))
    if isinstance(node, ast.List):
        return Annotation("[]", tuple([annotation_of(_unstarred(one), source, depth + 1) for one in node.elts]))
    if isinstance(node, ast.Call):
        return Annotation("=" + _written(node, source))
    return NOTHING


def _subscript(node: ast.Subscript, source: bytes | str, depth: int) -> Annotation:
    base = dotted(node.value)
    literal = base.rpartition(".")[2] == "Literal"
    inside = node.slice
    several = inside.elts if isinstance(inside, ast.Tuple) and inside.elts else [inside]
    arguments = [
        _literal(one) if literal else annotation_of(_unstarred(one), source, depth + 1)
        for one in several
        if not isinstance(one, ast.Slice)
    ]
    return Annotation(base, tuple(arguments))


def _unstarred(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Starred) else node


def _literal(node: ast.expr) -> Annotation:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Annotation("'" + node.value)
    return NOTHING


def _constant(node: ast.Constant, depth: int) -> Annotation:
    """A quoted type, or a name that the language keeps for itself."""
    value = node.value
    if value is None or isinstance(value, bool):
        return Annotation(str(value))
    if not isinstance(value, str) or len(value) > _LONG:
        return NOTHING
    text = value.strip()
    try:
        inner = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return NOTHING
    return annotation_of(inner, text, depth + 1)


def _written(node: ast.expr, source: bytes | str) -> str:
    """An expression as it stands in the source."""
    lines = _lines(source)[node.lineno - 1 : node.end_lineno]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"\n".join(lines).decode()


@lru_cache(maxsize=2)
def _lines(source: bytes | str) -> list[bytes]:
    """The lines of a source as the parser counts them, and as it counts columns: in UTF-8."""
    text = decode_source(source) if isinstance(source, bytes) else source.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode().split(b"\n")
