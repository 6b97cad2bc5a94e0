"""Simple statements: syntax in, operations out. Those that hold other statements are in `blocks`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from onepath.facts.expressions import assign, index_of, mangled, name_line
from onepath.facts.flow import Body
from onepath.facts.imports import import_from, plain_import
from onepath.facts.model import (
    NONE,
    Attribute,
    Declare,
    DeclareAttribute,
    Delete,
    Field,
    Item,
    MakeAlias,
    MakeFunction,
    MakeTypeParameter,
    OwnTypeParameter,
    Raise,
    Return,
    Sequence,
    SetAttribute,
    SetItem,
    TypeParameters,
)
from onepath.facts.module import Writer
from onepath.facts.operators import BINARY, condition_of, narrow
from onepath.facts.syntax import FIELDS, evaluated_later, target_names
from onepath.facts.writing import constant, expression, operate


def _expr(writer: Writer, body: Body, node: ast.Expr) -> None:
    expression(writer, body, node.value)


def _assign(writer: Writer, body: Body, node: ast.Assign) -> None:
    value, targets = node.value, node.targets
    if body.scope.kind in ("module", "class"):
        for target in targets:
            for name in target_names(target):
                writer.note_binding(body, name, _kind_of(value), node.lineno)
    first = targets[0]
    if len(targets) == 1:
        if body.scope.kind == "module" and isinstance(first, ast.Name):
            _note_alias(writer, first.id, value)
        if isinstance(value, ast.Tuple) and isinstance(first, ast.Tuple) and _are_pairs(first.elts, value.elts):
            values = [expression(writer, body, one) for one in value.elts]
            for one, var in zip(first.elts, values, strict=True):
                assign(writer, body, one, var)
            return
    var = expression(writer, body, value)
    for target in targets:
        assign(writer, body, target, var)


def _are_pairs(targets: list[ast.expr], values: list[ast.expr]) -> bool:
    return len(targets) == len(values) and not any(isinstance(one, ast.Starred) for one in (*targets, *values))


def _note_alias(writer: Writer, name: str, value: ast.expr) -> None:
    if isinstance(value, ast.Subscript) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)):
        index = writer.annotation(value)
        if index != NONE:
            writer.facts.type_aliases[name] = index


def _kind_of(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return "variable" if value.value is ... else "constant"
    if isinstance(value, ast.UnaryOp):
        return _kind_of(value.operand)
    if isinstance(value, ast.Starred):
        return _kind_of(value.value)
    if isinstance(value, ast.BinOp):
        both = (_kind_of(value.left), _kind_of(value.right))
        return "constant" if both == ("constant", "constant") else "variable"
    if isinstance(value, ast.Tuple):
        return "constant" if all(_kind_of(one) == "constant" for one in value.elts) else "variable"
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return "mutable"
    return "variable"


def _ann_assign(writer: Writer, body: Body, node: ast.AnnAssign) -> None:
    index = writer.annotation(node.annotation)
    target, line, kind = node.target, node.lineno, body.scope.kind
    if kind in ("module", "class"):
        run_annotation(writer, body, node.annotation)
    var = NONE if node.value is None else expression(writer, body, node.value)
    if isinstance(target, ast.Name):
        name = target.id
        if node.value is not None:
            writer.note_binding(body, name, _kind_of(node.value), line)
            if kind == "module":
                _note_alias(writer, name, node.value)
        if kind in ("module", "class") and index != NONE:
            body.scope.fields.append(Field(name, index, node.value is not None, line))
        if var != NONE:
            if index != NONE:
                body.emit(Declare(var, index))
            body.bind(name, var)
        elif node.value is not None:
            body.unbind(name)
        elif index != NONE and kind in ("function", "lambda") and body.now is not None:
            body.emit(Declare(body.new(), index))
    elif isinstance(target, ast.Attribute):
        obj = expression(writer, body, target.value)
        if obj == NONE:
            return
        if index != NONE:
            body.emit(DeclareAttribute(obj, mangled(body, target.attr), index))
        if var != NONE:
            body.emit(SetAttribute(obj, mangled(body, target.attr), var, name_line(target)))
    else:
        assign(writer, body, target, var)


def run_annotation(writer: Writer, body: Body, node: ast.expr | None) -> None:
    """An annotation that calls something does so where it stands, unless annotations are never evaluated."""
    if node is not None and not writer.lazy_annotations and _calls(node):
        expression(writer, body, node)


def _calls(node: ast.expr) -> bool:
    pending: list[Any] = [node]
    while pending:
        one = pending.pop()
        kind = one.__class__
        if kind is ast.Call or kind is ast.NamedExpr:
            return True
        for field in FIELDS[kind]:
            value = getattr(one, field)
            if value.__class__ is list:
                pending += value
            elif value is not None:
                pending.append(value)
    return False


def _aug_assign(writer: Writer, body: Body, node: ast.AugAssign) -> None:
    word = BINARY[node.op.__class__]
    target, line = node.target, node.lineno
    if isinstance(target, ast.Attribute):
        obj = expression(writer, body, target.value)
        right = expression(writer, body, node.value)
        if obj == NONE:
            return
        name = mangled(body, target.attr)
        old = body.new()
        body.emit(Attribute(old, obj, name, line))
        new = operate(body, old, right, f"__i{word}__", f"__r{word}__", line)
        body.emit(SetAttribute(obj, name, new, line))
    elif isinstance(target, ast.Subscript):
        obj = expression(writer, body, target.value)
        index = index_of(writer, body, target.slice)
        right = expression(writer, body, node.value)
        if obj == NONE:
            return
        old = body.new()
        body.emit(Item(old, obj, index, line))
        new = operate(body, old, right, f"__i{word}__", f"__r{word}__", line)
        body.emit(SetItem(obj, index, new, line))
    else:
        old = body.read(target.id)
        right = expression(writer, body, node.value)
        writer.note_binding(body, target.id, "variable", line)
        if old != NONE:
            body.bind(target.id, operate(body, old, right, f"__i{word}__", f"__r{word}__", line))


def _delete(writer: Writer, body: Body, node: ast.Delete) -> None:
    targets = list(node.targets)
    while targets:
        target = targets.pop(0)
        if isinstance(target, ast.Name):
            body.unbind(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            targets.extend(target.elts)
        elif isinstance(target, ast.Attribute):
            obj = expression(writer, body, target.value)
            if obj != NONE:
                body.emit(Delete(obj, NONE, target.attr, node.lineno))
        elif isinstance(target, ast.Subscript):
            obj = expression(writer, body, target.value)
            if obj != NONE:
                body.emit(Delete(obj, index_of(writer, body, target.slice), "", node.lineno))


def _assert(writer: Writer, body: Body, node: ast.Assert) -> None:
    condition_of(writer, body, node.test)
    if node.msg is not None:
        before = body.branch()
        expression(writer, body, node.msg)
        body.now = before
    narrow(writer, body, node.test, True)


def _type_alias(writer: Writer, body: Body, node: Any) -> None:
    """Its value is the body of a function of its name, which runs when the alias is asked for it (PEP 695)."""
    name = node.name.id
    index = writer.annotation(node.value)
    if index != NONE and body.scope.kind == "module":
        writer.facts.type_aliases[name] = index
    qualname = f"{body.scope.qualname}.{name}".lstrip(".")
    inner = writer.open_scope(node, name, qualname, "lambda", body.index, node.lineno)
    body.show_to_inner(inner.names)
    own_type_parameters(inner, node)
    inner.emit(Return(expression(writer, inner, node.value)))
    inner.finish()
    value, dst = body.new(), body.new()
    body.emit(MakeFunction(value, inner.index, (), node.lineno))
    body.emit(MakeAlias(dst, value))
    type_parameters(writer, body, node, inner.index, dst)
    writer.note_binding(body, name, "variable", node.lineno)
    body.bind(name, dst)


def own_type_parameters(inner: Body, node: Any) -> dict[str, int]:
    """The code of a function, class or alias knows those of its type parameters that have a bound or a default."""
    made: dict[str, int] = {}
    for one in getattr(node, "type_params", ()):
        if evaluated_later(one):
            own = inner.new()
            inner.emit(OwnTypeParameter(own, one.name))
            inner.bind(one.name, own)
            made[one.name] = own
    return made


def type_parameters(writer: Writer, body: Body, node: Any, scope: int, owner: int) -> None:
    """Bounds, constraints and defaults are functions that run when they are asked for (PEP 695, PEP 696)."""
    made: list[int] = []
    told = False
    for one in getattr(node, "type_params", ()):
        later = dict.fromkeys(("bound", "default_value"), NONE)
        for field, value in evaluated_later(one):
            told = True
            qualname = f"{body.scope.qualname}.{one.name}".lstrip(".")
            inner = writer.open_scope((one, field), one.name, qualname, "lambda", body.index, value.lineno)
            body.show_to_inner(inner.names)
            inner.emit(Return(expression(writer, inner, value)))
            inner.finish()
            later[field] = body.new()
            body.emit(MakeFunction(later[field], inner.index, (), value.lineno))
        dst = body.new()
        body.emit(MakeTypeParameter(dst, scope, one.name, later["bound"], later["default_value"]))
        made.append(dst)
    if told:
        box = body.new()
        body.emit(Sequence(box, "tuple", tuple(made), ()))
        body.emit(TypeParameters(owner, box))


# -- ends of a block -----------------------------------------------------------------------------------------------


def _return(writer: Writer, body: Body, node: ast.Return) -> None:
    value = constant(body, "NoneType") if node.value is None else expression(writer, body, node.value)
    if value != NONE:
        body.emit(Return(value))
    body.now = None


def _raise(writer: Writer, body: Body, node: ast.Raise) -> None:
    if node.exc is not None:
        value = expression(writer, body, node.exc)
        if value != NONE:
            cause = NONE if node.cause is None else expression(writer, body, node.cause)
            body.emit(Raise(value, node.lineno, cause))
        elif node.cause is not None:
            expression(writer, body, node.cause)
    body.now = None


def _break(writer: Writer, body: Body, node: ast.Break) -> None:
    if body.loops and body.now is not None:
        body.loops[-1].breaks.append(dict(body.now))
    body.now = None


def _continue(writer: Writer, body: Body, node: ast.Continue) -> None:
    if body.loops and body.now is not None:
        body.loops[-1].continues.append(dict(body.now))
    body.now = None


SIMPLE: Final[dict[type, Callable[[Writer, Body, Any], None]]] = {
    ast.Expr: _expr,
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Import: plain_import,
    ast.ImportFrom: import_from,
}
if hasattr(ast, "TypeAlias"):
    SIMPLE[ast.TypeAlias] = _type_alias
