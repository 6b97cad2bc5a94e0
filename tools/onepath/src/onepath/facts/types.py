"""Annotations as written, with strings among them read: expressions in, small trees out.

Names stay names: what they are bound to is asked later, when all modules are known.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from onepath.facts.model import Annotation

NOTHING: Final = Annotation("")
_DEEP: Final = 12


def annotation_of(node: cst.BaseExpression, depth: int = 0) -> Annotation:
    """The type an expression writes; the empty name where it is no type."""
    if depth > _DEEP:
        return NOTHING
    if isinstance(node, cst.Name):
        return Annotation("None" if node.value == "None" else node.value)
    if isinstance(node, cst.Attribute):
        name = dotted(node)
        return Annotation(name) if name else NOTHING
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return Annotation("|", (annotation_of(node.left, depth + 1), annotation_of(node.right, depth + 1)))
    if isinstance(node, cst.Subscript):
        return _subscript(node, depth)
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return _quoted(node, depth)
    if isinstance(node, cst.List):
        return Annotation("[]", tuple(annotation_of(one.value, depth + 1) for one in node.elements))
    if isinstance(node, cst.Call):
        return Annotation("=" + cst.Module([]).code_for_node(node))
    return NOTHING


def _subscript(node: cst.Subscript, depth: int) -> Annotation:
    base = dotted(node.value)
    arguments: list[Annotation] = []
    last = base.rpartition(".")[2]
    for one in node.slice:
        if isinstance(one.slice, cst.Index):
            if last == "Literal":
                arguments.append(_literal(one.slice.value))
            else:
                arguments.append(annotation_of(one.slice.value, depth + 1))
    return Annotation(base, tuple(arguments))


def _literal(node: cst.BaseExpression) -> Annotation:
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        if isinstance(value, str):
            return Annotation("'" + value)
    return NOTHING


def _quoted(node: cst.SimpleString | cst.ConcatenatedString, depth: int) -> Annotation:
    value = node.evaluated_value
    if not isinstance(value, str):
        return NOTHING
    try:
        return annotation_of(cst.parse_expression(value.strip()), depth + 1)
    except cst.ParserSyntaxError:
        return NOTHING


def dotted(node: cst.BaseExpression) -> str:
    """`a.b.c` of names and attributes; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return ""
    parts.append(node.value)
    return ".".join(reversed(parts))
