"""Constants and formatted texts: syntax in, operations out."""

from __future__ import annotations

import ast
from collections.abc import Sequence as Items
from typing import Final

from onepath.facts.flow import Body
from onepath.facts.model import NONE, Bytes, Format, Number, Text
from onepath.facts.module import Writer
from onepath.facts.writing import constant, expression, operate

_CONVERSIONS: Final = {ord("s"): "__str__", ord("r"): "__repr__", ord("a"): "__repr__"}
_LARGE: Final = 2**62


def write_constant(writer: Writer, body: Body, node: ast.Constant) -> int:
    value = node.value
    if isinstance(value, str):
        return _text(body, value)
    if isinstance(value, bytes):
        dst = body.new()
        body.emit(Bytes(dst, value.decode("latin-1")))
        return dst
    if isinstance(value, int) and not isinstance(value, bool):
        return write_number(body, value)
    return constant(body, "float" if isinstance(value, complex) else type(value).__name__)


def write_number(body: Body, value: int) -> int:
    if not -_LARGE < value < _LARGE:
        return constant(body, "int")
    dst = body.new()
    body.emit(Number(dst, value))
    return dst


def _text(body: Body, value: str) -> int:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return constant(body, "str")
    dst = body.new()
    body.emit(Text(dst, value))
    return dst


def write_formatted(writer: Writer, body: Body, node: ast.JoinedStr) -> int:
    parts = _parts(writer, body, node.values)
    dst = body.new()
    body.emit(Format(dst, tuple(parts), node.lineno))
    return dst


def _parts(writer: Writer, body: Body, parts: Items[ast.expr]) -> list[int]:
    found: list[int] = []
    for part in parts:
        if not isinstance(part, ast.FormattedValue):
            if not isinstance(part, ast.Constant) or part.value:  # 3.12 has empty texts beside values
                found.append(expression(writer, body, part))
            continue
        inner = expression(writer, body, part.value)
        method = _CONVERSIONS.get(part.conversion)
        if method is not None and inner != NONE:
            inner = operate(body, inner, NONE, method, "", part.value.lineno)
        found.append(inner if inner != NONE else constant(body, "str"))
        if isinstance(part.format_spec, ast.JoinedStr):
            specification = _parts(writer, body, part.format_spec.values)
            if any(isinstance(one, ast.FormattedValue) for one in part.format_spec.values):
                body.emit(Format(body.new(), tuple(specification), part.value.lineno))
    return found
