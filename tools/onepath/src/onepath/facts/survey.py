"""One walk over a libcst tree in the order of the source: the line of every node, and which names each scope binds.

libcst keeps white space in the tree, so lines can be counted on the way; its own position and scope providers cost
many times the parsing. Nothing is interpreted in here.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from onepath.facts.order import ORDER

_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    getattr(cst, name): fields for name, fields in ORDER.items() if hasattr(cst, name)
}
_SPACE: Final = cst.SimpleWhitespace
_ON_ONE_LINE: Final = ("", " ")
_NO_NODE: Final = frozenset({cst.MaybeSentinel, type(None), str, bool})
_COMPREHENSIONS: Final = tuple(
    getattr(cst, name)
    for name in ("ListComp", "SetComp", "DictComp", "GeneratorExp", "StarredDictComp")
    if hasattr(cst, name)
)


class Names:
    """The names of one scope: a module, class, function, lambda or comprehension."""

    __slots__ = (
        "bound",
        "children",
        "free",
        "globals",
        "index",
        "kind",
        "node",
        "nonlocals",
        "parent",
        "shared",
        "tag",
        "uses",
    )

    def __init__(self, node: cst.CSTNode, kind: str, parent: Names | None, tag: str) -> None:
        self.node = node
        self.kind = kind
        self.parent = parent
        self.tag = tag
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.uses: set[str] = set()
        self.shared: set[str] = set()
        """Names that inner scopes bind too, by `nonlocal` or `global`."""
        self.free: set[tuple[int, str]] = set()
        self.children: list[Names] = []
        self.index = -1
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
        return f"{name}@{self.tag}" if self.kind == "comprehension" else name


class Survey:
    """What a walk over one module found."""

    def __init__(self, module: cst.Module) -> None:
        self.lines: dict[int, int] = {}
        """By `id` of a node: the line it starts on."""
        self.scopes: dict[int, Names] = {}
        """By `id` of the node that makes a scope."""
        self.rebound: dict[int, set[str]] = {}
        """By `id` of a loop: the names bound in it."""
        self.yields: set[int] = set()
        """`id` of the scopes' nodes that hold a yield."""
        self.times_bound: dict[str, int] = {}
        """By module variable: how many bindings it has."""
        self._line = 1
        self._loops: list[set[str]] = []
        self._scope = self._open(module, "module")
        self._walk(module)
        self._resolve(self.scopes[id(module)])

    # -- scopes ------------------------------------------------------------------------------------------------

    def _open(self, node: cst.CSTNode, kind: str) -> Names:
        parent = self._scope if kind != "module" else None
        names = Names(node, kind, parent, str(len(self.scopes)))
        self.scopes[id(node)] = names
        return names

    def _bind(self, name: str) -> None:
        self._scope.bound.add(name)
        if self._scope.kind == "module":
            self.times_bound[name] = self.times_bound.get(name, 0) + 1
        for loop in self._loops:
            loop.add(name)

    def _resolve(self, top: Names) -> None:
        """For every scope: which variables of enclosing functions its code, or code in it, uses."""
        stack = [(top, False)]
        while stack:
            names, done = stack.pop()
            if not done:
                stack.append((names, True))
                stack.extend((child, False) for child in names.children)
                continue
            for name in names.nonlocals:
                self._share(names, name)
            for name in names.globals:
                top.shared.add(name)
            for name in names.uses | names.nonlocals:
                if name in names.globals or (name in names.bound and name not in names.nonlocals):
                    continue
                self._capture(names, name)
            for child in names.children:
                for owner, name in child.free:
                    if owner != id(names.node):
                        names.free.add((owner, name))

    def _share(self, names: Names, name: str) -> None:
        outer = names.parent
        while outer is not None:
            if outer.kind not in ("class", "module") and name in outer.bound and name not in outer.nonlocals:
                outer.shared.add(name)
                return
            outer = outer.parent

    def _capture(self, names: Names, name: str) -> None:
        outer = names.parent
        while outer is not None:
            if outer.kind not in ("class", "module") and name in outer.bound and name not in outer.nonlocals:
                if name not in outer.globals:
                    names.free.add((id(outer.node), name))
                return
            if outer.kind not in ("class", "module") and name in outer.globals:
                return
            outer = outer.parent

    # -- the walk ----------------------------------------------------------------------------------------------

    def _walk(self, node: Any) -> None:
        self.lines[id(node)] = self._line
        special = _SPECIAL.get(node.__class__)
        if special is not None:
            special(self, node)
        else:
            self._fields(node, _FIELDS.get(node.__class__, ()))

    def _fields(self, node: Any, fields: tuple[str, ...]) -> None:
        walk = self._walk
        for field in fields:
            value = getattr(node, field)
            kind = value.__class__
            if kind is _SPACE:
                if value.value not in _ON_ONE_LINE:
                    self._line += _line_ends(value.value)
            elif kind is tuple or kind is list:
                for one in value:
                    walk(one)
            elif kind not in _NO_NODE:
                walk(value)

    def _white(self, node: cst.ParenthesizedWhitespace) -> None:
        self._line += 1 + len(node.empty_lines) + _line_ends(node.last_line.value)
        self._line += _line_ends(node.first_line.whitespace.value)

    def _line_end(self, node: cst.TrailingWhitespace) -> None:
        self._line += 1 + _line_ends(node.whitespace.value)

    def _empty_line(self, node: cst.EmptyLine) -> None:
        self._line += 1 + _line_ends(node.whitespace.value)

    def _some_white(self, node: cst.SimpleWhitespace) -> None:
        self._line += _line_ends(node.value)

    def _name(self, node: cst.Name) -> None:
        self._scope.uses.add(node.value)
        if node.lpar:
            for one in node.lpar:
                self._walk(one)
            self.lines[id(node)] = self._line
        for right in node.rpar:
            self._walk(right)

    def _string(self, node: cst.SimpleString) -> None:
        for left in node.lpar:
            self._walk(left)
        self._line += _line_ends(node.value)
        for right in node.rpar:
            self._walk(right)

    def _string_text(self, node: cst.FormattedStringText) -> None:
        self._line += _line_ends(node.value)

    def _attribute(self, node: cst.Attribute) -> None:
        for left in node.lpar:
            self._walk(left)
        self._walk(node.value)
        self._walk(node.dot)
        self.lines[id(node.attr)] = self._line
        for right in node.rpar:
            self._walk(right)

    def _argument(self, node: cst.Arg) -> None:
        self._fields(node, ("whitespace_after_star",))
        if node.keyword is not None:
            self.lines[id(node.keyword)] = self._line
        self._fields(node, ("equal", "value", "comma", "whitespace_after_arg"))

    def _function(self, node: cst.FunctionDef) -> None:
        self._fields(node, ("leading_lines", "decorators", "lines_after_decorators"))
        self.lines[id(node)] = self._line
        self._bind(node.name.value)
        self._fields(node, ("asynchronous", "whitespace_after_def", "whitespace_after_name"))
        outer, loops = self._scope, self._loops
        inner = self._open(node, "function")
        self._bind_parameters(inner, node.params)
        if node.type_parameters is not None:
            self._type_parameters(inner, node.type_parameters)
        self._fields(node, ("whitespace_after_type_parameters", "whitespace_before_params", "params", "returns"))
        self._fields(node, ("whitespace_before_colon",))
        self._scope, self._loops = inner, []
        self._walk(node.body)
        self._scope, self._loops = outer, loops

    def _lambda(self, node: cst.Lambda) -> None:
        self._fields(node, ("lpar", "whitespace_after_lambda"))
        self.lines[id(node)] = self._line
        outer, loops = self._scope, self._loops
        inner = self._open(node, "lambda")
        self._bind_parameters(inner, node.params)
        self._fields(node, ("params", "colon"))
        self._scope, self._loops = inner, []
        self._walk(node.body)
        self._scope, self._loops = outer, loops
        self._fields(node, ("rpar",))

    def _bind_parameters(self, inner: Names, parameters: cst.Parameters) -> None:
        for one in all_parameters(parameters):
            inner.bound.add(one.name.value)

    def _type_parameters(self, inner: Names, node: cst.TypeParameters) -> None:
        for one in node.params:
            inner.bound.add(one.param.name.value)
        self._walk(node)

    def _parameter(self, node: cst.Param) -> None:
        self._fields(node, ("whitespace_after_star",))
        self.lines[id(node)] = self._line
        self._fields(node, ("annotation", "equal", "default", "comma", "whitespace_after_param"))

    def _class(self, node: cst.ClassDef) -> None:
        self._fields(node, ("leading_lines", "decorators", "lines_after_decorators"))
        self.lines[id(node)] = self._line
        self._bind(node.name.value)
        self._fields(node, ("whitespace_after_class", "whitespace_after_name"))
        inner = self._open(node, "class")
        if node.type_parameters is not None:
            self._type_parameters(inner, node.type_parameters)
        self._fields(
            node, ("whitespace_after_type_parameters", "lpar", "bases", "keywords", "rpar", "whitespace_before_colon")
        )
        outer, loops = self._scope, self._loops
        self._scope, self._loops = inner, []
        self._walk(node.body)
        self._scope, self._loops = outer, loops

    def _comprehension(self, node: Any) -> None:
        fields = _FIELDS[node.__class__]
        outer = self._scope
        inner = self._open(node, "comprehension")
        self._bind_targets(inner, node.for_in)
        self._scope = inner
        self._fields(node, fields)
        self._scope = outer

    def _bind_targets(self, inner: Names, loop: cst.CompFor | None) -> None:
        while loop is not None:
            inner.bound.update(target_names(loop.target))
            loop = loop.inner_for_in

    def _for(self, node: cst.For | cst.While) -> None:
        if isinstance(node, cst.For):
            self._fields(node, ("leading_lines",))
            self.lines[id(node)] = self._line
            self._fields(node, ("asynchronous", "whitespace_after_for"))
            inside: set[str] = set()
            self._loops = [*self._loops, inside]
            for name in target_names(node.target):
                self._bind(name)
            self._fields(node, ("target", "whitespace_before_in", "whitespace_after_in", "iter"))
        else:
            self._fields(node, ("leading_lines",))
            self.lines[id(node)] = self._line
            self._fields(node, ("whitespace_after_while",))
            inside = set()
            self._loops = [*self._loops, inside]
            self._walk(node.test)
        self._fields(node, ("whitespace_before_colon", "body"))
        self._loops = self._loops[:-1]
        self.rebound[id(node)] = inside
        self._fields(node, ("orelse",))

    def _statement(self, node: Any) -> None:
        """A compound statement: it starts after the lines above it."""
        fields = _FIELDS[node.__class__]
        self._fields(node, fields[:1])
        self.lines[id(node)] = self._line
        self._fields(node, fields[1:])

    def _target(self, node: cst.AssignTarget | cst.AnnAssign | cst.AugAssign) -> None:
        for name in target_names(node.target):
            self._bind(name)
        self._fields(node, _FIELDS[node.__class__])

    def _as_name(self, node: cst.AsName) -> None:
        for name in target_names(node.name):
            self._bind(name)
        self._fields(node, _FIELDS[cst.AsName])

    def _delete(self, node: cst.Del) -> None:
        for name in target_names(node.target):
            self._bind(name)
        self._fields(node, _FIELDS[cst.Del])

    def _walrus(self, node: cst.NamedExpr) -> None:
        scope = self._scope
        if isinstance(node.target, cst.Name):
            self._scope = scope.owner
            self._bind(node.target.value)
            self._scope = scope
        self._fields(node, _FIELDS[cst.NamedExpr])

    def _imported(self, node: cst.ImportAlias) -> None:
        if node.asname is None:
            first: cst.BaseExpression = node.name
            while isinstance(first, cst.Attribute):
                first = first.value
            if isinstance(first, cst.Name):
                self._bind(first.value)
        self._fields(node, ("name", "asname", "comma"))

    def _global(self, node: cst.Global) -> None:
        for one in node.names:
            self._scope.globals.add(one.name.value)
            self.times_bound[one.name.value] = self.times_bound.get(one.name.value, 0) + 1
        self._fields(node, _FIELDS[cst.Global])

    def _nonlocal(self, node: cst.Nonlocal) -> None:
        self._scope.nonlocals.update(one.name.value for one in node.names)
        self._fields(node, _FIELDS[cst.Nonlocal])

    def _pattern(self, node: cst.MatchAs | cst.MatchStar) -> None:
        if node.name is not None:
            self._bind(node.name.value)
        self._fields(node, _FIELDS[node.__class__])

    def _mapping_pattern(self, node: cst.MatchMapping) -> None:
        if node.rest is not None:
            self._bind(node.rest.value)
        self._fields(node, _FIELDS[cst.MatchMapping])

    def _yield(self, node: cst.Yield) -> None:
        self.yields.add(id(self._scope.owner.node))
        self._fields(node, _FIELDS[cst.Yield])

    def _type_alias(self, node: Any) -> None:
        self._bind(node.name.value)
        self._fields(node, _FIELDS[node.__class__])


def _line_ends(text: str) -> int:
    """How many lines end in it: LF, CR LF, CR."""
    if "\r" in text:
        return text.count("\n") + text.count("\r") - text.count("\r\n")
    return text.count("\n")


def all_parameters(node: cst.Parameters) -> list[cst.Param]:
    """In the order in which they are numbered: positional-only, positional, `*args`, keyword-only, `**kwargs`."""
    found = [*node.posonly_params, *node.params]
    if isinstance(node.star_arg, cst.Param):
        found.append(node.star_arg)
    found.extend(node.kwonly_params)
    if node.star_kwarg is not None:
        found.append(node.star_kwarg)
    return found


def target_names(node: cst.CSTNode | None) -> list[str]:
    """Names that an assignment to `node` binds."""
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, cst.Tuple | cst.List):
        return [name for element in node.elements for name in target_names(element.value)]
    if isinstance(node, cst.StarredElement):
        return target_names(node.value)
    return []


_SPECIAL: Final[dict[type, Any]] = {
    cst.ParenthesizedWhitespace: Survey._white,
    cst.TrailingWhitespace: Survey._line_end,
    cst.EmptyLine: Survey._empty_line,
    cst.SimpleWhitespace: Survey._some_white,
    cst.Name: Survey._name,
    cst.SimpleString: Survey._string,
    cst.FormattedStringText: Survey._string_text,
    cst.Attribute: Survey._attribute,
    cst.Arg: Survey._argument,
    cst.FunctionDef: Survey._function,
    cst.Lambda: Survey._lambda,
    cst.Param: Survey._parameter,
    cst.ClassDef: Survey._class,
    cst.For: Survey._for,
    cst.While: Survey._for,
    cst.AssignTarget: Survey._target,
    cst.AnnAssign: Survey._target,
    cst.AugAssign: Survey._target,
    cst.AsName: Survey._as_name,
    cst.Del: Survey._delete,
    cst.NamedExpr: Survey._walrus,
    cst.ImportAlias: Survey._imported,
    cst.Global: Survey._global,
    cst.Nonlocal: Survey._nonlocal,
    cst.MatchAs: Survey._pattern,
    cst.MatchStar: Survey._pattern,
    cst.MatchMapping: Survey._mapping_pattern,
    cst.Yield: Survey._yield,
    **dict.fromkeys(_COMPREHENSIONS, Survey._comprehension),
    **dict.fromkeys(
        (
            cst.SimpleStatementLine,
            cst.If,
            cst.Try,
            cst.TryStar,
            cst.With,
            cst.Match,
            cst.MatchCase,
            cst.ExceptHandler,
            cst.ExceptStarHandler,
            cst.Decorator,
            cst.Else,
            cst.Finally,
        ),
        Survey._statement,
    ),
}
if hasattr(cst, "TypeAlias"):
    _SPECIAL[cst.TypeAlias] = Survey._type_alias
