"""What is shared while one module's scopes are written down: its facts, its survey, and what typing names it has."""

from __future__ import annotations

import ast
from typing import Final

from onepath.facts.flow import Body
from onepath.facts.model import NONE, Annotation, Binding, ModuleFacts, Scope
from onepath.facts.survey import Names, Place, Survey
from onepath.facts.syntax import negated
from onepath.facts.types import annotation_of

_TYPING: Final = frozenset({"typing", "typing_extensions"})
_LITERALS: Final = (bool, int, str, bytes, type(None))
FALSE: Final = False


class Writer:
    """One module under extraction."""

    def __init__(self, facts: ModuleFacts, tree: ast.Module, source: bytes, package: str) -> None:
        self.facts = facts
        self.package = package
        """The package relative imports start from."""
        self.survey = Survey(tree)
        self.annotations: dict[Annotation, int] = {}
        self.checking_names: set[str] = set()
        """Module variables that are `typing.TYPE_CHECKING`."""
        self.typing_modules: set[str] = set()
        self.lazy_annotations = False
        """Whether `from __future__ import annotations` is in force."""
        self._source = source
        self._find_typing(tree)

    def annotation(self, node: ast.expr | None) -> int:
        """The index of what an expression writes as a type; NONE for what is no type."""
        written = None if node is None else annotation_of(node, self._source)
        if written is None or not written.name:
            return NONE
        index = self.annotations.get(written)
        if index is None:
            index = self.annotations[written] = len(self.facts.annotations)
            self.facts.annotations.append(written)
        return index

    def open_scope(self, node: Place, name: str, qualname: str, kind: str, parent: int, line: int) -> Body:
        """A new scope and the body in which its code is written."""
        scope = Scope(name, qualname, kind, parent, line, line, code=[], parameters=[], fields=[], type_parameters=[])
        names = self.survey.scopes[node]
        names.index = len(self.facts.scopes)
        self.facts.scopes.append(scope)
        scope.is_generator = node in self.survey.yields
        return Body(scope, names.index, names)

    def note_binding(self, body: Body, name: str, kind: str, line: int) -> None:
        if body.scope.kind in ("module", "class") and body.names.kind != "comprehension":
            self.facts.bindings.append(Binding(body.index, name, kind, line))

    # -- conditions known before anything runs -----------------------------------------------------------------

    def _find_typing(self, tree: ast.Module) -> None:
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and not statement.level:
                if statement.module == "__future__":
                    self.lazy_annotations = any(alias.name == "annotations" for alias in statement.names)
                if statement.module in _TYPING:
                    for alias in statement.names:
                        if alias.name == "TYPE_CHECKING":
                            self.checking_names.add(alias.asname or alias.name)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.name in _TYPING:
                        self.typing_modules.add(alias.asname or alias.name)
        once = self.survey.times_bound
        self.checking_names = {name for name in self.checking_names if once.get(name) == 1}
        self.typing_modules = {name for name in self.typing_modules if once.get(name) == 1}

    def truth(self, names: Names, node: ast.expr) -> bool | None:
        """What a condition constantly is: literals, and `typing.TYPE_CHECKING`, which is false when code runs."""
        if isinstance(node, ast.Name):
            if node.id in self.checking_names and self._is_module_variable(names, node.id):
                return FALSE
            return None
        if isinstance(node, ast.Attribute):
            if (
                node.attr == "TYPE_CHECKING"
                and isinstance(node.value, ast.Name)
                and node.value.id in self.typing_modules
                and self._is_module_variable(names, node.value.id)
            ):
                return FALSE
            return None
        if isinstance(node, ast.Constant):
            return bool(node.value) if isinstance(node.value, _LITERALS) else None
        if isinstance(node, ast.Tuple | ast.List):
            return None if node.elts else FALSE
        if isinstance(node, ast.Dict):
            return None if node.values else FALSE
        if isinstance(node, ast.UnaryOp):
            denied = negated(node)
            inner = None if denied is None else self.truth(names, denied)
            return None if inner is None else not inner
        if isinstance(node, ast.BoolOp):
            decided = isinstance(node.op, ast.Or)
            known = self.truth(names, node.values[0])
            for one in node.values[1:]:
                known = both(known, self.truth(names, one), decided)
            return known
        return None

    def speaks_of_checking(self, names: Names, node: ast.expr) -> bool:
        """Whether the condition is `TYPE_CHECKING`: what stands under it is there for type checkers."""
        return isinstance(node, ast.Name | ast.Attribute) and self.truth(names, node) is False

    def _is_module_variable(self, names: Names, name: str) -> bool:
        scope: Names | None = names
        while scope is not None and scope.kind != "module":
            if name in scope.bound:
                return False
            scope = scope.parent
        return True


def both(left: bool | None, right: bool | None, decided: bool) -> bool | None:
    """What `and` (decided by False) or `or` (decided by True) of two conditions constantly is."""
    if left is decided or right is decided:
        return decided
    return left if left is not None and left == right else None
