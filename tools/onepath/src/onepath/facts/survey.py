"""One walk over a module's tree in the order of the source: which names each scope binds, uses and captures.

Names must be known before code is written down: whether a name is a function's own depends on what comes after it.
Nothing is interpreted in here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from onepath.facts.syntax import (
    FIELDS,
    Comprehension,
    FunctionNode,
    arguments_of,
    evaluated_later,
    parameters_of,
    target_names,
)

_NAME: Final = ast.Name
_CONSTANT: Final = ast.Constant


Place: TypeAlias = ast.AST | tuple[ast.AST, str]
"""What makes a scope: a node, or a field of a type parameter."""


class Names:
    """The names of one scope: a module, class, function, lambda, comprehension, or of what a type evaluates later."""

    __slots__ = (
        "bound",
        "children",
        "free",
        "globals",
        "index",
        "kind",
        "node",
        "nonlocals",
        "number",
        "parameters",
        "parent",
        "shared",
        "uses",
    )

    def __init__(self, node: Place, kind: str, parent: Names | None, number: int) -> None:
        self.node = node
        self.kind = kind
        self.parent = parent
        self.number = number
        """How many scopes the module has before this one."""
        self.bound: set[str] = set()
        self.parameters: set[str] = set()
        """Type parameters of which something is evaluated later: a class's are seen from the code in it, too."""
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.uses: set[str] = set()
        self.shared: set[str] = set()
        """Names that inner scopes bind too, by `nonlocal` or `global`."""
        self.free: set[tuple[int, str]] = set()
        """Variables of enclosing scopes that its code uses: the scope's number, and the name."""
        self.children: list[Names] = []
        self.index = -1
        """Of the scope in the facts, once its code is written."""
        if parent is not None:
            parent.children.append(self)

    @property
    def owner(self) -> Names:
        """The scope whose body this one's code is part of: a comprehension belongs to what is around it."""
        found = self
        while found.kind == "comprehension" and found.parent is not None:
            found = found.parent
        return found

    def spelled(self, name: str) -> str:
        """The name as kept in the owner's code: a comprehension's own names do not meet those around it."""
        return f"{name}@{self.number}" if self.kind == "comprehension" else name

    def sees_into(self, outer: Names) -> bool:
        """Whether names of that enclosing scope, unless it is the module, are read from here.

        A class's names are not, but by the value of a type alias in its body (PEP 695).
        """
        if outer.kind == "class":
            return self.kind == "alias" and outer is self.parent
        return outer.kind != "module"


class Survey:
    """What a walk over one module found."""

    def __init__(self, module: ast.Module) -> None:
        self.scopes: dict[Place, Names] = {}
        """By what makes a scope."""
        self.rebound: dict[ast.AST, set[str]] = {}
        """By loop: the names bound in it."""
        self.yields: set[Place] = set()
        """The nodes of the scopes that hold a yield."""
        self.times_bound: dict[str, int] = {}
        """By module variable: how many bindings it has."""
        self._loops: list[set[str]] = []
        self._scope = top = self._open(module, "module", None)
        self._all(module.body)
        _resolve(top)

    def forget(self) -> None:
        """Let scopes go of one another, and so of the tree: nothing else ends a circle while none collects garbage."""
        for names in self.scopes.values():
            names.children.clear()

    def _open(self, node: Place, kind: str, parent: Names | None) -> Names:
        names = self.scopes[node] = Names(node, kind, parent, len(self.scopes))
        return names

    def _bind(self, name: str) -> None:
        self._scope.bound.add(name)
        if self._scope.kind == "module":
            self.times_bound[name] = self.times_bound.get(name, 0) + 1
        for loop in self._loops:
            loop.add(name)

    # -- the walk ----------------------------------------------------------------------------------------------

    def _walk(self, node: Any) -> None:
        kind = node.__class__
        special = _SPECIAL.get(kind)
        if special is not None:
            special(self, node)
            return
        for field in FIELDS[kind]:
            value = getattr(node, field)
            if value.__class__ is list:
                for one in value:
                    if one.__class__ is _NAME:
                        self._scope.uses.add(one.id)
                    elif one.__class__ is not _CONSTANT:
                        self._walk(one)
            elif value.__class__ is _NAME:
                self._scope.uses.add(value.id)
            elif value is not None and value.__class__ is not _CONSTANT:
                self._walk(value)

    def _all(self, nodes: list[Any]) -> None:
        for one in nodes:
            self._walk(one)

    def _inside(self, inner: Names, nodes: list[Any]) -> None:
        """Walk what is a scope's own: loops around it do not rebind its names."""
        outer, loops = self._scope, self._loops
        self._scope, self._loops = inner, []
        for one in nodes:
            self._walk(one)
        self._scope, self._loops = outer, loops

    def _name(self, node: ast.Name) -> None:
        self._scope.uses.add(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        value: Any = node.value
        if value.__class__ is _NAME:
            self._scope.uses.add(value.id)
        else:
            self._walk(value)

    def _call(self, node: ast.Call) -> None:
        self._walk(node.func)
        arguments = node.args if not node.keywords else arguments_of(node)
        for one in arguments:
            self._walk(one)

    def _dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self._walk(key)
            self._walk(value)

    def _function(self, node: FunctionNode) -> None:
        self._all(node.decorator_list)
        self._bind(node.name)
        inner = self._open(node, "function", self._scope)
        self._type_parameters(inner, node)
        self._parameters(inner, node.args)
        if node.returns is not None:
            self._walk(node.returns)
        self._inside(inner, node.body)

    def _lambda(self, node: ast.Lambda) -> None:
        inner = self._open(node, "lambda", self._scope)
        self._parameters(inner, node.args)
        self._inside(inner, [node.body])

    def _parameters(self, inner: Names, parameters: ast.arguments) -> None:
        for one, _, default in parameters_of(parameters):
            inner.bound.add(one.arg)
            if one.annotation is not None:
                self._walk(one.annotation)
            if default is not None:
                self._walk(default)

    def _type_parameters(self, inner: Names, node: Any) -> None:
        for one in getattr(node, "type_params", ()):
            inner.bound.add(one.name)
            if evaluated_later(one):
                inner.parameters.add(one.name)
            for field, value in evaluated_later(one):
                self._inside(self._open((one, field), "alias", self._scope), [value])

    def _class(self, node: ast.ClassDef) -> None:
        self._all(node.decorator_list)
        self._bind(node.name)
        inner = self._open(node, "class", self._scope)
        self._type_parameters(inner, node)
        self._all(node.bases)
        self._all(node.keywords)
        self._inside(inner, node.body)

    def _comprehension(self, node: Comprehension) -> None:
        outer = self._scope
        inner = self._scope = self._open(node, "comprehension", outer)
        for loop in node.generators:
            inner.bound.update(target_names(loop.target))
        if isinstance(node, ast.DictComp):
            self._walk(node.key)
            self._walk(node.value)
        else:
            self._walk(node.elt)
        self._all(node.generators)
        self._scope = outer

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        inside: set[str] = set()
        self._loops.append(inside)
        self._target(node.target)
        self._walk(node.iter)
        self._all(node.body)
        self._loops.pop()
        self.rebound[node] = inside
        self._all(node.orelse)

    def _while(self, node: ast.While) -> None:
        inside: set[str] = set()
        self._loops.append(inside)
        self._walk(node.test)
        self._all(node.body)
        self._loops.pop()
        self.rebound[node] = inside
        self._all(node.orelse)

    def _target(self, target: ast.expr) -> None:
        for name in target_names(target):
            self._bind(name)
        self._walk(target)

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._target(target)
        self._walk(node.value)

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        self._target(node.target)
        self._walk(node.annotation)
        if node.value is not None:
            self._walk(node.value)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        self._target(node.target)
        self._walk(node.value)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._target(target)

    def _with_item(self, node: ast.withitem) -> None:
        self._walk(node.context_expr)
        if node.optional_vars is not None:
            self._target(node.optional_vars)

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._walk(node.type)
        if node.name is not None:
            self._bind(node.name)
        self._all(node.body)

    def _walrus(self, node: ast.NamedExpr) -> None:
        scope = self._scope
        self._scope = scope.owner
        self._bind(node.target.id)
        self._scope = scope
        self._walk(node.target)
        self._walk(node.value)

    def _import(self, node: ast.Import) -> None:
        for one in node.names:
            self._bind(one.asname or one.name.partition(".")[0])

    def _import_from(self, node: ast.ImportFrom) -> None:
        for one in node.names:
            if one.name != "*":
                self._bind(one.asname or one.name)

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self._scope.globals.add(name)
            self.times_bound[name] = self.times_bound.get(name, 0) + 1

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.nonlocals.update(node.names)

    def _pattern(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name is not None:
            self._bind(node.name)
        if isinstance(node, ast.MatchAs) and node.pattern is not None:
            self._walk(node.pattern)

    def _mapping_pattern(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self._bind(node.rest)
        self._all(node.keys)
        self._all(node.patterns)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self.yields.add(self._scope.owner.node)
        if node.value is not None:
            self._walk(node.value)

    def _type_alias(self, node: Any) -> None:
        self._bind(node.name.id)
        inner = self._open(node, "alias", self._scope)
        self._type_parameters(inner, node)
        self._inside(inner, [node.value])


# -- what is captured ----------------------------------------------------------------------------------------------


def _resolve(top: Names) -> None:
    """For every scope: which variables of enclosing functions its code, or code in it, uses."""
    stack = [(top, False)]
    while stack:
        names, done = stack.pop()
        if not done:
            stack.append((names, True))
            stack.extend([(child, False) for child in names.children])
            continue
        for name in names.nonlocals:
            _share(names, name)
        top.shared |= names.globals
        if names.parent is not None and (names.parent.kind != "module"):
            for name in names.uses | names.nonlocals:
                if name in names.globals or (name in names.bound and name not in names.nonlocals):
                    continue
                _capture(names, name)
        for child in names.children:
            for free in child.free:
                if free[0] != names.number:
                    names.free.add(free)


def _share(names: Names, name: str) -> None:
    outer = names.parent
    while outer is not None:
        if outer.kind not in ("class", "module") and name in outer.bound and name not in outer.nonlocals:
            outer.shared.add(name)
            return
        outer = outer.parent


def _capture(names: Names, name: str) -> None:
    outer = names.parent
    while outer is not None:
        if names.sees_into(outer) or name in outer.parameters:
            if name in outer.bound and name not in outer.nonlocals:
                if name not in outer.globals:
                    names.free.add((outer.number, name))
                return
            if name in outer.globals:
                return
        outer = outer.parent


_SPECIAL: Final[dict[type, Callable[[Survey, Any], None]]] = {
    ast.Name: Survey._name,
    ast.Attribute: Survey._attribute,
    ast.Call: Survey._call,
    ast.Dict: Survey._dict,
    ast.FunctionDef: Survey._function,
    ast.AsyncFunctionDef: Survey._function,
    ast.Lambda: Survey._lambda,
    ast.ClassDef: Survey._class,
    ast.ListComp: Survey._comprehension,
    ast.SetComp: Survey._comprehension,
    ast.DictComp: Survey._comprehension,
    ast.GeneratorExp: Survey._comprehension,
    ast.For: Survey._for,
    ast.AsyncFor: Survey._for,
    ast.While: Survey._while,
    ast.Assign: Survey._assign,
    ast.AnnAssign: Survey._ann_assign,
    ast.AugAssign: Survey._aug_assign,
    ast.Delete: Survey._delete,
    ast.withitem: Survey._with_item,
    ast.ExceptHandler: Survey._handler,
    ast.NamedExpr: Survey._walrus,
    ast.Import: Survey._import,
    ast.ImportFrom: Survey._import_from,
    ast.Global: Survey._global,
    ast.Nonlocal: Survey._nonlocal,
    ast.MatchAs: Survey._pattern,
    ast.MatchStar: Survey._pattern,
    ast.MatchMapping: Survey._mapping_pattern,
    ast.Yield: Survey._yield,
    ast.YieldFrom: Survey._yield,
}
if hasattr(ast, "TypeAlias"):
    _SPECIAL[ast.TypeAlias] = Survey._type_alias
