"""Modules by name, parsed when asked for. It reads files, and runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from onepath.looking import Looked

Binding: TypeAlias = ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | tuple[str, str]
"""What a name stands for: an expression, a definition, or (module, name) for an import, name empty for the module."""


class Sources:
    """The program's modules as syntax trees."""

    def __init__(self, folder: Path, files: Mapping[str, str], looked: Looked | None = None) -> None:
        """`files`: by module, relative to `folder`. `looked`: through which they are read."""
        self.folder = folder
        self.files = files
        self._looked = looked or Looked()
        self._trees: dict[str, ast.Module | None] = {}
        self._bindings: dict[str, dict[str, Binding]] = {}

    def tree(self, module: str) -> ast.Module | None:
        """The module's tree; None if it is not of the program or is no Python."""
        if module not in self._trees:
            tree: ast.Module | None = None
            if module in self.files:
                try:
                    tree = ast.parse(self.content(self.files[module]))
                except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                    tree = None
            self._trees[module] = tree
        return self._trees[module]

    def content(self, file: str) -> bytes:
        """What is in a file of the project. Raises OSError."""
        return self._looked.content(self.folder / file)

    def text(self, file: str) -> str:
        """The same as text. Raises OSError, and UnicodeDecodeError where it is not UTF-8."""
        return self.content(file).decode("utf-8")

    def is_file(self, file: str) -> bool:
        """Whether the project has such a file."""
        return self._looked.is_file(self.folder / file)

    def split(self, name: str) -> tuple[str, str]:
        """A dotted (or `module:attribute`) name as module of the program and the rest; ("", name) if there is none."""
        dotted = name.replace(":", ".")
        module = dotted
        while module and module not in self.files:
            module = module.rpartition(".")[0]
        return module, dotted[len(module) :].lstrip(".")

    def binding(self, module: str, name: str) -> Binding | None:
        """What `name` is bound to last at the top level of `module`; None if it is not."""
        if module not in self._bindings:
            tree = self.tree(module)
            self._bindings[module] = _bound(tree.body, module, self) if tree is not None else {}
        found = self._bindings[module].get(name)
        if found is None and f"{module}.{name}" in self.files:
            return (f"{module}.{name}", "")
        return found

    def definition(self, name: str) -> tuple[str, Binding] | None:
        """Where a dotted name is defined, followed through imports: module and binding; None if it is foreign."""
        for _ in range(20):
            module, rest = self.split(name)
            if not module:
                return None
            first, _, inner = rest.partition(".")
            if not first:
                return module, (module, "")
            binding = self.binding(module, first)
            if isinstance(binding, tuple):
                name = ".".join(part for part in (*binding, inner) if part)
                continue
            if inner and isinstance(binding, ast.ClassDef):
                return self._member(module, binding, inner)
            return (module, binding) if binding is not None else None
        return None

    def _member(self, module: str, owner: ast.ClassDef, inner: str) -> tuple[str, Binding] | None:
        first, _, rest = inner.partition(".")
        found = _bound(owner.body, module, self).get(first)
        if rest and isinstance(found, ast.ClassDef):
            return self._member(module, found, rest)
        return (module, found) if found is not None and not rest else None


def _bound(body: list[ast.stmt], module: str, sources: Sources) -> dict[str, Binding]:
    names: dict[str, Binding] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    names[target.id] = statement.value
        elif isinstance(statement, ast.AnnAssign):
            if isinstance(statement.target, ast.Name) and statement.value is not None:
                names[statement.target.id] = statement.value
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0],
                    "",
                )
        elif isinstance(statement, ast.ImportFrom):
            origin = _absolute(statement, module, sources)
            for alias in statement.names:
                names[alias.asname or alias.name] = (origin, alias.name)
        elif isinstance(statement, ast.If | ast.Try):
            for part in (statement.body, statement.orelse, getattr(statement, "finalbody", [])):
                names.update(_bound(part, module, sources))
    return names


def _absolute(statement: ast.ImportFrom, module: str, sources: Sources) -> str:
    if not statement.level:
        return statement.module or ""
    is_package = sources.files.get(module, "").endswith("__init__.py")
    parts = module.split(".") if is_package else module.split(".")[:-1]
    kept = parts[: len(parts) - statement.level + 1]
    return ".".join([*kept, *((statement.module or "").split(".") if statement.module else [])])
