"""Python's syntax tree, read in the order of the source: what `ast` keeps in another order or another shape.

It knows node classes and their fields; it knows nothing of names, scopes or facts.
"""

from __future__ import annotations

import ast
from typing import Any, Final, TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_NO_NODES: Final = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module", "n"}
    | {"name", "names", "op", "ops", "rest", "s", "simple", "str", "tag", "type_comment", "type_ignores"}
)
"""Fields that hold no expression, statement or pattern in any class."""
_OTHER_ORDER: Final[dict[type, tuple[str, ...]]] = {
    ast.Constant: (),
    ast.IfExp: ("body", "test", "orelse"),
    ast.MatchSingleton: (),
}
FIELDS: Final[dict[type, tuple[str, ...]]] = {
    one: _OTHER_ORDER.get(one, tuple(field for field in one._fields if field not in _NO_NODES))
    for one in vars(ast).values()
    if isinstance(one, type) and issubclass(one, ast.AST)
}
"""By class: the fields with nodes in them, first to last in the source, as far as one comes after the other."""


def evaluated_later(parameter: Any) -> list[tuple[str, ast.expr]]:
    """The fields of a type parameter that run when somebody asks for them: a bound or constraints, a default."""
    found = [(field, getattr(parameter, field, None)) for field in ("bound", "default_value")]
    return [(field, value) for field, value in found if value is not None]


def arguments_of(node: ast.Call) -> list[ast.expr | ast.keyword]:
    """A call's arguments, first to last: `f(a=1, *b)` has its star after its keyword."""
    positional, keywords = node.args, node.keywords
    if not keywords:
        return list(positional)
    found: list[ast.expr | ast.keyword] = [*positional, *keywords]
    if positional and isinstance(positional[-1], ast.Starred) and place(positional[-1]) > place(keywords[0]):
        found.sort(key=place)
    return found


def place(node: ast.expr | ast.keyword) -> tuple[int, int]:
    return node.lineno, node.col_offset


def parameters_of(node: ast.arguments) -> list[tuple[ast.arg, str, ast.expr | None]]:
    """Parameters in the order in which they are numbered: each with its kind, as facts name it, and its default."""
    only, plain, keyword = node.posonlyargs, node.args, node.kwonlyargs
    defaults: list[ast.expr | None] = [None] * (len(only) + len(plain) - len(node.defaults))
    defaults += node.defaults
    found = [(one, "positional", default) for one, default in zip(only, defaults[: len(only)], strict=True)]
    found += [(one, "any", default) for one, default in zip(plain, defaults[len(only) :], strict=True)]
    if node.vararg is not None:
        found.append((node.vararg, "star", None))
    found += [(one, "keyword", default) for one, default in zip(keyword, node.kw_defaults, strict=True)]
    if node.kwarg is not None:
        found.append((node.kwarg, "double", None))
    return found


def target_names(node: ast.expr | None) -> list[str]:
    """Names that an assignment to `node` binds."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return [name for element in node.elts for name in target_names(element)]
    if isinstance(node, ast.Starred):
        return target_names(node.value)
    return []


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))


def negated(node: ast.expr) -> ast.expr | None:
    """`x` of `not x`."""
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else None
