"""How an expression is written: by whoever is in the table for its kind of syntax, in operations of a body.

Who that is, is not known here: `expressions` fills the table. What nearly all of them write is here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from onepath.facts.flow import Body
from onepath.facts.model import NONE, Constant, Operate
from onepath.facts.module import Writer

TABLE: Final[dict[type, Callable[[Writer, Body, Any], int]]] = {}
"""By kind of expression: who writes it. `expressions` fills it."""


def expression(writer: Writer, body: Body, node: Any) -> int:
    """Write an expression; its variable."""
    if body.now is None:
        return NONE
    write = TABLE.get(node.__class__)
    return NONE if write is None else write(writer, body, node)


def constant(body: Body, kind: str) -> int:
    dst = body.new()
    body.emit(Constant(dst, kind))
    return dst


def operate(body: Body, left: int, right: int, method: str, reflected: str, line: int) -> int:
    if left == NONE:
        return NONE
    dst = body.new()
    body.emit(Operate(dst, left, right, method, reflected, line))
    return dst
