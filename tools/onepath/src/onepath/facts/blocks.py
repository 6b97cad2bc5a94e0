"""Statements that hold others: branches, loops, functions, classes. Syntax in, operations out.

What comes after `return` or stands under a constant false is not written.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from onepath.facts import model
from onepath.facts.expressions import assign, declare_parameters, defaults_of, mangled
from onepath.facts.flow import Body
from onepath.facts.imports import note_typing_imports
from onepath.facts.model import (
    NONE,
    Call,
    Caught,
    Enter,
    Iterate,
    MakeClass,
    MakeFunction,
    Program,
    StoreMember,
)
from onepath.facts.module import Writer
from onepath.facts.operators import condition_of, narrow
from onepath.facts.patterns import pattern
from onepath.facts.statements import SIMPLE, own_type_parameters, run_annotation, type_parameters
from onepath.facts.syntax import FunctionNode, negated, parameters_of, target_names
from onepath.facts.writing import expression


def block(writer: Writer, body: Body, statements: Sequence[ast.stmt]) -> None:
    """Write statements one after the other, as long as something runs."""
    for statement in statements:
        if body.now is None:
            return
        write = _TABLE.get(statement.__class__)
        if write is not None:
            write(writer, body, statement)


def _suite(writer: Writer, body: Body, statements: Sequence[ast.stmt]) -> None:
    body.nested += 1
    block(writer, body, statements)
    body.nested -= 1


# -- branches ------------------------------------------------------------------------------------------------------


def _if(writer: Writer, body: Body, node: ast.If) -> None:
    test, orelse = node.test, node.orelse
    known = writer.truth(body.names, test)
    ends = []
    if writer.speaks_of_checking(body.names, test):
        note_typing_imports(writer, body, node.body)
    condition_of(writer, body, test)
    before = body.branch()
    if known is not False:
        narrow(writer, body, test, True)
        start = len(body.code)
        _suite(writer, body, node.body)
        if body.scope.kind == "module" and _asks_for_the_program(test):
            body.code.insert(start, Program(len(body.code) - start))
        ends.append(body.now)
    body.now = before
    if known is not True:
        narrow(writer, body, test, False)
        _suite(writer, body, orelse)
        ends.append(body.now)
    elif _is_not_checking(writer, body, test):
        note_typing_imports(writer, body, orelse)
    body.meet(ends)


def _asks_for_the_program(test: ast.expr) -> bool:
    """`__name__ == "__main__"`."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(one, ast.Name) and one.id == "__name__" for one in sides) and any(
        isinstance(one, ast.Constant) and one.value == "__main__" for one in sides
    )


def _is_not_checking(writer: Writer, body: Body, test: ast.expr) -> bool:
    denied = negated(test)
    return denied is not None and writer.speaks_of_checking(body.names, denied)


def _while(writer: Writer, body: Body, node: ast.While) -> None:
    known = writer.truth(body.names, node.test)
    if known is False:
        _suite(writer, body, node.orelse)
        return
    joins = body.enter_loop(writer.survey.rebound[node])
    condition_of(writer, body, node.test)
    at_test = body.branch()
    narrow(writer, body, node.test, True)
    _suite(writer, body, node.body)
    loop = body.leave_loop(joins)
    body.now = None if known is True else at_test
    _suite(writer, body, node.orelse)
    body.meet([body.now, *loop.breaks])


def _for(writer: Writer, body: Body, node: ast.For | ast.AsyncFor) -> None:
    source = expression(writer, body, node.iter)
    joins = body.enter_loop(writer.survey.rebound[node])
    before = body.branch()
    element = body.new()
    if source != NONE:
        body.emit(Iterate(element, source, isinstance(node, ast.AsyncFor), node.lineno))
    for name in target_names(node.target):
        writer.note_binding(body, name, "variable", node.lineno)
    assign(writer, body, node.target, element)
    _suite(writer, body, node.body)
    end = body.now
    loop = body.leave_loop(joins)
    body.meet([before, end, *loop.continues])
    _suite(writer, body, node.orelse)
    body.meet([body.now, *loop.breaks])


def _match(writer: Writer, body: Body, node: ast.Match) -> None:
    subject = expression(writer, body, node.subject)
    name = node.subject.id if isinstance(node.subject, ast.Name) else ""
    ends = []
    for case in node.cases:
        before = body.branch()
        always = pattern(writer, body, case.pattern, subject, name)
        if case.guard is not None:
            condition_of(writer, body, case.guard)
            narrow(writer, body, case.guard, True)
            always = False
        _suite(writer, body, case.body)
        ends.append(body.now)
        body.now = None if always else before
        if body.now is None:
            break
    body.meet([body.now, *ends])


# -- blocks that can be left anywhere ------------------------------------------------------------------------------


def _try(writer: Writer, body: Body, node: Any) -> None:
    """`try` with `except` or `except*`."""
    before = body.branch()
    frame: dict[str, list[int]] = {}
    body.tries.append(frame)
    _suite(writer, body, node.body)
    body.tries.pop()
    after_body = body.now
    ends = []
    body.now = before
    interrupted = _interrupted(body, frame)
    handled: dict[str, list[int]] = {}
    body.tries.append(handled)
    for handler in node.handlers:
        body.now = dict(interrupted)
        _handler(writer, body, handler, isinstance(node, ast.TryStar))
        ends.append(body.now)
    body.now = after_body
    _suite(writer, body, node.orelse)
    body.tries.pop()
    body.meet([body.now, *ends])
    if node.finalbody:
        normal = body.now
        body.now = dict(interrupted)
        body.meet([normal, _interrupted(body, handled)])
        _finally(writer, body, node.finalbody, normal)


def _handler(writer: Writer, body: Body, node: ast.ExceptHandler, group: bool) -> None:
    kind = NONE if node.type is None else expression(writer, body, node.type)
    if node.name is not None:
        caught = body.new()
        if kind != NONE:
            body.emit(Caught(caught, kind))
        if group:
            one, caught = caught, body.new()
            body.emit(model.Sequence(caught, "group", (one,), (0,)))
        writer.note_binding(body, node.name, "variable", node.lineno)
        body.bind(node.name, caught)
    _suite(writer, body, node.body)
    if node.name is not None:
        body.unbind(node.name)


def _finally(writer: Writer, body: Body, statements: Sequence[ast.stmt], normal: dict[str, int] | None) -> None:
    """`normal`: what names are where nothing was raised; after the block they are so again, if it leaves them."""
    met = body.branch() or {}
    _suite(writer, body, statements)
    end = body.now
    if end is None:
        return
    if normal is None:
        body.now = None
        return
    for spelled, var in list(end.items()):
        if met.get(spelled) == var:
            if spelled in normal:
                end[spelled] = normal[spelled]
            else:
                del end[spelled]


def _interrupted(body: Body, frame: dict[str, list[int]]) -> dict[str, int]:
    """What names may be when a block that bound these variables is left anywhere."""
    found = dict(body.now or {})
    for name, several in frame.items():
        found[name] = body.joined((found.get(name, NONE), *several))
    return found


def _with(writer: Writer, body: Body, node: ast.With | ast.AsyncWith) -> None:
    before = body.branch()
    frame: dict[str, list[int]] = {}
    body.tries.append(frame)
    for item in node.items:
        line = item.context_expr.lineno
        source = expression(writer, body, item.context_expr)
        if source == NONE:
            continue
        dst = body.new()
        body.emit(Enter(dst, source, isinstance(node, ast.AsyncWith), line))
        if item.optional_vars is not None:
            for name in target_names(item.optional_vars):
                writer.note_binding(body, name, "variable", line)
            assign(writer, body, item.optional_vars, dst)
    _suite(writer, body, node.body)
    body.tries.pop()
    if body.now is None:
        # The context manager may swallow what was raised: what comes next can run.
        body.now = before
        body.now = _interrupted(body, frame)


# -- functions and classes -----------------------------------------------------------------------------------------


def _function(writer: Writer, body: Body, node: FunctionNode) -> None:
    name, line, parameters = node.name, node.lineno, node.args
    decorators = _decorators(writer, body, node)
    defaults = defaults_of(writer, body, parameters)
    inner = writer.open_scope(node, name, f"{body.scope.qualname}.{name}".lstrip("."), "function", body.index, line)
    inner.scope.is_async = isinstance(node, ast.AsyncFunctionDef)
    for one, _, _ in parameters_of(parameters):
        run_annotation(writer, body, one.annotation)
    run_annotation(writer, body, node.returns)
    inner.scope.returns = writer.annotation(node.returns)
    _type_parameters(writer, inner, node)
    declare_parameters(writer, inner, parameters)
    body.show_to_inner(inner.names)
    own_type_parameters(inner, node)
    _suite(writer, inner, node.body)
    inner.finish()
    dst = body.new()
    body.emit(MakeFunction(dst, inner.index, tuple([one for one in defaults if one[1] != NONE]), line))
    type_parameters(writer, body, node, inner.index, dst)
    writer.note_binding(body, name, "function", line)
    body.bind(name, _decorated(body, dst, decorators))


def _class(writer: Writer, body: Body, node: ast.ClassDef) -> None:
    name, line = node.name, node.lineno
    decorators = _decorators(writer, body, node)
    bases: list[int] = []
    starred: list[int] = []
    names: list[str] = []
    named: list[int] = []
    double_stars: list[int] = []
    for base in node.bases:
        unpacked = isinstance(base, ast.Starred)
        var = expression(writer, body, base.value if isinstance(base, ast.Starred) else base)
        if var != NONE:
            if unpacked:
                starred.append(len(bases))
            bases.append(var)
    for one in node.keywords:
        var = expression(writer, body, one.value)
        if var != NONE and one.arg is None:
            double_stars.append(var)
        elif var != NONE and one.arg is not None:
            names.append(one.arg)
            named.append(var)
    inner = writer.open_scope(node, name, f"{body.scope.qualname}.{name}".lstrip("."), "class", body.index, line)
    _type_parameters(writer, inner, node)
    body.show_to_inner(inner.names)
    own = own_type_parameters(inner, node)
    _suite(writer, inner, node.body)
    for member, var in (inner.now or {}).items():
        if "@" not in member and own.get(member) != var:
            inner.emit(StoreMember(mangled(inner, member), var))
    inner.finish()
    dst = body.new()
    body.emit(
        MakeClass(dst, inner.index, tuple(bases), tuple(names), tuple(named), line, tuple(starred), tuple(double_stars))
    )
    type_parameters(writer, body, node, inner.index, dst)
    writer.note_binding(body, name, "class", line)
    body.bind(name, _decorated(body, dst, decorators))


def _type_parameters(writer: Writer, inner: Body, node: Any) -> None:
    for one in getattr(node, "type_params", ()):
        inner.scope.type_parameters.append((one.name, writer.annotation(getattr(one, "bound", None))))


def _decorators(writer: Writer, body: Body, node: FunctionNode | ast.ClassDef) -> list[tuple[int, int]]:
    """The decorators' variables and lines, first to last."""
    return [(expression(writer, body, one), one.lineno) for one in node.decorator_list]


def _decorated(body: Body, value: int, decorators: list[tuple[int, int]]) -> int:
    for decorator, line in reversed(decorators):
        if decorator == NONE:
            continue
        dst = body.new()
        body.emit(Call(dst, decorator, (value,), (), (), (), (), line))
        value = dst
    return value


_TABLE: Final[dict[type, Callable[[Writer, Body, Any], None]]] = {
    **SIMPLE,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Match: _match,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
}
