"""What expressions of a registry come to, and the operations that are safe to do on them."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final

from onepath.graph import Place


class Uncomputable(Exception):  # noqa: N818 - an answer, not an error
    """An expression that cannot be told without running it."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place


class Reference:
    """A name that was not computed: a class, a function, a module, or foreign code."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Record:
    """An instance: its class's full name and its fields."""

    __slots__ = ("fields", "module", "node", "place", "type")

    def __init__(self, kind: str, fields: dict[str, Any], place: Place) -> None:
        self.type = kind
        self.fields = fields
        self.place = place
        self.module = ""
        self.node: ast.ClassDef | None = None


class Closure:
    __slots__ = ("environment", "module", "node")

    def __init__(self, node: ast.FunctionDef | ast.Lambda, module: str, environment: dict[str, Any]) -> None:
        self.node = node
        self.module = module
        self.environment = environment


class Returned(Exception):  # noqa: N818 - control flow of the evaluated function
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


BUILTINS: Final[dict[str, Callable[..., Any]]] = {
    one.__name__: one
    for one in (dict, tuple, list, set, frozenset, zip, len, range, enumerate, sorted, str, bool, int, float, min, max)
} | {"any": any, "all": all, "sum": sum, "reversed": reversed, "repr": repr, "abs": abs}
METHODS: Final[dict[type[object], set[str]]] = {
    str: {
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "join",
    }
    | {"strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "format", "capitalize", "casefold", "count"},
    dict: {"items", "keys", "values", "get"},
    list: {"index", "count"},
    tuple: {"index", "count"},
}
TRANSPARENT: Final = {"types.MappingProxyType", "typing.cast", "immutabledict", "frozendict.frozendict"}
BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
}
COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}


def default_of(value: Any) -> Any:
    """A field's default, also where it is wrapped in `field(default=…)`, `Field(…)` or a factory."""
    if (
        isinstance(value, Record)
        and value.node is None
        and value.type.rpartition(".")[2] in ("field", "Field", "attrib")
    ):
        if "default" in value.fields:
            return value.fields["default"]
        factory = value.fields.get("default_factory", value.fields.get("factory"))
        if factory in (list, tuple, set, frozenset):
            return ()
        if factory is dict:
            return {}
        return value.fields.get("0")
    return value


def described(value: Any) -> str:
    if isinstance(value, Reference | Record):
        return f"`{value.name if isinstance(value, Reference) else value.type}`"
    return f"a {type(value).__name__}"
