"""What is shared while one module's scopes are written down: its facts, its survey, and what typing names it has."""

from __future__ import annotations

import builtins
from typing import Final

import libcst as cst

from onepath.facts.flow import Body
from onepath.facts.model import NONE, Annotation, Binding, ModuleFacts, Scope
from onepath.facts.survey import Names, Survey
from onepath.facts.types import dotted

_TYPING: Final = frozenset({"typing", "typing_extensions"})
FALSE: Final = False
_BUILTIN_NAMES: Final = frozenset(vars(builtins))


class Writer:
    """One module under extraction."""

    def __init__(self, facts: ModuleFacts, tree: cst.Module, package: str) -> None:
        self.facts = facts
        self.package = package
        """The package relative imports start from."""
        self.survey = Survey(tree)
        self.indexes: dict[int, int] = {}
        self.annotations: dict[Annotation, int] = {}
        self.checking_names: set[str] = set()
        """Module variables that are `typing.TYPE_CHECKING`."""
        self.typing_modules: set[str] = set()
        self.lazy_annotations = False
        """Whether `from __future__ import annotations` is in force."""
        self._find_typing(tree)

    def line(self, node: cst.CSTNode) -> int:
        return self.survey.lines.get(id(node), 0)

    def annotation(self, written: Annotation) -> int:
        """Its index among the module's annotations; NONE for what is no type."""
        if not written.name:
            return NONE
        index = self.annotations.get(written)
        if index is None:
            index = self.annotations[written] = len(self.facts.annotations)
            self.facts.annotations.append(written)
        return index

    def open_scope(self, node: cst.CSTNode, name: str, qualname: str, kind: str, parent: int, line: int) -> Body:
        """A new scope and the body in which its code is written."""
        scope = Scope(name, qualname, kind, parent, line, line, code=[], parameters=[], fields=[], type_parameters=[])
        index = len(self.facts.scopes)
        self.facts.scopes.append(scope)
        self.indexes[id(node)] = index
        scope.is_generator = id(node) in self.survey.yields
        return Body(scope, index, self.survey.scopes[id(node)], self.indexes)

    def note_binding(self, body: Body, name: str, kind: str, line: int) -> None:
        if body.scope.kind in ("module", "class") and body.names.kind != "comprehension":
            self.facts.bindings.append(Binding(body.index, name, kind, line))

    # -- conditions known before anything runs -----------------------------------------------------------------

    def _find_typing(self, tree: cst.Module) -> None:
        for statement in tree.body:
            if not isinstance(statement, cst.SimpleStatementLine):
                continue
            for small in statement.body:
                if (
                    isinstance(small, cst.ImportFrom)
                    and not small.relative
                    and not isinstance(small.names, cst.ImportStar)
                ):
                    if small.module is not None and dotted(small.module) == "__future__":
                        self.lazy_annotations = any(dotted(alias.name) == "annotations" for alias in small.names)
                    if small.module is None or dotted(small.module) not in _TYPING:
                        continue
                    for alias in small.names:
                        if dotted(alias.name) == "TYPE_CHECKING":
                            self.checking_names.add(_bound_name(alias))
                elif isinstance(small, cst.Import):
                    for alias in small.names:
                        if dotted(alias.name) in _TYPING:
                            self.typing_modules.add(_bound_name(alias))
        once = self.survey.times_bound
        self.checking_names = {name for name in self.checking_names if once.get(name) == 1}
        self.typing_modules = {name for name in self.typing_modules if once.get(name) == 1}

    def truth(self, names: Names, node: cst.BaseExpression) -> bool | None:
        """What a condition constantly is: literals, and `typing.TYPE_CHECKING`, which is false when code runs."""
        if isinstance(node, cst.Name):
            if node.value in ("True", "False", "None"):
                return node.value == "True"
            if node.value == "__debug__":
                return None
            if node.value in self.checking_names and self._is_module_variable(names, node.value):
                return FALSE
            return None
        if isinstance(node, cst.Attribute):
            if (
                node.attr.value == "TYPE_CHECKING"
                and isinstance(node.value, cst.Name)
                and node.value.value in self.typing_modules
                and self._is_module_variable(names, node.value.value)
            ):
                return FALSE
            return None
        if isinstance(node, cst.Integer):
            return node.evaluated_value != 0
        if isinstance(node, cst.SimpleString):
            return len(node.evaluated_value) > 0
        if isinstance(node, cst.Tuple | cst.List | cst.Dict) and not node.elements:
            return FALSE
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            inner = self.truth(names, node.expression)
            return None if inner is None else not inner
        if isinstance(node, cst.BooleanOperation):
            left, right = self.truth(names, node.left), self.truth(names, node.right)
            decided = isinstance(node.operator, cst.Or)
            if left is decided or right is decided:
                return decided
            return left if left is not None and left == right else None
        return None

    def speaks_of_checking(self, names: Names, node: cst.BaseExpression) -> bool:
        """Whether the condition is `TYPE_CHECKING`: what stands under it is there for type checkers."""
        return (
            isinstance(node, cst.Name | cst.Attribute)
            and self.truth(names, node) is False
            and not (isinstance(node, cst.Name) and node.value in ("False", "None"))
        )

    def _is_module_variable(self, names: Names, name: str) -> bool:
        scope: Names | None = names
        while scope is not None and scope.kind != "module":
            if name in scope.bound:
                return False
            scope = scope.parent
        return True


def _bound_name(alias: cst.ImportAlias) -> str:
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return dotted(alias.name).partition(".")[0]
