"""Expressions: syntax in, operations out; every expression ends in one variable.

Comprehensions are written in place, with names of their own. Statements are not known here, but for lambdas, whose
body is an expression.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any, Final

import libcst as cst

from onepath.facts.displays import overwrite
from onepath.facts.flow import Body
from onepath.facts.model import (
    NONE,
    Attribute,
    Await,
    Bytes,
    Call,
    Constant,
    Deferred,
    Format,
    Item,
    Iterate,
    MakeFunction,
    Mapping,
    Narrow,
    Number,
    Operate,
    Parameter,
    Return,
    Sequence,
    Slice,
    Text,
    Unpack,
    Yield,
    YieldFrom,
)
from onepath.facts.module import Writer
from onepath.facts.survey import Names, all_parameters
from onepath.facts.types import annotation_of

_BINARY: Final[dict[type, str]] = {
    cst.Add: "add",
    cst.Subtract: "sub",
    cst.Multiply: "mul",
    cst.Divide: "truediv",
    cst.FloorDivide: "floordiv",
    cst.Modulo: "mod",
    cst.Power: "pow",
    cst.MatrixMultiply: "matmul",
    cst.LeftShift: "lshift",
    cst.RightShift: "rshift",
    cst.BitAnd: "and",
    cst.BitOr: "or",
    cst.BitXor: "xor",
}
_COMPARED: Final[dict[type, tuple[str, str]]] = {
    cst.Equal: ("__eq__", "__eq__"),
    cst.NotEqual: ("__ne__", "__ne__"),
    cst.LessThan: ("__lt__", "__gt__"),
    cst.LessThanEqual: ("__le__", "__ge__"),
    cst.GreaterThan: ("__gt__", "__lt__"),
    cst.GreaterThanEqual: ("__ge__", "__le__"),
}
_UNARY: Final[dict[type, str]] = {cst.Minus: "__neg__", cst.Plus: "__pos__", cst.BitInvert: "__invert__"}
_READS_NAMES: Final = frozenset({"eval", "exec", "locals", "vars", "dir", "compile"})
_KINDS: Final = {"ListComp": "list*", "SetComp": "set*", "GeneratorExp": "generator"}


def expression(writer: Writer, body: Body, node: Any) -> int:
    """Write an expression; its variable."""
    if body.now is None:
        return NONE
    write = _TABLE.get(node.__class__)
    return NONE if write is None else write(writer, body, node)


def _name(writer: Writer, body: Body, node: cst.Name) -> int:
    value = node.value
    if value in ("True", "False"):
        return constant(body, "bool")
    if value == "None":
        return constant(body, "NoneType")
    return body.read(value)


def constant(body: Body, kind: str) -> int:
    dst = body.new()
    body.emit(Constant(dst, kind))
    return dst


def text(body: Body, value: str) -> int:
    if not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
        return constant(body, "str")
    dst = body.new()
    body.emit(Text(dst, value))
    return dst


def _attribute(writer: Writer, body: Body, node: cst.Attribute) -> int:
    obj = expression(writer, body, node.value)
    if obj == NONE:
        return NONE
    dst = body.new()
    body.emit(Attribute(dst, obj, mangled(body, node.attr.value), writer.line(node.attr)))
    return dst


def mangled(body: Body, name: str) -> str:
    """A private name inside a class is another name."""
    if not name.startswith("__") or name.endswith("__"):
        return name
    names: Names | None = body.names
    while names is not None and names.kind != "class":
        names = names.parent
    if names is None or not isinstance(names.node, cst.ClassDef):
        return name
    owner = names.node.name.value.lstrip("_")
    return f"_{owner}{name}" if owner else name


def _integer(writer: Writer, body: Body, node: cst.Integer) -> int:
    dst = body.new()
    value = node.evaluated_value
    if -(2**62) < value < 2**62:
        body.emit(Number(dst, value))
    else:
        body.emit(Constant(dst, "int"))
    return dst


def _float(writer: Writer, body: Body, node: cst.Float) -> int:
    return constant(body, "float")


def _ellipsis(writer: Writer, body: Body, node: cst.Ellipsis) -> int:
    return constant(body, "ellipsis")


def _string(writer: Writer, body: Body, node: cst.SimpleString) -> int:
    value = string_value(node)
    if isinstance(value, bytes):
        dst = body.new()
        body.emit(Bytes(dst, value.decode("latin-1")))
        return dst
    return text(body, value)


def string_value(node: cst.SimpleString) -> str | bytes:
    raw = node.value
    if "\\" not in raw:
        quote = raw[0]
        if quote in "'\"":
            return raw[3:-3] if raw[:3] == quote * 3 and len(raw) >= 6 else raw[1:-1]
    return node.evaluated_value


def _concatenated(writer: Writer, body: Body, node: cst.ConcatenatedString) -> int:
    value = node.evaluated_value
    if isinstance(value, str):
        return text(body, value)
    if isinstance(value, bytes):
        dst = body.new()
        body.emit(Bytes(dst, value.decode("latin-1")))
        return dst
    left, right = expression(writer, body, node.left), expression(writer, body, node.right)
    dst = body.new()
    body.emit(Format(dst, (left, right), writer.line(node)))
    return dst


def _formatted(writer: Writer, body: Body, node: cst.FormattedString) -> int:
    parts = _parts(writer, body, node.parts, "r" in node.prefix.lower())
    dst = body.new()
    body.emit(Format(dst, tuple(parts), writer.line(node)))
    return dst


def _parts(writer: Writer, body: Body, parts: Items[Any], raw: bool) -> list[int]:
    found: list[int] = []
    for part in parts:
        if isinstance(part, cst.FormattedStringText):
            value = part.value.replace("{{", "{").replace("}}", "}")
            if "\\" in value and not raw:
                try:
                    value = value.encode("latin-1", "backslashreplace").decode("unicode_escape")
                except UnicodeDecodeError:
                    value = part.value
            found.append(text(body, value))
            continue
        inner = expression(writer, body, part.expression)
        conversion = getattr(part, "conversion", None)
        if conversion in ("r", "s", "a") and inner != NONE:
            shown = body.new()
            method = "__str__" if conversion == "s" else "__repr__"
            body.emit(Operate(shown, inner, NONE, method, "", writer.line(part)))
            inner = shown
        if inner != NONE:
            found.append(inner)
        else:
            found.append(constant(body, "str"))
        if part.format_spec:
            _parts(writer, body, part.format_spec, raw)
    return found


def _templated(writer: Writer, body: Body, node: Any) -> int:
    items: list[int] = []
    for part in node.parts:
        inner = getattr(part, "expression", None)
        if inner is not None:
            items.append(expression(writer, body, inner))
    return _display(body, "template", [one for one in items if one != NONE], ())


def _call(writer: Writer, body: Body, node: cst.Call) -> int:
    func = expression(writer, body, node.func)
    positional: list[int] = []
    names: list[str] = []
    named: list[int] = []
    stars: list[int] = []
    double_stars: list[int] = []
    for argument in node.args:
        value = expression(writer, body, argument.value)
        if argument.star == "*":
            if isinstance(argument.value, cst.Tuple | cst.List) and not stars:
                positional.extend(
                    expression(writer, body, one.value)
                    for one in argument.value.elements
                    if isinstance(one, cst.Element)
                )
                continue
            stars.append(value)
        elif argument.star == "**":
            double_stars.append(value)
        elif argument.keyword is not None:
            names.append(argument.keyword.value)
            named.append(value)
        elif stars:
            stars.append(_display(body, "tuple", [value], ()))
        else:
            positional.append(value)
    if func == NONE:
        return NONE
    line = writer.line(node.func.attr) if isinstance(node.func, cst.Attribute) else writer.line(node.func)
    dst = body.new()
    body.emit(
        Call(
            dst,
            func,
            tuple(positional),
            tuple(names),
            tuple(named),
            tuple(one for one in stars if one != NONE),
            tuple(one for one in double_stars if one != NONE),
            line,
            _environment(body, node),
        )
    )
    return dst


def _environment(body: Body, node: cst.Call) -> tuple[tuple[str, int], ...]:
    if not isinstance(node.func, cst.Name) or body.now is None:
        return ()
    if node.func.value in _READS_NAMES and body.scope.kind != "module":
        return tuple((name, var) for name, var in sorted(body.now.items()) if "@" not in name)
    if node.func.value == "super" and body.scope.parameters:
        return (("", 0),)
    return ()


def _display(body: Body, kind: str, items: Items[int], spread: Items[int]) -> int:
    dst = body.new()
    body.emit(Sequence(dst, kind, tuple(items), tuple(spread)))
    return dst


def _sequence(writer: Writer, body: Body, node: cst.Tuple | cst.List | cst.Set) -> int:
    items: list[int] = []
    spread: list[int] = []
    for position, element in enumerate(node.elements):
        if isinstance(element, cst.StarredElement):
            spread.append(position)
        items.append(expression(writer, body, element.value))
    return _display(body, node.__class__.__name__.lower(), items, spread)


def _dict(writer: Writer, body: Body, node: cst.Dict) -> int:
    keys: list[int] = []
    values: list[int] = []
    for element in node.elements:
        keys.append(expression(writer, body, element.key) if isinstance(element, cst.DictElement) else NONE)
        values.append(expression(writer, body, element.value))
    dst = body.new()
    body.emit(Mapping(dst, tuple(keys), tuple(values)))
    body.fresh[dst] = body.nested
    return dst


def _comprehension(writer: Writer, body: Body, node: Any) -> int:
    outer = body.names
    before = body.branch()
    source = expression(writer, body, node.for_in.iter)
    body.names = writer.survey.scopes[id(node)]
    loop: cst.CompFor | None = node.for_in
    start = len(body.code)
    first = True
    while loop is not None:
        if not first:
            source = expression(writer, body, loop.iter)
        first = False
        element = body.new()
        if source != NONE:
            body.emit(Iterate(element, source, loop.asynchronous is not None, writer.line(loop)))
        assign(writer, body, loop.target, element)
        for condition in loop.ifs:
            condition_of(writer, body, condition.test)
            narrow(writer, body, condition.test, True)
        loop = loop.inner_for_in
    kind = node.__class__.__name__
    dst = body.new()
    if kind == "DictComp":
        key, value = expression(writer, body, node.key), expression(writer, body, node.value)
        body.emit(Mapping(dst, (key,), (value,)))
    elif kind == "StarredDictComp":
        body.emit(Mapping(dst, (NONE,), (expression(writer, body, node.value),)))
    else:
        body.emit(Sequence(dst, _KINDS[kind], (expression(writer, body, node.elt),), ()))
        if kind == "GeneratorExp":
            body.code.insert(start, Deferred(dst, len(body.code) - start))
    body.names = outer
    body.meet([before, body.now])
    return dst


def _subscript(writer: Writer, body: Body, node: cst.Subscript) -> int:
    obj = expression(writer, body, node.value)
    if obj == NONE:
        return NONE
    dst = body.new()
    only = node.slice[0].slice
    if len(node.slice) == 1 and isinstance(only, cst.Slice):
        low, high, step = (
            NONE if one is None else expression(writer, body, one) for one in (only.lower, only.upper, only.step)
        )
        body.emit(Slice(dst, obj, low, high, step, writer.line(node)))
        return dst
    body.emit(Item(dst, obj, index_of(writer, body, node), writer.line(node)))
    return dst


def index_of(writer: Writer, body: Body, node: cst.Subscript) -> int:
    """The variable of what stands in the brackets."""
    items: list[int] = []
    for one in node.slice:
        if isinstance(one.slice, cst.Index):
            items.append(expression(writer, body, one.slice.value))
        elif isinstance(one.slice, cst.Slice):
            for part in (one.slice.lower, one.slice.upper, one.slice.step):
                if part is not None:
                    expression(writer, body, part)
            items.append(constant(body, "slice"))
    return (
        items[0]
        if len(items) == 1 and not isinstance(node.slice[0].comma, cst.Comma)
        else _display(body, "tuple", items, ())
    )


def operate(body: Body, left: int, right: int, method: str, reflected: str, line: int) -> int:
    if left == NONE:
        return NONE
    dst = body.new()
    body.emit(Operate(dst, left, right, method, reflected, line))
    return dst


def _binary(writer: Writer, body: Body, node: cst.BinaryOperation) -> int:
    chain: list[cst.BinaryOperation] = []
    left_most: cst.BaseExpression = node
    while isinstance(left_most, cst.BinaryOperation):
        chain.append(left_most)
        left_most = left_most.left
    left = expression(writer, body, left_most)
    for one in reversed(chain):
        right = expression(writer, body, one.right)
        word = _BINARY[one.operator.__class__]
        left = operate(body, left, right, f"__{word}__", f"__r{word}__", writer.line(one))
    return left


def _comparison(writer: Writer, body: Body, node: cst.Comparison) -> int:
    left = expression(writer, body, node.left)
    for target in node.comparisons:
        right = expression(writer, body, target.comparator)
        methods = _COMPARED.get(target.operator.__class__)
        if methods is not None:
            operate(body, left, right, *methods, writer.line(node))
        elif isinstance(target.operator, cst.In | cst.NotIn):
            operate(body, right, left, "__contains__", "", writer.line(node))
        left = right
    return constant(body, "bool")


def _unary(writer: Writer, body: Body, node: cst.UnaryOperation) -> int:
    if isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer):
        dst = body.new()
        value = -node.expression.evaluated_value
        body.emit(Number(dst, value) if value > -(2**62) else Constant(dst, "int"))
        return dst
    if isinstance(node.operator, cst.Not):
        condition_of(writer, body, node.expression)
        return constant(body, "bool")
    inner = expression(writer, body, node.expression)
    return operate(body, inner, NONE, _UNARY[node.operator.__class__], "", writer.line(node))


def condition_of(writer: Writer, body: Body, node: cst.BaseExpression) -> int:
    """An expression whose truth is asked."""
    var = expression(writer, body, node)
    plain = (cst.Comparison, cst.Integer, cst.SimpleString, cst.BooleanOperation)
    if (
        var != NONE
        and not isinstance(node, plain)
        and not (isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not))
    ):
        body.emit(Operate(NONE, var, NONE, "__bool__", "", writer.line(node)))
    return var


def _boolean(writer: Writer, body: Body, node: cst.BooleanOperation) -> int:
    conjunction = isinstance(node.operator, cst.And)
    left = condition_of(writer, body, node.left)
    known = writer.truth(body.names, node.left)
    if known is not None and known is not conjunction:
        return left
    before = body.branch()
    narrow(writer, body, node.left, conjunction)
    right = expression(writer, body, node.right)
    narrowed_after = body.now
    body.meet([before, narrowed_after])
    if known is conjunction:
        return right
    return body.joined((left, right))


def _choice(writer: Writer, body: Body, node: cst.IfExp) -> int:
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


def narrow(writer: Writer, body: Body, test: cst.BaseExpression, positive: bool) -> None:
    """What a condition that holds (or does not) says of the types of local names."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        narrow(writer, body, test.expression, not positive)
    elif isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And if positive else cst.Or):
        narrow(writer, body, test.left, positive)
        narrow(writer, body, test.right, positive)
    elif (
        isinstance(test, cst.Call)
        and isinstance(test.func, cst.Name)
        and test.func.value == "isinstance"
        and len(test.args) == 2
    ):
        _narrow_name(writer, body, test.args[0].value, test.args[1].value, positive)


def _narrow_name(
    writer: Writer, body: Body, name: cst.BaseExpression, kind: cst.BaseExpression, positive: bool
) -> None:
    if not isinstance(name, cst.Name) or body.now is None:
        return
    spelled = body.names.spelled(name.value)
    before = body.now.get(spelled, NONE)
    if before == NONE:
        return
    of = expression(writer, body, kind)
    if of == NONE:
        return
    dst = body.new()
    body.emit(Narrow(dst, before, of, positive))
    body.now[spelled] = dst


def _lambda(writer: Writer, body: Body, node: cst.Lambda) -> int:
    body.lambdas += 1
    name = f"<lambda{body.lambdas}>"
    defaults = [
        (index, expression(writer, body, one.default))
        for index, one in enumerate(all_parameters(node.params))
        if one.default is not None
    ]
    inner = writer.open_scope(
        node, name, f"{body.scope.qualname}.{name}".lstrip("."), "lambda", body.index, writer.line(node)
    )
    body.show_to_inner(inner.names)
    declare_parameters(writer, inner, node.params)
    inner.emit(Return(expression(writer, inner, node.body)))
    inner.finish()
    dst = body.new()
    body.emit(MakeFunction(dst, inner.index, tuple(defaults), writer.line(node)))
    return dst


def declare_parameters(writer: Writer, inner: Body, parameters: cst.Parameters) -> None:
    """The first variables of a function are its parameters."""
    only = {id(one) for one in parameters.posonly_params}
    keyword = {id(one) for one in parameters.kwonly_params}
    if inner.now is None:
        return
    for one in all_parameters(parameters):
        if one is parameters.star_arg:
            kind = "star"
        elif one is parameters.star_kwarg:
            kind = "double"
        elif id(one) in only:
            kind = "positional"
        else:
            kind = "keyword" if id(one) in keyword else "any"
        index = NONE
        if one.annotation is not None:
            index = writer.annotation(annotation_of(one.annotation.annotation))
        inner.scope.parameters.append(Parameter(one.name.value, kind, index, one.default is not None))
        inner.now[one.name.value] = inner.new()


def _await(writer: Writer, body: Body, node: cst.Await) -> int:
    src = expression(writer, body, node.expression)
    if src == NONE:
        return NONE
    dst = body.new()
    body.emit(Await(dst, src, writer.line(node)))
    return dst


def _yield(writer: Writer, body: Body, node: cst.Yield) -> int:
    dst = body.new()
    if isinstance(node.value, cst.From):
        src = expression(writer, body, node.value.item)
        if src != NONE:
            body.emit(YieldFrom(dst, src, writer.line(node)))
        return dst
    src = constant(body, "NoneType") if node.value is None else expression(writer, body, node.value)
    body.emit(Yield(dst, src))
    return dst


def _walrus(writer: Writer, body: Body, node: cst.NamedExpr) -> int:
    value = expression(writer, body, node.value)
    names = body.names
    body.names = names.owner
    assign(writer, body, node.target, value)
    body.names = names
    return value


def _starred(writer: Writer, body: Body, node: cst.StarredElement) -> int:
    return expression(writer, body, node.value)


def assign(writer: Writer, body: Body, target: cst.CSTNode, value: int) -> None:
    """Write `target = value`."""
    from onepath.facts.model import SetAttribute, SetItem

    if body.now is None or value == NONE:
        if isinstance(target, cst.Name) and body.now is not None:
            body.now.pop(body.names.spelled(target.value), None)
        return
    if isinstance(target, cst.Name):
        body.bind(target.value, value)
    elif isinstance(target, cst.Attribute):
        obj = expression(writer, body, target.value)
        if obj != NONE:
            body.emit(SetAttribute(obj, mangled(body, target.attr.value), value, writer.line(target.attr)))
    elif isinstance(target, cst.Subscript):
        obj = expression(writer, body, target.value)
        if obj != NONE:
            index = index_of(writer, body, target)
            overwrite(body, obj, index)
            body.emit(SetItem(obj, index, value, writer.line(target)))
    elif isinstance(target, cst.Tuple | cst.List):
        count = len(target.elements)
        star = next((at for at, one in enumerate(target.elements) if isinstance(one, cst.StarredElement)), count)
        for position, element in enumerate(target.elements):
            dst = body.new()
            index = position if position <= star else position - count
            body.emit(Unpack(dst, value, index, position == star, writer.line(element)))
            assign(writer, body, element.value, dst)
    elif isinstance(target, cst.StarredElement):
        assign(writer, body, target.value, value)


_TABLE: Final[dict[type, Callable[[Writer, Body, Any], int]]] = {
    cst.Name: _name,
    cst.Attribute: _attribute,
    cst.Call: _call,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _concatenated,
    cst.FormattedString: _formatted,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.Imaginary: _float,
    cst.Ellipsis: _ellipsis,
    cst.Tuple: _sequence,
    cst.List: _sequence,
    cst.Set: _sequence,
    cst.Dict: _dict,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.DictComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.Subscript: _subscript,
    cst.BinaryOperation: _binary,
    cst.Comparison: _comparison,
    cst.UnaryOperation: _unary,
    cst.BooleanOperation: _boolean,
    cst.IfExp: _choice,
    cst.Lambda: _lambda,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.NamedExpr: _walrus,
    cst.StarredElement: _starred,
}
for _later, _write in (("StarredDictComp", _comprehension), ("TemplatedString", _templated)):
    if hasattr(cst, _later):
        _TABLE[getattr(cst, _later)] = _write
