"""Computes expressions of a registry from their syntax: literals, constructors, small functions, comprehensions.

Nothing is imported or run. What it cannot compute is an error with its place, never a guess; a name of foreign code is
a Reference, a call of foreign code or of a class is a Record of its arguments.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from typing import Any, Final

from onepath.graph import Place
from onepath.switches.sources import Binding, Sources
from onepath.switches.values import (
    BINARY,
    BUILTINS,
    COMPARE,
    METHODS,
    TRANSPARENT,
    Closure,
    Record,
    Reference,
    Returned,
    Uncomputable,
    default_of,
    described,
)

_MOST_STEPS: Final = 500_000
_DEEPEST: Final = 40


class Evaluator:
    """Computes names and expressions of a program's modules."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._steps = 0
        self._depth = 0
        self._pending: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], Any] = {}

    def named(self, name: str, asked_at: Place) -> Any:
        """The value of a dotted name. Raises Uncomputable."""
        module, rest = self.sources.split(name)
        if not module:
            return Reference(name)
        if not rest:
            return Reference(module)
        first, *inner = rest.split(".")
        value = self._global(module, first, asked_at)
        for part in inner:
            value = self._attribute(value, part, asked_at)
        return value

    def expression(self, node: ast.expr, module: str, environment: dict[str, Any] | None = None) -> Any:
        """The value of an expression of `module`. Raises Uncomputable."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise Uncomputable(self._place(node, module), "takes too many steps to compute")
        method = getattr(self, f"_on_{type(node).__name__.lower()}", None)
        if method is None:
            raise Uncomputable(self._place(node, module), f"`{ast.unparse(node)}` cannot be computed statically")
        try:
            return method(node, module, environment if environment is not None else {})
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError) as error:
            why = f"`{_short(node)}` cannot be computed: {type(error).__name__}: {error}"
            raise Uncomputable(self._place(node, module), why) from error

    def class_of(self, name: str) -> tuple[str, ast.ClassDef] | None:
        """A class of the program by its dotted name: the module it is in, and its definition."""
        found = self.sources.definition(name)
        return (found[0], found[1]) if found is not None and isinstance(found[1], ast.ClassDef) else None

    def lineage(self, module: str, node: ast.ClassDef) -> list[tuple[str, ast.ClassDef]]:
        """A class and its bases in the program, the class first."""
        found = [(module, node)]
        for base in node.bases:
            name = self.name_of(base, module)
            above = self.class_of(name) if name else None
            if above is not None and above[1] is not node:
                found.extend(one for one in self.lineage(*above) if one not in found)
        return found

    def name_of(self, node: ast.expr, module: str) -> str:
        """The full name an expression such as `a.B` or `B[int]` stands for; empty if it is none."""
        if isinstance(node, ast.Subscript):
            return self.name_of(node.value, module)
        if isinstance(node, ast.Attribute):
            owner = self.name_of(node.value, module)
            return f"{owner}.{node.attr}" if owner else ""
        if not isinstance(node, ast.Name):
            return ""
        binding = self.sources.binding(module, node.id)
        if isinstance(binding, tuple):
            return ".".join(part for part in binding if part)
        return f"{module}.{node.id}" if binding is not None else node.id

    def field_nodes(self, module: str, node: ast.ClassDef) -> dict[str, tuple[str, ast.AnnAssign, str]]:
        """Annotated fields of a class, inherited ones first: module, statement, the docstring below it."""
        fields: dict[str, tuple[str, ast.AnnAssign, str]] = {}
        for owner, definition in reversed(self.lineage(module, node)):
            for index, statement in enumerate(definition.body):
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    if "ClassVar" in ast.unparse(statement.annotation):
                        continue
                    following = definition.body[index + 1] if index + 1 < len(definition.body) else None
                    fields[statement.target.id] = (owner, statement, _text_of(following))
        return fields

    def get(self, value: Any, part: str) -> Any:
        """A part of a row, whatever a row is: a field or property of a record, an entry of a dict; None if absent."""
        if isinstance(value, Mapping):
            return value.get(part)
        if isinstance(value, Record):
            if part in value.fields:
                return value.fields[part]
            if value.node is not None and self._method(value, part) is not None:
                return self._attribute(value, part, value.place)
        return None

    # -- names and attributes

    def _global(self, module: str, name: str, asked_at: Place) -> Any:
        key = (module, name)
        if key in self._known:
            return self._known[key]
        if key in self._pending:
            raise Uncomputable(asked_at, f"{module}.{name} needs itself")
        binding = self.sources.binding(module, name)
        if binding is None:
            if name in BUILTINS:
                return BUILTINS[name]
            return Reference(f"{module}.{name}" if not hasattr(builtins, name) else name)
        self._pending.add(key)
        try:
            value = self._bound(binding, module, name, asked_at)
        finally:
            self._pending.discard(key)
        self._known[key] = value
        return value

    def _bound(self, binding: Binding, module: str, name: str, asked_at: Place) -> Any:
        if isinstance(binding, tuple):
            return self.named(".".join(part for part in binding if part), asked_at)
        if isinstance(binding, ast.FunctionDef) and not binding.decorator_list:
            return Closure(binding, module, {})
        if isinstance(binding, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return Reference(f"{module}.{name}")
        return self.expression(binding, module)

    def _on_name(self, node: ast.Name, module: str, environment: dict[str, Any]) -> Any:
        if node.id in environment:
            return environment[node.id]
        return self._global(module, node.id, self._place(node, module))

    def _on_attribute(self, node: ast.Attribute, module: str, environment: dict[str, Any]) -> Any:
        return self._attribute(self.expression(node.value, module, environment), node.attr, self._place(node, module))

    def _attribute(self, value: Any, name: str, place: Place) -> Any:
        if isinstance(value, Reference):
            return self._of_reference(value, name, place)
        if isinstance(value, Record):
            if name in value.fields:
                return value.fields[name]
            found = self._method(value, name)
            if found is not None:
                module, node = found
                if any(ast.unparse(one).endswith("property") for one in node.decorator_list):
                    return self._run(Closure(node, module, {}), [value], {}, place)
                return lambda *positional, **named: self._run(
                    Closure(node, module, {}), [value, *positional], named, place
                )
        for kind, methods in METHODS.items():
            if isinstance(value, kind) and name in methods:
                return getattr(value, name)
        raise Uncomputable(place, f"`.{name}` of {described(value)} cannot be computed")

    def _of_reference(self, value: Reference, name: str, place: Place) -> Any:
        found = self.class_of(value.name)
        if found is None:
            return self.named(f"{value.name}.{name}", place)
        for module, node in self.lineage(*found):
            for statement in node.body:
                if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
                    continue
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    return self.expression(statement.value, module)
        if name in ("value", "name"):
            raise Uncomputable(place, f"`{value.name}.{name}` is not known")
        return Reference(f"{value.name}.{name}")

    def _method(self, value: Record, name: str) -> tuple[str, ast.FunctionDef] | None:
        if value.node is None:
            return None
        for module, node in self.lineage(value.module, value.node):
            for statement in node.body:
                if isinstance(statement, ast.FunctionDef) and statement.name == name:
                    return module, statement
        return None

    # -- displays and operators

    def _on_constant(self, node: ast.Constant, module: str, environment: dict[str, Any]) -> Any:
        return node.value

    def _on_tuple(self, node: ast.Tuple, module: str, environment: dict[str, Any]) -> Any:
        return tuple(self._elements(node.elts, module, environment))

    def _on_list(self, node: ast.List, module: str, environment: dict[str, Any]) -> Any:
        return self._elements(node.elts, module, environment)

    def _on_set(self, node: ast.Set, module: str, environment: dict[str, Any]) -> Any:
        return tuple(dict.fromkeys(self._elements(node.elts, module, environment)))

    def _elements(self, nodes: Iterable[ast.expr], module: str, environment: dict[str, Any]) -> list[Any]:
        elements: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                elements.extend(self.expression(node.value, module, environment))
            else:
                elements.append(self.expression(node, module, environment))
        return elements

    def _on_dict(self, node: ast.Dict, module: str, environment: dict[str, Any]) -> Any:
        entries: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            computed = self.expression(value, module, environment)
            if key is None:
                entries.update(computed)
            else:
                entries[self.expression(key, module, environment)] = computed
        return entries

    def _on_joinedstr(self, node: ast.JoinedStr, module: str, environment: dict[str, Any]) -> Any:
        return "".join(str(self.expression(part, module, environment)) for part in node.values)

    def _on_formattedvalue(self, node: ast.FormattedValue, module: str, environment: dict[str, Any]) -> Any:
        value = self.expression(node.value, module, environment)
        if not isinstance(value, str | int | float | bool | None):
            raise Uncomputable(self._place(node, module), f"`{_short(node.value)}` is no text")
        spec = self.expression(node.format_spec, module, environment) if node.format_spec else ""
        return format(repr(value) if node.conversion == ord("r") else value, spec)

    def _on_binop(self, node: ast.BinOp, module: str, environment: dict[str, Any]) -> Any:
        left = self.expression(node.left, module, environment)
        right = self.expression(node.right, module, environment)
        return BINARY[type(node.op)](left, right)

    def _on_boolop(self, node: ast.BoolOp, module: str, environment: dict[str, Any]) -> Any:
        value: Any = None
        for part in node.values:
            value = self.expression(part, module, environment)
            if bool(value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _on_unaryop(self, node: ast.UnaryOp, module: str, environment: dict[str, Any]) -> Any:
        value = self.expression(node.operand, module, environment)
        return not value if isinstance(node.op, ast.Not) else -value if isinstance(node.op, ast.USub) else value

    def _on_compare(self, node: ast.Compare, module: str, environment: dict[str, Any]) -> Any:
        left = self.expression(node.left, module, environment)
        for operation, part in zip(node.ops, node.comparators, strict=True):
            right = self.expression(part, module, environment)
            if not COMPARE[type(operation)](left, right):
                return False
            left = right
        return True

    def _on_ifexp(self, node: ast.IfExp, module: str, environment: dict[str, Any]) -> Any:
        chosen = node.body if self.expression(node.test, module, environment) else node.orelse
        return self.expression(chosen, module, environment)

    def _on_subscript(self, node: ast.Subscript, module: str, environment: dict[str, Any]) -> Any:
        value = self.expression(node.value, module, environment)
        if isinstance(value, Reference):
            return value
        return value[self.expression(node.slice, module, environment)]

    def _on_slice(self, node: ast.Slice, module: str, environment: dict[str, Any]) -> Any:
        parts = (node.lower, node.upper, node.step)
        return slice(*(self.expression(part, module, environment) if part else None for part in parts))

    def _on_lambda(self, node: ast.Lambda, module: str, environment: dict[str, Any]) -> Any:
        return Closure(node, module, dict(environment))

    def _on_namedexpr(self, node: ast.NamedExpr, module: str, environment: dict[str, Any]) -> Any:
        environment[node.target.id] = self.expression(node.value, module, environment)
        return environment[node.target.id]

    # -- comprehensions

    def _on_listcomp(self, node: ast.ListComp, module: str, environment: dict[str, Any]) -> Any:
        return [
            self.expression(node.elt, module, inner) for inner in self._rounds(node.generators, module, environment)
        ]

    def _on_generatorexp(self, node: ast.GeneratorExp, module: str, environment: dict[str, Any]) -> Any:
        return [
            self.expression(node.elt, module, inner) for inner in self._rounds(node.generators, module, environment)
        ]

    def _on_setcomp(self, node: ast.SetComp, module: str, environment: dict[str, Any]) -> Any:
        rounds = self._rounds(node.generators, module, environment)
        return tuple(dict.fromkeys(self.expression(node.elt, module, inner) for inner in rounds))

    def _on_dictcomp(self, node: ast.DictComp, module: str, environment: dict[str, Any]) -> Any:
        return {
            self.expression(node.key, module, inner): self.expression(node.value, module, inner)
            for inner in self._rounds(node.generators, module, environment)
        }

    def _rounds(
        self, generators: list[ast.comprehension], module: str, environment: dict[str, Any]
    ) -> Iterable[dict[str, Any]]:
        first, *rest = generators
        for element in self._iterated(self.expression(first.iter, module, environment), first.iter, module):
            inner = dict(environment)
            self._assign(first.target, element, inner, module)
            if all(self.expression(test, module, inner) for test in first.ifs):
                if rest:
                    yield from self._rounds(rest, module, inner)
                else:
                    yield inner

    def _iterated(self, value: Any, node: ast.expr, module: str) -> list[Any]:
        if isinstance(value, Reference | Record | Closure):
            raise Uncomputable(self._place(node, module), f"`{_short(node)}` cannot be gone through")
        return list(value)

    def _assign(self, target: ast.expr, value: Any, environment: dict[str, Any], module: str) -> None:
        if isinstance(target, ast.Name):
            environment[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for part, element in zip(target.elts, value, strict=True):
                self._assign(part, element, environment, module)
        elif isinstance(target, ast.Subscript):
            container = self.expression(target.value, module, environment)
            container[self.expression(target.slice, module, environment)] = value
        else:
            raise Uncomputable(self._place(target, module), f"a store into `{_short(target)}` cannot be computed")

    # -- calls

    def _on_call(self, node: ast.Call, module: str, environment: dict[str, Any]) -> Any:
        place = self._place(node, module)
        function = self.expression(node.func, module, environment)
        positional = self._elements(node.args, module, environment)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.expression(keyword.value, module, environment)
            named.update({keyword.arg: value} if keyword.arg is not None else value)
        if isinstance(function, Closure):
            result = self._run(function, positional, named, place)
            if isinstance(result, Record):
                result.place = place
            return result
        if isinstance(function, Reference):
            if function.name in TRANSPARENT and positional:
                return positional[-1]
            return self._made(function, positional, named, place)
        if isinstance(function, Record | Mapping | str | tuple):
            raise Uncomputable(place, f"`{_short(node.func)}` cannot be called")
        result = function(*positional, **named)
        return list(result) if isinstance(result, zip | enumerate | reversed | range) else result

    def _made(self, function: Reference, positional: list[Any], named: dict[str, Any], place: Place) -> Any:
        found = self.class_of(function.name)
        if found is None:
            return Record(function.name, {**{str(at): one for at, one in enumerate(positional)}, **named}, place)
        module, node = found
        bases = {
            self.name_of(base, owner).rpartition(".")[2] for owner, one in self.lineage(*found) for base in one.bases
        }
        if bases & {"Enum", "StrEnum", "IntEnum"} and positional:
            return positional[0]
        record = Record(function.name, {}, place)
        record.module, record.node = module, node
        nodes = self.field_nodes(module, node)
        given = {**dict(zip(nodes, positional, strict=False)), **named}
        for name, (owner, statement, _) in nodes.items():
            if name not in given and statement.value is not None:
                given[name] = default_of(self.expression(statement.value, owner))
        record.fields = given
        return record

    def _run(self, function: Closure, positional: list[Any], named: dict[str, Any], place: Place) -> Any:
        arguments = function.node.args
        environment = dict(function.environment)
        parameters = [*arguments.posonlyargs, *arguments.args]
        for parameter, default in zip(reversed(parameters), reversed(arguments.defaults), strict=False):
            environment[parameter.arg] = self.expression(default, function.module)
        for keyword_only, fallback in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if fallback is not None:
                environment[keyword_only.arg] = self.expression(fallback, function.module)
        environment.update(zip((parameter.arg for parameter in parameters), positional, strict=False))
        if arguments.vararg:
            environment[arguments.vararg.arg] = tuple(positional[len(parameters) :])
        names = {parameter.arg for parameter in (*parameters, *arguments.kwonlyargs)}
        environment.update({name: value for name, value in named.items() if name in names})
        if arguments.kwarg:
            environment[arguments.kwarg.arg] = {name: value for name, value in named.items() if name not in names}
        if self._depth >= _DEEPEST:
            raise Uncomputable(place, "calls itself too deeply to be computed")
        self._depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                return self.expression(function.node.body, function.module, environment)
            self._statements(function.node.body, function.module, environment)
        except Returned as returned:
            return returned.value
        finally:
            self._depth -= 1
        return None

    def _statements(self, body: list[ast.stmt], module: str, environment: dict[str, Any]) -> None:
        for statement in body:
            if isinstance(statement, ast.Return):
                raise Returned(
                    self.expression(statement.value, module, environment) if statement.value is not None else None
                )
            if isinstance(statement, ast.Assign):
                value = self.expression(statement.value, module, environment)
                for target in statement.targets:
                    self._assign(target, value, environment, module)
            elif isinstance(statement, ast.AnnAssign):
                if statement.value is not None:
                    value = self.expression(statement.value, module, environment)
                    self._assign(statement.target, value, environment, module)
            elif isinstance(statement, ast.If):
                chosen = statement.body if self.expression(statement.test, module, environment) else statement.orelse
                self._statements(chosen, module, environment)
            elif isinstance(statement, ast.For):
                for element in self._iterated(
                    self.expression(statement.iter, module, environment), statement.iter, module
                ):
                    self._assign(statement.target, element, environment, module)
                    self._statements(statement.body, module, environment)
            elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                what = ast.unparse(statement).splitlines()[0]
                raise Uncomputable(self._place(statement, module), f"`{what}` cannot be computed statically")

    def _place(self, node: ast.AST, module: str) -> Place:
        return Place(self.sources.files.get(module, module), getattr(node, "lineno", 0))


def _text_of(statement: ast.stmt | None) -> str:
    """A string statement's text: the docstring of the field above it."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(statement.value.value.split()) if isinstance(statement.value.value, str) else ""
    return ""


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}…"
