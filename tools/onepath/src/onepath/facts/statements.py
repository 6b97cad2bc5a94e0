"""Statements: syntax in, operations out. A block after `return` or under a constant false is not written."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Any, Final

import libcst as cst

from onepath.facts.expressions import (
    _BINARY,
    assign,
    condition_of,
    constant,
    declare_parameters,
    expression,
    index_of,
    mangled,
    narrow,
    operate,
)
from onepath.facts.flow import Body
from onepath.facts.model import (
    NONE,
    Attribute,
    Call,
    Caught,
    Declare,
    DeclareAttribute,
    Delete,
    Enter,
    Field,
    Import,
    ImportFact,
    ImportFrom,
    ImportStar,
    Item,
    Iterate,
    MakeClass,
    MakeFunction,
    Program,
    Raise,
    Return,
    Sequence,
    SetAttribute,
    SetItem,
    StoreMember,
)
from onepath.facts.module import Writer
from onepath.facts.patterns import pattern
from onepath.facts.survey import all_parameters, target_names
from onepath.facts.types import annotation_of, dotted


def block(writer: Writer, body: Body, statements: Items[Any]) -> None:
    """Write statements one after the other, as long as something runs."""
    for statement in statements:
        if body.now is None:
            return
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if body.now is not None:
                    _small(writer, body, small)
        else:
            write = _COMPOUND.get(statement.__class__)
            if write is not None:
                write(writer, body, statement)


def _suite(writer: Writer, body: Body, suite: cst.BaseSuite) -> None:
    body.nested += 1
    if isinstance(suite, cst.SimpleStatementSuite):
        for small in suite.body:
            if body.now is not None:
                _small(writer, body, small)
    else:
        block(writer, body, suite.body)
    body.nested -= 1


def _small(writer: Writer, body: Body, node: Any) -> None:
    write = _SMALL.get(node.__class__)
    if write is not None:
        write(writer, body, node)


# -- simple statements -----------------------------------------------------------------------------------------


def _expr(writer: Writer, body: Body, node: cst.Expr) -> None:
    expression(writer, body, node.value)


def _assign(writer: Writer, body: Body, node: cst.Assign) -> None:
    value = node.value
    for target in node.targets:
        for name in target_names(target.target):
            writer.note_binding(body, name, _kind_of(value), writer.line(node))
    if body.scope.kind == "module" and len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name):
        _note_alias(writer, node.targets[0].target.value, value)
    first = node.targets[0].target
    if (
        len(node.targets) == 1
        and isinstance(value, cst.Tuple)
        and isinstance(first, cst.Tuple)
        and len(value.elements) == len(first.elements)
        and all(isinstance(one, cst.Element) for one in (*value.elements, *first.elements))
    ):
        values = [expression(writer, body, one.value) for one in value.elements]
        for one, var in zip(first.elements, values, strict=True):
            assign(writer, body, one.value, var)
        return
    var = expression(writer, body, value)
    for target in node.targets:
        assign(writer, body, target.target, var)


def _note_alias(writer: Writer, name: str, value: cst.BaseExpression) -> None:
    if isinstance(value, cst.Subscript) or (
        isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr)
    ):
        index = writer.annotation(annotation_of(value))
        if index != NONE:
            writer.facts.type_aliases[name] = index


def _kind_of(value: cst.BaseExpression | None) -> str:
    if isinstance(value, cst.SimpleString | cst.ConcatenatedString | cst.Integer | cst.Float | cst.Imaginary):
        return "constant"
    if isinstance(value, cst.Name) and value.value in ("True", "False", "None"):
        return "constant"
    if isinstance(value, cst.UnaryOperation):
        return _kind_of(value.expression)
    if isinstance(value, cst.BinaryOperation):
        both = (_kind_of(value.left), _kind_of(value.right))
        return "constant" if both == ("constant", "constant") else "variable"
    if isinstance(value, cst.Tuple):
        return "constant" if all(_kind_of(one.value) == "constant" for one in value.elements) else "variable"
    if isinstance(value, cst.List | cst.Dict | cst.Set | cst.ListComp | cst.DictComp | cst.SetComp):
        return "mutable"
    return "variable"


def _ann_assign(writer: Writer, body: Body, node: cst.AnnAssign) -> None:
    index = writer.annotation(annotation_of(node.annotation.annotation))
    target = node.target
    if body.scope.kind in ("module", "class"):
        run_annotation(writer, body, node.annotation)
    line = writer.line(node)
    var = NONE if node.value is None else expression(writer, body, node.value)
    if isinstance(target, cst.Name):
        if node.value is not None:
            writer.note_binding(body, target.value, _kind_of(node.value), line)
            _note_alias(writer, target.value, node.value) if body.scope.kind == "module" else None
        if body.scope.kind in ("module", "class") and index != NONE:
            body.scope.fields.append(Field(target.value, index, node.value is not None, line))
        if var != NONE:
            if index != NONE:
                body.emit(Declare(var, index))
            body.bind(target.value, var)
        elif node.value is not None:
            body.unbind(target.value)
        elif index != NONE and body.scope.kind in ("function", "lambda") and body.now is not None:
            empty = body.new()
            body.emit(Declare(empty, index))
        return
    if isinstance(target, cst.Attribute):
        obj = expression(writer, body, target.value)
        if obj == NONE:
            return
        if index != NONE:
            body.emit(DeclareAttribute(obj, mangled(body, target.attr.value), index))
        if var != NONE:
            body.emit(SetAttribute(obj, mangled(body, target.attr.value), var, writer.line(target.attr)))
        return
    assign(writer, body, target, var)


def _aug_assign(writer: Writer, body: Body, node: cst.AugAssign) -> None:
    word = _BINARY[getattr(cst, node.operator.__class__.__name__.removesuffix("Assign"))]
    target = node.target
    line = writer.line(node)
    if isinstance(target, cst.Attribute):
        obj = expression(writer, body, target.value)
        right = expression(writer, body, node.value)
        if obj == NONE:
            return
        old = body.new()
        body.emit(Attribute(old, obj, mangled(body, target.attr.value), line))
        new = operate(body, old, right, f"__i{word}__", f"__r{word}__", line)
        body.emit(SetAttribute(obj, mangled(body, target.attr.value), new, line))
    elif isinstance(target, cst.Subscript):
        obj = expression(writer, body, target.value)
        index = index_of(writer, body, target)
        right = expression(writer, body, node.value)
        if obj == NONE:
            return
        old = body.new()
        body.emit(Item(old, obj, index, line))
        new = operate(body, old, right, f"__i{word}__", f"__r{word}__", line)
        body.emit(SetItem(obj, index, new, line))
    elif isinstance(target, cst.Name):
        old = body.read(target.value)
        right = expression(writer, body, node.value)
        writer.note_binding(body, target.value, "variable", line)
        if old != NONE:
            body.bind(target.value, operate(body, old, right, f"__i{word}__", f"__r{word}__", line))


def _return(writer: Writer, body: Body, node: cst.Return) -> None:
    value = constant(body, "NoneType") if node.value is None else expression(writer, body, node.value)
    if value != NONE:
        body.emit(Return(value))
    body.now = None


def _raise(writer: Writer, body: Body, node: cst.Raise) -> None:
    if node.exc is not None:
        value = expression(writer, body, node.exc)
        if value != NONE:
            body.emit(Raise(value, writer.line(node)))
    if node.cause is not None:
        expression(writer, body, node.cause.item)
    body.now = None


def _break(writer: Writer, body: Body, node: cst.Break) -> None:
    if body.loops and body.now is not None:
        body.loops[-1].breaks.append(dict(body.now))
    body.now = None


def _continue(writer: Writer, body: Body, node: cst.Continue) -> None:
    if body.loops and body.now is not None:
        body.loops[-1].continues.append(dict(body.now))
    body.now = None


def _assert(writer: Writer, body: Body, node: cst.Assert) -> None:
    condition_of(writer, body, node.test)
    if node.msg is not None:
        before = body.branch()
        expression(writer, body, node.msg)
        body.now = before
    narrow(writer, body, node.test, True)


def _delete(writer: Writer, body: Body, node: cst.Del) -> None:
    targets: list[cst.BaseExpression] = [node.target]
    while targets:
        target = targets.pop(0)
        if isinstance(target, cst.Name):
            body.unbind(target.value)
        elif isinstance(target, cst.Tuple | cst.List):
            targets.extend(one.value for one in target.elements)
        elif isinstance(target, cst.Attribute):
            obj = expression(writer, body, target.value)
            if obj != NONE:
                body.emit(Delete(obj, NONE, target.attr.value, writer.line(node)))
        elif isinstance(target, cst.Subscript):
            obj = expression(writer, body, target.value)
            if obj != NONE:
                body.emit(Delete(obj, index_of(writer, body, target), "", writer.line(node)))


def _import(writer: Writer, body: Body, node: cst.Import) -> None:
    line = writer.line(node)
    for alias in node.names:
        module = dotted(alias.name)
        if not module:
            continue
        bound = module.partition(".")[0]
        top = True
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            bound, top = alias.asname.name.value, False
        writer.facts.imports.append(ImportFact(module, "", bound, line, body.index, False))
        writer.note_binding(body, bound, "import", line)
        dst = body.new()
        body.emit(Import(dst, module, top, line))
        body.bind(bound, dst)


def import_source(writer: Writer, node: Any) -> str:
    """The absolute module of a `from` import; empty if its dots lead out of the program."""
    module = "" if node.module is None else dotted(node.module)
    if not node.relative:
        return module
    base = writer.package.split(".") if writer.package else []
    up = len(node.relative) - 1
    if up > len(base) or not base:
        return module
    kept = base[: len(base) - up] if up else base
    return ".".join([*kept, module] if module else kept)


def _import_from(writer: Writer, body: Body, node: cst.ImportFrom) -> None:
    line = writer.line(node)
    module = import_source(writer, node)
    if isinstance(node.names, cst.ImportStar):
        writer.facts.imports.append(ImportFact(module, "*", "*", line, body.index, False))
        certain = not body.nested
        body.emit(ImportStar(module, line, certain))
        body.stars.append(module if certain else f"?{module}")
        return
    for alias in node.names:
        name = dotted(alias.name)
        bound = name
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            bound = alias.asname.name.value
        at = writer.line(alias)
        writer.facts.imports.append(ImportFact(module, name, bound, at, body.index, False))
        writer.note_binding(body, bound, "import", at)
        dst = body.new()
        body.emit(ImportFrom(dst, module, name, at))
        body.bind(bound, dst)


def _type_alias(writer: Writer, body: Body, node: Any) -> None:
    name = node.name.value
    index = writer.annotation(annotation_of(node.value))
    if index != NONE and body.scope.kind == "module":
        writer.facts.type_aliases[name] = index
    writer.note_binding(body, name, "variable", writer.line(node))
    body.bind(name, constant(body, "TypeAliasType"))


# -- branches --------------------------------------------------------------------------------------------------


def _if(writer: Writer, body: Body, node: cst.If) -> None:
    known = writer.truth(body.names, node.test)
    ends = []
    if writer.speaks_of_checking(body.names, node.test):
        _note_typing_imports(writer, body, node.body)
    condition_of(writer, body, node.test)
    before = body.branch()
    if known is not False:
        narrow(writer, body, node.test, True)
        start = len(body.code)
        _suite(writer, body, node.body)
        if body.scope.kind == "module" and _asks_for_the_program(node.test):
            body.code.insert(start, Program(len(body.code) - start))
        ends.append(body.now)
    body.now = before
    if known is not True:
        narrow(writer, body, node.test, False)
        if isinstance(node.orelse, cst.If):
            _if(writer, body, node.orelse)
        elif node.orelse is not None:
            _suite(writer, body, node.orelse.body)
        ends.append(body.now)
    elif node.orelse is not None and _is_not_checking(writer, body, node.test) and isinstance(node.orelse, cst.Else):
        _note_typing_imports(writer, body, node.orelse.body)
    body.meet(ends)


def _asks_for_the_program(test: cst.BaseExpression) -> bool:
    """`__name__ == "__main__"`."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    only = test.comparisons[0]
    sides = (test.left, only.comparator)
    return (
        isinstance(only.operator, cst.Equal)
        and any(isinstance(one, cst.Name) and one.value == "__name__" for one in sides)
        and any(isinstance(one, cst.SimpleString) and one.evaluated_value == "__main__" for one in sides)
    )


def _is_not_checking(writer: Writer, body: Body, test: cst.BaseExpression) -> bool:
    return (
        isinstance(test, cst.UnaryOperation)
        and isinstance(test.operator, cst.Not)
        and writer.speaks_of_checking(body.names, test.expression)
    )


def _note_typing_imports(writer: Writer, body: Body, suite: cst.BaseSuite) -> None:
    """Imports for type checkers: they never run, but name types."""
    smalls = [
        small
        for statement in suite.body
        for small in (statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement])
    ]
    for small in smalls:
        if isinstance(small, cst.Import):
            for alias in small.names:
                module = dotted(alias.name)
                bound = module.partition(".")[0]
                named = bound
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                    bound, named = alias.asname.name.value, module
                writer.facts.typing_names[bound] = (named, "")
                writer.facts.imports.append(ImportFact(module, "", bound, writer.line(small), body.index, True))
        elif isinstance(small, cst.ImportFrom):
            module = import_source(writer, small)
            if isinstance(small.names, cst.ImportStar):
                writer.facts.imports.append(ImportFact(module, "*", "*", writer.line(small), body.index, True))
                continue
            for alias in small.names:
                name = bound = dotted(alias.name)
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                    bound = alias.asname.name.value
                writer.facts.typing_names[bound] = (module, name)
                writer.facts.imports.append(ImportFact(module, name, bound, writer.line(alias), body.index, True))


def _while(writer: Writer, body: Body, node: cst.While) -> None:
    known = writer.truth(body.names, node.test)
    if known is False:
        if node.orelse is not None:
            _suite(writer, body, node.orelse.body)
        return
    joins = body.enter_loop(writer.survey.rebound.get(id(node), set()))
    condition_of(writer, body, node.test)
    at_test = body.branch()
    narrow(writer, body, node.test, True)
    _suite(writer, body, node.body)
    loop = body.leave_loop(joins)
    body.now = None if known is True else at_test
    if node.orelse is not None and body.now is not None:
        _suite(writer, body, node.orelse.body)
    body.meet([body.now, *loop.breaks])


def _for(writer: Writer, body: Body, node: cst.For) -> None:
    source = expression(writer, body, node.iter)
    joins = body.enter_loop(writer.survey.rebound.get(id(node), set()))
    before = body.branch()
    element = body.new()
    if source != NONE:
        body.emit(Iterate(element, source, node.asynchronous is not None, writer.line(node)))
    for name in target_names(node.target):
        writer.note_binding(body, name, "variable", writer.line(node))
    assign(writer, body, node.target, element)
    _suite(writer, body, node.body)
    end = body.now
    loop = body.leave_loop(joins)
    body.meet([before, end, *loop.continues])
    if node.orelse is not None:
        _suite(writer, body, node.orelse.body)
    body.meet([body.now, *loop.breaks])


def _try(writer: Writer, body: Body, node: cst.Try | cst.TryStar) -> None:
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
        kind = NONE if handler.type is None else expression(writer, body, handler.type)
        name = None if handler.name is None else handler.name.name
        if isinstance(name, cst.Name):
            caught = body.new()
            if kind != NONE:
                body.emit(Caught(caught, kind))
            if isinstance(node, cst.TryStar):
                one, caught = caught, body.new()
                body.emit(Sequence(caught, "group", (one,), (0,)))
            writer.note_binding(body, name.value, "variable", writer.line(handler))
            body.bind(name.value, caught)
        _suite(writer, body, handler.body)
        if isinstance(name, cst.Name):
            body.unbind(name.value)
        ends.append(body.now)
    body.now = after_body
    if node.orelse is not None and body.now is not None:
        _suite(writer, body, node.orelse.body)
    body.tries.pop()
    body.meet([body.now, *ends])
    if node.finalbody is None:
        return
    normal = body.now
    body.now = dict(interrupted)
    escaped = _interrupted(body, handled)
    body.meet([normal, escaped])
    met = body.branch() or {}
    _suite(writer, body, node.finalbody.body)
    end = _reached(body)
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


def _reached(body: Body) -> dict[str, int] | None:
    """The bindings here; None where nothing gets here."""
    return body.now


def _interrupted(body: Body, frame: dict[str, list[int]]) -> dict[str, int]:
    """What names may be when a block that bound these variables is left anywhere."""
    found = dict(body.now or {})
    for name, several in frame.items():
        found[name] = body.joined((found.get(name, NONE), *several))
    return found


def _with(writer: Writer, body: Body, node: cst.With) -> None:
    before = body.branch()
    frame: dict[str, list[int]] = {}
    body.tries.append(frame)
    for item in node.items:
        source = expression(writer, body, item.item)
        if source == NONE:
            continue
        dst = body.new()
        body.emit(Enter(dst, source, node.asynchronous is not None, writer.line(item)))
        if item.asname is not None:
            for name in target_names(item.asname.name):
                writer.note_binding(body, name, "variable", writer.line(item))
            assign(writer, body, item.asname.name, dst)
    _suite(writer, body, node.body)
    body.tries.pop()
    if body.now is None:
        # The context manager may swallow what was raised: what comes next can run.
        body.now = before
        body.now = _interrupted(body, frame)


def _match(writer: Writer, body: Body, node: cst.Match) -> None:
    subject = expression(writer, body, node.subject)
    name = node.subject.value if isinstance(node.subject, cst.Name) else ""
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


# -- functions and classes -------------------------------------------------------------------------------------


def _function(writer: Writer, body: Body, node: cst.FunctionDef) -> None:
    name = node.name.value
    line = writer.line(node)
    decorators = [(expression(writer, body, one.decorator), writer.line(one)) for one in node.decorators]
    defaults = [
        (index, expression(writer, body, one.default))
        for index, one in enumerate(all_parameters(node.params))
        if one.default is not None
    ]
    inner = writer.open_scope(node, name, f"{body.scope.qualname}.{name}".lstrip("."), "function", body.index, line)
    inner.scope.is_async = node.asynchronous is not None
    for one in all_parameters(node.params):
        run_annotation(writer, body, one.annotation)
    run_annotation(writer, body, node.returns)
    if node.returns is not None:
        inner.scope.returns = writer.annotation(annotation_of(node.returns.annotation))
    _type_parameters(writer, inner, node.type_parameters)
    declare_parameters(writer, inner, node.params)
    body.show_to_inner(inner.names)
    _suite(writer, inner, node.body)
    inner.finish()
    dst = body.new()
    body.emit(MakeFunction(dst, inner.index, tuple(one for one in defaults if one[1] != NONE), line))
    writer.note_binding(body, name, "function", line)
    body.bind(name, _decorated(body, dst, decorators))


def run_annotation(writer: Writer, body: Body, node: cst.Annotation | None) -> None:
    """An annotation that calls something does so where it stands, unless annotations are never evaluated."""
    if node is not None and not writer.lazy_annotations and _calls(node.annotation):
        expression(writer, body, node.annotation)


def _calls(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call | cst.NamedExpr):
        return True
    if isinstance(node, cst.Name | cst.SimpleString):
        return False
    return any(isinstance(one, cst.BaseExpression) and _calls(one) for one in node.children) or (
        isinstance(node, cst.Subscript)
        and any(isinstance(one.slice, cst.Index) and _calls(one.slice.value) for one in node.slice)
    )


def _type_parameters(writer: Writer, inner: Body, node: cst.TypeParameters | None) -> None:
    if node is None:
        return
    for one in node.params:
        bound = getattr(one.param, "bound", None)
        index = NONE if bound is None else writer.annotation(annotation_of(bound))
        inner.scope.type_parameters.append((one.param.name.value, index))


def _decorated(body: Body, value: int, decorators: list[tuple[int, int]]) -> int:
    for decorator, line in reversed(decorators):
        if decorator == NONE:
            continue
        dst = body.new()
        body.emit(Call(dst, decorator, (value,), (), (), (), (), line))
        value = dst
    return value


def _class(writer: Writer, body: Body, node: cst.ClassDef) -> None:
    name = node.name.value
    line = writer.line(node)
    decorators = [(expression(writer, body, one.decorator), writer.line(one)) for one in node.decorators]
    bases = [expression(writer, body, one.value) for one in node.bases if one.star == ""]
    names: list[str] = []
    named: list[int] = []
    for one in node.keywords:
        var = expression(writer, body, one.value)
        if one.keyword is not None and var != NONE:
            names.append(one.keyword.value)
            named.append(var)
    inner = writer.open_scope(node, name, f"{body.scope.qualname}.{name}".lstrip("."), "class", body.index, line)
    _type_parameters(writer, inner, node.type_parameters)
    body.show_to_inner(inner.names)
    _suite(writer, inner, node.body)
    for member, var in (inner.now or {}).items():
        if "@" not in member:
            inner.emit(StoreMember(mangled(inner, member), var))
    inner.finish()
    dst = body.new()
    body.emit(MakeClass(dst, inner.index, tuple(one for one in bases if one != NONE), tuple(names), tuple(named), line))
    writer.note_binding(body, name, "class", line)
    body.bind(name, _decorated(body, dst, decorators))


_SMALL: Final[dict[type, Callable[[Writer, Body, Any], None]]] = {
    cst.Expr: _expr,
    cst.Assign: _assign,
    cst.AnnAssign: _ann_assign,
    cst.AugAssign: _aug_assign,
    cst.Return: _return,
    cst.Raise: _raise,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Assert: _assert,
    cst.Del: _delete,
    cst.Import: _import,
    cst.ImportFrom: _import_from,
}
for _later, _write in (
    ("TypeAlias", _type_alias),
    ("LazyImport", _import),
    ("LazyImportFrom", _import_from),
):
    if hasattr(cst, _later):
        _SMALL[getattr(cst, _later)] = _write
_COMPOUND: Final[dict[type, Callable[[Writer, Body, Any], None]]] = {
    cst.If: _if,
    cst.While: _while,
    cst.For: _for,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.With: _with,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
}
