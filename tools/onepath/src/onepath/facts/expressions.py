"""Expressions: syntax in, operations out; every expression ends in one variable.

Comprehensions are written in place, with names of their own. Statements are not known here, but for lambdas, whose
body is an expression. Constants are in `literals`, operators and conditions in `operators`; here the table of all is
filled.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence as Items
from typing import Any, Final

from onepath.facts.displays import overwrite
from onepath.facts.flow import Body
from onepath.facts.literals import write_constant, write_formatted
from onepath.facts.model import (
    NONE,
    Attribute,
    Await,
    Call,
    Deferred,
    Item,
    Iterate,
    MakeFunction,
    Mapping,
    Parameter,
    Return,
    Sequence,
    SetAttribute,
    SetItem,
    Slice,
    Unpack,
    Yield,
    YieldFrom,
)
from onepath.facts.module import Writer
from onepath.facts.operators import (
    condition_of,
    narrow,
    write_binary,
    write_boolean,
    write_choice,
    write_comparison,
    write_unary,
)
from onepath.facts.survey import Names
from onepath.facts.syntax import Comprehension, arguments_of, parameters_of
from onepath.facts.writing import TABLE, constant, expression

_READS_NAMES: Final = frozenset({"eval", "exec", "locals", "vars", "dir", "compile"})
_KINDS: Final[dict[type, str]] = {
    ast.Tuple: "tuple",
    ast.List: "list",
    ast.Set: "set",
    ast.ListComp: "list*",
    ast.SetComp: "set*",
    ast.GeneratorExp: "generator",
}


def _templated(writer: Writer, body: Body, node: Any) -> int:
    values = [getattr(part, "value", None) for part in node.values if not isinstance(part, ast.Constant)]
    items = [expression(writer, body, value) for value in values]
    return _display(body, "template", [one for one in items if one != NONE], ())


# -- names, attributes, items --------------------------------------------------------------------------------------


def _name(writer: Writer, body: Body, node: ast.Name) -> int:
    return body.read(node.id)


def _attribute(writer: Writer, body: Body, node: ast.Attribute) -> int:
    obj = expression(writer, body, node.value)
    if obj == NONE:
        return NONE
    dst = body.new()
    body.emit(Attribute(dst, obj, mangled(body, node.attr), name_line(node)))
    return dst


def name_line(node: ast.Attribute) -> int:
    """The line of the attribute's name, which ends it."""
    return node.end_lineno or node.lineno


def mangled(body: Body, name: str) -> str:
    """A private name inside a class is another name."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    names: Names | None = body.names
    while names is not None and names.kind != "class":
        names = names.parent
    if names is None or not isinstance(names.node, ast.ClassDef):
        return name
    owner = names.node.name.lstrip("_")
    return f"_{owner}{name}" if owner else name


def _subscript(writer: Writer, body: Body, node: ast.Subscript) -> int:
    obj = expression(writer, body, node.value)
    if obj == NONE:
        return NONE
    dst = body.new()
    only = node.slice
    if isinstance(only, ast.Slice):
        low = NONE if only.lower is None else expression(writer, body, only.lower)
        high = NONE if only.upper is None else expression(writer, body, only.upper)
        step = NONE if only.step is None else expression(writer, body, only.step)
        body.emit(Slice(dst, obj, low, high, step, node.lineno))
    else:
        body.emit(Item(dst, obj, index_of(writer, body, only), node.lineno))
    return dst


def index_of(writer: Writer, body: Body, node: ast.expr) -> int:
    """What stands in the brackets. `[*xs]` holds a tuple of all that `xs` has: `xs`, as far as facts go."""
    if isinstance(node, ast.Tuple) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Starred):
        node = node.elts[0]
    return expression(writer, body, node)


def _slice(writer: Writer, body: Body, node: ast.Slice) -> int:
    """A slice as an index: what is set or deleted, or one of several."""
    for part in (node.lower, node.upper, node.step):
        if part is not None:
            expression(writer, body, part)
    return constant(body, "slice")


# -- calls and displays --------------------------------------------------------------------------------------------


def _call(writer: Writer, body: Body, node: ast.Call) -> int:
    func = expression(writer, body, node.func)
    positional: list[int] = []
    names: list[str] = []
    named: list[int] = []
    stars: list[int] = []
    double_stars: list[int] = []
    for argument in arguments_of(node) if node.keywords else node.args:
        if isinstance(argument, ast.Starred):
            inner = argument.value
            value = expression(writer, body, inner)
            if isinstance(inner, ast.Tuple | ast.List) and not stars and not _holds_starred(inner):
                positional.extend([expression(writer, body, one) for one in inner.elts])
            else:
                stars.append(value)
        elif isinstance(argument, ast.keyword):
            value = expression(writer, body, argument.value)
            if argument.arg is None:
                double_stars.append(value)
            else:
                names.append(argument.arg)
                named.append(value)
        else:
            value = expression(writer, body, argument)
            if stars:
                stars.append(_display(body, "tuple", [value], ()))
            else:
                positional.append(value)
    if func == NONE:
        return NONE
    line = name_line(node.func) if isinstance(node.func, ast.Attribute) else node.func.lineno
    dst = body.new()
    body.emit(
        Call(
            dst,
            func,
            tuple(positional),
            tuple(names),
            tuple(named),
            tuple([one for one in stars if one != NONE]) if stars else (),
            tuple([one for one in double_stars if one != NONE]) if double_stars else (),
            line,
            _environment(body, node.func.id) if isinstance(node.func, ast.Name) else (),
        )
    )
    return dst


def _environment(body: Body, called: str) -> tuple[tuple[str, int], ...]:
    if body.now is None:
        return ()
    if called in _READS_NAMES and body.scope.kind != "module":
        return tuple([(name, var) for name, var in sorted(body.now.items()) if "@" not in name])
    if called == "super" and body.scope.parameters:
        return (("", 0),)
    return ()


def _display(body: Body, kind: str, items: Items[int], spread: Items[int]) -> int:
    dst = body.new()
    body.emit(Sequence(dst, kind, tuple(items), tuple(spread)))
    return dst


def _sequence(writer: Writer, body: Body, node: ast.Tuple | ast.List | ast.Set) -> int:
    items: list[int] = []
    spread: list[int] = []
    for position, element in enumerate(node.elts):
        if isinstance(element, ast.Starred):
            spread.append(position)
        items.append(expression(writer, body, element))
    return _display(body, _KINDS[node.__class__], items, spread)


def _holds_starred(node: ast.Tuple | ast.List) -> bool:
    return any(isinstance(one, ast.Starred) for one in node.elts)


def _starred(writer: Writer, body: Body, node: ast.Starred) -> int:
    return expression(writer, body, node.value)


def _dict(writer: Writer, body: Body, node: ast.Dict) -> int:
    keys: list[int] = []
    values: list[int] = []
    for key, value in zip(node.keys, node.values, strict=True):
        keys.append(NONE if key is None else expression(writer, body, key))
        values.append(expression(writer, body, value))
    dst = body.new()
    body.emit(Mapping(dst, tuple(keys), tuple(values)))
    body.fresh[dst] = body.nested
    return dst


def _comprehension(writer: Writer, body: Body, node: Comprehension) -> int:
    outer = body.names
    before = body.branch()
    source = expression(writer, body, node.generators[0].iter)
    body.names = writer.survey.scopes[node]
    start = len(body.code)
    for number, loop in enumerate(node.generators):
        if number:
            source = expression(writer, body, loop.iter)
        element = body.new()
        if source != NONE:
            body.emit(Iterate(element, source, bool(loop.is_async), loop.target.lineno))
        assign(writer, body, loop.target, element)
        for condition in loop.ifs:
            condition_of(writer, body, condition)
            narrow(writer, body, condition, True)
    dst = body.new()
    if isinstance(node, ast.DictComp):
        key, value = expression(writer, body, node.key), expression(writer, body, node.value)
        body.emit(Mapping(dst, (key,), (value,)))
    else:
        kind = _KINDS[node.__class__]
        body.emit(Sequence(dst, kind, (expression(writer, body, node.elt),), ()))
        if kind == "generator":
            body.code.insert(start, Deferred(dst, len(body.code) - start))
    body.names = outer
    body.meet([before, body.now])
    return dst


# -- functions and what runs in them -------------------------------------------------------------------------------


def _lambda(writer: Writer, body: Body, node: ast.Lambda) -> int:
    body.lambdas += 1
    name = f"<lambda{body.lambdas}>"
    defaults = defaults_of(writer, body, node.args)
    inner = writer.open_scope(
        node, name, f"{body.scope.qualname}.{name}".lstrip("."), "lambda", body.index, node.lineno
    )
    body.show_to_inner(inner.names)
    declare_parameters(writer, inner, node.args)
    inner.emit(Return(expression(writer, inner, node.body)))
    inner.finish()
    dst = body.new()
    body.emit(MakeFunction(dst, inner.index, tuple(defaults), node.lineno))
    return dst


def defaults_of(writer: Writer, body: Body, parameters: ast.arguments) -> list[tuple[int, int]]:
    """Defaults are evaluated where the function is made: by the parameter's index, their variables."""
    return [
        (index, expression(writer, body, default))
        for index, (_, _, default) in enumerate(parameters_of(parameters))
        if default is not None
    ]


def declare_parameters(writer: Writer, inner: Body, parameters: ast.arguments) -> None:
    """The first variables of a function are its parameters."""
    if inner.now is None:
        return
    for one, kind, default in parameters_of(parameters):
        index = writer.annotation(one.annotation)
        inner.scope.parameters.append(Parameter(one.arg, kind, index, default is not None))
        inner.now[one.arg] = inner.new()


def _await(writer: Writer, body: Body, node: ast.Await) -> int:
    src = expression(writer, body, node.value)
    if src == NONE:
        return NONE
    dst = body.new()
    body.emit(Await(dst, src, node.lineno))
    return dst


def _yield(writer: Writer, body: Body, node: ast.Yield) -> int:
    dst = body.new()
    src = constant(body, "NoneType") if node.value is None else expression(writer, body, node.value)
    body.emit(Yield(dst, src))
    return dst


def _yield_from(writer: Writer, body: Body, node: ast.YieldFrom) -> int:
    dst = body.new()
    src = expression(writer, body, node.value)
    if src != NONE:
        body.emit(YieldFrom(dst, src, node.lineno))
    return dst


def _walrus(writer: Writer, body: Body, node: ast.NamedExpr) -> int:
    value = expression(writer, body, node.value)
    names = body.names
    body.names = names.owner
    assign(writer, body, node.target, value)
    body.names = names
    return value


# -- targets -------------------------------------------------------------------------------------------------------


def assign(writer: Writer, body: Body, target: ast.expr, value: int) -> None:
    """Write `target = value`."""
    if body.now is None or value == NONE:
        if isinstance(target, ast.Name) and body.now is not None:
            body.now.pop(body.names.spelled(target.id), None)
        return
    if isinstance(target, ast.Name):
        body.bind(target.id, value)
    elif isinstance(target, ast.Attribute):
        obj = expression(writer, body, target.value)
        if obj != NONE:
            body.emit(SetAttribute(obj, mangled(body, target.attr), value, name_line(target)))
    elif isinstance(target, ast.Subscript):
        obj = expression(writer, body, target.value)
        if obj != NONE:
            index = index_of(writer, body, target.slice)
            overwrite(body, obj, index)
            body.emit(SetItem(obj, index, value, target.lineno))
    elif isinstance(target, ast.Tuple | ast.List):
        count = len(target.elts)
        star = next((at for at, one in enumerate(target.elts) if isinstance(one, ast.Starred)), count)
        for position, element in enumerate(target.elts):
            dst = body.new()
            index = position if position <= star else position - count
            body.emit(Unpack(dst, value, index, position == star, element.lineno))
            assign(writer, body, element, dst)
    elif isinstance(target, ast.Starred):
        assign(writer, body, target.value, value)


TABLE.update(
    {
        ast.Name: _name,
        ast.Constant: write_constant,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.JoinedStr: write_formatted,
        ast.Tuple: _sequence,
        ast.List: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.DictComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.BinOp: write_binary,
        ast.Compare: write_comparison,
        ast.UnaryOp: write_unary,
        ast.BoolOp: write_boolean,
        ast.IfExp: write_choice,
        ast.Lambda: _lambda,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yield_from,
        ast.NamedExpr: _walrus,
        ast.Starred: _starred,
    }
)
if hasattr(ast, "TemplateStr"):
    TABLE[ast.TemplateStr] = _templated
