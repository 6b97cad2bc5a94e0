"""Operators and conditions: syntax in, operations out; what a condition says of the names it tests."""

from __future__ import annotations

import ast
from typing import Final

from onepath.facts.flow import Body
from onepath.facts.literals import write_number
from onepath.facts.model import NONE, Constant, Narrow, OneOf, Operate
from onepath.facts.module import Writer, both
from onepath.facts.syntax import negated
from onepath.facts.writing import constant, expression, operate

BINARY: Final[dict[type, str]] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
}
_COMPARED: Final[dict[type, tuple[str, str]]] = {
    ast.Eq: ("__eq__", "__eq__"),
    ast.NotEq: ("__ne__", "__ne__"),
    ast.Lt: ("__lt__", "__gt__"),
    ast.LtE: ("__le__", "__ge__"),
    ast.Gt: ("__gt__", "__lt__"),
    ast.GtE: ("__ge__", "__le__"),
}
_UNARY: Final[dict[type, str]] = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}


def write_binary(writer: Writer, body: Body, node: ast.BinOp) -> int:
    chain: list[ast.BinOp] = []
    left_most: ast.expr = node
    while isinstance(left_most, ast.BinOp):
        chain.append(left_most)
        left_most = left_most.left
    left = expression(writer, body, left_most)
    for one in reversed(chain):
        right = expression(writer, body, one.right)
        word = BINARY[one.op.__class__]
        left = operate(body, left, right, f"__{word}__", f"__r{word}__", one.lineno)
    return left


def write_comparison(writer: Writer, body: Body, node: ast.Compare) -> int:
    """What a comparison gives is most often a truth; objects may give what they like, told of a single one."""
    left = expression(writer, body, node.left)
    found = NONE
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = expression(writer, body, comparator)
        methods = _COMPARED.get(operator.__class__)
        if methods is not None:
            found = operate(body, left, right, *methods, node.lineno)
        elif isinstance(operator, ast.In | ast.NotIn):
            operate(body, right, left, "__contains__", "", node.lineno)
        left = right
    if found == NONE or len(node.ops) > 1:
        return constant(body, "bool")
    body.emit(Constant(found, "bool"))
    return found


def write_unary(writer: Writer, body: Body, node: ast.UnaryOp) -> int:
    operator, operand = node.op, node.operand
    if isinstance(operator, ast.USub) and isinstance(operand, ast.Constant) and type(operand.value) is int:
        return write_number(body, -operand.value)
    if isinstance(operator, ast.Not):
        condition_of(writer, body, operand)
        return constant(body, "bool")
    inner = expression(writer, body, operand)
    return operate(body, inner, NONE, _UNARY[operator.__class__], "", node.lineno)


def condition_of(writer: Writer, body: Body, node: ast.expr) -> int:
    """An expression whose truth is asked."""
    var = expression(writer, body, node)
    if var != NONE and not _is_plain(node):
        body.emit(Operate(NONE, var, NONE, "__bool__", "", node.lineno))
    return var


def _is_plain(node: ast.expr) -> bool:
    """Whether the truth of an expression is asked without calling anything."""
    if isinstance(node, ast.Constant):
        return type(node.value) in (str, bytes, int)
    return isinstance(node, ast.Compare | ast.BoolOp) or negated(node) is not None


def write_boolean(writer: Writer, body: Body, node: ast.BoolOp) -> int:
    """`a and b and c` as `(a and b) and c`: each operand runs, and is narrowed, where those before it let it."""
    conjunction = isinstance(node.op, ast.And)
    first = node.values[0]
    var = condition_of(writer, body, first)
    known = writer.truth(body.names, first)
    for number, one in enumerate(node.values[1:], 1):
        if known is not None and known is not conjunction:
            return var
        before = body.branch()
        for earlier in node.values[:number]:
            narrow(writer, body, earlier, conjunction)
        right = expression(writer, body, one)
        body.meet([before, body.now])
        var = right if known is conjunction else body.joined((var, right))
        known = both(known, writer.truth(body.names, one), not conjunction)
    return var


def write_choice(writer: Writer, body: Body, node: ast.IfExp) -> int:
    condition_of(writer, body, node.test)
    known = writer.truth(body.names, node.test)
    before = body.branch()
    ends = []
    found: list[int] = []
    if known is not False:
        narrow(writer, body, node.test, True)
        found.append(expression(writer, body, node.body))
        ends.append(body.now)
    if known is not True:
        body.now = before
        before = body.branch()
        narrow(writer, body, node.test, False)
        found.append(expression(writer, body, node.orelse))
        ends.append(body.now)
    body.meet(ends)
    return body.joined(found)


def narrow(writer: Writer, body: Body, test: ast.expr, positive: bool) -> None:
    """What a condition that holds (or does not) says of the types of local names."""
    if isinstance(test, ast.Call):
        if isinstance(test.func, ast.Name) and test.func.id == "isinstance" and len(test.args) == 2:
            _narrow_name(writer, body, test.args[0], test.args[1], positive)
    elif isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.And) is positive:
            for one in test.values:
                narrow(writer, body, one, positive)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        if isinstance(test.ops[0], ast.In if positive else ast.NotIn):
            _found_among(writer, body, test.left, test.comparators[0])
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        narrow(writer, body, test.operand, not positive)


def _found_among(writer: Writer, body: Body, name: ast.expr, among: ast.expr) -> None:
    """A name is one of a table's or of several texts."""
    if not isinstance(name, ast.Name) or body.now is None or not _is_listed(among):
        return
    spelled = body.names.spelled(name.id)
    before = body.now.get(spelled, NONE)
    if before == NONE:
        return
    listed = expression(writer, body, among)
    if listed == NONE:
        return
    dst = body.new()
    body.emit(OneOf(dst, before, listed))
    body.now[spelled] = dst


def _is_listed(node: ast.expr) -> bool:
    """Whether it is a name, of whatever, or a display of texts: reading it again calls nothing that is not told."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in node.elts)
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _narrow_name(writer: Writer, body: Body, name: ast.expr, kind: ast.expr, positive: bool) -> None:
    if not isinstance(name, ast.Name) or body.now is None:
        return
    spelled = body.names.spelled(name.id)
    before = body.now.get(spelled, NONE)
    if before == NONE:
        return
    of = expression(writer, body, kind)
    if of == NONE:
        return
    dst = body.new()
    body.emit(Narrow(dst, before, of, positive))
    body.now[spelled] = dst
