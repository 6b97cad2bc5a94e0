"""Patterns of `match`: what they bind, and what they say of the subject's type."""

from __future__ import annotations

from typing import Any

import libcst as cst

from onepath.facts.expressions import expression, operate
from onepath.facts.flow import Body
from onepath.facts.model import NONE, Copy, Item, MatchClass, Narrow, Unpack
from onepath.facts.module import Writer


def pattern(writer: Writer, body: Body, node: Any, subject: int, name: str = "") -> bool:
    """Write a pattern matched against `subject`; whether it always matches. `name` is narrowed with it."""
    if isinstance(node, cst.MatchAs):
        always = node.pattern is None or pattern(writer, body, node.pattern, subject, name)
        if node.name is not None:
            now = subject
            if name and body.now is not None:
                now = body.now.get(body.names.spelled(name), subject)
            _bind(body, node.name.value, now)
        return always
    if isinstance(node, cst.MatchOr):
        # Bindings of all alternatives are joined; each narrows on its own.
        before = body.branch()
        ends = []
        always = False
        for one in node.patterns:
            body.now = dict(before or {})
            always = pattern(writer, body, one.pattern, subject, name) or always
            ends.append(body.now)
        body.meet(ends)
        return always
    if isinstance(node, cst.MatchValue):
        value = expression(writer, body, node.value)
        if subject != NONE:
            operate(body, subject, value, "__eq__", "__eq__", writer.line(node))
        return False
    if isinstance(node, cst.MatchClass):
        _class(writer, body, node, subject, name)
        return False
    if isinstance(node, cst.MatchList | cst.MatchTuple):
        _sequence(writer, body, node, subject)
        return False
    if isinstance(node, cst.MatchMapping):
        for element in node.elements:
            inner = body.new()
            key = expression(writer, body, _value_of(element.key))
            if subject != NONE:
                body.emit(Item(inner, subject, key, writer.line(node)))
            pattern(writer, body, element.pattern, inner)
        if node.rest is not None:
            _bind(body, node.rest.value, subject)
        return False
    return False


def _value_of(node: Any) -> Any:
    return node.value if isinstance(node, cst.MatchValue) else node


def _bind(body: Body, name: str, subject: int) -> None:
    if subject != NONE:
        copy = body.new()
        body.emit(Copy(copy, (subject,)))
        body.bind(name, copy)


def _class(writer: Writer, body: Body, node: cst.MatchClass, subject: int, name: str) -> None:
    kind = expression(writer, body, node.cls)
    if kind == NONE or subject == NONE:
        return
    narrowed = body.new()
    body.emit(Narrow(narrowed, subject, kind, True))
    if name and body.now is not None and body.names.spelled(name) in body.now:
        body.now[body.names.spelled(name)] = narrowed
    for index, element in enumerate(node.patterns):
        inner = body.new()
        body.emit(MatchClass(inner, narrowed, kind, "", index))
        pattern(writer, body, element.value, inner)
    for keyword in node.kwds:
        inner = body.new()
        body.emit(MatchClass(inner, narrowed, kind, keyword.key.value, NONE))
        pattern(writer, body, keyword.pattern, inner)


def _sequence(writer: Writer, body: Body, node: cst.MatchList | cst.MatchTuple, subject: int) -> None:
    count = len(node.patterns)
    star = next((at for at, one in enumerate(node.patterns) if isinstance(one, cst.MatchStar)), count)
    for position, element in enumerate(node.patterns):
        inner = body.new()
        index = position if position <= star else position - count
        if subject != NONE:
            body.emit(Unpack(inner, subject, index, position == star, writer.line(node)))
        if isinstance(element, cst.MatchStar):
            if element.name is not None:
                _bind(body, element.name.value, inner)
        else:
            pattern(writer, body, element.value, inner)
