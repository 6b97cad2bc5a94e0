"""Patterns of `match`: what they bind, and what they say of the subject's type."""

from __future__ import annotations

import ast

from onepath.facts.flow import Body
from onepath.facts.model import NONE, Copy, Item, MatchClass, Narrow, Unpack
from onepath.facts.module import Writer
from onepath.facts.writing import expression, operate


def pattern(writer: Writer, body: Body, node: ast.pattern, subject: int, name: str = "") -> bool:
    """Write a pattern matched against `subject`; whether it always matches. `name` is narrowed with it."""
    if isinstance(node, ast.MatchAs):
        always = node.pattern is None or pattern(writer, body, node.pattern, subject, name)
        if node.name is not None:
            now = subject
            if name and body.now is not None:
                now = body.now.get(body.names.spelled(name), subject)
            _bind(body, node.name, now)
        return always
    if isinstance(node, ast.MatchOr):
        # Bindings of all alternatives are joined; each narrows on its own.
        before = body.branch()
        ends = []
        always = False
        for one in node.patterns:
            body.now = dict(before or {})
            always = pattern(writer, body, one, subject, name) or always
            ends.append(body.now)
        body.meet(ends)
        return always
    if isinstance(node, ast.MatchValue):
        value = expression(writer, body, node.value)
        if subject != NONE:
            operate(body, subject, value, "__eq__", "__eq__", node.lineno)
    elif isinstance(node, ast.MatchClass):
        _class(writer, body, node, subject, name)
    elif isinstance(node, ast.MatchSequence):
        _sequence(writer, body, node, subject)
    elif isinstance(node, ast.MatchMapping):
        _mapping(writer, body, node, subject)
    return False


def _bind(body: Body, name: str, subject: int) -> None:
    if subject != NONE:
        copy = body.new()
        body.emit(Copy(copy, (subject,)))
        body.bind(name, copy)


def _class(writer: Writer, body: Body, node: ast.MatchClass, subject: int, name: str) -> None:
    kind = expression(writer, body, node.cls)
    if kind == NONE or subject == NONE:
        return
    narrowed = body.new()
    body.emit(Narrow(narrowed, subject, kind, True, node.lineno))
    if name and body.now is not None and body.names.spelled(name) in body.now:
        body.now[body.names.spelled(name)] = narrowed
    for index, one in enumerate(node.patterns):
        inner = body.new()
        body.emit(MatchClass(inner, narrowed, kind, "", index))
        pattern(writer, body, one, inner)
    for attribute, one in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
        inner = body.new()
        body.emit(MatchClass(inner, narrowed, kind, attribute, NONE))
        pattern(writer, body, one, inner)


def _sequence(writer: Writer, body: Body, node: ast.MatchSequence, subject: int) -> None:
    count = len(node.patterns)
    star = next((at for at, one in enumerate(node.patterns) if isinstance(one, ast.MatchStar)), count)
    for position, one in enumerate(node.patterns):
        inner = body.new()
        index = position if position <= star else position - count
        if subject != NONE:
            body.emit(Unpack(inner, subject, index, position == star, node.lineno))
        if not isinstance(one, ast.MatchStar):
            pattern(writer, body, one, inner)
        elif one.name is not None:
            _bind(body, one.name, inner)


def _mapping(writer: Writer, body: Body, node: ast.MatchMapping, subject: int) -> None:
    for key, one in zip(node.keys, node.patterns, strict=True):
        inner = body.new()
        value = expression(writer, body, key)
        if subject != NONE:
            body.emit(Item(inner, subject, value, node.lineno))
        pattern(writer, body, one, inner)
    if node.rest is not None:
        _bind(body, node.rest, subject)
